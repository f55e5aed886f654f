/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes at a path: assignments, removals, increments.
 */
#include "crdt/op.h"

liana_status lia_op_failed(struct lia_writer *w)
{
    return lia_err_plain(w->work->err, w->work->status);
}

/* The smallest birth left at or below, else that of a path that appears now. */
struct lia_birth lia_op_birth(struct lia_writer *w, const struct lia_node *node)
{
    if (lia_birth_cmp(node->view.birth, LIA_BIRTH_NEVER) != 0) {
        return node->view.birth;
    }
    return (struct lia_birth){w->stamp, w->next_index++};
}

/* The sums that stand at the node, as seen by a value written there. */
static bool see_sums(struct lia_writer *w, struct lia_node *node)
{
    struct lia_seen *seen =
        lia_arena_array(w->work->arena, node->cell_count, sizeof(*seen));

    if (!seen) {
        w->work->status = LIANA_ENOMEM;
        return false;
    }
    for (size_t i = 0; i < node->cell_count; i++) {
        seen[i] = (struct lia_seen){node->cells[i].rank.stamp.actor,
                                    node->cells[i].start, node->cells[i].sum};
    }
    node->seen = seen;
    node->seen_count = node->cell_count;
    return true;
}

bool lia_op_put(struct lia_writer *w,
                struct lia_node *node,
                enum lia_value_kind kind,
                struct lia_birth birth)
{
    node->value = kind;
    node->rank = lia_writer_rank(w);
    node->birth = birth;
    return see_sums(w, node);
}

/* A write above takes the node and all below away; sums stay, and what was seen of
 * them. */
bool lia_op_clear(struct lia_writer *w, struct lia_node *node)
{
    struct lia_piece **link = &node->children;

    while (*link) {
        struct lia_piece *p = *link;

        if (p->node && !lia_op_clear(w, p->node)) {
            return false;
        }
        if (p->node && !lia_node_is_empty(p->node)) {
            link = &p->next;
        } else {
            *link = p->next;
        }
    }
    node->is_open = false;
    node->set = NULL;
    node->bounded = NULL;
    node->value = LIA_VALUE_NONE;
    node->seen_count = 0;
    return node->cell_count == 0 || LIA_MUTANT(11) ||
           lia_op_put(w, node, LIA_VALUE_GONE, LIA_BIRTH_NEVER);
}

/* ---- documents as values ---- */

/* What values see of the sums beside them, after fields were written over what clear()
 * has left. */
static bool see_again(struct lia_writer *w, struct lia_node *node)
{
    if (node->value != LIA_VALUE_NONE && node->cell_count > 0 && !see_sums(w, node)) {
        return false;
    }
    for (struct lia_piece *p = node->children; p; p = p->next) {
        if (p->node && !see_again(w, p->node)) {
            return false;
        }
    }
    return true;
}

/* The sums that clear() has left come back under the fields written there: both have this
 * rank, and a leaf stands before what is gone. */
static bool keep_sums(struct lia_writer *w,
                      struct lia_node *map,
                      struct lia_piece *left)
{
    const struct lia_join join = {.work = w->work};
    struct lia_node sums = {.children = left};

    return !left || (lia_node_join(&join, map, &sums) && see_again(w, map));
}

/* Adds the elements from `at` to `end` of a written document to the map; `index` is the
 * birth of the first. */
static bool add_run(struct lia_writer *w,
                    struct lia_node *map,
                    const uint8_t *at,
                    const uint8_t *end,
                    uint64_t index)
{
    struct lia_birth birth = {w->stamp, index};
    struct lia_piece *run;

    if (at == end) {
        return true;
    }
    run = lia_run_new(w->work, lia_slice(at, (size_t)(end - at)), lia_writer_rank(w),
                      birth);
    if (!run) {
        return false;
    }
    lia_node_append(map, run);
    return true;
}

/* The fields have their runs: their shapes, and what lia_op_clear has left of sums. */
static liana_status finish(struct lia_writer *w,
                           const struct lia_op *op,
                           struct lia_node *map,
                           struct lia_piece *left)
{
    liana_status status = lia_op_reshape(w, op, map);

    if (status) {
        return status;
    }
    return keep_sums(w, map, left) ? LIANA_OK : lia_op_failed(w);
}

/* The fields of a document written at a map that lia_op_clear has emptied. */
static liana_status fill(struct lia_writer *w,
                         const struct lia_op *op,
                         struct lia_node *map)
{
    struct liana_slice doc = op->value.data;
    struct lia_piece *left = map->children;
    struct lia_bson_iter it = lia_bson_iter(doc);

    map->children = NULL;
    if (!add_run(w, map, it.at, it.end, w->next_index + 4)) {
        return lia_op_failed(w);
    }
    w->next_index += doc.len;
    return finish(w, op, map, left);
}

/* The same for the root, where _id stands first whatever the order of the document. */
liana_status lia_op_fill_root(struct lia_writer *w, const struct lia_op *op)
{
    struct lia_node *root = &w->state->root;
    struct liana_slice doc = op->value.data;
    struct lia_piece *left = root->children;
    struct lia_bson_iter it = lia_bson_iter(doc);
    const uint8_t *first = it.at;
    uint64_t index = w->next_index + 4 + w->state->id.len;

    root->children = NULL;
    while (lia_bson_next(&it)) {
        if (!lia_str_equal(it.name, lia_str("_id"))) {
            continue;
        }
        if (!add_run(w, root, first, it.start, index)) {
            return lia_op_failed(w);
        }
        index += (uint64_t)(it.start - first);
        first = it.at;
    }
    if (!add_run(w, root, first, it.end, index)) {
        return lia_op_failed(w);
    }
    w->next_index += doc.len + w->state->id.len;
    return finish(w, op, root, left);
}

liana_status lia_op_replace_root(struct lia_writer *w, const struct lia_op *op)
{
    struct lia_node *root = &w->state->root;

    if (!lia_op_clear(w, root)) {
        return lia_op_failed(w);
    }
    root->value = LIA_VALUE_MAP;
    root->rank = lia_writer_rank(w);
    return lia_op_fill_root(w, op);
}

/* ---- operations ---- */

/* SET where a counter with a bound is asked for begins it. */
static liana_status begin_bounded(struct lia_writer *w,
                                  const struct lia_op *op,
                                  const struct lia_shape *shape)
{
    struct lia_op bound = *op;

    bound.bound = shape->bound;
    return lia_op_bound(w, &bound);
}

static bool is_set(const struct lia_op *op,
                   const struct lia_shape *shape,
                   const struct lia_node *node)
{
    return shape
               ? shape->kind == LIA_SHAPE_SET
               : op->value.type == LIA_BSON_ARRAY && node->view.shown == LIA_SHOWN_SET;
}

liana_status lia_op_set(struct lia_writer *w, const struct lia_op *op)
{
    const struct lia_shape *shape = lia_op_shape(op, op->path);
    bool is_map = op->value.type == LIA_BSON_DOCUMENT && !shape;
    struct lia_node *node;
    struct lia_rank cover;
    struct lia_birth birth;
    uint64_t index = w->next_index;
    liana_status status;

    if (shape && shape->kind == LIA_SHAPE_BOUNDED) {
        return begin_bounded(w, op, shape);
    }
    status = lia_op_reach(w, op->path, &node, &cover);
    if (!status) {
        status = lia_op_check_unbounded(w, op->path, node);
    }
    if (status) {
        return status;
    }
    if (is_set(op, shape, node)) {
        return lia_op_set_array(w, op, node);
    }
    birth = lia_op_birth(w, node);
    if (!lia_op_clear(w, node) ||
        !lia_op_put(w, node, is_map ? LIA_VALUE_MAP : LIA_VALUE_LEAF, birth)) {
        return lia_op_failed(w);
    }
    node->leaf = op->value;
    w->is_changed = true;
    if (!is_map) {
        return LIANA_OK;
    }
    w->next_index = index; /* the fields' births begin after the map's own */
    return fill(w, op, node);
}

liana_status lia_op_unset(struct lia_writer *w, const struct lia_op *op)
{
    struct lia_node *node;
    struct lia_birth birth;
    liana_status status = lia_op_find(w, op->path, &node);

    if (!status && node) {
        status = lia_op_check_unbounded(w, op->path, node);
    }
    if (status || !node) {
        return status;
    }
    birth = lia_op_birth(w, node);
    if (!lia_op_clear(w, node) || !lia_op_put(w, node, LIA_VALUE_REMOVED, birth)) {
        return lia_op_failed(w);
    }
    w->is_changed = true;
    return LIANA_OK;
}

static size_t cell_place(const struct lia_node *node, uint64_t actor)
{
    size_t i = 0;

    while (i < node->cell_count && node->cells[i].rank.stamp.actor < actor) {
        i++;
    }
    return i;
}

static bool has_cell(const struct lia_writer *w,
                     const struct lia_node *node,
                     size_t place)
{
    return place < node->cell_count &&
           node->cells[place].rank.stamp.actor == w->stamp.actor;
}

/* From a sum that is not finite nothing could be taken again, by no assignment. */
static liana_status check_finite(struct lia_writer *w,
                                 const struct lia_op *op,
                                 const struct lia_node *node)
{
    const struct lia_sum more = lia_sum_of(op->value);
    size_t place = cell_place(node, w->stamp.actor);
    char text[LIA_PATH_TEXT];

    if (!lia_sum_is_finite(more)) {
        return lia_err(w->work->err, LIANA_EINVAL,
                       "%s: increment by what is not finite",
                       lia_path_text(op->path, text));
    }
    if (has_cell(w, node, place) &&
        !lia_sum_is_finite(lia_sum_add(node->cells[place].sum, more))) {
        return lia_err(w->work->err, LIANA_ERANGE,
                       "%s: the sum of the increments made here would not be finite",
                       lia_path_text(op->path, text));
    }
    return LIANA_OK;
}

/* Adds to the actor's own sum, which it begins if there is none. */
static bool add_to_cell(struct lia_writer *w,
                        struct lia_node *node,
                        struct lia_cell more)
{
    size_t place = cell_place(node, w->stamp.actor);
    bool is_there = has_cell(w, node, place);
    size_t count = node->cell_count + !is_there;
    struct lia_cell *cells = lia_arena_array(w->work->arena, count, sizeof(*cells));

    if (!cells) {
        w->work->status = LIANA_ENOMEM;
        return false;
    }
    for (size_t i = 0, j = 0; i < count; i++) {
        cells[i] = i == place && !is_there ? more : node->cells[j++];
    }
    if (is_there) {
        more.start = cells[place].start;
        more.sum = lia_sum_add(cells[place].sum, more.sum);
        cells[place] = more;
    }
    node->cells = cells;
    node->cell_count = count;
    return true;
}

/* Nothing is shown, and a sum alone would not change that, or would show what was
 * removed. */
static bool needs_zero(struct lia_writer *w,
                       const struct lia_node *node,
                       struct lia_rank cover)
{
    if (node->value != LIA_VALUE_NONE) {
        cover = lia_rank_max(cover, node->rank);
    }
    return node->view.shown == LIA_SHOWN_NOTHING && !LIA_MUTANT(10) &&
           (node->cell_count > 0 || lia_rank_cmp(lia_writer_rank(w), cover) <= 0);
}

static liana_status check_number(struct lia_writer *w,
                                 const struct lia_op *op,
                                 const struct lia_node *node)
{
    char text[LIA_PATH_TEXT];

    if (!lia_value_is_number(op->value)) {
        return lia_err(w->work->err, LIANA_ETYPE, "%s a value of type %s",
                       op->kind == LIA_OP_RESTART ? "restart with" : "increment by",
                       lia_bson_type_name(op->value.type));
    }
    if (node->view.shown != LIA_SHOWN_NOTHING &&
        (node->view.shown != LIA_SHOWN_LEAF || !lia_value_is_number(node->view.leaf))) {
        return lia_err(w->work->err, LIANA_ETYPE, "%s is of type %s and cannot be %s",
                       lia_path_text(op->path, text), lia_shown_name(node),
                       op->kind == LIA_OP_RESTART ? "restarted" : "incremented");
    }
    return LIANA_OK;
}

liana_status lia_op_increment(struct lia_writer *w, const struct lia_op *op)
{
    static const uint8_t zero[4] = {0};
    struct lia_node *node;
    struct lia_rank cover;
    struct lia_cell more;
    liana_status status = lia_op_reach(w, op->path, &node, &cover);

    if (!status && node->view.shown == LIA_SHOWN_BOUNDED) {
        return lia_op_increment_bounded(w, op, node);
    }
    if (!status) {
        status = check_number(w, op, node);
    }
    if (!status) {
        status = check_finite(w, op, node);
    }
    if (status) {
        return status;
    }
    more = (struct lia_cell){w->state->created, lia_writer_rank(w),
                             lia_op_birth(w, node), lia_sum_of(op->value)};
    if (needs_zero(w, node, cover)) {
        if (!lia_op_clear(w, node) ||
            !lia_op_put(w, node, LIA_VALUE_LEAF, more.birth)) {
            return lia_op_failed(w);
        }
        node->leaf = (struct lia_value){LIA_BSON_INT32, {zero, sizeof(zero)}};
    }
    if (!add_to_cell(w, node, more)) {
        return lia_op_failed(w);
    }
    w->is_changed = true;
    return LIANA_OK;
}

liana_status lia_op_restart(struct lia_writer *w, const struct lia_op *op)
{
    struct lia_node *node;
    struct lia_rank cover;
    struct lia_op set = *op;
    liana_status status = lia_op_reach(w, op->path, &node, &cover);

    if (!status) {
        status = lia_op_check_unbounded(w, op->path, node);
    }
    if (!status) {
        status = check_number(w, op, node);
    }
    set.kind = LIA_OP_SET;
    set.shape_count = 0;
    return status ? status : lia_op_set(w, &set);
}
