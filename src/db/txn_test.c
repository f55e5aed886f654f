/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include <stdio.h>

#include "base/limits.h"
#include "db/testing/fixture.h"

static int setup(void **state)
{
    struct lia_test_db *t = test_malloc(sizeof(*t));

    lia_test_db_init(t, 1);
    lia_test_db_open(t);
    *state = t;
    return 0;
}

static int teardown(void **state)
{
    lia_test_db_finish(*state);
    test_free(*state);
    return 0;
}

static void a_commit_is_kept(void **state)
{
    struct lia_test_db *t = *state;
    struct lia_commit commit = lia_test_put(t, "c", 1, 10);

    assert_int_equal(commit.seq, 1);
    assert_int_equal(commit.stamp.actor, lia_db_identity(t->db).actor);
    assert_int_equal(lia_hlc_ms(commit.stamp.hlc), t->env.wall_ms);
    lia_test_db_close(t);
    lia_test_db_open(t);
    assert_int_equal(lia_test_get(t, "c", 1), 10);
    assert_int_equal(lia_test_put(t, "c", 1, 11).seq, 2);
    assert_int_equal(lia_test_get(t, "c", 1), 11);
}

static void a_rollback_leaves_nothing(void **state)
{
    struct lia_test_db *t = *state;
    struct lia_txn *txn = lia_test_begin(t, LIA_WRITE);
    const struct lia_collection *coll;

    lia_test_put_in(t, txn, "c", 1, 10);
    lia_txn_rollback(txn);
    assert_int_equal(lia_test_get(t, "c", 1), -1);
    assert_status(LIANA_ENOTFOUND,
                  lia_db_collection(t->db, lia_str("c"), &coll, &t->err));
    assert_int_equal(lia_test_put(t, "c", 1, 11).seq, 1);
}

static void a_transaction_sees_itself_and_nobody_else_does(void **state)
{
    struct lia_test_db *t = *state;
    struct lia_txn *txn;
    const struct lia_collection *coll;
    struct lia_doc doc;

    lia_test_put(t, "c", 1, 10);
    txn = lia_test_begin(t, LIA_WRITE);
    lia_test_put_in(t, txn, "c", 1, 11);
    assert_ok(lia_txn_collection(txn, lia_str("c"), false, &coll, &t->err));
    assert_ok(lia_txn_get(txn, coll, lia_test_key(t, 1), &doc, &t->err));
    assert_int_equal(lia_test_a(doc), 11);
    assert_int_equal(lia_test_get(t, "c", 1), 10);
    assert_ok(lia_txn_commit(txn, NULL, &t->err));
    assert_int_equal(lia_test_get(t, "c", 1), 11);
}

static void a_reader_keeps_its_snapshot(void **state)
{
    struct lia_test_db *t = *state;
    const struct lia_collection *coll;
    struct lia_txn *reader;
    struct lia_doc doc;

    lia_test_put(t, "c", 1, 10);
    reader = lia_test_begin(t, LIA_READ);
    lia_test_put(t, "c", 1, 11);
    lia_test_put(t, "new", 1, 1);
    assert_ok(lia_txn_collection(reader, lia_str("c"), false, &coll, &t->err));
    assert_ok(lia_txn_get(reader, coll, lia_test_key(t, 1), &doc, &t->err));
    assert_int_equal(lia_test_a(doc), 10);
    assert_status(LIANA_ENOTFOUND,
                  lia_txn_collection(reader, lia_str("new"), false, &coll, NULL));
    assert_ok(lia_txn_commit(reader, NULL, &t->err));
}

static void a_reader_cannot_write(void **state)
{
    struct lia_test_db *t = *state;
    const struct lia_collection *coll;
    struct lia_txn *reader;

    lia_test_put(t, "c", 1, 10);
    reader = lia_test_begin(t, LIA_READ);
    assert_ok(lia_txn_collection(reader, lia_str("c"), true, &coll, &t->err));
    assert_status(LIANA_EMISUSE,
                  lia_txn_insert(reader, coll, lia_test_body(t, 2, 2), NULL, &t->err));
    lia_txn_rollback(reader);
}

static void nothing_changed_is_no_commit(void **state)
{
    struct lia_test_db *t = *state;
    const struct lia_op delete = {.kind = LIA_OP_DELETE};
    const struct lia_collection *coll;
    struct lia_commit commit;
    struct lia_change change;
    struct lia_txn *txn = lia_test_begin(t, LIA_WRITE);

    assert_ok(lia_txn_collection(txn, lia_str("c"), true, &coll, &t->err));
    assert_ok(
        lia_txn_apply(txn, coll, lia_test_key(t, 1), &delete, 1, &change, &t->err));
    assert_false(change.changed);
    assert_ok(lia_txn_commit(txn, &commit, &t->err));
    assert_int_equal(commit.seq, 0);
    assert_true(lia_stamp_is_none(commit.stamp));
    assert_int_equal(lia_test_put(t, "c", 1, 1).seq, 1);
}

static void one_commit_is_one_seq_and_one_stamp(void **state)
{
    struct lia_test_db *t = *state;
    const struct lia_key keys[2] = {{lia_str("c"), lia_test_key(t, 1)},
                                    {lia_str("d"), lia_test_key(t, 2)}};
    struct lia_held held[2];
    struct lia_doc_info info[2];
    struct lia_commit commit;
    struct lia_txn *txn = lia_test_begin(t, LIA_WRITE);

    lia_test_put_in(t, txn, "c", 1, 1);
    lia_test_put_in(t, txn, "d", 2, 2);
    assert_ok(lia_txn_commit(txn, &commit, &t->err));
    assert_ok(lia_db_docs(t->db, &t->arena, keys, 2, held, &t->err));
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(held[i].seq, commit.seq);
        assert_ok(lia_doc_info(&t->arena, held[i].doc.clock, &info[i]));
        assert_int_equal(info[i].vector.count, 1);
        assert_int_equal(info[i].vector.entries[0].hlc, commit.stamp.hlc);
    }
}

/* Stamps grow with seq though the clock stands still, runs back, or the store reopens. */
static void stamps_grow(void **state)
{
    struct lia_test_db *t = *state;
    uint64_t last = 0;

    for (int i = 0; i < 6; i++) {
        struct lia_commit commit = lia_test_put(t, "c", 1, i);

        assert_true(commit.stamp.hlc > last);
        last = commit.stamp.hlc;
        if (i == 2) {
            t->env.wall_ms -= 5000;
        }
        if (i == 4) {
            lia_test_db_close(t);
            lia_test_db_open(t);
        }
    }
}

static void savepoints_undo(void **state)
{
    struct lia_test_db *t = *state;
    const struct lia_collection *coll;
    struct lia_txn *txn = lia_test_begin(t, LIA_WRITE);

    assert_status(LIANA_EMISUSE, lia_txn_undo(txn, &t->err));
    lia_test_put_in(t, txn, "c", 1, 1);
    assert_ok(lia_txn_savepoint(txn, &t->err));
    lia_test_put_in(t, txn, "c", 1, 2);
    assert_ok(lia_txn_savepoint(txn, &t->err));
    lia_test_put_in(t, txn, "d", 1, 3);
    assert_ok(lia_txn_undo(txn, &t->err));
    assert_status(LIANA_ENOTFOUND,
                  lia_txn_collection(txn, lia_str("d"), false, &coll, NULL));
    assert_ok(lia_txn_release(txn, &t->err));
    assert_ok(lia_txn_savepoint(txn, &t->err));
    lia_test_put_in(t, txn, "c", 1, 4);
    assert_ok(lia_txn_undo(txn, &t->err));
    assert_ok(lia_txn_commit(txn, NULL, &t->err));
    assert_int_equal(lia_test_get(t, "c", 1), 2);
    assert_int_equal(lia_test_get(t, "d", 1), -1);
}

static void undoing_everything_is_no_commit(void **state)
{
    struct lia_test_db *t = *state;
    struct lia_commit commit;
    struct lia_txn *txn = lia_test_begin(t, LIA_WRITE);

    assert_ok(lia_txn_savepoint(txn, &t->err));
    lia_test_put_in(t, txn, "c", 1, 1);
    assert_ok(lia_txn_undo(txn, &t->err));
    assert_ok(lia_txn_commit(txn, &commit, &t->err));
    assert_int_equal(commit.seq, 0);
    assert_true(lia_stamp_is_none(commit.stamp));
}

static void savepoints_have_a_limit(void **state)
{
    struct lia_test_db *t = *state;
    struct lia_txn *txn = lia_test_begin(t, LIA_WRITE);
    liana_status status = LIANA_OK;
    int depth = 0;

    while (!status) {
        status = lia_txn_savepoint(txn, &t->err);
        depth += !status;
    }
    assert_int_equal(status, LIANA_ELIMIT);
    assert_int_equal(depth, 64);
    assert_ok(lia_txn_release(txn, &t->err));
    lia_txn_rollback(txn);
}

static void a_wrong_operation_changes_nothing(void **state)
{
    struct lia_test_db *t = *state;
    const struct lia_collection *coll;
    struct lia_txn *txn = lia_test_begin(t, LIA_WRITE);

    assert_ok(lia_txn_collection(txn, lia_str("c"), true, &coll, &t->err));
    assert_ok(lia_txn_insert(txn, coll, lia_test_body(t, 1, 1), NULL, &t->err));
    assert_status(LIANA_EEXISTS,
                  lia_txn_insert(txn, coll, lia_test_body(t, 1, 2), NULL, NULL));
    assert_status(LIANA_EID, lia_txn_insert(txn, coll, lia_bson_empty, NULL, NULL));
    assert_status(LIANA_EBSON,
                  lia_txn_insert(txn, coll, LIA_BYTES("\x05"), NULL, NULL));
    assert_ok(lia_txn_commit(txn, NULL, &t->err));
    assert_int_equal(lia_test_get(t, "c", 1), 1);
}

static void deleting_leaves_a_tombstone(void **state)
{
    struct lia_test_db *t = *state;
    struct lia_doc doc;

    lia_test_put(t, "c", 1, 1);
    assert_int_equal(lia_test_delete(t, "c", 1).seq, 2);
    doc = lia_test_doc(t, "c", 1);
    assert_int_equal(doc.body.len, 0);
    assert_true(doc.clock.len > 0);
    assert_int_equal(lia_test_put(t, "c", 1, 3).seq, 3);
    assert_int_equal(lia_test_get(t, "c", 1), 3);
}

/* The document module replaces what it is given; it is given what was there before the
 * DELETE. */
static void delete_then_insert_is_one_replace(void **state)
{
    struct lia_test_db *t = *state;
    struct lia_txn *txn;

    lia_test_put(t, "c", 1, 1);
    txn = lia_test_begin(t, LIA_WRITE);
    for (int32_t i = 2; i < 5; i++) {
        lia_test_delete_in(t, txn, "c", 1);
        lia_test_put_in(t, txn, "c", 1, i);
    }
    assert_ok(lia_txn_savepoint(txn, &t->err));
    lia_test_delete_in(t, txn, "c", 1);
    assert_ok(lia_txn_undo(txn, &t->err));
    assert_ok(lia_txn_commit(txn, NULL, &t->err));
    assert_int_equal(lia_test_get(t, "c", 1), 4);
    lia_test_delete(t, "c", 1);
    lia_test_put(t, "c", 1, 5);
    assert_int_equal(lia_test_get(t, "c", 1), 5);
}

static void names_of_collections(void **state)
{
    static const char *const bad[] = {"", "a$b", "system:x", "\xff"};
    struct lia_test_db *t = *state;
    const struct lia_collection **all;
    const struct lia_collection *coll;
    char long_name[LIA_NAME_BYTES_MAX + 1];
    struct lia_txn *txn = lia_test_begin(t, LIA_WRITE);
    size_t count;

    memset(long_name, 'x', sizeof(long_name));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_status(LIANA_EINVAL,
                      lia_txn_collection(txn, lia_str(bad[i]), true, &coll, NULL));
    }
    assert_status(LIANA_EINVAL,
                  lia_txn_collection(txn,
                                     (struct liana_str){long_name, sizeof(long_name)},
                                     true, &coll, NULL));
    assert_ok(lia_txn_collection(
        txn, (struct liana_str){long_name, sizeof(long_name) - 1}, true, &coll, NULL));
    assert_ok(lia_txn_collection(txn, lia_str("Stock"), true, &coll, NULL));
    assert_ok(lia_txn_collection(txn, lia_str("stock"), true, &coll, NULL));
    assert_ok(lia_txn_collection(txn, lia_str("_liana.x \"' é"), true, &coll, NULL));
    lia_test_put_in(t, txn, "_liana.x \"' é", 1, 1);
    assert_ok(lia_txn_commit(txn, NULL, &t->err));
    lia_test_db_close(t);
    lia_test_db_open(t);
    assert_ok(lia_db_collections(t->db, &t->arena, &all, &count));
    assert_int_equal(count, 4);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(all[i]->id, i + 1);
    }
    assert_int_equal(lia_test_get(t, "_liana.x \"' é", 1), 1);
}

/* A table that was made after the snapshot cannot be read within it. */
static void a_snapshot_has_its_own_collections(void **state)
{
    struct lia_test_db *t = *state;
    const struct lia_collection **all;
    struct lia_txn *read;
    size_t count;

    lia_test_put(t, "old", 1, 1);
    read = lia_test_begin(t, LIA_READ);
    lia_test_put(t, "new", 1, 1);
    assert_ok(lia_txn_collections(read, &t->arena, &all, &count));
    assert_int_equal(count, 1);
    assert_true(lia_str_equal(all[0]->name, lia_str("old")));
    lia_txn_rollback(read);
    read = lia_test_begin(t, LIA_READ);
    assert_ok(lia_txn_collections(read, &t->arena, &all, &count));
    assert_int_equal(count, 2);
    lia_txn_rollback(read);
}

static void only_one_writes(void **state)
{
    struct lia_test_db *t = *state;
    struct lia_txn *txn = lia_test_begin(t, LIA_WRITE);
    struct lia_txn_options options = lia_txn_options(t->db, LIA_WRITE);
    struct lia_txn *other = NULL;

    options.wait_ms = 0;
    assert_status(LIANA_EBUSY, lia_txn_begin(t->db, &options, &other, NULL));
    lia_txn_rollback(txn);
}

/* A statement's connection is the transaction's: it reads what was just written. */
static void statements_read_within(void **state)
{
    struct lia_test_db *t = *state;
    const struct lia_collection *coll;
    struct lia_txn *txn = lia_test_begin(t, LIA_WRITE);
    sqlite3_stmt *stmt;
    char sql[80];

    lia_test_put_in(t, txn, "c", 1, 1);
    lia_test_put_in(t, txn, "c", 2, 1);
    assert_ok(lia_txn_collection(txn, lia_str("c"), false, &coll, &t->err));
    snprintf(sql, sizeof(sql), "SELECT count(*) FROM %.*s WHERE body IS NOT NULL",
             LIA_STR_ARG(coll->table));
    assert_ok(lia_conn_prepare(lia_txn_conn(txn), lia_str(sql), &stmt, &t->err));
    assert_ok(lia_conn_step(lia_txn_conn(txn), stmt, &t->err));
    assert_int_equal(lia_column_u64(stmt, 0), 2);
    lia_conn_done(lia_txn_conn(txn), stmt);
    assert_ok(lia_txn_commit(txn, NULL, &t->err));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(a_commit_is_kept),
        CASE(a_rollback_leaves_nothing),
        CASE(a_transaction_sees_itself_and_nobody_else_does),
        CASE(a_reader_keeps_its_snapshot),
        CASE(a_reader_cannot_write),
        CASE(nothing_changed_is_no_commit),
        CASE(one_commit_is_one_seq_and_one_stamp),
        CASE(stamps_grow),
        CASE(savepoints_undo),
        CASE(undoing_everything_is_no_commit),
        CASE(savepoints_have_a_limit),
        CASE(a_wrong_operation_changes_nothing),
        CASE(deleting_leaves_a_tombstone),
        CASE(delete_then_insert_is_one_replace),
        CASE(names_of_collections),
        CASE(a_snapshot_has_its_own_collections),
        CASE(only_one_writes),
        CASE(statements_read_within),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
