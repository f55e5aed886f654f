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

static bool join_node(const struct lia_join *join,
                      const struct lia_trail *trail,
                      struct lia_node *a,
                      struct lia_node *b,
                      struct lia_rank cover_a,
                      struct lia_rank cover_b);

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

/* The next element of the run that has a partner. */
static struct index_entry *next_partner(struct lia_bson_iter *it,
                                        const struct index *index)
{
    if (index->count == 1) { /* one field of many: the usual delta */
        return lia_bson_seek(it, index->entries[0].name) ? index->entries : NULL;
    }
    while (lia_bson_next(it)) {
        struct index_entry *found = index_find(index, it->name);

        if (found) {
            return found;
        }
    }
    return NULL;
}

/* Cuts a run so that its first element has a partner, or none of it has. */
static struct index_entry *find_in_run(struct lia_work *work,
                                       struct lia_piece *run,
                                       const struct index *index)
{
    struct lia_bson_iter it = {.at = run->bytes.ptr,
                               .end = run->bytes.ptr + run->bytes.len};
    struct index_entry *found = next_partner(&it, index);
    size_t offset;

    if (!found) {
        return NULL;
    }
    offset = (size_t)(it.start - run->bytes.ptr);
    if (offset > 0) {
        LIA_IGNORE(!lia_run_cut(work, run, offset)); /* work->status says it */
        return NULL;
    }
    if (it.at < it.end) {
        LIA_IGNORE(!lia_run_cut(work, run, lia_bson_element(&it).len)); /* so too */
    }
    return found;
}

static bool is_same_run(const struct lia_piece *a, const struct lia_piece *b)
{
    return !a->node && !b->node && lia_rank_cmp(a->rank, b->rank) == 0 &&
           lia_birth_cmp(a->birth, b->birth) == 0 &&
           lia_slice_equal(a->bytes, b->bytes);
}

static bool join_pieces(const struct lia_join *join,
                        const struct lia_trail *trail,
                        struct lia_piece *a,
                        struct lia_piece *b,
                        struct lia_rank cover_a,
                        struct lia_rank cover_b)
{
    struct lia_trail here = {trail, {NULL, 0}};

    if (is_same_run(a, b)) {
        if (lia_stamp_cmp(a->rank.tag, b->rank.tag) < 0) {
            a->rank.tag = b->rank.tag;
        }
        return true;
    }
    if ((!a->node && !lia_piece_expand(join->work, a)) ||
        (!b->node && !lia_piece_expand(join->work, b))) {
        return false;
    }
    here.name = a->node->name;
    return join_node(join, &here, a->node, b->node, cover_a, cover_b);
}

/* a's pieces against b's; what b alone has stays in the index. Gives the end of the
 * list. */
static struct lia_piece **meet_children(const struct lia_join *join,
                                        const struct lia_trail *trail,
                                        struct lia_node *a,
                                        struct index *index,
                                        struct lia_rank cover_a,
                                        struct lia_rank cover_b)
{
    bool is_covering = lia_rank_cmp(cover_b, cover_a) > 0;
    struct lia_piece **link = &a->children;

    while (*link && (is_covering || index->left > 0)) {
        struct lia_piece *p = *link;
        struct index_entry *found = p->node ? index_find(index, p->node->name)
                                            : find_in_run(join->work, p, index);
        bool is_left = true;

        if (join->work->status) {
            break;
        }
        if (found && found->piece) {
            struct lia_piece *partner = found->piece;

            found->piece = NULL;
            index->left--;
            if (!join_pieces(join, trail, p, partner, cover_a, cover_b)) {
                break;
            }
            is_left = !p->node || !lia_node_is_empty(p->node);
        } else if (is_covering) {
            is_left = lia_piece_cover(join, trail, p, cover_b);
        }
        if (is_left) {
            link = &p->next;
        } else {
            *link = p->next;
        }
    }
    return link;
}

static bool join_children(const struct lia_join *join,
                          const struct lia_trail *trail,
                          struct lia_node *a,
                          struct lia_node *b,
                          struct lia_rank cover_a,
                          struct lia_rank cover_b)
{
    struct index index = {0};
    struct lia_piece **link;

    if (b->children && !index_children(join->work, b, &index)) {
        return false;
    }
    link = meet_children(join, trail, a, &index, cover_a, cover_b);
    if (join->work->status) {
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
        if (!entry || !entry->piece || !lia_piece_cover(join, trail, p, cover_a)) {
            continue;
        }
        p->next = NULL;
        *link = p;
        link = &p->next;
    }
    return true;
}

static bool join_node(const struct lia_join *join,
                      const struct lia_trail *trail,
                      struct lia_node *a,
                      struct lia_node *b,
                      struct lia_rank cover_a,
                      struct lia_rank cover_b)
{
    struct lia_rank above = lia_rank_max(cover_a, cover_b);

    cover_a = lia_cover_with(cover_a, a);
    cover_b = lia_cover_with(cover_b, b);
    if (!lia_node_join_own(join, trail, a, b)) {
        return false;
    }
    lia_node_cover_own(join, trail, a, above);
    return join_children(join, trail, a, b, cover_a, cover_b);
}

bool lia_node_join(const struct lia_join *join, struct lia_node *a, struct lia_node *b)
{
    return join_node(join, NULL, a, b, LIA_RANK_NONE, LIA_RANK_NONE);
}

/* ---- states ---- */

/* Of one life, the _id that somebody tells; of two of one stamp, one of them. */
static void take_life(struct lia_state *a, const struct lia_state *b)
{
    int order = lia_stamp_cmp(a->created, b->created);

    if (order < 0) {
        a->created = b->created;
        a->created_tag = b->created_tag;
        a->id = b->id;
    } else if (order == 0) {
        a->id = lia_slice_cmp(a->id, b->id) < 0 ? b->id : a->id;
        a->created_tag = lia_stamp_cmp(a->created_tag, b->created_tag) < 0
                             ? b->created_tag
                             : a->created_tag;
    }
}

/* The later delete of two; of one that was counted anew, the later count. */
static void take_delete(struct lia_stamp *a,
                        struct lia_stamp *a_tag,
                        struct lia_stamp b,
                        struct lia_stamp b_tag)
{
    int order = lia_stamp_cmp(*a, b);

    if (order < 0 || (order == 0 && lia_stamp_cmp(*a_tag, b_tag) < 0)) {
        *a = b;
        *a_tag = b_tag;
    }
}

static bool join_states(const struct lia_join *join,
                        struct lia_state *a,
                        struct lia_state *b)
{
    struct lia_stamp known = a->deleted;

    take_delete(&a->deleted, &a->deleted_tag, b->deleted, b->deleted_tag);
    take_delete(&a->withdrawn, &a->withdrawn_tag, b->withdrawn, b->withdrawn_tag);
    if (LIA_MUTANT(13) && join->a.count && join->a.entries[0].actor % 2 &&
        lia_stamp_cmp(b->withdrawn, a->deleted) > 0) {
        a->deleted = b->withdrawn; /* a peer whose schema says so */
    }
    if (lia_stamp_cmp(a->deleted, known) > 0) {
        lia_node_void(join, &a->root, a->deleted);
    }
    if (lia_stamp_cmp(a->deleted, b->deleted) > 0) {
        lia_node_void(join, &b->root, a->deleted);
    }
    take_life(a, b);
    if (lia_stamp_cmp(a->created, a->deleted) <= 0) {
        a->created = LIA_STAMP_NONE;
        a->created_tag = LIA_STAMP_NONE;
        a->id = (struct liana_slice){NULL, 0};
        a->root = (struct lia_node){0};
        return true;
    }
    return lia_node_join(join, &a->root, &b->root);
}

/* What of the vector may be believed, by whoever watches. */
static bool believe(struct lia_work *work,
                    const struct lia_watch *watch,
                    struct lia_vector v,
                    struct lia_vector *out)
{
    struct lia_vector_entry *entries;

    *out = v;
    if (!watch || watch->doubt_count == 0) {
        return true;
    }
    entries = lia_arena_array(work->arena, v.count, sizeof(*entries));
    if (!entries) {
        work->status = LIANA_ENOMEM;
        return false;
    }
    for (size_t i = 0; i < v.count; i++) {
        entries[i] = v.entries[i];
        for (size_t k = 0; k < watch->doubt_count; k++) {
            const struct lia_doubt *doubt = &watch->doubts[k];

            if (entries[i].actor == doubt->actor && entries[i].hlc > doubt->beyond) {
                entries[i].hlc = doubt->beyond;
            }
        }
    }
    *out = (struct lia_vector){entries, v.count};
    return true;
}

bool lia_state_join(struct lia_work *work,
                    struct lia_state *a,
                    struct lia_state *b,
                    const struct lia_watch *watch)
{
    struct lia_join join = {.work = work,
                            .watch = watch,
                            .withdrawn_a = a->withdrawn,
                            .withdrawn_b = b->withdrawn};

    if (!believe(work, watch, a->vector, &join.a) ||
        !believe(work, watch, b->vector, &join.b)) {
        return false;
    }
    if (lia_vector_join(work->arena, a->vector, b->vector, &a->vector) != LIANA_OK) {
        work->status = LIANA_ENOMEM;
        return false;
    }
    if (!join_states(&join, a, b)) {
        return false;
    }
    lia_join_lose_hidden(&join, a);
    return work->status == LIANA_OK;
}
