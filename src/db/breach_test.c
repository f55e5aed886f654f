/* SPDX-License-Identifier: Apache-2.0 */
#include "db/breach.h"

#include "base/testing/test.h"

#include <stdio.h>

#include "db/testing/statements.h"

/* One store writes without knowing of a declaration that two others know. */
struct world {
    struct lia_test_db author;
    struct lia_test_db two;
    struct lia_test_db three;
};

#define BREACHES                                                                       \
    "SELECT document, path, value, rule, text FROM system:conflicts "                  \
    "WHERE kind = 'breach' ORDER BY _id"

static int setup(void **state)
{
    struct world *w = test_malloc(sizeof(*w));

    lia_test_db_init(&w->author, 1);
    lia_test_db_init(&w->two, 2);
    lia_test_db_init(&w->three, 3);
    lia_test_db_open(&w->author);
    lia_test_db_open(&w->two);
    lia_test_db_open(&w->three);
    lia_test_run(&w->two, "CREATE COLLECTION c (s STRING NOT NULL, n INT32, "
                          "w INT32 IMMUTABLE, x.y DATE, p ATTACHMENT)");
    lia_test_pull(&w->two, &w->three, "_liana.collections");
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    lia_test_db_finish(&w->author);
    lia_test_db_finish(&w->two);
    lia_test_db_finish(&w->three);
    test_free(w);
    return 0;
}

static size_t count(struct lia_test_db *t)
{
    return lia_test_count(t, BREACHES);
}

static void a_breach_is_told_where_it_comes_in(void **state)
{
    struct world *w = *state;

    lia_test_run(&w->author,
                 "INSERT INTO c DOCUMENTS ({'_id': 1, 'n': 'many', 'w': 1}), "
                 "({'_id': 2, 's': 'right', 'n': 1})");
    lia_test_pull(&w->author, &w->two, "c");
    lia_test_shows(
        &w->two, BREACHES,
        "{'document': 1, 'path': ['n'], 'value': 'many', 'rule': 'INT32', 'text': "
        "'n is declared INT32 and cannot be of type string'}"
        "{'document': 1, 'path': ['s'], 'rule': 'NOT NULL', 'text': "
        "'s is declared NOT NULL'}");
    lia_test_shows(&w->two, "SELECT n FROM c WHERE _id = 1", "{'n': 'many'}");
    lia_test_pull(&w->two, &w->three, "c"); /* it was told */
    assert_int_equal(count(&w->three), 0);
    lia_test_shows(&w->three, "SELECT n FROM c WHERE _id = 1", "{'n': 'many'}");
}

static void nothing_new_tells_nothing(void **state)
{
    struct world *w = *state;

    lia_test_run(&w->author, "INSERT INTO c DOCUMENTS ({'_id': 1, 's': 5})");
    lia_test_pull(&w->author, &w->two, "c");
    assert_int_equal(count(&w->two), 1);
    lia_test_pull(&w->author, &w->two, "c");
    lia_test_run(&w->author, "UPDATE c SET other = 1");
    lia_test_pull(&w->author, &w->two, "c");
    lia_test_db_close(&w->two);
    lia_test_db_open(&w->two);
    lia_test_pull(&w->author, &w->two, "c");
    assert_int_equal(count(&w->two), 1);
    lia_test_run(&w->author, "UPDATE c SET s = 6");
    lia_test_pull(&w->author, &w->two, "c");
    assert_int_equal(count(&w->two), 2);
    lia_test_run(&w->author, "UPDATE c SET s = 'right'");
    lia_test_pull(&w->author, &w->two, "c");
    assert_int_equal(count(&w->two), 2);
}

/* An INSERT gives what is immutable its value, and so does another one. */
static void what_is_immutable_was_changed(void **state)
{
    struct world *w = *state;

    lia_test_run(&w->author, "INSERT INTO c DOCUMENTS ({'_id': 1, 's': '', 'w': 1})");
    lia_test_run(&w->two, "INSERT INTO c DOCUMENTS ({'_id': 1, 's': '', 'w': 2})");
    lia_test_run(&w->author, "DELETE FROM c");
    lia_test_run(&w->author, "INSERT INTO c DOCUMENTS ({'_id': 1, 's': '', 'w': 3})");
    lia_test_pull(&w->author, &w->two, "c");
    lia_test_shows(&w->two, "SELECT w FROM c", "{'w': 3}");
    assert_int_equal(count(&w->two), 0);
    lia_test_run(&w->author, "UPDATE c SET w = 4");
    lia_test_pull(&w->author, &w->two, "c");
    lia_test_shows(&w->two, BREACHES,
                   "{'document': 1, 'path': ['w'], 'value': 4, 'rule': 'IMMUTABLE', "
                   "'text': 'w is declared IMMUTABLE'}");
}

/* The author of what stands there now, of several. */
static void the_author_is_named(void **state)
{
    struct world *w = *state;
    char text[120];

    lia_test_run(&w->two, "INSERT INTO c DOCUMENTS ({'_id': 1, 's': ''})");
    lia_test_pull(&w->two, &w->author, "c");
    lia_test_run(&w->author, "UPDATE c SET x = 5");
    lia_test_run(&w->author, "UPDATE c UNSET s");
    lia_test_pull(&w->author, &w->two, "c");
    lia_test_shows(&w->two, BREACHES,
                   "{'document': 1, 'path': ['s'], 'rule': 'NOT NULL', 'text': "
                   "'s is declared NOT NULL'}");
    lia_test_run(&w->author, "UPDATE c SET x = {'y': 'today'}");
    lia_test_pull(&w->author, &w->two, "c");
    assert_int_equal(count(&w->two), 2);
    snprintf(text, sizeof(text),
             "SELECT * FROM system:conflicts WHERE written.author = '%016llx'",
             (unsigned long long)lia_db_identity(w->author.db).actor);
    assert_int_equal(lia_test_count(&w->two, text), 2);
}

/* An object, but of no shape that names content. */
static void an_attachment_without_content_is_told(void **state)
{
    struct world *w = *state;

    lia_test_run(&w->author,
                 "INSERT INTO c DOCUMENTS ({'_id': 1, 's': '', 'p': {'len': 1}})");
    lia_test_pull(&w->author, &w->two, "c");
    lia_test_shows(&w->two, BREACHES,
                   "{'document': 1, 'path': ['p'], 'value': {'len': 1}, 'rule': "
                   "'ATTACHMENT', 'text': 'p is declared ATTACHMENT and needs an id: "
                   "binary data of 32 bytes and subtype 0'}");
    lia_test_run(&w->author, "UPDATE c SET p = NULL");
    lia_test_pull(&w->author, &w->two, "c");
    assert_int_equal(count(&w->two), 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_breach_is_told_where_it_comes_in),    CASE(nothing_new_tells_nothing),
        CASE(what_is_immutable_was_changed),         CASE(the_author_is_named),
        CASE(an_attachment_without_content_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
