/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net/transports/unix_socket - streams between processes of one machine.
 *
 * The socket's file belongs to this user alone: it gets mode 0600 between bind and
 * listen, while nobody can connect to it yet. Whoever listens has made sure that the
 * path is free; a file that is there is LIANA_EADDRINUSE.
 */
#include <stdio.h>
#include <sys/stat.h>

#include "base/slice.h"
#include "net/transports/uv_stream.h"
#include "net/uv_error.h"

#define SCHEME  "unix"
#define BACKLOG 64

static liana_status resolve(struct lia_address *address, struct liana_error *err)
{
    (void)address;
    (void)err;
    return LIANA_OK;
}

static int init_handle(struct lia_loop *loop, union lia_uv_handle *uv)
{
    return uv_pipe_init(lia_loop_uv(loop), &uv->pipe, 0);
}

static void name_remote(struct lia_uv_stream *s)
{
    snprintf(s->base.remote, sizeof(s->base.remote), SCHEME "://");
}

static int bind_and_listen(struct lia_acceptor *a)
{
    int rc = uv_pipe_bind(&a->uv.pipe, a->path.text);

    if (!rc && chmod(a->path.text, S_IRUSR | S_IWUSR) != 0) {
        rc = UV_EACCES;
    }
    if (!rc) {
        rc = uv_listen(&a->uv.stream, BACKLOG, lia_uv_on_connection);
    }
    return rc;
}

static liana_status unix_listen(struct lia_loop *loop,
                                const struct lia_address *address,
                                const struct lia_acceptor_events *events,
                                void *ctx,
                                struct lia_acceptor **out,
                                struct liana_error *err)
{
    struct lia_acceptor *a = lia_uv_acceptor_alloc(loop, events, ctx);
    liana_status status;
    int rc;

    if (!a) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    status = lia_socket_path_open(address->host, &a->path, err);
    if (status) {
        lia_uv_acceptor_free(a);
        return status;
    }
    a->init = init_handle;
    a->accepted = name_remote;
    a->address = *address;
    LIA_ASSERT(init_handle(loop, &a->uv) == 0);
    lia_uv_acceptor_init(a);
    rc = bind_and_listen(a);
    if (rc) {
        lia_uv_acceptor_abandon(a);
        return lia_err_uv(err, rc, "cannot listen on", address->host);
    }
    *out = a;
    return LIANA_OK;
}

static void unix_address(const struct lia_acceptor *acceptor, struct lia_address *out)
{
    *out = acceptor->address;
}

/* ---- dialing ---- */

struct unix_dial {
    struct lia_dial base; /* first: a dial is its unix_dial */
    uv_connect_t connect;
    struct lia_uv_stream *stream;
};

static void on_connect(uv_connect_t *req, int rc)
{
    struct unix_dial d = *(struct unix_dial *)req->data;
    struct liana_error err = LIANA_ERROR_INIT;
    liana_status status = LIANA_OK;

    lia_mem_free(lia_loop_env(d.base.loop)->alloc, req->data, sizeof(d));
    if (d.base.is_cancelled) {
        status = lia_err_plain(&err, LIANA_ECANCELED);
    } else if (rc) {
        status = lia_err_uv(&err, rc, "cannot connect to", d.base.address.host);
    }
    if (status) {
        lia_stream_close(&d.stream->base);
        d.stream = NULL;
    } else {
        name_remote(d.stream);
    }
    d.base.done(d.base.ctx, status, d.stream ? &d.stream->base : NULL, &err);
}

static liana_status unix_dial(struct lia_loop *loop,
                              const struct lia_address *address,
                              lia_dialed_fn done,
                              void *ctx,
                              struct lia_dial **out,
                              struct liana_error *err)
{
    const struct liana_allocator *alloc = lia_loop_env(loop)->alloc;
    struct lia_socket_path path;
    liana_status status = lia_socket_path_open(address->host, &path, err);
    struct unix_dial *d;

    if (status) {
        return status;
    }
    d = lia_mem_zalloc(alloc, sizeof(*d));
    if (d) {
        d->stream = lia_uv_stream_alloc(loop);
    }
    if (!d || !d->stream) {
        lia_socket_path_close(&path);
        lia_mem_free(alloc, d, sizeof(*d));
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    d->base =
        (struct lia_dial){.loop = loop, .address = *address, .done = done, .ctx = ctx};
    d->connect.data = d;
    LIA_ASSERT(init_handle(loop, &d->stream->uv) == 0);
    lia_uv_stream_init(d->stream);
    /* Every failure, at once or later, comes through on_connect. */
    uv_pipe_connect(&d->connect, &d->stream->uv.pipe, path.text, on_connect);
    lia_socket_path_close(&path); /* the system has read it */
    *out = &d->base;
    return LIANA_OK;
}

static void unix_cancel(struct lia_dial *dial)
{
    struct unix_dial *d = (struct unix_dial *)dial;

    if (!d->base.is_cancelled) {
        d->base.is_cancelled = true;
        lia_stream_close(&d->stream->base); /* on_connect comes with UV_ECANCELED */
    }
}

const struct lia_transport lia_transport_unix_socket = {
    .scheme = SCHEME,
    .resolve = resolve,
    .listen = unix_listen,
    .address = unix_address,
    .close = lia_uv_acceptor_close,
    .dial = unix_dial,
    .cancel = unix_cancel,
};
