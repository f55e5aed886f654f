/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include "base/testing/env.h"
#include "net/backoff.h"

static void the_pause_grows_to_its_limit(void **state)
{
    struct lia_test_env t;
    struct lia_backoff backoff = {0};
    uint64_t limit = LIA_BACKOFF_MIN_MS;

    (void)state;
    lia_test_env_init(&t, 5);
    for (int i = 0; i < 1000; i++) {
        uint64_t pause = lia_backoff_next(&backoff, &t.env, 0);

        assert_in_range(pause, limit / 2, limit);
        limit = limit * 2 < LIA_BACKOFF_MAX_MS ? limit * 2 : LIA_BACKOFF_MAX_MS;
    }
    lia_test_env_finish(&t);
}

static void two_peers_pause_differently(void **state)
{
    struct lia_test_env t;
    size_t same = 0;

    (void)state;
    lia_test_env_init(&t, 5);
    for (int i = 0; i < 100; i++) {
        struct lia_backoff one = {8};
        struct lia_backoff two = {8};

        same += lia_backoff_next(&one, &t.env, 0) == lia_backoff_next(&two, &t.env, 0);
    }
    assert_true(same < 5);
    lia_test_env_finish(&t);
}

static void a_link_that_lasted_forgets_failures(void **state)
{
    struct lia_test_env t;
    struct lia_backoff backoff = {20};

    (void)state;
    lia_test_env_init(&t, 5);
    assert_true(lia_backoff_next(&backoff, &t.env, LIA_BACKOFF_MAX_MS) >=
                LIA_BACKOFF_MAX_MS / 2);
    assert_true(lia_backoff_next(&backoff, &t.env, LIA_BACKOFF_MAX_MS + 1) <=
                LIA_BACKOFF_MIN_MS);
    lia_test_env_finish(&t);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_pause_grows_to_its_limit),
    cmocka_unit_test(two_peers_pause_differently),
    cmocka_unit_test(a_link_that_lasted_forgets_failures),
};

LIA_TEST_MAIN(tests)
