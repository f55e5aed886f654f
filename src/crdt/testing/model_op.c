/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "crdt/testing/model.h"

struct writer {
    struct model_doc *d;
    struct lia_stamp stamp;
};

/* path/name; an empty name adds nothing. */
static void add_name(char path[MODEL_PATH_MAX], struct liana_str name)
{
    size_t len = strlen(path);

    LIA_ASSERT(len + name.len + 2 <= MODEL_PATH_MAX);
    if (len && name.len) {
        path[len++] = '/';
    }
    memcpy(path + len, name.ptr, name.len);
    path[len + name.len] = '\0';
}

static uint64_t next_index(const struct writer *w)
{
    uint64_t next = 0;

    for (size_t i = 0; i < w->d->count; i++) {
        const struct model_entry *e = &w->d->entries[i];

        if (lia_stamp_cmp(e->birth, w->stamp) == 0 && e->birth_index >= next) {
            next = e->birth_index + 1;
        }
    }
    return next;
}

/* An entry of this transaction, with the birth left at its path or a new one. */
static struct model_entry entry(struct writer *w,
                                enum model_kind kind,
                                const char *path,
                                bool is_new)
{
    struct model_entry e = {.kind = kind, .rank = {w->d->created, w->stamp}};

    memcpy(e.path, path, strlen(path) + 1);
    if (is_new || !model_birth(w->d, path, &e.birth, &e.birth_index)) {
        e.birth = w->stamp;
        e.birth_index = next_index(w);
    }
    return e;
}

static void see_sums(struct writer *w, struct model_entry *value)
{
    for (size_t i = 0; i < w->d->count; i++) {
        const struct model_entry *e = &w->d->entries[i];

        if (e->kind == MODEL_SUM && strcmp(e->path, value->path) == 0) {
            LIA_ASSERT(value->seen_count < MODEL_SEEN_MAX);
            value->seen[value->seen_count++] =
                (struct model_seen){e->rank.stamp.actor, e->start, e->sum};
        }
    }
}

/* Takes away what is at and below the path; writes down the sums seen below. */
static void clear(struct writer *w, const char *path)
{
    for (size_t i = w->d->count; i-- > 0;) {
        const struct model_entry *e = &w->d->entries[i];

        if (e->kind != MODEL_SUM &&
            (strcmp(e->path, path) == 0 || model_is_below(e->path, path))) {
            model_remove(w->d, i);
        }
    }
    for (size_t i = 0; i < w->d->count; i++) {
        const struct model_entry *e = &w->d->entries[i];

        if (e->kind == MODEL_SUM && model_is_below(e->path, path)) {
            struct model_entry gone = entry(w, MODEL_VALUE, e->path, true);

            gone.value = MODEL_GONE;
            gone.birth = LIA_STAMP_NONE;
            gone.birth_index = 0;
            see_sums(w, &gone);
            model_put(w->d, &gone, true);
        }
    }
}

static void put_value(struct writer *w,
                      struct model_entry e,
                      enum model_value value,
                      struct lia_value leaf)
{
    e.value = value;
    e.leaf = leaf;
    e.seen_count = 0;
    see_sums(w, &e);
    model_put(w->d, &e, true);
}

/* One assignment per leaf. */
static void put_fields(struct writer *w, const char *path, struct liana_slice doc)
{
    struct lia_bson_iter it = lia_bson_iter(doc);

    while (lia_bson_next(&it)) {
        char below[MODEL_PATH_MAX];
        struct model_entry e;

        if (path[0] == '\0' && lia_str_equal(it.name, lia_str("_id"))) {
            continue;
        }
        below[0] = '\0';
        add_name(below, lia_str(path));
        add_name(below, it.name);
        if (it.value.type != LIA_BSON_DOCUMENT) {
            put_value(w, entry(w, MODEL_VALUE, below, true), MODEL_LEAF, it.value);
        } else if (it.value.data.len == 5) {
            e = entry(w, MODEL_OPEN, below, true);
            model_put(w->d, &e, true);
        } else {
            put_fields(w, below, it.value.data);
        }
    }
}

static void set(struct writer *w, const char *path, struct lia_value v)
{
    struct model_entry e = entry(w, MODEL_VALUE, path, false);

    clear(w, path);
    if (v.type == LIA_BSON_DOCUMENT) {
        put_value(w, e, MODEL_MAP, v);
        put_fields(w, path, v.data);
    } else {
        put_value(w, e, MODEL_LEAF, v);
    }
}

static bool unset(struct writer *w, const char *path)
{
    struct model_entry e = entry(w, MODEL_VALUE, path, false);
    struct lia_scratch scratch;
    struct lia_value leaf = {0};

    if (model_show(w->d, path, &scratch, &leaf) == MODEL_NOTHING) {
        return false;
    }
    clear(w, path);
    put_value(w, e, MODEL_REMOVED, leaf);
    return true;
}

static liana_status increment(struct writer *w, const char *path, struct lia_value v)
{
    static const uint8_t zero[4] = {0};
    struct model_entry e = entry(w, MODEL_SUM, path, false);
    struct model_entry value = entry(w, MODEL_VALUE, path, false);
    struct model_entry *old = model_find(w->d, MODEL_SUM, path, w->stamp.actor);
    struct lia_scratch scratch;
    struct lia_value leaf;
    bool has_sums = false;

    for (size_t i = 0; i < w->d->count; i++) {
        has_sums = has_sums || (w->d->entries[i].kind == MODEL_SUM &&
                                strcmp(w->d->entries[i].path, path) == 0);
    }
    switch (model_show(w->d, path, &scratch, &leaf)) {
    case MODEL_SHOWS_MAP: return LIANA_ETYPE;
    case MODEL_SHOWS_LEAF:
        if (!lia_value_is_number(leaf)) {
            return LIANA_ETYPE;
        }
        break;
    case MODEL_NOTHING:
        if (has_sums || model_rank_cmp(e.rank, model_cover(w->d, path, true)) <= 0) {
            clear(w, path);
            put_value(w, value, MODEL_LEAF,
                      (struct lia_value){LIA_BSON_INT32, {zero, sizeof(zero)}});
            old = model_find(w->d, MODEL_SUM, path, w->stamp.actor);
        }
        break;
    }
    e.start = old ? old->start : w->d->created;
    e.sum = model_sum_of(v);
    if (old) {
        e.sum = model_sum_add(old->sum, e.sum);
    }
    model_put(w->d, &e, true);
    return LIANA_OK;
}

static void insert(struct writer *w,
                   struct model_doc *before_delete,
                   struct lia_value v)
{
    /* Into what the transaction itself deleted: a replace. */
    bool is_replace = lia_stamp_cmp(w->d->deleted, w->stamp) == 0;

    if (is_replace) {
        *w->d = *before_delete;
        set(w, "", v);
        return;
    }
    w->d->created = w->stamp;
    w->d->has_life = true;
    LIA_ASSERT(lia_bson_find(v.data, lia_str("_id"), &w->d->id));
    put_fields(w, "", v.data);
}

/* A path leads through maps, or through what shows nothing. */
static bool is_reachable(const struct model_doc *d, const char *path)
{
    char above[MODEL_PATH_MAX];

    for (size_t i = 0; path[i]; i++) {
        struct lia_scratch scratch;
        struct lia_value leaf;

        if (path[i] != '/') {
            continue;
        }
        memcpy(above, path, i);
        above[i] = '\0';
        if (model_show(d, above, &scratch, &leaf) == MODEL_SHOWS_LEAF) {
            return false;
        }
    }
    return true;
}

static void join_path(struct lia_path path, char out[MODEL_PATH_MAX])
{
    out[0] = '\0';
    for (size_t i = 0; i < path.count; i++) {
        add_name(out, path.names[i]);
    }
}

liana_status model_apply(struct model_doc *d,
                         struct model_doc *before_delete,
                         const struct lia_op *op,
                         struct lia_stamp stamp)
{
    struct writer w = {d, stamp};
    bool exists = !lia_stamp_is_none(d->created);
    char path[MODEL_PATH_MAX];
    liana_status status = LIANA_OK;
    bool is_effective = true;

    join_path(op->path, path);
    if (op->kind == LIA_OP_DELETE ? !exists : exists == (op->kind == LIA_OP_INSERT)) {
        return op->kind == LIA_OP_DELETE ? LIANA_OK
               : exists                  ? LIANA_EEXISTS
                                         : LIANA_ENOTFOUND;
    }
    if (op->kind == LIA_OP_UNSET && !is_reachable(d, path)) {
        return LIANA_OK;
    }
    if (!is_reachable(d, path)) {
        return LIANA_ETYPE;
    }
    switch (op->kind) {
    case LIA_OP_INSERT: insert(&w, before_delete, op->value); break;
    case LIA_OP_REPLACE: set(&w, "", op->value); break;
    case LIA_OP_SET: set(&w, path, op->value); break;
    case LIA_OP_UNSET: is_effective = unset(&w, path); break;
    case LIA_OP_INCREMENT: status = increment(&w, path, op->value); break;
    case LIA_OP_DELETE:
        *before_delete = *d;
        d->deleted = stamp;
        break;
    }
    if (!status) {
        model_normalize(d);
        d->is_changed = d->is_changed || is_effective;
    }
    return status;
}
