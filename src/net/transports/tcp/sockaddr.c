/* SPDX-License-Identifier: Apache-2.0 */
#include "net/transports/tcp/sockaddr.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "base/error.h"

bool lia_sockaddr_numeric(const char *host, uint16_t port, struct sockaddr_storage *out)
{
    memset(out, 0, sizeof(*out));
    return uv_ip4_addr(host, port, (struct sockaddr_in *)out) == 0 ||
           uv_ip6_addr(host, port, (struct sockaddr_in6 *)out) == 0;
}

static void format_ip6(const struct sockaddr_in6 *from, char *out, size_t size)
{
    char zone[UV_IF_NAMESIZE];
    size_t zone_len = sizeof(zone);
    size_t used;

    uv_ip6_name(from, out, size);
    if (from->sin6_scope_id != 0 &&
        uv_if_indextoiid(from->sin6_scope_id, zone, &zone_len) == 0) {
        used = strlen(out);
        snprintf(out + used, size - used, "%%%s", zone);
    }
}

void lia_sockaddr_address(const struct sockaddr_storage *from, struct lia_address *out)
{
    const struct sockaddr_in *in4 = (const struct sockaddr_in *)from;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)from;

    memset(out, 0, sizeof(*out));
    snprintf(out->scheme, sizeof(out->scheme), "%s", LIA_TCP_SCHEME);
    if (from->ss_family == AF_INET6) {
        format_ip6(in6, out->host, sizeof(out->host));
        out->port = ntohs(in6->sin6_port);
    } else {
        uv_ip4_name(in4, out->host, sizeof(out->host));
        out->port = ntohs(in4->sin_port);
    }
}

static uint64_t big_endian(const uint8_t *bytes, size_t len)
{
    uint64_t v = 0;

    for (size_t i = 0; i < len; i++) {
        v = v << 8 | bytes[i];
    }
    return v;
}

uint64_t lia_sockaddr_group(const struct sockaddr_storage *from)
{
    const struct sockaddr_in *in4 = (const struct sockaddr_in *)from;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)from;

    if (from->ss_family == AF_INET) {
        return ntohl(in4->sin_addr.s_addr);
    }
    return IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr)
               ? big_endian(in6->sin6_addr.s6_addr + 12, 4)
               : big_endian(in6->sin6_addr.s6_addr, 8);
}

static const struct addrinfo *prefer_ip4(const struct addrinfo *list)
{
    for (const struct addrinfo *at = list; at; at = at->ai_next) {
        if (at->ai_family == AF_INET) {
            return at;
        }
    }
    return list;
}

liana_status lia_sockaddr_resolve(struct lia_address *address, struct liana_error *err)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct sockaddr_storage found = {.ss_family = AF_UNSPEC};
    struct addrinfo *list = NULL;
    const struct addrinfo *best;
    uint16_t port = address->port;
    int rc;

    if (address->host[0] == '\0' ||
        lia_sockaddr_numeric(address->host, address->port, &found)) {
        return LIANA_OK;
    }
    rc = getaddrinfo(address->host, NULL, &hints, &list);
    if (rc) {
        return lia_err_sub(err, LIANA_EUNREACHABLE, rc, "cannot find host %s: %s",
                           address->host, gai_strerror(rc));
    }
    best = prefer_ip4(list);
    LIA_ASSERT(best); /* success means one address at least */
    memcpy(&found, best->ai_addr, best->ai_addrlen);
    freeaddrinfo(list);
    lia_sockaddr_address(&found, address);
    address->port = port;
    return LIANA_OK;
}
