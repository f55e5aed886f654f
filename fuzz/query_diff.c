/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz/query_diff - an expression means the same to the evaluator and as SQL.
 *
 * The first line is an expression; behind it stand documents of Extended JSON: the parameters,
 * then bodies with an _id. Leniently the two always agree, as a column and as a WHERE; strictly
 * they agree where neither fails, because SQL may look at parts that the evaluator need not.
 */
#include "codec/json.h"
#include "codec/key.h"
#include "db/sqlfn.h"
#include "lang/parse.h"
#include "lang/sql.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BODIES_MAX 8

struct world {
    sqlite3 *sqlite;
    struct lia_arena arena;
    struct lia_buf params;
    struct lia_buf body;
    struct lia_expr *expr;
};

static void execute(sqlite3 *sqlite, const char *sql)
{
    LIA_ASSERT(sqlite3_exec(sqlite, sql, NULL, NULL, NULL) == SQLITE_OK);
}

/* Makes the body the only row. False if it has no _id that a document can have. */
static bool store(struct world *w)
{
    struct lia_buf key;
    struct lia_value id;
    sqlite3_stmt *stmt;
    bool is_good;

    lia_buf_init(&key, &lia_mem_libc);
    is_good = lia_bson_find(lia_buf_slice(&w->body), lia_str("_id"), &id) &&
              lia_key_of_id(id, &key, NULL) == LIANA_OK;
    if (is_good) {
        execute(w->sqlite, "DELETE FROM c");
        LIA_ASSERT(sqlite3_prepare_v2(w->sqlite, "INSERT INTO c VALUES (?1, ?2)", -1,
                                      &stmt, NULL) == SQLITE_OK);
        sqlite3_bind_blob64(stmt, 1, key.ptr, key.len, SQLITE_STATIC);
        sqlite3_bind_blob64(stmt, 2, w->body.ptr, w->body.len, SQLITE_STATIC);
        LIA_ASSERT(sqlite3_step(stmt) == SQLITE_DONE);
        sqlite3_finalize(stmt);
    }
    lia_buf_deinit(&key);
    return is_good;
}

/* NULL when the expression is more than SQLite takes. */
static sqlite3_stmt *prepare(struct world *w,
                             const struct lia_stmt *stmt,
                             bool is_lenient)
{
    const struct lia_sql_options options = {.from = lia_str("c"),
                                            .params = lia_buf_slice(&w->params),
                                            .is_lenient = is_lenient};
    struct lia_sql sql;
    sqlite3_stmt *out = NULL;
    liana_status status = lia_sql_select(&w->arena, stmt, &options, &sql, NULL);

    LIA_ASSERT(!status || status == LIANA_ELIMIT);
    if (status || sqlite3_prepare_v2(w->sqlite, sql.text.ptr, (int)sql.text.len, &out,
                                     NULL) != SQLITE_OK) {
        return NULL;
    }
    for (uint32_t i = 0; i < sql.bind_count; i++) {
        const struct lia_sql_bind *b = &sql.binds[i];

        if (b->is_int) {
            sqlite3_bind_int64(out, (int)i + 1, b->number);
        } else {
            sqlite3_bind_blob64(out, (int)i + 1, b->bytes.ptr, b->bytes.len,
                                SQLITE_STATIC);
        }
    }
    return out;
}

/* Steps once; true if SQL failed, by one of our functions and only where it may. */
static bool fails(struct world *w, sqlite3_stmt *stmt, bool is_lenient, bool *out_row)
{
    int code = sqlite3_step(stmt);
    liana_status status = LIANA_OK;

    *out_row = code == SQLITE_ROW;
    if (code == SQLITE_ROW || code == SQLITE_DONE) {
        return false;
    }
    if (code == SQLITE_TOOBIG || code == SQLITE_NOMEM) {
        return true;
    }
    LIA_ASSERT(lia_sqlfn_error(w->sqlite, &status, NULL));
    LIA_ASSERT(!is_lenient);
    return true;
}

static void compare_value(struct world *w, const struct lia_eval *cx)
{
    struct lia_column column = {.expr = w->expr, .name = LIANA_STR("v")};
    const struct lia_stmt select = {.kind = LIA_STMT_SELECT,
                                    .columns = {&column, 1, 1}};
    struct lia_value wanted;
    liana_status status = lia_eval(cx, w->expr, lia_buf_slice(&w->body), &wanted);
    sqlite3_stmt *stmt = prepare(w, &select, cx->is_lenient);
    bool is_row;

    if (stmt && !fails(w, stmt, cx->is_lenient, &is_row) && !status) {
        struct liana_slice blob = {sqlite3_column_blob(stmt, 0),
                                   (size_t)sqlite3_column_bytes(stmt, 0)};

        LIA_ASSERT(is_row);
        LIA_ASSERT(lia_value_equal(lia_sql_value(blob), wanted));
    }
    sqlite3_finalize(stmt);
}

static void compare_condition(struct world *w, const struct lia_eval *cx)
{
    struct lia_column column = {0};
    const struct lia_stmt select = {
        .kind = LIA_STMT_SELECT, .columns = {&column, 1, 1}, .where = w->expr};
    bool is_true = false;
    liana_status status =
        lia_eval_is_true(cx, w->expr, lia_buf_slice(&w->body), &is_true);
    sqlite3_stmt *stmt = prepare(w, &select, cx->is_lenient);
    bool is_row;

    LIA_ASSERT(!status || !cx->is_lenient);
    if (stmt && !fails(w, stmt, cx->is_lenient, &is_row) && !status) {
        LIA_ASSERT(is_row == is_true);
    }
    sqlite3_finalize(stmt);
}

static void compare(struct world *w)
{
    for (int i = 0; i < 2; i++) {
        const struct lia_eval cx = {.arena = &w->arena,
                                    .params = lia_buf_slice(&w->params),
                                    .is_lenient = i == 0};
        struct lia_value v;
        liana_status status = lia_eval(&cx, w->expr, lia_buf_slice(&w->body), &v);

        if (status == LIANA_EPARAM) {
            return;
        }
        compare_value(w, &cx);
        compare_condition(w, &cx);
    }
}

static void each_body(struct world *w, struct liana_slice text)
{
    size_t used;

    if (lia_json_read(text, &w->params, &used, NULL)) {
        return;
    }
    for (int i = 0; i < BODIES_MAX; i++) {
        text = lia_slice_sub(text, used, text.len - used);
        lia_buf_reset(&w->body);
        if (lia_json_read(text, &w->body, &used, NULL)) {
            return;
        }
        if (store(w)) {
            compare(w);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *line_end = size ? memchr(data, '\n', size) : NULL;
    struct world w = {0};
    size_t len;

    if (!line_end) {
        return 0;
    }
    len = (size_t)(line_end - data);
    lia_arena_init(&w.arena, &lia_mem_libc);
    if (lia_lang_parse_expr(&w.arena, (struct liana_str){(const char *)data, len},
                            &w.expr, NULL) == LIANA_OK) {
        LIA_ASSERT(sqlite3_open(":memory:", &w.sqlite) == SQLITE_OK);
        LIA_ASSERT(lia_sqlfn_register(w.sqlite, &lia_mem_libc) == LIANA_OK);
        execute(w.sqlite, "CREATE TABLE c (key BLOB PRIMARY KEY, body BLOB)");
        lia_buf_init(&w.params, &lia_mem_libc);
        lia_buf_init(&w.body, &lia_mem_libc);
        each_body(&w, lia_slice(line_end + 1, size - len - 1));
        lia_buf_deinit(&w.params);
        lia_buf_deinit(&w.body);
        sqlite3_close(w.sqlite);
    }
    lia_arena_deinit(&w.arena);
    return 0;
}
