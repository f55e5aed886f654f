/* SPDX-License-Identifier: Apache-2.0 */
#include "crdt/testing/model_op.h"
#include "base/error.h"

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

static uint64_t next_index(const struct model_writer *w)
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

struct model_entry model_entry_new(struct model_writer *w,
                                   enum model_kind kind,
                                   const char *path,
                                   bool is_new)
{
    struct model_entry e = {
        .kind = kind, .rank = {w->d->created, w->stamp}, .tag = w->stamp};

    memcpy(e.path, path, strlen(path) + 1);
    if (is_new || !model_birth(w->d, path, &e.birth, &e.birth_index)) {
        e.birth = w->stamp;
        e.birth_index = next_index(w);
    }
    return e;
}

static size_t count_sums(const struct model_doc *d, const char *path)
{
    size_t count = 0;

    for (size_t i = 0; i < d->count; i++) {
        count += d->entries[i].kind == MODEL_SUM && !strcmp(d->entries[i].path, path);
    }
    return count;
}

/* By actor. */
static void see_sums(struct model_writer *w, struct model_entry *value)
{
    struct model_seen *seen =
        lia_arena_array(w->d->arena, count_sums(w->d, value->path), sizeof(*seen));
    size_t count = 0;

    LIA_ASSERT(seen);
    for (size_t i = 0; i < w->d->count; i++) {
        const struct model_entry *e = &w->d->entries[i];
        size_t at = count;

        if (e->kind != MODEL_SUM || strcmp(e->path, value->path) != 0) {
            continue;
        }
        for (; at && seen[at - 1].actor > e->rank.stamp.actor; at--) {
            seen[at] = seen[at - 1];
        }
        seen[at] = (struct model_seen){e->rank.stamp.actor, e->start, e->sum};
        count++;
    }
    value->seen = seen;
    value->seen_count = count;
}

/* Takes away what is at and below the path; writes down the sums seen below. */
static void clear(struct model_writer *w, const char *path)
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
            struct model_entry gone = model_entry_new(w, MODEL_VALUE, e->path, true);

            gone.value = MODEL_GONE;
            gone.birth = LIA_STAMP_NONE;
            gone.birth_index = 0;
            see_sums(w, &gone);
            model_put(w->d, &gone, true);
        }
    }
}

static void put_value(struct model_writer *w,
                      struct model_entry e,
                      enum model_value value,
                      struct lia_value leaf)
{
    e.value = value;
    e.leaf = leaf;
    see_sums(w, &e);
    model_put(w->d, &e, true);
}

/* ---- values ---- */

static void join_path(struct lia_path path, char out[MODEL_PATH_MAX])
{
    out[0] = '\0';
    for (size_t i = 0; i < path.count; i++) {
        add_name(out, path.names[i]);
    }
}

/* What is asked for at the path; NULL: nothing. */
static const struct lia_shape *shape_of(const struct lia_op *op, const char *path)
{
    for (size_t i = 0; i < op->shape_count; i++) {
        char its[MODEL_PATH_MAX];

        join_path(op->shapes[i].path, its);
        if (!strcmp(its, path)) {
            return &op->shapes[i];
        }
    }
    return NULL;
}

static bool asks_for(const struct lia_shape *shape, enum lia_shape_kind kind)
{
    return shape && shape->kind == kind;
}

static liana_status put_field(struct model_writer *w,
                              const struct lia_op *op,
                              const char *path,
                              struct lia_value v);

/* One assignment per leaf. */
static liana_status put_fields(struct model_writer *w,
                               const struct lia_op *op,
                               const char *path,
                               struct liana_slice doc)
{
    struct lia_bson_iter it = lia_bson_iter(doc);
    liana_status status = LIANA_OK;

    while (!status && lia_bson_next(&it)) {
        char below[MODEL_PATH_MAX];

        if (path[0] == '\0' && lia_str_equal(it.name, lia_str("_id"))) {
            continue;
        }
        below[0] = '\0';
        add_name(below, lia_str(path));
        add_name(below, it.name);
        status = put_field(w, op, below, it.value);
    }
    return status;
}

static liana_status put_field(struct model_writer *w,
                              const struct lia_op *op,
                              const char *path,
                              struct lia_value v)
{
    const struct lia_shape *shape = shape_of(op, path);
    struct model_entry e = model_entry_new(w, MODEL_VALUE, path, true);

    if (asks_for(shape, LIA_SHAPE_BOUNDED)) {
        return model_begin_bounded(w, e, v, shape->bound);
    }
    if (asks_for(shape, LIA_SHAPE_SET)) {
        if (v.type != LIA_BSON_ARRAY) {
            return LIANA_ETYPE;
        }
        model_put_elements(w, e, v);
    } else if (v.type != LIA_BSON_DOCUMENT || asks_for(shape, LIA_SHAPE_REGISTER)) {
        put_value(w, e, MODEL_LEAF, v);
    } else if (v.data.len == 5) {
        e.kind = MODEL_OPEN;
        model_put(w->d, &e, true);
    } else {
        return put_fields(w, op, path, v.data);
    }
    return LIANA_OK;
}

static liana_status set(struct model_writer *w,
                        const struct lia_op *op,
                        const char *path,
                        bool *out_changed)
{
    struct model_entry e = model_entry_new(w, MODEL_VALUE, path, false);
    const struct lia_shape *shape = path[0] ? shape_of(op, path) : NULL;
    struct lia_scratch scratch;
    struct lia_value leaf = {0};
    enum model_shown shown = model_show(w->d, path, &scratch, &leaf);
    bool shows_set = shown == MODEL_SHOWS_SET;

    if (asks_for(shape, LIA_SHAPE_BOUNDED)) {
        return shown == MODEL_NOTHING
                   ? model_begin_bounded(w, e, op->value, shape->bound)
                   : LIANA_ETYPE;
    }
    if (shown == MODEL_SHOWS_BOUNDED) {
        return LIANA_ETYPE;
    }
    if (asks_for(shape, LIA_SHAPE_SET) && op->value.type != LIA_BSON_ARRAY) {
        return LIANA_ETYPE;
    }
    if (op->value.type == LIA_BSON_ARRAY && shows_set &&
        !asks_for(shape, LIA_SHAPE_REGISTER)) {
        *out_changed = model_assign_elements(w, path, op->value);
        return LIANA_OK;
    }
    clear(w, path);
    if (asks_for(shape, LIA_SHAPE_SET)) {
        put_value(w, e, MODEL_REMOVED, leaf);
        model_put_elements(w, e, op->value);
        return LIANA_OK;
    }
    if (op->value.type == LIA_BSON_DOCUMENT && !shape) {
        put_value(w, e, MODEL_MAP, op->value);
        return put_fields(w, op, path, op->value.data);
    }
    put_value(w, e, MODEL_LEAF, op->value);
    return LIANA_OK;
}

static liana_status restart(struct model_writer *w,
                            const struct lia_op *op,
                            const char *path,
                            bool *out_changed)
{
    struct lia_scratch scratch;
    struct lia_value leaf = {0};

    switch (model_show(w->d, path, &scratch, &leaf)) {
    case MODEL_NOTHING: return set(w, op, path, out_changed);
    case MODEL_SHOWS_LEAF:
        return lia_value_is_number(leaf) ? set(w, op, path, out_changed) : LIANA_ETYPE;
    default: return LIANA_ETYPE;
    }
}

static liana_status unset(struct model_writer *w, const char *path, bool *out_changed)
{
    struct model_entry e = model_entry_new(w, MODEL_VALUE, path, false);
    struct lia_scratch scratch;
    struct lia_value leaf = {0};

    switch (model_show(w->d, path, &scratch, &leaf)) {
    case MODEL_NOTHING: *out_changed = false; return LIANA_OK;
    case MODEL_SHOWS_BOUNDED: return LIANA_ETYPE;
    default: break;
    }
    clear(w, path);
    put_value(w, e, MODEL_REMOVED, leaf);
    return LIANA_OK;
}

/* The array at the path becomes a set, if the operation asks for one. */
static liana_status make_set(struct model_writer *w,
                             const struct lia_op *op,
                             const char *path)
{
    struct lia_scratch scratch;
    struct lia_op assignment = *op;
    bool is_changed;

    if (model_show(w->d, path, &scratch, &assignment.value) != MODEL_SHOWS_LEAF ||
        assignment.value.type != LIA_BSON_ARRAY ||
        !asks_for(shape_of(op, path), LIA_SHAPE_SET)) {
        return LIANA_ETYPE;
    }
    return set(w, &assignment, path, &is_changed);
}

static liana_status add(struct model_writer *w,
                        const struct lia_op *op,
                        const char *path)
{
    struct lia_scratch scratch;
    struct lia_value leaf;
    enum model_shown shown = model_show(w->d, path, &scratch, &leaf);

    if (shown != MODEL_NOTHING && shown != MODEL_SHOWS_SET && make_set(w, op, path)) {
        return LIANA_ETYPE;
    }
    model_add_element(w, model_entry_new(w, MODEL_ADDED, path, false), op->value);
    return LIANA_OK;
}

static liana_status take(struct model_writer *w,
                         const struct lia_op *op,
                         const char *path,
                         bool *out_changed)
{
    struct lia_scratch scratch;
    struct lia_value leaf;
    enum model_shown shown = model_show(w->d, path, &scratch, &leaf);

    *out_changed = false;
    if (shown == MODEL_NOTHING) {
        return LIANA_OK;
    }
    if (shown != MODEL_SHOWS_SET) {
        if (make_set(w, op, path)) {
            return LIANA_ETYPE;
        }
        *out_changed = true;
    }
    if (model_has(w->d, path, op->value)) {
        model_remove_element(w, path, op->value);
        *out_changed = true;
    }
    return LIANA_OK;
}

static liana_status increment(struct model_writer *w,
                              const char *path,
                              struct lia_value v,
                              bool *out_changed)
{
    static const uint8_t zero[4] = {0};
    struct model_entry e = model_entry_new(w, MODEL_SUM, path, false);
    struct model_entry value = model_entry_new(w, MODEL_VALUE, path, false);
    struct model_entry *old = model_find(w->d, &e);
    struct lia_scratch scratch;
    struct lia_value leaf;
    switch (model_show(w->d, path, &scratch, &leaf)) {
    case MODEL_SHOWS_MAP:
    case MODEL_SHOWS_SET: return LIANA_ETYPE;
    case MODEL_SHOWS_BOUNDED: return model_increment_bounded(w, path, v, out_changed);
    case MODEL_SHOWS_LEAF:
        if (!lia_value_is_number(leaf)) {
            return LIANA_ETYPE;
        }
        break;
    case MODEL_NOTHING:
        if (count_sums(w->d, path) ||
            model_rank_cmp(e.rank, model_cover(w->d, path, true)) <= 0) {
            clear(w, path);
            put_value(w, value, MODEL_LEAF,
                      (struct lia_value){LIA_BSON_INT32, {zero, sizeof(zero)}});
            old = model_find(w->d, &e);
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

static liana_status insert(struct model_writer *w,
                           struct model_doc *before_delete,
                           const struct lia_op *op)
{
    bool is_hidden = !lia_stamp_is_none(w->d->created);
    bool is_changed;

    /* Into what the transaction itself deleted: a replace. */
    if (lia_stamp_cmp(w->d->deleted, w->stamp) == 0 ||
        lia_stamp_cmp(w->d->withdrawn, w->stamp) == 0) {
        model_copy(w->d, before_delete);
        return set(w, op, "", &is_changed);
    }
    w->d->created = w->stamp;
    w->d->life_tag = w->stamp;
    w->d->has_life = true;
    LIA_ASSERT(lia_bson_find(op->value.data, lia_str("_id"), &w->d->id));
    if (is_hidden) {
        return set(w, op, "", &is_changed);
    }
    return put_fields(w, op, "", op->value.data);
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
        switch (model_show(d, above, &scratch, &leaf)) {
        case MODEL_SHOWS_LEAF:
        case MODEL_SHOWS_BOUNDED:
        case MODEL_SHOWS_SET: return false;
        default: break;
        }
    }
    return true;
}

static void end(struct model_writer *w, const struct lia_op *op)
{
    struct lia_stamp effect = lia_stamp_is_none(op->effect) ? w->stamp : op->effect;
    bool is_soft = op->mode == LIA_UPDATE_WINS;
    struct lia_stamp *deleted = is_soft ? &w->d->withdrawn : &w->d->deleted;

    if (lia_stamp_cmp(effect, *deleted) >= 0) {
        *deleted = effect;
        *(is_soft ? &w->d->withdrawn_tag : &w->d->deleted_tag) = w->stamp;
    }
}

liana_status model_apply(struct model_doc *d,
                         struct model_doc *before_delete,
                         const struct lia_op *op,
                         struct lia_stamp stamp)
{
    struct model_writer w = {d, stamp};
    bool exists = model_exists(d);
    char path[MODEL_PATH_MAX];
    liana_status status = LIANA_OK;
    bool is_effective = true;

    join_path(op->path, path);
    if (op->kind == LIA_OP_DELETE ? !exists : exists == (op->kind == LIA_OP_INSERT)) {
        return op->kind == LIA_OP_DELETE ? LIANA_OK
               : exists                  ? LIANA_EEXISTS
                                         : LIANA_ENOTFOUND;
    }
    if (!is_reachable(d, path)) {
        return op->kind == LIA_OP_UNSET || op->kind == LIA_OP_REMOVE ? LIANA_OK
                                                                     : LIANA_ETYPE;
    }
    switch (op->kind) {
    case LIA_OP_INSERT: status = insert(&w, before_delete, op); break;
    case LIA_OP_REPLACE: status = set(&w, op, "", &is_effective); break;
    case LIA_OP_SET: status = set(&w, op, path, &is_effective); break;
    case LIA_OP_ADD: status = add(&w, op, path); break;
    case LIA_OP_REMOVE: status = take(&w, op, path, &is_effective); break;
    case LIA_OP_UNSET: status = unset(&w, path, &is_effective); break;
    case LIA_OP_INCREMENT:
        status = increment(&w, path, op->value, &is_effective);
        break;
    case LIA_OP_RESTART: status = restart(&w, op, path, &is_effective); break;
    case LIA_OP_BOUND: status = model_bound(&w, op, path); break;
    case LIA_OP_TRANSFER:
    case LIA_OP_RECLAIM: status = model_move(&w, op, path, &is_effective); break;
    case LIA_OP_DELETE:
        model_copy(before_delete, d);
        end(&w, op);
        break;
    }
    if (!status) {
        model_normalize(d);
        d->is_changed = d->is_changed || is_effective;
    }
    return status;
}
