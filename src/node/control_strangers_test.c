/* SPDX-License-Identifier: Apache-2.0 */
/* Clients that do what they must not, and the file of the socket. */
#include "node/testing/control_world.h"

/* ---- strangers ---- */

static bool all_are_detached(const void *ctx)
{
    const struct world *w = ctx;

    return w->attached > 0 && w->attached == w->detached;
}

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

static const struct CMUnitTest tests[] = {
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
