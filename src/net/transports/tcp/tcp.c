/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/transports/tcp - TCP over IPv4 and IPv6.
 *
 * Small messages leave at once (TCP_NODELAY), and the system asks a silent peer whether
 * it is still there (keep-alive): radios and NATs drop connections without a word. Both
 * ends set both.
 */
#include <stdio.h>

#include "net/transports/tcp/dial.h"
#include "net/transports/tcp/sockaddr.h"
#include "net/uv_error.h"

#define BACKLOG     128
#define KEEPALIVE_S 30

static int init_handle(struct lia_loop *loop, union lia_uv_handle *uv)
{
    return uv_tcp_init(lia_loop_uv(loop), &uv->tcp);
}

void lia_tcp_connected(struct lia_uv_stream *s)
{
    struct sockaddr_storage remote;
    struct lia_address address;
    int len = sizeof(remote);

    /* An option that cannot be set makes the connection slower, not wrong. */
    uv_tcp_nodelay(&s->uv.tcp, 1);
    uv_tcp_keepalive(&s->uv.tcp, 1, KEEPALIVE_S);
    if (uv_tcp_getpeername(&s->uv.tcp, (struct sockaddr *)&remote, &len) == 0) {
        lia_sockaddr_address(&remote, &address);
        lia_address_format(&address, s->base.remote);
        s->base.group = lia_sockaddr_group(&remote);
    }
}

static int bind_and_listen(struct lia_acceptor *a, const struct sockaddr_storage *at)
{
    struct sockaddr_storage real;
    int len = sizeof(real);
    int rc = uv_tcp_bind(&a->uv.tcp, (const struct sockaddr *)at, 0);

    if (!rc) {
        rc = uv_listen(&a->uv.stream, BACKLOG, lia_uv_on_connection);
    }
    if (!rc) {
        rc = uv_tcp_getsockname(&a->uv.tcp, (struct sockaddr *)&real, &len);
    }
    if (!rc) {
        lia_sockaddr_address(&real, &a->address);
    }
    return rc;
}

/* One attempt; `*rc` is libuv's number when the answer is NULL. */
static struct lia_acceptor *try_listen(struct lia_loop *loop,
                                       const struct sockaddr_storage *at,
                                       const struct lia_acceptor_events *events,
                                       void *ctx,
                                       int *rc)
{
    struct lia_acceptor *a = lia_uv_acceptor_alloc(loop, events, ctx);

    if (!a) {
        *rc = UV_ENOMEM;
        return NULL;
    }
    a->init = init_handle;
    a->accepted = lia_tcp_connected;
    *rc = init_handle(loop, &a->uv);
    if (*rc) {
        lia_uv_acceptor_free(a);
        return NULL;
    }
    lia_uv_acceptor_init(a);
    *rc = bind_and_listen(a, at);
    if (*rc) {
        lia_uv_acceptor_abandon(a);
        return NULL;
    }
    return a;
}

static liana_status tcp_listen(struct lia_loop *loop,
                               const struct lia_address *address,
                               const struct lia_acceptor_events *events,
                               void *ctx,
                               struct lia_acceptor **out,
                               struct liana_error *err)
{
    bool is_any = address->host[0] == '\0';
    char text[LIA_ADDRESS_TEXT];
    struct sockaddr_storage at;
    struct lia_acceptor *a;
    int rc;

    lia_address_format(address, text);
    /* The IPv6 wildcard takes IPv4 too, unless the machine has no IPv6. */
    if (!lia_sockaddr_numeric(is_any ? "::" : address->host, address->port, &at)) {
        return lia_err(err, LIANA_EINVAL, "cannot listen on %s: not a numeric address",
                       text);
    }
    a = try_listen(loop, &at, events, ctx, &rc);
    if (!a && is_any && (rc == UV_EAFNOSUPPORT || rc == UV_EADDRNOTAVAIL) &&
        lia_sockaddr_numeric("0.0.0.0", address->port, &at)) {
        a = try_listen(loop, &at, events, ctx, &rc);
    }
    if (!a) {
        return lia_err_uv(err, rc, "cannot listen on", text);
    }
    *out = a;
    return LIANA_OK;
}

static void tcp_address(const struct lia_acceptor *acceptor, struct lia_address *out)
{
    *out = acceptor->address;
}

const struct lia_transport lia_transport_tcp = {
    .scheme = LIA_TCP_SCHEME,
    .resolve = lia_sockaddr_resolve,
    .listen = tcp_listen,
    .address = tcp_address,
    .close = lia_uv_acceptor_close,
    .dial = lia_tcp_dial,
    .cancel = lia_tcp_dial_cancel,
};
