/* SPDX-License-Identifier: Apache-2.0 */
/* Documents that do not show all that they hold: too large, or counted beyond int64. */
#include "base/testing/test.h"

#include <stdio.h>

#include "db/testing/statements.h"

struct world {
    struct lia_test_db one;
    struct lia_test_db two;
};

#define FLAGGED "SELECT * FROM system:flagged"

static int setup(void **state)
{
    struct world *w = test_malloc(sizeof(*w));

    lia_test_db_init(&w->one, 1);
    lia_test_db_init(&w->two, 2);
    w->one.options.store.durability = LIA_MEMORY;
    w->two.options.store.durability = LIA_MEMORY;
    lia_test_db_open(&w->one);
    lia_test_db_open(&w->two);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    lia_test_db_finish(&w->one);
    lia_test_db_finish(&w->two);
    test_free(w);
    return 0;
}

static void meet(struct world *w)
{
    lia_test_pull(&w->one, &w->two, "c");
    lia_test_pull(&w->two, &w->one, "c");
}

/* The document 'd' with 9 MiB of each. */
static void write_both(struct world *w)
{
    lia_test_run(&w->one, "INSERT INTO c DOCUMENTS ({'_id': 'd', 'n': 1})");
    lia_test_run(&w->one, "INSERT INTO c DOCUMENTS ({'_id': 'e', 'n': 1})");
    meet(w);
    lia_test_run(&w->one, "UPDATE c SET a.b = repeat('a', 9437184) WHERE _id = 'd'");
    w->two.env.wall_ms += 1000;
    lia_test_run(&w->two, "UPDATE c SET z = repeat('z', 9437184) WHERE _id = 'd'");
    meet(w);
}

static void what_is_cut_is_listed(void **state)
{
    struct world *w = *state;

    write_both(w);
    for (int i = 0; i < 2; i++) {
        struct lia_test_db *t = i ? &w->two : &w->one;

        lia_test_shows(t, "SELECT a, is_string(z) AS z, n FROM c WHERE _id = 'd'",
                       "{'a': {}, 'z': TRUE}");
        lia_test_shows(t, FLAGGED,
                       "{'_id': int64(1), 'collection': 'c', 'document': 'd', 'cut': "
                       "[['n'], ['a', 'b']], 'status': 'LIANA_ETOOLARGE', 'bytes': "
                       "int64(18874415)}");
        assert_int_equal(lia_test_count(t, "SELECT * FROM system:flagged "
                                           "WHERE cut IS NOT MISSING AND _id = 1"),
                         1);
    }
}

/* Others go on with it, each other field too; it heals where something goes. */
static void it_heals_everywhere(void **state)
{
    struct world *w = *state;

    write_both(w);
    assert_status(lia_test_try(&w->one, "UPDATE c SET n = 2"), LIANA_ETOOLARGE);
    lia_test_run(&w->one, "UPDATE c SET n = 2 WHERE _id = 'e'");
    lia_test_run(&w->one, "UPDATE c SET z = 'short' WHERE _id = 'd'");
    assert_int_equal(lia_test_count(&w->one, FLAGGED), 0);
    assert_int_equal(lia_test_count(&w->two, FLAGGED), 1);
    meet(w);
    assert_int_equal(lia_test_count(&w->two, FLAGGED), 0);
    lia_test_shows(&w->two, "SELECT is_string(a.b) AS a, z FROM c WHERE _id = 'd'",
                   "{'a': TRUE, 'z': 'short'}");
    lia_test_run(&w->two, "UPDATE c SET n = 2 WHERE _id = 'd'");
}

static void a_tombstone_is_not_listed(void **state)
{
    struct world *w = *state;

    write_both(w);
    lia_test_run(&w->two, "DELETE FROM c WHERE _id = 'd'");
    assert_int_equal(lia_test_count(&w->two, FLAGGED), 0);
    meet(w);
    assert_int_equal(lia_test_count(&w->one, FLAGGED), 0);
}

static void what_is_clamped_is_listed(void **state)
{
    struct world *w = *state;

    lia_test_run(&w->one, "INSERT INTO c DOCUMENTS ({'_id': 'd', 'x': {'n': 5}})");
    meet(w);
    lia_test_run(&w->one, "UPDATE c APPLY x.n INCREMENT BY 9223372036854775000");
    lia_test_run(&w->two, "UPDATE c APPLY x.n INCREMENT BY 9223372036854775000");
    assert_int_equal(lia_test_count(&w->one, FLAGGED), 0);
    meet(w);
    for (int i = 0; i < 2; i++) {
        struct lia_test_db *t = i ? &w->two : &w->one;

        lia_test_shows(t, "SELECT x.n FROM c", "{'n': 9223372036854775807}");
        lia_test_shows(
            t, FLAGGED,
            "{'_id': int64(1), 'collection': 'c', 'document': 'd', 'clamped': "
            "[['x', 'n']]}");
    }
    /* Nothing is lost meanwhile. */
    lia_test_run(&w->one, "UPDATE c APPLY x.n INCREMENT BY -9223372036854775000");
    lia_test_run(&w->two, "UPDATE c APPLY x.n INCREMENT BY -9223372036854775000");
    meet(w);
    lia_test_shows(&w->two, "SELECT x.n FROM c", "{'n': int64(5)}");
    assert_int_equal(lia_test_count(&w->two, FLAGGED), 0);
}

/* 13 MiB more, by somebody who knows of nobody else's. */
static void add_branch(struct world *w, struct lia_test_db *t, int32_t i)
{
    char statement[80];

    lia_test_db_init(t, 10 + (uint64_t)i);
    t->options.store.durability = LIA_MEMORY;
    lia_test_db_open(t);
    lia_test_pull(&w->two, t, "c");
    snprintf(statement, sizeof(statement), "UPDATE c SET f%d = repeat('x', 13631488)",
             i);
    t->env.wall_ms += 1000 * (uint64_t)i;
    lia_test_run(t, statement);
    lia_test_pull(t, &w->one, "c");
}

/* Above 64 MiB nothing more is taken; what was not is owed until there is room. */
static void what_cannot_be_held_is_owed(void **state)
{
    static const char owed[] = "SELECT collection, document, status FROM system:owed";
    struct world *w = *state;
    struct lia_test_db branch;

    lia_test_run(&w->two, "INSERT INTO c DOCUMENTS ({'_id': 1})");
    lia_test_pull(&w->two, &w->one, "c");
    for (int32_t i = 1; i <= 4; i++) {
        add_branch(w, &branch, i);
        lia_test_db_finish(&branch);
    }
    assert_int_equal(lia_test_count(&w->one, owed), 0);
    add_branch(w, &branch, 5);
    lia_test_shows(&w->one, owed,
                   "{'collection': 'c', 'document': 1, 'status': 'LIANA_ETOOLARGE'}");
    lia_test_shows(&w->one, "SELECT is_string(f4) AS f4, is_string(f5) AS f5 FROM c",
                   "{'f4': TRUE, 'f5': FALSE}");
    w->one.env.wall_ms += 60000;
    lia_test_run(&w->one, "UPDATE c UNSET f4");
    lia_test_pull(&branch, &w->one, "c");
    assert_int_equal(lia_test_count(&w->one, owed), 0);
    lia_test_shows(&w->one, "SELECT is_string(f5) AS f5 FROM c", "{'f5': TRUE}");
    assert_int_equal(lia_test_count(&w->one, FLAGGED), 1);
    lia_test_db_finish(&branch);
}

/* What was written before anybody declared anything is found, and goes when it is put
 * right. */
static void what_breaks_a_declaration_is_listed(void **state)
{
    static const char breaches[] =
        "SELECT collection, document, path, value, rule FROM system:breaches";
    struct world *w = *state;

    lia_test_run(&w->one, "INSERT INTO c DOCUMENTS ({'_id': 1, 'a': 'x'}), "
                          "({'_id': 2, 'a': 5}), ({'_id': 3})");
    assert_int_equal(lia_test_count(&w->one, breaches), 0);
    lia_test_run(&w->one, "CREATE COLLECTION c (a INTEGER NOT NULL)");
    lia_test_shows(&w->one, breaches,
                   "{'collection': 'c', 'document': 1, 'path': ['a'], 'value': 'x', "
                   "'rule': 'INTEGER'}{'collection': 'c', 'document': 3, 'path': "
                   "['a'], 'rule': 'NOT NULL'}");
    lia_test_run(&w->one, "UPDATE c SET a = 1");
    assert_int_equal(lia_test_count(&w->one, breaches), 0);
    lia_test_run(&w->one, "ALTER COLLECTION c ALTER a STRING");
    assert_int_equal(lia_test_count(&w->one, breaches), 3);
    lia_test_run(&w->one, "ALTER COLLECTION c DROP a");
    assert_int_equal(lia_test_count(&w->one, breaches), 0);
}

/* However many there are. */
static void lists_are_bounded(void **state)
{
    struct world *w = *state;
    struct lia_txn *txn = lia_test_begin(&w->one, LIA_WRITE);

    for (int32_t id = 0; id < 1100; id++) {
        lia_test_put_in(&w->one, txn, "c", id, id);
    }
    assert_ok(lia_txn_commit(txn, NULL, &w->one.err));
    lia_test_run(&w->one, "CREATE COLLECTION c (a STRING)");
    lia_test_shows(&w->one,
                   "SELECT count(*) AS n, max(document) AS most FROM system:breaches",
                   "{'n': int64(1000), 'most': 999}");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_is_cut_is_listed),       CASE(it_heals_everywhere),
        CASE(a_tombstone_is_not_listed),   CASE(what_is_clamped_is_listed),
        CASE(what_cannot_be_held_is_owed), CASE(what_breaks_a_declaration_is_listed),
        CASE(lists_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
