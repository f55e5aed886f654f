/* SPDX-License-Identifier: Apache-2.0 */
#include "net/transports/uv_stream.h"

#include "base/slice.h"
#include "net/uv_error.h"

/* ---- reading ---- */

static void give_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct lia_uv_stream *s = handle->data;

    (void)suggested;
    *buf = uv_buf_init((char *)lia_loop_read_buffer(s->base.loop), LIA_LOOP_READ_BYTES);
}

static void end(struct lia_uv_stream *s, int rc)
{
    struct liana_error err = LIANA_ERROR_INIT;
    liana_status status = LIANA_OK;

    if (s->is_ended) {
        return;
    }
    s->is_ended = true;
    uv_read_stop(&s->uv.stream);
    if (rc != UV_EOF) {
        status = lia_err_uv(&err, rc, "connection with", s->base.remote);
    }
    s->base.events->ended(s->base.ctx, status, &err);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct lia_uv_stream *s = stream->data;

    if (n < 0) {
        end(s, (int)n);
    } else if (n > 0) {
        s->base.bytes_in += (uint64_t)n;
        s->base.events->bytes(s->base.ctx, lia_slice(buf->base, (size_t)n));
    }
}

static liana_status start(struct lia_stream *stream)
{
    struct lia_uv_stream *s = (struct lia_uv_stream *)stream;

    return lia_uv_status(uv_read_start(&s->uv.stream, give_buffer, on_read));
}

static void pause_reading(struct lia_stream *stream, bool paused)
{
    struct lia_uv_stream *s = (struct lia_uv_stream *)stream;

    if (s->is_ended || s->base.is_closing) {
        return;
    }
    if (paused) {
        uv_read_stop(&s->uv.stream);
    } else {
        /* Fails only on a handle that is closing. */
        uv_read_start(&s->uv.stream, give_buffer, on_read);
    }
}

/* ---- writing ---- */

struct write {
    uv_write_t req; /* first: a request is its write */
    size_t len;
    uint8_t bytes[];
};

static void on_written(uv_write_t *req, int rc)
{
    struct write *w = (struct write *)req;
    struct lia_uv_stream *s = req->handle->data;

    s->base.queued -= w->len;
    lia_mem_free(lia_loop_env(s->base.loop)->alloc, w, sizeof(*w) + w->len);
    if (s->base.is_closing) {
        return;
    }
    if (rc) {
        end(s, rc);
    } else if (s->base.queued == 0 && s->base.events && s->base.events->drained) {
        s->base.events->drained(s->base.ctx);
    }
}

static liana_status queue(struct lia_uv_stream *s, struct liana_slice bytes)
{
    const struct liana_allocator *alloc = lia_loop_env(s->base.loop)->alloc;
    struct write *w = lia_mem_alloc(alloc, sizeof(*w) + bytes.len);
    uv_buf_t buf;
    int rc;

    if (!w) {
        return LIANA_ENOMEM;
    }
    w->len = bytes.len;
    memcpy(w->bytes, bytes.ptr, bytes.len);
    buf = uv_buf_init((char *)w->bytes, (unsigned)bytes.len);
    rc = uv_write(&w->req, &s->uv.stream, &buf, 1, on_written);
    if (rc) {
        lia_mem_free(alloc, w, sizeof(*w) + w->len);
        return lia_uv_status(rc);
    }
    s->base.queued += bytes.len;
    return LIANA_OK;
}

/* What the system takes at once is not copied. */
static liana_status send_bytes(struct lia_stream *stream, struct liana_slice bytes)
{
    struct lia_uv_stream *s = (struct lia_uv_stream *)stream;
    liana_status status = LIANA_OK;
    size_t taken = 0;

    if (s->base.is_closing || s->is_finishing) {
        return LIANA_ECLOSED;
    }
    if (s->base.queued == 0) {
        uv_buf_t buf = uv_buf_init((char *)(uintptr_t)bytes.ptr, (unsigned)bytes.len);
        int rc = uv_try_write(&s->uv.stream, &buf, 1);

        if (rc < 0 && rc != UV_EAGAIN) {
            return lia_uv_status(rc);
        }
        taken = rc > 0 ? (size_t)rc : 0;
    }
    if (taken < bytes.len) {
        status = queue(s, lia_slice_sub(bytes, taken, bytes.len - taken));
    }
    if (!status) {
        s->base.bytes_out += bytes.len;
    }
    return status;
}

static void on_shutdown(uv_shutdown_t *req, int rc)
{
    (void)req;
    (void)rc; /* the other side is gone: reading tells */
}

static void finish(struct lia_stream *stream)
{
    struct lia_uv_stream *s = (struct lia_uv_stream *)stream;

    if (!s->is_finishing && !s->base.is_closing) {
        s->is_finishing = true;
        uv_shutdown(&s->shutdown, &s->uv.stream, on_shutdown);
    }
}

/* ---- closing ---- */

static void on_closed(uv_handle_t *handle)
{
    struct lia_uv_stream *s = handle->data;

    if (s->base.events) {
        s->base.events->closed(s->base.ctx);
    }
    lia_uv_stream_free(s);
}

static void close_stream(struct lia_stream *stream)
{
    struct lia_uv_stream *s = (struct lia_uv_stream *)stream;

    uv_close(&s->uv.handle, on_closed);
}

static const struct lia_stream_ops ops = {
    .start = start,
    .send = send_bytes,
    .finish = finish,
    .pause = pause_reading,
    .close = close_stream,
};

struct lia_uv_stream *lia_uv_stream_alloc(struct lia_loop *loop)
{
    struct lia_uv_stream *s =
        lia_mem_zalloc(lia_loop_env(loop)->alloc, sizeof(struct lia_uv_stream));

    if (s) {
        s->base.ops = &ops;
        s->base.loop = loop;
    }
    return s;
}

void lia_uv_stream_free(struct lia_uv_stream *s)
{
    lia_mem_free(lia_loop_env(s->base.loop)->alloc, s, sizeof(*s));
}

void lia_uv_stream_init(struct lia_uv_stream *s)
{
    s->uv.handle.data = s;
}

/* ---- accepting ---- */

static void accept_failed(struct lia_acceptor *a, int rc)
{
    struct liana_error err = LIANA_ERROR_INIT;
    char text[LIA_ADDRESS_TEXT];
    liana_status status;

    lia_address_format(&a->address, text);
    status = lia_err_uv(&err, rc, "cannot take a connection on", text);
    a->events->failed(a->ctx, status, &err);
}

static void on_acceptor_closed(uv_handle_t *handle)
{
    struct lia_acceptor *a = handle->data;

    if (--a->open_handles > 0) {
        return;
    }
    if (a->events) {
        a->events->closed(a->ctx);
    }
    lia_uv_acceptor_free(a);
}

static void on_refused(uv_handle_t *handle)
{
    struct lia_acceptor *a = handle->data;
    bool is_pending = a->is_pending;

    if (a->is_closing) {
        on_acceptor_closed(handle);
        return;
    }
    a->open_handles--;
    a->is_pending = false;
    if (is_pending) {
        lia_uv_on_connection(&a->uv.stream, 0);
    }
}

static void refuse(struct lia_acceptor *a)
{
    if (a->open_handles > 1) {
        a->is_pending = true;
        return;
    }
    if (a->init(a->loop, &a->refused) == 0) {
        a->open_handles++;
        a->refused.handle.data = a;
        /* Whether it could be taken or not, there is nothing else to do about it. */
        LIA_IGNORE(uv_accept(&a->uv.stream, &a->refused.stream));
        uv_close(&a->refused.handle, on_refused);
    }
    accept_failed(a, UV_ENOMEM);
}

void lia_uv_on_connection(uv_stream_t *server, int rc)
{
    struct lia_acceptor *a = server->data;
    struct lia_uv_stream *s;

    if (a->is_closing) {
        return;
    }
    if (rc) {
        accept_failed(a, rc);
        return;
    }
    s = lia_uv_stream_alloc(a->loop);
    if (!s) {
        refuse(a);
        return;
    }
    if (a->init(a->loop, &s->uv) != 0) {
        lia_uv_stream_free(s);
        refuse(a);
        return;
    }
    lia_uv_stream_init(s);
    rc = uv_accept(server, &s->uv.stream);
    if (rc) {
        lia_stream_close(&s->base);
        accept_failed(a, rc);
        return;
    }
    a->accepted(s);
    a->events->accepted(a->ctx, &s->base);
}

struct lia_acceptor *lia_uv_acceptor_alloc(struct lia_loop *loop,
                                           const struct lia_acceptor_events *events,
                                           void *ctx)
{
    struct lia_acceptor *a = lia_mem_zalloc(lia_loop_env(loop)->alloc, sizeof(*a));

    if (a) {
        a->path = LIA_SOCKET_PATH_NONE;
        a->loop = loop;
        a->events = events;
        a->ctx = ctx;
    }
    return a;
}

void lia_uv_acceptor_free(struct lia_acceptor *a)
{
    lia_socket_path_close(&a->path);
    lia_mem_free(lia_loop_env(a->loop)->alloc, a, sizeof(*a));
}

void lia_uv_acceptor_init(struct lia_acceptor *a)
{
    a->uv.handle.data = a;
    a->open_handles = 1;
}

void lia_uv_acceptor_close(struct lia_acceptor *a)
{
    if (!a->is_closing) {
        a->is_closing = true;
        uv_close(&a->uv.handle, on_acceptor_closed);
    }
}

void lia_uv_acceptor_abandon(struct lia_acceptor *a)
{
    a->events = NULL;
    lia_uv_acceptor_close(a);
}
