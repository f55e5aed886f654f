/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_NET_ADDRESS_H
#define LIA_NET_ADDRESS_H
/*
 * net/address - where to listen and whom to dial, as people write it.
 *
 *     [SCHEME://]HOST:PORT     tcp is the scheme when none stands there
 *     [SCHEME://][IPV6]:PORT   an IPv6 host stands in brackets, with %zone if need be
 *     *:PORT, :PORT            every address of this machine, to listen on
 *     unix:///folder/socket    a path
 *
 * Rules: nothing is resolved here. An address that was parsed and is formatted again is
 * equal to itself; two texts that differ in the scheme's presence alone are equal after
 * parsing. Ownership: by value. Threads: any.
 */
#include "base/error.h"
#include "liana/types.h"

#define LIA_SCHEME_MAX   16   /* with its NUL, as the next two */
#define LIA_HOST_MAX     1024 /* a host name, a numeric address, a path */
#define LIA_ADDRESS_TEXT (LIA_SCHEME_MAX + LIA_HOST_MAX + 12)

struct lia_address {
    char scheme[LIA_SCHEME_MAX];
    char host[LIA_HOST_MAX]; /* "" : every address of this machine */
    uint16_t port;
};

/* LIANA_EINVAL; the message holds the text. */
LIANA_MUST_CHECK liana_status lia_address_parse(struct liana_str text,
                                                struct lia_address *out,
                                                struct liana_error *err);

void lia_address_format(const struct lia_address *address,
                        char out[static LIA_ADDRESS_TEXT]);

bool lia_address_equal(const struct lia_address *a, const struct lia_address *b);

#endif
