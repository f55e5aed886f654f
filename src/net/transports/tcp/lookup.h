/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_NET_TRANSPORTS_TCP_LOOKUP_H
#define LIA_NET_TRANSPORTS_TCP_LOOKUP_H
/*
 * net/transports/tcp/lookup - asking the system for the addresses of a host.
 *
 * getaddrinfo can take half a minute when the name server does not answer, and cannot be
 * broken off. So it runs on a thread that nobody waits for: a look-up that is cancelled is
 * left to itself, and a node stops at once.
 *
 *     loop:    start ----------------------------------+--> done
 *                 \                                    |
 *     thread:      getaddrinfo -- the result is posted -+
 *                              \- cancelled: freed here
 *
 * Rules: `done` comes once, from the loop itself, unless the look-up was cancelled.
 * Ownership: the C library's memory, for it may outlive the loop and its allocator.
 * Threads: the loop's.
 */
#include "net/loop.h"

struct addrinfo;
struct lia_lookup;

/* `rc` is 0 or a number of getaddrinfo; the list is the callee's, for freeaddrinfo. */
typedef void (*lia_lookup_fn)(void *ctx, int rc, struct addrinfo *list);

/* LIANA_ENOMEM, LIANA_ELIMIT (no more threads). */
LIANA_MUST_CHECK liana_status lia_lookup_start(struct lia_loop *loop,
                                               const char *host,
                                               uint16_t port,
                                               lia_lookup_fn done,
                                               void *ctx,
                                               struct lia_lookup **out);

void lia_lookup_cancel(struct lia_lookup *lookup);

#endif
