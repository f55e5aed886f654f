/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include "base/buf.h"
#include "base/testing/env.h"
#include "net/link.h"
#include "net/testing/gate.h"
#include "net/testing/identity.h"
#include "net/transport.h"

/* One end: a link, or a raw stream that plays the other side of one. */
struct side {
    struct world *world;
    bool is_raw;
    struct lia_stream *stream;
    struct lia_net_link *link;
    bool is_up;
    struct lia_tls_peer peer;
    struct lia_buf received;
    bool is_down;
    liana_status reason;
    struct liana_error err;
    bool is_drained;
    bool is_closed;
    bool closes_on_down;
    struct liana_slice sends_on_up;
    bool closes_on_up;
    bool is_admitted_on_up;
};

struct world {
    struct lia_test_env env;
    struct lia_gate gate;
    struct lia_loop *loop;
    struct lia_test_identity identity[2];
    struct lia_link_config config[2];
    struct lia_address where;
    struct lia_acceptor *acceptor;
    struct side dialer;
    struct side listener;
    liana_status status;
    struct liana_slice to_send;
};

/* ---- callbacks, on the loop ---- */

static void on_up(void *ctx, const struct lia_tls_peer *peer)
{
    struct side *side = ctx;

    lia_gate_enter(&side->world->gate);
    LIA_ASSERT(!side->is_up && !side->is_down);
    side->is_up = true;
    side->peer = *peer;
    lia_gate_leave(&side->world->gate);
    if (side->is_admitted_on_up) {
        lia_net_link_admit(side->link);
    }
    if (side->sends_on_up.len > 0) {
        LIA_ASSERT(lia_net_link_send(side->link, side->sends_on_up) == LIANA_OK);
    }
    if (side->closes_on_up) {
        lia_net_link_close(side->link);
    } else {
        LIA_ASSERT(lia_net_link_flush(side->link) == LIANA_OK);
    }
}

static void on_bytes(void *ctx, struct liana_slice bytes)
{
    struct side *side = ctx;

    lia_gate_enter(&side->world->gate);
    LIA_ASSERT((side->is_up || side->is_raw) && !side->is_down);
    lia_buf_slice_add(&side->received, bytes);
    lia_gate_leave(&side->world->gate);
}

static void on_drained(void *ctx)
{
    struct side *side = ctx;

    lia_gate_enter(&side->world->gate);
    side->is_drained = true;
    lia_gate_leave(&side->world->gate);
}

static void on_down(void *ctx, liana_status reason, const struct liana_error *err)
{
    struct side *side = ctx;

    lia_gate_enter(&side->world->gate);
    LIA_ASSERT(!side->is_down && !side->is_closed);
    side->is_down = true;
    side->reason = reason;
    side->err = *err;
    lia_gate_leave(&side->world->gate);
    if (side->closes_on_down && side->link) {
        lia_net_link_close(side->link);
    }
}

static void on_closed(void *ctx)
{
    struct side *side = ctx;

    lia_gate_enter(&side->world->gate);
    LIA_ASSERT(!side->is_closed);
    side->is_closed = true;
    side->link = NULL;
    side->stream = NULL;
    lia_gate_leave(&side->world->gate);
}

static const struct lia_net_link_events link_events = {.up = on_up,
                                                       .bytes = on_bytes,
                                                       .drained = on_drained,
                                                       .down = on_down,
                                                       .closed = on_closed};

static const struct lia_stream_events raw_events = {.bytes = on_bytes,
                                                    .ended = on_down,
                                                    .closed = on_closed};

static void adopt(struct side *side, struct lia_stream *stream)
{
    struct world *w = side->world;
    struct lia_net_link *link = NULL;

    if (side->is_raw) {
        LIA_ASSERT(lia_stream_start(stream, &raw_events, side) == LIANA_OK);
    } else {
        LIA_ASSERT(lia_net_link_new(&w->config[side == &w->listener], stream,
                                    side == &w->dialer, &link_events, side, &link,
                                    NULL) == LIANA_OK);
    }
    lia_gate_enter(&w->gate);
    side->link = link;
    side->stream = stream;
    lia_gate_leave(&w->gate);
}

static void on_accepted(void *ctx, struct lia_stream *stream)
{
    adopt(&((struct world *)ctx)->listener, stream);
}

static void on_accept_failed(void *ctx,
                             liana_status status,
                             const struct liana_error *err)
{
    (void)ctx;
    (void)status;
    print_error("%s\n", err->message);
    LIA_ASSERT(false);
}

static void on_acceptor_closed(void *ctx)
{
    struct world *w = ctx;

    lia_gate_enter(&w->gate);
    w->acceptor = NULL;
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
    (void)err;
    LIA_ASSERT(status == LIANA_OK);
    adopt(&((struct world *)ctx)->dialer, stream);
}

/* ---- steps, on the loop ---- */

static void do_connect(void *ctx)
{
    struct world *w = ctx;
    struct lia_dial *dial;

    LIA_ASSERT(lia_transport_tcp.listen(w->loop, &w->where, &acceptor_events, w,
                                        &w->acceptor, NULL) == LIANA_OK);
    lia_transport_tcp.address(w->acceptor, &w->where);
    LIA_ASSERT(lia_transport_tcp.dial(w->loop, &w->where, on_dialed, w, &dial, NULL) ==
               LIANA_OK);
}

static void do_close_acceptor(void *ctx)
{
    lia_transport_tcp.close(((struct world *)ctx)->acceptor);
}

static void close_side(struct side *side)
{
    if (side->link) {
        lia_net_link_close(side->link);
        lia_net_link_close(side->link);
    } else if (side->stream) {
        lia_stream_close(side->stream);
    }
}

static void do_close_dialer(void *ctx)
{
    close_side(&((struct world *)ctx)->dialer);
}

static void do_close_both(void *ctx)
{
    struct world *w = ctx;

    close_side(&w->dialer);
    close_side(&w->listener);
}

/* Both ways, in pieces of all sizes. */
static void do_send_both(void *ctx)
{
    struct world *w = ctx;

    for (size_t at = 0, n = 1; at < w->to_send.len; at += n, n = n * 3 % 65521) {
        struct liana_slice piece;

        n = n < w->to_send.len - at ? n : w->to_send.len - at;
        piece = lia_slice_sub(w->to_send, at, n);
        LIA_ASSERT(lia_net_link_send(w->dialer.link, piece) == LIANA_OK);
        LIA_ASSERT(lia_net_link_send(w->listener.link, piece) == LIANA_OK);
    }
    LIA_ASSERT(lia_net_link_flush(w->dialer.link) == LIANA_OK);
    LIA_ASSERT(lia_net_link_flush(w->listener.link) == LIANA_OK);
}

static void do_raw_send(void *ctx)
{
    struct world *w = ctx;

    w->status = lia_stream_send(w->dialer.stream, w->to_send);
}

static void do_fill_queue(void *ctx)
{
    static uint8_t block[100000];
    struct world *w = ctx;

    lia_net_link_pause(w->listener.link, true);
    w->status = LIANA_OK;
    for (int i = 0; i < 1000 && !w->status; i++) {
        w->status = lia_net_link_send(w->dialer.link, lia_slice(block, sizeof(block)));
        if (!w->status) {
            w->status = lia_net_link_flush(w->dialer.link);
        }
    }
}

static void do_resume(void *ctx)
{
    lia_net_link_pause(((struct world *)ctx)->listener.link, false);
}

/* ---- facts ---- */

static bool both_are_up(const void *ctx)
{
    const struct world *w = ctx;

    return w->dialer.is_up && w->listener.is_up;
}

static bool both_are_there(const void *ctx)
{
    const struct world *w = ctx;

    return w->dialer.stream && w->listener.stream;
}

static bool both_have_all(const void *ctx)
{
    const struct world *w = ctx;

    return w->dialer.received.len >= w->to_send.len &&
           w->listener.received.len >= w->to_send.len;
}

static bool is_down(const void *ctx)
{
    return ((const struct side *)ctx)->is_down;
}

static bool is_closed(const void *ctx)
{
    return ((const struct side *)ctx)->is_closed;
}

static bool is_drained(const void *ctx)
{
    return ((const struct side *)ctx)->is_drained;
}

static bool acceptor_is_closed(const void *ctx)
{
    return !((const struct world *)ctx)->acceptor;
}

static bool both_are_closed(const void *ctx)
{
    const struct world *w = ctx;

    return !w->dialer.stream && !w->listener.stream;
}

/* ---- the world ---- */

static int set_up(void **state)
{
    struct world *w = test_calloc(1, sizeof(*w));

    lia_test_env_init(&w->env, 1);
    lia_gate_init(&w->gate);
    for (int i = 0; i < 2; i++) {
        struct side *side = i ? &w->listener : &w->dialer;

        w->config[i] = (struct lia_link_config){
            .tls = lia_test_tls_config(&w->identity[i]),
            .handshake_ms = LIA_LINK_HANDSHAKE_MS,
            .linger_ms = LIA_LINK_LINGER_MS,
        };
        side->world = w;
        lia_buf_init(&side->received, &w->env.alloc.alloc);
    }
    assert_ok(lia_address_parse(lia_str("127.0.0.1:0"), &w->where, NULL));
    assert_ok(lia_loop_start(&w->env.env, "liana-test", &w->loop, NULL));
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    lia_loop_call(w->loop, do_close_acceptor, w);
    lia_gate_wait(&w->gate, acceptor_is_closed, w);
    lia_loop_call(w->loop, do_close_both, w);
    lia_gate_wait(&w->gate, both_are_closed, w);
    lia_loop_stop(w->loop);
    for (int i = 0; i < 2; i++) {
        lia_tls_config_deinit(&w->config[i].tls);
        lia_test_identity_deinit(&w->identity[i]);
        lia_buf_deinit(i ? &w->listener.received : &w->dialer.received);
    }
    lia_gate_deinit(&w->gate);
    lia_test_env_finish(&w->env);
    test_free(w);
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static void connect_up(struct world *w)
{
    lia_loop_call(w->loop, do_connect, w);
    lia_gate_wait(&w->gate, both_are_up, w);
}

/* ---- cases ---- */

static void both_ends_learn_each_others_key(void **state)
{
    struct world *w = *state;

    connect_up(w);
    assert_memory_equal(w->dialer.peer.public_key, w->identity[1].public_key,
                        LIA_TLS_KEY_BYTES);
    assert_memory_equal(w->listener.peer.public_key, w->identity[0].public_key,
                        LIA_TLS_KEY_BYTES);
    assert_memory_equal(w->listener.peer.exporter, w->dialer.peer.exporter,
                        LIA_TLS_EXPORTER_BYTES);
}

static void bytes_arrive_in_order_both_ways(void **state)
{
    struct lia_buf bytes;
    struct world *w = *state;

    connect_up(w);
    lia_buf_init(&bytes, &w->env.alloc.alloc);
    for (uint64_t i = 0; i < 300000; i++) {
        lia_buf_u64(&bytes, i);
    }
    w->to_send = lia_buf_slice(&bytes);
    lia_loop_call(w->loop, do_send_both, w);
    lia_gate_wait(&w->gate, both_have_all, w);
    assert_slice_equal(lia_buf_slice(&w->dialer.received), w->to_send);
    assert_slice_equal(lia_buf_slice(&w->listener.received), w->to_send);
    lia_buf_deinit(&bytes);
}

static void closing_is_told_in_order(void **state)
{
    struct world *w = *state;

    w->listener.closes_on_down = true;
    connect_up(w);
    lia_loop_call(w->loop, do_close_dialer, w);
    lia_gate_wait(&w->gate, is_closed, &w->dialer);
    lia_gate_wait(&w->gate, is_closed, &w->listener);
    assert_status(LIANA_OK, w->listener.reason);
    assert_false(w->dialer.is_down);
}

/* What a side says before it closes at once reaches the other side whole, although there
 * is more of it than the system takes, and although the other side has sent something
 * that nobody reads: what a refusal depends on. */
static void last_words_are_heard(void **state)
{
    static uint8_t words[4000000];
    static uint8_t chatter[200000];
    struct world *w = *state;

    memset(words, 'w', sizeof(words));
    w->listener.sends_on_up = lia_slice(words, sizeof(words));
    w->listener.closes_on_up = true;
    w->dialer.sends_on_up = lia_slice(chatter, sizeof(chatter));
    w->dialer.closes_on_down = true;
    lia_loop_call(w->loop, do_connect, w);
    lia_gate_wait(&w->gate, is_closed, &w->listener);
    lia_gate_wait(&w->gate, is_closed, &w->dialer);
    assert_slice_equal(lia_buf_slice(&w->dialer.received),
                       lia_slice(words, sizeof(words)));
    assert_status(LIANA_OK, w->dialer.reason);
}

static void rubbish_ends_the_link_and_nothing_else(void **state)
{
    struct world *w = *state;

    w->dialer.is_raw = true;
    w->listener.closes_on_down = true;
    lia_loop_call(w->loop, do_connect, w);
    lia_gate_wait(&w->gate, both_are_there, w);
    w->to_send = LIA_BYTES("this is not TLS at all, whatever the port says");
    lia_loop_call(w->loop, do_raw_send, w);
    lia_gate_wait(&w->gate, is_down, &w->listener);
    assert_status(LIANA_EPROTOCOL, w->listener.reason);
    assert_non_null(strstr(w->listener.err.message, "tcp://127.0.0.1:"));
    lia_gate_wait(&w->gate, is_down, &w->dialer); /* its stream ended */
}

static void an_end_without_goodbye_is_a_failure(void **state)
{
    struct world *w = *state;

    w->dialer.is_raw = true;
    w->listener.closes_on_down = true;
    lia_loop_call(w->loop, do_connect, w);
    lia_gate_wait(&w->gate, both_are_there, w);
    lia_loop_call(w->loop, do_close_dialer, w);
    lia_gate_wait(&w->gate, is_closed, &w->listener);
    assert_status(LIANA_ECLOSED, w->listener.reason);
    assert_false(w->listener.is_up);
}

static void a_silent_stranger_is_dropped(void **state)
{
    struct world *w = *state;

    w->dialer.is_raw = true;
    w->listener.closes_on_down = true;
    w->config[1].handshake_ms = 20;
    w->config[1].linger_ms = 20;
    lia_loop_call(w->loop, do_connect, w);
    lia_gate_wait(&w->gate, is_down, &w->listener);
    assert_status(LIANA_ETIMEOUT, w->listener.reason);
    lia_gate_wait(&w->gate, is_closed, &w->listener); /* though it never says goodbye */
}

/* Its key may be anybody's: the owner has to know it in time. */
static void who_is_not_admitted_in_time_goes_down(void **state)
{
    struct world *w = *state;

    w->listener.is_admitted_on_up = true;
    w->listener.closes_on_down = true;
    w->dialer.closes_on_down = true;
    w->config[1].handshake_ms = 300;
    w->config[0].handshake_ms = 600;
    connect_up(w);
    lia_gate_wait(&w->gate, is_down, &w->dialer);
    assert_status(LIANA_ETIMEOUT, w->dialer.reason);
    assert_non_null(strstr(w->dialer.err.message, "has not proved"));
    lia_gate_wait(&w->gate, is_closed, &w->listener);
    assert_ok(w->listener.reason); /* its own time was over long before */
}

static void who_does_not_read_is_given_up(void **state)
{
    struct world *w = *state;

    w->config[0].linger_ms = 20;
    w->config[1].linger_ms = 20;
    connect_up(w);
    lia_loop_call(w->loop, do_fill_queue, w);
    assert_status(LIANA_ELIMIT, w->status);
    lia_loop_call(w->loop, do_resume, w);
    lia_gate_wait(&w->gate, is_drained, &w->dialer);
}

static const struct CMUnitTest tests[] = {
    CASE(both_ends_learn_each_others_key),
    CASE(bytes_arrive_in_order_both_ways),
    CASE(closing_is_told_in_order),
    CASE(last_words_are_heard),
    CASE(rubbish_ends_the_link_and_nothing_else),
    CASE(an_end_without_goodbye_is_a_failure),
    CASE(a_silent_stranger_is_dropped),
    CASE(who_is_not_admitted_in_time_goes_down),
    CASE(who_does_not_read_is_given_up),
};

LIA_TEST_MAIN(tests)
