/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The `system:` collections (docs/query.md). Those that are found out when somebody asks are
 * made into rows of SQL before the statement runs, so that it reads them as any others.
 */
#include "db/exec_system.h"

#include <stdio.h>

#include "codec/key.h"
#include "codec/key_id.h"

/* ---- a row ---- */

static void add_hex(struct lia_buf *out, struct liana_slice bytes)
{
    static const char digits[] = "0123456789abcdef";

    lia_buf_str(out, "x'");
    for (size_t i = 0; i < bytes.len; i++) {
        lia_buf_u8(out, (uint8_t)digits[bytes.ptr[i] >> 4]);
        lia_buf_u8(out, (uint8_t)digits[bytes.ptr[i] & 15]);
    }
    lia_buf_str(out, "'");
}

liana_status lia_system_row_begin(struct lia_system_rows *rows,
                                  struct liana_str collection,
                                  struct liana_slice key,
                                  struct liana_error *err)
{
    struct lia_value id = {0};
    struct lia_buf made;
    liana_status status;

    lia_buf_reset(&rows->body);
    lia_buf_init(&made, rows->r->alloc);
    status = lia_key_id(key, &made, err);
    if (!status && !lia_bson_find(lia_buf_slice(&made), lia_str("_id"), &id)) {
        status = lia_err_plain(err, made.status ? made.status : LIANA_ECORRUPT);
    }
    if (!status) {
        rows->mark = lia_bson_begin(&rows->body);
        lia_bson_add_int64(&rows->body, lia_str("_id"), (int64_t)++rows->number);
        lia_bson_add_str(&rows->body, lia_str("collection"), collection);
        lia_bson_add(&rows->body, lia_str("document"), id);
    }
    lia_buf_deinit(&made);
    return status;
}

/* Whether the statement is about the row; its SQL asks once more. */
static liana_status pick(const struct lia_system_rows *rows,
                         bool *out,
                         struct liana_error *err)
{
    struct lia_arena work;
    struct lia_eval cx;
    liana_status status;

    lia_arena_init(&work, rows->r->alloc);
    cx = lia_exec_eval(rows->r, &work, err);
    status =
        lia_eval_is_true(&cx, rows->r->stmt->where, lia_buf_slice(&rows->body), out);
    lia_arena_deinit(&work);
    return status;
}

static liana_status put_row(struct lia_system_rows *rows, struct liana_error *err)
{
    struct lia_scratch scratch;
    struct lia_buf key;
    liana_status status;

    lia_buf_init(&key, rows->r->alloc);
    status =
        lia_key_of_id(lia_value_of_int64((int64_t)rows->number, &scratch), &key, err);
    lia_buf_str(&rows->sql, ++rows->count == 1 ? "(" : ",(");
    add_hex(&rows->sql, lia_buf_slice(&key));
    lia_buf_str(&rows->sql, ",");
    add_hex(&rows->sql, lia_buf_slice(&rows->body));
    lia_buf_str(&rows->sql, ")");
    lia_buf_deinit(&key);
    return status ? status : lia_err_plain(err, rows->sql.status);
}

liana_status lia_system_row_end(struct lia_system_rows *rows, struct liana_error *err)
{
    bool is_picked = false;
    liana_status status;

    lia_bson_end(&rows->body, rows->mark);
    status = lia_err_plain(err, rows->body.status);
    if (!status) {
        status = pick(rows, &is_picked, err);
    }
    return status || !is_picked ? status : put_row(rows, err);
}

void lia_system_add_path(struct lia_buf *out,
                         struct liana_str name,
                         struct lia_path path)
{
    size_t mark = lia_bson_begin_in(out, LIA_BSON_ARRAY, name);

    for (size_t i = 0; i < path.count; i++) {
        char digits[12];

        lia_bson_add_str(out, lia_bson_index_name((uint32_t)i, digits), path.names[i]);
    }
    lia_bson_end(out, mark);
}

/* ---- system:owed ---- */

static void add_hex_field(struct lia_buf *out,
                          const char *name,
                          struct liana_slice bytes)
{
    char text[65] = "";

    for (size_t i = 0; i < bytes.len && i < (sizeof(text) - 1) / 2; i++) {
        snprintf(text + 2 * i, 3, "%02x", bytes.ptr[i]);
    }
    lia_bson_add_str(out, lia_str(name), lia_str(text));
}

static liana_status add_owed(struct lia_system_rows *rows,
                             const struct lia_owed *owed,
                             struct liana_error *err)
{
    liana_status status =
        lia_system_row_begin(rows, owed->key.collection, owed->key.key, err);

    if (status) {
        return status;
    }
    add_hex_field(&rows->body, "peer", owed->peer);
    lia_bson_add_str(&rows->body, lia_str("status"),
                     lia_str(liana_status_name(owed->reason)));
    lia_bson_add_date(&rows->body, lia_str("since"), (int64_t)owed->since_ms);
    if (owed->reason == LIANA_ECLOCK) {
        lia_bson_add_date(&rows->body, lia_str("due"), (int64_t)owed->due_ms);
    }
    return lia_system_row_end(rows, err);
}

/* As it is now, whatever the transaction sees. */
static liana_status owed_all(struct lia_system_rows *rows, struct liana_error *err)
{
    struct lia_db *db = lia_txn_db(rows->r->txn);
    const struct lia_owed *owed = NULL;
    struct lia_arena work;
    size_t count = 0;
    liana_status status;

    lia_arena_init(&work, rows->r->alloc);
    status = lia_db_owed(db, &work, lia_slice(NULL, 0), UINT64_MAX, LIA_SYSTEM_ROWS_MAX,
                         &owed, &count, err);
    for (size_t i = 0; i < count && !status; i++) {
        status = add_owed(rows, &owed[i], err);
    }
    lia_arena_deinit(&work);
    return status;
}

/* ---- the table that a statement reads ---- */

liana_status lia_system_each(struct lia_system_rows *rows,
                             lia_system_fn add,
                             struct liana_error *err)
{
    const struct lia_collection **all;
    struct lia_arena work;
    size_t count = 0;
    liana_status status;

    lia_arena_init(&work, rows->r->alloc);
    status = lia_err_plain(err, lia_txn_collections(rows->r->txn, &work, &all, &count));
    for (size_t i = 0; i < count && !status && rows->count < LIA_SYSTEM_ROWS_MAX; i++) {
        if (!lia_coll_is_system(all[i]->name)) {
            status = add(rows, all[i], err);
        }
    }
    lia_arena_deinit(&work);
    return status;
}

static const struct {
    const char *name;
    liana_status (*add)(struct lia_system_rows *rows, struct liana_error *err);
} made[] = {{"breaches", lia_system_breaches},
            {"flagged", lia_system_flagged},
            {"owed", owed_all},
            {"rights", lia_system_rights}};

static liana_status make_rows(struct lia_result *r,
                              liana_status (*add)(struct lia_system_rows *,
                                                  struct liana_error *),
                              struct liana_str *out,
                              struct liana_error *err)
{
    struct lia_system_rows rows = {.r = r};
    struct liana_slice copy = {0};
    liana_status status;

    lia_buf_init(&rows.sql, r->alloc);
    lia_buf_init(&rows.body, r->alloc);
    lia_buf_str(&rows.sql, "(SELECT column1 AS key, column2 AS body FROM (VALUES ");
    status = add(&rows, err);
    lia_buf_str(&rows.sql, "))");
    if (!status && rows.count &&
        (rows.sql.status ||
         !lia_arena_copy(&r->arena, lia_buf_slice(&rows.sql), &copy))) {
        status = lia_err_plain(err, rows.sql.status ? rows.sql.status : LIANA_ENOMEM);
    }
    if (!status) {
        *out = rows.count ? lia_slice_str(copy) : lia_str(LIA_SQL_NO_ROWS);
    }
    lia_buf_deinit(&rows.body);
    lia_buf_deinit(&rows.sql);
    return status;
}

liana_status lia_system_walk(struct lia_system_rows *rows,
                             const struct lia_collection *collection,
                             lia_system_doc_fn add,
                             const void *ctx,
                             struct liana_error *err)
{
    struct lia_conn *conn = lia_txn_conn(rows->r->txn);
    sqlite3_stmt *stmt = NULL;
    char sql[80];
    liana_status status;

    snprintf(sql, sizeof(sql),
             "SELECT key, body, clock FROM %.*s WHERE body IS NOT NULL",
             LIA_STR_ARG(collection->table));
    status = lia_conn_prepare(conn, lia_str(sql), &stmt, err);
    while (!status && rows->count < LIA_SYSTEM_ROWS_MAX) {
        status = lia_conn_step(conn, stmt, err);
        if (!status) {
            const struct lia_doc doc = {lia_column_slice(stmt, 1),
                                        lia_column_slice(stmt, 2)};

            status = add(rows, lia_coll_of(collection), lia_column_slice(stmt, 0), doc,
                         ctx, err);
        }
    }
    lia_conn_done(conn, stmt);
    return status == LIANA_EEND ? LIANA_OK : status;
}

static liana_status conflicts_table(struct lia_result *r,
                                    struct liana_str *out,
                                    struct liana_error *err)
{
    const struct lia_collection *collection;
    liana_status status =
        lia_txn_collection(r->txn, lia_conflicts_name(), false, &collection, NULL);

    *out = status ? lia_str(LIA_SQL_NO_ROWS) : collection->table;
    return status == LIANA_ENOTFOUND ? LIANA_OK : lia_err_plain(err, status);
}

liana_status lia_exec_system(struct lia_result *r,
                             struct liana_str *out,
                             struct liana_error *err)
{
    struct liana_str name = r->stmt->source.collection;

    if (lia_str_equal(name, lia_str("dual"))) {
        *out = lia_str(LIA_SQL_DUAL);
        return LIANA_OK;
    }
    if (lia_str_equal(name, lia_str("conflicts"))) {
        return conflicts_table(r, out, err);
    }
    for (size_t i = 0; i < sizeof(made) / sizeof(made[0]); i++) {
        if (lia_str_equal(name, lia_str(made[i].name))) {
            return make_rows(r, made[i].add, out, err);
        }
    }
    return lia_err(err, LIANA_ENOTFOUND, "there is no system:%.*s", LIA_STR_ARG(name));
}
