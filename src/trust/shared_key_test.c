/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include <stdio.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/testing/env.h"
#include "base/testing/files.h"
#include "trust/shared_key.h"

/* Computed with Python's hashlib and base64: key 00 01 .. 1f. */
#define KNOWN "lianakey1.AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh_LL1Fg"

static void known_text(void **state)
{
    struct lia_shared_key key;
    struct lia_shared_key parsed;
    char text[LIA_SHARED_KEY_TEXT];

    (void)state;
    for (size_t i = 0; i < sizeof(key.bytes); i++) {
        key.bytes[i] = (uint8_t)i;
    }
    lia_shared_key_format(&key, text);
    assert_string_equal(text, KNOWN);
    assert_ok(lia_shared_key_parse(lia_str(" \t" KNOWN "\r\n"), &parsed, NULL));
    assert_memory_equal(parsed.bytes, key.bytes, sizeof(key.bytes));
}

static void any_key_there_and_back(void **state)
{
    struct lia_test_env t;
    struct lia_shared_key key;
    struct lia_shared_key parsed;
    char text[LIA_SHARED_KEY_TEXT];

    (void)state;
    lia_test_env_init(&t, lia_test_seed("any_key_there_and_back"));
    for (size_t i = 0; i < lia_test_cases(500); i++) {
        lia_shared_key_generate(&t.env, &key);
        lia_shared_key_format(&key, text);
        assert_ok(lia_shared_key_parse(lia_str(text), &parsed, NULL));
        assert_memory_equal(parsed.bytes, key.bytes, sizeof(key.bytes));
    }
    lia_test_env_finish(&t);
}

/* One changed character is always noticed, and the message does not repeat the text. */
static void a_slip_is_noticed(void **state)
{
    struct lia_shared_key key;

    (void)state;
    for (size_t i = 0; i < sizeof(KNOWN) - 1; i++) {
        struct liana_error err = LIANA_ERROR_INIT;
        char text[] = KNOWN;

        text[i] = text[i] == 'A' ? 'B' : 'A';
        assert_status(LIANA_EINVAL, lia_shared_key_parse(lia_str(text), &key, &err));
        assert_null(strstr(err.message, text + 10));
    }
}

static void other_lengths_are_refused(void **state)
{
    struct lia_shared_key key;

    (void)state;
    for (size_t n = 0; n < sizeof(KNOWN) - 1; n++) {
        struct liana_str cut = {KNOWN, n};

        assert_status(LIANA_EINVAL, lia_shared_key_parse(cut, &key, NULL));
    }
    assert_status(LIANA_EINVAL, lia_shared_key_parse(lia_str(KNOWN "A"), &key, NULL));
    assert_status(LIANA_EINVAL,
                  lia_shared_key_parse(lia_str(KNOWN " " KNOWN), &key, NULL));
}

static void from_a_file(void **state)
{
    char folder[LIA_TEST_PATH_MAX];
    char path[LIA_TEST_PATH_MAX + 8];
    struct liana_error err = LIANA_ERROR_INIT;
    struct lia_shared_key key;
    struct lia_test_env t;

    (void)state;
    lia_test_env_init(&t, 1);
    lia_test_scratch(folder);
    (void)snprintf(path, sizeof(path), "%s/key", folder);
    assert_ok(lia_file_replace(path, LIA_BYTES(KNOWN "\n"), 0600, NULL));
    assert_ok(lia_shared_key_load(&t.env, path, &key, NULL));
    assert_int_equal(key.bytes[31], 31);
    assert_ok(lia_file_replace(path, LIA_BYTES("lianakey1.x\n"), 0600, NULL));
    assert_status(LIANA_EINVAL, lia_shared_key_load(&t.env, path, &key, &err));
    assert_non_null(strstr(err.message, path));
    assert_int_equal(chmod(path, 0604), 0);
    assert_status(LIANA_EINSECURE, lia_shared_key_load(&t.env, path, &key, NULL));
    lia_test_scratch_remove(folder);
    lia_test_env_finish(&t);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(known_text),        cmocka_unit_test(any_key_there_and_back),
    cmocka_unit_test(a_slip_is_noticed), cmocka_unit_test(other_lengths_are_refused),
    cmocka_unit_test(from_a_file),
};

LIA_TEST_MAIN(tests)
