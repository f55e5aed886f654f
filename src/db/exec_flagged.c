/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents that somebody should look at: they do not show all that they hold, or are not
 * as declared.
 */
#include "db/exec_system.h"

/* Of one document. */
#define PATHS_MAX 100
#define VALUE_MAX 1024

/* ---- system:flagged ---- */

/* The paths of one kind; an array that is begun with the first. */
struct paths {
    struct lia_buf *out;
    enum lia_flag flag;
    const char *name;
    size_t mark;
    size_t count;
};

static void add_flagged(void *ctx, struct lia_path path, enum lia_flag flag)
{
    struct paths *p = ctx;
    char digits[12];

    if (flag != p->flag || p->count == PATHS_MAX) {
        return;
    }
    if (p->count == 0) {
        p->mark = lia_bson_begin_in(p->out, LIA_BSON_ARRAY, lia_str(p->name));
    }
    lia_system_add_path(p->out, lia_bson_index_name((uint32_t)p->count++, digits),
                        path);
}

static liana_status add_paths(struct lia_system_rows *rows,
                              struct lia_doc doc,
                              enum lia_flag flag,
                              const char *name,
                              size_t *out_bytes,
                              struct liana_error *err)
{
    struct paths paths = {.out = &rows->body, .flag = flag, .name = name};
    const struct lia_flag_watch watch = {add_flagged, &paths};
    struct lia_arena work;
    liana_status status;

    lia_arena_init(&work, rows->r->alloc);
    status = lia_doc_flagged(&work, doc, &watch, out_bytes, err);
    lia_arena_deinit(&work);
    if (paths.count) {
        lia_bson_end(&rows->body, paths.mark);
    }
    return status;
}

static liana_status add_flagged_row(struct lia_system_rows *rows,
                                    const struct lia_coll *coll,
                                    sqlite3_stmt *stmt,
                                    struct liana_error *err)
{
    const struct lia_doc doc = {lia_column_slice(stmt, 1), lia_column_slice(stmt, 2)};
    struct lia_doc_info info;
    struct lia_arena work;
    size_t bytes = 0;
    liana_status status;

    lia_arena_init(&work, rows->r->alloc);
    status = lia_doc_info(&work, doc.clock, &info);
    lia_arena_deinit(&work);
    if (status) {
        return lia_row_damaged(coll, err);
    }
    status = lia_system_row_begin(rows, coll->pub.name, lia_column_slice(stmt, 0), err);
    if (!status && info.is_cut) {
        status = add_paths(rows, doc, LIA_FLAG_CUT, "cut", &bytes, err);
        lia_bson_add_str(&rows->body, lia_str("status"),
                         lia_str(liana_status_name(LIANA_ETOOLARGE)));
        lia_bson_add_int64(&rows->body, lia_str("bytes"), (int64_t)bytes);
    }
    if (!status && info.is_clamped) {
        status = add_paths(rows, doc, LIA_FLAG_CLAMPED, "clamped", &bytes, err);
    }
    return status ? status : lia_system_row_end(rows, err);
}

static liana_status add_flagged_of(struct lia_system_rows *rows,
                                   const struct lia_collection *collection,
                                   struct liana_error *err)
{
    const struct lia_coll *coll = lia_coll_of(collection);
    struct lia_conn *conn = lia_txn_conn(rows->r->txn);
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_conn_prepare(conn, coll->sql_flagged, &stmt, err);

    while (!status && rows->count < LIA_SYSTEM_ROWS_MAX) {
        status = lia_conn_step(conn, stmt, err);
        if (!status) {
            status = add_flagged_row(rows, coll, stmt, err);
        }
    }
    lia_conn_done(conn, stmt);
    return status == LIANA_EEND ? LIANA_OK : status;
}

/* ---- system:breaches ---- */

static liana_status add_breach(struct lia_system_rows *rows,
                               const struct lia_coll *coll,
                               struct liana_slice key,
                               struct lia_doc doc,
                               struct lia_breach *breach,
                               struct liana_error *err)
{
    const struct lia_path path = {breach->declared->names, breach->declared->count};
    struct lia_arena work;
    liana_status status = lia_system_row_begin(rows, coll->pub.name, key, err);

    lia_arena_init(&work, rows->r->alloc);
    if (!status && lia_doc_written(&work, doc, path, &breach->written, NULL)) {
        status = lia_row_damaged(coll, err);
    }
    lia_arena_deinit(&work);
    if (status) {
        return status;
    }
    lia_system_add_path(&rows->body, lia_str("path"), path);
    if (breach->value.data.len > VALUE_MAX) {
        lia_bson_add_int64(&rows->body, lia_str("bytes"),
                           (int64_t)breach->value.data.len);
    } else if (breach->value.type != LIA_BSON_END) {
        lia_bson_add(&rows->body, lia_str("value"), breach->value);
    }
    lia_breach_add(&rows->body, breach);
    return lia_system_row_end(rows, err);
}

static liana_status add_breaches_in(struct lia_system_rows *rows,
                                    const struct lia_coll *coll,
                                    struct liana_slice key,
                                    struct lia_doc doc,
                                    const void *ctx,
                                    struct liana_error *err)
{
    const struct lia_schema *schema = ctx;
    liana_status status = LIANA_OK;

    for (uint32_t i = 0;
         i < schema->path_count && !status && rows->count < LIA_SYSTEM_ROWS_MAX; i++) {
        const struct lia_declared *d = &schema->paths[i];
        struct lia_breach breach;

        if (lia_breach_find(d, lia_declared_value(d, doc.body), &breach)) {
            status = add_breach(rows, coll, key, doc, &breach, err);
        }
    }
    return status;
}

static liana_status add_breaches_of(struct lia_system_rows *rows,
                                    const struct lia_collection *collection,
                                    struct liana_error *err)
{
    const struct lia_schema *schema = NULL;
    liana_status status = lia_txn_schema(rows->r->txn, collection->name, &schema, err);

    return status || schema->path_count == 0
               ? status
               : lia_system_walk(rows, collection, add_breaches_in, schema, err);
}

liana_status lia_system_flagged(struct lia_system_rows *rows, struct liana_error *err)
{
    return lia_system_each(rows, add_flagged_of, err);
}

liana_status lia_system_breaches(struct lia_system_rows *rows, struct liana_error *err)
{
    return lia_system_each(rows, add_breaches_of, err);
}
