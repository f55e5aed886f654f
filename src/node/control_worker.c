/* SPDX-License-Identifier: Apache-2.0 */
#include "node/control_internal.h"

#include "base/slice.h"

/* What an answer has at least, before anything is done: with it, no change that was made
 * is answered with an error. */
#define REPLY_BYTES ((size_t)512)

struct lia_control_reply {
    struct lia_control_conn *conn;
    struct lia_control_request *request;
    struct lia_buf body;
};

/* ---- answers ---- */

/* Queues a frame once the client has read enough. LIANA_ECANCELED when it is gone;
 * parts also when it no longer wants them. */
static liana_status put_frame(struct lia_control_conn *conn,
                              struct lia_control_request *request,
                              enum lia_control_kind kind,
                              struct liana_slice body)
{
    liana_status status = LIANA_OK;

    lia_mutex_lock(&conn->mutex);
    while (conn->unread > LIA_OUTBOX_BYTES_MAX && !conn->is_gone &&
           !(kind == LIA_CONTROL_PART && request->is_canceled)) {
        lia_cond_wait(&conn->cond, &conn->mutex);
    }
    if (conn->is_gone || (kind == LIA_CONTROL_PART && request->is_canceled)) {
        status = LIANA_ECANCELED;
    } else {
        size_t before = conn->outbox.len;

        lia_control_frame_encode(&conn->outbox, request->number, kind, body);
        status = conn->outbox.status;
        if (status) {
            /* Not this frame; those before it and after it are as good as ever. */
            conn->outbox.len = before;
            conn->outbox.status = LIANA_OK;
        }
        conn->unread += conn->outbox.len - before;
        lia_control_conn_poke(conn);
    }
    lia_mutex_unlock(&conn->mutex);
    return status;
}

static liana_status put_error(struct lia_control_conn *conn,
                              struct lia_control_request *request,
                              const struct liana_error *err)
{
    struct lia_buf body;
    liana_status status;

    lia_buf_init(&body, conn->alloc);
    lia_control_error_encode(&body, err);
    status = body.status;
    if (!status) {
        status = put_frame(conn, request, LIA_CONTROL_ERROR, lia_buf_slice(&body));
    }
    lia_buf_deinit(&body);
    return status;
}

struct lia_buf *lia_control_reply_body(struct lia_control_reply *reply)
{
    return &reply->body;
}

liana_status lia_control_reply_part(struct lia_control_reply *reply,
                                    struct liana_slice document)
{
    return put_frame(reply->conn, reply->request, LIA_CONTROL_PART, document);
}

bool lia_control_reply_is_canceled(struct lia_control_reply *reply)
{
    struct lia_control_conn *conn = reply->conn;
    bool is_canceled;

    lia_mutex_lock(&conn->mutex);
    is_canceled = conn->is_gone || reply->request->is_canceled;
    lia_mutex_unlock(&conn->mutex);
    return is_canceled;
}

/* ---- requests ---- */

static lia_control_handler_fn find_handler(const struct lia_control_handlers *handlers,
                                           uint8_t kind)
{
    switch (kind) {
#define LIA_CONTROL(number, NAME, name, text)                                          \
    case number:                                                                       \
        return handlers->name;
#include "node/control.def"
#undef LIA_CONTROL
    default: return NULL;
    }
}

static liana_status hello(struct lia_control_conn *conn,
                          struct lia_control_request *request,
                          struct liana_error *err)
{
    liana_status status =
        lia_control_hello_check(lia_slice(request->body, request->len), err);

    if (!status) {
        status = conn->handlers->attach(conn->handlers->ctx, &conn->session, err);
    }
    if (!status) {
        conn->has_said_hello = true;
        lia_mutex_lock(&conn->mutex);
        conn->is_attached = true;
        lia_mutex_unlock(&conn->mutex);
    }
    return status;
}

static liana_status run(struct lia_control_conn *conn,
                        struct lia_control_request *request,
                        struct lia_control_reply *reply,
                        struct liana_error *err)
{
    lia_control_handler_fn handler = find_handler(conn->handlers, request->kind);

    if (request->kind == LIA_CONTROL_HELLO && !conn->has_said_hello) {
        liana_status status = hello(conn, request, err);

        if (!status) {
            lia_control_hello_encode(&reply->body);
        }
        return status;
    }
    if (!conn->has_said_hello || !handler) {
        return lia_err(err, LIANA_EPROTOCOL, "control request of kind %u %s",
                       request->kind,
                       conn->has_said_hello ? "is unknown here" : "before the hello");
    }
    return handler(conn->session, lia_slice(request->body, request->len), reply, err);
}

static bool was_canceled(struct lia_control_conn *conn,
                         struct lia_control_request *request)
{
    bool is_canceled;

    lia_mutex_lock(&conn->mutex);
    is_canceled = request->is_canceled;
    lia_mutex_unlock(&conn->mutex);
    return is_canceled;
}

/* False when there is nobody left to answer to. */
static bool serve(struct lia_control_conn *conn, struct lia_control_request *request)
{
    struct lia_control_reply reply = {.conn = conn, .request = request};
    struct liana_error err = LIANA_ERROR_INIT;
    liana_status status = LIANA_ECANCELED;

    lia_buf_init(&reply.body, conn->alloc);
    lia_buf_reserve(&reply.body, REPLY_BYTES);
    if (!was_canceled(conn, request)) {
        status =
            reply.body.status ? reply.body.status : run(conn, request, &reply, &err);
    }
    if (!status) {
        status = reply.body.status;
    }
    if (!status) {
        status = put_frame(conn, request, LIA_CONTROL_DONE, lia_buf_slice(&reply.body));
        if (status == LIANA_ECANCELED || status == LIANA_ENOMEM) {
            /* It is done: an error would say that it is not, the end says nothing. */
            lia_buf_deinit(&reply.body);
            return false;
        }
    }
    if (status) {
        lia_err_plain(&err, status);
        status = put_error(conn, request, &err);
    }
    lia_buf_deinit(&reply.body);
    return status == LIANA_OK;
}

static struct lia_control_request *take(struct lia_control_conn *conn)
{
    struct lia_control_request *request;

    lia_mutex_lock(&conn->mutex);
    while (!conn->inbox && !conn->is_gone) {
        lia_cond_wait(&conn->cond, &conn->mutex);
    }
    request = conn->is_gone ? NULL : conn->inbox;
    if (request) {
        conn->inbox = request->next;
        if (!conn->inbox) {
            conn->inbox_end = &conn->inbox;
        }
        conn->inbox_count--;
        conn->inbox_bytes -= request->len;
        conn->running = request;
    }
    lia_mutex_unlock(&conn->mutex);
    return request;
}

void lia_control_worker(void *ctx)
{
    struct lia_control_conn *conn = ctx;
    struct lia_control_request *request;
    bool goes_on = true;

    while (goes_on && (request = take(conn)) != NULL) {
        goes_on = serve(conn, request);
        lia_mutex_lock(&conn->mutex);
        conn->running = NULL;
        if (conn->is_paused) {
            lia_control_conn_poke(conn);
        }
        lia_mutex_unlock(&conn->mutex);
        lia_control_request_free(conn, request);
    }
    lia_mutex_lock(&conn->mutex);
    conn->is_attached = false;
    lia_mutex_unlock(&conn->mutex);
    if (conn->has_said_hello) {
        conn->handlers->detach(conn->session);
    }
    lia_loop_post(conn->loop, &conn->worker_ended);
}
