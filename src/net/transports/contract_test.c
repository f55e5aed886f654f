/* SPDX-License-Identifier: Apache-2.0 */
/* What net/transport.h and net/stream.h promise, against every row of transports.def. */
#include "base/testing/test.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/testing/env.h"
#include "base/testing/files.h"
#include "net/testing/gate.h"
#include "net/transport.h"

/* One end of a stream, and what happened to it. */
struct side {
    struct world *world;
    struct lia_stream *stream;
    struct lia_buf received;
    size_t bytes_seen; /* also when nothing is kept */
    bool is_ended;
    liana_status reason;
    struct liana_error err;
    bool is_drained;
    bool is_closed;
    bool closes_when_ended;
};

struct world {
    struct lia_test_env env;
    struct lia_gate gate;
    struct lia_loop *loop;
    const struct lia_transport *transport;
    char scratch[LIA_TEST_PATH_MAX];
    struct lia_address where; /* asked for, then real */
    struct lia_acceptor *acceptor;
    bool acceptor_closed;
    struct side server;
    struct side client;
    struct lia_dial *dial;
    bool is_dialed;
    liana_status status; /* of the call or dial last made */
    struct liana_error err;
    struct liana_slice to_send;
    bool was_queued;
};

/* ---- callbacks, on the loop ---- */

static void on_bytes(void *ctx, struct liana_slice bytes)
{
    struct side *side = ctx;

    lia_gate_enter(&side->world->gate);
    lia_buf_slice_add(&side->received, bytes);
    side->bytes_seen += bytes.len;
    lia_gate_leave(&side->world->gate);
}

static void on_drained(void *ctx)
{
    struct side *side = ctx;

    lia_gate_enter(&side->world->gate);
    side->is_drained = side->stream->queued == 0;
    lia_gate_leave(&side->world->gate);
}

static void on_ended(void *ctx, liana_status reason, const struct liana_error *err)
{
    struct side *side = ctx;

    lia_gate_enter(&side->world->gate);
    LIA_ASSERT(!side->is_ended && !side->is_closed);
    side->is_ended = true;
    side->reason = reason;
    side->err = *err;
    lia_gate_leave(&side->world->gate);
    if (side->closes_when_ended) {
        lia_stream_close(side->stream);
    }
}

static void on_closed(void *ctx)
{
    struct side *side = ctx;

    lia_gate_enter(&side->world->gate);
    LIA_ASSERT(!side->is_closed);
    side->is_closed = true;
    side->stream = NULL;
    lia_gate_leave(&side->world->gate);
}

static const struct lia_stream_events stream_events = {.bytes = on_bytes,
                                                       .drained = on_drained,
                                                       .ended = on_ended,
                                                       .closed = on_closed};

static void adopt(struct side *side, struct lia_stream *stream)
{
    lia_gate_enter(&side->world->gate);
    side->stream = stream;
    lia_gate_leave(&side->world->gate);
    LIA_ASSERT(lia_stream_start(stream, &stream_events, side) == LIANA_OK);
}

static void on_accepted(void *ctx, struct lia_stream *stream)
{
    struct world *w = ctx;

    adopt(&w->server, stream);
}

static void on_accept_failed(void *ctx,
                             liana_status status,
                             const struct liana_error *err)
{
    (void)ctx;
    print_error("accept: %s: %s\n", liana_status_name(status), err->message);
    abort();
}

static void on_acceptor_closed(void *ctx)
{
    struct world *w = ctx;

    lia_gate_enter(&w->gate);
    w->acceptor_closed = true;
    lia_gate_leave(&w->gate);
}

static const struct lia_acceptor_events acceptor_events = {.accepted = on_accepted,
                                                           .failed = on_accept_failed,
                                                           .closed =
                                                               on_acceptor_closed};

static void on_dialed(void *ctx,
                      liana_status status,
                      struct lia_stream *stream,
                      const struct liana_error *err)
{
    struct world *w = ctx;

    LIA_ASSERT((status == LIANA_OK) == (stream != NULL));
    if (stream) {
        adopt(&w->client, stream);
    }
    lia_gate_enter(&w->gate);
    LIA_ASSERT(!w->is_dialed);
    w->is_dialed = true;
    w->status = status;
    w->err = *err;
    lia_gate_leave(&w->gate);
}

/* ---- steps, on the loop ---- */

static void do_listen(void *ctx)
{
    struct world *w = ctx;

    w->err = (struct liana_error)LIANA_ERROR_INIT;
    w->status = w->transport->listen(w->loop, &w->where, &acceptor_events, w,
                                     &w->acceptor, &w->err);
    if (!w->status) {
        w->transport->address(w->acceptor, &w->where);
    }
}

static void do_listen_again(void *ctx)
{
    struct world *w = ctx;
    struct lia_acceptor *second = NULL;

    w->err = (struct liana_error)LIANA_ERROR_INIT;
    w->status =
        w->transport->listen(w->loop, &w->where, &acceptor_events, w, &second, &w->err);
    LIA_ASSERT(!second);
}

static void do_close_acceptor(void *ctx)
{
    struct world *w = ctx;

    w->transport->close(w->acceptor);
    LIA_ASSERT(!w->acceptor_closed);
}

static void do_dial(void *ctx)
{
    struct world *w = ctx;

    w->is_dialed = false;
    LIA_ASSERT(w->transport->dial(w->loop, &w->where, on_dialed, w, &w->dial, NULL) ==
               LIANA_OK);
    LIA_ASSERT(!w->is_dialed);
}

static void do_dial_and_cancel(void *ctx)
{
    struct world *w = ctx;

    do_dial(w);
    w->transport->cancel(w->dial);
    w->transport->cancel(w->dial);
    LIA_ASSERT(!w->is_dialed);
}

static void do_client_send(void *ctx)
{
    struct world *w = ctx;

    w->status = lia_stream_send(w->client.stream, w->to_send);
}

static void do_server_send(void *ctx)
{
    struct world *w = ctx;

    w->status = lia_stream_send(w->server.stream, w->to_send);
}

static void do_client_finish(void *ctx)
{
    lia_stream_finish(((struct world *)ctx)->client.stream);
}

static void do_close_both(void *ctx)
{
    struct world *w = ctx;

    if (w->client.stream) {
        lia_stream_close(w->client.stream);
        lia_stream_close(w->client.stream);
    }
    if (w->server.stream) {
        lia_stream_close(w->server.stream);
    }
}

static void do_close_client(void *ctx)
{
    lia_stream_close(((struct world *)ctx)->client.stream);
}

static void do_pause_server(void *ctx)
{
    lia_stream_pause(((struct world *)ctx)->server.stream, true);
}

static void do_nothing(void *ctx)
{
    (void)ctx;
}

static void do_look_at_queue(void *ctx)
{
    struct world *w = ctx;

    w->was_queued = w->client.stream->queued > 0;
}

static void do_resume_server(void *ctx)
{
    lia_stream_pause(((struct world *)ctx)->server.stream, false);
}

/* ---- facts ---- */

static bool acceptor_is_closed(const void *ctx)
{
    return ((const struct world *)ctx)->acceptor_closed;
}

static bool dial_is_done(const void *ctx)
{
    return ((const struct world *)ctx)->is_dialed;
}

static bool both_are_there(const void *ctx)
{
    const struct world *w = ctx;

    return w->is_dialed && w->server.stream && w->client.stream;
}

static bool is_ended(const void *ctx)
{
    return ((const struct side *)ctx)->is_ended;
}

static bool is_closed(const void *ctx)
{
    return ((const struct side *)ctx)->is_closed;
}

static bool is_drained(const void *ctx)
{
    return ((const struct side *)ctx)->is_drained;
}

static bool has_all(const void *ctx)
{
    const struct side *side = ctx;

    return side->bytes_seen >= side->world->to_send.len;
}

/* ---- the world ---- */

#define UNIX "unix://" /* followed by a path in the scratch folder */

static void begin(struct world *w, const char *address)
{
    char text[LIA_TEST_PATH_MAX + 32];

    memset(w, 0, sizeof(*w));
    lia_test_env_init(&w->env, 1);
    lia_gate_init(&w->gate);
    lia_test_scratch(w->scratch);
    for (struct side *side = &w->server; side;
         side = side == &w->server ? &w->client : NULL) {
        side->world = w;
        lia_buf_init(&side->received, &w->env.alloc.alloc);
    }
    if (strcmp(address, UNIX) == 0) {
        snprintf(text, sizeof(text), "%s%s/socket", address, w->scratch);
    } else {
        snprintf(text, sizeof(text), "%s", address);
    }
    assert_ok(lia_address_parse(lia_str(text), &w->where, NULL));
    assert_ok(lia_transport_find(&w->where, &w->transport, NULL));
    assert_ok(w->transport->resolve(&w->where, NULL));
    assert_ok(lia_loop_start(&w->env.env, "liana-test", &w->loop, NULL));
}

static void listen_at(struct world *w)
{
    lia_loop_call(w->loop, do_listen, w);
    assert_status(LIANA_OK, w->status);
}

static void connect_both(struct world *w)
{
    listen_at(w);
    lia_loop_call(w->loop, do_dial, w);
    lia_gate_wait(&w->gate, both_are_there, w);
    assert_ok(w->status);
}

static void finish(struct world *w)
{
    if (w->acceptor && !w->acceptor_closed) {
        lia_loop_call(w->loop, do_close_acceptor, w);
        lia_gate_wait(&w->gate, acceptor_is_closed, w);
    }
    /* Behind the acceptor: it may still have taken the other side of a cancelled dial. */
    lia_loop_call(w->loop, do_close_both, w);
    lia_loop_stop(w->loop);
    lia_buf_deinit(&w->server.received);
    lia_buf_deinit(&w->client.received);
    lia_test_scratch_remove(w->scratch);
    lia_gate_deinit(&w->gate);
    lia_test_env_finish(&w->env);
}

/* Bytes whose order shows. */
static struct liana_slice numbered(struct world *w, struct lia_buf *buf, size_t len)
{
    lia_buf_init(buf, &w->env.alloc.alloc);
    for (uint64_t i = 0; buf->len < len; i++) {
        lia_buf_u64(buf, i);
    }
    return lia_buf_slice(buf);
}

/* ---- the contract ---- */

static void listens_on_a_real_address(struct world *w)
{
    char text[LIA_ADDRESS_TEXT];

    listen_at(w);
    lia_address_format(&w->where, text);
    assert_true(strcmp(w->where.scheme, "unix") == 0 || w->where.port != 0);
}

static void a_second_listener_is_refused_by_name(struct world *w)
{
    listen_at(w);
    lia_loop_call(w->loop, do_listen_again, w);
    assert_int_equal(w->status, LIANA_EADDRINUSE);
    assert_non_null(strstr(w->err.message, w->where.host));
}

static void an_address_is_free_again_after_close(struct world *w)
{
    listen_at(w);
    lia_loop_call(w->loop, do_close_acceptor, w);
    lia_gate_wait(&w->gate, acceptor_is_closed, w);
    w->acceptor_closed = false;
    w->acceptor = NULL;
    listen_at(w);
}

static void nobody_listening_is_unreachable_by_name(struct world *w)
{
    listen_at(w);
    lia_loop_call(w->loop, do_close_acceptor, w);
    lia_gate_wait(&w->gate, acceptor_is_closed, w);
    lia_loop_call(w->loop, do_dial, w);
    lia_gate_wait(&w->gate, dial_is_done, w);
    assert_int_equal(w->status, LIANA_EUNREACHABLE);
    assert_non_null(strstr(w->err.message, w->where.host));
}

static void a_cancelled_dial_is_done_once(struct world *w)
{
    listen_at(w);
    lia_loop_call(w->loop, do_dial_and_cancel, w);
    lia_gate_wait(&w->gate, dial_is_done, w);
    assert_int_equal(w->status, LIANA_ECANCELED);
}

static void bytes_arrive_in_order_both_ways(struct world *w)
{
    struct lia_buf bytes;

    connect_both(w);
    w->to_send = numbered(w, &bytes, 4 << 20);
    lia_loop_call(w->loop, do_client_send, w);
    assert_ok(w->status);
    lia_loop_call(w->loop, do_server_send, w);
    assert_ok(w->status);
    lia_gate_wait(&w->gate, has_all, &w->server);
    lia_gate_wait(&w->gate, has_all, &w->client);
    assert_slice_equal(lia_buf_slice(&w->server.received), w->to_send);
    assert_slice_equal(lia_buf_slice(&w->client.received), w->to_send);
    assert_int_equal(w->client.stream->bytes_out, w->to_send.len);
    assert_int_equal(w->client.stream->bytes_in, w->to_send.len);
    lia_buf_deinit(&bytes);
}

static void a_paused_reader_stops_the_writer(struct world *w)
{
    struct lia_buf bytes;

    connect_both(w);
    w->to_send = numbered(w, &bytes, 16 << 20);
    lia_loop_call(w->loop, do_pause_server, w);
    lia_loop_call(w->loop, do_client_send, w);
    assert_ok(w->status);
    for (int i = 0; i < 50; i++) {
        lia_loop_call(w->loop, do_nothing, w); /* the loop goes round */
    }
    lia_loop_call(w->loop, do_look_at_queue, w);
    assert_true(w->was_queued);
    lia_gate_enter(&w->gate);
    assert_int_equal(w->server.bytes_seen, 0);
    lia_gate_leave(&w->gate);
    lia_loop_call(w->loop, do_resume_server, w);
    lia_gate_wait(&w->gate, has_all, &w->server);
    lia_gate_wait(&w->gate, is_drained, &w->client);
    assert_slice_equal(lia_buf_slice(&w->server.received), w->to_send);
    lia_buf_deinit(&bytes);
}

static void finish_comes_behind_what_was_sent(struct world *w)
{
    struct lia_buf bytes;

    connect_both(w);
    w->to_send = numbered(w, &bytes, 4 << 20);
    lia_loop_call(w->loop, do_client_send, w);
    lia_loop_call(w->loop, do_client_finish, w);
    lia_gate_wait(&w->gate, is_ended, &w->server);
    assert_int_equal(w->server.reason, LIANA_OK);
    assert_slice_equal(lia_buf_slice(&w->server.received), w->to_send);
    lia_loop_call(w->loop, do_client_send, w);
    assert_int_equal(w->status, LIANA_ECLOSED);
    /* The other direction is still open. */
    w->to_send = LIA_BYTES("answer");
    lia_loop_call(w->loop, do_server_send, w);
    lia_gate_wait(&w->gate, has_all, &w->client);
    assert_slice_equal(lia_buf_slice(&w->client.received), w->to_send);
    lia_buf_deinit(&bytes);
}

static void closing_ends_the_other_side(struct world *w)
{
    connect_both(w);
    w->server.closes_when_ended = true;
    lia_loop_call(w->loop, do_close_client, w);
    lia_gate_wait(&w->gate, is_closed, &w->client);
    lia_gate_wait(&w->gate, is_closed, &w->server);
    assert_true(w->server.is_ended);
    assert_false(w->client.is_ended); /* nothing but closed after close */
}

static void closing_with_a_full_queue_loses_no_memory(struct world *w)
{
    struct lia_buf bytes;

    connect_both(w);
    w->to_send = numbered(w, &bytes, 16 << 20);
    lia_loop_call(w->loop, do_pause_server, w);
    lia_loop_call(w->loop, do_client_send, w);
    lia_loop_call(w->loop, do_close_both, w);
    lia_gate_wait(&w->gate, is_closed, &w->client);
    lia_buf_deinit(&bytes);
}

static const struct {
    const char *name;
    void (*run)(struct world *w);
} contract[] = {
    {"listens_on_a_real_address", listens_on_a_real_address},
    {"a_second_listener_is_refused_by_name", a_second_listener_is_refused_by_name},
    {"an_address_is_free_again_after_close", an_address_is_free_again_after_close},
    {"nobody_listening_is_unreachable_by_name",
     nobody_listening_is_unreachable_by_name},
    {"a_cancelled_dial_is_done_once", a_cancelled_dial_is_done_once},
    {"bytes_arrive_in_order_both_ways", bytes_arrive_in_order_both_ways},
    {"a_paused_reader_stops_the_writer", a_paused_reader_stops_the_writer},
    {"finish_comes_behind_what_was_sent", finish_comes_behind_what_was_sent},
    {"closing_ends_the_other_side", closing_ends_the_other_side},
    {"closing_with_a_full_queue_loses_no_memory",
     closing_with_a_full_queue_loses_no_memory},
};

/* Where each row listens. */
static const char *const addresses[] = {"tcp://127.0.0.1:0", "tcp://[::1]:0",
                                        "tcp://localhost:0", "tcp://*:0", UNIX};

/* A machine without IPv6 cannot listen on its loopback. */
static bool can_listen(const char *address)
{
    struct world w;
    liana_status status;

    begin(&w, address);
    lia_loop_call(w.loop, do_listen, &w);
    status = w.status;
    finish(&w);
    return status != LIANA_ENETWORK;
}

static void the_contract_holds(void **state)
{
    (void)state;
    for (size_t a = 0; a < sizeof(addresses) / sizeof(addresses[0]); a++) {
        if (!can_listen(addresses[a])) {
            print_message("%s: this machine has no such address\n", addresses[a]);
            continue;
        }
        for (size_t i = 0; i < sizeof(contract) / sizeof(contract[0]); i++) {
            struct world w;

            print_message("%s: %s\n", addresses[a], contract[i].name);
            begin(&w, addresses[a]);
            contract[i].run(&w);
            finish(&w);
        }
    }
}

static void every_row_is_in_the_contract(void **state)
{
    (void)state;
#define LIA_TRANSPORT(name)                                                            \
    {                                                                                  \
        bool is_tested = false;                                                        \
                                                                                       \
        for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {        \
            is_tested |= strncmp(addresses[i], lia_transport_##name.scheme,            \
                                 strlen(lia_transport_##name.scheme)) == 0;            \
        }                                                                              \
        assert_true(is_tested);                                                        \
    }
#include "net/transports.def"
#undef LIA_TRANSPORT
}

static void an_unknown_scheme_names_the_known_ones(void **state)
{
    struct liana_error err = LIANA_ERROR_INIT;
    const struct lia_transport *transport;
    struct lia_address address;

    (void)state;
    assert_ok(lia_address_parse(lia_str("pigeon://loft:1"), &address, NULL));
    assert_status(LIANA_EINVAL, lia_transport_find(&address, &transport, &err));
    assert_string_equal(err.message,
                        "no transport is called 'pigeon'; there are: tcp, unix");
}

static void an_unknown_host_is_unreachable_by_name(void **state)
{
    struct world w;

    (void)state;
    begin(&w, "tcp://127.0.0.1:1");
    snprintf(w.where.host, sizeof(w.where.host), "no-such-host.invalid");
    lia_loop_call(w.loop, do_dial, &w);
    lia_gate_wait(&w.gate, dial_is_done, &w);
    assert_int_equal(w.status, LIANA_EUNREACHABLE);
    assert_non_null(strstr(w.err.message, "no-such-host.invalid"));
    assert_status(LIANA_EUNREACHABLE, w.transport->resolve(&w.where, &w.err));
    finish(&w);
}

/* Of the addresses that a name has one answers; the others are tried and passed over. */
static void a_name_is_dialled_until_an_address_answers(void **state)
{
    struct world w;

    (void)state;
    begin(&w, "tcp://127.0.0.1:0");
    listen_at(&w);
    snprintf(w.where.host, sizeof(w.where.host), "localhost");
    lia_loop_call(w.loop, do_dial, &w);
    lia_gate_wait(&w.gate, both_are_there, &w);
    assert_ok(w.status);
    finish(&w);
}

/* Longer than a socket's address has room for. */
static void a_long_socket_path_works(void **state)
{
    char folder[LIA_TEST_PATH_MAX + 256];
    struct world w;

    (void)state;
    begin(&w, UNIX);
    snprintf(folder, sizeof(folder), "%s/%0150d", w.scratch, 0);
    assert_int_equal(mkdir(folder, 0700), 0);
    snprintf(w.where.host, sizeof(w.where.host), "%.900s/socket", folder);
    bytes_arrive_in_order_both_ways(&w);
    assert_int_equal(access(w.where.host, F_OK), 0);
    lia_loop_call(w.loop, do_close_acceptor, &w);
    lia_gate_wait(&w.gate, acceptor_is_closed, &w);
    assert_int_not_equal(access(w.where.host, F_OK), 0);
    w.acceptor = NULL;
    finish(&w);
}

static void a_socket_name_that_is_too_long_is_refused(void **state)
{
    struct world w;

    (void)state;
    begin(&w, UNIX);
    memset(w.where.host, 'x', 200);
    w.where.host[0] = '/';
    w.where.host[200] = '\0';
    lia_loop_call(w.loop, do_listen, &w);
    assert_int_equal(w.status, LIANA_ETOOLARGE);
    finish(&w);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_contract_holds),
    cmocka_unit_test(every_row_is_in_the_contract),
    cmocka_unit_test(an_unknown_scheme_names_the_known_ones),
    cmocka_unit_test(an_unknown_host_is_unreachable_by_name),
    cmocka_unit_test(a_name_is_dialled_until_an_address_answers),
    cmocka_unit_test(a_long_socket_path_works),
    cmocka_unit_test(a_socket_name_that_is_too_long_is_refused),
};

LIA_TEST_MAIN(tests)
