/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bounded counters, by nothing but addition: what was put in, added and taken away, by those
 * whose life no delete has ended.
 */
#include "sim/oracle.h"

bool sim_is_seats(uint32_t doc)
{
    return doc >= sim_first(3);
}

struct total {
    int64_t amount;
    int64_t bound;
    bool has_delete;
};

static bool is_in(const struct lia_vector *within, const struct sim_write *x)
{
    return !within || lia_vector_covers(*within, x->tag);
}

/* Of the writes that the vector names; of all of them. */
static struct total add_up(const struct sim_world *w,
                           uint32_t doc,
                           const struct lia_vector *within)
{
    const struct sim_oracle *o = w->oracle;
    struct lia_stamp deleted = LIA_STAMP_NONE;
    struct total total = {0};

    for (size_t i = 0; i < o->count; i++) {
        const struct sim_write *x = &o->writes[i];

        if (x->doc == doc && x->is_delete && is_in(within, x) &&
            sim_write_is_alive(w, x) && lia_stamp_cmp(x->stamp, deleted) > 0) {
            deleted = x->stamp;
            total.has_delete = true;
        }
    }
    for (size_t i = 0; i < o->count; i++) {
        const struct sim_write *x = &o->writes[i];

        if (x->doc == doc && is_in(within, x) && sim_write_is_alive(w, x) &&
            lia_stamp_cmp(x->life, deleted) > 0) {
            total.amount += x->amount;
            total.bound += x->is_creation ? SIM_SEATS_LEFT : 0;
        }
    }
    return total;
}

void sim_seats_shown(struct sim_world *w,
                     int node,
                     uint32_t doc,
                     struct lia_vector vector,
                     struct liana_slice body)
{
    struct lia_value shown;
    struct total total;
    int64_t left;

    if (!sim_is_seats(doc) || !body.len) {
        return;
    }
    total = add_up(w, doc, &vector);
    if (!lia_bson_find(body, lia_str("n"), &shown)) {
        sim_fail(w, "node %d: seats %u are not there", node, doc);
    }
    left = lia_value_int64(shown) + (w->breakage == SIM_BREAK_SUM);
    left = w->breakage == SIM_BREAK_OVERSOLD ? total.bound - 1 : left;
    if (left < total.bound) {
        sim_fail(w, "node %d: seats %u are %lld, below the bound %lld", node, doc,
                 (long long)left, (long long)total.bound);
    }
    /* A share that is spent goes with the creation that it is a part of, whoever spent it:
     * where one life has ended and another not, the sum is the model's to say. */
    if (!total.has_delete && !sim_is_lawless(w) && left != total.amount) {
        sim_fail(w, "node %d: seats %u are %lld, not the sum %lld", node, doc,
                 (long long)left, (long long)total.amount);
    }
}

void sim_seats_written(struct sim_world *w, uint32_t doc)
{
    struct total total = add_up(w, doc, NULL);

    if (!total.has_delete && total.amount < total.bound) {
        sim_fail(w, "seats %u: all stores together are %lld, below the bound %lld", doc,
                 (long long)total.amount, (long long)total.bound);
    }
}
