/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The join of what stands at one path: of two values, two openings, two sums of one actor.
 *
 * One stamp names one write, unless a store was rolled back or copied and its actor has
 * written twice under one stamp. All peers then agree on one of the two, whichever: every
 * comparison here goes on until nothing is left that differs.
 */
#include "crdt/bounded.h"
#include "crdt/set.h"

static void take_value(struct lia_node *a, const struct lia_node *b)
{
    a->value = b->value;
    a->rank = b->rank;
    a->birth = LIA_MUTANT(4) ? (struct lia_birth){b->rank.stamp, 0} : b->birth;
    a->leaf = b->leaf;
    a->seen = b->seen;
    a->seen_count = b->seen_count;
}

static int compare_seen(const struct lia_node *a, const struct lia_node *b)
{
    int order = (a->seen_count > b->seen_count) - (a->seen_count < b->seen_count);

    for (size_t i = 0; i < a->seen_count && order == 0; i++) {
        const struct lia_seen *x = &a->seen[i];
        const struct lia_seen *y = &b->seen[i];

        order = (x->actor > y->actor) - (x->actor < y->actor);
        order = order ? order : lia_stamp_cmp(x->start, y->start);
        order = order ? order : lia_sum_cmp(x->sum, y->sum);
    }
    return order;
}

static int compare_values(const struct lia_node *a, const struct lia_node *b)
{
    int order = lia_rank_cmp(a->rank, b->rank);

    if (LIA_MUTANT(18) && order == 0) {
        return 0;
    }
    if (order == 0) {
        order = (int)a->value - (int)b->value;
    }
    if (order == 0 && a->value == LIA_VALUE_LEAF) {
        order = (int)a->leaf.type - (int)b->leaf.type;
        order = order ? order : lia_slice_cmp(a->leaf.data, b->leaf.data);
    }
    order = order ? order : compare_seen(a, b);
    order = order ? order : lia_stamp_cmp(a->rank.tag, b->rank.tag);
    return order ? order : lia_birth_cmp(a->birth, b->birth);
}

static void join_value(const struct lia_join *join,
                       const struct lia_trail *trail,
                       struct lia_node *a,
                       const struct lia_node *b)
{
    if (b->value == LIA_VALUE_NONE) {
        return;
    }
    if (a->value == LIA_VALUE_NONE || compare_values(a, b) < 0) {
        lia_join_lose_value(join, trail, a, b);
        take_value(a, b);
    } else {
        lia_join_lose_value(join, trail, b, a);
    }
}

static void join_open(struct lia_node *a, const struct lia_node *b)
{
    int order = lia_rank_cmp(a->open_rank, b->open_rank);

    order = order ? order : lia_stamp_cmp(a->open_rank.tag, b->open_rank.tag);
    order = order ? order : lia_birth_cmp(a->open_birth, b->open_birth);
    if (b->is_open && (!a->is_open || order < 0)) {
        a->is_open = true;
        a->open_rank = b->open_rank;
        a->open_birth = b->open_birth;
    }
}

static int compare_cells(const struct lia_cell *a, const struct lia_cell *b)
{
    int order = lia_rank_cmp(a->rank, b->rank);

    order = order ? order : lia_stamp_cmp(a->start, b->start);
    order = order ? order : lia_sum_cmp(a->sum, b->sum);
    order = order ? order : lia_stamp_cmp(a->rank.tag, b->rank.tag);
    return order ? order : lia_birth_cmp(a->birth, b->birth);
}

static uint64_t cell_actor(const struct lia_cell *cell)
{
    return cell->rank.stamp.actor;
}

/* Of two totals of one actor the newer has the older in it, unless they are of two
 * histories: then neither side has seen both. */
static void lose_cell(const struct lia_join *join,
                      const struct lia_trail *trail,
                      const struct lia_node *node,
                      struct lia_cell *loser,
                      struct lia_rank winner)
{
    const struct lia_entry entry = {.kind = LIA_ENTRY_SUM,
                                    .trail = trail,
                                    .rank = &loser->rank,
                                    .is_loss = true,
                                    .node = node,
                                    .cell = loser};

    if (join->watch && lia_rank_cmp(loser->rank, winner) != 0) {
        lia_join_lose(join, &entry, winner);
    }
}

static bool join_cells(const struct lia_join *join,
                       const struct lia_trail *trail,
                       struct lia_node *a,
                       const struct lia_node *b)
{
    struct lia_work *work = join->work;
    struct lia_cell *cells;
    size_t count = 0;
    size_t i = 0;
    size_t j = 0;

    if (b->cell_count == 0) {
        return true;
    }
    cells = lia_arena_array(work->arena, a->cell_count + b->cell_count, sizeof(*cells));
    if (!cells) {
        work->status = LIANA_ENOMEM;
        return false;
    }
    while (i < a->cell_count || j < b->cell_count) {
        bool from_a =
            j == b->cell_count ||
            (i < a->cell_count && cell_actor(&a->cells[i]) <= cell_actor(&b->cells[j]));
        bool from_b =
            i == a->cell_count ||
            (j < b->cell_count && cell_actor(&b->cells[j]) <= cell_actor(&a->cells[i]));
        bool is_a_newer =
            from_a && (!from_b || compare_cells(&a->cells[i], &b->cells[j]) >= 0);

        if (from_a && from_b) {
            lose_cell(join, trail, is_a_newer ? b : a,
                      is_a_newer ? &b->cells[j] : &a->cells[i],
                      is_a_newer ? a->cells[i].rank : b->cells[j].rank);
        }
        cells[count++] = is_a_newer ? a->cells[i] : b->cells[j];
        i += from_a;
        j += from_b;
    }
    a->cells = cells;
    a->cell_count = count;
    return true;
}

bool lia_node_join_own(const struct lia_join *join,
                       const struct lia_trail *trail,
                       struct lia_node *a,
                       const struct lia_node *b)
{
    join_value(join, trail, a, b);
    join_open(a, b);
    return join_cells(join, trail, a, b) && lia_set_join(join->work, a, b) &&
           lia_bounded_join(join->work, a, b);
}
