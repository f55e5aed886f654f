/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stores may drop, on generated histories (crdt/testing/keep_history.h).
 * LIANA_SEED repeats a run, LIANA_EFFORT makes it longer. A hundred thousand histories,
 * fewer where sanitizers look on; `make long` runs a hundred times as many.
 */
#include <stdio.h>

#include "base/testing/random.h"
#include "base/testing/test.h"
#include "crdt/testing/keep_history.h"

static void nothing_is_lost_returns_or_differs(void **state)
{
    uint64_t seed = lia_test_seed("nothing_is_lost_returns_or_differs");
    struct lia_rng rng = lia_rng(seed);
    size_t count = lia_test_cases(LIA_TEST_IS_SANITIZED ? 20000 : 100000);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        struct keep_history h = keep_history_random(lia_rng_next(&rng));
        const char *why = keep_history_run(&h, false);

        if (why) {
            print_error("history %zu of seed %lu: %s\n", i, (unsigned long)seed, why);
            h = keep_history_shrink(h);
            why = keep_history_run(&h, true);
            fail_msg("%zu steps are left: %s", h.count, why ? why : "no failure?");
        }
    }
    census_tell(keep_history_census());
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(nothing_is_lost_returns_or_differs),
};

LIA_TEST_MAIN(tests)
