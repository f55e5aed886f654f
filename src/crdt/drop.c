/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What leaves a state: the covered, the void, and what a segment need not tell (design
 * page 10, "Cover", "Deleting"; page 40, "segments").
 */
#include "crdt/state.h"

static void drop_value(struct lia_node *node)
{
    node->value = LIA_VALUE_NONE;
    node->rank = LIA_RANK_NONE;
    node->seen_count = 0;
}

/* ---- cover ---- */

struct lia_rank lia_cover_with(struct lia_rank cover, const struct lia_node *node)
{
    return node->value == LIA_VALUE_NONE ? cover : lia_rank_max(cover, node->rank);
}

void lia_node_cover_own(struct lia_node *node, struct lia_rank cover)
{
    if (node->value != LIA_VALUE_NONE && lia_rank_is_covered(node->rank, cover)) {
        drop_value(node);
    }
    if (node->is_open &&
        lia_rank_is_covered(node->open_rank, lia_cover_with(cover, node))) {
        node->is_open = false;
    }
    if (LIA_MUTANT(2)) {
        size_t kept = 0;

        for (size_t i = 0; i < node->cell_count; i++) {
            if (!lia_rank_is_covered(node->cells[i].rank, cover)) {
                node->cells[kept++] = node->cells[i];
            }
        }
        node->cell_count = kept;
    }
}

bool lia_piece_cover(struct lia_piece *piece, struct lia_rank cover)
{
    if (!piece->node) {
        return !lia_rank_is_covered(piece->rank, cover);
    }
    lia_node_cover(piece->node, cover);
    return !lia_node_is_empty(piece->node);
}

void lia_node_cover(struct lia_node *node, struct lia_rank cover)
{
    struct lia_piece **link = &node->children;

    lia_node_cover_own(node, cover);
    cover = lia_cover_with(cover, node);
    while (*link) {
        if (lia_piece_cover(*link, cover)) {
            link = &(*link)->next;
        } else {
            *link = (*link)->next;
        }
    }
}

/* ---- lives ---- */

static bool is_void(struct lia_rank rank, struct lia_stamp deleted)
{
    return lia_stamp_cmp(LIA_MUTANT(9) ? rank.stamp : rank.life, deleted) <= 0;
}

static void void_own(struct lia_node *node, struct lia_stamp deleted)
{
    size_t kept = 0;

    if (node->value != LIA_VALUE_NONE && is_void(node->rank, deleted)) {
        drop_value(node);
    }
    if (node->is_open && is_void(node->open_rank, deleted)) {
        node->is_open = false;
    }
    for (size_t i = 0; i < node->cell_count; i++) {
        if (!is_void(node->cells[i].rank, deleted)) {
            node->cells[kept++] = node->cells[i];
        }
    }
    node->cell_count = kept;
}

void lia_node_void(struct lia_node *node, struct lia_stamp deleted)
{
    struct lia_piece **link = &node->children;

    void_own(node, deleted);
    while (*link) {
        struct lia_piece *p = *link;
        bool is_left = p->node || !is_void(p->rank, deleted);

        if (p->node) {
            lia_node_void(p->node, deleted);
            is_left = !lia_node_is_empty(p->node);
        }
        if (is_left) {
            link = &p->next;
        } else {
            *link = p->next;
        }
    }
}

/* ---- segments ---- */

static bool cut_node(struct lia_node *node, struct lia_vector from)
{
    struct lia_piece **link = &node->children;
    size_t kept = 0;

    if (node->value != LIA_VALUE_NONE && lia_vector_covers(from, node->rank.stamp)) {
        drop_value(node);
    }
    if (node->is_open && lia_vector_covers(from, node->open_rank.stamp)) {
        node->is_open = false;
    }
    for (size_t i = 0; i < node->cell_count; i++) {
        if (!lia_vector_covers(from, node->cells[i].rank.stamp)) {
            node->cells[kept++] = node->cells[i];
        }
    }
    node->cell_count = kept;
    while (*link) {
        struct lia_piece *p = *link;

        if (p->node ? cut_node(p->node, from)
                    : !lia_vector_covers(from, p->rank.stamp)) {
            link = &p->next;
        } else {
            *link = p->next;
        }
    }
    return !lia_node_is_empty(node);
}

void lia_state_cut(struct lia_state *state, struct lia_vector from)
{
    if (from.count == 0) {
        return;
    }
    LIA_IGNORE(cut_node(&state->root, from)); /* a root may be empty */
    if (lia_vector_covers(from, state->created)) {
        state->id = (struct liana_slice){NULL, 0};
    }
}
