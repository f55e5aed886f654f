/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Telling what a join discards (design page 10, "Conflicts are visible").
 */
#include "crdt/state.h"

/* Neither side had seen both: the loser came from one, the winner from the other. */
static bool is_conflict(const struct lia_join *join,
                        struct lia_stamp loser,
                        struct lia_stamp winner)
{
    return (!lia_vector_covers(join->b, loser) &&
            !lia_vector_covers(join->a, winner)) ||
           (!lia_vector_covers(join->a, loser) && !lia_vector_covers(join->b, winner));
}

/* The names of a trail from the root on; false when memory runs out, which is the join's
 * failure too. */
static bool walk_back(struct lia_work *work,
                      const struct lia_trail *trail,
                      struct lia_path *out)
{
    struct liana_str *names;
    size_t count = 0;

    for (const struct lia_trail *t = trail; t; t = t->up) {
        count++;
    }
    names = lia_arena_array(work->arena, count, sizeof(*names));
    if (!names) {
        work->status = LIANA_ENOMEM;
        return false;
    }
    *out = (struct lia_path){names, count};
    for (const struct lia_trail *t = trail; t; t = t->up) {
        names[--count] = t->name;
    }
    return true;
}

static void tell(const struct lia_join *join,
                 const struct lia_trail *trail,
                 struct lia_loser loser)
{
    if (walk_back(join->work, trail, &loser.path)) {
        join->watch->lost(join->watch->ctx, &loser);
    }
}

/* A run is told element by element. */
static void tell_run(const struct lia_join *join,
                     const struct lia_entry *run,
                     struct lia_loser loser)
{
    struct lia_bson_iter it = {.at = run->bytes.ptr,
                               .end = run->bytes.ptr + run->bytes.len};

    while (lia_bson_next(&it)) {
        const struct lia_trail below = {run->trail, it.name};

        loser.value = it.value;
        tell(join, &below, loser);
    }
}

void lia_join_lose(const struct lia_join *join,
                   const struct lia_entry *loser,
                   struct lia_stamp winner,
                   struct lia_stamp winner_tag)
{
    struct lia_loser told;

    if (!join || !join->watch || !loser->is_loss ||
        !is_conflict(join, loser->rank->tag, winner_tag)) {
        return;
    }
    told = (struct lia_loser){
        .value = loser->value, .stamp = loser->rank->stamp, .winner = winner};
    if (loser->kind == LIA_ENTRY_RUN) {
        tell_run(join, loser, told);
    } else {
        tell(join, loser->trail, told);
    }
}
