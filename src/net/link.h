/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_NET_LINK_H
#define LIA_NET_LINK_H
/*
 * net/link - TLS over a stream: a link to whoever holds a known key.
 *
 *     HANDSHAKE --up--> UP --------+
 *         |              |         | close, from any state
 *         +----down------+         v
 *         |                    LINGER: what was sent goes out, then close_notify, then the
 *         v                    end of the stream; what still arrives is thrown away
 *       DOWN ----- close ---->     | the other side ends too, or linger_ms
 *                                  v
 *                               `closed`, memory gone
 *
 * Rules
 *   `up` comes before any bytes. `down` comes at most once, for what the owner did not
 *   do: LIANA_OK when the other side finished in order, LIANA_ETIMEOUT when the owner
 *   has not admitted it after handshake_ms (TLS alone lets in whoever has a key),
 *   LIANA_ECLOSED when the stream broke
 *   or ended without close_notify, LIANA_EPROTOCOL, LIANA_EAUTH, LIANA_ELIMIT. Nothing
 *   but `closed` follows; the owner closes in every case.
 *   send collects; flush encrypts and sends. More than LIA_LINK_QUEUE_MAX unread by the
 *   other side is LIANA_ELIMIT: whoever needs more waits for `drained`.
 *   Callbacks are never called from inside new, send, flush, pause or close.
 * Ownership: the link takes the stream; it frees itself behind `closed`. The config is
 * borrowed until then. Threads: the loop's.
 */
#include "base/limits.h"
#include "net/stream.h"
#include "net/tls/tls.h"

#define LIA_LINK_HANDSHAKE_MS 10000
#define LIA_LINK_LINGER_MS    2000
#define LIA_LINK_QUEUE_MAX    (8 * LIA_MIB)

struct lia_link_config {
    struct lia_tls_config tls;
    uint32_t handshake_ms; /* LIA_LINK_HANDSHAKE_MS */
    uint32_t linger_ms;    /* LIA_LINK_LINGER_MS */
};

struct lia_net_link;

struct lia_net_link_events {
    void (*up)(void *ctx, const struct lia_tls_peer *peer);
    void (*bytes)(void *ctx, struct liana_slice bytes); /* valid for the call */
    void (*drained)(void *ctx); /* all that was sent is with the system; may be NULL */
    void (*down)(void *ctx, liana_status reason, const struct liana_error *err);
    void (*closed)(void *ctx);
};

/* Begins the handshake on a stream that was not started. On failure the stream is
 * closed. */
LIANA_MUST_CHECK liana_status lia_net_link_new(const struct lia_link_config *config,
                                               struct lia_stream *stream,
                                               bool is_dialer,
                                               const struct lia_net_link_events *events,
                                               void *ctx,
                                               struct lia_net_link **out,
                                               struct liana_error *err);

/* The owner knows now who is at the other end: the time for that is over. */
void lia_net_link_admit(struct lia_net_link *link);

/* Behind all that was sent before. LIANA_ENOMEM, LIANA_ELIMIT; LIANA_ECLOSED unless up:
 * nothing was sent then, and the owner closes. */
LIANA_MUST_CHECK liana_status lia_net_link_send(struct lia_net_link *link,
                                                struct liana_slice bytes);
LIANA_MUST_CHECK liana_status lia_net_link_flush(struct lia_net_link *link);

/* While paused nothing is read, so the other side comes to a halt. */
void lia_net_link_pause(struct lia_net_link *link, bool paused);

/* Flushes first. */
void lia_net_link_close(struct lia_net_link *link);

/* At once; what was sent may be lost. */
void lia_net_link_drop(struct lia_net_link *link);

/* Bytes below TLS so far, the handshake among them. */
void lia_net_link_wire(const struct lia_net_link *link, uint64_t *in, uint64_t *out);

/* The other end's address, for people. Valid until closed. */
const char *lia_net_link_remote(const struct lia_net_link *link);

#endif
