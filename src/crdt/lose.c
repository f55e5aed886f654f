/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Telling what a join discards (design page 10, "Conflicts are visible").
 */
#include "crdt/set.h"

/* Who knew the winner before the join. */
struct known {
    bool by_a;
    bool by_b;
};

/* Neither side had seen both: the loser came from one, the winner from the other. */
static bool is_conflict(const struct lia_join *join,
                        struct lia_stamp loser,
                        struct known winner)
{
    return (!lia_vector_covers(join->b, loser) && !winner.by_a) ||
           (!lia_vector_covers(join->a, loser) && !winner.by_b);
}

static void tell(const struct lia_join *join,
                 const struct lia_trail *trail,
                 struct lia_loser loser)
{
    if (lia_trail_path(join->work, trail, &loser.path)) {
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

/* What the sum adds to the value that it stands beside. */
static void tell_sum(const struct lia_join *join,
                     const struct lia_entry *entry,
                     struct lia_loser loser)
{
    struct lia_scratch scratch;
    struct lia_sum sum;

    if (lia_cell_unseen(entry->node, entry->cell, &sum)) {
        loser.value = lia_sum_show(sum, &scratch);
        tell(join, entry->trail, loser);
    }
}

/* ---- what was not lost ----
 *
 * Nobody misses what is there all the same: a value that the winner assigned, too; a removal
 * where nothing is. And of a write that begins a map or a set, its fields or elements are
 * told, not the beginning. */

static bool has_write_in_set(const struct lia_set *set, struct lia_stamp stamp)
{
    if (set->is_open && lia_stamp_cmp(set->open_rank.stamp, stamp) == 0) {
        return true;
    }
    for (size_t i = 0; i < set->count; i++) {
        const struct lia_element *e = &set->elements[i];

        for (size_t j = 0; j < e->slot_count; j++) {
            if (lia_stamp_cmp(e->slots[j].rank.stamp, stamp) == 0) {
                return true;
            }
        }
    }
    return false;
}

/* As deep as documents are. */
static bool has_write_inside(const struct lia_node *node, struct lia_stamp stamp)
{
    bool is_any = (node->is_open && lia_stamp_cmp(node->open_rank.stamp, stamp) == 0) ||
                  (node->set && has_write_in_set(node->set, stamp));

    for (const struct lia_piece *p = node->children; p && !is_any; p = p->next) {
        struct lia_rank rank = p->node ? p->node->rank : p->rank;

        is_any = lia_stamp_cmp(rank.stamp, stamp) == 0 ||
                 (p->node && has_write_inside(p->node, stamp));
    }
    return is_any;
}

/* A `{}` or a removal at the start of what one write put at the path. */
static bool is_beginning(const struct lia_node *node)
{
    return (node->value == LIA_VALUE_REMOVED || node->value == LIA_VALUE_MAP) &&
           has_write_inside(node, node->rank.stamp);
}

static bool says_the_same(const struct lia_node *loser, const struct lia_node *winner)
{
    if (is_beginning(winner)) {
        return false;
    }
    switch (loser->value) {
    case LIA_VALUE_LEAF:
        return winner->value == LIA_VALUE_LEAF &&
               lia_value_equal(loser->leaf, winner->leaf);
    case LIA_VALUE_MAP: return winner->value == LIA_VALUE_MAP;
    default:
        return winner->value == LIA_VALUE_REMOVED || winner->value == LIA_VALUE_GONE;
    }
}

static void lose(const struct lia_join *join,
                 const struct lia_entry *loser,
                 struct lia_stamp winner,
                 struct known known)
{
    struct lia_loser told;

    if (!loser->is_loss || !is_conflict(join, loser->rank->tag, known) ||
        (loser->kind == LIA_ENTRY_VALUE && is_beginning(loser->node))) {
        return;
    }
    told = (struct lia_loser){
        .value = loser->value, .stamp = loser->rank->stamp, .winner = winner};
    switch (loser->kind) {
    case LIA_ENTRY_RUN: tell_run(join, loser, told); break;
    case LIA_ENTRY_SUM: tell_sum(join, loser, told); break;
    default: tell(join, loser->trail, told); break;
    }
}

void lia_join_lose(const struct lia_join *join,
                   const struct lia_entry *loser,
                   struct lia_rank winner)
{
    if (join && join->watch) {
        const struct known known = {lia_vector_covers(join->a, winner.tag),
                                    lia_vector_covers(join->b, winner.tag)};

        lose(join, loser, winner.stamp, known);
    }
}

void lia_join_lose_value(const struct lia_join *join,
                         const struct lia_trail *trail,
                         const struct lia_node *loser,
                         const struct lia_node *winner)
{
    if (join->watch && loser->value != LIA_VALUE_NONE &&
        lia_rank_cmp(loser->rank, winner->rank) != 0 && !is_beginning(loser) &&
        !says_the_same(loser, winner)) {
        struct lia_node alone = {
            .value = loser->value, .rank = loser->rank, .leaf = loser->leaf};

        lia_node_cover_own(join, trail, &alone, winner->rank);
    }
}

/* A delete that its side had known would have taken it before. A removal has its way. */
void lia_join_lose_life(const struct lia_join *join,
                        const struct lia_entry *loser,
                        struct lia_stamp deleted)
{
    if (join && join->watch && !lia_entry_is_removal(loser)) {
        lose(join, loser, deleted, (struct known){false, false});
    }
}

/* ---- what stays, unseen ----
 *
 * Entries of another kind than the one shown, sums beside what is no number, and all
 * under a delete that updates win over: nobody sees them, perhaps never again. */

struct hiding {
    const struct lia_join *join;
    const struct lia_node *node; /* whose own entries may be shown */
    const struct lia_trail *trail;
    struct lia_rank by;
};

/* Of the node's own entries, one that it does not show. */
static bool is_hidden(const struct lia_node *node, const struct lia_entry *entry)
{
    enum lia_shown shown = node->view.shown;

    switch (entry->kind) {
    case LIA_ENTRY_VALUE:
        return shown != (node->value == LIA_VALUE_MAP ? LIA_SHOWN_MAP : LIA_SHOWN_LEAF);
    case LIA_ENTRY_SUM:
        return shown != LIA_SHOWN_LEAF ||
               (node->value == LIA_VALUE_LEAF && !lia_value_is_number(node->leaf));
    case LIA_ENTRY_SLOT: return shown != LIA_SHOWN_SET;
    case LIA_ENTRY_SHARE: return shown != LIA_SHOWN_BOUNDED;
    default: return false;
    }
}

static bool lose_hidden(void *ctx, const struct lia_entry *entry)
{
    const struct hiding *h = ctx;
    bool is_own = entry->trail == h->trail && entry->kind != LIA_ENTRY_RUN;

    if (!lia_entry_is_removal(entry) && (!is_own || is_hidden(h->node, entry))) {
        lia_join_lose(h->join, entry, h->by);
    }
    return true;
}

/* `cover`: the greatest rank of the values above. */
static void lose_unshown(const struct lia_join *join,
                         const struct lia_trail *trail,
                         struct lia_node *node,
                         struct lia_rank cover)
{
    struct hiding h = {join, node, trail, lia_cover_with(cover, node)};

    cover = h.by;
    if (lia_rank_cmp(node->view.shown_by, LIA_RANK_NONE) != 0) {
        h.by = node->view.shown_by;
    }
    if (node->view.shown != LIA_SHOWN_MAP && trail) {
        LIA_IGNORE(lia_node_filter(node, trail, lose_hidden, &h)); /* all stay */
        return;
    }
    lia_node_each(node, trail, lose_hidden, &h);
    for (struct lia_piece *p = node->children; p; p = p->next) {
        if (p->node) {
            const struct lia_trail below = {trail, p->node->name};

            lose_unshown(join, &below, p->node, cover);
        }
    }
}

/* All under a delete over which updates win; it may take effect at a stamp that was known
 * before the delete was. */
struct withdrawing {
    const struct lia_join *join;
    struct lia_stamp at;
    struct known known;
};

static bool lose_withdrawn(void *ctx, const struct lia_entry *entry)
{
    const struct withdrawing *w = ctx;

    if (!lia_entry_is_removal(entry)) {
        lose(w->join, entry, w->at, w->known);
    }
    return true;
}

static void lose_all(const struct lia_join *join, struct lia_state *state)
{
    struct withdrawing w = {
        .join = join,
        .at = state->withdrawn,
        .known = {lia_stamp_cmp(join->withdrawn_a, state->withdrawn) >= 0,
                  lia_stamp_cmp(join->withdrawn_b, state->withdrawn) >= 0}};

    LIA_IGNORE(lia_node_filter(&state->root, NULL, lose_withdrawn, &w)); /* all stay */
}

void lia_join_lose_hidden(const struct lia_join *join, struct lia_state *state)
{
    if (LIA_MUTANT(20) || !join->watch || lia_stamp_is_none(state->created) ||
        !lia_view(join->work, &state->root, LIA_RANK_NONE)) {
        return;
    }
    if (lia_state_is_hidden(state)) {
        lose_all(join, state);
    } else {
        lose_unshown(join, NULL, &state->root, LIA_RANK_NONE);
    }
}
