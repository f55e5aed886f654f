/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include "base/limits.h"
#include "db/exec.h"
#include "db/testing/fixture.h"
#include "store/testing/disk.h"

/*
 * Everything that writes, on a disk with too little room: each is LIANA_EFULL naming the
 * store, leaves what was there and nothing of its own, and does its work once there is
 * room.
 */

#define DOCS 400

struct fixture {
    struct lia_test_disk disk;
    struct lia_test_db t;
    struct lia_test_db sender;
    struct lia_batch_item items[DOCS]; /* documents of the sender */
    uint64_t registration;
};

static const struct liana_slice PEER = {(const uint8_t *)"peer", 4};

static int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));
    struct lia_txn *txn;

    lia_test_disk_init(&f->disk, "full");
    lia_test_db_init(&f->t, 1);
    f->t.options.store.vfs = "full";
    f->t.options.store.path = "store";
    f->t.options.database = LIA_BYTES("the test databas");
    lia_test_db_open(&f->t);
    lia_test_db_init(&f->sender, 2);
    f->sender.options.store.durability = LIA_MEMORY;
    f->sender.options.database = f->t.options.database;
    lia_test_db_open(&f->sender);
    txn = lia_test_begin(&f->sender, LIA_WRITE);
    for (int32_t i = 0; i < DOCS; i++) {
        lia_test_put_in(&f->sender, txn, "c", 1000 + i, 1);
    }
    assert_ok(lia_txn_commit(txn, NULL, NULL));
    for (int32_t i = 0; i < DOCS; i++) {
        f->items[i] =
            lia_test_segment(&f->sender, "c", 1000 + i, (struct lia_vector){0});
    }
    txn = lia_test_begin(&f->t, LIA_WRITE);
    for (int32_t i = 0; i < DOCS; i++) {
        lia_test_put_in(&f->t, txn, "c", i, 7);
    }
    assert_ok(lia_txn_commit(txn, NULL, NULL));
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    lia_test_db_finish(&f->t);
    lia_test_db_finish(&f->sender);
    lia_test_disk_deinit(&f->disk);
    test_free(f);
    return 0;
}

/* ---- what is done ---- */

static liana_status execute(struct fixture *f,
                            const char *text,
                            struct liana_error *err)
{
    struct lia_result *result = NULL;
    liana_status status = lia_db_execute(f->t.db, lia_str(text),
                                         (struct liana_slice){0}, NULL, &result, err);

    lia_result_free(result);
    return status;
}

static liana_status insert(struct fixture *f, struct liana_error *err)
{
    return execute(f, "INSERT INTO c DOCUMENTS ({'_id': 1001, 'a': 1})", err);
}

static liana_status new_collection(struct fixture *f, struct liana_error *err)
{
    return execute(f, "INSERT INTO d DOCUMENTS ({'_id': 1001, 'a': 1})", err);
}

static liana_status big_update(struct fixture *f, struct liana_error *err)
{
    return execute(f, "UPDATE c SET b = 'a text that makes the document longer'", err);
}

static liana_status delete_all(struct fixture *f, struct liana_error *err)
{
    return execute(f, "DELETE FROM c", err);
}

static liana_status receive(struct fixture *f, struct liana_error *err)
{
    const struct lia_vector_entry entry = {9, 50};
    const struct lia_batch_marks marks = {PEER, {&entry, 1}};
    const struct lia_token token = {
        .peer = PEER, .subscription = PEER, .epoch = 1, .seq = 7};
    const struct lia_batch batch = {.peer = PEER,
                                    .items = f->items,
                                    .item_count = DOCS,
                                    .tokens = &token,
                                    .token_count = 1,
                                    .marks = &marks,
                                    .marks_count = 1};
    struct lia_applied applied;

    return lia_db_apply(f->t.db, &f->t.arena, &batch, LIA_FULL, &applied, err);
}

static liana_status stage(struct fixture *f, struct liana_error *err)
{
    uint64_t number = 0;

    return lia_db_stage(f->t.db, &number, f->items, DOCS, err);
}

/* Many at once: one may find its room on a page that is there. */
static liana_status register_many(struct fixture *f, struct liana_error *err)
{
    liana_status status = LIANA_OK;

    for (int32_t i = 1; i < 60 && !status; i++) {
        const struct lia_subscription sub = lia_test_subscription(&f->t, "c", i);
        struct lia_registration registration;

        status = lia_db_register(f->t.db, PEER, &sub, &registration, err);
    }
    return status;
}

/* ---- what is left ---- */

static size_t count(struct fixture *f, const char *text)
{
    struct lia_result *result = NULL;
    struct liana_slice row;
    size_t rows = 0;

    assert_ok(lia_db_execute(f->t.db, lia_str(text), (struct liana_slice){0}, NULL,
                             &result, &f->t.err));
    while (lia_result_next(result, &row, &f->t.err) == LIANA_OK) {
        rows++;
    }
    assert_ok(f->t.err.status == LIANA_EEND ? LIANA_OK : f->t.err.status);
    lia_result_free(result);
    return rows;
}

static void assert_untouched(struct fixture *f)
{
    struct lia_token token;

    assert_int_equal(count(f, "SELECT * FROM c WHERE a = 7 AND b IS MISSING"), DOCS);
    assert_int_equal(count(f, "SELECT * FROM c"), DOCS);
    assert_int_equal(count(f, "SELECT * FROM d"), 0);
    assert_status(LIANA_ENOTFOUND,
                  lia_db_token(f->t.db, &f->t.arena, PEER, PEER, &token, NULL));
}

static uint64_t used(const struct lia_test_disk *disk)
{
    struct lia_test_disk *d = (struct lia_test_disk *)(uintptr_t)disk;
    uint64_t bytes = 0;
    size_t len = 0;

    for (size_t i = 0; i < 2; i++) {
        bytes +=
            lia_test_disk_bytes(d, i ? "store.db-wal" : "store.db", &len) ? len : 0;
    }
    return bytes;
}

typedef liana_status (*write_fn)(struct fixture *f, struct liana_error *err);

/* A page more each time, until it is enough. */
static void fails_until_there_is_room(struct fixture *f, write_fn write)
{
    liana_status status = LIANA_EFULL;
    size_t failures = 0;

    for (uint64_t room = 0; status; room += 4096) {
        struct liana_error err = LIANA_ERROR_INIT;

        f->disk.bytes_max = used(&f->disk) + room;
        status = write(f, &err);
        if (status) {
            assert_status(LIANA_EFULL, status);
            assert_status(LIANA_EFULL, err.status);
            assert_non_null(strstr(err.message, "store.db"));
            assert_untouched(f);
            failures++;
        }
        lia_arena_reset(&f->t.arena);
        assert_true(room < 64 * LIA_MIB);
    }
    assert_true(failures > 0);
    f->disk.bytes_max = 0;
    f->t.err = (struct liana_error)LIANA_ERROR_INIT;
    assert_ok(execute(f, "UPDATE c SET z = 1", &f->t.err));
    lia_test_db_close(&f->t);
    lia_test_db_open(&f->t);
}

/* ---- cases ---- */

static void an_insert(void **state)
{
    fails_until_there_is_room(*state, insert);
    assert_int_equal(count(*state, "SELECT * FROM c"), DOCS + 1);
}

static void a_new_collection(void **state)
{
    fails_until_there_is_room(*state, new_collection);
    assert_int_equal(count(*state, "SELECT * FROM d"), 1);
}

static void a_big_update(void **state)
{
    fails_until_there_is_room(*state, big_update);
    assert_int_equal(count(*state, "SELECT * FROM c WHERE b IS NOT MISSING"), DOCS);
}

static void a_delete(void **state)
{
    fails_until_there_is_room(*state, delete_all);
    assert_int_equal(count(*state, "SELECT * FROM c"), 0);
}

static void a_batch_of_a_peer(void **state)
{
    struct fixture *f = *state;
    struct lia_token token;

    fails_until_there_is_room(f, receive);
    assert_int_equal(count(f, "SELECT * FROM c"), 2 * DOCS);
    assert_ok(lia_db_token(f->t.db, &f->t.arena, PEER, PEER, &token, NULL));
}

static void a_stage(void **state)
{
    fails_until_there_is_room(*state, stage);
}

static void a_registration(void **state)
{
    fails_until_there_is_room(*state, register_many);
}

/* What is committed is in the WAL: closing needs no room, with or without a write before,
 * and nothing is lost. */
static void closing_needs_no_room(void **state)
{
    struct fixture *f = *state;

    for (int round = 0; round < 2; round++) {
        if (round == 0) {
            assert_ok(execute(f, "UPDATE c SET x = 'longer than it was before'", NULL));
        }
        f->disk.bytes_max = used(&f->disk);
        assert_int_equal(count(f, "SELECT * FROM c WHERE a = 7"), DOCS);
        assert_ok(lia_db_close(f->t.db, &f->t.err));
        f->disk.bytes_max = 0;
        lia_test_db_open(&f->t);
        assert_int_equal(count(f, "SELECT * FROM c WHERE x IS NOT MISSING"), DOCS);
    }
}

/* The same where the newest commit waits for its sync: closing makes it durable. */
static void closing_makes_durable_without_room(void **state)
{
    struct fixture *f = *state;
    struct lia_txn_options options = lia_txn_options(f->t.db, LIA_WRITE);
    struct lia_rng rng = lia_rng(3);
    struct lia_test_disk left;
    struct lia_txn *txn;

    options.durability = LIA_NORMAL;
    assert_ok(lia_txn_begin(f->t.db, &options, &txn, NULL));
    lia_test_put_in(&f->t, txn, "c", 5000, 1);
    assert_ok(lia_txn_commit(txn, NULL, NULL));
    f->disk.bytes_max = used(&f->disk);
    assert_ok(lia_db_close(f->t.db, &f->t.err));
    f->disk.bytes_max = 0;
    lia_test_disk_crash(&f->disk, &rng, &left, "left");
    f->t.options.store.vfs = "left";
    lia_test_db_open(&f->t);
    assert_int_equal(lia_test_get(&f->t, "c", 5000), 1);
    lia_test_db_close(&f->t);
    lia_test_disk_deinit(&left);
    f->t.options.store.vfs = "full";
    lia_test_db_open(&f->t);
}

/* Nor does a tool that holds the file keep anybody from closing. */
static void closing_beside_a_tool(void **state)
{
    struct fixture *f = *state;
    sqlite3 *tool = NULL;

    assert_int_equal(
        sqlite3_open_v2("store/store.db", &tool, SQLITE_OPEN_READWRITE, f->disk.name),
        SQLITE_OK);
    assert_int_equal(sqlite3_exec(tool, "BEGIN IMMEDIATE", NULL, NULL, NULL),
                     SQLITE_OK);
    assert_ok(lia_db_close(f->t.db, &f->t.err));
    assert_int_equal(sqlite3_close(tool), SQLITE_OK);
    lia_test_db_open(&f->t);
    assert_int_equal(count(f, "SELECT * FROM c"), DOCS);
}

/* Other failures of a close are still told. */
static void a_checkpoint_that_fails_is_told(void **state)
{
    struct fixture *f = *state;

    lia_test_disk_fault(&f->disk, LIA_FAULT_SYNC, 1, true);
    assert_status(LIANA_EIO, lia_db_close(f->t.db, &f->t.err));
    assert_non_null(strstr(f->t.err.message, "store.db"));
    f->t.err = (struct liana_error)LIANA_ERROR_INIT;
    lia_test_disk_fault(&f->disk, LIA_FAULT_NONE, 0, false);
    lia_test_db_open(&f->t);
    assert_int_equal(count(f, "SELECT * FROM c"), DOCS);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest cases[] = {
    CASE(an_insert),
    CASE(a_new_collection),
    CASE(a_big_update),
    CASE(a_delete),
    CASE(a_batch_of_a_peer),
    CASE(a_stage),
    CASE(a_registration),
    CASE(closing_needs_no_room),
    CASE(closing_makes_durable_without_room),
    CASE(closing_beside_a_tool),
    CASE(a_checkpoint_that_fails_is_told),
};

LIA_TEST_MAIN(cases)
