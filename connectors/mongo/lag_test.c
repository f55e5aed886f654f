/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mongo/lag.h"

static void test_nothing_yet(void **state)
{
    struct lia_mongo_lag lag = {0};

    (void)state;
    assert_int_equal(lia_mongo_lag_percentile(&lag, 50), 0);
}

static void test_percentiles_are_near(void **state)
{
    struct lia_mongo_lag lag = {0};

    (void)state;
    for (uint64_t ms = 1; ms <= 10000; ms++) {
        lia_mongo_lag_add(&lag, ms);
    }
    for (unsigned percent = 1; percent <= 100; percent++) {
        uint64_t right = percent * 100;
        uint64_t got = lia_mongo_lag_percentile(&lag, percent);

        assert_true(got >= right);
        assert_true(got <= right + right / 4);
    }
    assert_int_equal(lag.max_ms, 10000);
    assert_int_equal(lia_mongo_lag_percentile(&lag, 100), 10000);
}

static void test_small_values_are_exact(void **state)
{
    (void)state;
    for (uint64_t ms = 0; ms < 8; ms++) {
        struct lia_mongo_lag lag = {0};

        lia_mongo_lag_add(&lag, ms);
        lia_mongo_lag_add(&lag, 1000);
        assert_int_equal(lia_mongo_lag_percentile(&lag, 50), ms);
    }
}

static void test_no_value_is_too_large(void **state)
{
    struct lia_mongo_lag lag = {0};

    (void)state;
    lia_mongo_lag_add(&lag, UINT64_MAX);
    assert_true(lia_mongo_lag_percentile(&lag, 50) > 1000000000);
    assert_true(lag.max_ms == UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_yet),
        cmocka_unit_test(test_percentiles_are_near),
        cmocka_unit_test(test_small_values_are_exact),
        cmocka_unit_test(test_no_value_is_too_large),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
