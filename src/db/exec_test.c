/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include <stdio.h>

#include "db/exec.h"
#include "db/testing/fixture.h"
#include "lang/eval.h"
#include "lang/parse.h"
#include "lang/print.h"

struct world {
    struct lia_test_db t;
};

static int setup(void **state)
{
    struct world *w = test_malloc(sizeof(*w));

    lia_test_db_init(&w->t, 1);
    w->t.options.predicates = NULL; /* the language's */
    lia_test_db_open(&w->t);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    lia_test_db_finish(&w->t);
    test_free(w);
    return 0;
}

/* ---- helpers ---- */

/* A document from its text; lives in the fixture's arena. */
static struct liana_slice doc(struct world *w, const char *text)
{
    const struct lia_eval cx = {.arena = &w->t.arena};
    struct lia_expr *e;
    struct lia_value v;

    assert_ok(lia_lang_parse_expr(&w->t.arena, lia_str(text), &e, NULL));
    assert_ok(lia_eval(&cx, e, lia_bson_empty, &v));
    return v.data;
}

static void print(struct lia_buf *out, uint8_t type, struct liana_slice data)
{
    const struct lia_expr literal = {.kind = LIA_EXPR_VALUE, .value = {type, data}};

    lia_expr_print(out, &literal);
    lia_buf_str(out, "\n");
}

/* Appends what a result answers: rows, or "= mutations ids". */
static liana_status drain(struct lia_result *r,
                          bool is_select,
                          struct lia_buf *out,
                          struct liana_error *err)
{
    struct liana_slice row;
    liana_status status;

    while (!(status = lia_result_next(r, &row, err))) {
        print(out, LIA_BSON_DOCUMENT, row);
    }
    if (!is_select) {
        lia_buf_printf(out, "= %llu ", (unsigned long long)lia_result_mutations(r));
        print(out, LIA_BSON_ARRAY, lia_result_ids(r));
    }
    return status == LIANA_EEND ? LIANA_OK : status;
}

/* Runs a statement in its own transaction, or in `txn`; "! STATUS message" for a failure. */
static void run(struct world *w,
                struct lia_txn *txn,
                const char *text,
                struct liana_slice params,
                struct lia_buf *out)
{
    const struct lia_exec_options options = {.wants_ids = true};
    struct liana_error err = LIANA_ERROR_INIT;
    struct lia_result *r = NULL;
    liana_status status =
        txn ? lia_txn_execute(txn, lia_str(text), params, &options, &r, &err)
            : lia_db_execute(w->t.db, lia_str(text), params, &options, &r, &err);

    lia_buf_reset(out);
    if (!status) {
        status = drain(r, strncmp(text, "SELECT", 6) == 0, out, &err);
    }
    if (status) {
        assert_int_equal(err.status, status);
        lia_buf_reset(out);
        lia_buf_printf(out, "! %s %s\n", liana_status_name(status), err.message);
    }
    lia_buf_u8(out, 0);
    assert_ok(out->status);
    lia_result_free(r);
}

/* The whole answer, in one line per row. */
static void answers(struct world *w,
                    struct lia_txn *txn,
                    const char *text,
                    const char *wanted)
{
    struct lia_buf out;

    lia_buf_init(&out, &lia_mem_libc);
    run(w, txn, text, LIANA_NONE, &out);
    if (strcmp((const char *)out.ptr, wanted) != 0) {
        fail_msg("%s\n  wanted %s\n  got    %s", text, wanted, (const char *)out.ptr);
    }
    lia_buf_deinit(&out);
}

/* ---- golden files ---- */

#define LINE_MAX_BYTES 1024

struct script {
    FILE *file;
    const char *name;
    int line;
    char text[LINE_MAX_BYTES];
};

static bool next_line(struct script *s)
{
    while (fgets(s->text, sizeof(s->text), s->file)) {
        s->line++;
        if (s->text[0] != '#') {
            return true;
        }
    }
    return false;
}

/* A wanted answer may end early: a status without its message, a count without ids. */
static void check(const struct script *s,
                  const char *statement,
                  const char *got,
                  const char *wanted)
{
    size_t n = strlen(wanted);
    bool is_start = n > 0 && (wanted[0] == '!' || wanted[0] == '=') &&
                    strncmp(got, wanted, n - 1) == 0;

    if (strcmp(got, wanted) != 0 && !is_start) {
        fail_msg("%s:%d: %s\nwanted:\n%sgot:\n%s", s->name, s->line, statement, wanted,
                 got);
    }
}

static void run_script(struct world *w, const char *name)
{
    char path[128];
    struct script s = {.name = name};
    struct liana_slice params = LIANA_NONE;
    struct lia_buf got;
    struct lia_buf wanted;
    bool more;
    size_t statements = 0;

    snprintf(path, sizeof(path), "tests/golden/query/%s", name);
    s.file = fopen(path, "r");
    assert_non_null(s.file);
    lia_buf_init(&got, &lia_mem_libc);
    lia_buf_init(&wanted, &lia_mem_libc);
    more = next_line(&s);
    while (more) {
        char statement[LINE_MAX_BYTES];

        s.text[strcspn(s.text, "\n")] = '\0';
        if (s.text[0] == '?') {
            params = doc(w, s.text + 1);
        }
        if (s.text[0] != '>') {
            more = next_line(&s);
            continue;
        }
        memcpy(statement, s.text + 2, strlen(s.text) - 1);
        run(w, NULL, statement, params, &got);
        params = LIANA_NONE;
        lia_buf_reset(&wanted);
        while ((more = next_line(&s)) && s.text[0] != '\n') {
            lia_buf_str(&wanted, s.text);
        }
        lia_buf_u8(&wanted, 0);
        check(&s, statement, (const char *)got.ptr, (const char *)wanted.ptr);
        statements++;
    }
    assert_true(statements > 10);
    assert_int_equal(fclose(s.file), 0);
    lia_buf_deinit(&got);
    lia_buf_deinit(&wanted);
}

static void selecting(void **state)
{
    run_script(*state, "stmt_select.txt");
}

static void inserting(void **state)
{
    run_script(*state, "stmt_insert.txt");
}

static void updating(void **state)
{
    run_script(*state, "stmt_update.txt");
}

static void declaring(void **state)
{
    run_script(*state, "stmt_schema.txt");
}

/* ---- transactions ---- */

static void statements_of_a_transaction_are_one_commit(void **state)
{
    struct world *w = *state;
    struct lia_txn *txn = lia_test_begin(&w->t, LIA_WRITE);
    struct lia_commit commit;

    answers(w, txn, "INSERT INTO sales DOCUMENTS ({'_id': 1, 'n': 2})", "= 1 [1]\n");
    answers(w, txn, "INSERT INTO stock DOCUMENTS ({'_id': 'A', 'onHand': 10})",
            "= 1 ['A']\n");
    answers(w, txn, "UPDATE stock APPLY onHand INCREMENT BY -2 WHERE _id = 'A'",
            "= 1 ['A']\n");
    answers(w, txn, "SELECT onHand FROM stock", "{'onHand': 8}\n");
    answers(w, NULL, "SELECT * FROM stock", "");
    assert_ok(lia_txn_commit(txn, &commit, NULL));
    assert_int_equal(commit.seq, 1);
    answers(w, NULL, "SELECT onHand FROM stock", "{'onHand': 8}\n");
}

static void a_failed_statement_leaves_the_transaction_as_it_was(void **state)
{
    struct world *w = *state;
    struct lia_txn *txn = lia_test_begin(&w->t, LIA_WRITE);

    answers(w, txn, "INSERT INTO c DOCUMENTS ({'_id': 1})", "= 1 [1]\n");
    answers(w, txn, "INSERT INTO c DOCUMENTS ({'_id': 2}), ({'_id': 1})",
            "! LIANA_EEXISTS document 2: c has a document with _id 1 already\n");
    answers(w, txn, "INSERT INTO d DOCUMENTS ({'_id': 2}), ({'_id': [1]})",
            "! LIANA_EID document 2: _id cannot be array\n");
    answers(w, txn, "INSERT INTO c DOCUMENTS ({'_id': 1, 'a': 1})",
            "! LIANA_EEXISTS c has a document with _id 1 already\n");
    answers(w, txn, "INSERT INTO c DOCUMENTS ({'_id': [1]})",
            "! LIANA_EID _id cannot be array\n");
    answers(w, txn, "UPDATE c SET b = 1 APPLY _id INCREMENT BY 1 WHERE _id = 1",
            "! LIANA_EID _id cannot be changed\n");
    answers(w, txn, "INSERT INTO c DOCUMENTS ({'_id': 2, 'n': 'x'})", "= 1 [2]\n");
    answers(w, txn, "UPDATE c APPLY n INCREMENT BY 1",
            "! LIANA_ETYPE n is of type string and cannot be incremented\n");
    answers(w, txn, "DELETE FROM c WHERE _id = 2", "= 1 [2]\n");
    answers(w, txn, "SELECT * FROM c", "{'_id': 1}\n");
    assert_ok(lia_txn_commit(txn, NULL, NULL));
    answers(w, NULL, "SELECT * FROM c", "{'_id': 1}\n");
}

static void a_read_only_transaction_refuses_to_write(void **state)
{
    struct world *w = *state;
    struct lia_txn *txn;

    answers(w, NULL, "INSERT INTO c DOCUMENTS ({'_id': 1})", "= 1 [1]\n");
    txn = lia_test_begin(&w->t, LIA_READ);
    answers(w, txn, "DELETE FROM c", "! LIANA_EMISUSE the transaction is read-only\n");
    answers(w, txn, "SELECT * FROM c", "{'_id': 1}\n");
    lia_txn_rollback(txn);
}

static void rows_come_from_one_snapshot(void **state)
{
    struct world *w = *state;
    struct lia_result *r;
    struct liana_slice row;
    size_t n = 0;

    answers(w, NULL, "INSERT INTO c DOCUMENTS ({'_id': 1}), ({'_id': 2}), ({'_id': 3})",
            "= 3 [1, 2, 3]\n");
    assert_ok(lia_db_execute(w->t.db, lia_str("SELECT * FROM c"), LIANA_NONE, NULL, &r,
                             NULL));
    assert_ok(lia_result_next(r, &row, NULL));
    answers(w, NULL, "DELETE FROM c", "= 3 [1, 2, 3]\n");
    answers(w, NULL, "SELECT * FROM c", "");
    for (n = 1; !lia_result_next(r, &row, NULL); n++) {
    }
    assert_int_equal(n, 3);
    assert_status(LIANA_EEND, lia_result_next(r, &row, NULL));
    lia_result_free(r);
}

static void an_ended_result_says_so(void **state)
{
    struct world *w = *state;
    struct lia_txn *txn;
    struct lia_result *r;
    struct liana_slice row;
    struct liana_error err = LIANA_ERROR_INIT;

    answers(w, NULL, "INSERT INTO c DOCUMENTS ({'_id': 1}), ({'_id': 2})",
            "= 2 [1, 2]\n");
    txn = lia_test_begin(&w->t, LIA_READ);
    assert_ok(
        lia_txn_execute(txn, lia_str("SELECT * FROM c"), LIANA_NONE, NULL, &r, NULL));
    assert_ok(lia_result_next(r, &row, NULL));
    lia_result_end(r);
    lia_txn_rollback(txn);
    assert_status(LIANA_ECANCELED, lia_result_next(r, &row, &err));
    assert_status(LIANA_ECANCELED, lia_result_next(r, &row, &err));
    lia_result_free(r);
    lia_result_free(NULL);
}

static void a_failing_row_ends_the_result(void **state)
{
    struct world *w = *state;
    struct lia_result *r;
    struct liana_slice row;
    struct liana_error err = LIANA_ERROR_INIT;

    answers(w, NULL,
            "INSERT INTO c DOCUMENTS ({'_id': 1, 'a': 1}), ({'_id': 2, 'a': 'x'})",
            "= 2 [1, 2]\n");
    assert_ok(lia_db_execute(w->t.db, lia_str("SELECT a + 1 AS b FROM c"), LIANA_NONE,
                             NULL, &r, NULL));
    assert_ok(lia_result_next(r, &row, NULL));
    assert_status(LIANA_ETYPE, lia_result_next(r, &row, &err));
    assert_string_equal(err.message, "+: needs a number, not string");
    assert_status(LIANA_ETYPE, lia_result_next(r, &row, NULL));
    lia_result_free(r);
}

/* ---- options, parameters, counts ---- */

static void a_lenient_statement_takes_wrong_types_for_missing(void **state)
{
    struct world *w = *state;
    const struct lia_exec_options lenient = {.is_lenient = true};
    struct lia_result *r;
    struct lia_buf out;

    answers(w, NULL,
            "INSERT INTO c DOCUMENTS ({'_id': 1, 'a': 1}), ({'_id': 2, 'a': 'x'})",
            "= 2 [1, 2]\n");
    assert_ok(
        lia_db_execute(w->t.db,
                       lia_str("SELECT _id, a + 1 AS b FROM c WHERE a OR a + 1 = 2 OR "
                               "lower(a) = 'x' ORDER BY _id"),
                       LIANA_NONE, &lenient, &r, NULL));
    lia_buf_init(&out, &lia_mem_libc);
    assert_ok(drain(r, true, &out, NULL));
    lia_buf_u8(&out, 0);
    assert_string_equal((const char *)out.ptr, "{'_id': 1, 'b': 2}\n{'_id': 2}\n");
    lia_buf_deinit(&out);
    lia_result_free(r);
    assert_ok(lia_db_execute(w->t.db, lia_str("UPDATE c SET b = a + 1, c = 1"),
                             LIANA_NONE, &lenient, &r, NULL));
    assert_int_equal(lia_result_mutations(r), 2);
    lia_result_free(r);
    answers(w, NULL, "SELECT * FROM c ORDER BY _id",
            "{'_id': 1, 'a': 1, 'b': 2, 'c': 1}\n{'_id': 2, 'a': 'x', 'c': 1}\n");
}

static void parameters_are_checked(void **state)
{
    static const uint8_t bad[] = {9, 0, 0, 0, 2, 'p', 0, 1, 0};
    struct world *w = *state;
    struct lia_result *r;
    struct liana_error err = LIANA_ERROR_INIT;

    assert_status(LIANA_EBSON,
                  lia_db_execute(w->t.db, lia_str("SELECT * FROM c"),
                                 lia_slice(bad, sizeof(bad)), NULL, &r, &err));
    assert_non_null(strstr(err.message, "parameters: "));
}

/* {"d": {"_id": 1, "a": {"a": ... {}}}}, with so many objects below d. */
static void add_deep(struct lia_buf *out, size_t levels)
{
    size_t marks[LIA_DEPTH_MAX + 3];
    size_t count = 0;

    marks[count++] = lia_bson_begin(out);
    marks[count++] = lia_bson_begin_in(out, LIA_BSON_DOCUMENT, lia_str("d"));
    lia_bson_add_int32(out, lia_str("_id"), 1);
    while (count < levels + 2) {
        marks[count++] = lia_bson_begin_in(out, LIA_BSON_DOCUMENT, lia_str("a"));
    }
    while (count > 0) {
        lia_bson_end(out, marks[--count]);
    }
}

static void a_parameter_is_as_deep_as_a_document(void **state)
{
    struct world *w = *state;
    struct lia_buf params;
    struct lia_buf out;

    lia_buf_init(&params, &lia_mem_libc);
    lia_buf_init(&out, &lia_mem_libc);
    add_deep(&params, LIA_DEPTH_MAX + 1);
    run(w, NULL, "INSERT INTO c DOCUMENTS (:d)", lia_buf_slice(&params), &out);
    assert_non_null(strstr((const char *)out.ptr, "LIANA_EDEPTH"));
    lia_buf_reset(&params);
    add_deep(&params, LIA_DEPTH_MAX);
    run(w, NULL, "INSERT INTO c DOCUMENTS (:d)", lia_buf_slice(&params), &out);
    assert_string_equal((const char *)out.ptr, "= 1 [1]\n");
    run(w, NULL, "UPDATE c SET b = :d", lia_buf_slice(&params), &out);
    assert_non_null(strstr((const char *)out.ptr, "LIANA_EDEPTH"));
    lia_buf_deinit(&params);
    lia_buf_deinit(&out);
}

/* {"d": ...} as above, under SET: the field is one level more. */
static void a_value_that_is_set_is_as_deep_as_its_document_allows(void **state)
{
    struct world *w = *state;
    struct lia_buf params;
    struct lia_buf out;

    lia_buf_init(&params, &lia_mem_libc);
    lia_buf_init(&out, &lia_mem_libc);
    answers(w, NULL, "INSERT INTO c DOCUMENTS ({'_id': 1})", "= 1 [1]\n");
    for (size_t levels = LIA_DEPTH_MAX - 1; levels <= LIA_DEPTH_MAX; levels++) {
        lia_buf_reset(&params);
        add_deep(&params, levels);
        run(w, NULL, "UPDATE c SET b = :d", lia_buf_slice(&params), &out);
        assert_int_equal(strncmp((const char *)out.ptr, "= 1 [1]", 7) == 0,
                         levels < LIA_DEPTH_MAX);
        run(w, NULL, "UPDATE c APPLY s ADD TO SET :d", lia_buf_slice(&params), &out);
        assert_non_null(strstr((const char *)out.ptr, "LIANA_EDEPTH"));
    }
    lia_buf_deinit(&params);
    lia_buf_deinit(&out);
}

/* Whatever it answers, it comes back. */
static void functions_take_the_deepest_values(void **state)
{
    struct world *w = *state;
    struct lia_buf params;
    struct lia_buf out;
    const struct lia_fn *fn;

    lia_buf_init(&params, &lia_mem_libc);
    lia_buf_init(&out, &lia_mem_libc);
    add_deep(&params, LIA_DEPTH_MAX);
    for (size_t i = 0; (fn = lia_fn_at(i)); i++) {
        for (size_t n = fn->min; !fn->is_operator && n <= fn->max && n < 5; n++) {
            char text[200];
            int len = snprintf(text, sizeof(text), "SELECT %s(", fn->name);

            for (size_t k = 0; k < n; k++) {
                len += snprintf(text + len, sizeof(text) - (size_t)len, "%s:d",
                                k ? ", " : "");
            }
            snprintf(text + len, sizeof(text) - (size_t)len,
                     ") AS v, :d = :d AS e FROM system:dual");
            run(w, NULL, text, lia_buf_slice(&params), &out);
            assert_null(strstr((const char *)out.ptr, "LIANA_ESYNTAX"));
            assert_null(strstr((const char *)out.ptr, "LIANA_EINTERNAL"));
        }
    }
    lia_buf_deinit(&params);
    lia_buf_deinit(&out);
}

static void a_commit_has_a_seq(void **state)
{
    static const struct {
        const char *text;
        uint64_t seq;
    } steps[] = {
        {"INSERT INTO c DOCUMENTS ({'_id': 1, 'a': 1})", 1},
        {"UPDATE c SET a = 2", 2},
        {"UPDATE c SET a = 2 WHERE _id = 7", 0},
        {"SELECT * FROM c", 0},
        {"DELETE FROM c", 3},
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        struct lia_result *r;

        assert_ok(lia_db_execute(w->t.db, lia_str(steps[i].text), LIANA_NONE, NULL, &r,
                                 NULL));
        assert_int_equal(lia_result_seq(r), steps[i].seq);
        lia_result_free(r);
    }
}

static void explain_shows_the_plan(void **state)
{
    struct world *w = *state;
    struct lia_result *r;
    struct liana_slice row;
    struct lia_value v;

    answers(w, NULL, "INSERT INTO c DOCUMENTS ({'_id': 1, 'a': 1})", "= 1 [1]\n");
    assert_ok(lia_db_execute(w->t.db, lia_str("EXPLAIN DELETE FROM c WHERE _id = 1"),
                             LIANA_NONE, NULL, &r, NULL));
    assert_ok(lia_result_next(r, &row, NULL));
    assert_true(lia_bson_find(row, lia_str("sql"), &v));
    assert_true(lia_bson_find(row, lia_str("plan"), &v));
    assert_true(lia_bson_find(v.data, lia_str("0"), &v));
    assert_non_null(strstr(lia_value_str(v).ptr, "(key=?)"));
    assert_status(LIANA_EEND, lia_result_next(r, &row, NULL));
    lia_result_free(r);
    answers(w, NULL, "SELECT COUNT(*) AS n FROM c", "{'n': int64(1)}\n");
}

/* ---- damage ---- */

/* Changes the file behind the store's back. */
static void damage(struct world *w, const char *sql)
{
    char path[LIA_TEST_PATH_MAX + 16];
    sqlite3 *sqlite;

    lia_test_db_close(&w->t);
    snprintf(path, sizeof(path), "%s/store.db", w->t.options.store.path);
    assert_int_equal(sqlite3_open(path, &sqlite), SQLITE_OK);
    assert_int_equal(sqlite3_exec(sqlite, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(sqlite), SQLITE_OK);
    lia_test_db_open(&w->t);
}

static void damaged_documents_are_not_answered(void **state)
{
    struct world *w = *state;
    const char *reads[] = {"SELECT * FROM c", "SELECT a FROM c",
                           "SELECT COUNT(*) AS n FROM c WHERE a = 1",
                           "UPDATE c SET b = 1 WHERE a = 1"};

    answers(w, NULL, "INSERT INTO c DOCUMENTS ({'_id': 1, 'a': 'xyz'})", "= 1 [1]\n");
    damage(w, "UPDATE c1 SET body = x'0500000001'");
    for (size_t i = 1; i < sizeof(reads) / sizeof(reads[0]); i++) {
        answers(w, NULL, reads[i],
                "! LIANA_ECORRUPT c: a stored document is damaged\n");
    }
    answers(
        w, NULL, reads[0],
        "! LIANA_ECORRUPT c: a stored document is damaged: document: length or end of "
        "document is wrong\n");
    /* {"_id": 1, "a": "xyz"} with a byte that is no UTF-8 */
    damage(w, "UPDATE c1 SET body = x'19000000105f6964000100000002610004000000"
              "78ff7a0000'");
    answers(w, NULL, reads[0],
            "! LIANA_ECORRUPT c: a stored document is damaged: a: string is not "
            "UTF-8\n");
}

static void damaged_clocks_are_not_written_over(void **state)
{
    struct world *w = *state;
    const char *clocks[] = {"x'01'", "x'ffffffff'", "x''"};
    char sql[64];

    answers(w, NULL, "INSERT INTO c DOCUMENTS ({'_id': 1, 'a': 1})", "= 1 [1]\n");
    for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
        snprintf(sql, sizeof(sql), "UPDATE c1 SET clock = %s", clocks[i]);
        damage(w, sql);
        answers(w, NULL, "UPDATE c SET b = 1",
                "! LIANA_ECORRUPT c: a stored document is damaged\n");
        answers(w, NULL, "DELETE FROM c",
                "! LIANA_ECORRUPT c: a stored document is damaged\n");
    }
}

/* ---- subscriptions ---- */

static void a_registration_evaluates_its_query(void **state)
{
    struct world *w = *state;
    struct lia_subscription sub = {
        .hash = lia_slice("h", 1),
        .collection = lia_str("c"),
        .query = lia_str_slice(lia_str("SELECT * FROM `c` AS `$` WHERE (`a` > 5)")),
    };
    struct lia_registration registration;
    struct lia_interest interest = {0};
    struct lia_feed_query query = {
        .interests = &interest, .interest_count = 1, .bytes_max = 100000};
    struct lia_feed_page page;
    struct liana_error err = LIANA_ERROR_INIT;

    assert_ok(lia_db_register(w->t.db, lia_slice("p", 1), &sub, &registration, &err));
    answers(w, NULL,
            "INSERT INTO c DOCUMENTS ({'_id': 1, 'a': 4}), ({'_id': 2, 'a': 6})",
            "= 2 [1, 2]\n");
    interest.registration = registration.id;
    interest.peer = lia_slice("p", 1);
    assert_ok(lia_db_feed(w->t.db, &w->t.arena, &query, &page, &err));
    assert_int_equal(page.item_count, 1);
    sub.query = lia_str_slice(lia_str("SELECT nonsense"));
    sub.hash = lia_slice("i", 1);
    assert_status(LIANA_ESYNTAX, lia_db_register(w->t.db, lia_slice("p", 1), &sub,
                                                 &registration, &err));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
    CASE(selecting),
    CASE(inserting),
    CASE(updating),
    CASE(declaring),
    CASE(statements_of_a_transaction_are_one_commit),
    CASE(a_failed_statement_leaves_the_transaction_as_it_was),
    CASE(a_read_only_transaction_refuses_to_write),
    CASE(rows_come_from_one_snapshot),
    CASE(an_ended_result_says_so),
    CASE(a_failing_row_ends_the_result),
    CASE(a_lenient_statement_takes_wrong_types_for_missing),
    CASE(parameters_are_checked),
    CASE(a_parameter_is_as_deep_as_a_document),
    CASE(a_value_that_is_set_is_as_deep_as_its_document_allows),
    CASE(functions_take_the_deepest_values),
    CASE(a_commit_has_a_seq),
    CASE(explain_shows_the_plan),
    CASE(damaged_documents_are_not_answered),
    CASE(damaged_clocks_are_not_written_over),
    CASE(a_registration_evaluates_its_query),
};

LIA_TEST_MAIN(tests)
