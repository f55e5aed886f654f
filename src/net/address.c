/* SPDX-License-Identifier: Apache-2.0 */
#include "net/address.h"

#include <stdio.h>

#include "base/slice.h"

#define DEFAULT_SCHEME "tcp"
#define PATH_SCHEME    "unix"

static liana_status bad(struct liana_error *err, struct liana_str text, const char *why)
{
    return lia_err(err, LIANA_EINVAL, "address '%.*s': %s", LIA_STR_ARG(text), why);
}

static bool put(char *out, size_t size, struct liana_str text)
{
    if (text.len >= size || memchr(text.ptr, 0, text.len)) {
        return false;
    }
    memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
    return true;
}

static struct liana_str rest_of(struct liana_str text, size_t from)
{
    return (struct liana_str){text.ptr + from, text.len - from};
}

/* Takes "scheme://" off the front. */
static bool split_scheme(struct liana_str *text, struct lia_address *out)
{
    for (size_t i = 0; i + 3 <= text->len; i++) {
        if (memcmp(text->ptr + i, "://", 3) == 0) {
            struct liana_str scheme = {text->ptr, i};

            *text = rest_of(*text, i + 3);
            return i > 0 && put(out->scheme, sizeof(out->scheme), scheme);
        }
    }
    return put(out->scheme, sizeof(out->scheme), lia_str(DEFAULT_SCHEME));
}

static bool parse_port(struct liana_str text, uint16_t *out)
{
    uint32_t port = 0;

    if (text.len == 0 || text.len > 5) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            return false;
        }
        port = port * 10 + (uint32_t)(text.ptr[i] - '0');
    }
    if (port > UINT16_MAX) {
        return false;
    }
    *out = (uint16_t)port;
    return true;
}

/* The host and what follows it; false when a bracket has no partner. */
static bool split_host(struct liana_str text,
                       struct liana_str *host,
                       struct liana_str *after)
{
    const char *end;

    if (text.len > 0 && text.ptr[0] == '[') {
        end = memchr(text.ptr, ']', text.len);
        if (!end) {
            return false;
        }
        *host = (struct liana_str){text.ptr + 1, (size_t)(end - text.ptr) - 1};
        *after = rest_of(text, (size_t)(end - text.ptr) + 1);
        return host->len > 0;
    }
    end = text.len > 0 ? memchr(text.ptr, ':', text.len) : NULL;
    *host = (struct liana_str){text.ptr, end ? (size_t)(end - text.ptr) : text.len};
    *after = rest_of(text, host->len);
    return true;
}

liana_status lia_address_parse(struct liana_str text,
                               struct lia_address *out,
                               struct liana_error *err)
{
    struct lia_address parsed = {.port = 0};
    struct liana_str rest = text;
    struct liana_str host;
    struct liana_str after;

    if (!split_scheme(&rest, &parsed)) {
        return bad(err, text, "the scheme is empty or too long");
    }
    if (strcmp(parsed.scheme, PATH_SCHEME) == 0) {
        if (rest.len == 0 || rest.ptr[0] != '/' ||
            !put(parsed.host, sizeof(parsed.host), rest)) {
            return bad(err, text, "a path begins with '/'");
        }
        *out = parsed;
        return LIANA_OK;
    }
    if (!split_host(rest, &host, &after) ||
        (after.len > 0 && memchr(after.ptr + 1, ':', after.len - 1))) {
        return bad(err, text, "an IPv6 host stands in brackets: [HOST]:PORT");
    }
    if (after.len < 2 || after.ptr[0] != ':' ||
        !parse_port(rest_of(after, 1), &parsed.port)) {
        return bad(err, text, "a port of 0 to 65535 is missing: HOST:PORT");
    }
    if (host.len > 0 &&
        (memchr(host.ptr, '[', host.len) || memchr(host.ptr, ']', host.len))) {
        return bad(err, text, "a bracket stands inside the host");
    }
    if (lia_str_equal(host, lia_str("*"))) {
        host.len = 0;
    }
    if (!put(parsed.host, sizeof(parsed.host), host)) {
        return bad(err, text, "the host is too long");
    }
    *out = parsed;
    return LIANA_OK;
}

void lia_address_format(const struct lia_address *address,
                        char out[static LIA_ADDRESS_TEXT])
{
    const char *host = address->host[0] ? address->host : "*";

    if (strcmp(address->scheme, PATH_SCHEME) == 0) {
        snprintf(out, LIA_ADDRESS_TEXT, "%s://%s", address->scheme, address->host);
    } else if (strchr(host, ':')) {
        snprintf(out, LIA_ADDRESS_TEXT, "%s://[%s]:%u", address->scheme, host,
                 address->port);
    } else {
        snprintf(out, LIA_ADDRESS_TEXT, "%s://%s:%u", address->scheme, host,
                 address->port);
    }
}

bool lia_address_equal(const struct lia_address *a, const struct lia_address *b)
{
    return a->port == b->port && strcmp(a->scheme, b->scheme) == 0 &&
           strcmp(a->host, b->host) == 0;
}
