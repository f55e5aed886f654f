/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_NET_TESTING_IDENTITY_H
#define LIA_NET_TESTING_IDENTITY_H
/*
 * net/testing/identity - keys and self-signed certificates for tests of TLS.
 *
 * Rules: a new key each time; nothing is checked but that OpenSSL made it.
 * Ownership: the caller's until deinit. Threads: any.
 */
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "net/tls/tls.h"

struct lia_test_identity {
    EVP_PKEY *key;
    X509 *certificate;
    uint8_t public_key[LIA_TLS_KEY_BYTES]; /* of an Ed25519 key, else zero */
};

/* `kind`: "ED25519", or "P-256" for one that Liana does not take. */
struct lia_test_identity lia_test_identity(const char *kind);
void lia_test_identity_deinit(struct lia_test_identity *identity);

/* A config of a new Ed25519 identity. */
struct lia_tls_config lia_test_tls_config(struct lia_test_identity *identity);

#endif
