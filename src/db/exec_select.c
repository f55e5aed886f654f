/* SPDX-License-Identifier: Apache-2.0 */
#include "db/exec_internal.h"

/* ---- SQL ---- */

/* The table that a statement reads: of a collection, or a stand-in. */
static liana_status table(struct lia_result *r,
                          struct liana_str *out,
                          struct liana_error *err)
{
    const struct lia_source *source = &r->stmt->source;
    const struct lia_collection *collection;
    liana_status status;

    if (lia_str_equal(source->space, lia_str("system"))) {
        return lia_exec_system(r, out, err);
    }
    status = lia_exec_collection(r, false, &collection, err);
    if (!status) {
        *out = collection ? collection->table : lia_str(LIA_SQL_NO_ROWS);
    }
    return status;
}

static liana_status write_sql(struct lia_result *r,
                              struct lia_sql *out,
                              struct liana_error *err)
{
    struct lia_sql_options options = {.params = r->params, .is_lenient = r->is_lenient};
    liana_status status = table(r, &options.from, err);

    if (status) {
        return status;
    }
    return r->stmt->kind == LIA_STMT_SELECT
               ? lia_sql_select(&r->arena, r->stmt, &options, out, err)
               : lia_sql_keys(&r->arena, r->stmt, &options, out, err);
}

liana_status lia_exec_select(struct lia_result *r, struct liana_error *err)
{
    struct lia_sql sql;
    liana_status status = write_sql(r, &sql, err);

    return status ? status : lia_exec_prepare_sql(r, &sql, &r->rows, err);
}

/* ---- rows ---- */

static void add_column(struct lia_result *r, struct liana_str name, int at)
{
    struct lia_scratch scratch;

    switch (sqlite3_column_type(r->rows, at)) {
    case SQLITE_NULL: return; /* MISSING: the field is left out */
    case SQLITE_INTEGER:
        lia_bson_add(&r->row, name,
                     lia_value_of_int64(sqlite3_column_int64(r->rows, at), &scratch));
        return;
    default:
        lia_bson_add(&r->row, name, lia_sql_value(lia_column_slice(r->rows, at)));
        return;
    }
}

/* A body goes out as it is stored: whoever gets it may trust it. */
static liana_status take_document(struct lia_result *r,
                                  struct liana_slice *out,
                                  struct liana_error *err)
{
    struct liana_slice body = lia_column_slice(r->rows, 0);
    struct liana_error why = LIANA_ERROR_INIT;
    liana_status status = lia_bson_check(body, r->alloc, &why);

    if (status == LIANA_ENOMEM) {
        return lia_err_plain(err, status);
    }
    if (status) {
        return lia_err(err, LIANA_ECORRUPT, "%.*s: a stored document is damaged: %s",
                       LIA_STR_ARG(r->stmt->source.collection), why.message);
    }
    *out = body;
    return LIANA_OK;
}

liana_status lia_exec_row(struct lia_result *r,
                          struct liana_slice *row,
                          struct liana_error *err)
{
    const struct lia_columns *columns = &r->stmt->columns;
    liana_status status = lia_exec_step(r, r->rows, err);
    size_t mark;

    if (status) {
        return status;
    }
    if (!columns->items[0].expr) {
        return take_document(r, row, err);
    }
    lia_buf_reset(&r->row);
    mark = lia_bson_begin(&r->row);
    for (uint32_t i = 0; i < columns->count; i++) {
        add_column(r, columns->items[i].name, (int)i);
    }
    lia_bson_end(&r->row, mark);
    if (r->row.status) {
        return lia_err_plain(err, r->row.status);
    }
    *row = lia_buf_slice(&r->row);
    return LIANA_OK;
}

/* ---- EXPLAIN ---- */

/* The plan of the SQL, line by line, as SQLite describes it. */
static liana_status add_plan(struct lia_result *r,
                             const struct lia_sql *sql,
                             struct liana_error *err)
{
    struct lia_sql explain = *sql;
    sqlite3_stmt *stmt = NULL;
    struct lia_buf text;
    liana_status status;
    char digits[12];
    uint32_t n = 0;
    size_t mark;

    lia_buf_init(&text, r->alloc);
    lia_buf_str(&text, "EXPLAIN QUERY PLAN ");
    lia_buf_bytes(&text, sql->text.ptr, sql->text.len);
    explain.text = lia_slice_str(lia_buf_slice(&text));
    status = text.status ? lia_err_plain(err, text.status)
                         : lia_exec_prepare_sql(r, &explain, &stmt, err);
    mark = lia_bson_begin_in(&r->row, LIA_BSON_ARRAY, lia_str("plan"));
    while (!status) {
        status = lia_exec_step(r, stmt, err);
        if (!status) {
            lia_bson_add_str(&r->row, lia_bson_index_name(n++, digits),
                             lia_column_str(stmt, 3));
        }
    }
    lia_bson_end(&r->row, mark);
    lia_conn_done(lia_txn_conn(r->txn), stmt);
    lia_buf_deinit(&text);
    return status == LIANA_EEND ? LIANA_OK : status;
}

/* One row: the SQL, and how SQLite goes about it. */
liana_status lia_exec_explain(struct lia_result *r, struct liana_error *err)
{
    size_t mark = lia_bson_begin(&r->row);
    struct lia_sql sql;
    liana_status status;

    if (r->stmt->kind == LIA_STMT_INSERT || r->stmt->kind >= LIA_STMT_CREATE) {
        lia_bson_add_str(&r->row, lia_str("sql"), lia_str(""));
        status = LIANA_OK;
    } else {
        status = write_sql(r, &sql, err);
        if (!status) {
            lia_bson_add_str(&r->row, lia_str("sql"), sql.text);
            status = add_plan(r, &sql, err);
        }
    }
    lia_bson_end(&r->row, mark);
    status = status ? status : lia_err_plain(err, r->row.status);
    r->has_single_row = !status;
    return status;
}
