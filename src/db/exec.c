/* SPDX-License-Identifier: Apache-2.0 */
#include "db/exec.h"

#include "db/exec_internal.h"
#include "db/sqlfn.h"
#include "lang/regexp.h"

/* ---- results ---- */

static struct lia_result *new_result(const struct liana_allocator *a,
                                     const struct lia_exec_options *options)
{
    struct lia_result *r = lia_mem_zalloc(a, sizeof(*r));

    if (!r) {
        return NULL;
    }
    r->alloc = a;
    r->is_lenient = options && options->is_lenient;
    r->wants_ids = options && options->wants_ids;
    lia_arena_init(&r->arena, a);
    lia_buf_init(&r->row, a);
    lia_buf_init(&r->ids, a);
    return r;
}

void lia_result_end(struct lia_result *r)
{
    if (!r->txn) {
        return;
    }
    lia_conn_done(lia_txn_conn(r->txn), r->rows);
    r->rows = NULL;
    if (r->owns_txn) {
        lia_txn_rollback(r->txn);
    }
    r->txn = NULL;
}

void lia_result_free(struct lia_result *r)
{
    if (!r) {
        return;
    }
    lia_result_end(r);
    lia_buf_deinit(&r->row);
    lia_buf_deinit(&r->ids);
    lia_regexps_free(r->regexps);
    lia_statement_put(r->statement);
    lia_arena_deinit(&r->arena);
    lia_mem_free(r->alloc, r, sizeof(*r));
}

uint64_t lia_result_mutations(const struct lia_result *r)
{
    return r->mutations;
}

uint64_t lia_result_waiting(const struct lia_result *r)
{
    return r->waiting;
}

struct liana_slice lia_result_ids(const struct lia_result *r)
{
    return r->ids.len ? lia_buf_slice(&r->ids) : lia_bson_empty;
}

uint64_t lia_result_seq(const struct lia_result *r)
{
    return r->seq;
}

static liana_status next(struct lia_result *r,
                         struct liana_slice *row,
                         struct liana_error *err)
{
    if (r->has_single_row) {
        r->has_single_row = false;
        *row = lia_buf_slice(&r->row);
        return LIANA_OK;
    }
    if (r->stmt->kind != LIA_STMT_SELECT || r->stmt->is_explain) {
        return LIANA_EEND;
    }
    if (!r->txn) {
        return lia_err(err, LIANA_ECANCELED,
                       "the transaction of this result has ended");
    }
    return r->rows ? lia_exec_row(r, row, err) : LIANA_EEND;
}

liana_status lia_result_next(struct lia_result *r,
                             struct liana_slice *row,
                             struct liana_error *err)
{
    liana_status status;

    if (r->failed.status) {
        return lia_err_sub(err, r->failed.status, r->failed.subcode, "%s",
                           r->failed.message);
    }
    status = next(r, row, &r->failed);
    if (status == LIANA_EEND && r->rows) {
        lia_conn_done(lia_txn_conn(r->txn), r->rows);
        r->rows = NULL;
    }
    if (r->failed.status && err && !err->status) {
        *err = r->failed;
    }
    return status;
}

/* ---- what the statements share ---- */

struct lia_eval lia_exec_eval(const struct lia_result *r,
                              struct lia_arena *arena,
                              struct liana_error *err)
{
    return (struct lia_eval){.arena = arena,
                             .params = r->params,
                             .is_lenient = r->is_lenient,
                             .err = err,
                             .regexps = r->regexps};
}

bool lia_exec_is_conflicts(const struct lia_stmt *stmt)
{
    return (stmt->kind == LIA_STMT_DELETE || stmt->kind == LIA_STMT_EVICT) &&
           lia_str_equal(stmt->source.space, lia_str("system")) &&
           lia_str_equal(stmt->source.collection, lia_str("conflicts"));
}

liana_status lia_exec_collection(struct lia_result *r,
                                 bool create,
                                 const struct lia_collection **out,
                                 struct liana_error *err)
{
    struct liana_error why = LIANA_ERROR_INIT;
    struct liana_str name = lia_exec_is_conflicts(r->stmt) ? lia_conflicts_name()
                                                           : r->stmt->source.collection;
    liana_status status = lia_txn_collection(r->txn, name, create, out, &why);

    if (status == LIANA_ENOTFOUND && !create) {
        *out = NULL;
        return LIANA_OK;
    }
    return status ? lia_err_sub(err, status, why.subcode, "%s", why.message) : LIANA_OK;
}

/* One change happens or does not, or voids the transaction (db/db.h). A savepoint costs as
 * much as the change: SQLite copies every page that is written to after it. */
liana_status lia_exec_will_change(struct lia_result *r,
                                  size_t count,
                                  struct liana_error *err)
{
    liana_status status;

    if (r->owns_txn || r->has_savepoint || count < 2) {
        return LIANA_OK;
    }
    status = lia_txn_savepoint(r->txn, err);
    r->has_savepoint = !status;
    return status;
}

liana_status lia_exec_changed(struct lia_result *r,
                              struct liana_slice body,
                              struct liana_error *err)
{
    struct lia_value id = lia_value_of_null();
    char digits[12];

    if (!r->wants_ids) {
        r->mutations++;
        return LIANA_OK;
    }
    if (!r->ids.len) {
        r->ids_mark = lia_bson_begin(&r->ids);
    }
    LIA_IGNORE(lia_bson_find(body, lia_str("_id"), &id)); /* every body has one */
    lia_bson_add(&r->ids, lia_bson_index_name((uint32_t)r->mutations, digits), id);
    r->mutations++;
    return lia_err_plain(err, r->ids.status);
}

liana_status lia_exec_prepare_sql(struct lia_result *r,
                                  const struct lia_sql *sql,
                                  sqlite3_stmt **out,
                                  struct liana_error *err)
{
    struct liana_error why = LIANA_ERROR_INIT;
    liana_status status = lia_conn_prepare(lia_txn_conn(r->txn), sql->text, out, &why);

    if (status == LIANA_ESYNTAX) {
        /* Its text is ours, so what SQLite can object to is its size. */
        return lia_err(err, LIANA_ELIMIT, "the statement is too complex: %s",
                       why.message);
    }
    if (status) {
        return lia_err_sub(err, status, why.subcode, "%s", why.message);
    }
    for (uint32_t i = 0; i < sql->bind_count; i++) {
        const struct lia_sql_bind *bind = &sql->binds[i];

        if (bind->is_int) {
            lia_bind_u64(*out, (int)i + 1, (uint64_t)bind->number);
        } else {
            lia_bind_slice(*out, (int)i + 1, bind->bytes);
        }
    }
    return LIANA_OK;
}

liana_status lia_exec_step(struct lia_result *r,
                           sqlite3_stmt *stmt,
                           struct liana_error *err)
{
    struct lia_conn *conn = lia_txn_conn(r->txn);
    struct liana_error why = LIANA_ERROR_INIT;
    liana_status status = lia_conn_step(conn, stmt, &why);

    if (!status || status == LIANA_EEND) {
        return status;
    }
    if (lia_sqlfn_error(conn->sqlite, &status, err)) {
        if (status == LIANA_ECORRUPT) {
            lia_err_prefix(err, "%.*s", LIA_STR_ARG(r->stmt->source.collection));
        }
        return status;
    }
    if (sqlite3_get_autocommit(conn->sqlite)) {
        r->txn->failed = status; /* out of memory, say: SQLite has rolled it back */
    }
    return lia_err_sub(err, status, why.subcode, "%s", why.message);
}

/* ---- running ---- */

static liana_status take_params(struct lia_result *r,
                                struct liana_slice params,
                                struct liana_error *err)
{
    struct lia_buf canonical;
    liana_status status;

    if (params.len == 0) {
        return LIANA_OK;
    }
    lia_buf_init(&canonical, r->alloc);
    status = lia_bson_canonicalize_values(params, &canonical, err);
    if (status) {
        lia_err_prefix(err, "parameters");
    } else if (!lia_arena_copy(&r->arena, lia_buf_slice(&canonical), &r->params)) {
        status = lia_err_plain(err, LIANA_ENOMEM);
    }
    lia_buf_deinit(&canonical);
    return status;
}

static bool writes(const struct lia_result *r)
{
    return r->stmt->kind != LIA_STMT_SELECT && !r->stmt->is_explain;
}

static liana_status check_target(const struct lia_stmt *stmt, struct liana_error *err)
{
    const struct lia_source *source = &stmt->source;

    if (lia_exec_is_conflicts(stmt)) {
        return LIANA_OK;
    }
    if (!lia_str_equal(source->space, lia_str("default"))) {
        return lia_err(err, LIANA_EINVAL, "system:%.*s cannot be written",
                       LIA_STR_ARG(source->collection));
    }
    if (lia_str_equal(source->collection, lia_str(LIA_COLLECTIONS))) {
        return lia_err(err, LIANA_EINVAL,
                       LIA_COLLECTIONS
                       " is written by CREATE, ALTER and DROP COLLECTION");
    }
    if (lia_name_is_reserved(source->collection)) {
        return lia_err(err, LIANA_EINVAL, "%.*s is reserved",
                       LIA_STR_ARG(source->collection));
    }
    return LIANA_OK;
}

/* A result with its statement parsed and its parameters checked. */
static liana_status prepare(struct lia_db *db,
                            struct liana_str text,
                            struct liana_slice params,
                            const struct lia_exec_options *options,
                            struct lia_result **out,
                            struct liana_error *err)
{
    struct lia_result *r = new_result(db->env->alloc, options);
    liana_status status;

    if (!r) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    status = lia_statements_get(&db->statements, text, &r->statement, err);
    if (!status) {
        r->stmt = lia_statement_tree(r->statement);
        status = take_params(r, params, err);
    }
    if (!status && writes(r)) {
        status = check_target(r->stmt, err);
    }
    if (status) {
        lia_result_free(r);
        return status;
    }
    *out = r;
    return LIANA_OK;
}

static liana_status run_kind(struct lia_result *r, struct liana_error *err)
{
    if (r->stmt->is_explain) {
        return lia_exec_explain(r, err);
    }
    switch (r->stmt->kind) {
    case LIA_STMT_SELECT: return lia_exec_select(r, err);
    case LIA_STMT_INSERT: return lia_exec_insert(r, err);
    case LIA_STMT_UPDATE:
    case LIA_STMT_DELETE:
    case LIA_STMT_EVICT: return lia_exec_update(r, err);
    case LIA_STMT_CREATE: return lia_exec_create(r, err);
    case LIA_STMT_ALTER: return lia_exec_alter(r, err);
    case LIA_STMT_DROP: return lia_exec_drop(r, err);
    }
    return lia_err(err, LIANA_EINTERNAL, "statement of kind %d", (int)r->stmt->kind);
}

/* With what the statement declares beside its collection. */
static liana_status run(struct lia_result *r, struct liana_error *err)
{
    const struct lia_source *source = &r->stmt->source;
    liana_status status;

    if (source->declared.count == 0) {
        return run_kind(r, err);
    }
    status = lia_schema_add(r->txn, source->collection, source->declared.items,
                            source->declared.count, err);
    if (!status) {
        status = run_kind(r, err);
        lia_schema_drop(r->txn);
    }
    return status;
}

static void close_ids(struct lia_result *r)
{
    if (r->ids.len) {
        lia_bson_end(&r->ids, r->ids_mark);
    }
}

/* Runs and commits; a SELECT keeps its snapshot. */
static liana_status run_alone(struct lia_db *db,
                              struct lia_result *r,
                              struct liana_error *err)
{
    const struct lia_txn_options options =
        lia_txn_options(db, writes(r) ? LIA_WRITE : LIA_READ);
    struct lia_commit commit;
    liana_status status = lia_txn_begin(db, &options, &r->txn, err);

    if (status) {
        return status;
    }
    r->owns_txn = true;
    status = run(r, err);
    if (status || !writes(r)) {
        return status;
    }
    close_ids(r);
    status = lia_err_plain(err, r->ids.status);
    if (!status) {
        status = lia_txn_commit(r->txn, &commit, err);
        r->txn = NULL;
        r->seq = status ? 0 : commit.seq;
    }
    return status;
}

liana_status lia_db_execute(struct lia_db *db,
                            struct liana_str text,
                            struct liana_slice params,
                            const struct lia_exec_options *options,
                            struct lia_result **out,
                            struct liana_error *err)
{
    struct lia_result *r = NULL;
    liana_status status = prepare(db, text, params, options, &r, err);

    if (status) {
        return status;
    }
    status = run_alone(db, r, err);
    if (status) {
        lia_result_free(r);
        return status;
    }
    *out = r;
    return LIANA_OK;
}

static liana_status run_and_close(struct lia_result *r, struct liana_error *err)
{
    liana_status status = run(r, err);

    close_ids(r);
    return status ? status : lia_err_plain(err, r->ids.status);
}

/* Runs so that a failure leaves nothing of the statement. */
static liana_status run_within(struct lia_result *r, struct liana_error *err)
{
    liana_status status;

    if (!writes(r)) {
        return run(r, err);
    }
    status = run_and_close(r, err);
    if (!r->has_savepoint) {
        return lia_txn_leave(r->txn, status);
    }
    if (!status) {
        return lia_txn_release(r->txn, err);
    }
    LIA_IGNORE(
        lia_txn_undo(r->txn, NULL)); /* fails when the transaction is void already */
    return status;
}

liana_status lia_txn_execute(struct lia_txn *txn,
                             struct liana_str text,
                             struct liana_slice params,
                             const struct lia_exec_options *options,
                             struct lia_result **out,
                             struct liana_error *err)
{
    struct lia_result *r = NULL;
    liana_status status = prepare(lia_txn_db(txn), text, params, options, &r, err);

    if (status) {
        return status;
    }
    r->txn = txn;
    if (writes(r) && !lia_txn_is_write(txn)) {
        status = lia_err(err, LIANA_EMISUSE, "the transaction is read-only");
    } else {
        status = run_within(r, err);
    }
    if (status) {
        lia_result_free(r);
        return status;
    }
    *out = r;
    return LIANA_OK;
}
