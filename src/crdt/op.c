/* SPDX-License-Identifier: Apache-2.0 */
#include "crdt/op.h"

#include <stdio.h>

#include "codec/key.h"

/* ---- births of this transaction ---- */

static uint64_t after(uint64_t next,
                      struct lia_birth birth,
                      uint64_t len,
                      struct lia_stamp s)
{
    uint64_t end = birth.index + len;

    return lia_stamp_cmp(birth.stamp, s) == 0 && end > next ? end : next;
}

/* The first index that no birth of this stamp has. */
struct next_index {
    struct lia_stamp stamp;
    uint64_t next;
};

static bool count_birth(void *ctx, const struct lia_entry *entry)
{
    struct next_index *n = ctx;

    if (entry->birth) {
        n->next = after(n->next, *entry->birth,
                        entry->kind == LIA_ENTRY_RUN ? entry->bytes.len : 1, n->stamp);
    }
    return true;
}

struct lia_writer lia_writer(struct lia_work *work,
                             struct lia_state *state,
                             struct lia_stamp stamp)
{
    struct lia_writer w = {.work = work, .state = state, .stamp = stamp};

    if (lia_vector_covers(state->vector, stamp)) {
        struct next_index n = {stamp, 0};

        LIA_IGNORE(lia_node_filter(&state->root, NULL, count_birth, &n)); /* all stay */
        w.next_index = n.next;
    }
    return w;
}

struct lia_rank lia_writer_rank(const struct lia_writer *w)
{
    return lia_rank_of(w->state->created, w->stamp);
}

const char *lia_path_text(struct lia_path path, char text[LIA_PATH_TEXT])
{
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < path.count && used < LIA_PATH_TEXT; i++) {
        int n = snprintf(text + used, LIA_PATH_TEXT - used, "%s%.*s", i ? "." : "",
                         LIA_STR_ARG(path.names[i]));

        used += n > 0 ? (size_t)n : 0;
    }
    return text;
}

/* ---- finding the place ---- */

static struct lia_node *child_or_new(struct lia_work *work,
                                     struct lia_node *parent,
                                     struct liana_str name)
{
    struct lia_node *child = lia_node_child(work, parent, name);
    struct lia_piece *piece;

    if (child || work->status) {
        return child;
    }
    piece = lia_node_new(work, name);
    if (!piece) {
        return NULL;
    }
    lia_node_append(parent, piece);
    return piece->node;
}

const char *lia_shown_name(const struct lia_node *node)
{
    switch (node->view.shown) {
    case LIA_SHOWN_MAP: return "object";
    case LIA_SHOWN_SET: return "set";
    case LIA_SHOWN_BOUNDED: return "bounded counter";
    default: return lia_bson_type_name(node->view.leaf.type);
    }
}

static liana_status no_map(struct lia_writer *w,
                           struct lia_path path,
                           const struct lia_node *node)
{
    char text[LIA_PATH_TEXT];

    return lia_err(w->work->err, LIANA_ETYPE,
                   "%s is of type %s and has no fields of its own",
                   lia_path_text(path, text), lia_shown_name(node));
}

liana_status lia_op_reach(struct lia_writer *w,
                          struct lia_path path,
                          struct lia_node **out,
                          struct lia_rank *out_cover)
{
    struct lia_node *node = &w->state->root;
    struct lia_rank cover = LIA_RANK_NONE;

    for (size_t i = 0; i < path.count; i++) {
        bool is_viewed = i > 0;

        if (is_viewed && node->view.shown != LIA_SHOWN_MAP &&
            node->view.shown != LIA_SHOWN_NOTHING) {
            return no_map(w, (struct lia_path){path.names, i}, node);
        }
        if (node->value != LIA_VALUE_NONE) {
            cover = lia_rank_max(cover, node->rank);
        }
        node = child_or_new(w->work, node, path.names[i]);
        if (!node || !lia_view(w->work, node, cover)) {
            return lia_err_plain(w->work->err, w->work->status);
        }
    }
    *out = node;
    *out_cover = cover;
    return LIANA_OK;
}

liana_status lia_op_find(struct lia_writer *w,
                         struct lia_path path,
                         struct lia_node **out)
{
    struct lia_node *node = &w->state->root;
    struct lia_rank cover = LIA_RANK_NONE;

    *out = NULL;
    for (size_t i = 0; i < path.count; i++) {
        if (i > 0 && node->view.shown != LIA_SHOWN_MAP) {
            return LIANA_OK;
        }
        if (node->value != LIA_VALUE_NONE) {
            cover = lia_rank_max(cover, node->rank);
        }
        node = lia_node_child(w->work, node, path.names[i]);
        if (w->work->status || (node && !lia_view(w->work, node, cover))) {
            return lia_err_plain(w->work->err, w->work->status);
        }
        if (!node) {
            return LIANA_OK;
        }
    }
    *out = node->view.shown == LIA_SHOWN_NOTHING ? NULL : node;
    return LIANA_OK;
}

/* ---- the document as a whole ---- */

static liana_status find_id(struct lia_writer *w,
                            struct liana_slice doc,
                            struct liana_slice *out)
{
    struct lia_bson_iter it = lia_bson_iter(doc);

    while (lia_bson_next(&it)) {
        if (lia_str_equal(it.name, lia_str("_id"))) {
            *out = lia_bson_element(&it);
            return LIANA_OK;
        }
    }
    return lia_err(w->work->err, LIANA_EID, "document has no _id");
}

static bool exists(const struct lia_writer *w)
{
    return !lia_stamp_is_none(w->state->created) && !w->state->is_hidden;
}

static liana_status check_document(struct lia_writer *w, const struct lia_op *op)
{
    if (op->value.type != LIA_BSON_DOCUMENT) {
        return lia_err(w->work->err, LIANA_ETYPE, "a value of type %s is no document",
                       lia_bson_type_name(op->value.type));
    }
    return LIANA_OK;
}

/* Numbers are the same _id whatever their type; the document keeps the one it has. */
static liana_status check_same_id(struct lia_writer *w, struct lia_value id)
{
    struct lia_bson_iter it = {.at = w->state->id.ptr,
                               .end = w->state->id.ptr + w->state->id.len};
    struct lia_buf keys[2];
    liana_status status = LIANA_ECORRUPT;

    lia_buf_init(&keys[0], w->work->arena->alloc);
    lia_buf_init(&keys[1], w->work->arena->alloc);
    if (lia_bson_next(&it)) {
        status = lia_key_of_id(it.value, &keys[0], w->work->err);
    }
    if (!status) {
        status = lia_key_of_id(id, &keys[1], w->work->err);
    }
    if (!status && (keys[0].status || keys[1].status)) {
        status = LIANA_ENOMEM;
    }
    if (!status && !lia_slice_equal(lia_buf_slice(&keys[0]), lia_buf_slice(&keys[1]))) {
        status = lia_err(w->work->err, LIANA_EID, "_id cannot be changed");
    }
    lia_buf_deinit(&keys[0]);
    lia_buf_deinit(&keys[1]);
    return lia_err_plain(w->work->err, status);
}

static liana_status op_replace(struct lia_writer *w, const struct lia_op *op)
{
    liana_status status = check_document(w, op);
    struct lia_value id;

    if (!status && lia_bson_find(op->value.data, lia_str("_id"), &id)) {
        status = check_same_id(w, id);
    }
    return status ? status : lia_op_replace_root(w, op);
}

/* The delete that stands is of this very transaction. */
static bool is_deleted_now(const struct lia_writer *w)
{
    return lia_stamp_cmp(w->state->deleted, w->stamp) == 0 ||
           lia_stamp_cmp(w->state->withdrawn, w->stamp) == 0;
}

static void begin_life(struct lia_writer *w, struct liana_slice id)
{
    w->state->created = w->stamp;
    w->state->created_tag = w->stamp;
    w->state->id = id;
}

static liana_status op_insert(struct lia_writer *w, const struct lia_op *op)
{
    struct liana_slice id = {NULL, 0};
    liana_status status = check_document(w, op);

    if (!status) {
        status = find_id(w, op->value.data, &id);
    }
    if (status) {
        return status;
    }
    if (w->has_before_delete) {
        *w->state = w->before_delete;
        w->has_before_delete = false;
        return op_replace(w, op);
    }
    if (is_deleted_now(w)) {
        return lia_err(w->work->err, LIANA_EMISUSE,
                       "an insert after a delete in one transaction is a replace");
    }
    begin_life(w, id);
    if (w->state->is_hidden) { /* it saw what was withdrawn, and takes its place */
        w->state->is_hidden = false;
        return lia_op_replace_root(w, op);
    }
    w->state->root = (struct lia_node){0};
    return lia_op_fill_root(w, op);
}

/* It counts under the stamp of its transaction, whatever it takes effect at. */
static void raise_delete(struct lia_stamp *delete,
                         struct lia_stamp *tag,
                         struct lia_stamp effect,
                         struct lia_stamp stamp)
{
    if (lia_stamp_cmp(effect, *delete) >= 0) {
        *delete = effect;
        *tag = stamp;
    }
}

static void op_delete(struct lia_writer *w, const struct lia_op *op)
{
    struct lia_stamp effect = lia_stamp_is_none(op->effect) ? w->stamp : op->effect;

    w->before_delete = *w->state;
    w->has_before_delete = true;
    if (op->mode == LIA_UPDATE_WINS) {
        raise_delete(&w->state->withdrawn, &w->state->withdrawn_tag, effect, w->stamp);
        w->state->is_hidden =
            lia_stamp_is_none(op->effect) || lia_state_is_hidden(w->state);
        return;
    }
    raise_delete(&w->state->deleted, &w->state->deleted_tag, effect, w->stamp);
    if (lia_stamp_cmp(w->state->created, effect) > 0) {
        lia_node_void(NULL, &w->state->root, effect);
        return;
    }
    w->state->created = LIA_STAMP_NONE;
    w->state->created_tag = LIA_STAMP_NONE;
    w->state->id = (struct liana_slice){NULL, 0};
    w->state->root = (struct lia_node){0};
}

/* ---- one operation ---- */

static liana_status check_path(struct lia_writer *w, struct lia_path path)
{
    if (path.count == 0) {
        return lia_err(w->work->err, LIANA_EINVAL, "operation without a path");
    }
    if (path.count > LIA_DEPTH_MAX + 1) {
        return lia_err(w->work->err, LIANA_EDEPTH, "path of %zu names", path.count);
    }
    if (lia_str_equal(path.names[0], lia_str("_id"))) {
        return lia_err(w->work->err, LIANA_EID, "_id cannot be changed");
    }
    for (size_t i = 0; i < path.count; i++) {
        if (path.names[i].len && memchr(path.names[i].ptr, 0, path.names[i].len)) {
            return lia_err(w->work->err, LIANA_EINVAL, "a field name contains NUL");
        }
    }
    return LIANA_OK;
}

static liana_status check_depth(struct lia_writer *w, const struct lia_op *op)
{
    bool is_element = op->kind == LIA_OP_ADD || op->kind == LIA_OP_REMOVE;
    char text[LIA_PATH_TEXT];

    if (op->path.count - 1 + is_element + lia_value_nesting(op->value) >
        LIA_DEPTH_MAX) {
        return lia_err(w->work->err, LIANA_EDEPTH,
                       "%s: more than %d documents and arrays inside one another",
                       lia_path_text(op->path, text), LIA_DEPTH_MAX);
    }
    return LIANA_OK;
}

static liana_status apply_field(struct lia_writer *w, const struct lia_op *op)
{
    liana_status status = check_path(w, op->path);

    if (!status && op->kind != LIA_OP_UNSET && op->kind != LIA_OP_RECLAIM) {
        status = check_depth(w, op);
    }

    if (status) {
        return status;
    }
    switch (op->kind) {
    case LIA_OP_SET: return lia_op_set(w, op);
    case LIA_OP_UNSET: return lia_op_unset(w, op);
    case LIA_OP_INCREMENT: return lia_op_increment(w, op);
    case LIA_OP_RESTART: return lia_op_restart(w, op);
    case LIA_OP_ADD: return lia_op_add(w, op);
    case LIA_OP_REMOVE: return lia_op_remove(w, op);
    case LIA_OP_BOUND: return lia_op_bound(w, op);
    case LIA_OP_TRANSFER: return lia_op_transfer(w, op);
    case LIA_OP_RECLAIM: return lia_op_reclaim(w, op);
    default: return lia_err(w->work->err, LIANA_EINVAL, "no such operation");
    }
}

liana_status lia_op_apply(struct lia_writer *w, const struct lia_op *op)
{
    liana_status status = LIANA_OK;

    if (op->kind == LIA_OP_INSERT && exists(w)) {
        return lia_err_plain(w->work->err, LIANA_EEXISTS);
    }
    if (op->kind == LIA_OP_DELETE && !exists(w)) {
        return LIANA_OK;
    }
    if (op->kind != LIA_OP_INSERT && !exists(w)) {
        return lia_err_plain(w->work->err, LIANA_ENOTFOUND);
    }
    switch (op->kind) {
    case LIA_OP_INSERT: status = op_insert(w, op); break;
    case LIA_OP_REPLACE: status = op_replace(w, op); break;
    case LIA_OP_DELETE: op_delete(w, op); break;
    default: return apply_field(w, op);
    }
    w->is_changed = w->is_changed || !status;
    return status;
}
