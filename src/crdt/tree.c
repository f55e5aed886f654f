/* SPDX-License-Identifier: Apache-2.0 */
#include "crdt/state.h"

static void *out_of_memory(struct lia_work *work)
{
    work->status = LIANA_ENOMEM;
    return NULL;
}

struct lia_piece *lia_node_new(struct lia_work *work, struct liana_str name)
{
    struct lia_piece *piece = LIA_ARENA_NEW(work->arena, struct lia_piece);
    struct lia_node *node = LIA_ARENA_NEW(work->arena, struct lia_node);

    if (!piece || !node) {
        return out_of_memory(work);
    }
    node->name = name;
    piece->node = node;
    return piece;
}

struct lia_piece *lia_run_new(struct lia_work *work,
                              struct liana_slice bytes,
                              struct lia_rank rank,
                              struct lia_birth birth)
{
    struct lia_piece *piece = LIA_ARENA_NEW(work->arena, struct lia_piece);

    if (!piece) {
        return out_of_memory(work);
    }
    piece->bytes = bytes;
    piece->rank = rank;
    piece->birth = birth;
    return piece;
}

void lia_node_append(struct lia_node *parent, struct lia_piece *piece)
{
    struct lia_piece **link = &parent->children;

    while (*link) {
        link = &(*link)->next;
    }
    *link = piece;
}

static struct lia_bson_iter elements(struct liana_slice bytes)
{
    return (struct lia_bson_iter){.at = bytes.ptr, .end = bytes.ptr + bytes.len};
}

bool lia_run_cut(struct lia_work *work, struct lia_piece *run, size_t offset)
{
    struct lia_piece *rest =
        lia_run_new(work, lia_slice_sub(run->bytes, offset, run->bytes.len - offset),
                    run->rank, lia_birth_at(run->birth, offset));

    if (!rest) {
        return false;
    }
    rest->next = run->next;
    run->next = rest;
    run->bytes.len = offset;
    return true;
}

bool lia_piece_expand(struct lia_work *work, struct lia_piece *piece)
{
    struct lia_bson_iter it = elements(piece->bytes);
    struct lia_node *node = LIA_ARENA_NEW(work->arena, struct lia_node);

    if (!node) {
        return out_of_memory(work) != NULL;
    }
    if (!lia_bson_next(&it)) {
        work->status = LIANA_ECORRUPT;
        return false;
    }
    node->name = it.name;
    if (it.value.type != LIA_BSON_DOCUMENT) {
        node->value = LIA_VALUE_LEAF;
        node->leaf = it.value;
        node->rank = piece->rank;
        node->birth = piece->birth;
    } else if (it.value.data.len <= lia_bson_empty.len) {
        node->is_open = true;
        node->open_rank = piece->rank;
        node->open_birth = piece->birth;
    } else {
        struct liana_slice inside =
            lia_slice_sub(it.value.data, 4, it.value.data.len - 5);
        uint64_t offset = (uint64_t)(inside.ptr - piece->bytes.ptr);

        node->children =
            lia_run_new(work, inside, piece->rank, lia_birth_at(piece->birth, offset));
        if (!node->children) {
            return false;
        }
    }
    *piece = (struct lia_piece){.next = piece->next, .node = node};
    return true;
}

/* The offset of the element of the name in a run; false if it is not there. */
static bool find_in_run(const struct lia_piece *run,
                        struct liana_str name,
                        size_t *out_offset,
                        size_t *out_len)
{
    struct lia_bson_iter it = elements(run->bytes);

    if (!lia_bson_seek(&it, name)) {
        return false;
    }
    *out_offset = (size_t)(it.start - run->bytes.ptr);
    *out_len = lia_bson_element(&it).len;
    return true;
}

struct lia_node *lia_node_child(struct lia_work *work,
                                struct lia_node *parent,
                                struct liana_str name)
{
    for (struct lia_piece *p = parent->children; p; p = p->next) {
        size_t offset;
        size_t len;

        if (p->node) {
            if (lia_str_equal(p->node->name, name)) {
                return p->node;
            }
            continue;
        }
        if (!find_in_run(p, name, &offset, &len)) {
            continue;
        }
        if (offset > 0) {
            if (!lia_run_cut(work, p, offset)) {
                return NULL;
            }
            p = p->next;
        }
        if (p->bytes.len > len && !lia_run_cut(work, p, len)) {
            return NULL;
        }
        return lia_piece_expand(work, p) ? p->node : NULL;
    }
    return NULL;
}

bool lia_node_split(struct lia_work *work, struct lia_node *parent)
{
    for (struct lia_piece *p = parent->children; p; p = p->next) {
        struct lia_bson_iter it;

        if (p->node) {
            continue;
        }
        it = elements(p->bytes);
        if (!lia_bson_next(&it)) {
            work->status = LIANA_ECORRUPT;
            return false;
        }
        if (it.at < it.end && !lia_run_cut(work, p, lia_bson_element(&it).len)) {
            return false;
        }
    }
    return true;
}

struct liana_str lia_piece_name(const struct lia_piece *piece)
{
    struct lia_bson_iter it;

    if (piece->node) {
        return piece->node->name;
    }
    it = elements(piece->bytes);
    return lia_bson_next(&it) ? it.name : (struct liana_str){NULL, 0};
}

struct lia_birth lia_run_birth(const struct lia_piece *run)
{
    struct lia_bson_iter it = elements(run->bytes);
    uint64_t offset = 0;

    while (lia_bson_next(&it)) {
        offset = (uint64_t)(it.start - run->bytes.ptr);
        if (it.value.type != LIA_BSON_DOCUMENT ||
            it.value.data.len <= lia_bson_empty.len) {
            break;
        }
        it = elements(lia_slice_sub(it.value.data, 4, it.value.data.len - 5));
    }
    return lia_birth_at(run->birth, offset);
}

bool lia_node_is_empty(const struct lia_node *node)
{
    return node->value == LIA_VALUE_NONE && !node->is_open && node->cell_count == 0 &&
           !node->set && !node->bounded && !node->children;
}

unsigned lia_value_nesting(struct lia_value v)
{
    struct lia_bson_iter it;
    unsigned deepest = 0;

    if (v.type == LIA_BSON_CODE_W_SCOPE) {
        it = lia_bson_iter(lia_value_scope(v));
    } else if (v.type == LIA_BSON_DOCUMENT || v.type == LIA_BSON_ARRAY) {
        it = lia_bson_iter(v.data);
    } else {
        return 0;
    }
    while (lia_bson_next(&it)) {
        unsigned below = lia_value_nesting(it.value);

        deepest = below > deepest ? below : deepest;
    }
    return deepest + 1;
}
