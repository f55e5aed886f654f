/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The entries of a tree, whatever their kind: for rules that are the same for all of them
 * (cover, void lives, segments, tags).
 */
#include "crdt/bounded.h"
#include "crdt/set.h"

static struct lia_value lost_value(const struct lia_node *node)
{
    switch (node->value) {
    case LIA_VALUE_LEAF: return node->leaf;
    case LIA_VALUE_MAP: return (struct lia_value){LIA_BSON_DOCUMENT, lia_bson_empty};
    default: return (struct lia_value){LIA_BSON_END, {NULL, 0}};
    }
}

static bool keep_value(struct lia_node *node,
                       const struct lia_trail *trail,
                       lia_entry_fn keep,
                       void *ctx)
{
    const struct lia_entry entry = {
        .kind = LIA_ENTRY_VALUE,
        .trail = trail,
        .rank = &node->rank,
        .begun = node->rank.stamp,
        .written = node->rank.stamp,
        .birth = node->value == LIA_VALUE_GONE ? NULL : &node->birth,
        .is_loss = node->value != LIA_VALUE_GONE,
        .value = lost_value(node),
        .node = node,
    };

    return keep(ctx, &entry);
}

static bool keep_open(struct lia_node *node,
                      const struct lia_trail *trail,
                      lia_entry_fn keep,
                      void *ctx)
{
    const struct lia_entry entry = {
        .kind = LIA_ENTRY_OPEN,
        .trail = trail,
        .rank = &node->open_rank,
        .begun = node->open_rank.stamp,
        .written = node->open_rank.stamp,
        .birth = &node->open_birth,
        .is_loss = true,
        .value = {LIA_BSON_DOCUMENT, lia_bson_empty},
    };

    return keep(ctx, &entry);
}

static bool keep_cell(const struct lia_node *node,
                      struct lia_cell *cell,
                      const struct lia_trail *trail,
                      lia_entry_fn keep,
                      void *ctx)
{
    const struct lia_entry entry = {
        .kind = LIA_ENTRY_SUM,
        .trail = trail,
        .rank = &cell->rank,
        .begun = cell->rank.stamp,
        .written = cell->rank.stamp,
        .named = cell->start,
        .birth = &cell->birth,
        .is_loss = true,
        .node = node,
        .cell = cell,
    };

    return keep(ctx, &entry);
}

void lia_node_each(struct lia_node *node,
                   const struct lia_trail *trail,
                   lia_entry_fn keep,
                   void *ctx)
{
    size_t kept = 0;

    if (node->value != LIA_VALUE_NONE && !keep_value(node, trail, keep, ctx)) {
        node->value = LIA_VALUE_NONE;
        node->rank = LIA_RANK_NONE;
        node->seen_count = 0;
    }
    if (node->is_open) {
        node->is_open = keep_open(node, trail, keep, ctx);
    }
    for (size_t i = 0; i < node->cell_count; i++) {
        if (keep_cell(node, &node->cells[i], trail, keep, ctx)) {
            node->cells[kept++] = node->cells[i];
        }
    }
    node->cell_count = kept;
    if (node->set) {
        lia_set_each(node, trail, keep, ctx);
    }
    if (node->bounded) {
        lia_bounded_each(node, trail, keep, ctx);
    }
}

static bool keep_run(struct lia_piece *run,
                     const struct lia_trail *trail,
                     lia_entry_fn keep,
                     void *ctx)
{
    const struct lia_entry entry = {
        .kind = LIA_ENTRY_RUN,
        .trail = trail,
        .rank = &run->rank,
        .begun = run->rank.stamp,
        .written = run->rank.stamp,
        .birth = &run->birth,
        .is_loss = true,
        .bytes = run->bytes,
    };

    return keep(ctx, &entry);
}

bool lia_node_filter(struct lia_node *node,
                     const struct lia_trail *trail,
                     lia_entry_fn keep,
                     void *ctx)
{
    struct lia_piece **link = &node->children;

    lia_node_each(node, trail, keep, ctx);
    while (*link) {
        struct lia_piece *p = *link;
        struct lia_trail below = {trail, {NULL, 0}};
        bool is_left;

        if (p->node) {
            below.name = p->node->name;
            is_left = lia_node_filter(p->node, &below, keep, ctx);
        } else {
            is_left = keep_run(p, trail, keep, ctx);
        }
        if (is_left) {
            link = &p->next;
        } else {
            *link = p->next;
        }
    }
    return !lia_node_is_empty(node);
}

bool lia_trail_path(struct lia_work *work,
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
