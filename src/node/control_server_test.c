/* SPDX-License-Identifier: Apache-2.0 */
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

/* ---- serving ---- */

static void requests_are_answered(void **state)
{
    struct world *w = *state;
    struct lia_control_client *client;
    struct stat st;

    serve(w);
    assert_int_equal(stat(w->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    client = client_of(w);
    for (int i = 0; i < 100; i++) {
        echo_works(client);
    }
    lia_control_disconnect(client);
}

static void failures_cross_with_their_message(void **state)
{
    struct world *w = *state;
    struct liana_error err = LIANA_ERROR_INIT;
    struct lia_control_call call = {.kind = LIA_CONTROL_BEGIN};
    struct lia_control_client *client;

    serve(w);
    client = client_of(w);
    assert_status(LIANA_EFULL, lia_control_call(client, &call, &err));
    assert_string_equal(err.message, "no room for 7");
    assert_int_equal(err.subcode, 13);
    err = (struct liana_error)LIANA_ERROR_INIT;
    call.kind = LIA_CONTROL_COMMIT;
    assert_status(LIANA_EEND, lia_control_call(client, &call, &err));
    assert_string_equal(err.message, liana_status_text(LIANA_EEND));
    call.kind = LIA_CONTROL_STATS; /* has no handler here */
    assert_status(LIANA_EPROTOCOL, lia_control_call(client, &call, NULL));
    call.kind = LIA_CONTROL_FREE;
    assert_status(LIANA_ETOOLARGE, lia_control_call(client, &call, NULL));
    echo_works(client); /* none of it harmed the connection */
    lia_control_disconnect(client);
}

struct parts {
    int32_t count;
    int32_t stop_at;
};

static liana_status take_part(void *ctx, struct liana_slice document)
{
    struct parts *parts = ctx;
    struct lia_value n;

    assert_true(lia_bson_find(document, lia_str("n"), &n));
    assert_int_equal(lia_value_int32(n), parts->count);
    parts->count++;
    return parts->count == parts->stop_at ? LIANA_EDENIED : LIANA_OK;
}

static void parts_arrive_in_order_and_can_be_stopped(void **state)
{
    struct world *w = *state;
    struct parts parts = {0, 0};
    struct lia_buf body;
    struct lia_control_call call = {.kind = LIA_CONTROL_NEXT,
                                    .body = document(&body, "parts", 200),
                                    .part = take_part,
                                    .part_ctx = &parts};
    struct lia_control_client *client;

    serve(w);
    client = client_of(w);
    assert_ok(lia_control_call(client, &call, NULL));
    assert_int_equal(parts.count, 200);
    parts = (struct parts){0, 3};
    assert_status(LIANA_EDENIED, lia_control_call(client, &call, NULL));
    assert_int_equal(parts.count, 3);
    echo_works(client);
    lia_buf_deinit(&body);
    lia_control_disconnect(client);
}

static void large_documents_cross(void **state)
{
    struct world *w = *state;
    struct lia_control_client *client;
    struct lia_buf body;
    struct lia_buf reply;
    struct lia_control_call call = {.kind = LIA_CONTROL_EXECUTE, .reply = &reply};
    size_t doc;
    uint8_t *bytes = test_calloc(1, 20 << 20);

    serve(w);
    client = client_of(w);
    lia_buf_init(&reply, &lia_mem_libc);
    lia_buf_init(&body, &lia_mem_libc);
    doc = lia_bson_begin(&body);
    lia_bson_add_binary(&body, lia_str("b"), 0, lia_slice(bytes, 20 << 20));
    lia_bson_end(&body, doc);
    call.body = lia_buf_slice(&body);
    assert_ok(lia_control_call(client, &call, NULL));
    assert_slice_equal(lia_buf_slice(&reply), call.body);
    lia_buf_deinit(&body);
    lia_buf_deinit(&reply);
    test_free(bytes);
    echo_works(client);
    lia_control_disconnect(client);
}

/* ---- waiting, cancelling, leaving ---- */

struct waiter {
    struct lia_control_client *client;
    struct lia_thread thread;
    liana_status status;
};

static void wait_main(void *arg)
{
    struct waiter *waiter = arg;
    struct lia_control_call call = {.kind = LIA_CONTROL_FEED_NEXT};

    waiter->status = lia_control_call(waiter->client, &call, NULL);
}

static bool is_waiting(const void *ctx)
{
    return ((const struct world *)ctx)->waiting > 0;
}

static bool all_are_detached(const void *ctx)
{
    const struct world *w = ctx;

    return w->attached > 0 && w->attached == w->detached;
}

static void start_waiting(struct world *w, struct waiter *waiter)
{
    waiter->client = client_of(w);
    assert_ok(lia_thread_start(&waiter->thread, "liana-test", wait_main, waiter));
    lia_gate_wait(&w->gate, is_waiting, w);
}

static void a_request_that_waits_stops_nobody_else(void **state)
{
    struct world *w = *state;
    struct lia_control_client *other;
    struct waiter waiter;

    serve(w);
    start_waiting(w, &waiter);
    other = client_of(w);
    echo_works(other);
    lia_control_cancel(other); /* nothing of it runs */
    lia_control_cancel(waiter.client);
    lia_thread_join(&waiter.thread);
    assert_status(LIANA_ECANCELED, waiter.status);
    echo_works(waiter.client);
    lia_control_disconnect(waiter.client);
    lia_control_disconnect(other);
}

static void closing_the_server_lets_everybody_go(void **state)
{
    struct world *w = *state;
    struct lia_control_call call = {.kind = LIA_CONTROL_EXECUTE};
    struct liana_error err = LIANA_ERROR_INIT;
    struct lia_control_client *idle;
    struct waiter waiter;

    serve(w);
    idle = client_of(w);
    start_waiting(w, &waiter);
    lia_control_server_close(w->server);
    w->server = NULL;
    lia_thread_join(&waiter.thread);
    assert_status(LIANA_ECLOSED, waiter.status);
    assert_status(LIANA_ECLOSED, lia_control_call(idle, &call, &err));
    assert_status(LIANA_ECLOSED, lia_control_call(idle, &call, NULL));
    assert_non_null(strstr(err.message, "gone"));
    lia_control_disconnect(waiter.client);
    lia_control_disconnect(idle);
}

/* ---- strangers ---- */

static void raw_send(struct lia_local_socket *raw, struct liana_slice bytes)
{
    assert_ok(lia_local_send(raw, bytes));
}

/* Until the other side ends. */
static void raw_read_all(struct lia_local_socket *raw, struct lia_buf *out)
{
    uint8_t bytes[4096];
    size_t n;

    while (lia_local_receive(raw, bytes, sizeof(bytes), &n) == LIANA_OK) {
        lia_buf_bytes(out, bytes, n);
    }
}

static void raw_hello(struct lia_local_socket *raw, struct world *w)
{
    struct lia_buf body;
    struct lia_buf frame;

    assert_ok(lia_local_connect(w->path, raw, NULL));
    lia_buf_init(&body, &lia_mem_libc);
    lia_buf_init(&frame, &lia_mem_libc);
    lia_control_hello_encode(&body);
    lia_control_frame_encode(&frame, 1, LIA_CONTROL_HELLO, lia_buf_slice(&body));
    raw_send(raw, lia_buf_slice(&frame));
    lia_buf_deinit(&body);
    lia_buf_deinit(&frame);
}

static void a_client_that_is_killed_is_cleaned_up(void **state)
{
    struct world *w = *state;
    struct lia_local_socket raw;
    struct lia_buf frame;

    serve(w);
    raw_hello(&raw, w);
    lia_buf_init(&frame, &lia_mem_libc);
    lia_control_frame_encode(&frame, 2, LIA_CONTROL_FEED_NEXT, lia_bson_empty);
    raw_send(&raw, lia_buf_slice(&frame));
    lia_gate_wait(&w->gate, is_waiting, w);
    lia_local_close(&raw); /* as the system does for a killed process */
    lia_gate_wait(&w->gate, all_are_detached, w);
    lia_buf_deinit(&frame);
}

static void rubbish_gets_an_error_and_harms_nobody(void **state)
{
    static const char *const rubbish[] = {"GET / HTTP/1.1\r\n\r\n", "\xff\xff\xff\xff"};
    struct world *w = *state;
    struct lia_control_client *client;

    serve(w);
    client = client_of(w);
    for (size_t i = 0; i < sizeof(rubbish) / sizeof(rubbish[0]); i++) {
        struct lia_local_socket raw;
        struct lia_control_frame frame;
        struct liana_slice in;
        struct lia_buf answer;

        lia_buf_init(&answer, &lia_mem_libc);
        assert_ok(lia_local_connect(w->path, &raw, NULL));
        raw_send(&raw, lia_str_slice(lia_str(rubbish[i])));
        raw_read_all(&raw, &answer);
        in = lia_buf_slice(&answer);
        assert_ok(lia_control_frame_next(&in, &frame, NULL));
        assert_int_equal(frame.number, 0);
        assert_status(LIANA_EPROTOCOL, lia_control_error_decode(frame.body, NULL));
        lia_local_close(&raw);
        lia_buf_deinit(&answer);
    }
    echo_works(client);
    lia_control_disconnect(client);
}

/* The next frame that the server sends; `in` keeps what came behind it. */
static struct lia_control_frame raw_frame(struct lia_local_socket *raw,
                                          struct lia_buf *in,
                                          size_t *used)
{
    struct lia_control_frame frame = {0};
    struct liana_slice rest;
    uint8_t piece[4096];
    size_t n;

    for (;;) {
        rest = lia_buf_slice(in);
        rest = rest.ptr ? lia_slice_sub(rest, *used, rest.len - *used) : rest;
        if (lia_control_frame_next(&rest, &frame, NULL) == LIANA_OK) {
            *used = in->len - rest.len;
            return frame;
        }
        assert_ok(lia_local_receive(raw, piece, sizeof(piece), &n));
        lia_buf_bytes(in, piece, n);
    }
}

/* A client that sends far ahead gets all its answers, in order. */
static void requests_sent_ahead_are_answered_in_order(void **state)
{
    struct world *w = *state;
    struct lia_local_socket raw;
    struct lia_buf frames;
    struct lia_buf in;
    size_t used = 0;

    serve(w);
    raw_hello(&raw, w);
    lia_buf_init(&frames, &lia_mem_libc);
    lia_buf_init(&in, &lia_mem_libc);
    for (uint32_t i = 2; i <= 2000; i++) {
        lia_control_frame_encode(&frames, i, LIA_CONTROL_EXECUTE, lia_bson_empty);
    }
    raw_send(&raw, lia_buf_slice(&frames));
    for (uint32_t i = 1; i <= 2000; i++) {
        struct lia_control_frame frame = raw_frame(&raw, &in, &used);

        assert_int_equal(frame.number, i);
        assert_int_equal(frame.kind, LIA_CONTROL_DONE);
    }
    lia_local_close(&raw);
    lia_buf_deinit(&frames);
    lia_buf_deinit(&in);
}

static void requests_before_the_hello_are_refused(void **state)
{
    struct world *w = *state;
    struct lia_control_frame frame;
    struct lia_local_socket raw;
    struct lia_buf request;
    struct lia_buf in;
    size_t used = 0;

    serve(w);
    assert_ok(lia_local_connect(w->path, &raw, NULL));
    lia_buf_init(&request, &lia_mem_libc);
    lia_buf_init(&in, &lia_mem_libc);
    lia_control_frame_encode(&request, 1, LIA_CONTROL_EXECUTE, lia_bson_empty);
    raw_send(&raw, lia_buf_slice(&request));
    frame = raw_frame(&raw, &in, &used);
    assert_status(LIANA_EPROTOCOL, lia_control_error_decode(frame.body, NULL));
    assert_int_equal(w->ran, 0);
    lia_local_close(&raw);
    lia_buf_deinit(&request);
    lia_buf_deinit(&in);
}

static void one_client_too_many_is_told(void **state)
{
    struct world *w = *state;
    struct lia_control_client *clients[LIA_CONTROL_CLIENTS_MAX];
    struct lia_control_client *extra = NULL;
    struct liana_error err = LIANA_ERROR_INIT;

    serve(w);
    for (size_t i = 0; i < LIA_CONTROL_CLIENTS_MAX; i++) {
        clients[i] = client_of(w);
    }
    assert_status(LIANA_ELIMIT,
                  lia_control_connect(&w->env.env, w->folder, &extra, &err));
    assert_non_null(strstr(err.message, "128 clients"));
    echo_works(clients[LIA_CONTROL_CLIENTS_MAX - 1]);
    for (size_t i = 0; i < LIA_CONTROL_CLIENTS_MAX; i++) {
        lia_control_disconnect(clients[i]);
    }
}

/* ---- the socket's file ---- */

static void nobody_serving_is_not_found(void **state)
{
    struct world *w = *state;
    struct lia_control_client *client = NULL;
    struct liana_error err = LIANA_ERROR_INIT;

    assert_status(LIANA_ENOTFOUND,
                  lia_control_connect(&w->env.env, w->folder, &client, &err));
    assert_int_equal(err.status, LIANA_ENOTFOUND);
    assert_non_null(strstr(err.message, w->path));
}

static void a_second_server_is_refused(void **state)
{
    struct world *w = *state;
    struct lia_control_server *second = NULL;
    struct lia_control_client *client;

    serve(w);
    assert_status(
        LIANA_EADDRINUSE,
        lia_control_server_open(w->loop, w->folder, &w->handlers, &second, &w->err));
    assert_non_null(strstr(w->err.message, w->path));
    client = client_of(w); /* and the first one's socket is still there */
    echo_works(client);
    lia_control_disconnect(client);
}

/* Binds and goes away without unlinking, as a killed process does. */
static void leave_a_stale_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(address.sun_path, sizeof(address.sun_path), "%.100s", path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(fd, 1), 0);
    close(fd);
    assert_int_equal(access(path, F_OK), 0);
}

static void a_stale_socket_is_replaced(void **state)
{
    struct world *w = *state;
    struct lia_control_client *client = NULL;

    leave_a_stale_socket(w->path);
    assert_status(LIANA_ENOTFOUND,
                  lia_control_connect(&w->env.env, w->folder, &client, NULL));
    serve(w);
    client = client_of(w);
    echo_works(client);
    lia_control_disconnect(client);
}

static void a_file_that_is_no_socket_is_kept(void **state)
{
    struct world *w = *state;

    assert_ok(lia_file_replace(w->path, LIA_BYTES("mine"), 0600, NULL));
    assert_status(
        LIANA_EEXISTS,
        lia_control_server_open(w->loop, w->folder, &w->handlers, &w->server, &w->err));
    assert_ok(lia_file_remove(w->path, NULL));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
    CASE(requests_are_answered),
    CASE(failures_cross_with_their_message),
    CASE(parts_arrive_in_order_and_can_be_stopped),
    CASE(large_documents_cross),
    CASE(a_request_that_waits_stops_nobody_else),
    CASE(closing_the_server_lets_everybody_go),
    CASE(a_client_that_is_killed_is_cleaned_up),
    CASE(rubbish_gets_an_error_and_harms_nobody),
    CASE(requests_sent_ahead_are_answered_in_order),
    CASE(requests_before_the_hello_are_refused),
    CASE(one_client_too_many_is_told),
    CASE(nobody_serving_is_not_found),
    CASE(a_second_server_is_refused),
    CASE(a_stale_socket_is_replaced),
    CASE(a_file_that_is_no_socket_is_kept),
};

LIA_TEST_MAIN(tests)
