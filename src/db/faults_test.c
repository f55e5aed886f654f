/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a store does beside writing documents, with faults. Every part is run from the same
 * copy of a store with each of its allocations failing, and with power lost at each of its
 * writes. After each: what is there is whole, and the part, done again, comes to its end.
 */
#include "base/testing/test.h"

#include "db/exec.h"
#include "db/internal.h"
#include "db/testing/statements.h"
#include "store/testing/disk.h"

#define PEER  LIA_BYTES("the other")
#define TTL   ((uint64_t)1000)
#define COUNT 3 /* documents: 1, 2, 3 */

struct world {
    struct lia_test_db other; /* where copies come from */
    struct lia_test_db t;     /* the store */
    struct lia_test_disk disk;
    struct lia_test_disk start; /* what each run starts with */
    struct lia_test_disk left;  /* by a loss of power */
    struct lia_rng rng;
    uint64_t now_ms;
    uint64_t seed;
    struct lia_batch_item items[COUNT];
    struct lia_batch batch; /* of `other` */
    struct lia_batch_marks marks;
    struct lia_batch_keep keep;
    struct lia_name whole;
};

struct part {
    void (*prepare)(struct world *w);
    liana_status (*act)(struct world *w); /* all of it; from anywhere */
    void (*check)(struct world *w, bool is_done);
};

static int setup(void **state)
{
    struct world *w = test_calloc(1, sizeof(*w));

    lia_test_db_init(&w->other, 1);
    lia_test_disk_init(&w->disk, "faults");
    w->rng = lia_rng(lia_test_seed("faults"));
    w->other.options.tombstone_ttl_ms = TTL;
    lia_test_db_open(&w->other);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    lia_test_db_finish(&w->other);
    lia_test_disk_deinit(&w->disk);
    lia_test_disk_deinit(&w->start);
    lia_test_disk_deinit(&w->left);
    test_free(w);
    return 0;
}

/* ---- the store ---- */

static void init(struct world *w)
{
    lia_test_db_init(&w->t, ++w->seed + 1);
    w->t.options.store.vfs = "faults";
    w->t.options.store.path = "store";
    w->t.options.tombstone_ttl_ms = TTL;
    w->t.options.conflicts_max = 2;
    w->t.env.wall_ms = w->now_ms ? w->now_ms : w->t.env.wall_ms;
}

static void prepare(struct world *w, const struct part *part)
{
    init(w);
    lia_test_db_open(&w->t);
    part->prepare(w);
    w->now_ms = w->t.env.wall_ms;
    lia_test_db_finish(&w->t);
    lia_test_disk_crash(&w->disk, &w->rng, &w->start, "start");
}

static void start(struct world *w)
{
    lia_test_disk_deinit(&w->disk);
    lia_test_disk_crash(&w->start, &w->rng, &w->disk, "faults");
    init(w);
    lia_test_db_open(&w->t);
}

static void reopen(struct world *w)
{
    LIA_IGNORE(lia_db_close(w->t.db, NULL)); /* it may have failed */
    w->t.err = (struct liana_error)LIANA_ERROR_INIT;
    lia_test_db_open(&w->t);
}

static void lose_power(struct world *w)
{
    lia_test_disk_crash(&w->disk, &w->rng, &w->left, "left");
    LIA_IGNORE(lia_db_close(w->t.db, NULL)); /* on a disk that is gone */
    w->t.db = NULL;
    lia_test_db_finish(&w->t);
    lia_test_disk_deinit(&w->disk);
    lia_test_disk_crash(&w->left, &w->rng, &w->disk, "faults");
    lia_test_disk_deinit(&w->left);
    init(w);
    lia_test_db_open(&w->t);
}

static uint64_t ask(struct world *w, const char *sql)
{
    struct lia_store *store = lia_db_store(w->t.db);
    struct lia_conn *conn;
    sqlite3_stmt *stmt = NULL;
    uint64_t out;

    assert_ok(lia_store_read_begin(store, &conn, NULL));
    assert_ok(lia_conn_prepare(conn, lia_str(sql), &stmt, NULL));
    assert_ok(lia_conn_step(conn, stmt, NULL));
    out = lia_column_u64(stmt, 0);
    lia_conn_done(conn, stmt);
    lia_store_read_end(store, conn);
    return out;
}

static void check(struct world *w, const struct part *part, bool is_done)
{
    assert_int_equal(ask(w, "SELECT count(*) FROM pragma_integrity_check "
                            "WHERE integrity_check <> 'ok'"),
                     0);
    part->check(w, is_done);
}

static void do_again(struct world *w, const struct part *part)
{
    assert_ok(part->act(w));
    check(w, part, true);
    lia_test_db_finish(&w->t);
}

/* ---- faults ---- */

/* False: there was no n-th allocation. */
static bool fails_without_memory(struct world *w, const struct part *part, size_t n)
{
    struct lia_test_alloc *alloc = &w->t.env.alloc;
    size_t before;
    bool was_reached;
    liana_status status;

    start(w);
    before = atomic_load(&alloc->allocations);
    alloc->fails_onwards = n % 2;
    lia_test_alloc_fail_at(alloc, n);
    status = part->act(w);
    lia_test_alloc_fail_at(alloc, 0);
    was_reached = atomic_load(&alloc->allocations) >= before + n;
    if (status != (was_reached ? LIANA_ENOMEM : LIANA_OK)) {
        print_error("allocation %zu: %s\n", n, liana_status_name(status));
    }
    assert_status(was_reached ? LIANA_ENOMEM : LIANA_OK, status);
    check(w, part, !was_reached);
    if (n % 4 < 2) {
        reopen(w);
        check(w, part, !was_reached);
    }
    do_again(w, part);
    return was_reached;
}

/* False: there was no n-th write. */
static bool fails_without_power(struct world *w, const struct part *part, size_t n)
{
    liana_status status;

    start(w);
    lia_test_disk_fault(&w->disk, LIA_FAULT_WRITE, n, true);
    status = part->act(w);
    assert_true(status == LIANA_OK || status == LIANA_EIO);
    lose_power(w);
    check(w, part, false); /* what was told done may be lost: nobody waited */
    do_again(w, part);
    return status != LIANA_OK;
}

static void withstands(struct world *w, const struct part *part)
{
    size_t n = 0;

    prepare(w, part);
    while (fails_without_memory(w, part, ++n)) {
    }
    assert_true(n > 1);
    n = 0;
    while (fails_without_power(w, part, ++n)) {
    }
    assert_true(n > 1);
}

/* ---- what the parts do ---- */

static void put_all(struct lia_test_db *t, int32_t a)
{
    for (int32_t id = 1; id <= COUNT; id++) {
        lia_test_env_pass(&t->env, 1);
        lia_test_put(t, "c", id, a + id);
    }
}

static void delete_all(struct lia_test_db *t)
{
    for (int32_t id = 1; id <= COUNT; id++) {
        lia_test_delete(t, "c", id);
    }
}

static struct lia_keeping keeping(struct lia_test_db *t)
{
    struct lia_keeping out;

    assert_ok(lia_db_keeping(t->db, &t->arena, lia_str("c"), &out, NULL));
    return out;
}

/* What `other` holds, to be sent once and again. */
static void take_batch(struct world *w)
{
    struct lia_keeping k = keeping(&w->other);

    w->whole = lia_name_of(lia_str("c"), lia_slice(NULL, 0));
    for (int32_t i = 0; i < COUNT; i++) {
        w->items[i] = lia_test_segment(&w->other, "c", i + 1, (struct lia_vector){0});
        w->items[i].subscription = lia_name_slice(&w->whole);
    }
    w->marks = (struct lia_batch_marks){lia_name_slice(&w->whole), k.keep.marks};
    w->keep = (struct lia_batch_keep){.collection = lia_str("c"),
                                      .is_whole = true,
                                      .forgotten = k.keep.forgotten,
                                      .kept = k.keep.kept};
    w->batch = (struct lia_batch){.peer = PEER,
                                  .items = w->items,
                                  .item_count = COUNT,
                                  .marks = &w->marks,
                                  .marks_count = 1,
                                  .keeps = &w->keep,
                                  .keep_count = 1};
}

static liana_status receive(struct world *w)
{
    struct lia_arena arena;
    struct lia_applied applied;
    liana_status status;

    lia_arena_init(&arena, &w->t.env.alloc.alloc);
    status = lia_db_apply(w->t.db, &arena, &w->batch, LIA_FULL, &applied, NULL);
    lia_arena_deinit(&arena);
    return status;
}

static void send_to_other(struct world *w)
{
    for (int32_t id = 1; id <= COUNT; id++) {
        lia_test_send(&w->t, &w->other, "c", id);
    }
}

/* As it is here now, a keeper has it. */
static void keep_all(struct world *w)
{
    struct lia_batch_keep keep = {.collection = lia_str("c"),
                                  .kept = keeping(&w->t).keep.marks};
    const struct lia_batch batch = {.peer = PEER, .keeps = &keep, .keep_count = 1};
    struct lia_applied applied;

    assert_ok(lia_db_apply(w->t.db, &w->t.arena, &batch, LIA_FULL, &applied, NULL));
}

static void reopen_as_keeper(struct lia_test_db *t)
{
    lia_test_db_close(t);
    t->options.is_keeper = true;
    lia_test_db_open(t);
}

static bool has_row(struct world *w, int32_t id)
{
    return lia_test_doc(&w->t, "c", id).clock.len > 0;
}

static size_t rows(struct world *w)
{
    size_t count = 0;

    for (int32_t id = 1; id <= COUNT; id++) {
        count += has_row(w, id);
    }
    return count;
}

static liana_status upkeep(struct world *w)
{
    struct lia_upkeep done = {0};
    liana_status status;

    do {
        status = lia_db_upkeep(w->t.db, &done, NULL);
    } while (!status && done.next_ms == 0);
    return status;
}

static liana_status run(struct world *w, const char *text)
{
    struct lia_result *result = NULL;
    liana_status status =
        lia_db_execute(w->t.db, lia_str(text), lia_slice(NULL, 0), NULL, &result, NULL);

    lia_result_free(result);
    return status;
}

/* ---- forgetting ---- */

static void prepare_forgetting(struct world *w)
{
    reopen_as_keeper(&w->t);
    put_all(&w->t, 0);
    send_to_other(w);
    delete_all(&w->t);
    lia_test_env_pass(&w->t.env, TTL + 1);
}

/* A tombstone that went left its date, and is no more in the queue. */
static void check_forgetting(struct world *w, bool is_done)
{
    size_t left = rows(w);

    assert_true(left == COUNT || keeping(&w->t).keep.forgotten > 0);
    assert_int_equal(ask(w, "SELECT count(*) FROM tombstone"), left);
    assert_true(!is_done || left == 0);
}

static void forgetting(void **state)
{
    withstands(*state, &(struct part){prepare_forgetting, upkeep, check_forgetting});
}

/* ---- verdicts ---- */

static void prepare_verdicts(struct world *w)
{
    prepare_forgetting(w);
    assert_ok(upkeep(w));
    take_batch(w);
}

/* The batch and its verdicts are one commit: nothing ever lives. */
static void check_verdicts(struct world *w, bool is_done)
{
    size_t left = rows(w);

    assert_true(left == 0 || left == COUNT);
    assert_true(!is_done || left == COUNT);
    for (int32_t id = 1; id <= COUNT; id++) {
        assert_int_equal(lia_test_get(&w->t, "c", id), -1);
    }
    assert_int_equal(ask(w, "SELECT count(*) FROM tombstone"), left);
}

static void verdicts(void **state)
{
    withstands(*state, &(struct part){prepare_verdicts, receive, check_verdicts});
}

/* ---- marks ---- */

static void prepare_marks(struct world *w)
{
    reopen_as_keeper(&w->other);
    put_all(&w->other, 0);
    lia_test_put(&w->other, "c", COUNT + 1, 1);
    lia_test_delete(&w->other, "c", COUNT + 1);
    lia_test_env_pass(&w->other.env, TTL + 1);
    assert_ok(lia_db_upkeep(w->other.db, &(struct lia_upkeep){0}, NULL));
    take_batch(w);
    w->t.env.wall_ms = w->other.env.wall_ms;
}

/* What others know comes with the documents or not at all. */
static void check_marks(struct world *w, bool is_done)
{
    struct lia_keeping k = keeping(&w->t);
    size_t left = rows(w);

    assert_true(left == 0 || left == COUNT);
    assert_true(!is_done || left == COUNT);
    assert_int_equal(lia_vector_geq(k.keep.marks, w->marks.marks), left > 0);
    assert_int_equal(lia_vector_geq(k.keep.kept, w->keep.kept), left > 0);
    assert_int_equal(k.keep.is_whole, left > 0);
    assert_int_equal(k.keep.forgotten, left ? w->keep.forgotten : 0);
    assert_true(w->keep.forgotten > 0);
}

static void marks(void **state)
{
    withstands(*state, &(struct part){prepare_marks, receive, check_marks});
}

/* ---- eviction ---- */

static void prepare_eviction(struct world *w)
{
    put_all(&w->other, 0);
    take_batch(w);
    assert_ok(receive(w));
    lia_test_put(&w->t, "c", 1, 10);
    keep_all(w);
}

static liana_status evict(struct world *w)
{
    const struct lia_txn_options options = lia_txn_options(w->t.db, LIA_WRITE);
    liana_status status = LIANA_OK;

    for (int32_t id = 1; id <= 2 && !status; id++) {
        struct liana_slice key = w->items[id - 1].key.key;
        const struct lia_collection *coll;
        struct lia_txn *txn;
        bool is_evicted;

        status = lia_txn_begin(w->t.db, &options, &txn, NULL);
        if (status) {
            return status;
        }
        status = lia_txn_collection(txn, lia_str("c"), false, &coll, NULL);
        if (!status) {
            status = lia_txn_evict(txn, coll, key, false, &is_evicted, NULL);
        }
        if (status) {
            lia_txn_rollback(txn);
        } else {
            status = lia_txn_commit(txn, NULL, NULL);
        }
    }
    return status;
}

/* Who dropped what it wrote is another one, and both know what was dropped. */
static void check_eviction(struct world *w, bool is_done)
{
    struct lia_keeping k = keeping(&w->t);
    uint64_t own = lia_db_identity(w->t.db).actor;

    assert_true(has_row(w, 3));
    assert_true(!is_done || rows(w) == 1);
    assert_int_equal(lia_vector_get(k.keep.evicted, own), 0);
    assert_true(lia_vector_geq(k.keep.marks, k.keep.evicted));
    assert_int_equal(k.keep.evicted.count, has_row(w, 1) ? 0 : 2);
    assert_int_equal(ask(w, "SELECT count(*) FROM state WHERE own = 0"),
                     !has_row(w, 1));
}

static void eviction(void **state)
{
    withstands(*state, &(struct part){prepare_eviction, evict, check_eviction});
}

/* ---- retention ---- */

static void prepare_retention(struct world *w)
{
    lia_test_run(&w->t, "CREATE COLLECTION c WITH (keep = 1)");
    put_all(&w->t, 0);
    keep_all(w);
}

/* Those that went are the oldest, and are remembered. */
static void check_retention(struct world *w, bool is_done)
{
    size_t left = rows(w);

    assert_true(has_row(w, 3));
    assert_true(left == COUNT || !has_row(w, 1));
    assert_true(left == COUNT || keeping(&w->t).keep.evicted.count > 0);
    assert_true(!is_done || left == 1);
    assert_true(!is_done || ask(w, "SELECT count(*) FROM aged") == 1);
}

static void retention(void **state)
{
    withstands(*state, &(struct part){prepare_retention, upkeep, check_retention});
}

/* A piece that found no room was not done: the newest stay, as they are counted then. */
static void a_piece_of_retention_without_room(void **state)
{
    struct world *w = *state;
    struct lia_upkeep done;

    init(w);
    lia_test_db_open(&w->t);
    lia_test_run(&w->t, "CREATE COLLECTION c WITH (keep = 100)");
    for (int32_t id = 1; id <= 200; id++) {
        lia_test_env_pass(&w->t.env, 1);
        lia_test_put(&w->t, "c", id, id);
    }
    keep_all(w);
    w->disk.bytes_max = 1;
    assert_status(LIANA_EFULL, lia_db_upkeep(w->t.db, &done, NULL));
    w->disk.bytes_max = 0;
    assert_ok(upkeep(w));
    for (int32_t id = 1; id <= 200; id++) {
        assert_int_equal(has_row(w, id), id > 100);
    }
    lia_test_db_finish(&w->t);
}

/* ---- what leaves a subscription ---- */

static void prepare_interest(struct world *w)
{
    lia_test_run(&w->t, "CREATE COLLECTION c WITH (on_unmatch = 'remove')");
    reopen_as_keeper(&w->other);
    put_all(&w->other, 10);
    take_batch(w);
    assert_ok(receive(w));
    put_all(&w->other, 0);
    lia_test_put(&w->other, "c", 3, 30);
    take_batch(w);
}

static liana_status unmatch(struct world *w)
{
    static const uint8_t ten[] = {10, 0, 0, 0};
    uint64_t id;
    liana_status status =
        lia_db_interest_add(w->t.db, lia_str("c"), lia_slice(ten, 4), &id, NULL);

    if (status) {
        return status;
    }
    status = receive(w);
    if (!status) {
        status = upkeep(w);
    }
    lia_db_interest_remove(w->t.db, id);
    return status;
}

/* What left is noted with the change, or nobody would ever drop it. */
static void check_interest(struct world *w, bool is_done)
{
    bool is_changed = lia_test_get(&w->t, "c", 3) == 30;
    uint64_t noted = ask(w, "SELECT count(*) FROM unmatched");

    assert_int_equal(noted, is_changed ? rows(w) - 1 : 0);
    assert_true(is_changed || rows(w) == COUNT);
    assert_true(!is_done || (is_changed && rows(w) == 1));
}

static void interest(void **state)
{
    withstands(*state, &(struct part){prepare_interest, unmatch, check_interest});
}

/* ---- registrations ---- */

/* From the peer's place in the feed. */
static liana_status follow(struct world *w, uint64_t after_seq, uint64_t *out_id)
{
    static const uint8_t ten[] = {10, 0, 0, 0};
    const struct lia_subscription sub = {.hash = LIA_BYTES("ten"),
                                         .collection = lia_str("c"),
                                         .query = {ten, 4},
                                         .after_seq = after_seq};
    struct lia_registration reg;
    liana_status status = lia_db_register(w->t.db, PEER, &sub, &reg, NULL);

    *out_id = status ? 0 : reg.id;
    return status;
}

static void prepare_registrations(struct world *w)
{
    uint64_t id;

    put_all(&w->t, 10);
    send_to_other(w);
    take_batch(w);
    assert_ok(follow(w, 0, &id));
}

static liana_status set_first(struct world *w, int32_t a)
{
    const struct lia_txn_options options = lia_txn_options(w->t.db, LIA_WRITE);
    const struct liana_str name = lia_str("a");
    struct lia_scratch scratch;
    const struct lia_op set = {.kind = LIA_OP_SET,
                               .path = {&name, 1},
                               .value = lia_value_of_int32(a, &scratch)};
    const struct lia_collection *coll;
    struct lia_txn *txn;
    liana_status status = lia_txn_begin(w->t.db, &options, &txn, NULL);

    if (status) {
        return status;
    }
    status = lia_txn_collection(txn, lia_str("c"), false, &coll, NULL);
    if (!status) {
        status = lia_txn_apply(txn, coll, w->items[0].key.key, &set, 1, NULL, NULL);
    }
    if (status) {
        lia_txn_rollback(txn);
        return status;
    }
    return lia_txn_commit(txn, NULL, NULL);
}

static liana_status take_out_of(struct world *w)
{
    uint64_t id;
    liana_status status = follow(w, COUNT, &id);

    if (!status) {
        status = set_first(w, 1);
    }
    return status ? status : lia_db_register_ack(w->t.db, PEER, id, COUNT, NULL);
}

/* A change that takes a document out of what a peer follows is told to that peer. */
static void check_registrations(struct world *w, bool is_done)
{
    bool is_out = lia_test_get(&w->t, "c", 1) == 1;

    assert_int_equal(ask(w, "SELECT count(*) FROM departed") > 0, is_out);
    assert_true(!is_out || ask(w, "SELECT count(*) FROM registration") == 1);
    assert_true(!is_done || is_out);
}

static void registrations(void **state)
{
    withstands(*state,
               &(struct part){prepare_registrations, take_out_of, check_registrations});
}

/* ---- owed ---- */

static void prepare_owed(struct world *w)
{
    put_all(&w->other, 0);
    w->other.env.wall_ms = w->t.env.wall_ms + LIA_CLOCK_AHEAD_MS + 60 * 1000;
    lia_test_put(&w->other, "c", 2, 20);
    take_batch(w);
    w->t.env.wall_ms += 1000;
}

/* Once too early, and once in time. */
static liana_status owe_and_pay(struct world *w)
{
    liana_status status;

    w->t.env.wall_ms = w->now_ms;
    status = receive(w);
    if (!status) {
        w->t.env.wall_ms += 60 * 1000;
        status = receive(w);
    }
    return status;
}

/* What the sender says of its marks is believed once it owes nothing. */
static void check_owed(struct world *w, bool is_done)
{
    size_t left = rows(w);
    bool is_owed = ask(w, "SELECT count(*) FROM owed") > 0;
    bool is_told = lia_vector_geq(keeping(&w->t).keep.marks, w->marks.marks);

    assert_true(left == 0 || left == COUNT - 1 || left == COUNT);
    assert_true(left != COUNT - 1 || is_owed);
    assert_int_equal(is_told, left == COUNT);
    assert_int_equal(ask(w, "SELECT count(*) FROM offer") > 0, is_owed);
    assert_true(!is_done || (left == COUNT && !is_owed));
}

static void owed(void **state)
{
    withstands(*state, &(struct part){prepare_owed, owe_and_pay, check_owed});
}

/* ---- conflicts ---- */

static void prepare_conflicts(struct world *w)
{
    put_all(&w->t, 0);
    send_to_other(w);
    put_all(&w->other, 10);
    lia_test_env_pass(&w->t.env, 1000);
    put_all(&w->t, 20);
    take_batch(w);
}

/* Losers are told with the merge that discards them, once, and the oldest give way. */
static void check_conflicts(struct world *w, bool is_done)
{
    size_t count = lia_test_count(&w->t, "SELECT * FROM system:conflicts");
    bool is_met = lia_vector_geq(keeping(&w->t).keep.marks, w->marks.marks);

    assert_int_equal(count, is_met ? 2 : 0);
    assert_true(!is_done || is_met);
    lia_test_shows(&w->t, "SELECT document, value FROM system:conflicts ORDER BY _id",
                   is_met ? "{'document': 2, 'value': 12}{'document': 3, 'value': 13}"
                          : "");
    assert_int_equal(lia_test_get(&w->t, "c", 1), 21);
}

static void conflicts(void **state)
{
    withstands(*state, &(struct part){prepare_conflicts, receive, check_conflicts});
}

/* ---- schema ---- */

static void prepare_create(struct world *w)
{
    put_all(&w->t, 0);
}

static liana_status create(struct world *w)
{
    return run(w, "CREATE COLLECTION IF NOT EXISTS c "
                  "(a INT32 NOT NULL, n COUNTER) WITH (keep = 5)");
}

static void check_create(struct world *w, bool is_done)
{
    size_t count = lia_test_count(&w->t, "SELECT * FROM _liana.collections");

    assert_true(!is_done || count == 1);
    assert_status(run(w, "INSERT INTO c DOCUMENTS ({'_id': 9, 'n': 1})"),
                  count ? LIANA_ESCHEMA : LIANA_OK);
    assert_ok(run(w, "DELETE FROM c WHERE _id = 9"));
}

static void a_declaration(void **state)
{
    withstands(*state, &(struct part){prepare_create, create, check_create});
}

static void prepare_alter(struct world *w)
{
    put_all(&w->t, 0);
    assert_ok(create(w));
}

static liana_status alter(struct world *w)
{
    return run(w, "ALTER COLLECTION c ALTER a STRING, SET (keep = 7)");
}

static void check_alter(struct world *w, bool is_done)
{
    bool is_altered = lia_test_count(&w->t, "SELECT * FROM _liana.collections "
                                            "WHERE options.keep = 7") == 1;

    assert_true(!is_done || is_altered);
    assert_status(run(w, "INSERT INTO c DOCUMENTS ({'_id': 9, 'a': 1})"),
                  is_altered ? LIANA_ESCHEMA : LIANA_OK);
    assert_ok(run(w, "DELETE FROM c WHERE _id = 9"));
}

static void a_change_of_it(void **state)
{
    withstands(*state, &(struct part){prepare_alter, alter, check_alter});
}

static liana_status drop(struct world *w)
{
    return run(w, "DROP COLLECTION IF EXISTS c");
}

static void check_drop(struct world *w, bool is_done)
{
    size_t declared = lia_test_count(&w->t, "SELECT * FROM _liana.collections");

    assert_int_equal(lia_test_count(&w->t, "SELECT * FROM c"), declared ? COUNT : 0);
    assert_true(!is_done || !declared);
}

static void its_end(void **state)
{
    withstands(*state, &(struct part){prepare_alter, drop, check_drop});
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(forgetting), CASE(verdicts),      CASE(marks),
        CASE(eviction),   CASE(retention),     CASE(a_piece_of_retention_without_room),
        CASE(interest),   CASE(registrations), CASE(owed),
        CASE(conflicts),  CASE(a_declaration), CASE(a_change_of_it),
        CASE(its_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
