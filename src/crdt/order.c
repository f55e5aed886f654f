/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of the body, the sizes of its elements, and what is plain: all that the
 * encoder needs to know before the first byte.
 *
 * Mostly nothing has moved, and seeing that costs a few comparisons for each piece. When
 * something has, the map is taken apart into its elements and sorted.
 */
#include "crdt/set.h"

static bool is_shown(const struct lia_piece *p)
{
    return !p->node || p->node->view.shown != LIA_SHOWN_NOTHING;
}

static struct lia_birth first_birth(const struct lia_piece *p)
{
    return p->node ? p->node->view.birth : lia_run_birth(p);
}

static int compare(const struct lia_piece *a, const struct lia_piece *b)
{
    int order;

    if (!is_shown(a) || !is_shown(b)) {
        return is_shown(b) - is_shown(a);
    }
    order = lia_birth_cmp(first_birth(a), first_birth(b));
    return order ? order
                 : lia_slice_cmp(lia_str_slice(lia_piece_name(a)),
                                 lia_str_slice(lia_piece_name(b)));
}

/* The births of a run's elements are below this one. */
static struct lia_birth bound(const struct lia_piece *p)
{
    return p->node ? p->node->view.birth
                   : lia_birth_at(p->birth, (uint64_t)p->bytes.len);
}

/* Surely in order: a run may be wider than its births, which only costs a sort. */
static bool is_sorted(const struct lia_node *node)
{
    const struct lia_piece *before = NULL;

    for (const struct lia_piece *p = node->children; p; p = p->next) {
        if (!is_shown(p)) {
            continue;
        }
        if (before) {
            int order = lia_birth_cmp(bound(before), first_birth(p));

            if (before->node ? compare(before, p) > 0 : order > 0) {
                return false;
            }
        }
        before = p;
    }
    return true;
}

static struct lia_piece *merge_lists(struct lia_piece *a, struct lia_piece *b)
{
    struct lia_piece *first = NULL;
    struct lia_piece **link = &first;

    while (a && b) {
        struct lia_piece **least = compare(a, b) <= 0 ? &a : &b;

        *link = *least;
        link = &(*link)->next;
        *least = *link;
    }
    *link = a ? a : b;
    return first;
}

/* Sorts the first `count` pieces of the list and gives what follows them. */
static struct lia_piece *sort(struct lia_piece *list,
                              size_t count,
                              struct lia_piece **out_rest)
{
    struct lia_piece *rest;
    struct lia_piece *a;
    struct lia_piece *b;

    if (count == 1) {
        *out_rest = list->next;
        list->next = NULL;
        return list;
    }
    a = sort(list, count / 2, &rest);
    b = sort(rest, count - count / 2, out_rest);
    return merge_lists(a, b);
}

static bool sort_children(struct lia_work *work, struct lia_node *node)
{
    struct lia_piece *rest;
    size_t count = 0;

    if (!lia_node_split(work, node)) {
        return false;
    }
    for (struct lia_piece *p = node->children; p; p = p->next) {
        count++;
    }
    node->children = sort(node->children, count, &rest);
    return true;
}

/* ---- plain ---- */

/* Type, name, NUL. */
static size_t head_size(const struct lia_node *node)
{
    return node->name.len + 2;
}

static void set_plain(struct lia_node *node,
                      struct lia_rank rank,
                      struct lia_birth birth)
{
    node->is_plain = true;
    node->plain_rank = rank;
    node->plain_birth = birth;
}

/* The rank and birth of a piece's first byte; false for a node that is not plain. */
static bool plain_start(const struct lia_piece *p,
                        struct lia_rank *rank,
                        struct lia_birth *birth)
{
    *rank = p->node ? p->node->plain_rank : p->rank;
    *birth = p->node ? p->node->plain_birth : p->birth;
    return !p->node || p->node->is_plain;
}

/* A map of plain children, all shown, that go on from one another. */
static void find_plain_map(struct lia_node *node)
{
    struct lia_rank rank = LIA_RANK_NONE;
    struct lia_birth start = LIA_BIRTH_NEVER;
    uint64_t before = head_size(node) + 4;
    uint64_t offset = 0;

    for (const struct lia_piece *p = node->children; p; p = p->next) {
        struct lia_rank its_rank;
        struct lia_birth its_birth;

        if (!plain_start(p, &its_rank, &its_birth)) {
            return;
        }
        if (p == node->children) {
            rank = its_rank;
            start = its_birth;
        }
        if (!lia_rank_is_same(its_rank, rank) ||
            lia_birth_cmp(its_birth, lia_birth_at(start, offset)) != 0) {
            return;
        }
        offset += p->node ? p->node->size : p->bytes.len;
    }
    if (start.index >= before) {
        start.index -= before;
        set_plain(node, rank, start);
    }
}

static void find_plain(struct lia_node *node)
{
    node->is_plain = false;
    if (node->cell_count || node->seen_count || node->set || node->bounded) {
        return;
    }
    if (node->value == LIA_VALUE_LEAF && node->leaf.type != LIA_BSON_DOCUMENT &&
        !node->is_open && !node->children) {
        set_plain(node, node->rank, node->birth);
    } else if (node->value == LIA_VALUE_NONE && node->is_open && !node->children) {
        set_plain(node, node->open_rank, node->open_birth);
    } else if (node->value == LIA_VALUE_NONE && !node->is_open && node->children) {
        find_plain_map(node);
    }
}

static size_t children_size(const struct lia_node *node)
{
    size_t size = 0;

    for (const struct lia_piece *p = node->children; p; p = p->next) {
        size += p->node ? p->node->size : p->bytes.len;
    }
    return size;
}

/* Entries of a kind that is not shown stay, and the body has nothing of them: they
 * become nodes whose values the clock holds. */
static bool conceal(struct lia_work *work, struct lia_node *node)
{
    if (!lia_node_split(work, node)) {
        return false;
    }
    for (struct lia_piece *p = node->children; p; p = p->next) {
        if (!p->node && !lia_piece_expand(work, p)) {
            return false;
        }
        p->node->view = (struct lia_view){.birth = LIA_BIRTH_NEVER};
        p->node->size = 0;
        p->node->is_plain = false;
        if (!conceal(work, p->node)) {
            return false;
        }
    }
    return true;
}

bool lia_arrange(struct lia_work *work, struct lia_node *node)
{
    if (node->view.shown != LIA_SHOWN_MAP && node->children && !conceal(work, node)) {
        return false;
    }
    for (struct lia_piece *p = node->children; p; p = p->next) {
        if (p->node && !lia_arrange(work, p->node)) {
            return false;
        }
    }
    if (!is_sorted(node) && !sort_children(work, node)) {
        return false;
    }
    switch (node->view.shown) {
    case LIA_SHOWN_NOTHING: node->size = 0; break;
    case LIA_SHOWN_LEAF:
    case LIA_SHOWN_BOUNDED:
        node->size = head_size(node) + node->view.leaf.data.len;
        break;
    case LIA_SHOWN_MAP:
        node->size = head_size(node) + lia_bson_empty.len + children_size(node);
        break;
    case LIA_SHOWN_SET: node->size = head_size(node) + lia_set_size(node->set); break;
    }
    work->is_clamped = work->is_clamped || node->view.is_clamped;
    find_plain(node);
    return true;
}
