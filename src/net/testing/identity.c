/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include "net/testing/identity.h"

struct lia_test_identity lia_test_identity(const char *kind)
{
    bool is_ed25519 = strcmp(kind, "ED25519") == 0;
    struct lia_test_identity made = {.certificate = X509_new()};
    size_t len = sizeof(made.public_key);

    made.key = is_ed25519 ? EVP_PKEY_Q_keygen(NULL, NULL, kind)
                          : EVP_PKEY_Q_keygen(NULL, NULL, "EC", kind);
    assert_non_null(made.key);
    assert_non_null(made.certificate);
    assert_int_equal(X509_set_version(made.certificate, 2), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(made.certificate), 0));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(made.certificate), 3600));
    assert_int_equal(X509_set_pubkey(made.certificate, made.key), 1);
    assert_true(
        X509_sign(made.certificate, made.key, is_ed25519 ? NULL : EVP_sha256()) > 0);
    if (is_ed25519) {
        assert_int_equal(EVP_PKEY_get_raw_public_key(made.key, made.public_key, &len),
                         1);
    }
    return made;
}

void lia_test_identity_deinit(struct lia_test_identity *identity)
{
    EVP_PKEY_free(identity->key);
    X509_free(identity->certificate);
}

struct lia_tls_config lia_test_tls_config(struct lia_test_identity *identity)
{
    struct lia_tls_config config;

    *identity = lia_test_identity("ED25519");
    assert_ok(lia_tls_config_init(&config, identity->key, identity->certificate, NULL));
    return config;
}
