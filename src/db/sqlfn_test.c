/* SPDX-License-Identifier: Apache-2.0 */
#include "db/sqlfn.h"

#include <stdio.h>

#include "base/testing/test.h"

#include "base/testing/alloc.h"
#include "codec/key.h"
#include "db/testing/random_query.h"
#include "lang/parse.h"
#include "lang/print.h"
#include "lang/sql.h"
#include "lang/testing/golden.h"

/* ---- a table in memory ---- */

static sqlite3 *open_table(void)
{
    sqlite3 *sqlite;

    assert_int_equal(sqlite3_open(":memory:", &sqlite), SQLITE_OK);
    assert_int_equal(lia_sqlfn_register(sqlite, &lia_mem_libc), LIANA_OK);
    assert_int_equal(sqlite3_exec(sqlite,
                                  "CREATE TABLE c (key BLOB PRIMARY KEY, body BLOB)", 0,
                                  0, 0),
                     SQLITE_OK);
    return sqlite;
}

static void insert(sqlite3 *sqlite, struct liana_slice body, bool has_id)
{
    struct lia_buf key;
    struct lia_value id;
    sqlite3_stmt *stmt;

    lia_buf_init(&key, &lia_mem_libc);
    if (has_id) {
        assert_true(lia_bson_find(body, lia_str("_id"), &id));
        assert_int_equal(lia_key_of_id(id, &key, NULL), LIANA_OK);
    }
    assert_int_equal(
        sqlite3_prepare_v2(sqlite, "INSERT INTO c VALUES (?1, ?2)", -1, &stmt, NULL),
        SQLITE_OK);
    sqlite3_bind_blob64(stmt, 1, key.ptr ? (const void *)key.ptr : "", key.len,
                        SQLITE_STATIC);
    sqlite3_bind_blob64(stmt, 2, body.ptr, body.len, SQLITE_STATIC);
    assert_int_equal(sqlite3_step(stmt), SQLITE_DONE);
    sqlite3_finalize(stmt);
    lia_buf_deinit(&key);
}

static sqlite3_stmt *prepare(sqlite3 *sqlite, const struct lia_sql *sql)
{
    sqlite3_stmt *stmt;

    if (sqlite3_prepare_v2(sqlite, sql->text.ptr, (int)sql->text.len, &stmt, NULL)) {
        fail_msg("%.*s: %s", LIA_STR_ARG(sql->text), sqlite3_errmsg(sqlite));
    }
    for (uint32_t i = 0; i < sql->bind_count; i++) {
        const struct lia_sql_bind *b = &sql->binds[i];

        if (b->is_int) {
            sqlite3_bind_int64(stmt, (int)i + 1, b->number);
        } else {
            sqlite3_bind_blob64(stmt, (int)i + 1, b->bytes.ptr, b->bytes.len,
                                SQLITE_STATIC);
        }
    }
    return stmt;
}

static struct lia_value column(sqlite3_stmt *stmt, int at)
{
    const void *bytes = sqlite3_column_blob(stmt, at);

    return lia_sql_value(lia_slice(bytes, (size_t)sqlite3_column_bytes(stmt, at)));
}

/* ---- golden cases: through SQL ---- */

/* The tree of `SELECT e AS v FROM c`. */
static struct lia_stmt select_of(struct lia_column *into, struct lia_expr *e)
{
    *into = (struct lia_column){.expr = e, .name = lia_str("v")};
    return (struct lia_stmt){.kind = LIA_STMT_SELECT, .columns = {into, 1, 1}};
}

static void run_golden(void *ctx, const struct lia_golden_case *c)
{
    sqlite3 *sqlite = open_table();
    struct lia_arena arena;
    const struct lia_sql_options options = {.from = lia_str("c")};
    struct lia_expr *e;
    struct lia_column into;
    struct lia_stmt stmt;
    struct lia_sql sql;
    sqlite3_stmt *run;
    liana_status status = LIANA_OK;
    struct lia_value v = LIA_MISSING;

    (void)ctx;
    insert(sqlite, c->doc, false);
    lia_arena_init(&arena, &lia_mem_libc);
    assert_int_equal(lia_lang_parse_expr(&arena, lia_str(c->text), &e, NULL), LIANA_OK);
    stmt = select_of(&into, e);
    assert_int_equal(lia_sql_select(&arena, &stmt, &options, &sql, NULL), LIANA_OK);
    run = prepare(sqlite, &sql);
    if (sqlite3_step(run) == SQLITE_ROW) {
        v = column(run, 0);
    } else {
        assert_true(lia_sqlfn_error(sqlite, &status, NULL));
    }
    /* SQL may look where the evaluator need not. */
    if (!(status == LIANA_ETYPE && strstr("false AND a true OR a", c->text))) {
        lia_golden_check(c, "SQL", status, v);
    }
    sqlite3_finalize(run);
    sqlite3_close(sqlite);
    lia_arena_deinit(&arena);
}

static void test_golden(void **state)
{
    (void)state;
    assert_true(lia_golden_walk(run_golden, NULL) > 150);
}

/* ---- differential: the evaluator and SQL over generated documents and expressions ---- */

#define DOCS 12

struct world {
    struct lia_rng rng;
    sqlite3 *sqlite;
    struct lia_buf docs[DOCS];
    struct lia_buf params;
    size_t trues;
    size_t values;
    size_t errors;
};

static void make_docs(struct world *w)
{
    assert_int_equal(sqlite3_exec(w->sqlite, "DELETE FROM c", 0, 0, 0), SQLITE_OK);
    for (int32_t i = 0; i < DOCS; i++) {
        lia_buf_reset(&w->docs[i]);
        lia_random_body(&w->rng, &w->docs[i], i);
        insert(w->sqlite, lia_buf_slice(&w->docs[i]), true);
    }
    lia_buf_reset(&w->params);
    lia_random_params(&w->rng, &w->params);
}

static void report(const struct world *w, const char *text, int doc, const char *what)
{
    struct lia_buf out;
    const struct lia_expr params = {
        .kind = LIA_EXPR_VALUE,
        .value = {LIA_BSON_DOCUMENT, lia_buf_slice(&w->params)}};
    const struct lia_expr body = {
        .kind = LIA_EXPR_VALUE,
        .value = {LIA_BSON_DOCUMENT, lia_buf_slice(&w->docs[doc])}};

    lia_buf_init(&out, &lia_mem_libc);
    lia_buf_printf(&out, "%s\n  %s\n  document ", what, text);
    lia_expr_print(&out, &body);
    lia_buf_str(&out, "\n  params ");
    lia_expr_print(&out, &params);
    lia_buf_u8(&out, 0);
    print_error("%s\n", (const char *)out.ptr);
    lia_buf_deinit(&out);
    fail();
}

/* Every document's value, natively and as a column. */
static void compare_values(struct world *w, struct lia_arena *arena, const char *text)
{
    const struct lia_eval cx = {
        .arena = arena, .params = lia_buf_slice(&w->params), .is_lenient = true};
    const struct lia_sql_options options = {lia_str("c"), cx.params, true};
    struct lia_buf select;
    struct lia_stmt *stmt;
    struct lia_sql sql;
    sqlite3_stmt *run;
    struct liana_error err = LIANA_ERROR_INIT;

    lia_buf_init(&select, &lia_mem_libc);
    lia_buf_printf(&select, "SELECT %s AS v FROM c ORDER BY _id", text);
    if (lia_lang_parse(arena, lia_slice_str(lia_buf_slice(&select)), &stmt, &err) ||
        lia_sql_select(arena, stmt, &options, &sql, &err)) {
        fail_msg("%s: %s", text, err.message);
    }
    run = prepare(w->sqlite, &sql);
    for (int i = 0; i < DOCS; i++) {
        struct lia_value v;

        assert_int_equal(
            lia_eval(&cx, stmt->columns.items[0].expr, lia_buf_slice(&w->docs[i]), &v),
            LIANA_OK);
        if (sqlite3_step(run) != SQLITE_ROW) {
            report(w, text, i, sqlite3_errmsg(w->sqlite));
        }
        if (!lia_value_equal(column(run, 0), v)) {
            report(w, text, i, "the values differ");
        }
        w->values += !lia_is_missing(v);
    }
    assert_int_equal(sqlite3_step(run), SQLITE_DONE);
    sqlite3_finalize(run);
    lia_buf_deinit(&select);
}

/* Which documents a condition picks, natively and as WHERE. Where both ways are without an
 * error they agree; lenient ones always are. */
static void compare_condition(struct world *w,
                              struct lia_arena *arena,
                              const char *text,
                              bool is_lenient)
{
    const struct lia_eval cx = {
        .arena = arena, .params = lia_buf_slice(&w->params), .is_lenient = is_lenient};
    const struct lia_sql_options options = {lia_str("c"), cx.params, is_lenient};
    bool picked[DOCS] = {false};
    bool failed = false;
    struct lia_buf select;
    struct lia_stmt *stmt;
    struct lia_sql sql;
    sqlite3_stmt *run;
    int code;

    lia_buf_init(&select, &lia_mem_libc);
    lia_buf_printf(&select, "SELECT _id FROM c WHERE %s", text);
    assert_int_equal(
        lia_lang_parse(arena, lia_slice_str(lia_buf_slice(&select)), &stmt, NULL),
        LIANA_OK);
    assert_int_equal(lia_sql_select(arena, stmt, &options, &sql, NULL), LIANA_OK);
    run = prepare(w->sqlite, &sql);
    while ((code = sqlite3_step(run)) == SQLITE_ROW) {
        picked[lia_value_int32(column(run, 0))] = true;
    }
    if (code != SQLITE_DONE) {
        liana_status status = LIANA_OK;

        assert_true(lia_sqlfn_error(w->sqlite, &status, NULL));
        failed = true;
    }
    for (int i = 0; i < DOCS && !failed; i++) {
        bool is_true;

        if (lia_eval_is_true(&cx, stmt->where, lia_buf_slice(&w->docs[i]), &is_true)) {
            failed = true;
        } else if (is_true != picked[i]) {
            report(w, text, i,
                   picked[i] ? "SQL picks what is not TRUE"
                             : "SQL misses what is TRUE");
        } else {
            w->trues += is_true;
        }
    }
    w->errors += failed;
    assert_false(is_lenient && failed);
    sqlite3_finalize(run);
    lia_buf_deinit(&select);
}

static void test_differential(void **state)
{
    struct world w = {.rng = lia_rng(lia_test_seed("evaluator against SQL"))};
    size_t cases = lia_test_cases(4000);

    (void)state;
    w.sqlite = open_table();
    lia_buf_init(&w.params, &lia_mem_libc);
    for (int i = 0; i < DOCS; i++) {
        lia_buf_init(&w.docs[i], &lia_mem_libc);
    }
    for (size_t i = 0; i < cases; i++) {
        struct lia_arena arena;
        struct lia_buf text;

        if (i % 20 == 0) {
            make_docs(&w);
        }
        lia_arena_init(&arena, &lia_mem_libc);
        lia_buf_init(&text, &lia_mem_libc);
        if (i % 3 == 0) {
            lia_random_expr(&w.rng, &text, 3);
        } else {
            lia_random_condition(&w.rng, &text, (unsigned)lia_rng_below(&w.rng, 4));
        }
        lia_buf_u8(&text, 0);
        compare_values(&w, &arena, (const char *)text.ptr);
        compare_condition(&w, &arena, (const char *)text.ptr, true);
        compare_condition(&w, &arena, (const char *)text.ptr, false);
        lia_buf_deinit(&text);
        lia_arena_deinit(&arena);
    }
    print_message("%zu expressions, %zu values, %zu matches, %zu with errors\n", cases,
                  w.values, w.trues, w.errors);
    assert_true(w.trues > cases && w.values > 4 * cases && w.errors > 0);
    lia_buf_deinit(&w.params);
    for (int i = 0; i < DOCS; i++) {
        lia_buf_deinit(&w.docs[i]);
    }
    sqlite3_close(w.sqlite);
}

/* ---- what the SQL looks like ---- */

static void writes(const char *text, const char *wanted)
{
    struct lia_arena arena;
    const struct lia_sql_options options = {.from = lia_str("c7")};
    struct lia_stmt *stmt;
    struct lia_sql sql;
    struct liana_error err = LIANA_ERROR_INIT;

    lia_arena_init(&arena, &lia_mem_libc);
    if (lia_lang_parse(&arena, lia_str(text), &stmt, &err) ||
        lia_sql_select(&arena, stmt, &options, &sql, &err)) {
        fail_msg("%s: %s", text, err.message);
    }
    if (!lia_str_equal(sql.text, lia_str(wanted))) {
        fail_msg("%s\n  wanted %s\n  got    %.*s", text, wanted, LIA_STR_ARG(sql.text));
    }
    lia_arena_deinit(&arena);
}

static void test_text(void **state)
{
    (void)state;
    writes("SELECT * FROM c", "SELECT body FROM c7 WHERE body IS NOT NULL");
    writes("SELECT * FROM c WHERE _id = 'x'",
           "SELECT body FROM c7 WHERE body IS NOT NULL AND (key=?1)");
    writes(
        "SELECT * FROM c WHERE a.b >= 5 AND NOT (c = 'x')",
        "SELECT body FROM c7 WHERE body IS NOT NULL AND "
        "((lia_key(body,'a.b')>=?1 AND lia_key(body,'a.b')<?2) AND "
        "(lia_key(body,'c')<>?3 AND lia_key(body,'c')>=?4 AND lia_key(body,'c')<?5))");
    writes("SELECT * FROM c WHERE 5 > a",
           "SELECT body FROM c7 WHERE body IS NOT NULL AND "
           "(lia_key(body,'a')<?1 AND lia_key(body,'a')>=?2)");
    writes("SELECT * FROM c WHERE `it's`.`x.y` = 1",
           "SELECT body FROM c7 WHERE body IS NOT NULL AND "
           "(lia_key(body,'it''s.x\\.y')=?1)");
    writes(
        "SELECT a, COUNT(*) AS n FROM c GROUP BY a HAVING COUNT(*) > 1 ORDER BY n DESC",
        "SELECT min(lia_get(body,'a')),count(*) FROM c7 WHERE body IS NOT NULL GROUP "
        "BY "
        "lia_key(body,'a') HAVING lia_true(lia_op_gt(count(*),?1)) ORDER BY "
        "lia_key_of(count(*)) DESC");
    writes("SELECT * FROM c ORDER BY a.b DESC, _id LIMIT 3 OFFSET 1",
           "SELECT body FROM c7 WHERE body IS NOT NULL ORDER BY lia_key(body,'a.b') "
           "DESC,key,key LIMIT ?1 OFFSET ?2");
    writes("SELECT * FROM c WHERE a IN (1, 'x') AND a IS NOT MISSING",
           "SELECT body FROM c7 WHERE body IS NOT NULL AND ((lia_key(body,'a') IN "
           "(?1,?2)) "
           "AND (lia_key(body,'a') NOT IN (?3)))");
    writes("SELECT * FROM c WHERE a = b",
           "SELECT body FROM c7 WHERE body IS NOT NULL AND "
           "lia_true(lia_op_eq(lia_get(body,'a'),lia_get(body,'b')))");
    writes("SELECT * FROM c WHERE 1 = 2",
           "SELECT body FROM c7 WHERE body IS NOT NULL AND 0");
}

/* An index on the accessor serves comparisons and order. */
static void test_index(void **state)
{
    sqlite3 *sqlite = open_table();
    struct lia_arena arena;
    const struct lia_sql_options options = {.from = lia_str("c")};
    struct lia_stmt *stmt;
    struct lia_sql sql;
    struct lia_buf explain;
    sqlite3_stmt *run;

    (void)state;
    assert_int_equal(
        sqlite3_exec(sqlite, "CREATE INDEX i ON c (lia_key(body,'a.b'))", 0, 0, 0),
        SQLITE_OK);
    lia_arena_init(&arena, &lia_mem_libc);
    assert_int_equal(
        lia_lang_parse(&arena, lia_str("SELECT * FROM c WHERE a.b > 3 ORDER BY a.b"),
                       &stmt, NULL),
        LIANA_OK);
    assert_int_equal(lia_sql_select(&arena, stmt, &options, &sql, NULL), LIANA_OK);
    lia_buf_init(&explain, &lia_mem_libc);
    lia_buf_printf(&explain, "EXPLAIN QUERY PLAN %.*s", LIA_STR_ARG(sql.text));
    sql.text = lia_slice_str(lia_buf_slice(&explain));
    run = prepare(sqlite, &sql);
    assert_int_equal(sqlite3_step(run), SQLITE_ROW);
    assert_non_null(strstr((const char *)sqlite3_column_text(run, 3),
                           "USING INDEX i (<expr>>? AND "));
    sqlite3_finalize(run);
    lia_buf_deinit(&explain);
    lia_arena_deinit(&arena);
    sqlite3_close(sqlite);
}

/* ---- long statements, memory ---- */

static void test_long(void **state)
{
    sqlite3 *sqlite = open_table();
    struct lia_arena arena;
    const struct lia_sql_options options = {.from = lia_str("c")};
    struct lia_buf text;
    struct lia_stmt *stmt;
    struct lia_sql sql;
    size_t n = 5000;

    (void)state;
    for (int round = 0; round < 2; round++) {
        lia_arena_init(&arena, &lia_mem_libc);
        lia_buf_init(&text, &lia_mem_libc);
        lia_buf_str(&text, "SELECT (a AND b) AS x FROM c WHERE a = 1");
        for (size_t i = 0; i < n; i++) {
            lia_buf_printf(&text, " OR a = %zu", i);
        }
        assert_int_equal(
            lia_lang_parse(&arena, lia_slice_str(lia_buf_slice(&text)), &stmt, NULL),
            LIANA_OK);
        if (round == 0) {
            assert_int_equal(lia_sql_select(&arena, stmt, &options, &sql, NULL),
                             LIANA_OK);
            sqlite3_finalize(prepare(sqlite, &sql));
            n = 32000; /* more constants than SQLite has parameters */
        } else {
            assert_int_equal(lia_sql_select(&arena, stmt, &options, &sql, NULL),
                             LIANA_ELIMIT);
        }
        lia_buf_deinit(&text);
        lia_arena_deinit(&arena);
    }
    sqlite3_close(sqlite);
}

static int64_t ask(sqlite3 *sqlite, const char *sql)
{
    sqlite3_stmt *stmt;
    int64_t n;

    assert_int_equal(sqlite3_prepare_v2(sqlite, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    n = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return n;
}

/* A pattern is compiled once, not for every row. */
static void test_patterns(void **state)
{
    sqlite3 *sqlite = open_table();
    const struct lia_sql_options options = {.from = lia_str("c")};
    struct lia_arena arena;
    struct lia_stmt *stmt;
    struct lia_sql sql;
    sqlite3_stmt *rows;
    struct lia_buf doc;
    int found = 0;

    (void)state;
    for (int i = 0; i < 50; i++) {
        char name[8];
        size_t mark;

        lia_buf_init(&doc, &lia_mem_libc);
        mark = lia_bson_begin(&doc);
        snprintf(name, sizeof(name), "a%02d", i);
        lia_bson_add_str(&doc, lia_str("_id"), lia_str(name));
        lia_bson_end(&doc, mark);
        insert(sqlite, lia_buf_slice(&doc), true);
        lia_buf_deinit(&doc);
    }
    lia_arena_init(&arena, &lia_mem_libc);
    assert_ok(
        lia_lang_parse(&arena,
                       lia_str("SELECT * FROM c WHERE regexp_like(_id, '^A.[05]$', "
                               "'i') OR regexp_like(_id, '9$')"),
                       &stmt, NULL));
    assert_ok(lia_sql_select(&arena, stmt, &options, &sql, NULL));
    rows = prepare(sqlite, &sql);
    while (sqlite3_step(rows) == SQLITE_ROW) {
        found++;
    }
    sqlite3_finalize(rows);
    assert_int_equal(found, 15);
    assert_int_equal(ask(sqlite, "SELECT lia_patterns_compiled()"), 2);
    lia_arena_deinit(&arena);
    sqlite3_close(sqlite);
}

static liana_status scenario(const struct liana_allocator *a, void *ctx)
{
    sqlite3 *sqlite;
    liana_status status;

    (void)ctx;
    assert_int_equal(sqlite3_open(":memory:", &sqlite), SQLITE_OK);
    status = lia_sqlfn_register(sqlite, a);
    sqlite3_close(sqlite);
    return status;
}

static void test_no_memory(void **state)
{
    (void)state;
    assert_int_equal(lia_test_each_failure(scenario, NULL), 3);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_golden),    cmocka_unit_test(test_differential),
    cmocka_unit_test(test_text),      cmocka_unit_test(test_index),
    cmocka_unit_test(test_long),      cmocka_unit_test(test_patterns),
    cmocka_unit_test(test_no_memory),
};

LIA_TEST_MAIN(tests)
