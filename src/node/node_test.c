/* SPDX-License-Identifier: Apache-2.0 */
/* A node's life: threads, addresses, the report, memory that fails. */
#include "node/testing/fake_peer.h"

static void commit(struct device *d, unsigned count)
{
    lia_gate_enter(d->gate);
    d->committed = (uint8_t)(d->committed + count);
    lia_gate_leave(d->gate);
    d->peer->options.wake(d->peer->options.wake_ctx);
}

static bool has_200(const void *ctx)
{
    return ((const struct device *)ctx)->log_len >= 200;
}

static bool has_ticked(const void *ctx)
{
    return ((const struct device *)ctx)->peer->ticked >= 3;
}

static void commits_cross_in_order_through_all_threads(void **state)
{
    struct pair *p = *state;

    connect_pair(p);
    for (int i = 0; i < 100; i++) {
        commit(&p->a, 2);
    }
    lia_gate_wait(&p->gate, has_200, &p->b);
    for (unsigned i = 0; i < 200; i++) {
        assert_int_equal(p->b.log[i], i + 1);
    }
}

static void a_failed_change_changes_nothing(void **state)
{
    struct liana_error err = LIANA_ERROR_INIT;
    struct liana_str texts[2];
    struct lia_node_report report;
    struct lia_arena arena;
    struct pair *p = *state;

    listen_at(&p->a, "127.0.0.1:0");
    listen_at(&p->b, "127.0.0.1:0");
    texts[0] = lia_str("127.0.0.1:0");
    texts[1] = lia_str(p->a.address);
    assert_status(LIANA_EADDRINUSE,
                  lia_node_set_addresses(p->b.node, texts, 2, NULL, 0, &err));
    assert_non_null(strstr(err.message, p->a.address));
    texts[1] = lia_str("nonsense");
    assert_status(LIANA_EINVAL,
                  lia_node_set_addresses(p->b.node, texts, 2, NULL, 0, NULL));
    assert_status(LIANA_EINVAL,
                  lia_node_set_addresses(p->b.node, NULL, 0, texts, 2, NULL));
    lia_arena_init(&arena, &lia_mem_libc);
    assert_ok(lia_node_report(p->b.node, &arena, &report));
    assert_int_equal(report.listen_count, 1);
    assert_string_equal(report.listen[0], p->b.address);
    assert_int_equal(report.link_count, 0);
    lia_arena_deinit(&arena);
}

static void the_report_shows_links(void **state)
{
    struct lia_node_report report;
    struct lia_arena arena;
    struct pair *p = *state;

    connect_pair(p);
    lia_arena_init(&arena, &lia_mem_libc);
    assert_ok(lia_node_report(p->a.node, &arena, &report));
    assert_int_equal(report.listen_count, 0);
    assert_int_equal(report.link_count, 1);
    assert_true(report.links[0].is_dialed);
    assert_int_equal(report.links[0].state, LIA_LINK_UP);
    assert_string_equal(report.links[0].address, p->b.address);
    assert_true(report.links[0].has_remote);
    assert_memory_equal(report.links[0].remote, p->b.identity.peer_id,
                        LIA_PEER_ID_BYTES);
    assert_true(report.links[0].wire_in > 500 && report.links[0].wire_out > 500);
    assert_ok(lia_node_report(p->b.node, &arena, &report));
    assert_int_equal(report.link_count, 1);
    assert_false(report.links[0].is_dialed);
    assert_memory_equal(report.links[0].remote, p->a.identity.peer_id,
                        LIA_PEER_ID_BYTES);
    lia_arena_deinit(&arena);
}

static void a_store_does_not_sync_with_itself(void **state)
{
    struct pair *p = *state;
    struct liana_str text;

    listen_at(&p->a, "127.0.0.1:0");
    text = lia_str(p->a.address);
    assert_ok(lia_node_set_addresses(p->a.node, &text, 1, &text, 1, NULL));
    lia_gate_wait(&p->gate, has_failed, &p->a);
    stop(&p->a);
    assert_int_equal(p->a.ups, 0);
    assert_non_null(strstr(p->a.failure.message, "this store itself"));
}

static void the_peer_is_ticked_and_asked(void **state)
{
    struct pair *p = *state;
    uint64_t id = 0;

    lia_gate_wait(&p->gate, has_ticked, &p->a);
    assert_ok(
        lia_node_subscribe(p->a.node, lia_str("c"), lia_slice(NULL, 0), &id, NULL));
    assert_int_equal(id, 7);
    assert_ok(lia_node_unsubscribe(p->a.node, 7, NULL));
    assert_status(LIANA_ENOTFOUND, lia_node_unsubscribe(p->a.node, 8, NULL));
}

/* Stopping at any moment: while dialling, shaking hands, sending, being dialled. */
static void stopping_at_any_moment_is_clean(void **state)
{
    struct lia_gate gate;
    struct device a;
    struct device b;

    (void)state;
    for (int i = 0; i < 30; i++) {
        lia_gate_init(&gate);
        start(&a, &gate, (uint64_t)i);
        start(&b, &gate, (uint64_t)i + 1000);
        listen_at(&b, "127.0.0.1:0");
        dial(&a, &b);
        if (i % 3 == 0) {
            lia_gate_wait(&gate, is_up, i % 2 ? &a : &b);
            commit(&a, 5);
            commit(&b, 5);
        }
        finish(i % 2 ? &a : &b);
        finish(i % 2 ? &b : &a);
        lia_gate_deinit(&gate);
    }
}

struct oom {
    struct device *device;
    struct lia_env env;
};

static liana_status start_listen_stop(const struct liana_allocator *a, void *ctx)
{
    struct oom *oom = ctx;
    struct device *d = oom->device;
    struct lia_node_options options = {.identity = &d->identity, .trust = &d->trust};
    struct liana_str text = lia_str("127.0.0.1:0");
    struct lia_node *node = NULL;
    liana_status status;

    oom->env.alloc = a;
    options.env = &oom->env;
    options.loop = d->loop;
    starting = d;
    status = lia_node_start(&options, &node, NULL);
    if (!status) {
        status = lia_node_set_addresses(node, &text, 1, &text, 1, NULL);
        lia_node_stop(node);
    }
    return status;
}

static void out_of_memory_is_a_status(void **state)
{
    struct lia_gate gate;
    struct device d;
    struct oom oom = {.device = &d};

    (void)state;
    lia_gate_init(&gate);
    start(&d, &gate, 1);
    stop(&d);
    oom.env = d.env.env;
    lia_test_each_failure(start_listen_stop, &oom);
    finish(&d);
    lia_gate_deinit(&gate);
}

/* One allocation fails on either side, at each place in turn: the link comes up all the
 * same, at the latest when it is dialled again. */
static void a_failed_allocation_costs_at_most_a_link(void **state)
{
    struct lia_gate gate;
    struct device a;
    struct device b;

    (void)state;
    for (size_t i = 0; i < 24; i++) {
        struct liana_str text;
        liana_status status;

        lia_gate_init(&gate);
        start(&a, &gate, 1);
        start(&b, &gate, 2);
        listen_at(&b, "127.0.0.1:0");
        text = lia_str(b.address);
        lia_test_alloc_fail_at(i % 2 ? &a.env.alloc : &b.env.alloc, i / 2 + 1);
        status = lia_node_set_addresses(a.node, NULL, 0, &text, 1, NULL);
        if (status) {
            assert_status(LIANA_ENOMEM, status);
            dial(&a, &b);
        }
        lia_gate_wait(&gate, is_up, &a);
        lia_gate_wait(&gate, is_up, &b);
        finish(&a);
        finish(&b);
        lia_gate_deinit(&gate);
    }
}

static const struct CMUnitTest tests[] = {
    CASE(commits_cross_in_order_through_all_threads),
    CASE(a_failed_change_changes_nothing),
    CASE(a_store_does_not_sync_with_itself),
    CASE(the_report_shows_links),
    CASE(the_peer_is_ticked_and_asked),
    cmocka_unit_test(stopping_at_any_moment_is_clean),
    cmocka_unit_test(out_of_memory_is_a_status),
    cmocka_unit_test(a_failed_allocation_costs_at_most_a_link),
};

LIA_TEST_MAIN(tests)
