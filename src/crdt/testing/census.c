/* SPDX-License-Identifier: Apache-2.0 */
#include "crdt/testing/census.h"

#include <stdio.h>

#include "base/testing/test.h"

#define HISTORIES_MIN 1000

void census_add(struct census *c, uint64_t met)
{
    c->histories++;
    for (size_t i = 0; i < c->kind_count; i++) {
        c->with[i] += met >> i & 1;
    }
}

void census_tell(const struct census *c)
{
    size_t rare = 0;

    printf("of %llu histories\n", (unsigned long long)c->histories);
    for (size_t i = 0; i < c->kind_count; i++) {
        const struct census_kind *kind = &c->kinds[i];
        bool is_rare = c->with[i] * 10000 < kind->of_10000_min * c->histories;

        printf("%10llu %5.1f %%  %s%s\n", (unsigned long long)c->with[i],
               100.0 * (double)c->with[i] / (double)(c->histories ? c->histories : 1),
               kind->name, is_rare ? ": too rare" : "");
        rare += is_rare;
    }
    assert_true(rare == 0 || c->histories < HISTORIES_MIN);
}
