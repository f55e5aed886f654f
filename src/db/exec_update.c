/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UPDATE, DELETE and EVICT: the keys that the condition picks are read to the end, by whatever
 * index serves it, then each document is changed. So a statement never meets what it wrote
 * itself. Where the keys are too many to be kept, the documents are changed while the table
 * is walked in the order of its rows, which no change moves: each row is looked at once,
 * before it is changed.
 */
#include "base/limits.h"
#include "base/reader.h"
#include "db/exec_internal.h"
#include "lang/regexp.h"

#define KEYS_BYTES_MAX LIA_MIB

/* The keys one behind the other. */
struct keys {
    struct lia_buf bytes;
    size_t count;
    bool is_too_much;
};

static liana_status pick(struct lia_result *r,
                         struct liana_str table,
                         sqlite3_stmt **out,
                         struct liana_error *err)
{
    const struct lia_sql_options options = {table, r->params, r->is_lenient};
    struct lia_sql sql;
    liana_status status = lia_sql_keys(&r->arena, r->stmt, &options, &sql, err);

    return status ? status : lia_exec_prepare_sql(r, &sql, out, err);
}

static void add_key(struct keys *keys, struct liana_slice key)
{
    lia_buf_prefixed(&keys->bytes, key);
    keys->count++;
    keys->is_too_much = keys->bytes.len > KEYS_BYTES_MAX;
}

static liana_status pick_keys(struct lia_result *r,
                              const struct lia_collection *collection,
                              struct keys *out,
                              struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status = pick(r, collection->table, &stmt, err);

    while (!status && !out->is_too_much) {
        status = lia_exec_step(r, stmt, err);
        if (!status) {
            add_key(out, lia_column_slice(stmt, 0));
            status = lia_err_plain(err, out->bytes.status);
        }
    }
    lia_conn_done(lia_txn_conn(r->txn), stmt);
    return status == LIANA_EEND ? LIANA_OK : status;
}

/* ---- assignments ---- */

liana_status lia_exec_path(struct lia_arena *arena,
                           const struct lia_expr *path,
                           struct lia_path *out)
{
    struct liana_str *names = lia_arena_array(arena, path->path.count, sizeof(*names));

    if (!names) {
        return LIANA_ENOMEM;
    }
    for (uint32_t i = 0; i < path->path.count; i++) {
        names[i] = path->path.items[i].name;
    }
    *out = (struct lia_path){names, path->path.count};
    return LIANA_OK;
}

liana_status lia_exec_bad_value(const struct lia_assign *assign,
                                struct lia_value v,
                                const char *wanted,
                                struct liana_error *err)
{
    struct liana_str last = assign->path->path.items[assign->path->path.count - 1].name;

    return lia_err(err, LIANA_ETYPE, "%.*s needs %s, not %s",
                   (int)(last.len < 100 ? last.len : 100), last.ptr, wanted,
                   lia_is_missing(v) ? "MISSING" : lia_bson_type_name(v.type));
}

static enum lia_op_kind op_of(enum lia_assign_kind kind)
{
    switch (kind) {
    case LIA_ASSIGN_SET: return LIA_OP_SET;
    case LIA_ASSIGN_UNSET: return LIA_OP_UNSET;
    case LIA_ASSIGN_INCREMENT: return LIA_OP_INCREMENT;
    case LIA_ASSIGN_RESTART: return LIA_OP_RESTART;
    case LIA_ASSIGN_ADD: return LIA_OP_ADD;
    case LIA_ASSIGN_REMOVE: return LIA_OP_REMOVE;
    case LIA_ASSIGN_TRANSFER: return LIA_OP_TRANSFER;
    case LIA_ASSIGN_RECLAIM:
    case LIA_ASSIGN_RECLAIM_FORCED: return LIA_OP_RECLAIM;
    }
    return LIA_OP_SET;
}

static bool needs_number(enum lia_assign_kind kind)
{
    return kind == LIA_ASSIGN_INCREMENT || kind == LIA_ASSIGN_RESTART ||
           kind == LIA_ASSIGN_TRANSFER;
}

/* The operation that an assignment means for one document. `*skip`: none, for a lenient
 * statement whose value is MISSING. */
static liana_status make_op(struct lia_result *r,
                            struct lia_arena *work,
                            const struct lia_assign *assign,
                            struct liana_slice body,
                            struct lia_op *out,
                            bool *skip,
                            struct liana_error *err)
{
    const struct lia_eval cx = lia_exec_eval(r, work, err);
    struct lia_value v = LIA_MISSING;
    liana_status status =
        lia_err_plain(err, lia_exec_path(work, assign->path, &out->path));

    *skip = false;
    out->kind = op_of(assign->kind);
    if (status || assign->kind == LIA_ASSIGN_UNSET) {
        return status;
    }
    status = lia_eval(&cx, assign->value, body, &v);
    if (status) {
        return status;
    }
    if (lia_is_missing(v) && r->is_lenient) {
        *skip = true;
    } else if (needs_number(assign->kind) && !lia_value_is_number(v)) {
        return lia_exec_bad_value(assign, v, "a number", err);
    } else if (lia_is_missing(v)) {
        return lia_exec_bad_value(assign, v, "a value", err);
    }
    out->value = v;
    return assign->actor ? lia_exec_actor(&cx, assign, assign->actor, body, &out->actor)
                         : LIANA_OK;
}

static bool is_reclaim(const struct lia_assign *assign)
{
    return assign->kind == LIA_ASSIGN_RECLAIM ||
           assign->kind == LIA_ASSIGN_RECLAIM_FORCED;
}

/* The operations for one document; values see it as it was before the statement. */
static liana_status make_ops(struct lia_result *r,
                             struct lia_arena *work,
                             struct lia_doc doc,
                             struct lia_op **out,
                             size_t *out_count,
                             struct liana_error *err)
{
    const struct lia_assigns *assigns = &r->stmt->assigns;
    struct lia_op *ops;
    size_t n = 0;

    if (r->stmt->kind != LIA_STMT_UPDATE) { /* DELETE, DROP COLLECTION */
        ops = LIA_ARENA_NEW(work, struct lia_op);
        if (!ops) {
            return lia_err_plain(err, LIANA_ENOMEM);
        }
        ops->kind = LIA_OP_DELETE;
        *out = ops;
        *out_count = 1;
        return LIANA_OK;
    }
    ops = lia_arena_array(work, assigns->count, 2 * sizeof(*ops));
    if (!ops) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    for (uint32_t i = 0; i < assigns->count; i++) {
        const struct lia_assign *assign = &assigns->items[i];
        size_t count = 1;
        bool skip = false;
        liana_status status =
            is_reclaim(assign)
                ? lia_exec_reclaim(r, work, assign, doc, &ops[n], &count, err)
                : make_op(r, work, assign, doc.body, &ops[n], &skip, err);

        if (status) {
            return status;
        }
        n += skip ? 0 : count;
    }
    *out = ops;
    *out_count = n;
    return LIANA_OK;
}

static liana_status change(struct lia_result *r,
                           struct lia_arena *work,
                           const struct lia_collection *collection,
                           struct liana_slice key,
                           struct liana_error *err)
{
    struct lia_change changed = {0};
    struct lia_doc doc;
    struct lia_op *ops = NULL;
    size_t count = 0;
    liana_status status = lia_txn_get(r->txn, collection, key, &doc, err);

    if (status) {
        return status;
    }
    /* The transaction's own bytes go with its next call; values may point into them. */
    if (!lia_arena_copy(work, doc.body, &doc.body)) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    status = make_ops(r, work, doc, &ops, &count, err);
    if (!status && count) {
        status = lia_txn_apply(r->txn, collection, key, ops, count, &changed, err);
    }
    return !status && changed.changed ? lia_exec_changed(r, doc.body, err) : status;
}

/* The document as it is before the statement changes it, for lia_result_ids. */
static liana_status body_of(struct lia_result *r,
                            struct lia_arena *work,
                            const struct lia_collection *collection,
                            struct liana_slice key,
                            struct liana_slice *out,
                            struct liana_error *err)
{
    struct lia_doc doc = {0};
    liana_status status = LIANA_OK;

    if (r->wants_ids) {
        status = lia_txn_get(r->txn, collection, key, &doc, err);
    }
    if (!status && !lia_arena_copy(work, doc.body, out)) {
        status = lia_err_plain(err, LIANA_ENOMEM);
    }
    return status;
}

/* What is not kept stays, unless it is forced; a row of system:conflicts goes. */
static liana_status evict(struct lia_result *r,
                          struct lia_arena *work,
                          const struct lia_collection *collection,
                          struct liana_slice key,
                          struct liana_error *err)
{
    struct liana_slice body = {0};
    bool is_evicted = false;
    liana_status status = body_of(r, work, collection, key, &body, err);

    if (!status && lia_exec_is_conflicts(r->stmt)) {
        status = lia_conflicts_remove(r->txn, key, r->stmt->kind == LIA_STMT_DELETE,
                                      &is_evicted, err);
    } else if (!status) {
        status = lia_txn_evict(r->txn, collection, key, r->stmt->is_forced, &is_evicted,
                               err);
        r->waiting += !status && !is_evicted;
    }
    return !status && is_evicted ? lia_exec_changed(r, body, err) : status;
}

/* One key of what the statement is about. */
static liana_status run_on(struct lia_result *r,
                           struct lia_arena *work,
                           const struct lia_collection *collection,
                           struct liana_slice key,
                           struct liana_error *err)
{
    return r->stmt->kind == LIA_STMT_EVICT || lia_exec_is_conflicts(r->stmt)
               ? evict(r, work, collection, key, err)
               : change(r, work, collection, key, err);
}

static liana_status change_keys(struct lia_result *r,
                                struct lia_arena *work,
                                const struct lia_collection *collection,
                                const struct keys *keys,
                                struct liana_error *err)
{
    struct lia_reader reader = lia_reader(lia_buf_slice(&keys->bytes));
    liana_status status = lia_exec_will_change(r, keys->count, err);

    for (size_t i = 0; i < keys->count && !status; i++) {
        lia_arena_reset(work);
        status = run_on(r, work, collection, lia_reader_prefixed(&reader), err);
    }
    return status;
}

/* An index would be changed under the walk; the table itself is in the order of rowids. */
static liana_status walk_table(struct lia_result *r,
                               const struct lia_collection *collection,
                               struct liana_str *out,
                               struct liana_error *err)
{
    struct liana_slice text;
    struct lia_buf buf;
    bool copied;

    lia_buf_init(&buf, r->alloc);
    lia_buf_bytes(&buf, collection->table.ptr, collection->table.len);
    lia_buf_str(&buf, " NOT INDEXED");
    copied = !buf.status && lia_arena_copy(&r->arena, lia_buf_slice(&buf), &text);
    lia_buf_deinit(&buf);
    if (!copied) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    *out = lia_slice_str(text);
    return LIANA_OK;
}

static liana_status change_walking(struct lia_result *r,
                                   struct lia_arena *work,
                                   const struct lia_collection *collection,
                                   struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    struct liana_str table;
    liana_status status = walk_table(r, collection, &table, err);

    if (!status) {
        status = lia_exec_will_change(r, SIZE_MAX, err);
    }
    if (!status) {
        status = pick(r, table, &stmt, err);
    }
    while (!status) {
        struct liana_slice key;

        status = lia_exec_step(r, stmt, err);
        lia_arena_reset(work);
        if (!status) {
            status = lia_arena_copy(work, lia_column_slice(stmt, 0), &key)
                         ? run_on(r, work, collection, key, err)
                         : lia_err_plain(err, LIANA_ENOMEM);
        }
    }
    lia_conn_done(lia_txn_conn(r->txn), stmt);
    return status == LIANA_EEND ? LIANA_OK : status;
}

/* Regular expressions in what is assigned are compiled once for all documents. */
static liana_status keep_patterns(struct lia_result *r,
                                  const struct keys *keys,
                                  struct liana_error *err)
{
    if (r->stmt->kind != LIA_STMT_UPDATE || keys->count < 2) {
        return LIANA_OK;
    }
    r->regexps = lia_regexps_new(r->alloc);
    return r->regexps ? LIANA_OK : lia_err_plain(err, LIANA_ENOMEM);
}

liana_status lia_exec_update(struct lia_result *r, struct liana_error *err)
{
    const struct lia_collection *collection;
    struct lia_arena work;
    struct keys keys = {0};
    liana_status status = lia_exec_collection(r, false, &collection, err);

    if (status || !collection) {
        return status;
    }
    if (r->stmt->kind == LIA_STMT_EVICT && !lia_exec_is_conflicts(r->stmt)) {
        status = lia_evict_check(r->txn, collection->name, err);
    }
    if (status) {
        return status;
    }
    lia_arena_init(&work, r->alloc);
    lia_buf_init(&keys.bytes, r->alloc);
    status = pick_keys(r, collection, &keys, err);
    if (!status) {
        status = keep_patterns(r, &keys, err);
    }
    if (!status && keys.is_too_much) {
        lia_buf_deinit(&keys.bytes);
        status = change_walking(r, &work, collection, err);
    } else if (!status) {
        status = change_keys(r, &work, collection, &keys, err);
    }
    lia_buf_deinit(&keys.bytes);
    lia_arena_deinit(&work);
    return status;
}
