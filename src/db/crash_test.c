/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include "base/limits.h"
#include "db/testing/fixture.h"
#include "store/testing/disk.h"

/* A db on a disk of the test's own, and what it has acknowledged. */
#define DOCS 6

struct fixture {
    struct lia_test_db t;
    struct lia_test_disk disk;
    struct lia_test_disk left; /* by a loss of power */
    struct lia_test_disk first;
    struct lia_rng rng;
    int32_t acknowledged[DOCS]; /* -1: none */
    int32_t written[DOCS];      /* committed, not known to be durable */
    uint64_t durable_seq;
};

static int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));

    lia_test_db_init(&f->t, 5);
    lia_test_disk_init(&f->disk, "disk");
    f->t.options.store.vfs = "disk";
    f->t.options.store.path = "store";
    f->rng = lia_rng(lia_test_seed("crash"));
    memset(f->acknowledged, 0xff, sizeof(f->acknowledged));
    memset(f->written, 0xff, sizeof(f->written));
    lia_test_db_open(&f->t);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    lia_test_db_finish(&f->t);
    lia_test_disk_deinit(&f->disk);
    lia_test_disk_deinit(&f->left);
    lia_test_disk_deinit(&f->first);
    test_free(f);
    return 0;
}

static void assert_sound(struct lia_test_db *t)
{
    struct lia_txn *txn = lia_test_begin(t, LIA_READ);
    struct lia_conn *conn = lia_txn_conn(txn);
    sqlite3_stmt *stmt;

    assert_ok(lia_conn_prepare(conn, lia_str("PRAGMA integrity_check"), &stmt, NULL));
    assert_ok(lia_conn_step(conn, stmt, NULL));
    assert_true(lia_str_equal(lia_column_str(stmt, 0), lia_str("ok")));
    lia_conn_done(conn, stmt);
    lia_txn_rollback(txn);
}

/* Two documents of every commit carry one number: both or neither must be there. */
static void write_pair(struct fixture *f,
                       int32_t number,
                       enum lia_durability durability)
{
    struct lia_txn_options options = lia_txn_options(f->t.db, LIA_WRITE);
    int32_t at = (int32_t)lia_rng_below(&f->rng, DOCS / 2);
    struct lia_commit commit;
    struct lia_txn *txn;

    options.durability = durability;
    assert_ok(lia_txn_begin(f->t.db, &options, &txn, &f->t.err));
    lia_test_put_in(&f->t, txn, "c", at, number);
    lia_test_put_in(&f->t, txn, "c", at + DOCS / 2, number);
    assert_ok(lia_txn_commit(txn, &commit, &f->t.err));
    f->written[at] = number;
    if (durability == LIA_FULL) {
        memcpy(f->acknowledged, f->written, sizeof(f->written));
        f->durable_seq = commit.seq;
    }
}

static void assert_survived(struct fixture *f, struct lia_test_db *after)
{
    uint64_t seq = lia_store_head(lia_db_store(after->db)).committed.seq;

    assert_true(seq >= f->durable_seq);
    for (int32_t i = 0; i < DOCS / 2; i++) {
        int32_t one = lia_test_get(after, "c", i);

        assert_int_equal(one, lia_test_get(after, "c", i + DOCS / 2));
        assert_true(one >= f->acknowledged[i]);
        assert_true(one <= f->written[i]);
    }
}

static void lose_power(struct fixture *f)
{
    struct lia_test_db after;

    lia_test_disk_crash(&f->disk, &f->rng, &f->left, "left");
    lia_test_db_init(&after, 6);
    after.options.store.vfs = "left";
    after.options.store.path = "store";
    lia_test_db_open(&after);
    assert_sound(&after);
    assert_survived(f, &after);
    lia_test_put(&after, "c", 100, 1);
    lia_test_db_finish(&after);
    lia_test_disk_deinit(&f->left);
}

static void what_was_acknowledged_survives(void **state)
{
    struct fixture *f = *state;
    int32_t count = (int32_t)lia_test_cases(300);

    for (int32_t i = 0; i < count; i++) {
        write_pair(f, i, lia_rng_chance(&f->rng, 50) ? LIA_FULL : LIA_NORMAL);
        if (lia_rng_chance(&f->rng, 25)) {
            lose_power(f);
        }
        if (lia_rng_chance(&f->rng, 3)) {
            lia_test_db_close(&f->t);
            lia_test_db_open(&f->t);
        }
        lia_arena_reset(&f->t.arena);
    }
}

/* Enough to start the WAL again several times. */
static void checkpoints_survive(void **state)
{
    struct fixture *f = *state;

    for (int32_t i = 0; i < 30; i++) {
        struct lia_txn *txn = lia_test_begin(&f->t, LIA_WRITE);

        for (int32_t k = 0; k < 4000; k++) {
            lia_test_put_in(&f->t, txn, "big", i * 4000 + k, k);
        }
        assert_ok(lia_txn_commit(txn, NULL, &f->t.err));
        write_pair(f, i, LIA_FULL);
        lia_arena_reset(&f->t.arena);
        if (i % 3 == 0) {
            lose_power(f);
        }
    }
}

/* An opening that is cut short anywhere leaves something that opens. */
static void a_first_opening_that_is_cut_short(void **state)
{
    struct fixture *f = *state;

    for (uint64_t n = 1;; n++) {
        struct lia_test_db t;
        liana_status status;

        lia_test_disk_init(&f->first, "first");
        lia_test_db_init(&t, 7);
        t.options.store.vfs = "first";
        t.options.store.path = "store";
        lia_test_disk_fault(&f->first, LIA_FAULT_WRITE, n, true);
        status = lia_db_open(&t.options, &t.db, &t.err);
        lia_test_disk_fault(&f->first, LIA_FAULT_NONE, 0, false);
        lia_test_disk_crash(&f->first, &f->rng, &f->left, "left");
        lia_test_db_finish(&t);

        lia_test_db_init(&t, 8);
        t.options.store.vfs = "left";
        t.options.store.path = "store";
        lia_test_db_open(&t);
        assert_sound(&t);
        lia_test_db_finish(&t);
        lia_test_disk_deinit(&f->first);
        lia_test_disk_deinit(&f->left);
        if (!status) {
            break;
        }
        assert_int_equal(status, LIANA_EIO);
    }
}

/* Group commit's other half: a failed sync is told, and nothing is written any more. */
static void a_failed_sync_stops_writing(void **state)
{
    struct fixture *f = *state;
    struct lia_txn_options options = lia_txn_options(f->t.db, LIA_WRITE);
    const struct lia_interest interest = {.after_seq = 0};
    const struct lia_feed_query query = {
        .interests = &interest, .interest_count = 1, .bytes_max = LIA_MIB};
    struct lia_feed_page page;
    struct lia_txn *txn;

    lia_test_put(&f->t, "c", 1, 1);
    assert_ok(lia_txn_begin(f->t.db, &options, &txn, &f->t.err));
    lia_test_put_in(&f->t, txn, "c", 1, 2);
    lia_test_disk_fault(&f->disk, LIA_FAULT_SYNC, 1, false);
    assert_status(LIANA_EIO, lia_txn_commit(txn, NULL, &f->t.err));
    assert_int_equal(f->t.err.subcode, SQLITE_IOERR_FSYNC);
    assert_non_null(strstr(f->t.err.message, "store.db"));
    assert_status(LIANA_EIO, lia_txn_begin(f->t.db, &options, &txn, NULL));
    assert_ok(lia_db_feed(f->t.db, &f->t.arena, &query, &page, NULL));
    assert_int_equal(page.head, 2);
    assert_int_equal(lia_store_head(lia_db_store(f->t.db)).durable.seq, 1);
    assert_status(LIANA_EIO, lia_db_close(f->t.db, NULL));
    f->t.err = (struct liana_error)LIANA_ERROR_INIT;
    lia_test_db_open(&f->t);
    assert_sound(&f->t);
    lia_test_put(&f->t, "c", 1, 3);
}

/* Every write in turn fails once: the caller is told, nothing acknowledged is lost, and
 * the store opens again. */
static void every_write_that_fails(void **state)
{
    struct fixture *f = *state;

    lia_test_put(&f->t, "c", 1, 0);
    for (uint64_t n = 1;; n++) {
        struct lia_txn *txn = lia_test_begin(&f->t, LIA_WRITE);
        int32_t before = lia_test_get(&f->t, "c", 1);
        int32_t after;
        liana_status status;

        lia_test_put_in(&f->t, txn, "c", 1, (int32_t)n);
        lia_test_disk_fault(&f->disk, LIA_FAULT_WRITE, n, false);
        status = lia_txn_commit(txn, NULL, &f->t.err);
        lia_test_disk_fault(&f->disk, LIA_FAULT_NONE, 0, false);
        if (!status) {
            assert_true(n > 1);
            break;
        }
        assert_int_equal(status, LIANA_EIO);
        LIA_IGNORE(lia_db_close(f->t.db, NULL)); /* it has failed */
        f->t.err = (struct liana_error)LIANA_ERROR_INIT;
        lia_test_db_open(&f->t);
        assert_sound(&f->t);
        after = lia_test_get(&f->t, "c", 1);
        assert_true(after == before || after == (int32_t)n);
    }
}

static liana_status fill(struct fixture *f, int32_t *id)
{
    struct lia_txn_options options = lia_txn_options(f->t.db, LIA_WRITE);
    const struct lia_collection *coll;
    struct lia_txn *txn;
    liana_status status = lia_txn_begin(f->t.db, &options, &txn, &f->t.err);

    assert_ok(status);
    status = lia_txn_collection(txn, lia_str("c"), true, &coll, &f->t.err);
    for (int32_t i = 0; i < 20 && !status; i++) {
        status = lia_txn_insert(txn, coll, lia_test_body(&f->t, (*id)++, 1), NULL,
                                &f->t.err);
    }
    if (status) {
        lia_txn_rollback(txn);
        return status;
    }
    return lia_txn_commit(txn, NULL, &f->t.err);
}

/* Full is no failure: writing goes on when there is room again, without reopening. */
static void a_full_disk_is_waited_out(void **state)
{
    struct fixture *f = *state;
    liana_status status = LIANA_OK;
    int32_t id = 0;
    int32_t committed = 0;

    f->disk.bytes_max = 400000;
    while (!status) {
        committed = id;
        status = fill(f, &id);
    }
    assert_int_equal(status, LIANA_EFULL);
    assert_true(committed > 0);
    f->t.err = (struct liana_error)LIANA_ERROR_INIT;
    assert_int_equal(lia_test_get(&f->t, "c", committed - 1), 1);
    assert_int_equal(lia_test_get(&f->t, "c", committed), -1);
    assert_int_equal(fill(f, &id), LIANA_EFULL);
    f->t.err = (struct liana_error)LIANA_ERROR_INIT;
    f->disk.bytes_max = 0;
    assert_ok(fill(f, &id));
    assert_sound(&f->t);
}

/* A commit that waits for nobody does not sync; one sync serves all that came before. */
static void durability_costs_what_it_says(void **state)
{
    struct fixture *f = *state;
    uint64_t before;

    lia_test_put(&f->t, "c", 1, 1);
    before = f->disk.syncs;
    write_pair(f, 1, LIA_NORMAL);
    write_pair(f, 1, LIA_NORMAL);
    assert_int_equal(f->disk.syncs, before);
    write_pair(f, 2, LIA_FULL);
    assert_int_equal(f->disk.syncs, before + 1);
    assert_ok(lia_store_sync(lia_db_store(f->t.db), &f->t.err));
    assert_int_equal(f->disk.syncs, before + 1);
}

static liana_status read_and_write(struct lia_test_db *t)
{
    const struct lia_interest interest = {.after_seq = 0};
    const struct lia_feed_query query = {
        .interests = &interest, .interest_count = 1, .bytes_max = LIA_MIB};
    struct lia_txn_options options = lia_txn_options(t->db, LIA_WRITE);
    const struct lia_op delete = {.kind = LIA_OP_DELETE};
    const struct lia_collection *coll;
    struct lia_feed_page page;
    struct lia_txn *txn;
    liana_status status = lia_db_feed(t->db, &t->arena, &query, &page, NULL);

    if (!status) {
        status = lia_txn_begin(t->db, &options, &txn, NULL);
    }
    if (status) {
        return status;
    }
    status = lia_txn_collection(txn, lia_str("c"), true, &coll, NULL);
    for (int32_t id = 0; id < 40 && !status; id++) {
        status = lia_txn_apply(txn, coll, lia_test_key(t, id), &delete, 1, NULL, NULL);
    }
    if (status) {
        lia_txn_rollback(txn);
        return status;
    }
    return lia_txn_commit(txn, NULL, NULL);
}

static bool is_damage(liana_status status)
{
    switch (status) {
    case LIANA_OK: /* it hit what nobody reads, or only a value */
    case LIANA_ECORRUPT:
    case LIANA_EFOREIGN:
    case LIANA_EVERSION:
    case LIANA_EIO: return true;
    default: return false;
    }
}

/* Bytes that change on the disk are an error at most, whatever they are. */
static void damage_is_a_status(void **state)
{
    struct fixture *f = *state;
    size_t cases = lia_test_cases(100);
    uint8_t *bytes;
    size_t len = 0;

    for (int32_t i = 0; i < 40; i++) {
        lia_test_put(&f->t, "c", i, i);
    }
    lia_test_db_close(&f->t);
    for (size_t i = 0; i < cases; i++) {
        struct lia_test_db t;
        liana_status status;

        lia_test_disk_deinit(&f->left);
        lia_test_disk_crash(&f->disk, &f->rng, &f->left, "left");
        bytes = lia_test_disk_bytes(&f->left, "store.db", &len);
        assert_non_null(bytes);
        for (int32_t k = 0; k < 8; k++) {
            bytes[lia_rng_below(&f->rng, len)] = (uint8_t)lia_rng_next(&f->rng);
        }
        lia_test_db_init(&t, i);
        t.options.store.vfs = "left";
        t.options.store.path = "store";
        status = lia_db_open(&t.options, &t.db, NULL);
        if (!status) {
            status = read_and_write(&t);
            LIA_IGNORE(lia_db_close(t.db, NULL)); /* damaged, too */
            t.db = NULL;
        }
        if (!is_damage(status)) {
            print_error("%s\n", liana_status_name(status));
        }
        assert_true(is_damage(status));
        lia_test_db_finish(&t);
    }
    lia_test_db_open(&f->t);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(what_was_acknowledged_survives),
        CASE(checkpoints_survive),
        CASE(a_first_opening_that_is_cut_short),
        CASE(a_failed_sync_stops_writing),
        CASE(every_write_that_fails),
        CASE(a_full_disk_is_waited_out),
        CASE(damage_is_a_status),
        CASE(durability_costs_what_it_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
