/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stock is written by increments alone: what a copy shows is what was delivered at first and
 * the sum of the increments that it has seen; at rest, of all that were acknowledged.
 */
#include "sim/check.h"
#include "sim/keepers.h"
#include "sim/past.h"

/* `seen` NULL: of everything. */
static int64_t add_up(const struct sim_world *w,
                      uint32_t doc,
                      const struct lia_vector *seen)
{
    int64_t sum = SIM_ON_HAND;

    for (size_t i = 0; i < w->txn_count; i++) {
        const struct sim_txn *t = &w->txns[i];
        bool is_in =
            seen ? (t->is_certain || t->is_open) && lia_vector_covers(*seen, t->stamp)
                 : t->is_certain;

        for (size_t d = 0; is_in && d < t->count; d++) {
            sum += t->docs[d] == doc ? t->amounts[d] : 0;
        }
    }
    return sum;
}

static bool shows(struct liana_slice body, int64_t expected)
{
    struct lia_value value;

    return lia_bson_find(body, lia_str("onHand"), &value) &&
           lia_value_int64(value) == expected;
}

void sim_stock_check(struct sim_world *w,
                     int n,
                     uint32_t doc,
                     struct lia_vector vector,
                     struct liana_slice body)
{
    /* Where two histories share stamps, vectors do not tell. */
    if (doc < sim_first(1) || doc >= sim_first(2) || w->past ||
        sim_is_forced_out(w, doc) || w->breakage == SIM_BREAK_UNDONE) {
        return;
    }
    if (!shows(body, add_up(w, doc, &vector))) {
        sim_fail(w, "node %d: stock %u is not the sum of what was seen there", n, doc);
    }
}

void sim_stock_check_end(struct sim_world *w, const struct lia_held *held)
{
    for (uint32_t d = sim_first(1); d < sim_first(2); d++) {
        int64_t damage = w->breakage == SIM_BREAK_COUNT;

        if (sim_past_counts(w, d) && !sim_is_forced_out(w, d) &&
            !shows(held[d].doc.body, add_up(w, d, NULL) - damage)) {
            sim_fail(w, "stock %u: an increment was lost, or came twice", d);
        }
    }
}
