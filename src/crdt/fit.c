/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A merge may make a document larger than a document can be (design page 10, "Document").
 * Then values are left out of the body, those of the least rank first, until it fits; of
 * equal rank those that appeared last. They stay in the clock.
 */
#include <stdlib.h>

#include "crdt/state.h"

struct candidate {
    struct lia_node *node;
    size_t place; /* in the body */
};

struct candidates {
    struct candidate *entries; /* NULL: they are only counted */
    size_t count;
};

static int compare(const void *a, const void *b)
{
    const struct candidate *x = a;
    const struct candidate *y = b;
    int order = lia_rank_cmp(x->node->view.newest, y->node->view.newest);

    order = order ? order : lia_birth_cmp(y->node->view.birth, x->node->view.birth);
    return order ? order : (x->place < y->place) - (x->place > y->place);
}

/* Everything a node: there is much to leave out, and each value by itself. */
static bool expand(struct lia_work *work, struct lia_node *map)
{
    if (!lia_node_split(work, map)) {
        return false;
    }
    for (struct lia_piece *p = map->children; p; p = p->next) {
        if (p->node && p->node->view.shown != LIA_SHOWN_MAP) {
            continue;
        }
        if ((!p->node && !lia_piece_expand(work, p)) || !expand(work, p->node)) {
            return false;
        }
    }
    return true;
}

static void gather(struct candidates *c, const struct lia_node *map)
{
    for (const struct lia_piece *p = map->children; p; p = p->next) {
        switch (p->node->view.shown) {
        case LIA_SHOWN_NOTHING: break;
        case LIA_SHOWN_MAP: gather(c, p->node); break;
        default:
            if (c->entries) {
                c->entries[c->count] = (struct candidate){p->node, c->count};
            }
            c->count++;
        }
    }
}

static bool view_again(struct lia_work *work, struct lia_state *state)
{
    if (!expand(work, &state->root) || !lia_view(work, &state->root, LIA_RANK_NONE)) {
        return false;
    }
    state->root.view.shown = LIA_SHOWN_MAP;
    return lia_arrange(work, &state->root);
}

bool lia_fit(struct lia_work *work, struct lia_state *state, size_t bytes)
{
    struct candidates c = {NULL, 0};
    size_t left;

    if (!view_again(work, state)) {
        return false;
    }
    left = lia_body_size(state);
    gather(&c, &state->root);
    c.entries = lia_arena_array(work->arena, c.count, sizeof(*c.entries));
    if (!c.entries) {
        work->status = LIANA_ENOMEM;
        return false;
    }
    c.count = 0;
    gather(&c, &state->root);
    if (c.count > 1) {
        qsort(c.entries, c.count, sizeof(*c.entries), compare);
    }
    for (size_t i = 0; i < c.count && left > bytes; i++) {
        left -= c.entries[i].node->size;
        c.entries[i].node->view.shown = LIA_SHOWN_NOTHING;
        c.entries[i].node->view.is_left_out = true;
    }
    return lia_arrange(work, &state->root);
}
