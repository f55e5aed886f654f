/* SPDX-License-Identifier: Apache-2.0 */
#include "node/control_client.h"

#include "base/file.h"
#include "base/thread.h"
#include "net/local_socket.h"

#define READ_BYTES ((size_t)64 * 1024)

/* More than the answer to anything that changes something. */
#define REPLY_BYTES ((size_t)512)

struct lia_control_client {
    const struct lia_env *env;
    struct lia_local_socket socket;
    struct lia_mutex calling; /* held through a call; before `sending` */
    struct lia_mutex
        sending; /* whole frames onto the socket; guards `running`; a leaf */
    uint32_t last_number;
    uint32_t running; /* number of the request under way, 0: none */
    bool is_broken;   /* under `calling` */
    struct lia_buf in;
    size_t used; /* bytes of `in` that were dealt with */
};

/* ---- frames ---- */

static liana_status send_frame(struct lia_control_client *client,
                               uint32_t number,
                               enum lia_control_kind kind,
                               struct liana_slice body)
{
    struct lia_buf frame;
    liana_status status;

    lia_buf_init(&frame, client->env->alloc);
    lia_control_frame_encode(&frame, number, kind, body);
    status = frame.status;
    if (!status) {
        status = lia_local_send(&client->socket, lia_buf_slice(&frame));
    }
    lia_buf_deinit(&frame);
    return status;
}

static liana_status receive_more(struct lia_control_client *client)
{
    struct lia_buf *in = &client->in;
    liana_status status;
    uint8_t *room;
    size_t n = 0;

    if (client->used > 0) {
        memmove(in->ptr, in->ptr + client->used, in->len - client->used);
        in->len -= client->used;
        client->used = 0;
    }
    room = lia_buf_extend(in, READ_BYTES);
    if (!room) {
        return in->status;
    }
    status = lia_local_receive(&client->socket, room, READ_BYTES, &n);
    in->len -= READ_BYTES - n;
    return status;
}

static struct liana_slice unread(const struct lia_control_client *client)
{
    struct liana_slice all = lia_buf_slice(&client->in);

    return all.ptr ? lia_slice_sub(all, client->used, all.len - client->used) : all;
}

/* The next frame, valid until the next call. */
static liana_status receive_frame(struct lia_control_client *client,
                                  struct lia_control_frame *out,
                                  struct liana_error *err)
{
    for (;;) {
        struct liana_slice rest = unread(client);
        liana_status status = lia_control_frame_next(&rest, out, err);

        if (!status) {
            client->used = client->in.len - rest.len;
        }
        if (status != LIANA_EEND) {
            return status;
        }
        status = receive_more(client);
        if (status == LIANA_ECLOSED) {
            return lia_err(err, status, "the process that holds the store is gone");
        }
        if (status) {
            return lia_err_plain(err, status);
        }
    }
}

/* ---- calls ---- */

struct progress {
    const struct lia_control_call *call;
    liana_status given_up; /* why the caller wants no more parts */
};

/* Deals with one frame of the request; LIANA_OK: the request is answered, LIANA_EEND:
 * there is more to come. Sets `*is_answer` when what it returns is the server's. */
static liana_status take_frame(struct lia_control_client *client,
                               struct progress *p,
                               const struct lia_control_frame *frame,
                               bool *is_answer,
                               struct liana_error *err)
{
    const struct lia_control_call *call = p->call;

    switch (frame->kind) {
    case LIA_CONTROL_PART:
        if (!call->part) {
            return lia_err(err, LIANA_EPROTOCOL, "the server sent an unexpected part");
        }
        if (!p->given_up) {
            p->given_up = call->part(call->part_ctx, frame->body);
            if (p->given_up) {
                lia_control_cancel(client);
            }
        }
        return LIANA_EEND;
    case LIA_CONTROL_DONE:
        *is_answer = true;
        if (call->reply && !p->given_up) {
            lia_buf_slice_add(call->reply, frame->body);
            return lia_err_plain(err, call->reply->status);
        }
        return lia_err_plain(err, p->given_up);
    case LIA_CONTROL_ERROR:
        *is_answer = true;
        return p->given_up ? lia_err_plain(err, p->given_up)
                           : lia_control_error_decode(frame->body, err);
    default:
        return lia_err(err, LIANA_EPROTOCOL, "the server sent a frame of kind %u",
                       frame->kind);
    }
}

static liana_status await_answer(struct lia_control_client *client,
                                 uint32_t number,
                                 struct progress *p,
                                 struct liana_error *err)
{
    struct lia_control_frame frame;
    bool is_answer = false;
    liana_status status;

    do {
        status = receive_frame(client, &frame, err);
        if (status) {
            break;
        }
        if (frame.number != number && frame.kind == LIA_CONTROL_ERROR) {
            /* Not of this request: the server sends us away. */
            status = lia_control_error_decode(frame.body, err);
            break;
        }
        if (frame.number != number) {
            status = lia_err(err, LIANA_EPROTOCOL, "the server answers request %u",
                             frame.number);
            break;
        }
        status = take_frame(client, p, &frame, &is_answer, err);
    } while (status == LIANA_EEND && !is_answer);
    client->is_broken |= !is_answer;
    return status;
}

/* So that out of memory means that nothing was done: the memory for the answer comes
 * before the question. */
static liana_status make_room(struct lia_control_client *client,
                              const struct lia_control_call *call,
                              struct liana_error *err)
{
    liana_status status;

    lia_buf_reserve(&client->in, 2 * READ_BYTES);
    status = client->in.status;
    if (status) {
        lia_buf_deinit(&client->in);
        lia_buf_init(&client->in, client->env->alloc);
        client->used = 0; /* nothing waits there between calls */
    }
    if (!status && call->reply) {
        lia_buf_reserve(call->reply, REPLY_BYTES);
        status = call->reply->status;
    }
    return lia_err_plain(err, status);
}

static liana_status run_call(struct lia_control_client *client,
                             const struct lia_control_call *call,
                             struct liana_error *err)
{
    struct progress p = {.call = call};
    uint32_t number = ++client->last_number;
    liana_status status = make_room(client, call, err);

    if (status) {
        return status;
    }
    lia_mutex_lock(&client->sending);
    client->running = number;
    status = send_frame(client, number, call->kind, call->body);
    lia_mutex_unlock(&client->sending);
    if (status && status != LIANA_ECLOSED) {
        /* Nothing was sent. */
        lia_err(err, status, "cannot send a request of %zu bytes", call->body.len);
    } else {
        /* Also when it is closed: the server may have said why. */
        status = await_answer(client, number, &p, err);
    }
    lia_mutex_lock(&client->sending);
    client->running = 0;
    lia_mutex_unlock(&client->sending);
    return status;
}

liana_status lia_control_call(struct lia_control_client *client,
                              const struct lia_control_call *call,
                              struct liana_error *err)
{
    liana_status status;

    lia_mutex_lock(&client->calling);
    if (client->is_broken) {
        status = lia_err(err, LIANA_ECLOSED, "the process that held the store is gone");
    } else {
        status = run_call(client, call, err);
    }
    lia_mutex_unlock(&client->calling);
    return status;
}

void lia_control_cancel(struct lia_control_client *client)
{
    lia_mutex_lock(&client->sending);
    if (client->running) {
        /* A connection that is broken ends the request as well. */
        LIA_IGNORE(
            send_frame(client, client->running, LIA_CONTROL_CANCEL, lia_bson_empty));
    }
    lia_mutex_unlock(&client->sending);
}

/* ---- life ---- */

static liana_status connect_to(struct lia_control_client *client,
                               const char *folder,
                               struct liana_error *err)
{
    struct lia_buf path;
    liana_status status;

    lia_buf_init(&path, client->env->alloc);
    lia_path_join(&path, folder, LIA_CONTROL_FILE);
    status = lia_err_plain(err, path.status);
    if (!status) {
        status = lia_local_connect((const char *)path.ptr, &client->socket, err);
    }
    lia_buf_deinit(&path);
    return status;
}

static liana_status say_hello(struct lia_control_client *client,
                              struct liana_error *err)
{
    struct lia_buf hello;
    struct lia_buf reply;
    liana_status status;

    lia_buf_init(&hello, client->env->alloc);
    lia_buf_init(&reply, client->env->alloc);
    lia_control_hello_encode(&hello);
    status = lia_err_plain(err, hello.status);
    if (!status) {
        struct lia_control_call call = {
            .kind = LIA_CONTROL_HELLO, .body = lia_buf_slice(&hello), .reply = &reply};

        status = lia_control_call(client, &call, err);
    }
    if (!status) {
        status = lia_control_hello_check(lia_buf_slice(&reply), err);
    }
    lia_buf_deinit(&reply);
    lia_buf_deinit(&hello);
    return status;
}

static liana_status init_locks(struct lia_control_client *client)
{
    liana_status status = lia_mutex_init(&client->calling);

    if (!status) {
        status = lia_mutex_init(&client->sending);
        if (status) {
            lia_mutex_deinit(&client->calling);
        }
    }
    return status;
}

static void free_client(struct lia_control_client *client)
{
    lia_buf_deinit(&client->in);
    lia_mutex_deinit(&client->sending);
    lia_mutex_deinit(&client->calling);
    lia_mem_free(client->env->alloc, client, sizeof(*client));
}

liana_status lia_control_connect(const struct lia_env *env,
                                 const char *folder,
                                 struct lia_control_client **out,
                                 struct liana_error *err)
{
    struct lia_control_client *client = lia_mem_zalloc(env->alloc, sizeof(*client));
    liana_status status = client ? init_locks(client) : LIANA_ENOMEM;

    if (status) {
        lia_mem_free(env->alloc, client, sizeof(*client));
        return lia_err_plain(err, status);
    }
    client->env = env;
    lia_buf_init(&client->in, env->alloc);
    status = connect_to(client, folder, err);
    if (status) {
        free_client(client);
        return status;
    }
    status = say_hello(client, err);
    if (status) {
        lia_control_disconnect(client);
        return status;
    }
    *out = client;
    return LIANA_OK;
}

void lia_control_disconnect(struct lia_control_client *client)
{
    if (client) {
        lia_local_close(&client->socket);
        free_client(client);
    }
}
