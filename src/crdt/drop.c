/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What leaves a state: the covered, the void, and what a segment need not tell (design
 * page 10, "Cover", "Deleting"; page 40, "segments").
 */
#include "crdt/state.h"

/* ---- cover ---- */

struct lia_rank lia_cover_with(struct lia_rank cover, const struct lia_node *node)
{
    return node->value == LIA_VALUE_NONE ? cover : lia_rank_max(cover, node->rank);
}

struct covering {
    const struct lia_join *join;
    bool is_met; /* the other side has something at the path, too */
    const struct lia_node *node;
    struct lia_rank above;
};

/* A value covers what is inside at its own path too. */
static struct lia_rank cover_of(const struct covering *c, const struct lia_entry *entry)
{
    switch (entry->kind) {
    case LIA_ENTRY_VALUE: return c->above;
    case LIA_ENTRY_SUM: return LIA_MUTANT(2) ? c->above : LIA_RANK_NONE;
    default: return lia_cover_with(c->above, c->node);
    }
}

static bool is_uncovered(void *ctx, const struct lia_entry *entry)
{
    const struct covering *c = ctx;
    struct lia_rank cover = cover_of(c, entry);
    struct lia_rank own = lia_rank_of(entry->rank->life, entry->begun);

    if (!lia_rank_is_covered(LIA_MUTANT(15) ? *entry->rank : own, cover)) {
        return true;
    }
    if (c->is_met || !lia_entry_is_removal(entry)) { /* else it had its way */
        lia_join_lose(c->join, entry, cover);
    }
    return false;
}

void lia_node_cover_own(const struct lia_join *join,
                        const struct lia_trail *trail,
                        struct lia_node *node,
                        struct lia_rank cover)
{
    struct covering c = {join, true, node, cover};

    lia_node_each(node, trail, is_uncovered, &c);
}

static bool run_cover(const struct lia_join *join,
                      const struct lia_trail *trail,
                      struct lia_piece *run,
                      struct lia_rank cover)
{
    const struct lia_entry entry = {.kind = LIA_ENTRY_RUN,
                                    .trail = trail,
                                    .rank = &run->rank,
                                    .is_loss = true,
                                    .bytes = run->bytes};

    if (!lia_rank_is_covered(run->rank, cover)) {
        return true;
    }
    lia_join_lose(join, &entry, cover);
    return false;
}

bool lia_piece_cover(const struct lia_join *join,
                     const struct lia_trail *trail,
                     struct lia_piece *piece,
                     struct lia_rank cover)
{
    struct lia_trail here = {trail, {NULL, 0}};

    if (!piece->node) {
        return run_cover(join, trail, piece, cover);
    }
    here.name = piece->node->name;
    lia_node_cover(join, &here, piece->node, cover);
    return !lia_node_is_empty(piece->node);
}

void lia_node_cover(const struct lia_join *join,
                    const struct lia_trail *trail,
                    struct lia_node *node,
                    struct lia_rank cover)
{
    struct covering c = {join, false, node, cover};
    struct lia_piece **link = &node->children;

    lia_node_each(node, trail, is_uncovered, &c);
    cover = lia_cover_with(cover, node);
    while (*link) {
        if (lia_piece_cover(join, trail, *link, cover)) {
            link = &(*link)->next;
        } else {
            *link = (*link)->next;
        }
    }
}

/* ---- lives ---- */

struct voiding {
    const struct lia_join *join;
    struct lia_stamp deleted;
};

static bool is_alive(void *ctx, const struct lia_entry *entry)
{
    const struct voiding *v = ctx;

    if (lia_stamp_cmp(LIA_MUTANT(9) ? entry->rank->stamp : entry->rank->life,
                      v->deleted) > 0) {
        return true;
    }
    lia_join_lose_life(v->join, entry, v->deleted);
    return false;
}

void lia_node_void(const struct lia_join *join,
                   struct lia_node *node,
                   struct lia_stamp deleted)
{
    struct voiding v = {join, deleted};

    LIA_IGNORE(lia_node_filter(node, NULL, is_alive, &v)); /* a root may be empty */
}

static bool count_written(void *ctx, const struct lia_entry *entry)
{
    struct lia_stamp *newest = ctx;

    if (!LIA_MUTANT(19) && lia_stamp_cmp(entry->written, *newest) > 0) {
        *newest = entry->written;
    }
    return true;
}

struct lia_stamp lia_node_newest(struct lia_node *node, struct lia_stamp least)
{
    LIA_IGNORE(lia_node_filter(node, NULL, count_written, &least)); /* all stay */
    return least;
}

struct lia_stamp lia_state_newest(struct lia_state *state)
{
    return lia_node_newest(&state->root, state->created);
}

bool lia_state_is_hidden(struct lia_state *state)
{
    if (lia_stamp_is_none(state->created) ||
        lia_stamp_cmp(state->created, state->withdrawn) > 0) {
        return false;
    }
    return lia_stamp_cmp(lia_state_newest(state), state->withdrawn) <= 0;
}

/* ---- tags ---- */

struct retagging {
    const struct lia_retag *how;
    bool is_changed;
};

static void retag(struct retagging *r, struct lia_stamp *tag)
{
    if (!LIA_MUTANT(16) && tag->actor == r->how->actor && tag->hlc > r->how->beyond) {
        *tag = r->how->tag;
        r->is_changed = true;
    }
}

static bool retag_entry(void *ctx, const struct lia_entry *entry)
{
    retag(ctx, &entry->rank->tag);
    return true;
}

bool lia_state_retag(struct lia_state *state, const struct lia_retag *how)
{
    struct retagging r = {how, false};

    LIA_IGNORE(lia_node_filter(&state->root, NULL, retag_entry, &r)); /* all stay */
    retag(&r, &state->created_tag);
    if (!LIA_MUTANT(21)) {
        retag(&r, &state->deleted_tag);
        retag(&r, &state->withdrawn_tag);
    }
    return r.is_changed;
}

/* ---- segments ---- */

static bool is_beyond(void *ctx, const struct lia_entry *entry)
{
    const struct lia_vector *from = ctx;

    return !lia_vector_covers(*from, entry->rank->tag);
}

void lia_state_cut(struct lia_state *state, struct lia_vector from)
{
    if (from.count == 0) {
        return;
    }
    LIA_IGNORE(
        lia_node_filter(&state->root, NULL, is_beyond, &from)); /* may be empty */
    if (lia_vector_covers(from, state->created_tag)) {
        state->id = (struct liana_slice){NULL, 0};
    }
}
