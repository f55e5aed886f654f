/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The merge law on generated histories, against the model (crdt/testing/history.h).
 * LIANA_SEED repeats a run, LIANA_EFFORT makes it longer. A hundred thousand histories,
 * fewer where sanitizers look on; `make long` runs a hundred times as many.
 */
#include <stdio.h>

#include "base/testing/random.h"
#include "base/testing/test.h"
#include "crdt/testing/history.h"

static void histories_obey_the_law(void **state)
{
    uint64_t seed = lia_test_seed("histories_obey_the_law");
    struct lia_rng rng = lia_rng(seed);
    size_t count = lia_test_cases(LIA_TEST_IS_SANITIZED ? 30000 : 100000);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        struct history h = history_random(lia_rng_next(&rng));
        const char *why = history_run(&h, false);

        if (why) {
            print_error("history %zu of seed %lu: %s\n", i, (unsigned long)seed, why);
            h = history_shrink(h);
            why = history_run(&h, true);
            fail_msg("%zu steps are left: %s", h.count, why ? why : "no failure?");
        }
    }
    census_tell(history_census());
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(histories_obey_the_law),
};

LIA_TEST_MAIN(tests)
