/* SPDX-License-Identifier: Apache-2.0 */
#include "db/statements.h"

#include <stdio.h>

#include "base/testing/test.h"

#include "base/testing/alloc.h"
#include "db/exec.h"
#include "db/internal.h"
#include "db/testing/fixture.h"

static void get(struct lia_statements *cache, const char *text)
{
    struct lia_statement *s;

    assert_ok(lia_statements_get(cache, lia_str(text), &s, NULL));
    assert_true(lia_statement_tree(s)->kind == LIA_STMT_SELECT);
    lia_statement_put(s);
}

static void get_limit(struct lia_statements *cache, int limit)
{
    char text[64];

    snprintf(text, sizeof(text), "SELECT * FROM c LIMIT %d", limit);
    get(cache, text);
}

static void test_parsed_once(void **state)
{
    struct lia_statements cache;

    (void)state;
    assert_ok(lia_statements_init(&cache, &lia_mem_libc));
    for (int i = 0; i < 100; i++) {
        get(&cache, "SELECT * FROM c WHERE a = :a");
        get(&cache, "SELECT * FROM d WHERE a = :a");
    }
    assert_int_equal(lia_statements_parsed(&cache), 2);
    lia_statements_deinit(&cache);
}

static void test_bounded(void **state)
{
    struct lia_statements cache;
    struct lia_statement *held;
    uint64_t parsed;

    (void)state;
    assert_ok(lia_statements_init(&cache, &lia_mem_libc));
    assert_ok(lia_statements_get(&cache, lia_str("SELECT a FROM c"), &held, NULL));
    for (int i = 0; i < 2 * LIA_STATEMENTS_MAX; i++) {
        get_limit(&cache, 0);
        get_limit(&cache, i + 1);
    }
    parsed = lia_statements_parsed(&cache);
    assert_int_equal(parsed, 2 + 2 * LIA_STATEMENTS_MAX);
    get_limit(&cache, 0);
    get_limit(&cache, 2 * LIA_STATEMENTS_MAX);
    assert_int_equal(lia_statements_parsed(&cache), parsed);
    get_limit(&cache, 1);
    assert_int_equal(lia_statements_parsed(&cache), parsed + 1);
    lia_statements_deinit(&cache);
    assert_string_equal(lia_statement_tree(held)->source.collection.ptr, "c");
    lia_statement_put(held);
}

/* Long texts and wrong ones are not kept. */
static void test_not_kept(void **state)
{
    struct lia_statements cache;
    struct lia_statement *s;
    struct liana_error err = LIANA_ERROR_INIT;
    char text[LIA_STATEMENT_KEPT_MAX + 32];

    (void)state;
    assert_ok(lia_statements_init(&cache, &lia_mem_libc));
    memset(text, ' ', sizeof(text));
    memcpy(text, "SELECT * FROM c", 15);
    text[sizeof(text) - 1] = '\0';
    get(&cache, text);
    get(&cache, text);
    assert_int_equal(lia_statements_parsed(&cache), 2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(lia_statements_get(&cache, lia_str("SELECT"), &s, &err),
                         LIANA_ESYNTAX);
        assert_true(strncmp(err.message, "line 1, column ", 15) == 0);
        err = (struct liana_error)LIANA_ERROR_INIT;
    }
    assert_int_equal(lia_statements_parsed(&cache), 2);
    lia_statements_deinit(&cache);
}

/* ---- through a db ---- */

static void test_execute(void **state)
{
    struct lia_test_db t;
    struct lia_result *r;
    uint64_t before;

    (void)state;
    lia_test_db_init(&t, 1);
    lia_test_db_open(&t);
    before = lia_statements_parsed(&t.db->statements);
    for (int i = 0; i < 20; i++) {
        assert_ok(lia_db_execute(t.db, lia_str("INSERT INTO c DOCUMENTS ({'a': 1})"),
                                 lia_bson_empty, NULL, &r, NULL));
        assert_int_equal(lia_result_mutations(r), 1);
        lia_result_free(r);
    }
    assert_int_equal(lia_statements_parsed(&t.db->statements), before + 1);
    lia_test_db_finish(&t);
}

/* ---- threads ---- */

#define THREADS 4

struct worker {
    struct lia_thread thread;
    struct lia_statements *cache;
    int wrong;
};

/* More texts than are kept, so that they are found, parsed and thrown out all the time. */
static void work(void *ctx)
{
    struct worker *w = ctx;

    for (int i = 0; i < 600; i++) {
        struct lia_statement *s;
        char text[64];
        int n = i * 5 % (LIA_STATEMENTS_MAX + 20);

        snprintf(text, sizeof(text), "SELECT f%d FROM c", n);
        if (lia_statements_get(w->cache, lia_str(text), &s, NULL)) {
            w->wrong++;
            continue;
        }
        snprintf(text, sizeof(text), "f%d", n);
        w->wrong +=
            !lia_str_equal(lia_statement_tree(s)->columns.items[0].name, lia_str(text));
        lia_statement_put(s);
    }
}

static void test_threads(void **state)
{
    struct worker workers[THREADS] = {0};
    struct lia_statements cache;

    (void)state;
    assert_ok(lia_statements_init(&cache, &lia_mem_libc));
    for (int i = 0; i < THREADS; i++) {
        workers[i].cache = &cache;
        assert_ok(
            lia_thread_start(&workers[i].thread, "statements", work, &workers[i]));
    }
    for (int i = 0; i < THREADS; i++) {
        lia_thread_join(&workers[i].thread);
        assert_int_equal(workers[i].wrong, 0);
    }
    lia_statements_deinit(&cache);
}

static liana_status scenario(const struct liana_allocator *a, void *ctx)
{
    struct lia_statements cache;
    struct lia_statement *s;
    liana_status status = lia_statements_init(&cache, a);

    (void)ctx;
    if (status) {
        return status;
    }
    status = lia_statements_get(&cache, lia_str("SELECT * FROM c"), &s, NULL);
    if (!status) {
        lia_statement_put(s);
    }
    lia_statements_deinit(&cache);
    return status;
}

static void test_no_memory(void **state)
{
    (void)state;
    assert_true(lia_test_each_failure(scenario, NULL) >= 2);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_parsed_once), cmocka_unit_test(test_bounded),
    cmocka_unit_test(test_not_kept),    cmocka_unit_test(test_execute),
    cmocka_unit_test(test_threads),     cmocka_unit_test(test_no_memory),
};

LIA_TEST_MAIN(tests)
