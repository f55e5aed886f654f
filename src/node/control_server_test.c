/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and answers, waiting, cancelling, leaving. */
#include "node/testing/control_world.h"

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

static const struct CMUnitTest tests[] = {
    CASE(requests_are_answered),
    CASE(failures_cross_with_their_message),
    CASE(parts_arrive_in_order_and_can_be_stopped),
    CASE(large_documents_cross),
    CASE(a_request_that_waits_stops_nobody_else),
    CASE(closing_the_server_lets_everybody_go),
};

LIA_TEST_MAIN(tests)
