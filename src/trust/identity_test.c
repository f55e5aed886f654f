/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/testing/env.h"
#include "base/testing/files.h"
#include "trust/identity.h"

struct fixture {
    struct lia_test_env env;
    char folder[LIA_TEST_PATH_MAX];
    char path[LIA_TEST_PATH_MAX + 16];
    struct lia_identity identity;
    struct liana_error err;
};

static int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));

    lia_test_env_init(&f->env, 7);
    lia_test_scratch(f->folder);
    (void)snprintf(f->path, sizeof(f->path), "%s/%s", f->folder, LIA_IDENTITY_FILE);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    lia_identity_deinit(&f->identity);
    lia_test_scratch_remove(f->folder);
    lia_test_env_finish(&f->env);
    test_free(f);
    return 0;
}

static void is_made_once_and_then_the_same(void **state)
{
    struct fixture *f = *state;
    struct lia_identity again;
    struct stat st;

    assert_ok(lia_identity_open(&f->env.env, f->folder, &f->identity, &f->err));
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_ok(lia_identity_open(&f->env.env, f->folder, &again, &f->err));
    assert_memory_equal(again.peer_id, f->identity.peer_id, LIA_PEER_ID_BYTES);
    assert_memory_equal(again.public_key, f->identity.public_key, LIA_PUBLIC_KEY_BYTES);
    assert_int_equal(X509_cmp(again.certificate, f->identity.certificate), 0);
    lia_identity_deinit(&again);
}

static void two_identities_differ(void **state)
{
    struct fixture *f = *state;
    struct lia_identity other;

    assert_ok(lia_identity_generate(&f->env.env, &f->identity, &f->err));
    assert_ok(lia_identity_generate(&f->env.env, &other, &f->err));
    assert_memory_not_equal(other.peer_id, f->identity.peer_id, LIA_PEER_ID_BYTES);
    lia_identity_deinit(&other);
}

/* RFC 8032 section 7.1, test 1: the public key; its BLAKE2b-256 by Python's hashlib. */
static void peer_id_is_the_hash_of_the_public_key(void **state)
{
    static const uint8_t key[LIA_PUBLIC_KEY_BYTES] = {
        0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe,
        0xd3, 0xc9, 0x64, 0x07, 0x3a, 0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6,
        0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a};
    uint8_t id[LIA_PEER_ID_BYTES];
    char text[LIA_PEER_ID_TEXT];

    (void)state;
    lia_peer_id_of(key, id);
    lia_peer_id_text(id, text);
    assert_string_equal(text, "7849ac3049680be1ef762efe0d36e017");
}

static void certificate_is_self_signed_and_names_the_peer(void **state)
{
    struct fixture *f = *state;
    char text[LIA_PEER_ID_TEXT];
    char name[64];
    X509 *cert;

    assert_ok(lia_identity_generate(&f->env.env, &f->identity, &f->err));
    cert = f->identity.certificate;
    assert_int_equal(X509_verify(cert, f->identity.key), 1);
    lia_peer_id_text(f->identity.peer_id, text);
    X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, name,
                              sizeof(name));
    assert_string_equal(name, text);
    assert_int_equal(
        X509_NAME_cmp(X509_get_subject_name(cert), X509_get_issuer_name(cert)), 0);
    /* -1: before now; 1: after now. A clock at either end of time changes nothing. */
    assert_int_equal(X509_cmp_time(X509_get0_notBefore(cert), &(time_t){1}), -1);
    assert_int_equal(X509_cmp_time(X509_get0_notAfter(cert), &(time_t){253402300798}),
                     1);
}

static void refuses_a_key_that_others_can_read(void **state)
{
    struct fixture *f = *state;

    assert_ok(lia_identity_open(&f->env.env, f->folder, &f->identity, &f->err));
    assert_int_equal(chmod(f->path, 0640), 0);
    lia_identity_deinit(&f->identity);
    assert_status(LIANA_EINSECURE,
                  lia_identity_open(&f->env.env, f->folder, &f->identity, &f->err));
    assert_non_null(strstr(f->err.message, f->path));
    assert_null(f->identity.key);
}

/* Made with `openssl genpkey -algorithm X25519`: a private key, but not for signing. */
#define X25519_PEM                                                                     \
    "-----BEGIN PRIVATE KEY-----\n"                                                    \
    "MC4CAQAwBQYDK2VuBCIEIMhikglaCwslJevZpYjy4FGSzDZa7ce67N+afMtwk1l6\n"               \
    "-----END PRIVATE KEY-----\n"

static void refuses_and_keeps_what_is_no_key(void **state)
{
    static const char *const contents[] = {"", "x", X25519_PEM,
                                           "-----BEGIN PRIVATE KEY-----\n"};
    struct fixture *f = *state;
    struct lia_buf kept;

    lia_buf_init(&kept, &f->env.alloc.alloc);
    for (size_t i = 0; i < sizeof(contents) / sizeof(contents[0]); i++) {
        struct liana_slice text = lia_str_slice(lia_str(contents[i]));

        memset(&f->err, 0, sizeof(f->err));
        assert_ok(lia_file_replace(f->path, text, 0600, NULL));
        assert_status(LIANA_ECORRUPT,
                      lia_identity_open(&f->env.env, f->folder, &f->identity, &f->err));
        assert_non_null(strstr(f->err.message, f->path));
        lia_buf_reset(&kept);
        assert_ok(lia_file_read(f->path, 4096, &kept, NULL));
        assert_slice_equal(lia_buf_slice(&kept), text);
    }
    lia_buf_deinit(&kept);
}

static void refuses_two_keys_and_a_key_that_is_too_long(void **state)
{
    struct fixture *f = *state;
    struct lia_buf text;
    uint8_t *tail;

    assert_ok(lia_identity_open(&f->env.env, f->folder, &f->identity, &f->err));
    lia_identity_deinit(&f->identity);
    lia_buf_init(&text, &f->env.alloc.alloc);
    assert_ok(lia_file_read(f->path, 4096, &text, NULL));
    assert_ok(lia_file_read(f->path, 4096, &text, NULL));
    assert_ok(lia_file_replace(f->path, lia_buf_slice(&text), 0600, NULL));
    assert_status(LIANA_ECORRUPT,
                  lia_identity_open(&f->env.env, f->folder, &f->identity, NULL));
    tail = lia_buf_extend(&text, 5000);
    assert_non_null(tail);
    memset(tail, '\n', 5000);
    assert_ok(lia_file_replace(f->path, lia_buf_slice(&text), 0600, NULL));
    assert_status(LIANA_ECORRUPT,
                  lia_identity_open(&f->env.env, f->folder, &f->identity, NULL));
    lia_buf_deinit(&text);
}

static void says_which_folder_is_missing(void **state)
{
    struct fixture *f = *state;

    assert_status(LIANA_ENOTFOUND, lia_identity_open(&f->env.env, "/nowhere/at/all",
                                                     &f->identity, &f->err));
    assert_non_null(strstr(f->err.message, "/nowhere/at/all"));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(is_made_once_and_then_the_same, setup, teardown),
    cmocka_unit_test_setup_teardown(two_identities_differ, setup, teardown),
    cmocka_unit_test(peer_id_is_the_hash_of_the_public_key),
    cmocka_unit_test_setup_teardown(certificate_is_self_signed_and_names_the_peer,
                                    setup,
                                    teardown),
    cmocka_unit_test_setup_teardown(refuses_a_key_that_others_can_read,
                                    setup,
                                    teardown),
    cmocka_unit_test_setup_teardown(refuses_and_keeps_what_is_no_key, setup, teardown),
    cmocka_unit_test_setup_teardown(refuses_two_keys_and_a_key_that_is_too_long,
                                    setup,
                                    teardown),
    cmocka_unit_test_setup_teardown(says_which_folder_is_missing, setup, teardown),
};

LIA_TEST_MAIN(tests)
