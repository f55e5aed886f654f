/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include <stdatomic.h>

#include "base/testing/env.h"
#include "base/thread.h"
#include "net/loop.h"
#include "net/timer.h"

struct numbered {
    struct lia_task task; /* first: a task is its numbered */
    struct log *log;
    int number;
};

struct log {
    struct lia_loop *loop;
    int seen[1000];
    int count; /* both on the loop only */
    bool wrong_thread;
    struct lia_timer timer;
    atomic_bool timer_due;
    atomic_bool timer_closed;
};

static void note(struct lia_task *task)
{
    struct numbered *n = (struct numbered *)task;

    n->log->wrong_thread |= !lia_loop_is_current(n->log->loop);
    n->log->seen[n->log->count++] = n->number;
}

static void tasks_run_in_order_on_the_loop(void **state)
{
    struct lia_test_env t;
    struct log log = {.count = 0};
    struct numbered tasks[1000];

    (void)state;
    lia_test_env_init(&t, 1);
    assert_ok(lia_loop_start(&t.env, "liana-test", &log.loop, NULL));
    assert_false(lia_loop_is_current(log.loop));
    for (int i = 0; i < 1000; i++) {
        tasks[i] = (struct numbered){.task.run = note, .log = &log, .number = i};
        lia_loop_post(log.loop, &tasks[i].task);
    }
    lia_loop_stop(log.loop); /* what was posted before it still runs */
    assert_int_equal(log.count, 1000);
    assert_false(log.wrong_thread);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(log.seen[i], i);
    }
    lia_test_env_finish(&t);
}

static void inner(void *ctx)
{
    *(int *)ctx += 1;
}

static void outer(void *ctx)
{
    struct log *log = ctx;

    lia_loop_call(log->loop, inner, &log->count);
    inner(&log->count);
}

static void call_waits_and_nests(void **state)
{
    struct lia_test_env t;
    struct log log = {.count = 0};

    (void)state;
    lia_test_env_init(&t, 1);
    assert_ok(lia_loop_start(&t.env, "liana-test", &log.loop, NULL));
    for (int i = 1; i <= 100; i++) {
        lia_loop_call(log.loop, outer, &log);
        assert_int_equal(log.count, 2 * i);
    }
    lia_loop_stop(log.loop);
    lia_test_env_finish(&t);
}

static void on_timer_closed(void *ctx)
{
    atomic_store(&((struct log *)ctx)->timer_closed, true);
}

static void on_timer_due(void *ctx)
{
    struct log *log = ctx;

    LIA_ASSERT(!atomic_load(&log->timer_due)); /* once per setting */
    atomic_store(&log->timer_due, true);
    lia_timer_close(&log->timer, on_timer_closed);
    LIA_ASSERT(!atomic_load(&log->timer_closed));
}

static void start_timer(void *ctx)
{
    struct log *log = ctx;

    lia_timer_init(&log->timer, log->loop, on_timer_due, log);
    lia_timer_set(&log->timer, 100000);
    lia_timer_set(&log->timer, 1); /* moves it */
}

static void timers_are_due_once_and_close_in_two_phases(void **state)
{
    struct lia_test_env t;
    struct log log = {.count = 0};

    (void)state;
    lia_test_env_init(&t, 1);
    assert_ok(lia_loop_start(&t.env, "liana-test", &log.loop, NULL));
    lia_loop_call(log.loop, start_timer, &log);
    lia_loop_stop(log.loop); /* waits until the timer is closed */
    assert_true(atomic_load(&log.timer_due));
    assert_true(atomic_load(&log.timer_closed));
    lia_test_env_finish(&t);
}

static liana_status start_and_stop(const struct liana_allocator *a, void *ctx)
{
    struct lia_env env = *(struct lia_env *)ctx;
    struct lia_loop *loop = NULL;
    liana_status status;

    env.alloc = a;
    status = lia_loop_start(&env, "liana-test", &loop, NULL);
    if (!status) {
        lia_loop_stop(loop);
    }
    return status;
}

static void out_of_memory_is_a_status(void **state)
{
    struct lia_test_env t;

    (void)state;
    lia_test_env_init(&t, 1);
    lia_test_each_failure(start_and_stop, &t.env);
    lia_test_env_finish(&t);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(tasks_run_in_order_on_the_loop),
    cmocka_unit_test(call_waits_and_nests),
    cmocka_unit_test(timers_are_due_once_and_close_in_two_phases),
    cmocka_unit_test(out_of_memory_is_a_status),
};

LIA_TEST_MAIN(tests)
