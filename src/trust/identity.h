/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_TRUST_IDENTITY_H
#define LIA_TRUST_IDENTITY_H
/*
 * trust/identity - the Ed25519 key pair that makes a store a peer.
 *
 * A peer is known by the first 128 bits of the BLAKE2b-256 of its public key (RFC 8032,
 * 32 bytes). The key pair is made when a store is first opened, kept as a PKCS#8 PEM in
 * `identity.key` (mode 0600) in the store's folder, and never changes. The certificate
 * for TLS is self-signed and a pure function of the key: it has no expiry and its dates
 * say nothing, so a device without a clock can join.
 *
 * Rules: a key file that others can reach is LIANA_EINSECURE, one that is not exactly
 * one Ed25519 key is LIANA_ECORRUPT; neither is ever replaced by itself, because a
 * replaced key is another peer. Messages name the file and never hold key material.
 *
 * Ownership: an identity owns its key and certificate until deinit; `key` and
 * `certificate` are borrowed. Threads: immutable once made; any.
 */
#include "base/env.h"
#include "base/error.h"

struct evp_pkey_st; /* OpenSSL's EVP_PKEY and X509 */
struct x509_st;

#define LIA_PEER_ID_BYTES    16
#define LIA_PEER_ID_TEXT     33 /* hexadecimal, with its NUL */
#define LIA_PUBLIC_KEY_BYTES 32
#define LIA_IDENTITY_FILE    "identity.key"

struct lia_identity {
    uint8_t peer_id[LIA_PEER_ID_BYTES];
    uint8_t public_key[LIA_PUBLIC_KEY_BYTES];
    struct evp_pkey_st *key;
    struct x509_st *certificate;
};

#define LIA_IDENTITY_INIT                                                              \
    {                                                                                  \
        {0}, {0}, NULL, NULL                                                           \
    }

/* A new key pair from env's randomness, kept nowhere. */
LIANA_MUST_CHECK liana_status lia_identity_generate(const struct lia_env *env,
                                                    struct lia_identity *out,
                                                    struct liana_error *err);

/* The key pair of the store in `folder`, made, durably, if there is none. The caller
 * holds the store's lock. */
LIANA_MUST_CHECK liana_status lia_identity_open(const struct lia_env *env,
                                                const char *folder,
                                                struct lia_identity *out,
                                                struct liana_error *err);

void lia_identity_deinit(struct lia_identity *identity);

/* The peer id that belongs to a public key. */
void lia_peer_id_of(const uint8_t public_key[static LIA_PUBLIC_KEY_BYTES],
                    uint8_t out[static LIA_PEER_ID_BYTES]);

void lia_peer_id_text(const uint8_t peer_id[static LIA_PEER_ID_BYTES],
                      char out[static LIA_PEER_ID_TEXT]);

#endif
