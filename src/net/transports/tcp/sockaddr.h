/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_NET_TRANSPORTS_TCP_SOCKADDR_H
#define LIA_NET_TRANSPORTS_TCP_SOCKADDR_H
/*
 * net/transports/tcp/sockaddr - IP addresses as the system has them, and as text.
 *
 * Rules: a numeric host never asks a name server. Ownership: by value. Threads: any, but
 * lia_sockaddr_resolve blocks.
 */
#include <sys/socket.h>

#include "net/address.h"

#define LIA_TCP_SCHEME "tcp"

/* IPv4, or IPv6 with its zone. False for anything else, names among it. */
bool lia_sockaddr_numeric(const char *host,
                          uint16_t port,
                          struct sockaddr_storage *out);

/* "tcp", the numeric host and the port. */
void lia_sockaddr_address(const struct sockaddr_storage *from, struct lia_address *out);

/* As lia_stream.group: an IPv4 address, also one that is written as IPv6, or the first 64
 * bits of an IPv6 address, which is what one site has. */
uint64_t lia_sockaddr_group(const struct sockaddr_storage *from);

/* Replaces a name by its first IPv4 address, or its first address if it has none.
 * LIANA_EUNREACHABLE names it. */
LIANA_MUST_CHECK liana_status lia_sockaddr_resolve(struct lia_address *address,
                                                   struct liana_error *err);

#endif
