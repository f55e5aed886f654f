/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a path shows, and the smallest birth left at or below it (design page 10, "What a
 * path shows", "Numbers and counters", "Order of fields").
 */
#include "crdt/bounded.h"
#include "crdt/set.h"

static bool is_number(const struct lia_node *node)
{
    return node->value == LIA_VALUE_LEAF && lia_value_is_number(node->leaf);
}

/* A sum shows by itself only where no value is newer, nor a number carries it. */
static bool is_live(const struct lia_node *node,
                    const struct lia_cell *cell,
                    struct lia_rank cover)
{
    return !is_number(node) && lia_rank_cmp(cell->rank, cover) > 0;
}

static bool has_live_cell(const struct lia_node *node, struct lia_rank cover)
{
    for (size_t i = 0; i < node->cell_count; i++) {
        if (is_live(node, &node->cells[i], cover)) {
            return true;
        }
    }
    return false;
}

/* The seen sum of an actor, from the `*at`th on: both lists are by actor. */
static const struct lia_seen *next_seen(const struct lia_node *node,
                                        uint64_t actor,
                                        size_t *at)
{
    while (*at < node->seen_count && node->seen[*at].actor < actor) {
        (*at)++;
    }
    return *at < node->seen_count && node->seen[*at].actor == actor ? &node->seen[*at]
                                                                    : NULL;
}

/* What the value has not seen of a sum; false if that is nothing. */
static bool unseen(const struct lia_cell *cell,
                   const struct lia_seen *seen,
                   struct lia_sum *out)
{
    int order = seen ? lia_stamp_cmp(cell->start, seen->start) : 1;

    if (LIA_MUTANT(7) && seen) {
        order = 0;
    }
    if (order < 0 || (order == 0 && lia_sum_equal(cell->sum, seen->sum))) {
        return false;
    }
    *out = order > 0 ? cell->sum : lia_sum_subtract(cell->sum, seen->sum);
    return true;
}

bool lia_cell_unseen(const struct lia_node *node,
                     const struct lia_cell *cell,
                     struct lia_sum *out)
{
    size_t at = 0;

    return unseen(cell, next_seen(node, cell->rank.stamp.actor, &at), out);
}

static bool show_sum(struct lia_work *work, struct lia_node *node, struct lia_sum sum)
{
    struct lia_scratch *scratch = LIA_ARENA_NEW(work->arena, struct lia_scratch);

    if (!scratch) {
        work->status = LIANA_ENOMEM;
        return false;
    }
    node->view.leaf = lia_sum_show(sum, scratch);
    node->view.is_clamped = lia_sum_is_clamped(sum);
    return true;
}

/* The value, if it is a number, and what it has not seen, in the order of actors. */
static bool show_number(struct lia_work *work, struct lia_node *node)
{
    struct lia_sum total = is_number(node) ? lia_sum_of(node->leaf) : lia_sum_zero();
    bool is_computed = !is_number(node);
    size_t at = 0;

    node->view.shown = LIA_SHOWN_LEAF;
    for (size_t i = 0; i < node->cell_count; i++) {
        const struct lia_cell *cell =
            &node->cells[LIA_MUTANT(14) ? node->cell_count - 1 - i : i];
        struct lia_sum more;

        at = LIA_MUTANT(14) ? 0 : at;
        if (unseen(cell, next_seen(node, cell->rank.stamp.actor, &at), &more)) {
            total = lia_sum_add(total, more);
            is_computed = true;
        }
    }
    if (is_computed) {
        return show_sum(work, node, total);
    }
    node->view.leaf = node->leaf;
    node->view.is_leaf_of_value = true;
    return true;
}

static bool show(struct lia_work *work, struct lia_node *node, bool has_live)
{
    switch (node->value) {
    case LIA_VALUE_MAP: node->view.shown = LIA_SHOWN_MAP; return true;
    case LIA_VALUE_LEAF:
        if (!is_number(node)) {
            node->view.shown = LIA_SHOWN_LEAF;
            node->view.leaf = node->leaf;
            node->view.is_leaf_of_value = true;
            return true;
        }
        return show_number(work, node);
    default: return !has_live || show_number(work, node);
    }
}

/* ---- inside entries ---- */

/* The newest of a kind at a path; a rank of none: there is none of it. */
struct inside {
    struct lia_view *view;
    struct lia_rank newest;
};

static void count(struct lia_view *view, struct lia_rank rank, struct lia_birth birth)
{
    view->is_inside = true;
    view->birth = lia_birth_min(view->birth, birth);
    view->newest = lia_rank_max(view->newest, rank);
}

static void count_own(struct lia_node *node, struct lia_rank cover)
{
    if (node->value == LIA_VALUE_REMOVED ? !LIA_MUTANT(3)
                                         : node->value > LIA_VALUE_GONE) {
        count(&node->view, node->rank, node->birth);
    }
    if (LIA_MUTANT(6) && node->value == LIA_VALUE_GONE) {
        count(&node->view, node->rank, LIA_BIRTH_NEVER);
    }
    for (size_t i = 0; i < node->cell_count; i++) {
        if (is_live(node, &node->cells[i], cover)) {
            count(&node->view, node->cells[i].rank, node->cells[i].birth);
        }
    }
}

static void count_inside(struct inside *inside,
                         struct lia_rank rank,
                         struct lia_birth birth)
{
    count(inside->view, rank, birth);
    inside->newest = lia_rank_max(inside->newest, rank);
}

static bool count_entry(void *ctx, const struct lia_entry *entry)
{
    count_inside(ctx, *entry->rank, *entry->birth);
    return true;
}

static bool view_children(struct lia_work *work,
                          struct lia_node *node,
                          struct lia_rank cover,
                          struct inside *map)
{
    for (struct lia_piece *p = node->children; p; p = p->next) {
        if (!p->node) {
            count_inside(map, p->rank, lia_run_birth(p));
            continue;
        }
        if (!lia_view(work, p->node, cover)) {
            return false;
        }
        if (p->node->view.is_inside) {
            count_inside(map, p->node->view.newest, p->node->view.birth);
        }
    }
    return true;
}

/* The kind of the newest inside entry, a map before a set before a bounded counter; a
 * rank of none: there is none of the kind. */
static void show_container(struct lia_node *node,
                           struct lia_rank map,
                           struct lia_rank set,
                           struct lia_rank bounded)
{
    struct lia_rank newest = lia_rank_max(map, lia_rank_max(set, bounded));

    if (lia_rank_cmp(newest, LIA_RANK_NONE) == 0) {
        return;
    }
    if (LIA_MUTANT(12) ? lia_rank_cmp(map, LIA_RANK_NONE) > 0
                       : lia_rank_cmp(map, newest) == 0) {
        node->view.shown = LIA_SHOWN_MAP;
    } else {
        node->view.shown =
            lia_rank_cmp(set, newest) == 0 ? LIA_SHOWN_SET : LIA_SHOWN_BOUNDED;
    }
    node->view.shown_by = newest;
}

static bool show_bounded(struct lia_work *work, struct lia_node *node)
{
    struct lia_sum sum = {.type = LIA_BSON_INT64};

    sum.integer = lia_bounded_value(node->bounded);
    return show_sum(work, node, sum);
}

bool lia_view(struct lia_work *work, struct lia_node *node, struct lia_rank cover)
{
    struct inside map = {&node->view, LIA_RANK_NONE};
    struct inside set = map;
    struct inside bounded = map;

    if (node->value != LIA_VALUE_NONE) {
        cover = lia_rank_max(cover, node->rank);
    }
    node->view = (struct lia_view){.birth = LIA_BIRTH_NEVER, .newest = LIA_RANK_NONE};
    if (!view_children(work, node, cover, &map)) {
        return false;
    }
    count_own(node, cover);
    if (node->is_open) {
        count_inside(&map, node->open_rank, node->open_birth);
    }
    if (node->set) {
        lia_set_each(node, NULL, count_entry, &set);
    }
    if (node->bounded) {
        lia_bounded_each(node, NULL, count_entry, &bounded);
    }
    show_container(node, map.newest, set.newest, bounded.newest);
    switch (node->view.shown) {
    case LIA_SHOWN_NOTHING: return show(work, node, has_live_cell(node, cover));
    case LIA_SHOWN_BOUNDED: return show_bounded(work, node);
    default: return true;
    }
}
