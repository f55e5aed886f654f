/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What two stores are told when each has written what the other had not seen: statements in,
 * merges both ways, rows of system:conflicts out. docs/merging.md has the outcomes.
 */
#include "base/testing/test.h"

#include <stdio.h>

#include "db/testing/statements.h"

#define ROWS                                                                           \
    "SELECT path, value, removed FROM system:conflicts WHERE kind = 'lost' ORDER BY "  \
    "_id"

enum whose { BOTH, ONE, TWO };

/* `one` does x a second before `two` does y. */
struct pair {
    const char *name;
    const char *declare; /* NULL: nothing is declared */
    const char *base;
    enum whose base_is_of; /* who has it before; the other does not know of it */
    const char *x;
    const char *y;
    const char *shown; /* by both afterwards */
    const char *lost;  /* the rows of the one who joins them, whichever it is */
};

static const struct pair pairs[] = {
    {.name = "REPLACE, REPLACE",
     .base = "{'_id': 1, 'a': 1, 'b': 1}",
     .x = "INSERT INTO c DOCUMENTS ({'_id': 1, 'a': 2, 'c': 2}) ON ID CONFLICT DO "
          "REPLACE",
     .y = "INSERT INTO c DOCUMENTS ({'_id': 1, 'a': 3}) ON ID CONFLICT DO REPLACE",
     .shown = "{'_id': 1, 'a': 3}",
     .lost = "{'path': ['a'], 'value': 2}{'path': ['c'], 'value': 2}"},
    {.name = "update, DELETE",
     .base = "{'_id': 1, 'a': 1}",
     .x = "UPDATE c SET a = 2",
     .y = "DELETE FROM c",
     .shown = "",
     .lost = "{'path': ['a'], 'value': 2}"},
    {.name = "DELETE, later update",
     .base = "{'_id': 1, 'a': 1}",
     .x = "DELETE FROM c",
     .y = "UPDATE c SET a = 2",
     .shown = "",
     .lost = "{'path': ['a'], 'value': 2}"},
    {.name = "DELETE, later update that wins",
     .declare = "CREATE COLLECTION c WITH (deletes = 'update wins')",
     .base = "{'_id': 1, 'a': 1, 'b': 1}",
     .x = "DELETE FROM c",
     .y = "UPDATE c SET a = 2",
     .shown = "{'_id': 1, 'a': 2, 'b': 1}",
     .lost = ""},
    {.name = "update, later DELETE where updates win",
     .declare = "CREATE COLLECTION c WITH (deletes = 'update wins')",
     .base = "{'_id': 1, 'a': 1, 'b': 1}",
     .x = "UPDATE c SET a = 2",
     .y = "DELETE FROM c",
     .shown = "",
     .lost = "{'path': ['a'], 'value': 2}"},
    {.name = "SET parent, SET child",
     .base = "{'_id': 1, 'm': {'p': 1}}",
     .x = "UPDATE c SET m = 'x'",
     .y = "UPDATE c SET m.p = 2",
     .shown = "{'_id': 1, 'm': {'p': 2}}",
     .lost = "{'path': ['m'], 'value': 'x'}"},
    {.name = "SET child, SET parent",
     .base = "{'_id': 1, 'm': {'p': 1}}",
     .x = "UPDATE c SET m.p = 2",
     .y = "UPDATE c SET m = 'y'",
     .shown = "{'_id': 1, 'm': 'y'}",
     .lost = "{'path': ['m', 'p'], 'value': 2}"},
    {.name = "INCREMENT, SET",
     .base = "{'_id': 1, 'n': 10}",
     .x = "UPDATE c APPLY n INCREMENT BY 5",
     .y = "UPDATE c SET n = 1",
     .shown = "{'_id': 1, 'n': 6}",
     .lost = ""},
    {.name = "INCREMENT, SET of another kind",
     .base = "{'_id': 1, 'n': 10}",
     .x = "UPDATE c APPLY n INCREMENT BY 5",
     .y = "UPDATE c SET n = 'none'",
     .shown = "{'_id': 1, 'n': 'none'}",
     .lost = "{'path': ['n'], 'value': 5}"},
    {.name = "UNSET, later SET",
     .base = "{'_id': 1, 'a': 1}",
     .x = "UPDATE c UNSET a",
     .y = "UPDATE c SET a = 2",
     .shown = "{'_id': 1, 'a': 2}",
     .lost = "{'path': ['a'], 'removed': TRUE}"},
    {.name = "a schema that makes it a set, a value of before",
     .base = "{'_id': 1}",
     .x = "UPDATE c SET t = 'x'",
     .y = "CREATE COLLECTION c (t SET); UPDATE c SET t = ['y']",
     .shown = "{'_id': 1, 't': ['y']}",
     .lost = "{'path': ['t'], 'value': 'x'}"},
    {.name = "the same, and a later value by who does not know of it",
     .base = "{'_id': 1}",
     .x = "CREATE COLLECTION c (t SET); UPDATE c SET t = ['x']",
     .y = "UPDATE c SET t = 'y'",
     .shown = "{'_id': 1, 't': 'y'}",
     .lost = "{'path': ['t'], 'value': 'x'}"},
    {.name = "DELETE, later INSERT that does not know the document",
     .base = "{'_id': 1, 'a': 1}",
     .base_is_of = ONE,
     .x = "DELETE FROM c",
     .y = "INSERT INTO c DOCUMENTS ({'_id': 1, 'a': 2})",
     .shown = "{'_id': 1, 'a': 2}",
     .lost = ""},
    {.name = "INSERT that does not know the document, later DELETE",
     .base = "{'_id': 1, 'a': 1}",
     .base_is_of = TWO,
     .x = "INSERT INTO c DOCUMENTS ({'_id': 1, 'a': 2, 'b': 2})",
     .y = "DELETE FROM c",
     .shown = "",
     .lost = "{'path': ['a'], 'value': 2}{'path': ['b'], 'value': 2}"},
    {.name = "the same where updates win",
     .declare = "CREATE COLLECTION c WITH (deletes = 'update wins')",
     .base = "{'_id': 1, 'a': 1}",
     .base_is_of = TWO,
     .x = "INSERT INTO c DOCUMENTS ({'_id': 1, 'b': 2})",
     .y = "DELETE FROM c",
     .shown = "",
     .lost = "{'path': ['b'], 'value': 2}"},
    {.name = "INSERT, INSERT",
     .base = "{'_id': 2}",
     .x = "INSERT INTO c DOCUMENTS ({'_id': 1, 'a': 1, 'b': 1})",
     .y = "INSERT INTO c DOCUMENTS ({'_id': 1, 'a': 2, 'c': 2})",
     .shown = "{'_id': 1, 'b': 1, 'a': 2, 'c': 2}{'_id': 2}",
     .lost = "{'path': ['a'], 'value': 1}"},
};

struct world {
    struct lia_test_db one;
    struct lia_test_db two;
};

static void open_one(struct lia_test_db *t, uint64_t seed)
{
    lia_test_db_init(t, seed);
    t->options.store.durability = LIA_MEMORY;
    lia_test_db_open(t);
}

/* Statements apart by "; ". */
static void run_all(struct lia_test_db *t, const char *text)
{
    char one[200];
    const char *end;

    while ((end = strstr(text, "; ")) != NULL) {
        snprintf(one, sizeof(one), "%.*s", (int)(end - text), text);
        lia_test_run(t, one);
        text = end + 2;
    }
    lia_test_run(t, text);
}

/* The first who merges is told; who is given the joined state is not. */
static void meet(struct lia_test_db *joins, struct lia_test_db *other)
{
    lia_test_pull(other, joins, "c");
    lia_test_pull(joins, other, "c");
}

static void check(const struct pair *p, bool is_newer_first)
{
    struct world w;
    struct lia_test_db *joins = is_newer_first ? &w.two : &w.one;
    struct lia_test_db *other = is_newer_first ? &w.one : &w.two;
    char base[200];

    open_one(&w.one, 1);
    open_one(&w.two, 2);
    if (p->declare) {
        lia_test_run(&w.one, p->declare);
        lia_test_run(&w.two, p->declare);
    }
    snprintf(base, sizeof(base), "INSERT INTO c DOCUMENTS (%s)", p->base);
    lia_test_run(p->base_is_of == TWO ? &w.two : &w.one, base);
    if (p->base_is_of == BOTH) {
        lia_test_pull(&w.one, &w.two, "c");
    }
    run_all(&w.one, p->x);
    w.two.env.wall_ms += 1000;
    run_all(&w.two, p->y);
    meet(joins, other);
    lia_test_shows(&w.one, "SELECT * FROM c ORDER BY _id", p->shown);
    lia_test_shows(&w.two, "SELECT * FROM c ORDER BY _id", p->shown);
    lia_test_shows(joins, ROWS, p->lost);
    assert_int_equal(lia_test_count(other, ROWS), 0);
    lia_test_db_finish(&w.one);
    lia_test_db_finish(&w.two);
}

static void losers_are_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        print_message("%s\n", pairs[i].name);
        check(&pairs[i], true);
        check(&pairs[i], false);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(losers_are_rows),
};

LIA_TEST_MAIN(tests)
