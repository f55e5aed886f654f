/* SPDX-License-Identifier: Apache-2.0 */
#include "lang/parse.h"

#include <stdio.h>

#include "base/testing/test.h"

#include "base/testing/alloc.h"
#include "base/testing/random.h"
#include "lang/lexer.h"
#include "lang/print.h"

/* ---- helpers ---- */

struct outcome {
    liana_status status;
    struct liana_error err;
};

static struct outcome parse(const char *text)
{
    struct lia_arena arena;
    struct outcome o = {LIANA_OK, LIANA_ERROR_INIT};
    struct lia_stmt *stmt;

    lia_arena_init(&arena, &lia_mem_libc);
    o.status = lia_lang_parse(&arena, lia_str(text), &stmt, &o.err);
    lia_arena_deinit(&arena);
    return o;
}

static void accepts(const char *text)
{
    struct outcome o = parse(text);

    if (o.status) {
        fail_msg("%s\n  %s", text, o.err.message);
    }
}

static void refuses(const char *text, liana_status status, const char *message)
{
    struct outcome o = parse(text);

    if (o.status != status || strcmp(o.err.message, message) != 0) {
        fail_msg("%s\n  wanted %s \"%s\"\n  got    %s \"%s\"", text,
                 liana_status_name(status), message, liana_status_name(o.status),
                 o.err.message);
    }
}

/* The canonical text of an expression. */
static void prints(const char *text, const char *wanted)
{
    struct lia_arena arena;
    struct lia_buf buf;
    struct lia_expr *e;
    struct liana_error err = LIANA_ERROR_INIT;

    lia_arena_init(&arena, &lia_mem_libc);
    lia_buf_init(&buf, &lia_mem_libc);
    if (lia_lang_parse_expr(&arena, lia_str(text), &e, &err)) {
        fail_msg("%s\n  %s", text, err.message);
    }
    lia_expr_print(&buf, e);
    lia_buf_u8(&buf, 0);
    assert_string_equal((const char *)buf.ptr, wanted);
    lia_buf_deinit(&buf);
    lia_arena_deinit(&arena);
}

/* ---- what parses ---- */

static void test_statements(void **state)
{
    static const char *const good[] = {
        "SELECT * FROM cars",
        "select * from cars;",
        "SELECT * FROM default:cars AS c WHERE c.color = 'blue'",
        "SELECT make, model AS m, year + 1 FROM cars c ORDER BY m ASC, c.year DESC "
        "LIMIT 10 "
        "OFFSET :skip",
        "SELECT COUNT(*), SUM(price), COUNT(color) AS colors FROM cars",
        "SELECT DISTINCT color FROM cars ORDER BY color",
        "SELECT color, count(*) AS n FROM cars GROUP BY color HAVING count(*) > 1 "
        "ORDER BY n",
        "EXPLAIN SELECT * FROM cars WHERE _id = 'x'",
        "INSERT INTO cars DOCUMENTS ({'_id': 1, 'a': [1, 2.5, true, null, {'b': "
        ":p}]}), (:d)",
        "INSERT INTO cars VALUES (deserialize)",
        "INSERT INTO cars DOCUMENTS (:d) ON ID CONFLICT FAIL",
        "INSERT INTO cars DOCUMENTS (:d) ON ID CONFLICT DO NOTHING",
        "INSERT INTO cars DOCUMENTS (:d) ON ID CONFLICT DO UPDATE",
        "INSERT INTO cars DOCUMENTS (:d) ON ID CONFLICT DO UPDATE_LOCAL_DIFF",
        "INSERT INTO cars DOCUMENTS (:d) ON ID CONFLICT DO REPLACE",
        "UPDATE cars SET color = 'red', a.b.c = a.b.c + 1 WHERE _id = :id",
        "UPDATE cars APPLY mileage INCREMENT BY -:n, trips INCREMENT BY 1 SET a = 1 "
        "UNSET b, c "
        "WHERE NOT sold",
        "UPDATE cars c SET c.color = 'red'",
        "UPDATE stock APPLY onHand INCREMENT BY -:n WHERE _id = :code",
        "DELETE FROM cars WHERE color IN ('red', 'blue') LIMIT 5",
        "DELETE FROM cars",
        "EVICT FROM cars",
        "EVICT FROM cars FORCE",
        "EVICT FROM cars AS c WHERE c.sold < :day LIMIT 100",
        "EVICT FROM cars WHERE force > 1 LIMIT 5 FORCE",
        "SELECT force AS f, a.force FROM force WHERE force = 1",
        "INSERT INTO cars INITIAL DOCUMENTS (:d), (:e)",
        "INSERT INTO COLLECTION cars (n COUNTER) DOCUMENTS (:d)",
        "SELECT * FROM COLLECTION cars (n COUNTER, m MAP) AS c WHERE c.n > 1",
        "UPDATE COLLECTION cars (n COUNTER) APPLY n INCREMENT BY 1",
        "UPDATE cars APPLY n PN_INCREMENT BY 1, m RESTART, o RESTART WITH a + 5",
        "UPDATE cars APPLY tags ADD TO SET 'a', old REMOVE FROM SET tag SET x = 1",
        "UPDATE cars APPLY seats TRANSFER 5 TO :actor WHERE _id = 1",
        "UPDATE cars APPLY seats RECLAIM FROM :actor",
        "UPDATE cars APPLY seats RECLAIM FROM :old TO :new FORCE WHERE _id = 1",
        "UPDATE cars APPLY seats RECLAIM FROM reclaim FORCE, doors RECLAIM FROM x",
        "SELECT * FROM _liana.collections WHERE _id = 'cars'",
        "SELECT * FROM default:a.b.`c d` AS x",
        "SELECT key, desc, values, `select`, a.from, a.`x.y`, a['b'][0] FROM cars",
        "SELECT * FROM cars -- a comment\n WHERE /* another * one */ a = 1 /*+ "
        "{\"x\":1} */",
        "SELECT * FROM system:collections",
        "SELECT {'k':v, 'l': :v, 'm':null} AS o FROM cars",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        if (strstr(good[i], "(deserialize)")) {
            refuses(good[i], LIANA_ESYNTAX,
                    "line 1, column 26: a document cannot depend on the fields of a "
                    "document");
        } else {
            accepts(good[i]);
        }
    }
}

static void test_precedence(void **state)
{
    (void)state;
    prints("a + b * c - d", "((`a` + (`b` * `c`)) - `d`)");
    prints("a || b + c", "((`a` || `b`) + `c`)");
    prints("a << 1 + b < c", "((`a` << (1 + `b`)) < `c`)");
    prints("a = 1 AND b = 2 OR c = 3 XOR d",
           "(((`a` = 1) AND (`b` = 2)) OR ((`c` = 3) XOR `d`))");
    prints("NOT a = b", "(NOT (`a` = `b`))");
    prints("NOT a AND b", "((NOT `a`) AND `b`)");
    prints("a AND b AND (c AND d)", "(`a` AND `b` AND `c` AND `d`)");
    prints("a LIKE b || '%' AND c", "((`a` LIKE (`b` || '%')) AND `c`)");
    prints("a NOT LIKE 'x!%' ESCAPE '!'", "(NOT (`a` LIKE 'x!%' ESCAPE '!'))");
    prints("a = b IS NULL", "((`a` = `b`) IS NULL)");
    prints("a IS NOT MISSING", "(`a` IS NOT MISSING)");
    prints("a BETWEEN 1 AND 2 AND b", "((`a` >= 1) AND (`a` <= 2) AND `b`)");
    prints("a NOT BETWEEN 1 + 1 AND 2 OR b",
           "((NOT ((`a` >= (1 + 1)) AND (`a` <= 2))) OR `b`)");
    prints("a IN (1, b) = c", "((`a` IN [1, `b`]) = `c`)");
    prints("a NOT IN :list", "(NOT (`a` IN :list))");
    prints(":v IN tags", "(:v IN `tags`)");
    prints("a IN ()", "(`a` IN [])");
    prints("-a * -2 - -3", "(((- `a`) * -2) - -3)");
    prints("a != 1 AND a <> 2 AND a == 3", "((`a` != 1) AND (`a` != 2) AND (`a` = 3))");
    prints("CASE a WHEN 1 THEN 'x' WHEN 2 THEN 'y' ELSE 'z' END",
           "CASE WHEN (`a` = 1) THEN 'x' WHEN (`a` = 2) THEN 'y' ELSE 'z' END");
    prints("cast(a AS integer)", "to_integer(`a`)");
}

static void test_literals(void **state)
{
    (void)state;
    prints("2147483647", "2147483647");
    prints("2147483648", "2147483648");
    prints("-9223372036854775808", "-9223372036854775808");
    prints("0xFF", "255");
    prints("1e3", "1000.0");
    prints(".5", "0.5");
    prints("-0.0", "-0.0");
    refuses("SELECT 1e400 FROM c", LIANA_ESYNTAX,
            "line 1, column 8: the number is beyond a double");
}

static void test_strings(void **state)
{
    (void)state;
    prints("'a''b'", "'a\\'b'");
    prints("\"a\"\"b'c\"", "'a\"b\\'c'");
    prints("'\\u00e9\\n\\/\\q\\\\'", "'\xc3\xa9\\u000a/q\\\\'");
    prints("'\\ud83d\\ude00'", "'\xf0\x9f\x98\x80'");
    prints("`a``b`", "`a``b`");
    prints("[null, TRUE, false, missing]", "[NULL, TRUE, FALSE, MISSING]");
}

/* ---- what does not ---- */

static void test_errors(void **state)
{
    (void)state;
    refuses("", LIANA_ESYNTAX,
            "line 1, column 1: the statement ends where EXPLAIN, SELECT, INSERT, "
            "UPDATE, DELETE, EVICT, CREATE, ALTER or DROP is expected");
    refuses("SELECT * FORM c", LIANA_ESYNTAX,
            "line 1, column 10: expected FROM or ',', not FORM");
    refuses("SELECT *\n  FROM c WHERE 'é' = \"open", LIANA_ESYNTAX,
            "line 2, column 22: the string is not closed");
    refuses("SELECT * FROM c WHERE a = $", LIANA_ESYNTAX,
            "line 1, column 27: '$' has no meaning here");
    refuses("SELECT * FROM c JOIN d ON a = b", LIANA_ESYNTAX,
            "line 1, column 17: JOIN is not supported");
    refuses("EVICT FROM c x", LIANA_ESYNTAX,
            "line 1, column 14: expected the end of the statement, not x");
    refuses("SELECT a FROM c WHERE lowr(a)", LIANA_ESYNTAX,
            "line 1, column 23: there is no function lowr");
    refuses("SELECT lower(a, b) FROM c", LIANA_ESYNTAX,
            "line 1, column 8: lower takes 1 argument, not 2");
    refuses("SELECT *, a FROM c", LIANA_ESYNTAX,
            "line 1, column 8: '*' cannot stand beside other columns");
    refuses("SELECT a.x, b.x FROM c", LIANA_EDUPFIELD,
            "line 1, column 13: two columns are named x: rename one with AS");
    refuses("SELECT a, COUNT(*) FROM c", LIANA_ESYNTAX,
            "line 1, column 8: beside an aggregate only what GROUP BY names can stand");
    refuses("SELECT * FROM c WHERE COUNT(*) > 1", LIANA_ESYNTAX,
            "line 1, column 23: an aggregate cannot stand in WHERE");
    refuses("SELECT * FROM c LIMIT a", LIANA_ESYNTAX,
            "line 1, column 23: LIMIT cannot depend on the fields of a document");
    refuses("UPDATE c SET a = 1, a = 2", LIANA_ESYNTAX,
            "line 1, column 21: one statement changes a path once");
    refuses("UPDATE c SET a[0] = 1", LIANA_ESYNTAX,
            "line 1, column 14: an element of an array cannot be assigned");
    refuses("INSERT INTO c DOCUMENTS ({'a': 1, 'b': 2, 'a': 3})", LIANA_EDUPFIELD,
            "line 1, column 43: field 'a' stands twice in one object");
    refuses(
        "SELECT 9223372036854775808 FROM c", LIANA_ESYNTAX,
        "line 1, column 8: 9223372036854775808 is beyond 64 bits; write decimal('...') "
        "or a float");
    refuses("SELECT 12abc FROM c", LIANA_ESYNTAX,
            "line 1, column 8: a number runs into a name");
    refuses("SELECT '\\ud800' FROM c", LIANA_ESYNTAX,
            "line 1, column 9: \\u needs four hexadecimal digits of a character");
    refuses("SELECT * FROM other:c", LIANA_ESYNTAX,
            "line 1, column 15: expected default: or system: before the collection");
    refuses("SELECT '\xff' FROM c", LIANA_ESYNTAX,
            "line 1, column 9: the text is not UTF-8");
    refuses("SELECT * FROM c; SELECT", LIANA_ESYNTAX,
            "line 1, column 18: expected the end of the statement, not SELECT");
}

/* What DQL has and this language does not have yet: by its name and its place. */
static void test_later(void **state)
{
    static const struct {
        const char *text;
        unsigned column;
        const char *name;
    } cases[] = {
        {"INSERT INTO c SELECT * FROM d", 15, "a SELECT within a statement"},
        {"RESET p", 1, "RESET"},
        {"SHOW ALL", 1, "SHOW"},
        {"PROFILE SELECT * FROM c", 1, "PROFILE"},
        {"ADVISE SELECT * FROM c", 1, "ADVISE"},
        {"WITH x AS (SELECT * FROM c) SELECT * FROM x", 1, "WITH"},
        {"SELECT * FROM c USE IDS 'a'", 17, "USE"},
        {"SELECT * FROM c a USE INDEX 'i'", 19, "USE"},
        {"SELECT * FROM c JOIN d ON c.a = d.a", 17, "JOIN"},
        {"SELECT * FROM c INNER JOIN d ON c.a = d.a", 17, "INNER"},
        {"SELECT * FROM c LEFT JOIN d ON c.a = d.a", 17, "LEFT"},
        {"SELECT * FROM c RIGHT OUTER JOIN d ON c.a = d.a", 17, "RIGHT"},
        {"SELECT a FROM c UNION SELECT a FROM d", 17, "UNION"},
        {"SELECT a FROM c INTERSECT SELECT a FROM d", 17, "INTERSECT"},
        {"SELECT a FROM c EXCEPT SELECT a FROM d", 17, "EXCEPT"},
        {"SELECT c.* FROM c", 10, "name.*"},
        {"SELECT COUNT(DISTINCT a) FROM c", 14, "DISTINCT within an aggregate"},
        {"SELECT SUM(a) OVER (ORDER BY b) FROM c", 15, "OVER"},
        {"SELECT (SELECT 1 FROM c) FROM c", 9, "a SELECT within a statement"},
        {"SELECT * FROM c WHERE a IN (SELECT b FROM d)", 29,
         "a SELECT within a statement"},
        {"SELECT * FROM c WHERE a SIMILAR TO 'x'", 25, "SIMILAR"},
        {"SELECT * FROM c WHERE a MATCH 'x'", 25, "MATCH"},
        {"SELECT * FROM c WHERE a NEAR :p", 25, "NEAR"},
        {"SELECT * FROM c WHERE ANY v IN l SATISFIES v END", 23, "ANY"},
        {"SELECT * FROM c WHERE EVERY v IN l SATISFIES v END", 23, "EVERY"},
        {"SELECT ARRAY v FOR v IN l END FROM c", 8, "ARRAY"},
        {"SELECT OBJECT k:v FOR k:v IN o END FROM c", 8, "OBJECT"},
        {"SELECT trim(BOTH 'x' FROM a) FROM c", 13, "BOTH"},
        {"SELECT * FROM c PRIORITY 3", 17, "PRIORITY"},
        {"UPDATE c APPLY s MOVE 1 TO 2", 18, "MOVE"},
        {"UPDATE c APPLY s SPLICE 1", 18, "SPLICE"},
        {"UPDATE c SET a = 1 RETURNING *", 20, "RETURNING"},
        {"DELETE FROM c RETURNING *", 15, "RETURNING"},
    };
    char message[128];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        snprintf(message, sizeof(message), "line 1, column %u: %s is not supported",
                 cases[i].column, cases[i].name);
        refuses(cases[i].text, LIANA_ESYNTAX, message);
    }
    accepts("SELECT add, if, exists, immutable, initial, restart, remove, to, "
            "transfer, reclaim, array, both, match, move, near, object, over, "
            "priority, `any`, "
            "collection FROM c WHERE every = reset AND c.collection = `collection`");
}

/* ---- limits ---- */

/* `before` n times, `middle`, `after` n times. */
static liana_status nested(const char *before,
                           const char *middle,
                           const char *after,
                           size_t n)
{
    struct lia_arena arena;
    struct lia_buf text;
    struct lia_expr *e;
    liana_status status;

    lia_arena_init(&arena, &lia_mem_libc);
    lia_buf_init(&text, &lia_mem_libc);
    for (size_t i = 0; i < n; i++) {
        lia_buf_str(&text, before);
    }
    lia_buf_str(&text, middle);
    for (size_t i = 0; i < n; i++) {
        lia_buf_str(&text, after);
    }
    status = lia_lang_parse_expr(&arena, lia_slice_str(lia_buf_slice(&text)), &e, NULL);
    lia_buf_deinit(&text);
    lia_arena_deinit(&arena);
    return status;
}

static void test_limits(void **state)
{
    (void)state;
    assert_int_equal(nested("(", "a", ")", 90), LIANA_OK);
    assert_int_equal(nested("(", "a", ")", 100000), LIANA_EDEPTH);
    assert_int_equal(nested("[", "a", "]", LIA_DEPTH_MAX - 1), LIANA_OK);
    assert_int_equal(nested("[", "a", "]", LIA_DEPTH_MAX), LIANA_EDEPTH);
    assert_int_equal(nested("{'a':", "1", "}", 100000), LIANA_EDEPTH);
    assert_int_equal(nested("NOT ", "a", "", 100000), LIANA_EDEPTH);
    assert_int_equal(nested("- ", "a", "", 300), LIANA_EDEPTH);
    assert_int_equal(nested("CASE a WHEN 1 THEN ", "a", " END", 90), LIANA_OK);
    assert_int_equal(nested("CASE a WHEN 1 THEN ", "a", " END", 10000), LIANA_EDEPTH);
    assert_int_equal(nested("a.", "a", "", 10000), LIANA_EDEPTH);
    assert_int_equal(nested("a AND ", "a", "", 5000), LIANA_OK);
    assert_int_equal(nested("a OR ", "a", "", 60000), LIANA_OK);
    assert_int_equal(nested("a+", "a", "", 150), LIANA_EDEPTH);
    assert_int_equal(nested("a OR ", "a", "", 150000), LIANA_ELIMIT);
    assert_int_equal(nested("aaaaaaaaaa OR ", "a", "", 100000), LIANA_ETOOLARGE);
}

/* Tokens in any order neither crash nor pass for a statement without a source. */
static void test_token_soup(void **state)
{
    static const char *const words[] = {
        "SELECT",    "*",       "FROM",   "c",         "WHERE",  "a",       "=",
        "1",         "'x'",     ":p",     "(",         ")",      "[",       "]",
        "{",         "}",       ",",      ".",         ":",      ";",       "NOT",
        "IN",        "LIKE",    "ESCAPE", "IS",        "NULL",   "CASE",    "WHEN",
        "THEN",      "END",     "ORDER",  "BY",        "DESC",   "LIMIT",   "UPDATE",
        "SET",       "UNSET",   "APPLY",  "INCREMENT", "DELETE", "INSERT",  "INTO",
        "DOCUMENTS", "ON",      "ID",     "CONFLICT",  "DO",     "NOTHING", "AND",
        "OR",        "BETWEEN", "-",      "+",         "||",     "COUNT",   "GROUP",
        "HAVING",    "AS",      "1.5",    "lower",     "JOIN",
    };
    struct lia_rng rng = lia_rng(lia_test_seed("token soup"));
    size_t accepted = 0;

    (void)state;
    for (size_t i = 0; i < lia_test_cases(20000); i++) {
        struct lia_buf text;
        struct outcome o;

        lia_buf_init(&text, &lia_mem_libc);
        lia_buf_str(&text, lia_rng_chance(&rng, 50) ? "SELECT * FROM c WHERE " : "");
        for (size_t k = lia_rng_below(&rng, 12); k > 0; k--) {
            lia_buf_printf(
                &text, "%s ",
                words[lia_rng_below(&rng, sizeof(words) / sizeof(words[0]))]);
        }
        lia_buf_u8(&text, 0);
        o = parse((const char *)text.ptr);
        accepted += o.status == LIANA_OK;
        if (o.status && (o.err.status != o.status || o.err.message[0] == '\0')) {
            fail_msg("%s: status without a message", (const char *)text.ptr);
        }
        lia_buf_deinit(&text);
    }
    assert_true(accepted > 10);
}

static void test_byte_soup(void **state)
{
    struct lia_rng rng = lia_rng(lia_test_seed("byte soup"));

    (void)state;
    for (size_t i = 0; i < lia_test_cases(20000); i++) {
        char text[40];
        struct lia_arena arena;
        struct lia_stmt *stmt;
        size_t n = lia_rng_below(&rng, sizeof(text));

        lia_rng_bytes(&rng, text, n);
        lia_arena_init(&arena, &lia_mem_libc);
        assert_int_not_equal(
            lia_lang_parse(&arena, (struct liana_str){text, n}, &stmt, NULL), LIANA_OK);
        lia_arena_deinit(&arena);
    }
}

/* ---- memory ---- */

static liana_status scenario(const struct liana_allocator *a, void *ctx)
{
    struct lia_arena arena;
    struct lia_stmt *stmt;
    liana_status status;

    (void)ctx;
    lia_arena_init(&arena, a);
    status =
        lia_lang_parse(&arena,
                       lia_str("SELECT a, b AS `c``d`, count(*) FROM s WHERE x IN (1, "
                               "'two', {'k': [:p]}) GROUP BY a, b ORDER BY a LIMIT 1"),
                       &stmt, NULL);
    lia_arena_deinit(&arena);
    return status;
}

static void test_no_memory(void **state)
{
    (void)state;
    assert_true(lia_test_each_failure(scenario, NULL) > 1);
}

/* ---- the table of keywords ---- */

static void test_keywords(void **state)
{
    static const char *const words[] = {
#define LIA_KEYWORD(word) #word,
#define LIA_LATER(word)   #word,
#include "lang/keywords.def"
#undef LIA_KEYWORD
#undef LIA_LATER
    };
    bool later;

    (void)state;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        int kind = lia_keyword(lia_str(words[i]));

        assert_int_not_equal(kind, 0); /* also: the table is sorted */
        assert_string_equal(lia_token_name(kind, &later), words[i]);
    }
    assert_int_equal(lia_keyword(lia_str("selec")), 0);
    assert_int_equal(lia_keyword(lia_str("selects")), 0);
    assert_int_equal(lia_keyword(lia_str("sElEcT")), lia_keyword(lia_str("SELECT")));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_statements), cmocka_unit_test(test_precedence),
    cmocka_unit_test(test_literals),   cmocka_unit_test(test_strings),
    cmocka_unit_test(test_errors),     cmocka_unit_test(test_later),
    cmocka_unit_test(test_limits),     cmocka_unit_test(test_token_soup),
    cmocka_unit_test(test_byte_soup),  cmocka_unit_test(test_no_memory),
    cmocka_unit_test(test_keywords),
};

LIA_TEST_MAIN(tests)
