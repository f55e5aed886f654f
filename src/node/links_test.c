/* SPDX-License-Identifier: Apache-2.0 */
/* Links: who may have one, how it ends, and when it is dialled again. */
#include "node/testing/fake_peer.h"

#include "base/testing/files.h"
#include "net/transport.h"

static bool is_down(const void *ctx)
{
    return ((const struct device *)ctx)->downs > 0;
}

static bool is_up_again(const void *ctx)
{
    return ((const struct device *)ctx)->ups > 1;
}

/* ---- dialling ---- */

static void both_ends_refuse_a_wrong_key(void **state)
{
    (void)state;
    for (int i = 0; i < 10; i++) {
        struct pair *p;

        set_up((void **)&p);
        p->b.trust.key.bytes[31] ^= 1;
        listen_at(&p->b, "127.0.0.1:0");
        dial(&p->a, &p->b);
        lia_gate_wait(&p->gate, has_failed, &p->a);
        lia_gate_wait(&p->gate, has_failed, &p->b);
        stop(&p->a);
        stop(&p->b);
        assert_status(LIANA_EAUTH, p->a.failure.status);
        assert_status(LIANA_EAUTH, p->b.failure.status);
        assert_non_null(strstr(p->a.failure.message, "shared keys differ"));
        assert_non_null(strstr(p->a.failure.message, p->b.address));
        assert_int_equal(p->a.ups + p->b.ups + p->a.downs + p->b.downs, 0);
        /* Dialled again and again, but told once. */
        assert_int_equal(p->a.failures, 1);
        assert_int_equal(p->b.failures, 1);
        tear_down((void **)&p);
    }
}

/* The end of a session and its new beginning are two lines, whatever lies between. */
static void a_link_that_ends_is_dialled_again(void **state)
{
    struct pair *p = *state;
    struct liana_str where;
    char address[LIA_ADDRESS_TEXT];

    connect_pair(p);
    memcpy(address, p->b.address, sizeof(address));
    assert_ok(p->a.up.status);
    assert_string_equal(p->a.up.message, "");
    /* The listener goes, and its links with it; then it comes back. */
    assert_ok(lia_node_set_addresses(p->b.node, NULL, 0, NULL, 0, NULL));
    lia_gate_wait(&p->gate, is_down, &p->a);
    where = lia_str(address);
    assert_ok(lia_node_set_addresses(p->b.node, &where, 1, NULL, 0, NULL));
    lia_gate_wait(&p->gate, is_up_again, &p->a);
    assert_int_equal(p->a.failures, 0);
    assert_status(LIANA_ECLOSED, p->a.down.status);
    assert_non_null(strstr(p->a.down.message, address));
    assert_memory_equal(p->a.up.message, "after ", 6);
    assert_ok(p->b.down.status); /* it was the one to close */
    assert_string_equal(p->b.down.message, "closing");
}

static void an_address_that_stays_keeps_its_link(void **state)
{
    struct pair *p = *state;
    struct liana_str texts[2];

    connect_pair(p);
    texts[0] = lia_str(p->b.address);
    texts[1] = lia_str("127.0.0.1:1"); /* nobody is there */
    assert_ok(lia_node_set_addresses(p->a.node, NULL, 0, texts, 2, NULL));
    lia_gate_wait(&p->gate, has_failed, &p->a);
    assert_status(LIANA_EUNREACHABLE, p->a.failure.status);
    assert_non_null(strstr(p->a.failure.message, "127.0.0.1:1"));
    dial(&p->a, &p->b);
    stop(&p->b);
    lia_gate_wait(&p->gate, is_down, &p->a); /* only now */
    stop(&p->a);
    assert_int_equal(p->a.ups, 1);
}

/* What the first link of the report says, once it says what is wanted. */
static struct lia_link_report await_link(struct device *d,
                                         enum lia_link_state state,
                                         struct lia_arena *arena)
{
    uint64_t patience = real_mono_ms(NULL) + 30000;
    struct lia_node_report report;

    do {
        lia_arena_reset(arena);
        assert_ok(lia_node_report(d->node, arena, &report));
        assert_true(report.link_count > 0 && real_mono_ms(NULL) < patience);
    } while (report.links[0].state != state || !report.links[0].has_remote);
    return report.links[0];
}

static void a_dialer_rests_while_its_peer_has_another_link(void **state)
{
    struct pair *p = *state;
    struct liana_str own;
    struct liana_str other;
    struct lia_link_report link;
    struct lia_arena arena;

    lia_arena_init(&arena, &lia_mem_libc);
    listen_at(&p->a, "127.0.0.1:0");
    listen_at(&p->b, "127.0.0.1:0");
    own = lia_str(p->a.address);
    other = lia_str(p->b.address);
    assert_ok(lia_node_set_addresses(p->a.node, &own, 1, &other, 1, NULL));
    lia_gate_wait(&p->gate, is_up, &p->a);
    lia_gate_wait(&p->gate, is_up, &p->b);
    assert_ok(lia_node_set_addresses(p->b.node, &other, 1, &own, 1, NULL));
    link = await_link(&p->b, LIA_LINK_WAITING, &arena);
    assert_true(link.is_dialed);
    assert_memory_equal(link.remote, p->a.identity.peer_id, LIA_PEER_ID_BYTES);
    assert_status(LIANA_EEXISTS, link.error.status);
    assert_int_equal(p->a.ups + p->b.ups, 2);
    assert_int_equal(p->a.failures + p->b.failures, 0);
    /* The other link goes: now it dials, at once. */
    assert_ok(lia_node_set_addresses(p->a.node, &own, 1, NULL, 0, NULL));
    link = await_link(&p->b, LIA_LINK_UP, &arena);
    assert_true(link.is_dialed);
    lia_gate_wait(&p->gate, is_up_again, &p->b);
    lia_arena_deinit(&arena);
}

static void costs_are_counted_when_a_link_is_gone(void **state)
{
    struct pair *p = *state;
    struct lia_node_report report;
    struct lia_link_report link;
    struct liana_str where;
    struct lia_arena arena;

    lia_arena_init(&arena, &lia_mem_libc);
    connect_pair(p);
    assert_ok(lia_node_report(p->a.node, &arena, &report));
    link = report.links[0];
    where = lia_str(p->b.address);
    assert_ok(lia_node_set_addresses(p->b.node, NULL, 0, NULL, 0, NULL));
    lia_gate_wait(&p->gate, is_down, &p->a);
    assert_ok(lia_node_set_addresses(p->b.node, &where, 1, NULL, 0, NULL));
    lia_gate_wait(&p->gate, is_up_again, &p->a);
    assert_ok(lia_node_report(p->a.node, &arena, &report));
    assert_true(report.links[0].wire_in > 3 * link.wire_in / 2);
    assert_true(report.links[0].wire_out > 3 * link.wire_out / 2);
    assert_true(p->a.peer->cost >= link.wire_in + link.wire_out);
    lia_arena_deinit(&arena);
}

/* ---- strangers: connections that prove nothing ---- */

struct stranger {
    struct lia_gate *gate;
    struct device *from;
    struct lia_address to;
    struct lia_dial *dial;
    struct lia_stream *stream;
    bool is_connected;
    bool is_ended;
    bool is_closed;
};

static void on_stranger_ended(void *ctx,
                              liana_status reason,
                              const struct liana_error *err)
{
    struct stranger *s = ctx;

    (void)reason;
    (void)err;
    lia_gate_enter(s->gate);
    s->is_ended = true;
    lia_gate_leave(s->gate);
}

static void on_stranger_closed(void *ctx)
{
    struct stranger *s = ctx;

    lia_gate_enter(s->gate);
    s->is_closed = true;
    lia_gate_leave(s->gate);
}

static void on_stranger_bytes(void *ctx, struct liana_slice bytes)
{
    (void)ctx;
    (void)bytes;
}

static const struct lia_stream_events stranger_events = {.bytes = on_stranger_bytes,
                                                         .ended = on_stranger_ended,
                                                         .closed = on_stranger_closed};

static void on_stranger_dialed(void *ctx,
                               liana_status status,
                               struct lia_stream *stream,
                               const struct liana_error *err)
{
    struct stranger *s = ctx;

    (void)err;
    LIA_ASSERT(status == LIANA_OK);
    LIA_ASSERT(lia_stream_start(stream, &stranger_events, s) == LIANA_OK);
    lia_gate_enter(s->gate);
    s->stream = stream;
    s->is_connected = true;
    lia_gate_leave(s->gate);
}

static void dial_stranger(void *ctx)
{
    struct stranger *s = ctx;

    LIA_ASSERT(lia_transport_tcp.dial(s->from->loop, &s->to, on_stranger_dialed, s,
                                      &s->dial, NULL) == LIANA_OK);
}

static bool stranger_is_connected(const void *ctx)
{
    return ((const struct stranger *)ctx)->is_connected;
}

static bool stranger_is_ended(const void *ctx)
{
    return ((const struct stranger *)ctx)->is_ended;
}

static bool stranger_is_closed(const void *ctx)
{
    return ((const struct stranger *)ctx)->is_closed;
}

static void close_stranger(void *ctx)
{
    lia_stream_close(((struct stranger *)ctx)->stream);
}

static struct stranger *send_strangers(struct pair *p, size_t count)
{
    struct stranger *all = test_calloc(count, sizeof(*all));

    for (size_t i = 0; i < count; i++) {
        all[i].gate = &p->gate;
        all[i].from = &p->a;
        assert_ok(lia_address_parse(lia_str(p->b.address), &all[i].to, NULL));
        lia_loop_call(p->a.loop, dial_stranger, &all[i]);
        lia_gate_wait(&p->gate, stranger_is_connected, &all[i]);
    }
    return all;
}

static void dismiss_strangers(struct pair *p, struct stranger *all, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        lia_loop_call(p->a.loop, close_stranger, &all[i]);
        lia_gate_wait(&p->gate, stranger_is_closed, &all[i]);
    }
    test_free(all);
}

static void restart(struct device *d, uint32_t handshake_ms)
{
    stop(d);
    d->handshake_ms = handshake_ms;
    start_node(d);
}

static void who_proves_nothing_in_time_is_sent_away(void **state)
{
    struct pair *p = *state;
    struct stranger *stranger;

    restart(&p->b, 50);
    listen_at(&p->b, "127.0.0.1:0");
    stranger = send_strangers(p, 1);
    lia_gate_wait(&p->gate, stranger_is_ended, stranger);
    lia_gate_wait(&p->gate, has_failed, &p->b);
    assert_status(LIANA_ETIMEOUT, p->b.failure.status);
    dismiss_strangers(p, stranger, 1);
}

#define CROWD 64 /* as many as there is room for */

static void strangers_keep_no_member_of_elsewhere_out(void **state)
{
    struct pair *p = *state;
    struct stranger *crowd;
    struct liana_str texts[2];
    char folder[LIA_TEST_PATH_MAX];
    char local[LIA_TEST_PATH_MAX + 16];
    char inet[LIA_ADDRESS_TEXT];

    lia_test_scratch(folder);
    snprintf(local, sizeof(local), "unix://%s/b", folder);
    texts[0] = lia_str("127.0.0.1:0");
    texts[1] = lia_str(local);
    listen_at(&p->b, "127.0.0.1:0");
    memcpy(inet, p->b.address, sizeof(inet));
    texts[0] = lia_str(inet);
    assert_ok(lia_node_set_addresses(p->b.node, texts, 2, NULL, 0, NULL));
    memcpy(p->b.address, inet, sizeof(inet));
    crowd = send_strangers(p, CROWD);
    assert_ok(lia_node_set_addresses(p->a.node, NULL, 0, &texts[1], 1, NULL));
    lia_gate_wait(&p->gate, is_up, &p->a);
    lia_gate_wait(&p->gate, is_up, &p->b);
    /* The one who came first of the machine that has most made room. */
    lia_gate_wait(&p->gate, stranger_is_ended, &crowd[0]);
    assert_false(stranger_is_ended(&crowd[CROWD - 1]));
    dismiss_strangers(p, crowd, CROWD);
    stop(&p->b);
    lia_test_scratch_remove(folder);
}

static void a_crowd_is_turned_away_until_its_time_is_over(void **state)
{
    struct pair *p = *state;
    struct stranger *crowd;

    restart(&p->b, 300);
    listen_at(&p->b, "127.0.0.1:0");
    crowd = send_strangers(p, CROWD + 1);
    lia_gate_wait(&p->gate, stranger_is_ended, &crowd[CROWD]);
    lia_gate_wait(&p->gate, has_failed, &p->b);
    dial(&p->a, &p->b);
    lia_gate_wait(&p->gate, is_up, &p->a);
    assert_true(crowd[0].is_ended);
    dismiss_strangers(p, crowd, CROWD + 1);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(both_ends_refuse_a_wrong_key),
    CASE(a_link_that_ends_is_dialled_again),
    CASE(an_address_that_stays_keeps_its_link),
    CASE(a_dialer_rests_while_its_peer_has_another_link),
    CASE(costs_are_counted_when_a_link_is_gone),
    CASE(who_proves_nothing_in_time_is_sent_away),
    CASE(strangers_keep_no_member_of_elsewhere_out),
    CASE(a_crowd_is_turned_away_until_its_time_is_over),
};

LIA_TEST_MAIN(tests)
