/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a schema makes of values: arrays that are sets, objects that are kept whole, numbers
 * that do not fall below a bound.
 *
 * A written document first becomes what every document becomes; then the paths that are
 * to be something else are taken out of its runs.
 */
#include "crdt/op.h"
#include "crdt/set.h"

static bool starts_with(struct lia_path path, struct lia_path start)
{
    bool is_same = path.count >= start.count;

    for (size_t i = 0; i < start.count && is_same; i++) {
        is_same = lia_str_equal(path.names[i], start.names[i]);
    }
    return is_same;
}

const struct lia_shape *lia_op_shape(const struct lia_op *op, struct lia_path path)
{
    for (size_t i = 0; i < op->shape_count; i++) {
        const struct lia_shape *shape = &op->shapes[i];

        if (shape->path.count == path.count && starts_with(path, shape->path)) {
            return shape;
        }
    }
    return NULL;
}

/* The value at the path within a document. */
static bool find_value(struct liana_slice doc,
                       struct lia_path path,
                       struct lia_value *out)
{
    for (size_t i = 0; i < path.count; i++) {
        if (i && out->type != LIA_BSON_DOCUMENT) {
            return false;
        }
        if (!lia_bson_find(i ? out->data : doc, path.names[i], out)) {
            return false;
        }
    }
    return true;
}

/* The birth of an element that has just become a node: all of it is one run inside. */
static struct lia_birth written_birth(const struct lia_node *node)
{
    struct lia_birth birth;

    if (node->value == LIA_VALUE_LEAF) {
        return node->birth;
    }
    if (node->is_open) {
        return node->open_birth;
    }
    birth = node->children->birth;
    birth.index -= node->name.len + 2 + 4;
    return birth;
}

static liana_status make_set(struct lia_writer *w,
                             struct lia_path path,
                             struct lia_node *node,
                             struct lia_value value)
{
    struct lia_birth birth = written_birth(node);

    node->value = LIA_VALUE_NONE;
    return lia_op_fill_set(w, path, node, value, birth);
}

static void make_register(struct lia_writer *w,
                          struct lia_node *node,
                          struct lia_value value)
{
    node->birth = written_birth(node);
    node->value = LIA_VALUE_LEAF;
    node->rank = lia_writer_rank(w);
    node->leaf = value;
    node->is_open = false;
    node->children = NULL;
}

static liana_status make_bounded(struct lia_writer *w,
                                 const struct lia_shape *shape,
                                 struct lia_node *node,
                                 struct lia_value value)
{
    const struct lia_op bound = {
        .path = shape->path, .value = value, .bound = shape->bound};
    struct lia_birth birth = written_birth(node);

    node->value = LIA_VALUE_NONE;
    return lia_op_begin_bounded(w, &bound, node, birth);
}

static liana_status reshape(struct lia_writer *w,
                            const struct lia_shape *shape,
                            struct lia_path below,
                            struct lia_value value,
                            struct lia_node *map)
{
    struct lia_node *node = map;

    for (size_t i = 0; i < below.count; i++) {
        node = lia_node_child(w->work, node, below.names[i]);
        if (!node) {
            return lia_op_failed(w);
        }
    }
    if (shape->kind == LIA_SHAPE_SET) {
        return make_set(w, shape->path, node, value);
    }
    if (shape->kind == LIA_SHAPE_BOUNDED) {
        return make_bounded(w, shape, node, value);
    }
    if (value.type == LIA_BSON_DOCUMENT) {
        make_register(w, node, value);
    }
    return LIANA_OK;
}

liana_status lia_op_reshape(struct lia_writer *w,
                            const struct lia_op *op,
                            struct lia_node *map)
{
    for (size_t i = 0; i < op->shape_count; i++) {
        const struct lia_shape *shape = &op->shapes[i];
        struct lia_path below = {shape->path.names + op->path.count,
                                 shape->path.count - op->path.count};
        struct lia_value value = {0};
        liana_status status;

        if (!starts_with(shape->path, op->path) || below.count == 0 ||
            !find_value(op->value.data, below, &value)) {
            continue;
        }
        status = reshape(w, shape, below, value, map);
        if (status) {
            return status;
        }
    }
    return LIANA_OK;
}
