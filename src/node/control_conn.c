/* SPDX-License-Identifier: Apache-2.0 */
#include "node/control_internal.h"

#include "base/slice.h"

/* ---- the end ---- */

void lia_control_request_free(struct lia_control_conn *conn,
                              struct lia_control_request *request)
{
    lia_mem_free(conn->alloc, request, sizeof(*request) + request->len);
}

static void free_conn(struct lia_control_conn *conn)
{
    while (conn->inbox) {
        struct lia_control_request *next = conn->inbox->next;

        lia_control_request_free(conn, conn->inbox);
        conn->inbox = next;
    }
    lia_buf_deinit(&conn->in);
    lia_buf_deinit(&conn->outbox);
    lia_cond_deinit(&conn->cond);
    lia_mutex_deinit(&conn->mutex);
    lia_mem_free(conn->alloc, conn, sizeof(*conn));
}

static void finish(struct lia_control_conn *conn)
{
    bool is_poke_posted;

    lia_mutex_lock(&conn->mutex);
    is_poke_posted = conn->is_poke_posted;
    lia_mutex_unlock(&conn->mutex);
    if (!conn->stream && !conn->has_worker && !is_poke_posted) {
        conn->events->closed(conn->ctx, conn);
        free_conn(conn);
    }
}

/* The client is gone, or is to be: the worker is told, and comes to its end. */
static void let_go(struct lia_control_conn *conn)
{
    lia_mutex_lock(&conn->mutex);
    if (!conn->is_gone) {
        conn->is_gone = true;
        if (conn->running && conn->is_attached) {
            conn->handlers->cancel(conn->session);
        }
        lia_cond_broadcast(&conn->cond);
    }
    lia_mutex_unlock(&conn->mutex);
    if (conn->stream) {
        lia_stream_close(conn->stream);
    }
}

static void on_closed(void *ctx)
{
    struct lia_control_conn *conn = ctx;

    conn->stream = NULL;
    let_go(conn);
    finish(conn);
}

static void on_worker_ended(struct lia_task *task)
{
    struct lia_control_conn *conn =
        lia_task_owner(task, struct lia_control_conn, worker_ended);

    lia_thread_join(&conn->worker);
    conn->has_worker = false;
    let_go(conn);
    finish(conn);
}

void lia_control_conn_close(struct lia_control_conn *conn)
{
    let_go(conn);
}

/* ---- out ---- */

void lia_control_conn_poke(struct lia_control_conn *conn)
{
    if (!conn->is_poke_posted) {
        conn->is_poke_posted = true;
        lia_loop_post(conn->loop, &conn->poke);
    }
}

static liana_status flush(struct lia_control_conn *conn)
{
    liana_status status = lia_stream_send(conn->stream, lia_buf_slice(&conn->outbox));

    lia_buf_deinit(&conn->outbox);
    lia_buf_init(&conn->outbox, conn->alloc);
    conn->unread = conn->stream->queued;
    lia_cond_broadcast(&conn->cond);
    return status;
}

static bool inbox_is_full(const struct lia_control_conn *conn)
{
    return conn->inbox_count >= LIA_INBOX_MAX ||
           conn->inbox_bytes >= LIA_INBOX_BYTES_MAX;
}

static void on_poke(struct lia_task *task)
{
    struct lia_control_conn *conn = lia_task_owner(task, struct lia_control_conn, poke);
    liana_status status = LIANA_OK;

    lia_mutex_lock(&conn->mutex);
    conn->is_poke_posted = false;
    if (conn->stream && !conn->is_gone) {
        if (conn->outbox.len > 0) {
            status = flush(conn);
        }
        if (conn->is_paused && !inbox_is_full(conn)) {
            conn->is_paused = false;
            lia_stream_pause(conn->stream, false);
        }
    }
    lia_mutex_unlock(&conn->mutex);
    if (status) {
        let_go(conn);
    }
    finish(conn);
}

static void on_drained(void *ctx)
{
    struct lia_control_conn *conn = ctx;

    lia_mutex_lock(&conn->mutex);
    conn->unread = conn->outbox.len;
    lia_cond_broadcast(&conn->cond);
    lia_mutex_unlock(&conn->mutex);
}

/* ---- in ---- */

static void cancel(struct lia_control_conn *conn, uint32_t number)
{
    lia_mutex_lock(&conn->mutex);
    for (struct lia_control_request *r = conn->inbox; r; r = r->next) {
        r->is_canceled |= r->number == number;
    }
    if (conn->running && conn->running->number == number) {
        conn->running->is_canceled = true;
        if (conn->is_attached) {
            conn->handlers->cancel(conn->session);
        }
        lia_cond_broadcast(&conn->cond);
    }
    lia_mutex_unlock(&conn->mutex);
}

static liana_status accept_request(struct lia_control_conn *conn,
                                   const struct lia_control_frame *frame,
                                   struct liana_error *err)
{
    struct lia_control_request *request =
        lia_mem_alloc(conn->alloc, sizeof(*request) + frame->body.len);

    if (!request) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    *request = (struct lia_control_request){
        .number = frame->number, .kind = frame->kind, .len = frame->body.len};
    memcpy(request->body, frame->body.ptr, frame->body.len);
    lia_mutex_lock(&conn->mutex);
    *conn->inbox_end = request;
    conn->inbox_end = &request->next;
    conn->inbox_count++;
    conn->inbox_bytes += request->len;
    if (inbox_is_full(conn) && !conn->is_paused) {
        conn->is_paused = true;
        lia_stream_pause(conn->stream, true);
    }
    lia_cond_broadcast(&conn->cond);
    lia_mutex_unlock(&conn->mutex);
    return LIANA_OK;
}

/* Takes the whole frames off the front; the rest stays for later. */
static liana_status take_frames(struct lia_control_conn *conn, struct liana_error *err)
{
    struct liana_slice rest = lia_buf_slice(&conn->in);
    struct lia_control_frame frame;
    liana_status status;

    while ((status = lia_control_frame_next(&rest, &frame, err)) == LIANA_OK) {
        if (frame.kind == LIA_CONTROL_CANCEL) {
            cancel(conn, frame.number);
            continue;
        }
        status = accept_request(conn, &frame, err);
        if (status) {
            return status;
        }
    }
    if (status != LIANA_EEND) {
        return status;
    }
    if (rest.len == 0) {
        lia_buf_deinit(&conn->in); /* an idle client keeps no buffer */
        lia_buf_init(&conn->in, conn->alloc);
    } else if (rest.len < conn->in.len) {
        memmove(conn->in.ptr, rest.ptr, rest.len);
        conn->in.len = rest.len;
    }
    return LIANA_OK;
}

static void on_bytes(void *ctx, struct liana_slice bytes)
{
    struct lia_control_conn *conn = ctx;
    struct liana_error err = LIANA_ERROR_INIT;
    liana_status status;

    lia_buf_slice_add(&conn->in, bytes);
    status = lia_err_plain(&err, conn->in.status);
    if (!status) {
        status = take_frames(conn, &err);
    }
    if (status) {
        lia_log(lia_loop_env(conn->loop), LIA_LOG_WARN, "control",
                "a client is sent away: %s", err.message);
        lia_control_refuse(conn->stream, &err);
        let_go(conn);
    }
}

static void on_ended(void *ctx, liana_status reason, const struct liana_error *err)
{
    (void)reason;
    (void)err; /* clients come and go; a broken one is a gone one */
    let_go(ctx);
}

static const struct lia_stream_events stream_events = {
    .bytes = on_bytes,
    .drained = on_drained,
    .ended = on_ended,
    .closed = on_closed,
};

void lia_control_refuse(struct lia_stream *stream, const struct liana_error *err)
{
    const struct liana_allocator *alloc = lia_loop_env(stream->loop)->alloc;
    struct lia_buf body;
    struct lia_buf frame;

    lia_buf_init(&body, alloc);
    lia_buf_init(&frame, alloc);
    lia_control_error_encode(&body, err);
    lia_control_frame_encode(&frame, 0, LIA_CONTROL_ERROR, lia_buf_slice(&body));
    if (!body.status && !frame.status) {
        /* A client that is gone already need not be told. */
        LIA_IGNORE(lia_stream_send(stream, lia_buf_slice(&frame)));
    }
    lia_buf_deinit(&frame);
    lia_buf_deinit(&body);
    lia_stream_close(stream);
}

/* ---- life ---- */

static liana_status init_sync(struct lia_control_conn *conn)
{
    liana_status status = lia_mutex_init(&conn->mutex);

    if (status) {
        return status;
    }
    status = lia_cond_init(&conn->cond);
    if (status) {
        lia_mutex_deinit(&conn->mutex);
    }
    return status;
}

liana_status lia_control_conn_open(struct lia_stream *stream,
                                   const struct lia_control_handlers *handlers,
                                   const struct lia_control_conn_events *events,
                                   void *ctx,
                                   struct lia_control_conn **out)
{
    const struct liana_allocator *alloc = lia_loop_env(stream->loop)->alloc;
    struct lia_control_conn *conn = lia_mem_zalloc(alloc, sizeof(*conn));
    liana_status status = conn ? LIANA_OK : LIANA_ENOMEM;

    if (!status) {
        conn->alloc = alloc;
        status = init_sync(conn);
    }
    if (status) {
        lia_mem_free(alloc, conn, sizeof(*conn));
        lia_stream_close(stream);
        return status;
    }
    conn->loop = stream->loop;
    conn->handlers = handlers;
    conn->events = events;
    conn->ctx = ctx;
    conn->stream = stream;
    conn->worker_ended.run = on_worker_ended;
    conn->poke.run = on_poke;
    conn->inbox_end = &conn->inbox;
    lia_buf_init_max(
        &conn->in, alloc,
        2 * LIA_CONTROL_FRAME_MAX); /* a frame, and what was read with it */
    lia_buf_init(&conn->outbox, alloc);
    *out = conn;
    /* From here on the end is told by `closed`. */
    if (lia_stream_start(stream, &stream_events, conn) ||
        lia_thread_start(&conn->worker, "liana-client", lia_control_worker, conn)) {
        let_go(conn);
    } else {
        conn->has_worker = true;
    }
    return LIANA_OK;
}

struct lia_control_conn **lia_control_conn_next(struct lia_control_conn *conn)
{
    return &conn->next;
}
