/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include <stdlib.h>

#include "base/testing/random.h"

/* The numbers must not change: seeds in bug reports and sim/seeds name histories by
 * them. Known values of xoshiro256** after splitmix64(1). */
static void a_seed_names_its_numbers_for_ever(void **state)
{
    struct lia_rng rng = lia_rng(1);

    (void)state;
    assert_true(lia_rng_next(&rng) == UINT64_C(0xb3f2af6d0fc710c5));
    assert_true(lia_rng_next(&rng) == UINT64_C(0x853b559647364cea));
}

static void below_is_below_and_reaches_all(void **state)
{
    struct lia_rng rng = lia_rng(7);
    unsigned seen[10] = {0};

    (void)state;
    for (int i = 0; i < 10000; i++) {
        uint64_t v = lia_rng_below(&rng, 10);

        assert_in_range(v, 0, 9);
        seen[v]++;
    }
    for (int i = 0; i < 10; i++) {
        assert_in_range(seen[i], 800, 1200);
    }
    assert_int_equal(lia_rng_below(&rng, 1), 0);
}

static void between_holds_both_ends(void **state)
{
    struct lia_rng rng = lia_rng(7);
    bool low = false;
    bool high = false;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        int64_t v = lia_rng_between(&rng, -2, 2);

        assert_true(v >= -2 && v <= 2);
        low = low || v == -2;
        high = high || v == 2;
    }
    assert_true(low && high);
    (void)lia_rng_between(&rng, INT64_MIN, INT64_MAX);
    assert_true(lia_rng_between(&rng, INT64_MAX, INT64_MAX) == INT64_MAX);
}

static void edgy_numbers_hold_the_edges(void **state)
{
    struct lia_rng rng = lia_rng(7);
    bool zero = false;
    bool max = false;
    bool top = false;

    (void)state;
    for (int i = 0; i < 10000; i++) {
        uint64_t v = lia_rng_edgy(&rng);

        zero = zero || v == 0;
        max = max || v == UINT64_MAX;
        top = top || v == UINT64_C(1) << 63;
    }
    assert_true(zero && max && top);
}

static void the_environment_decides(void **state)
{
    (void)state;
    assert_int_equal(setenv("LIANA_SEED", "0x2a", 1), 0);
    assert_int_equal(lia_test_seed("the_environment_decides"), 42);
    assert_int_equal(unsetenv("LIANA_SEED"), 0);
    assert_int_equal(lia_test_seed("the_environment_decides"), 1);
    assert_int_equal(setenv("LIANA_EFFORT", "3", 1), 0);
    assert_int_equal(lia_test_cases(100), 300);
    assert_int_equal(unsetenv("LIANA_EFFORT"), 0);
    assert_int_equal(lia_test_cases(100), 100);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(a_seed_names_its_numbers_for_ever),
    cmocka_unit_test(below_is_below_and_reaches_all),
    cmocka_unit_test(between_holds_both_ends),
    cmocka_unit_test(edgy_numbers_hold_the_edges),
    cmocka_unit_test(the_environment_decides),
};

LIA_TEST_MAIN(cases)
