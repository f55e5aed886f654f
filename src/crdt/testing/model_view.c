/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "codec/order.h"
#include "crdt/testing/model.h"

static const struct model_entry *value_at(const struct model_doc *d, const char *path)
{
    for (size_t i = 0; i < d->count; i++) {
        if (d->entries[i].kind == MODEL_VALUE && !strcmp(d->entries[i].path, path)) {
            return &d->entries[i];
        }
    }
    return NULL;
}

static bool is_number(const struct model_entry *v)
{
    return v && v->value == MODEL_LEAF && lia_value_is_number(v->leaf);
}

/* Counts for what is shown, and for the order of fields. */
static bool is_live(const struct model_doc *d, const struct model_entry *e)
{
    if (e->kind == MODEL_SUM) {
        return !is_number(value_at(d, e->path)) &&
               model_rank_cmp(e->rank, model_cover(d, e->path, true)) > 0;
    }
    return e->kind != MODEL_VALUE || e->value != MODEL_GONE;
}

bool model_birth(const struct model_doc *d,
                 const char *path,
                 struct lia_stamp *out,
                 uint64_t *out_index)
{
    bool is_found = false;

    for (size_t i = 0; i < d->count; i++) {
        const struct model_entry *e = &d->entries[i];
        int order = is_found ? lia_stamp_cmp(e->birth, *out) : -1;

        if ((strcmp(e->path, path) != 0 && !model_is_below(e->path, path)) ||
            !is_live(d, e)) {
            continue;
        }
        if (order < 0 || (order == 0 && e->birth_index < *out_index)) {
            *out = e->birth;
            *out_index = e->birth_index;
        }
        is_found = true;
    }
    return is_found;
}

/* ---- sets ---- */

bool model_has(const struct model_doc *d, const char *path, struct lia_value element)
{
    for (size_t i = 0; i < d->count; i++) {
        const struct model_entry *e = &d->entries[i];
        bool is_taken = false;

        if (e->kind != MODEL_ADDED || strcmp(e->path, path) != 0 ||
            !lia_value_equal(e->leaf, element)) {
            continue;
        }
        for (size_t j = 0; j < d->count; j++) {
            const struct model_entry *t = &d->entries[j];

            is_taken = is_taken || (t->kind == MODEL_TAKEN && !strcmp(t->path, path) &&
                                    lia_value_equal(t->leaf, element) &&
                                    t->rank.stamp.actor == e->rank.stamp.actor &&
                                    model_rank_cmp(t->rank, e->rank) >= 0);
        }
        if (!is_taken) {
            return true;
        }
    }
    return false;
}

/* BSON order, then type, then bytes. */
static int compare_elements(struct lia_value a, struct lia_value b)
{
    int order = lia_value_cmp(a, b);

    order = order ? order : (int)a.type - (int)b.type;
    return order ? order : lia_slice_cmp(a.data, b.data);
}

static void elements(const struct model_doc *d, const char *path, struct lia_buf *out)
{
    const struct lia_value *last = NULL;

    for (uint32_t n = 0;; n++) {
        const struct lia_value *next = NULL;
        char text[12];

        for (size_t i = 0; i < d->count; i++) {
            const struct model_entry *e = &d->entries[i];

            if (e->kind == MODEL_ADDED && !strcmp(e->path, path) &&
                model_has(d, path, e->leaf) &&
                (!last || compare_elements(e->leaf, *last) > 0) &&
                (!next || compare_elements(e->leaf, *next) < 0)) {
                next = &e->leaf;
            }
        }
        if (!next) {
            return;
        }
        lia_bson_add(out, lia_bson_index_name(n, text), *next);
        last = next;
    }
}

/* ---- bounded counters ---- */

int64_t model_rights(const struct model_doc *d,
                     const char *path,
                     uint64_t actor,
                     const struct lia_stamp *creation)
{
    int64_t rights = 0;

    for (size_t i = 0; i < d->count; i++) {
        const struct model_entry *e = &d->entries[i];

        if (e->kind != MODEL_SHARE || strcmp(e->path, path) != 0 ||
            (creation && lia_stamp_cmp(*creation, e->start) != 0)) {
            continue;
        }
        if (e->rank.stamp.actor == actor) {
            rights += e->granted - e->spent;
        }
        for (size_t j = 0; j < e->grant_count; j++) {
            rights += e->grants[j].to == actor ? e->grants[j].amount : 0;
            rights -= e->grants[j].from == actor ? e->grants[j].amount : 0;
        }
    }
    return rights;
}

static struct lia_value bounded_value(const struct model_doc *d,
                                      const char *path,
                                      struct lia_scratch *scratch)
{
    int64_t value = 0;

    for (size_t i = 0; i < d->count; i++) {
        const struct model_entry *e = &d->entries[i];

        if (e->kind == MODEL_SHARE && strcmp(e->path, path) == 0) {
            value += e->bound + e->granted - e->spent;
        }
    }
    return lia_value_of_int64(value, scratch);
}

/* ---- numbers ---- */

static bool unseen(const struct model_entry *v,
                   const struct model_entry *cell,
                   struct model_sum *out)
{
    *out = cell->sum;
    for (size_t i = 0; v && i < v->seen_count; i++) {
        const struct model_seen *seen = &v->seen[i];
        int order = lia_stamp_cmp(cell->start, seen->start);

        if (seen->actor != cell->rank.stamp.actor || order > 0) {
            continue;
        }
        if (order < 0 || model_sum_cmp(cell->sum, seen->sum) == 0) {
            return false;
        }
        *out = model_sum_add(cell->sum, model_sum_negate(seen->sum));
    }
    return true;
}

static struct lia_value number(const struct model_doc *d,
                               const struct model_entry *v,
                               const char *path,
                               struct lia_scratch *scratch)
{
    struct model_sum total = {.type = LIA_BSON_INT32};
    bool is_computed = !is_number(v);
    uint64_t after = 0;
    bool is_first = true;

    if (is_number(v)) {
        total = model_sum_of(v->leaf);
    }
    for (;;) { /* in the order of actors */
        const struct model_entry *next = NULL;
        struct model_sum more;

        for (size_t i = 0; i < d->count; i++) {
            const struct model_entry *e = &d->entries[i];

            if (e->kind == MODEL_SUM && !strcmp(e->path, path) &&
                (is_first || e->rank.stamp.actor > after) &&
                (!next || e->rank.stamp.actor < next->rank.stamp.actor)) {
                next = e;
            }
        }
        if (!next) {
            return is_computed ? model_sum_value(total, scratch) : v->leaf;
        }
        after = next->rank.stamp.actor;
        is_first = false;
        if (unseen(v, next, &more)) {
            total = model_sum_add(total, more);
            is_computed = true;
        }
    }
}

/* ---- paths ---- */

static enum model_shown kind_of(const struct model_entry *e)
{
    switch (e->kind) {
    case MODEL_ADDED:
    case MODEL_TAKEN:
    case MODEL_OPEN_SET: return MODEL_SHOWS_SET;
    case MODEL_SHARE: return MODEL_SHOWS_BOUNDED;
    case MODEL_OPEN: return MODEL_SHOWS_MAP;
    default: return MODEL_NOTHING;
    }
}

/* The newest inside entry of the kind at the path. */
static struct model_rank newest(const struct model_doc *d,
                                const char *path,
                                enum model_shown kind)
{
    struct model_rank most = {{0, 0}, {0, 0}};

    for (size_t i = 0; i < d->count; i++) {
        const struct model_entry *e = &d->entries[i];
        bool counts = (strcmp(e->path, path) == 0 && kind_of(e) == kind) ||
                      (kind == MODEL_SHOWS_MAP && model_is_below(e->path, path));

        if (counts && is_live(d, e) && model_rank_cmp(e->rank, most) > 0) {
            most = e->rank;
        }
    }
    return most;
}

static bool has_live_sum(const struct model_doc *d, const char *path)
{
    for (size_t i = 0; i < d->count; i++) {
        const struct model_entry *e = &d->entries[i];

        if (e->kind == MODEL_SUM && !strcmp(e->path, path) && is_live(d, e)) {
            return true;
        }
    }
    return false;
}

enum model_shown model_show(const struct model_doc *d,
                            const char *path,
                            struct lia_scratch *scratch,
                            struct lia_value *out)
{
    static const struct model_rank none = {{0, 0}, {0, 0}};
    const struct model_entry *v = value_at(d, path);
    struct model_rank map = newest(d, path, MODEL_SHOWS_MAP);
    struct model_rank set = newest(d, path, MODEL_SHOWS_SET);
    struct model_rank bounded = newest(d, path, MODEL_SHOWS_BOUNDED);

    if (path[0] == '\0') {
        return MODEL_SHOWS_MAP;
    }
    if (model_rank_cmp(bounded, map) > 0 && model_rank_cmp(bounded, set) > 0) {
        *out = bounded_value(d, path, scratch);
        return MODEL_SHOWS_BOUNDED;
    }
    if (model_rank_cmp(map, none) > 0 || model_rank_cmp(set, none) > 0) {
        return model_rank_cmp(map, set) >= 0 ? MODEL_SHOWS_MAP : MODEL_SHOWS_SET;
    }
    if (v && v->value == MODEL_MAP) {
        return MODEL_SHOWS_MAP;
    }
    if (v && v->value == MODEL_LEAF && !is_number(v)) {
        *out = v->leaf;
        return MODEL_SHOWS_LEAF;
    }
    if (is_number(v) || has_live_sum(d, path)) {
        *out = number(d, v, path, scratch);
        return MODEL_SHOWS_LEAF;
    }
    return MODEL_NOTHING;
}

struct child {
    char path[MODEL_PATH_MAX];
    struct lia_stamp birth;
    uint64_t index;
};

static int compare(const struct child *a, const struct child *b)
{
    int order = lia_stamp_cmp(a->birth, b->birth);

    order = order ? order : (a->index > b->index) - (a->index < b->index);
    return order ? order : strcmp(a->path, b->path);
}

/* Inserts the child of `path` on the way to `below`, in order, once. */
static size_t add_child(const struct model_doc *d,
                        struct child *children,
                        size_t count,
                        const char *path,
                        const char *below)
{
    struct child c = {{0}, {0, 0}, 0};
    size_t start = path[0] ? strlen(path) + 1 : 0;
    size_t end = start + strcspn(below + start, "/");
    size_t at = 0;

    memcpy(c.path, below, end);
    for (size_t i = 0; i < count; i++) {
        if (!strcmp(children[i].path, c.path)) {
            return count;
        }
    }
    if (!model_birth(d, c.path, &c.birth, &c.index)) {
        return count;
    }
    while (at < count && compare(&children[at], &c) < 0) {
        at++;
    }
    memmove(&children[at + 1], &children[at], (count - at) * sizeof(c));
    children[at] = c;
    return count + 1;
}

static void fields(const struct model_doc *d, const char *path, struct lia_buf *out)
{
    struct child children[MODEL_ENTRIES_MAX];
    size_t count = 0;

    for (size_t i = 0; i < d->count; i++) {
        if (model_is_below(d->entries[i].path, path)) {
            count = add_child(d, children, count, path, d->entries[i].path);
        }
    }
    for (size_t i = 0; i < count; i++) {
        const char *name = children[i].path + (path[0] ? strlen(path) + 1 : 0);
        struct lia_scratch scratch;
        struct lia_value leaf;
        size_t mark;

        switch (model_show(d, children[i].path, &scratch, &leaf)) {
        case MODEL_NOTHING: break;
        case MODEL_SHOWS_BOUNDED:
        case MODEL_SHOWS_LEAF: lia_bson_add(out, lia_str(name), leaf); break;
        case MODEL_SHOWS_MAP:
            mark = lia_bson_begin_in(out, LIA_BSON_DOCUMENT, lia_str(name));
            fields(d, children[i].path, out);
            lia_bson_end(out, mark);
            break;
        case MODEL_SHOWS_SET:
            mark = lia_bson_begin_in(out, LIA_BSON_ARRAY, lia_str(name));
            elements(d, children[i].path, out);
            lia_bson_end(out, mark);
            break;
        }
    }
}

void model_body(const struct model_doc *d, struct lia_buf *out)
{
    size_t mark;

    if (!model_exists(d)) {
        return;
    }
    mark = lia_bson_begin(out);
    if (d->has_life) {
        lia_bson_add(out, lia_str("_id"), d->id);
    }
    fields(d, "", out);
    lia_bson_end(out, mark);
}
