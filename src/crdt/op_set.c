/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes to sets: additions, removals, and assignments that become both.
 */
#include "crdt/op.h"
#include "crdt/set.h"

static liana_status no_set(struct lia_writer *w, struct lia_path path, const char *type)
{
    char text[LIA_PATH_TEXT];

    return lia_err(w->work->err, LIANA_ETYPE, "%s is of type %s and no set",
                   lia_path_text(path, text), type);
}

static bool add(struct lia_writer *w,
                struct lia_node *node,
                struct lia_value value,
                struct lia_birth birth)
{
    struct lia_set *set = lia_set_of(w->work, node);

    return set && lia_set_add(w->work, set, value, lia_writer_rank(w), birth);
}

/* An array without elements says that a set begins here. */
static bool open_set(struct lia_writer *w,
                     struct lia_node *node,
                     struct lia_birth birth)
{
    struct lia_set *set = lia_set_of(w->work, node);

    if (!set) {
        return false;
    }
    set->is_open = true;
    set->open_rank = lia_writer_rank(w);
    set->open_birth = birth;
    return true;
}

/* The array at the path becomes a set, if the operation asks for one. */
static liana_status make_set(struct lia_writer *w,
                             const struct lia_op *op,
                             struct lia_node *node)
{
    const struct lia_shape *shape = lia_op_shape(op, op->path);
    struct lia_op set = *op;

    if (node->view.shown != LIA_SHOWN_LEAF || node->view.leaf.type != LIA_BSON_ARRAY ||
        !shape || shape->kind != LIA_SHAPE_SET) {
        return no_set(w, op->path, lia_shown_name(node));
    }
    set.value = node->view.leaf;
    return lia_op_set_array(w, &set, node);
}

liana_status lia_op_add(struct lia_writer *w, const struct lia_op *op)
{
    struct lia_node *node;
    struct lia_rank cover;
    liana_status status = lia_op_reach(w, op->path, &node, &cover);

    if (status) {
        return status;
    }
    if (node->view.shown != LIA_SHOWN_NOTHING && node->view.shown != LIA_SHOWN_SET) {
        status = make_set(w, op, node);
    }
    if (status) {
        return status;
    }
    if (!add(w, node, op->value, lia_op_birth(w, node))) {
        return lia_op_failed(w);
    }
    w->is_changed = true;
    return LIANA_OK;
}

liana_status lia_op_remove(struct lia_writer *w, const struct lia_op *op)
{
    struct lia_node *node;
    struct lia_element *element;
    liana_status status = lia_op_find(w, op->path, &node);

    if (status || !node) {
        return status;
    }
    if (node->view.shown != LIA_SHOWN_SET) {
        status = make_set(w, op, node);
    }
    if (status) {
        return status;
    }
    element = lia_set_find(node->set, op->value);
    if (element && lia_element_is_in(element)) {
        lia_element_remove(element, w->stamp);
        w->is_changed = true;
    }
    return LIANA_OK;
}

/* ---- assignments ---- */

static bool has_element(struct liana_slice array, struct lia_value value)
{
    struct lia_bson_iter it = lia_bson_iter(array);

    while (lia_bson_next(&it)) {
        if (lia_value_equal(it.value, value)) {
            return true;
        }
    }
    return false;
}

static void remove_others(struct lia_writer *w,
                          const struct lia_set *set,
                          struct liana_slice array)
{
    for (size_t i = 0; i < set->count; i++) {
        struct lia_element *element = &set->elements[i];

        if (lia_element_is_in(element) && !has_element(array, element->value)) {
            lia_element_remove(element, w->stamp);
            w->is_changed = true;
        }
    }
}

static bool add_missing(struct lia_writer *w,
                        struct lia_node *node,
                        struct liana_slice array,
                        struct lia_birth birth)
{
    struct lia_bson_iter it = lia_bson_iter(array);

    while (lia_bson_next(&it)) {
        const struct lia_element *element =
            node->set ? lia_set_find(node->set, it.value) : NULL;

        if (element && lia_element_is_in(element)) {
            continue;
        }
        if (!add(w, node, it.value, birth)) {
            return false;
        }
        w->is_changed = true;
    }
    return true;
}

liana_status lia_op_fill_set(struct lia_writer *w,
                             struct lia_path path,
                             struct lia_node *node,
                             struct lia_value array,
                             struct lia_birth birth)
{
    if (array.type != LIA_BSON_ARRAY) {
        return no_set(w, path, lia_bson_type_name(array.type));
    }
    if (!add_missing(w, node, array.data, birth) ||
        (!node->set && !open_set(w, node, birth))) {
        return lia_op_failed(w);
    }
    w->is_changed = true;
    return LIANA_OK;
}

liana_status lia_op_set_array(struct lia_writer *w,
                              const struct lia_op *op,
                              struct lia_node *node)
{
    struct lia_birth birth;

    if (op->value.type != LIA_BSON_ARRAY) {
        return no_set(w, op->path, lia_bson_type_name(op->value.type));
    }
    birth = lia_op_birth(w, node);
    if (node->view.shown == LIA_SHOWN_SET) {
        remove_others(w, node->set, op->value.data);
        return add_missing(w, node, op->value.data, birth) ? LIANA_OK
                                                           : lia_op_failed(w);
    }
    /* Something else stands there, or stood: it goes first. */
    if (!lia_op_clear(w, node) || !lia_op_put(w, node, LIA_VALUE_REMOVED, birth)) {
        return lia_op_failed(w);
    }
    return lia_op_fill_set(w, op->path, node, op->value, birth);
}
