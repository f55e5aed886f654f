/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The join of two states (design page 10, "Entries", "Cover").
 *
 * Both sides come in normalized: nothing in them is covered by a value of the same side.
 * So only the other side's values have to be brought to bear, and where the other side
 * has no newer value above, a subtree that it does not name is left as it is, unread.
 */
#include <stdlib.h>

#include "crdt/state.h"

static bool join_node(struct lia_work *work,
                      struct lia_node *a,
                      struct lia_node *b,
                      struct lia_rank cover_a,
                      struct lia_rank cover_b);

/* ---- one slot each ---- */

static void take_value(struct lia_node *a, const struct lia_node *b)
{
    a->value = b->value;
    a->rank = b->rank;
    a->birth = LIA_MUTANT(4) ? (struct lia_birth){b->rank.stamp, 0} : b->birth;
    a->leaf = b->leaf;
    a->seen = b->seen;
    a->seen_count = b->seen_count;
}

/* One stamp names one value of a path; a peer that breaks this gets an order all the
 * same. */
static int compare_values(const struct lia_node *a, const struct lia_node *b)
{
    int order = lia_rank_cmp(a->rank, b->rank);

    if (order == 0) {
        order = (int)a->value - (int)b->value;
    }
    if (order == 0 && a->value == LIA_VALUE_LEAF) {
        order = (int)a->leaf.type - (int)b->leaf.type;
        order = order ? order : lia_slice_cmp(a->leaf.data, b->leaf.data);
    }
    return order;
}

static void join_value(struct lia_node *a, const struct lia_node *b)
{
    if (b->value != LIA_VALUE_NONE &&
        (a->value == LIA_VALUE_NONE || compare_values(a, b) < 0)) {
        take_value(a, b);
    }
}

static void join_open(struct lia_node *a, const struct lia_node *b)
{
    if (b->is_open && (!a->is_open || lia_rank_cmp(a->open_rank, b->open_rank) < 0)) {
        a->is_open = true;
        a->open_rank = b->open_rank;
        a->open_birth = b->open_birth;
    }
}

static uint64_t cell_actor(const struct lia_cell *cell)
{
    return cell->rank.stamp.actor;
}

static bool join_cells(struct lia_work *work,
                       struct lia_node *a,
                       const struct lia_node *b)
{
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
        bool is_a_newer = from_a && (!from_b || lia_rank_cmp(a->cells[i].rank,
                                                             b->cells[j].rank) >= 0);

        cells[count++] = is_a_newer ? a->cells[i] : b->cells[j];
        i += from_a;
        j += from_b;
    }
    a->cells = cells;
    a->cell_count = count;
    return true;
}

/* ---- children ---- */

/* The pieces of one side, one name each, to be found by name. */
struct index_entry {
    struct liana_str name;
    struct lia_piece *piece; /* NULL: already met */
};

struct index {
    struct index_entry *entries;
    size_t count;
    size_t left;
};

static int compare_names(const void *a, const void *b)
{
    const struct index_entry *x = a;
    const struct index_entry *y = b;

    return lia_slice_cmp(lia_str_slice(x->name), lia_str_slice(y->name));
}

static bool index_children(struct lia_work *work,
                           struct lia_node *node,
                           struct index *out)
{
    size_t count = 0;

    if (!lia_node_split(work, node)) {
        return false;
    }
    for (struct lia_piece *p = node->children; p; p = p->next) {
        count++;
    }
    out->entries = lia_arena_array(work->arena, count, sizeof(*out->entries));
    if (!out->entries) {
        work->status = LIANA_ENOMEM;
        return false;
    }
    for (struct lia_piece *p = node->children; p; p = p->next) {
        out->entries[out->count++] = (struct index_entry){lia_piece_name(p), p};
    }
    if (count > 1) {
        qsort(out->entries, count, sizeof(*out->entries), compare_names);
    }
    out->left = count;
    return true;
}

static struct index_entry *index_find(const struct index *index, struct liana_str name)
{
    const struct index_entry key = {name, NULL};

    if (index->count == 1) { /* one field of many: the usual delta */
        return lia_str_equal(index->entries[0].name, name) ? index->entries : NULL;
    }
    return index->count
               ? bsearch(&key, index->entries, index->count, sizeof(key), compare_names)
               : NULL;
}

/* Cuts a run so that its first element has a partner, or none of it has. */
static struct index_entry *find_in_run(struct lia_work *work,
                                       struct lia_piece *run,
                                       const struct index *index)
{
    struct lia_bson_iter it = {.at = run->bytes.ptr,
                               .end = run->bytes.ptr + run->bytes.len};

    while (lia_bson_next(&it)) {
        struct index_entry *found = index_find(index, it.name);
        size_t offset = (size_t)(it.start - run->bytes.ptr);

        if (!found) {
            continue;
        }
        if (offset > 0) {
            LIA_IGNORE(!lia_run_cut(work, run, offset)); /* work->status says it */
            return NULL;
        }
        if (it.at < it.end) {
            LIA_IGNORE(!lia_run_cut(work, run, lia_bson_element(&it).len)); /* so too */
        }
        return found;
    }
    return NULL;
}

static bool is_same_run(const struct lia_piece *a, const struct lia_piece *b)
{
    return !a->node && !b->node && lia_rank_cmp(a->rank, b->rank) == 0 &&
           lia_birth_cmp(a->birth, b->birth) == 0 &&
           lia_slice_equal(a->bytes, b->bytes);
}

static bool join_pieces(struct lia_work *work,
                        struct lia_piece *a,
                        struct lia_piece *b,
                        struct lia_rank cover_a,
                        struct lia_rank cover_b)
{
    if (is_same_run(a, b)) {
        return true;
    }
    if ((!a->node && !lia_piece_expand(work, a)) ||
        (!b->node && !lia_piece_expand(work, b))) {
        return false;
    }
    return join_node(work, a->node, b->node, cover_a, cover_b);
}

/* a's pieces against b's; what b alone has stays in the index. Gives the end of the
 * list. */
static struct lia_piece **meet_children(struct lia_work *work,
                                        struct lia_node *a,
                                        struct index *index,
                                        struct lia_rank cover_a,
                                        struct lia_rank cover_b)
{
    bool is_covering = lia_rank_cmp(cover_b, cover_a) > 0;
    struct lia_piece **link = &a->children;

    while (*link && (is_covering || index->left > 0)) {
        struct lia_piece *p = *link;
        struct index_entry *found =
            p->node ? index_find(index, p->node->name) : find_in_run(work, p, index);
        bool is_left = true;

        if (work->status) {
            break;
        }
        if (found && found->piece) {
            struct lia_piece *partner = found->piece;

            found->piece = NULL;
            index->left--;
            if (!join_pieces(work, p, partner, cover_a, cover_b)) {
                break;
            }
            is_left = !p->node || !lia_node_is_empty(p->node);
        } else if (is_covering) {
            is_left = lia_piece_cover(p, cover_b);
        }
        if (is_left) {
            link = &p->next;
        } else {
            *link = p->next;
        }
    }
    return link;
}

static bool join_children(struct lia_work *work,
                          struct lia_node *a,
                          struct lia_node *b,
                          struct lia_rank cover_a,
                          struct lia_rank cover_b)
{
    struct index index = {0};
    struct lia_piece **link;

    if (b->children && !index_children(work, b, &index)) {
        return false;
    }
    link = meet_children(work, a, &index, cover_a, cover_b);
    if (work->status) {
        return false;
    }
    if (index.left == 0) {
        return true;
    }
    while (*link) {
        link = &(*link)->next;
    }
    /* In b's order, which is mostly the order they will have. */
    for (struct lia_piece *p = b->children, *next; p; p = next) {
        struct index_entry *entry = index_find(&index, lia_piece_name(p));

        next = p->next;
        if (!entry || !entry->piece || !lia_piece_cover(p, cover_a)) {
            continue;
        }
        p->next = NULL;
        *link = p;
        link = &p->next;
    }
    return true;
}

static bool join_node(struct lia_work *work,
                      struct lia_node *a,
                      struct lia_node *b,
                      struct lia_rank cover_a,
                      struct lia_rank cover_b)
{
    struct lia_rank above = lia_rank_max(cover_a, cover_b);

    cover_a = lia_cover_with(cover_a, a);
    cover_b = lia_cover_with(cover_b, b);
    join_value(a, b);
    join_open(a, b);
    if (!join_cells(work, a, b)) {
        return false;
    }
    lia_node_cover_own(a, above);
    return join_children(work, a, b, cover_a, cover_b);
}

bool lia_node_join(struct lia_work *work, struct lia_node *a, struct lia_node *b)
{
    return join_node(work, a, b, LIA_RANK_NONE, LIA_RANK_NONE);
}

/* ---- states ---- */

static void take_life(struct lia_state *a, const struct lia_state *b)
{
    int order = lia_stamp_cmp(a->created, b->created);

    if (order < 0 || (order == 0 && a->id.len == 0)) {
        a->created = b->created;
        a->id = b->id;
    }
}

bool lia_state_join(struct lia_work *work, struct lia_state *a, struct lia_state *b)
{
    struct lia_stamp deleted =
        lia_stamp_cmp(a->deleted, b->deleted) >= 0 ? a->deleted : b->deleted;

    if (lia_vector_join(work->arena, a->vector, b->vector, &a->vector) != LIANA_OK) {
        work->status = LIANA_ENOMEM;
        return false;
    }
    if (lia_stamp_cmp(deleted, a->deleted) > 0) {
        lia_node_void(&a->root, deleted);
    }
    if (lia_stamp_cmp(deleted, b->deleted) > 0) {
        lia_node_void(&b->root, deleted);
    }
    a->deleted = deleted;
    take_life(a, b);
    if (lia_stamp_cmp(a->created, deleted) <= 0) {
        a->created = LIA_STAMP_NONE;
        a->id = (struct liana_slice){NULL, 0};
        a->root = (struct lia_node){0};
        return true;
    }
    return lia_node_join(work, &a->root, &b->root);
}
