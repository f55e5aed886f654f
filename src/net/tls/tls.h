/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_NET_TLS_TLS_H
#define LIA_NET_TLS_TLS_H
/*
 * net/tls/tls - one end of a TLS 1.3 connection (RFC 8446), bytes in and bytes out.
 *
 * No socket: what arrives is given to lia_tls_receive, what is to be sent is taken from
 * lia_tls_output, so that it works over any byte stream.
 *
 * Rules
 *   TLS 1.3 only; both sides present one Ed25519 certificate each and prove that they
 *   hold its key; X25519; ALPN "liana/1"; no tickets, no resumption, no early data.
 *   Whether the other side's key may join is not decided here: its key and a secret of
 *   this connection are handed upwards (trust/admission).
 *   Records are at most LIA_TLS_RECORD_BYTES, so that a small device holds little and the
 *   first bytes of a large message are of use early.
 *   After a failure the only call left, but free, is lia_tls_output: it holds the alert
 *   that tells the other side.
 * Ownership: a config borrows nothing and outlives its connections. Threads: a config
 * any; a connection one at a time.
 */
#include "base/error.h"
#include "base/mem.h"

struct evp_pkey_st;
struct ssl_ctx_st;
struct x509_st;
struct lia_tls;

#define LIA_TLS_RECORD_BYTES   4096
#define LIA_TLS_KEY_BYTES      32
#define LIA_TLS_EXPORTER_BYTES 32
#define LIA_TLS_EXPORTER_LABEL "liana shared key"

/* Keys wear out with the data that they protect (RFC 8446 section 5.5): a new sending
 * key is made at least this often. */
#define LIA_TLS_REKEY_BYTES ((uint64_t)16 * 1024 * 1024 * 1024)

struct lia_tls_config {
    struct ssl_ctx_st *ctx;
    uint64_t rekey_bytes;
};

/* Keeps references to the key and the certificate. */
LIANA_MUST_CHECK liana_status lia_tls_config_init(struct lia_tls_config *config,
                                                  struct evp_pkey_st *key,
                                                  struct x509_st *certificate,
                                                  struct liana_error *err);
/* NULL inside is allowed. */
void lia_tls_config_deinit(struct lia_tls_config *config);

/* What is known of the other side once the handshake is done. */
struct lia_tls_peer {
    uint8_t public_key[LIA_TLS_KEY_BYTES]; /* Ed25519 */
    uint8_t exporter[LIA_TLS_EXPORTER_BYTES];
};

LIANA_MUST_CHECK liana_status lia_tls_new(const struct liana_allocator *alloc,
                                          const struct lia_tls_config *config,
                                          bool is_client,
                                          struct lia_tls **out,
                                          struct liana_error *err);
void lia_tls_free(struct lia_tls *tls);

/* Takes what arrived, at most a few records at a time; then read until `*n` is 0. */
LIANA_MUST_CHECK liana_status lia_tls_receive(struct lia_tls *tls,
                                              struct liana_slice bytes);

/* Goes on with the handshake, then gives what the other side sent. `*n` of 0 with
 * LIANA_OK: nothing more until more arrives. LIANA_EEND: the other side said that it has
 * finished. LIANA_EPROTOCOL, LIANA_EAUTH (it has no usable certificate, or refuses
 * ours), LIANA_ENOMEM. */
LIANA_MUST_CHECK liana_status lia_tls_read(struct lia_tls *tls,
                                           uint8_t *out,
                                           size_t size,
                                           size_t *n,
                                           struct liana_error *err);

/* The handshake is done: data may be written, `peer` is known. */
bool lia_tls_is_up(const struct lia_tls *tls);
const struct lia_tls_peer *lia_tls_peer(const struct lia_tls *tls);

/* Only when up. */
LIANA_MUST_CHECK liana_status lia_tls_write(struct lia_tls *tls,
                                            struct liana_slice bytes,
                                            struct liana_error *err);

/* Says that nothing more will be written; at most once has an effect. */
void lia_tls_finish(struct lia_tls *tls);

/* What is to be sent; valid until the next call. lia_tls_sent forgets it. */
struct liana_slice lia_tls_output(struct lia_tls *tls);
void lia_tls_sent(struct lia_tls *tls);

#endif
