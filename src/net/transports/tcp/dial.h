/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_NET_TRANSPORTS_TCP_DIAL_H
#define LIA_NET_TRANSPORTS_TCP_DIAL_H
/*
 * net/transports/tcp/dial - connecting to a host by name or address.
 *
 *     dial -> look up the name -> try address 1, 2, ... -> done
 *                  |                 | (each has LIA_TCP_ATTEMPT_MS)
 *     cancel ------+-----------------+-> done(LIANA_ECANCELED)
 *
 * Rules: addresses are tried one after the other in the system's order (RFC 6724); the
 * last failure is the one that is told. Cancelling waits for nobody, a name server
 * included (lookup.h).
 * Ownership and threads: as net/transport.h says.
 */
#include "net/transports/uv_stream.h"

#define LIA_TCP_ATTEMPT_MS 5000

liana_status lia_tcp_dial(struct lia_loop *loop,
                          const struct lia_address *address,
                          lia_dialed_fn done,
                          void *ctx,
                          struct lia_dial **out,
                          struct liana_error *err);

void lia_tcp_dial_cancel(struct lia_dial *dial);

/* Options and name of a connection that is there. */
void lia_tcp_connected(struct lia_uv_stream *s);

#endif
