/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_NET_TRANSPORT_H
#define LIA_NET_TRANSPORT_H
/*
 * net/transport - a way to make byte streams.
 *
 * A transport is a folder transports/<name>/ that exports one struct lia_transport, and a
 * row in transports.def. It moves opaque bytes: TLS is a layer above it (net/link.h), and
 * it knows nothing of peers. transports/contract_test.c runs against every row.
 *
 * Rules
 *   listen answers at once: the address is being listened on, or why not, by name.
 *   Port 0 lets the system choose; `address` then holds the real one.
 *   dial ends by exactly one `done`, later, never from inside dial or cancel: with a
 *   stream, which the callee must start or close, or with a status: LIANA_EUNREACHABLE
 *   (nobody answers), LIANA_ETIMEOUT, LIANA_ECANCELED, ... The handle is invalid from
 *   then on.
 * Ownership: a transport is static. Listeners and dials belong to their transport until
 * `closed` and `done`. Threads: the loop's, `resolve` excepted.
 */
#include "net/stream.h"

struct lia_acceptor;

struct lia_acceptor_events {
    /* A stream that came in; the callee starts or closes it. */
    void (*accepted)(void *ctx, struct lia_stream *stream);
    /* One could not be taken (no descriptors left, say); listening goes on. */
    void (*failed)(void *ctx, liana_status status, const struct liana_error *err);
    void (*closed)(void *ctx);
};

typedef void (*lia_dialed_fn)(void *ctx,
                              liana_status status,
                              struct lia_stream *stream,
                              const struct liana_error *err);

/* What every transport's dial begins with. */
struct lia_dial {
    struct lia_loop *loop;
    struct lia_address address;
    lia_dialed_fn done;
    void *ctx;
    bool is_cancelled;
};

struct lia_transport {
    const char *scheme;

    /* Replaces a host name to listen on by a numeric address. Blocks: any thread but
     * the loop's. */
    liana_status (*resolve)(struct lia_address *address, struct liana_error *err);

    liana_status (*listen)(struct lia_loop *loop,
                           const struct lia_address *address,
                           const struct lia_acceptor_events *events,
                           void *ctx,
                           struct lia_acceptor **out,
                           struct liana_error *err);
    void (*address)(const struct lia_acceptor *acceptor, struct lia_address *out);
    void (*close)(struct lia_acceptor *acceptor);

    liana_status (*dial)(struct lia_loop *loop,
                         const struct lia_address *address,
                         lia_dialed_fn done,
                         void *ctx,
                         struct lia_dial **out,
                         struct liana_error *err);
    void (*cancel)(struct lia_dial *dial);
};

#define LIA_TRANSPORT(name) extern const struct lia_transport lia_transport_##name;
#include "net/transports.def"
#undef LIA_TRANSPORT

/* The transport of an address's scheme. LIANA_EINVAL names the schemes there are. */
LIANA_MUST_CHECK liana_status lia_transport_find(const struct lia_address *address,
                                                 const struct lia_transport **out,
                                                 struct liana_error *err);

#endif
