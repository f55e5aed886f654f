/* SPDX-License-Identifier: Apache-2.0 */
#include "base/thread.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>

struct shared {
    struct lia_mutex mutex;
    struct lia_cond cond;
    int count;
    bool all_signals_blocked;
};

static void add_many(void *arg)
{
    struct shared *s = arg;
    sigset_t mask;

    pthread_sigmask(SIG_BLOCK, NULL, &mask);
    for (int i = 0; i < 1000; i++) {
        lia_mutex_lock(&s->mutex);
        s->count++;
        lia_mutex_unlock(&s->mutex);
    }
    lia_mutex_lock(&s->mutex);
    s->all_signals_blocked =
        sigismember(&mask, SIGPIPE) == 1 && sigismember(&mask, SIGINT) == 1;
    lia_cond_broadcast(&s->cond);
    lia_mutex_unlock(&s->mutex);
}

static void threads_share_under_a_mutex(void **state)
{
    struct lia_deadline deadline = lia_deadline_in(30000);
    struct shared s = {.count = 0};
    struct lia_thread threads[4];

    (void)state;
    assert_int_equal(lia_mutex_init(&s.mutex), 0);
    assert_int_equal(lia_cond_init(&s.cond), 0);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(lia_thread_start(&threads[i], "liana-test", add_many, &s), 0);
        assert_false(lia_thread_is_current(&threads[i]));
    }
    lia_mutex_lock(&s.mutex);
    while (s.count < 4000) {
        assert_true(lia_cond_wait_until(&s.cond, &s.mutex, &deadline));
    }
    lia_mutex_unlock(&s.mutex);
    for (int i = 0; i < 4; i++) {
        lia_thread_join(&threads[i]);
    }
    assert_true(s.all_signals_blocked);
    lia_cond_deinit(&s.cond);
    lia_mutex_deinit(&s.mutex);
}

static void a_wait_ends_by_itself(void **state)
{
    struct lia_deadline deadline = lia_deadline_in(1);
    struct shared s = {.count = 0};

    (void)state;
    assert_int_equal(lia_mutex_init(&s.mutex), 0);
    assert_int_equal(lia_cond_init(&s.cond), 0);
    lia_mutex_lock(&s.mutex);
    while (lia_cond_wait_until(&s.cond, &s.mutex, &deadline)) {
        /* woken for nothing */
    }
    lia_mutex_unlock(&s.mutex);
    lia_cond_deinit(&s.cond);
    lia_mutex_deinit(&s.mutex);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_share_under_a_mutex),
        cmocka_unit_test(a_wait_ends_by_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
