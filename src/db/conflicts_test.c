/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include <stdio.h>

#include "db/exec.h"
#include "db/internal.h"
#include "db/testing/statements.h"

/* Two stores that write apart, and one that is sent what they made of it. */
struct world {
    struct lia_test_db one;
    struct lia_test_db two;
    struct lia_test_db three;
};

static int setup(void **state)
{
    struct world *w = test_malloc(sizeof(*w));

    lia_test_db_init(&w->one, 1);
    lia_test_db_init(&w->two, 2);
    lia_test_db_init(&w->three, 3);
    w->two.options.conflicts_max = 3;
    lia_test_db_open(&w->one);
    lia_test_db_open(&w->two);
    lia_test_db_open(&w->three);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    lia_test_db_finish(&w->one);
    lia_test_db_finish(&w->two);
    lia_test_db_finish(&w->three);
    test_free(w);
    return 0;
}

static struct lia_result *query(struct lia_test_db *t, const char *text)
{
    struct lia_result *r;

    assert_ok(
        lia_db_execute(t->db, lia_str(text), lia_slice(NULL, 0), NULL, &r, &t->err));
    return r;
}

static size_t count(struct lia_test_db *t)
{
    return lia_test_count(t, "SELECT * FROM system:conflicts");
}

/* The newest row, copied. */
static struct liana_slice newest(struct lia_test_db *t)
{
    struct lia_result *r =
        query(t, "SELECT * FROM system:conflicts ORDER BY _id DESC LIMIT 1");
    struct liana_slice row;
    struct liana_slice copy;

    assert_ok(lia_result_next(r, &row, &t->err));
    assert_true(lia_arena_copy(&t->arena, row, &copy));
    lia_result_free(r);
    return copy;
}

static struct lia_value field(struct liana_slice body, const char *name)
{
    struct lia_value v;

    assert_true(lia_bson_find(body, lia_str(name), &v));
    return v;
}

static void write_apart(struct world *w, int32_t id)
{
    lia_test_put(&w->one, "c", id, 1);
    lia_test_send(&w->one, &w->two, "c", id);
    lia_test_put(&w->one, "c", id, 10);
    w->two.env.wall_ms += 1000;
    lia_test_put(&w->two, "c", id, 20);
}

static void what_a_merge_discards_is_a_row(void **state)
{
    struct world *w = *state;
    struct liana_slice row;
    struct lia_value v;
    char author[17];

    write_apart(w, 5);
    assert_int_equal(count(&w->two), 0);
    lia_test_send(&w->one, &w->two, "c", 5);
    assert_int_equal(lia_test_get(&w->two, "c", 5), 20);
    assert_int_equal(count(&w->two), 1);
    row = newest(&w->two);
    assert_int_equal(lia_value_int64(field(row, "_id")), 1);
    assert_int_equal(lia_value_int32(field(row, "document")), 5);
    assert_int_equal(lia_value_int32(field(row, "value")), 10);
    assert_true(lia_bson_find(field(row, "path").data, lia_str("0"), &v));
    assert_true(lia_str_equal(lia_value_str(v), lia_str("a")));
    assert_true(lia_str_equal(lia_value_str(field(row, "collection")), lia_str("c")));
    snprintf(author, sizeof(author), "%016llx",
             (unsigned long long)lia_db_identity(w->one.db).actor);
    v = field(field(row, "lost").data, "author");
    assert_true(lia_str_equal(lia_value_str(v), lia_str(author)));
    assert_true(lia_value_int64(field(field(row, "lost").data, "hlc")) <
                lia_value_int64(field(field(row, "kept").data, "hlc")));
}

static void who_is_given_the_joined_state_records_nothing(void **state)
{
    struct world *w = *state;

    write_apart(w, 5);
    lia_test_send(&w->one, &w->three, "c", 5);
    lia_test_send(&w->one, &w->two, "c", 5);
    lia_test_send(&w->two, &w->three, "c", 5);
    assert_int_equal(count(&w->two), 1);
    assert_int_equal(lia_test_get(&w->three, "c", 5), 20);
    assert_int_equal(count(&w->three), 0);
    lia_test_send(&w->two, &w->two, "c", 5);
    assert_int_equal(count(&w->two), 1);
}

/* An update that did not see the delete: nothing is left of the document but its key. */
static void what_a_delete_makes_void_is_a_row(void **state)
{
    struct world *w = *state;

    lia_test_put(&w->one, "c", 5, 1);
    lia_test_send(&w->one, &w->two, "c", 5);
    lia_test_put(&w->one, "c", 5, 10);
    w->two.env.wall_ms += 1000;
    lia_test_delete(&w->two, "c", 5);
    lia_test_send(&w->one, &w->two, "c", 5);
    assert_int_equal(lia_test_get(&w->two, "c", 5), -1);
    assert_int_equal(count(&w->two), 1);
    assert_int_equal(lia_value_int32(field(newest(&w->two), "document")), 5);
    assert_int_equal(lia_value_int32(field(newest(&w->two), "value")), 10);
}

static void the_oldest_give_way(void **state)
{
    struct world *w = *state;

    for (int32_t id = 1; id <= 5; id++) {
        write_apart(w, id);
        lia_test_send(&w->one, &w->two, "c", id);
    }
    assert_int_equal(count(&w->two), 3);
    assert_int_equal(lia_value_int64(field(newest(&w->two), "_id")), 5);
    lia_test_db_close(&w->two);
    lia_test_db_open(&w->two);
    assert_int_equal(count(&w->two), 3);
    write_apart(w, 6);
    lia_test_send(&w->one, &w->two, "c", 6);
    assert_int_equal(lia_value_int64(field(newest(&w->two), "_id")), 6);
}

static size_t changes_of(struct lia_test_db *t, const char *collection)
{
    const struct lia_interest interest = {.collection = lia_str(collection)};
    const struct lia_feed_query q = {&interest, 1, {0, 0, 0}, LIA_MIB, 0};
    struct lia_feed_page page;

    assert_ok(lia_db_feed(t->db, &t->arena, &q, &page, &t->err));
    return page.item_count;
}

/* It is followed by its name, and is no part of "everything". */
static void it_is_local(void **state)
{
    struct world *w = *state;
    const struct lia_subscription sub =
        lia_test_subscription(&w->two, "system:conflicts", 0);
    struct lia_registration registration;
    const struct lia_collection *coll;
    struct lia_txn *txn;
    struct lia_batch_item item;
    struct lia_batch batch = {.peer = lia_slice("peer", 4), .items = &item};
    struct lia_applied applied;

    write_apart(w, 5);
    lia_test_send(&w->one, &w->two, "c", 5);
    assert_int_equal(changes_of(&w->two, ""), 1);
    assert_int_equal(changes_of(&w->two, "system:conflicts"), 1);
    assert_int_equal(
        lia_db_register(w->two.db, lia_slice("peer", 4), &sub, &registration, NULL),
        LIANA_EINVAL);
    assert_status(lia_test_try(&w->two, "UPDATE system:conflicts SET a = 1"),
                  LIANA_EINVAL);
    assert_status(lia_test_try(&w->two, "INSERT INTO system:conflicts DOCUMENTS ({})"),
                  LIANA_EINVAL);
    assert_status(lia_test_try(&w->two, "DROP COLLECTION system:conflicts"),
                  LIANA_EINVAL);
    item = lia_test_segment(&w->one, "c", 5, (struct lia_vector){0});
    item.key.collection = lia_str("system:conflicts");
    batch.item_count = 1;
    assert_int_equal(
        lia_db_apply(w->two.db, &w->two.arena, &batch, LIA_FULL, &applied, NULL),
        LIANA_EINVAL);
    txn = lia_test_begin(&w->two, LIA_WRITE);
    assert_int_equal(
        lia_txn_collection(txn, lia_str("system:conflicts"), true, &coll, NULL),
        LIANA_EINVAL);
    lia_txn_rollback(txn);
    assert_int_equal(count(&w->two), 1);
}

/* Who listens hears of the document, not of the row beside it. */
static void a_listener_hears_of_documents_only(void **state)
{
    struct world *w = *state;
    const struct lia_listener_options options = {0};
    struct lia_listener *listener;
    struct lia_taken taken;
    uint64_t seq;

    write_apart(w, 5);
    assert_ok(lia_db_listen(w->two.db, &options, &listener, &seq, &w->two.err));
    lia_test_send(&w->one, &w->two, "c", 5);
    assert_ok(lia_db_take(listener, &w->two.arena, LIA_MIB, &taken));
    assert_int_equal(taken.event_count, 1);
    assert_int_equal(taken.events[0].change_count, 1);
    assert_int_equal(taken.missed_upto, 0);
    lia_db_unlisten(listener);
}

/* What is too large for a row leaves its size. */
static void a_large_value_leaves_its_size(void **state)
{
    struct world *w = *state;
    const struct liana_str name = lia_str("a");
    static char text[80000];
    struct lia_txn *txn;
    const struct lia_collection *coll;
    struct lia_buf buf;
    struct lia_op set = {.kind = LIA_OP_SET, .path = {&name, 1}};
    size_t mark;

    memset(text, 'x', sizeof(text));
    lia_buf_init(&buf, &w->one.env.alloc.alloc);
    mark = lia_bson_begin(&buf);
    lia_bson_add_str(&buf, name, (struct liana_str){text, sizeof(text)});
    lia_bson_end(&buf, mark);
    assert_true(lia_bson_find(lia_buf_slice(&buf), name, &set.value));
    lia_test_put(&w->one, "c", 5, 1);
    lia_test_send(&w->one, &w->two, "c", 5);
    txn = lia_test_begin(&w->one, LIA_WRITE);
    assert_ok(lia_txn_collection(txn, lia_str("c"), true, &coll, NULL));
    assert_ok(lia_txn_apply(txn, coll, lia_test_key(&w->one, 5), &set, 1, NULL, NULL));
    assert_ok(lia_txn_commit(txn, NULL, NULL));
    lia_buf_deinit(&buf);
    w->two.env.wall_ms += 1000;
    lia_test_put(&w->two, "c", 5, 20);
    lia_test_send(&w->one, &w->two, "c", 5);
    assert_true(lia_value_int64(field(newest(&w->two), "bytes")) >= 80000);
}

/* Removed rows are told to whoever follows; evicted ones just go. Numbers go on. */
static void rows_are_acknowledged(void **state)
{
    struct world *w = *state;
    struct lia_conflict_counts counts;
    struct lia_txn *txn;

    for (int32_t id = 1; id <= 3; id++) {
        write_apart(w, id);
        lia_test_send(&w->one, &w->two, "c", id);
    }
    assert_int_equal(
        lia_test_mutate(&w->two, "DELETE FROM system:conflicts WHERE document = 1"), 1);
    assert_int_equal(
        lia_test_mutate(&w->two, "DELETE FROM system:conflicts WHERE document = 1"), 0);
    assert_int_equal(count(&w->two), 2);
    assert_int_equal(changes_of(&w->two, "system:conflicts"), 3);
    assert_int_equal(lia_test_mutate(&w->two, "EVICT FROM system:conflicts"), 2);
    assert_int_equal(count(&w->two), 0);
    assert_int_equal(changes_of(&w->two, "system:conflicts"), 1);
    assert_int_equal(lia_test_get(&w->two, "c", 1), 20);
    write_apart(w, 4);
    lia_test_send(&w->one, &w->two, "c", 4);
    assert_int_equal(lia_value_int64(field(newest(&w->two), "_id")), 4);
    txn = lia_test_begin(&w->two, LIA_READ);
    assert_ok(lia_conflicts_count(txn, &counts, &w->two.err));
    lia_txn_rollback(txn);
    assert_int_equal(counts.kept, 1);
    assert_int_equal(counts.last, 4);
    assert_int_equal(counts.dropped, 0);
}

/* What nobody looked at before it went is counted, of one merge too. */
static void what_goes_is_counted(void **state)
{
    struct world *w = *state;
    struct lia_conflict_counts counts;
    struct lia_txn *txn;

    lia_test_run(&w->one, "INSERT INTO c DOCUMENTS ({'_id': 1})");
    lia_test_pull(&w->one, &w->two, "c");
    lia_test_run(&w->one, "UPDATE c SET p = 1, q = 1, r = 1, s = 1, t = 1");
    w->two.env.wall_ms += 1000;
    lia_test_run(&w->two, "UPDATE c SET p = 2, q = 2, r = 2, s = 2, t = 2");
    lia_test_pull(&w->one, &w->two, "c");
    write_apart(w, 2);
    lia_test_send(&w->one, &w->two, "c", 2);
    txn = lia_test_begin(&w->two, LIA_READ);
    assert_ok(lia_conflicts_count(txn, &counts, &w->two.err));
    lia_txn_rollback(txn);
    assert_int_equal(counts.kept, 3);
    assert_int_equal(counts.last, 4);
    assert_int_equal(counts.dropped, 3);
}

/* However long its path is: the row holds the beginning. */
static void a_long_path_leaves_its_beginning(void **state)
{
    struct world *w = *state;
    static char text[12000];
    size_t len = (size_t)snprintf(text, sizeof(text), "UPDATE c SET a.`");
    struct liana_slice row;
    struct lia_value v;

    memset(text + len, 'n', 5000);
    snprintf(text + len + 5000, sizeof(text) - len - 5000, "`.b = 1");
    lia_test_run(&w->one, "INSERT INTO c DOCUMENTS ({'_id': 1, 'a': {}})");
    lia_test_pull(&w->one, &w->two, "c");
    lia_test_run(&w->one, text);
    w->two.env.wall_ms += 1000;
    lia_test_run(&w->two, "UPDATE c SET a = 1");
    lia_test_pull(&w->one, &w->two, "c");
    row = newest(&w->two);
    assert_true(lia_bson_find(field(row, "path").data, lia_str("0"), &v));
    assert_false(lia_bson_find(field(row, "path").data, lia_str("1"), &v));
    assert_int_equal(field(row, "pathCut").type, LIA_BSON_BOOL);
    assert_true(row.len < 6000);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_a_merge_discards_is_a_row),
        CASE(who_is_given_the_joined_state_records_nothing),
        CASE(what_a_delete_makes_void_is_a_row),
        CASE(the_oldest_give_way),
        CASE(it_is_local),
        CASE(a_listener_hears_of_documents_only),
        CASE(a_large_value_leaves_its_size),
        CASE(rows_are_acknowledged),
        CASE(what_goes_is_counted),
        CASE(a_long_path_leaves_its_beginning),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
