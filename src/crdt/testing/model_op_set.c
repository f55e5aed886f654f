/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on the elements of sets. */
#include "crdt/testing/model_op.h"

void model_add_element(struct model_writer *w,
                       struct model_entry e,
                       struct lia_value element)
{
    e.kind = MODEL_ADDED;
    e.leaf = element;
    model_put(w->d, &e, true);
    /* Of this transaction, what came last counts. */
    e.kind = MODEL_TAKEN;
    for (size_t i = w->d->count; i-- > 0;) {
        if (&w->d->entries[i] == model_find(w->d, &e)) {
            model_remove(w->d, i);
        }
    }
}

void model_remove_element(struct model_writer *w,
                          const char *path,
                          struct lia_value element)
{
    for (size_t i = 0, count = w->d->count; i < count; i++) {
        struct model_entry e = w->d->entries[i];

        if (e.kind == MODEL_ADDED && !strcmp(e.path, path) &&
            lia_value_equal(e.leaf, element)) {
            e.kind = MODEL_TAKEN;
            e.tag = w->stamp;
            e.removed = w->stamp;
            model_put(w->d, &e, true);
        }
    }
    model_normalize(w->d);
}

void model_put_elements(struct model_writer *w,
                        struct model_entry e,
                        struct lia_value array)
{
    struct lia_bson_iter it = lia_bson_iter(array.data);
    bool is_empty = true;

    while (lia_bson_next(&it)) {
        is_empty = false;
        if (!model_has(w->d, e.path, it.value)) {
            model_add_element(w, e, it.value);
        }
    }
    if (is_empty) {
        e.kind = MODEL_OPEN_SET;
        model_put(w->d, &e, true);
    }
}

static bool contains(struct lia_value array, struct lia_value element)
{
    struct lia_bson_iter it = lia_bson_iter(array.data);

    while (lia_bson_next(&it)) {
        if (lia_value_equal(it.value, element)) {
            return true;
        }
    }
    return false;
}

bool model_assign_elements(struct model_writer *w,
                           const char *path,
                           struct lia_value array)
{
    struct model_entry e = model_entry_new(w, MODEL_ADDED, path, false);
    struct lia_bson_iter it = lia_bson_iter(array.data);
    bool is_changed = false;

    for (size_t i = 0; i < w->d->count; i++) {
        struct lia_value element = w->d->entries[i].leaf;

        if (w->d->entries[i].kind == MODEL_ADDED &&
            !strcmp(w->d->entries[i].path, path) && !contains(array, element) &&
            model_has(w->d, path, element)) {
            model_remove_element(w, path, element);
            is_changed = true;
            i = SIZE_MAX; /* entries have moved: from the beginning */
        }
    }
    while (lia_bson_next(&it)) {
        if (!model_has(w->d, path, it.value)) {
            model_add_element(w, e, it.value);
            is_changed = true;
        }
    }
    return is_changed;
}
