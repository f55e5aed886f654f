/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is this the encoding of a state that our law can have made? Bytes are read, the state
 * is normalized and written again: other bytes are refused. What writing would not show
 * is looked at here: names, and values that the body does not show.
 */
#include <stdlib.h>

#include "codec/utf8.h"
#include "crdt/clock.h"

bool lia_name_check(struct liana_slice name)
{
    return !(name.len && memchr(name.ptr, 0, name.len)) && lia_utf8_valid(name);
}

/* `depth`: the number of names of its path. */
bool lia_leaf_check(struct lia_work *work, struct lia_value leaf, unsigned depth)
{
    struct lia_buf buf;
    size_t mark;
    liana_status status;

    lia_buf_init(&buf, work->arena->alloc);
    mark = lia_bson_begin(&buf);
    lia_bson_add(&buf, lia_str("v"), leaf);
    lia_bson_end(&buf, mark);
    status = buf.status;
    if (!status) {
        status = lia_bson_check(lia_buf_slice(&buf), work->arena->alloc, NULL);
    }
    lia_buf_deinit(&buf);
    if (status == LIANA_ENOMEM) {
        work->status = status;
    }
    return !status && depth - 1 + lia_value_nesting(leaf) <= LIA_DEPTH_MAX;
}

/* ---- a name in one place only ---- */

static int compare_names(const void *a, const void *b)
{
    const struct liana_str *x = a;
    const struct liana_str *y = b;

    return lia_slice_cmp(lia_str_slice(*x), lia_str_slice(*y));
}

/* What the body shows has been checked, and hidden names are in order: a name can only
 * stand in both. */
static bool has_name_of_run(const struct lia_piece *run,
                            const struct liana_str *hidden,
                            size_t count)
{
    struct lia_bson_iter it = {.at = run->bytes.ptr,
                               .end = run->bytes.ptr + run->bytes.len};

    while (lia_bson_next(&it)) {
        if (bsearch(&it.name, hidden, count, sizeof(*hidden), compare_names)) {
            return true;
        }
    }
    return false;
}

static bool has_name_twice(struct lia_work *work,
                           const struct lia_node *map,
                           struct liana_str *out)
{
    struct liana_str *hidden;
    size_t count = 0;

    for (const struct lia_piece *p = map->children; p; p = p->next) {
        count += p->node && p->node->view.shown == LIA_SHOWN_NOTHING;
    }
    hidden = lia_arena_array(work->arena, count, sizeof(*hidden));
    if (!hidden) {
        work->status = LIANA_ENOMEM;
        return false;
    }
    *out = (struct liana_str){NULL, 0};
    count = 0;
    for (const struct lia_piece *p = map->children; p; p = p->next) {
        if (p->node && p->node->view.shown == LIA_SHOWN_NOTHING) {
            hidden[count++] = p->node->name;
        }
    }
    for (const struct lia_piece *p = map->children; p && count; p = p->next) {
        bool is_shown = !p->node || p->node->view.shown != LIA_SHOWN_NOTHING;

        *out = lia_piece_name(p);
        if (is_shown &&
            (p->node ? bsearch(out, hidden, count, sizeof(*out), compare_names) != NULL
                     : has_name_of_run(p, hidden, count))) {
            return true;
        }
    }
    return false;
}

static bool check_names(struct lia_work *work, const struct lia_node *map)
{
    struct liana_str twice;

    if (has_name_twice(work, map, &twice)) {
        LIA_IGNORE(lia_err(work->err, LIANA_ECORRUPT, "field %.*s stands twice",
                           LIA_STR_ARG(twice))); /* the answer says it */
        return false;
    }
    for (const struct lia_piece *p = map->children; p; p = p->next) {
        if (p->node && !check_names(work, p->node)) {
            return false;
        }
    }
    return work->status == LIANA_OK;
}

/* _id is the life's and stands apart. */
static bool has_id_field(struct lia_work *work, struct lia_node *root)
{
    for (const struct lia_piece *p = root->children; p; p = p->next) {
        struct lia_bson_iter it = {0};

        if (p->node) {
            if (lia_str_equal(p->node->name, lia_str("_id"))) {
                return true;
            }
            continue;
        }
        it.at = p->bytes.ptr;
        it.end = p->bytes.ptr + p->bytes.len;
        while (lia_bson_next(&it)) {
            if (lia_str_equal(it.name, lia_str("_id"))) {
                return true;
            }
        }
    }
    return work->status != LIANA_OK;
}

static liana_status corrupt(struct lia_work *work, const char *why)
{
    return work->status ? lia_err_plain(work->err, work->status)
                        : lia_err(work->err, LIANA_ECORRUPT, "%s", why);
}

static liana_status check_again(struct lia_work *work,
                                struct lia_doc doc,
                                struct lia_state *state)
{
    struct lia_doc again;
    liana_status status;

    lia_node_void(NULL, &state->root, state->deleted);
    lia_node_cover(NULL, NULL, &state->root, LIA_RANK_NONE);
    if (!lia_stamp_is_none(state->created) && state->id.len == 0 &&
        !lia_vector_covers(state->from, state->created_tag)) {
        return corrupt(work, "a document without its _id");
    }
    lia_state_cut(state, state->from);
    status = lia_clock_write(work, state, &again);
    if (status) {
        return lia_err_plain(work->err, status);
    }
    if (!lia_slice_equal(again.clock, doc.clock) ||
        !lia_slice_equal(again.body, doc.body)) {
        return corrupt(work, "clock is not in its canonical form");
    }
    return LIANA_OK;
}

liana_status lia_clock_check(struct lia_work *work,
                             struct lia_doc doc,
                             struct lia_state *out)
{
    liana_status status = LIANA_OK;

    if (doc.body.len) {
        status = lia_bson_check(doc.body, work->arena->alloc, work->err);
    }
    if (!status) {
        status = lia_clock_read(work, doc, true, out);
    }
    if (status) {
        return lia_err_plain(work->err, status);
    }
    status = check_again(work, doc, out);
    if (status) {
        return status;
    }
    if (!check_names(work, &out->root)) {
        return corrupt(work, "a field stands twice");
    }
    return has_id_field(work, &out->root) ? corrupt(work, "_id is no field") : LIANA_OK;
}
