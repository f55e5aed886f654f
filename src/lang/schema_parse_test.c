/* SPDX-License-Identifier: Apache-2.0 */
#include "lang/parse.h"

#include <stdio.h>

#include "base/testing/test.h"

#include "base/testing/alloc.h"

/* CREATE, ALTER and DROP COLLECTION: what they are parsed to, what is refused and where. */

static struct lia_arena arena;

static int setup(void **state)
{
    (void)state;
    lia_arena_init(&arena, &lia_mem_libc);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    lia_arena_deinit(&arena);
    return 0;
}

static const struct lia_stmt *parse(const char *text)
{
    struct liana_error err = LIANA_ERROR_INIT;
    struct lia_stmt *stmt = NULL;

    if (lia_lang_parse(&arena, lia_str(text), &stmt, &err)) {
        fail_msg("%s\n  %s", text, err.message);
    }
    return stmt;
}

static void refuses(const char *text, liana_status status, const char *message)
{
    struct liana_error err = LIANA_ERROR_INIT;
    struct lia_stmt *stmt;
    liana_status got = lia_lang_parse(&arena, lia_str(text), &stmt, &err);

    if (got != status || strcmp(err.message, message) != 0) {
        fail_msg("%s\n  wanted %s \"%s\"\n  got    %s \"%s\"", text,
                 liana_status_name(status), message, liana_status_name(got),
                 err.message);
    }
}

static void is_text(struct liana_str got, const char *wanted)
{
    assert_int_equal(got.len, strlen(wanted));
    assert_memory_equal(got.ptr, wanted, got.len);
}

static void test_create(void **state)
{
    const struct lia_stmt *s = parse(
        "CREATE COLLECTION IF NOT EXISTS stock (onHand counter MIN -5, tags SET, "
        "a.`x.y` Bool NOT NULL IMMUTABLE, z any,\n address REGISTER) WITH (deletes "
        "= 'delete wins', ttl = '90 days', keep = 10000, unkept = TRUE);");
    const struct lia_alter *a = s->alters.items;

    (void)state;
    assert_int_equal(s->kind, LIA_STMT_CREATE);
    assert_true(s->is_conditional);
    is_text(s->source.collection, "stock");
    assert_int_equal(s->alters.count, 9);
    is_text(a[0].path.text, "onHand");
    assert_int_equal(a[0].path.type->kind, LIA_KIND_COUNTER);
    assert_true(a[0].path.has_min && a[0].path.min == -5);
    assert_int_equal(a[1].path.type->kind, LIA_KIND_SET);
    is_text(a[2].path.text, "a.x\\.y");
    is_text(a[2].path.names[1], "x.y");
    is_text(a[2].path.type_name, "BOOLEAN");
    assert_true(a[2].path.is_not_null && a[2].path.is_immutable && !a[2].path.has_min);
    is_text(a[3].path.type_name, "ANY");
    assert_int_equal(a[5].kind, LIA_ALTER_SET);
    is_text(a[6].option, "ttl");
    assert_int_equal(a[7].value->value.type, LIA_BSON_INT32);
    s = parse("create collection c");
    assert_true(!s->is_conditional && s->alters.count == 0);
    parse("CREATE COLLECTION `if` WITH (quota = '1 MB')");
    parse("CREATE COLLECTION shop.stock (o OBJECT, o.p.q INT, o.r STRING)");
    parse("CREATE COLLECTION c (_id STRING, type STRING, min INT, ttl DATE)");
}

static void test_alter_and_drop(void **state)
{
    const struct lia_stmt *s =
        parse("ALTER COLLECTION stock ADD a.b STRING NOT NULL, DROP c, ALTER d SET, "
              "SET (ttl = '1 day', keep = 5), RESET (quota, on_unmatch), ADD e LONG");
    static const enum lia_alter_kind kinds[] = {
        LIA_ALTER_ADD, LIA_ALTER_DROP,  LIA_ALTER_CHANGE, LIA_ALTER_SET,
        LIA_ALTER_SET, LIA_ALTER_RESET, LIA_ALTER_RESET,  LIA_ALTER_ADD};

    (void)state;
    assert_int_equal(s->kind, LIA_STMT_ALTER);
    assert_int_equal(s->alters.count, 8);
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(s->alters.items[i].kind, kinds[i]);
    }
    is_text(s->alters.items[1].path.text, "c");
    is_text(s->alters.items[6].option, "on_unmatch");
    is_text(s->alters.items[7].path.type_name, "INT64");
    s = parse("DROP COLLECTION stock");
    assert_true(s->kind == LIA_STMT_DROP && !s->is_conditional);
    assert_true(parse("DROP COLLECTION IF EXISTS stock")->is_conditional);
}

static void test_declared_beside_the_collection(void **state)
{
    const struct lia_stmt *s =
        parse("UPDATE COLLECTION c (n COUNTER, o MAP) AS x APPLY x.n INCREMENT BY 1");

    (void)state;
    assert_int_equal(s->source.declared.count, 2);
    is_text(s->source.alias, "x");
    is_text(s->source.declared.items[1].type_name, "OBJECT");
}

static void test_refusals(void **state)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"CREATE COLLECTION c (notes TEXT)", "1, column 28: TEXT is not supported"},
        {"CREATE COLLECTION c (a INT,\n  steps List)",
         "2, column 9: List is not supported"},
        {"CREATE COLLECTION c (a VARCHAR)",
         "1, column 24: VARCHAR is no type; there are ANY, ARRAY, ATTACHMENT, BINARY, "
         "BOOLEAN, COUNTER, DATE, DECIMAL, DOUBLE, INT32, INT64, INTEGER, NUMBER, "
         "OBJECT, "
         "OBJECTID, REGEX, REGISTER, SET, STRING, TIMESTAMP"},
        {"CREATE COLLECTION c (a)",
         "1, column 23: expected a name, '.', SET or '[', not )"},
        {"CREATE COLLECTION c ()", "1, column 22: expected a name, not )"},
        {"CREATE COLLECTION c (a[0] INT)",
         "1, column 22: an element of an array cannot be declared"},
        {"CREATE COLLECTION c (a INT, b SET, a STRING)",
         "1, column 36: a stands here twice"},
        {"CREATE COLLECTION c (a SET, a.b STRING)",
         "1, column 29: a is declared SET and has no fields of its own"},
        {"CREATE COLLECTION c (a.b STRING, a REGISTER)",
         "1, column 34: a is declared REGISTER and has no fields of its own"},
        {"CREATE COLLECTION c (a INT MIN 5)",
         "1, column 22: only a COUNTER can have a MIN"},
        {"CREATE COLLECTION c (a COUNTER MAX 5)",
         "1, column 32: expected NOT NULL, IMMUTABLE or MIN, not MAX"},
        {"CREATE COLLECTION c (a COUNTER MIN 5 MIN 6)",
         "1, column 38: MIN stands here twice"},
        {"CREATE COLLECTION c (a COUNTER IMMUTABLE)",
         "1, column 22: a COUNTER that is IMMUTABLE counts nothing"},
        {"CREATE COLLECTION c (a.b STRING, a ATTACHMENT)",
         "1, column 34: a is declared ATTACHMENT and has no fields of its own"},
        {"CREATE COLLECTION c (_id COUNTER)",
         "1, column 22: _id cannot be declared COUNTER"},
        {"CREATE COLLECTION c WITH (size = 5)",
         "1, column 27: a collection has no option size; it has deletes, keep, "
         "on_unmatch, quota, ttl, unkept"},
        {"CREATE COLLECTION c WITH (ttl = 90)",
         "1, column 33: ttl needs a time such as '90 days', at least 1 ms"},
        {"CREATE COLLECTION c WITH (ttl = :ttl)",
         "1, column 33: the value of an option is a literal"},
        {"CREATE COLLECTION c WITH (keep = 1, ttl = '1 s', keep = 2)",
         "1, column 50: keep stands here twice"},
        {"CREATE COLLECTION c WITH (deletes = 'win')",
         "1, column 37: deletes needs 'delete wins' or 'update wins'"},
        {"ALTER COLLECTION c", "1, column 19: the statement ends where ADD, RESET, "
                               "SET, ALTER or DROP is expected"},
        {"ALTER COLLECTION c RESET (colour)",
         "1, column 27: a collection has no option colour; it has deletes, keep, "
         "on_unmatch, quota, ttl, unkept"},
        {"ALTER COLLECTION c DROP a, ADD a STRING",
         "1, column 32: a stands here twice"},
        {"CREATE INDEX i ON c (a)", "1, column 8: expected COLLECTION, not INDEX"},
        {"DROP INDEX i ON c", "1, column 6: expected COLLECTION, not INDEX"},
        {"ALTER SYSTEM SET p = 1", "1, column 7: expected COLLECTION, not SYSTEM"},
        {"DROP COLLECTION c (a INT)",
         "1, column 19: expected the end of the statement, not ("},
        {"INSERT INTO c INITIAL DOCUMENTS (:d) ON ID CONFLICT DO NOTHING",
         "1, column 38: expected the end of the statement, not ON"},
        {"SELECT * FROM COLLECTION c (n COUNTER MIN 'x')",
         "1, column 43: expected '-' or a whole number, not 'x'"},
        {"UPDATE c APPLY s ADD 'x'", "1, column 22: expected TO, not 'x'"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char message[LIANA_ERROR_TEXT];

        snprintf(message, sizeof(message), "line %s", cases[i].message);
        refuses(cases[i].text, LIANA_ESYNTAX, message);
    }
}

static void test_too_many_paths(void **state)
{
    struct lia_buf text;

    (void)state;
    lia_buf_init(&text, &lia_mem_libc);
    lia_buf_str(&text, "CREATE COLLECTION c (p INT");
    for (int i = 0; i < LIA_DECLARED_MAX; i++) {
        lia_buf_printf(&text, ", p%d INT", i);
    }
    lia_buf_str(&text, ")");
    lia_buf_u8(&text, 0);
    refuses((const char *)text.ptr, LIANA_ELIMIT,
            "line 1, column 22: more than 1000 paths and options");
    lia_buf_deinit(&text);
}

static liana_status parse_it(const struct liana_allocator *a, void *ctx)
{
    struct lia_arena mine;
    struct lia_stmt *stmt;
    liana_status status;

    lia_arena_init(&mine, a);
    status = lia_lang_parse(&mine, lia_str(ctx), &stmt, NULL);
    lia_arena_deinit(&mine);
    return status;
}

static void test_memory_that_runs_out_is_told(void **state)
{
    char text[] =
        "CREATE COLLECTION a.b (`c` COUNTER MIN 5, d.e SET, f INT, g INT, h INT)"
        " WITH (ttl = '1 day')";

    (void)state;
    assert_true(lia_test_each_failure(parse_it, text) > 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest cases[] = {
    CASE(test_create),
    CASE(test_alter_and_drop),
    CASE(test_declared_beside_the_collection),
    CASE(test_refusals),
    CASE(test_too_many_paths),
    CASE(test_memory_that_runs_out_is_told),
};

LIA_TEST_MAIN(cases)
