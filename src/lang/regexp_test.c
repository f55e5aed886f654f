/* SPDX-License-Identifier: Apache-2.0 */
#include "lang/regexp.h"

#include <stdio.h>

#include "base/testing/test.h"

#include "base/testing/alloc.h"

static bool matches(struct lia_regexps *cache,
                    const char *s,
                    const char *pattern,
                    const char *flags)
{
    char message[128];
    bool found = false;

    assert_ok(lia_regexp_match(cache, lia_str(s), lia_str(pattern), lia_str(flags),
                               &found, message));
    return found;
}

static void test_compiled_once(void **state)
{
    struct lia_regexps *cache = lia_regexps_new(&lia_mem_libc);

    (void)state;
    for (int i = 0; i < 100; i++) {
        assert_true(matches(cache, "abc", "^a.c$", ""));
        assert_false(matches(cache, "ABC", "^a.c$", ""));
        assert_true(matches(cache, "ABC", "^a.c$", "i"));
        assert_true(matches(cache, "", "", ""));
    }
    assert_int_equal(lia_regexps_compiled(cache), 3);
    lia_regexps_free(cache);
}

/* The pattern that was not used for longest makes room. */
static void test_bounded(void **state)
{
    struct lia_regexps *cache = lia_regexps_new(&lia_mem_libc);
    char pattern[16];

    (void)state;
    for (int i = 0; i < 10 * LIA_REGEXPS_MAX; i++) {
        snprintf(pattern, sizeof(pattern), "^%d$", i);
        assert_true(matches(cache, pattern + 1, "^[0-9]+[$]$", ""));
        assert_false(matches(cache, "x", pattern, ""));
    }
    assert_int_equal(lia_regexps_compiled(cache), 1 + 10 * LIA_REGEXPS_MAX);
    assert_false(matches(cache, "x", "^0$", ""));
    assert_int_equal(lia_regexps_compiled(cache), 2 + 10 * LIA_REGEXPS_MAX);
    lia_regexps_free(cache);
}

static void test_long(void **state)
{
    struct lia_regexps *cache = lia_regexps_new(&lia_mem_libc);
    char text[LIA_REGEXP_BYTES_MAX + 2];

    (void)state;
    memset(text, 'a', sizeof(text));
    text[LIA_REGEXP_BYTES_MAX + 1] = '\0';
    assert_true(matches(cache, text, text, ""));
    assert_int_equal(lia_regexps_compiled(cache), 0);
    assert_true(matches(cache, text, text + 1, ""));
    assert_int_equal(lia_regexps_compiled(cache), 1);
    lia_regexps_free(cache);
}

static void test_errors(void **state)
{
    struct lia_regexps *caches[2] = {NULL, lia_regexps_new(&lia_mem_libc)};
    char message[128];
    bool found;

    (void)state;
    for (int i = 0; i < 4; i++) {
        struct lia_regexps *cache = caches[i % 2];

        assert_int_equal(lia_regexp_match(cache, lia_str("a"), lia_str("("),
                                          lia_str(""), &found, message),
                         LIANA_ESYNTAX);
        assert_true(strncmp(message, "at 1: ", 6) == 0);
        assert_int_equal(lia_regexp_match(cache, lia_str("a"), lia_str("a"),
                                          lia_str("q"), &found, message),
                         LIANA_ESYNTAX);
        assert_string_equal(message, "the flags are c, i, m, x and s");
        assert_int_equal(
            lia_regexp_match(cache, lia_str("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"),
                             lia_str("^(a+)+$"), lia_str(""), &found, message),
            LIANA_ELIMIT);
    }
    lia_regexps_free(caches[1]);
}

static liana_status scenario(const struct liana_allocator *a, void *ctx)
{
    struct lia_regexps *cache = lia_regexps_new(a);
    char message[128];
    bool found;
    liana_status status;

    (void)ctx;
    if (!cache) {
        return LIANA_ENOMEM;
    }
    status = lia_regexp_match(cache, lia_str("a"), lia_str("a"), lia_str(""), &found,
                              message);
    lia_regexps_free(cache);
    return status;
}

static void test_no_memory(void **state)
{
    (void)state;
    assert_int_equal(lia_test_each_failure(scenario, NULL), 2);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_compiled_once), cmocka_unit_test(test_bounded),
    cmocka_unit_test(test_long),          cmocka_unit_test(test_errors),
    cmocka_unit_test(test_no_memory),
};

LIA_TEST_MAIN(tests)
