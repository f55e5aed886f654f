/* SPDX-License-Identifier: Apache-2.0 */
#include "lang/eval.h"

#include <stdio.h>

#include "base/testing/test.h"

#include "base/testing/alloc.h"
#include "lang/parse.h"
#include "lang/print.h"
#include "lang/regexp.h"
#include "lang/subscription.h"
#include "lang/testing/golden.h"

/* ---- golden cases ---- */

static void evaluate(void *ctx, const struct lia_golden_case *c)
{
    struct lia_arena arena;
    struct liana_error err = LIANA_ERROR_INIT;
    const struct lia_eval cx = {.arena = &arena, .err = &err};
    const struct lia_eval lenient = {.arena = &arena, .is_lenient = true};
    struct lia_value v = LIA_MISSING;
    liana_status status;

    (void)ctx;
    lia_arena_init(&arena, &lia_mem_libc);
    status = lia_eval(&cx, c->expr, c->doc, &v);
    lia_golden_check(c, "eval", status, v);
    assert_int_equal(err.status, status);
    assert_true(status == LIANA_OK || err.message[0]);
    assert_int_equal(lia_eval(&lenient, c->expr, c->doc, &v), LIANA_OK);
    lia_arena_deinit(&arena);
}

static void test_golden(void **state)
{
    (void)state;
    assert_true(lia_golden_walk(evaluate, NULL) > 150);
}

/* ---- canonical text ---- */

static void print(const struct lia_expr *e, struct lia_buf *out)
{
    lia_buf_init(out, &lia_mem_libc);
    lia_expr_print(out, e);
}

/* What is printed parses, prints the same again, and has the same value. */
static void reprint(void *ctx, const struct lia_golden_case *c)
{
    struct lia_arena arena;
    const struct lia_eval cx = {.arena = &arena};
    struct lia_value v = LIA_MISSING;
    struct lia_expr *again;
    struct lia_buf first;
    struct lia_buf second;
    liana_status status;

    (void)ctx;
    lia_arena_init(&arena, &lia_mem_libc);
    print(c->expr, &first);
    assert_int_equal(
        lia_lang_parse_expr(&arena, lia_slice_str(lia_buf_slice(&first)), &again, NULL),
        LIANA_OK);
    print(again, &second);
    assert_true(lia_slice_equal(lia_buf_slice(&first), lia_buf_slice(&second)));
    assert_true(lia_expr_equal(c->expr, again));
    status = lia_eval(&cx, again, c->doc, &v);
    lia_golden_check(c, "printed and evaluated", status, v);
    lia_buf_deinit(&first);
    lia_buf_deinit(&second);
    lia_arena_deinit(&arena);
}

static void test_print(void **state)
{
    (void)state;
    assert_true(lia_golden_walk(reprint, NULL) > 150);
}

/* ---- subscriptions ---- */

struct subscribed {
    struct lia_arena arena;
    struct lia_subscription_query query;
    struct liana_error err;
    liana_status status;
};

static void subscribe(struct subscribed *s, const char *text, struct liana_slice params)
{
    s->err = (struct liana_error)LIANA_ERROR_INIT;
    lia_arena_init(&s->arena, &lia_mem_libc);
    s->status = lia_lang_check_subscription(&s->arena, lia_str(text), params, &s->query,
                                            &s->err);
}

static bool matches(const struct subscribed *s, const char *doc_text)
{
    struct lia_arena arena;
    const struct lia_eval cx = {.arena = &arena};
    struct lia_expr *e;
    struct lia_value doc;
    bool out_of_memory;
    bool does;

    lia_arena_init(&arena, &lia_mem_libc);
    assert_int_equal(lia_lang_parse_expr(&arena, lia_str(doc_text), &e, NULL),
                     LIANA_OK);
    assert_int_equal(lia_eval(&cx, e, lia_bson_empty, &doc), LIANA_OK);
    does = lia_subscription_matches(&s->query, &lia_mem_libc, NULL, doc.data,
                                    &out_of_memory);
    assert_false(out_of_memory);
    lia_arena_deinit(&arena);
    return does;
}

static void test_subscription(void **state)
{
    struct lia_buf params;
    struct subscribed s;
    size_t mark;

    (void)state;
    lia_buf_init(&params, &lia_mem_libc);
    mark = lia_bson_begin(&params);
    lia_bson_add_str(&params, lia_str("country"), lia_str("Fra'nce"));
    lia_bson_end(&params, mark);

    subscribe(&s, "select * from sales where Country=:country and n+1>2 -- c",
              lia_buf_slice(&params));
    assert_int_equal(s.status, LIANA_OK);
    assert_true(lia_str_equal(s.query.collection, lia_str("sales")));
    assert_true(lia_str_equal(
        s.query.canonical,
        lia_str("SELECT * FROM `sales` AS `$` WHERE ((`Country` = 'Fra\\'nce') AND "
                "((`n` + 1) > 2))")));
    assert_true(matches(&s, "{'Country': 'Fra\\'nce', 'n': 2}"));
    assert_false(matches(&s, "{'Country': 'Fra\\'nce', 'n': 1}"));
    assert_false(matches(&s, "{'Country': 'Fra\\'nce', 'n': 'text'}")); /* no error */
    assert_false(matches(&s, "{}"));
    lia_arena_deinit(&s.arena);

    /* Spelled otherwise, without parameters: the same query. */
    subscribe(&s,
              "SELECT * FROM default:sales AS s WHERE (s.Country == \"Fra'nce\") AND "
              "s.n + 1 > 2;",
              LIANA_NONE);
    assert_int_equal(s.status, LIANA_OK);
    assert_true(lia_str_equal(
        s.query.canonical,
        lia_str("SELECT * FROM `sales` AS `$` WHERE ((`Country` = 'Fra\\'nce') AND "
                "((`n` + 1) > 2))")));
    lia_arena_deinit(&s.arena);

    /* The document itself, and a field that is named like the canonical alias. */
    subscribe(&s, "SELECT * FROM c AS d WHERE object_length(d) > 1 AND d.`$` = 1",
              LIANA_NONE);
    assert_int_equal(s.status, LIANA_OK);
    assert_true(matches(&s, "{'$': 1, 'b': 2}"));
    assert_false(matches(&s, "{'$': 1}"));
    lia_arena_deinit(&s.arena);
    lia_buf_deinit(&params);
}

static void test_subscription_refused(void **state)
{
    static const char *const bad[] = {
        "SELECT a FROM c",
        "SELECT COUNT(*) FROM c",
        "SELECT * FROM c ORDER BY a",
        "SELECT * FROM c LIMIT 1",
        "SELECT DISTINCT * FROM c",
        "SELECT * FROM system:collections",
        "DELETE FROM c",
        "EXPLAIN SELECT * FROM c",
    };
    struct subscribed s;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        subscribe(&s, bad[i], LIANA_NONE);
        assert_int_equal(s.status, LIANA_ESYNTAX);
        assert_true(s.err.message[0]);
        lia_arena_deinit(&s.arena);
    }
    subscribe(&s, "SELECT * FROM c WHERE a = :nothing", LIANA_NONE);
    assert_int_equal(s.status, LIANA_EPARAM);
    assert_string_equal(s.err.message, "parameter :nothing is not given");
    lia_arena_deinit(&s.arena);
}

/* ---- memory ---- */

static liana_status scenario(const struct liana_allocator *a, void *ctx)
{
    struct lia_arena arena;
    const struct lia_eval cx = {.arena = &arena};
    struct lia_expr *e;
    struct lia_value v;
    liana_status status;

    (void)ctx;
    lia_arena_init(&arena, a);
    status = lia_lang_parse_expr(
        &arena,
        lia_str("[upper('é') || repeat('x', 5000), split('a,b', ','), {'k': 1 + 2}]"),
        &e, NULL);
    status = status ? status : lia_eval(&cx, e, lia_bson_empty, &v);
    lia_arena_deinit(&arena);
    return status;
}

static void test_no_memory(void **state)
{
    (void)state;
    assert_true(lia_test_each_failure(scenario, NULL) > 3);
}

/* ---- the table of functions ---- */

static void test_functions(void **state)
{
    const struct lia_fn *fn;
    size_t n = 0;

    (void)state;
    for (; (fn = lia_fn_at(n)); n++) {
        assert_true(fn->min <= fn->max && fn->max <= LIA_ARGS_MAX);
        assert_true(strlen(fn->signature) >= 1 &&
                    strlen(fn->signature) <= fn->max + 1u);
        assert_true(strspn(fn->signature, "snibolxav") == strlen(fn->signature));
        assert_ptr_equal(fn->is_operator ? lia_fn_operator(fn->name)
                                         : lia_fn_find(lia_str(fn->name)),
                         fn);
    }
    assert_true(n > 80);
    assert_null(lia_fn_find(lia_str("=")));
    assert_non_null(lia_fn_find(lia_str("LOWER")));
}

/* One pattern, whatever the number of documents. */
static void test_patterns_are_compiled_once(void **state)
{
    struct lia_regexps *regexps = lia_regexps_new(&lia_mem_libc);
    struct lia_subscription_query query;
    struct lia_arena arena;
    size_t found = 0;

    (void)state;
    assert_non_null(regexps);
    lia_arena_init(&arena, &lia_mem_libc);
    assert_ok(lia_lang_check_subscription(
        &arena, lia_str("SELECT * FROM c WHERE regexp_like(w, '^a.c$')"),
        (struct liana_slice){NULL, 0}, &query, NULL));
    assert_true(lia_subscription_has_patterns(&query));
    for (int i = 0; i < 5; i++) {
        struct lia_buf doc;
        size_t mark;

        lia_buf_init(&doc, &lia_mem_libc);
        mark = lia_bson_begin(&doc);
        lia_bson_add_str(&doc, lia_str("w"), lia_str(i % 2 ? "abc" : "abd"));
        lia_bson_end(&doc, mark);
        found += lia_subscription_matches(&query, &lia_mem_libc, regexps,
                                          lia_buf_slice(&doc), NULL);
        lia_buf_deinit(&doc);
    }
    assert_int_equal(found, 2);
    assert_int_equal(lia_regexps_compiled(regexps), 1);
    assert_ok(lia_lang_check_subscription(&arena, lia_str("SELECT * FROM c"),
                                          (struct liana_slice){NULL, 0}, &query, NULL));
    assert_false(lia_subscription_has_patterns(&query));
    lia_arena_deinit(&arena);
    lia_regexps_free(regexps);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_golden),
    cmocka_unit_test(test_print),
    cmocka_unit_test(test_subscription),
    cmocka_unit_test(test_subscription_refused),
    cmocka_unit_test(test_no_memory),
    cmocka_unit_test(test_functions),
    cmocka_unit_test(test_patterns_are_compiled_once),
};

LIA_TEST_MAIN(tests)
