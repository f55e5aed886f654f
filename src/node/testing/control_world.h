/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_NODE_TESTING_CONTROL_WORLD_H
#define LIA_NODE_TESTING_CONTROL_WORLD_H
/*
 * node/testing/control_world - a control server whose handlers are made for tests.
 *
 * Rules: included once by a test; a fresh server in a fresh folder for each case.
 * Ownership: the test's. Threads: handlers run on the clients' threads; what they and the
 * test share is under the gate.
 */
#include "base/testing/test.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/testing/env.h"
#include "base/testing/files.h"
#include "net/local_socket.h"
#include "net/testing/gate.h"
#include "node/control_client.h"
#include "node/control_server.h"

struct world {
    struct lia_test_env env;
    struct lia_gate gate;
    struct lia_loop *loop;
    struct lia_control_server *server;
    struct lia_control_handlers handlers;
    char folder[LIA_TEST_PATH_MAX];
    char path[LIA_TEST_PATH_MAX + 16];
    int attached; /* under the gate, as the rest */
    int detached;
    int waiting;
    int ran;
    struct liana_error err;
};

struct session {
    struct world *world;
    bool is_canceled;
};

/* ---- handlers, on the clients' threads ---- */

static liana_status attach(void *ctx, void **out_session, struct liana_error *err)
{
    struct world *w = ctx;
    struct session *session = test_calloc(1, sizeof(*session));

    (void)err;
    session->world = w;
    lia_gate_enter(&w->gate);
    w->attached++;
    lia_gate_leave(&w->gate);
    *out_session = session;
    return LIANA_OK;
}

static void detach(void *ctx)
{
    struct session *session = ctx;
    struct world *w = session->world;

    test_free(session);
    lia_gate_enter(&w->gate);
    w->detached++;
    lia_gate_leave(&w->gate);
}

static void cancel(void *ctx)
{
    struct session *session = ctx;

    lia_gate_enter(&session->world->gate);
    session->is_canceled = true;
    lia_gate_leave(&session->world->gate);
}

/* EXECUTE gives back the document that it gets. */
static liana_status echo(void *ctx,
                         struct liana_slice body,
                         struct lia_control_reply *reply,
                         struct liana_error *err)
{
    struct session *session = ctx;

    (void)err;
    lia_gate_enter(&session->world->gate);
    session->world->ran++;
    lia_gate_leave(&session->world->gate);
    lia_buf_slice_add(lia_control_reply_body(reply), body);
    return LIANA_OK;
}

/* NEXT sends `parts` documents of about 100 KB. */
static liana_status send_parts(void *ctx,
                               struct liana_slice body,
                               struct lia_control_reply *reply,
                               struct liana_error *err)
{
    static const uint8_t filler[100000];
    struct lia_value parts;
    liana_status status = LIANA_OK;

    (void)ctx;
    if (!lia_bson_find(body, lia_str("parts"), &parts) ||
        parts.type != LIA_BSON_INT32) {
        return lia_err(err, LIANA_EPARAM, "no number of parts");
    }
    for (int32_t i = 0; i < lia_value_int32(parts) && !status; i++) {
        struct lia_buf part;
        size_t doc;

        lia_buf_init(&part, &lia_mem_libc);
        doc = lia_bson_begin(&part);
        lia_bson_add_int32(&part, lia_str("n"), i);
        lia_bson_add_binary(&part, lia_str("filler"), 0,
                            lia_slice(filler, sizeof(filler)));
        lia_bson_end(&part, doc);
        status = lia_control_reply_part(reply, lia_buf_slice(&part));
        lia_buf_deinit(&part);
    }
    return status;
}

/* FEED_NEXT waits until it is cancelled. */
static liana_status wait_for_cancel(void *ctx,
                                    struct liana_slice body,
                                    struct lia_control_reply *reply,
                                    struct liana_error *err)
{
    struct session *session = ctx;
    struct world *w = session->world;

    (void)body;
    lia_gate_enter(&w->gate);
    w->waiting++;
    lia_gate_leave(&w->gate);
    lia_mutex_lock(&w->gate.mutex);
    while (!session->is_canceled) {
        lia_cond_wait(&w->gate.cond, &w->gate.mutex);
    }
    session->is_canceled = false;
    lia_mutex_unlock(&w->gate.mutex);
    assert_true(lia_control_reply_is_canceled(reply));
    return lia_err(err, LIANA_ECANCELED, "woken");
}

/* BEGIN fails with all that an error has. */
static liana_status refuse(void *ctx,
                           struct liana_slice body,
                           struct lia_control_reply *reply,
                           struct liana_error *err)
{
    (void)ctx;
    (void)body;
    lia_buf_u8(lia_control_reply_body(reply), 1); /* half an answer */
    return lia_err_sub(err, LIANA_EFULL, 13, "no room for %d", 7);
}

/* COMMIT fails with its status alone. */
static liana_status fail_silently(void *ctx,
                                  struct liana_slice body,
                                  struct lia_control_reply *reply,
                                  struct liana_error *err)
{
    (void)ctx;
    (void)body;
    (void)reply;
    (void)err;
    return LIANA_EEND;
}

/* FREE answers with more than a frame can hold. */
static liana_status answer_too_much(void *ctx,
                                    struct liana_slice body,
                                    struct lia_control_reply *reply,
                                    struct liana_error *err)
{
    (void)ctx;
    (void)body;
    (void)err;
    if (lia_buf_extend(lia_control_reply_body(reply), LIA_CONTROL_FRAME_MAX)) {
        memset(lia_control_reply_body(reply)->ptr, 0, LIA_CONTROL_FRAME_MAX);
    }
    return LIANA_OK;
}

/* ---- the world ---- */

static int setup(void **state)
{
    struct world *w = test_calloc(1, sizeof(*w));

    lia_test_env_init(&w->env, 3);
    lia_gate_init(&w->gate);
    lia_test_scratch(w->folder);
    snprintf(w->path, sizeof(w->path), "%s/%s", w->folder, LIA_CONTROL_FILE);
    w->handlers = (struct lia_control_handlers){.ctx = w,
                                                .attach = attach,
                                                .detach = detach,
                                                .cancel = cancel,
                                                .execute = echo,
                                                .next = send_parts,
                                                .feed_next = wait_for_cancel,
                                                .begin = refuse,
                                                .commit = fail_silently,
                                                .free = answer_too_much};
    assert_ok(lia_loop_start(&w->env.env, "liana-test", &w->loop, NULL));
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    if (w->server) {
        lia_control_server_close(w->server);
    }
    assert_int_equal(w->attached, w->detached);
    assert_int_not_equal(access(w->path, F_OK), 0); /* the socket is gone */
    lia_loop_stop(w->loop);
    lia_test_scratch_remove(w->folder);
    lia_gate_deinit(&w->gate);
    lia_test_env_finish(&w->env);
    test_free(w);
    return 0;
}

static void serve(struct world *w)
{
    assert_ok(
        lia_control_server_open(w->loop, w->folder, &w->handlers, &w->server, &w->err));
}

static struct lia_control_client *client_of(struct world *w)
{
    struct lia_control_client *client = NULL;

    assert_ok(lia_control_connect(&w->env.env, w->folder, &client, NULL));
    return client;
}

static struct liana_slice document(struct lia_buf *buf, const char *name, int32_t value)
{
    size_t doc;

    lia_buf_init(buf, &lia_mem_libc);
    doc = lia_bson_begin(buf);
    lia_bson_add_int32(buf, lia_str(name), value);
    lia_bson_end(buf, doc);
    return lia_buf_slice(buf);
}

static void echo_works(struct lia_control_client *client)
{
    struct lia_buf body;
    struct lia_buf reply;
    struct lia_control_call call = {.kind = LIA_CONTROL_EXECUTE,
                                    .body = document(&body, "answer", 42),
                                    .reply = &reply};

    lia_buf_init(&reply, &lia_mem_libc);
    assert_ok(lia_control_call(client, &call, NULL));
    assert_slice_equal(lia_buf_slice(&reply), call.body);
    lia_buf_deinit(&reply);
    lia_buf_deinit(&body);
}

/* ---- facts ---- */

static bool is_waiting(const void *ctx)
{
    return ((const struct world *)ctx)->waiting > 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
