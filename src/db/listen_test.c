/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include "base/limits.h"
#include "db/internal.h"
#include "db/testing/fixture.h"

struct fixture {
    struct lia_test_db t;
    struct lia_listener *listener;
    uint64_t from_seq;
    size_t woken;
    size_t asked;
    bool wants_before_body;
};

static void wake(void *ctx)
{
    ((struct fixture *)ctx)->woken++;
}

static void listen(struct fixture *f, bool wants_before_body)
{
    const struct lia_listener_options options = {
        .wake = wake, .ctx = f, .wants_before_body = wants_before_body};

    assert_ok(lia_db_listen(f->t.db, &options, &f->listener, &f->from_seq, &f->t.err));
}

static int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));

    lia_test_db_init(&f->t, 3);
    lia_test_db_open(&f->t);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    lia_db_unlisten(f->listener);
    lia_test_db_finish(&f->t);
    test_free(f);
    return 0;
}

static struct lia_taken take(struct fixture *f)
{
    struct lia_taken taken;

    assert_ok(lia_db_take(f->listener, &f->t.arena, LIA_MIB, &taken));
    return taken;
}

/* Beside one that takes, and alone. */
static void is_woken_and_keeps_nothing(void **state)
{
    struct fixture *f = *state;
    const struct lia_listener_options options = {
        .wake = wake, .ctx = f, .is_wake_only = true};
    struct lia_listener *other;
    uint64_t seq;

    assert_ok(lia_db_listen(f->t.db, &options, &other, &seq, &f->t.err));
    lia_test_put(&f->t, "c", 1, 0);
    assert_true(f->woken > 0);
    listen(f, false);
    lia_test_put(&f->t, "c", 1, 1);
    assert_int_equal(take(f).event_count, 1);
    lia_db_unlisten(other);
}

static void hears_each_commit_once(void **state)
{
    struct fixture *f = *state;
    struct lia_commit first;
    struct lia_commit second;
    struct lia_taken taken;
    const struct lia_commit_change *change;

    lia_test_put(&f->t, "c", 1, 0);
    listen(f, true);
    assert_int_equal(f->from_seq, 1);
    assert_int_equal(take(f).event_count, 0);
    first = lia_test_put(&f->t, "c", 2, 1);
    assert_true(f->woken > 0);
    second = lia_test_put(&f->t, "c", 2, 2);
    taken = take(f);
    assert_int_equal(taken.event_count, 2);
    assert_int_equal(taken.missed_upto, 0);
    assert_int_equal(taken.events[0].seq, first.seq);
    assert_int_equal(taken.events[0].stamp.hlc, first.stamp.hlc);
    assert_int_equal(taken.events[0].changes[0].before.count, 0);
    assert_int_equal(taken.events[0].changes[0].before_body.len, 0);
    change = &taken.events[1].changes[0];
    assert_true(lia_str_equal(change->collection->name, lia_str("c")));
    assert_slice_equal(change->key, lia_test_key(&f->t, 2));
    assert_int_equal(change->before.count, 1);
    assert_int_equal(change->before.entries[0].hlc, first.stamp.hlc);
    assert_int_equal(lia_test_a((struct lia_doc){.body = change->before_body}), 1);
    assert_int_equal(lia_test_a(change->after), 2);
    assert_int_equal(taken.events[1].stamp.hlc, second.stamp.hlc);
    assert_int_equal(take(f).event_count, 0);
}

/* However often a transaction writes a document, it is one change, from the state before
 * the transaction to the one after it. */
static void a_document_changes_once_per_commit(void **state)
{
    struct fixture *f = *state;
    struct lia_commit before;
    struct lia_taken taken;
    struct lia_txn *txn;

    before = lia_test_put(&f->t, "c", 1, 1);
    listen(f, false);
    txn = lia_test_begin(&f->t, LIA_WRITE);
    lia_test_put_in(&f->t, txn, "c", 1, 2);
    assert_ok(lia_txn_savepoint(txn, &f->t.err));
    lia_test_put_in(&f->t, txn, "c", 2, 2);
    assert_ok(lia_txn_undo(txn, &f->t.err));
    lia_test_put_in(&f->t, txn, "c", 3, 3);
    lia_test_put_in(&f->t, txn, "c", 1, 4);
    assert_ok(lia_txn_commit(txn, NULL, &f->t.err));
    taken = take(f);
    assert_int_equal(taken.event_count, 1);
    assert_int_equal(taken.events[0].change_count, 2);
    assert_int_equal(lia_test_a(taken.events[0].changes[0].after), 4);
    assert_int_equal(taken.events[0].changes[0].before.entries[0].hlc,
                     before.stamp.hlc);
    assert_slice_equal(taken.events[0].changes[1].key, lia_test_key(&f->t, 3));
}

static void hears_nothing_that_did_not_happen(void **state)
{
    struct fixture *f = *state;
    struct lia_txn *txn;

    listen(f, false);
    txn = lia_test_begin(&f->t, LIA_WRITE);
    lia_test_put_in(&f->t, txn, "c", 1, 1);
    lia_txn_rollback(txn);
    txn = lia_test_begin(&f->t, LIA_WRITE);
    assert_ok(lia_txn_commit(txn, NULL, &f->t.err));
    assert_int_equal(take(f).event_count, 0);
}

static void hears_nothing_before_it_is_durable(void **state)
{
    struct fixture *f = *state;
    struct lia_txn_options options = lia_txn_options(f->t.db, LIA_WRITE);
    struct lia_txn *txn;

    listen(f, false);
    options.durability = LIA_NORMAL;
    assert_ok(lia_txn_begin(f->t.db, &options, &txn, &f->t.err));
    lia_test_put_in(&f->t, txn, "c", 1, 1);
    assert_ok(lia_txn_commit(txn, NULL, &f->t.err));
    assert_int_equal(take(f).event_count, 0);
    assert_int_equal(f->woken, 1); /* to have it synced */
    assert_ok(lia_store_sync(lia_db_store(f->t.db), &f->t.err));
    assert_int_equal(f->woken, 2);
    assert_int_equal(take(f).event_count, 1);
}

static void a_listener_that_sleeps_misses(void **state)
{
    struct fixture *f = *state;
    struct lia_listener *awake;
    const struct lia_listener_options options = {0};
    struct lia_taken taken = {0};
    uint64_t seq;
    size_t heard = 0;

    listen(f, false);
    assert_ok(lia_db_listen(f->t.db, &options, &awake, &seq, &f->t.err));
    for (int32_t i = 0; i < 30; i++) {
        struct lia_txn *txn = lia_test_begin(&f->t, LIA_WRITE);
        const struct lia_collection *coll;
        struct lia_buf body;
        size_t doc;

        lia_buf_init(&body, &f->t.env.alloc.alloc);
        doc = lia_bson_begin(&body);
        lia_bson_add_int32(&body, lia_str("_id"), i);
        lia_bson_add_binary(
            &body, lia_str("x"), 0,
            lia_slice(lia_arena_zalloc(&f->t.arena, LIA_MIB / 2), LIA_MIB / 2));
        lia_bson_end(&body, doc);
        assert_ok(lia_txn_collection(txn, lia_str("c"), true, &coll, &f->t.err));
        assert_ok(lia_txn_insert(txn, coll, lia_buf_slice(&body), NULL, &f->t.err));
        assert_ok(lia_txn_commit(txn, NULL, &f->t.err));
        lia_buf_deinit(&body);
        assert_ok(lia_db_take(awake, &f->t.arena, LIA_MIB, &taken));
        heard += taken.event_count;
        assert_int_equal(taken.missed_upto, 0);
    }
    assert_int_equal(heard, 30);
    taken = take(f);
    assert_in_range(taken.missed_upto, 10, 29);
    assert_true(taken.event_count > 0 && taken.has_more);
    assert_int_equal(taken.events[0].seq, taken.missed_upto + 1);
    lia_db_unlisten(awake);
}

/* More than can be kept in one commit: the feed has it. */
static void a_commit_that_is_too_large_is_missed(void **state)
{
    struct fixture *f = *state;
    struct lia_txn *txn;
    struct lia_taken taken;

    listen(f, false);
    txn = lia_test_begin(&f->t, LIA_WRITE);
    for (int32_t i = 0; i < 80000; i++) {
        lia_test_put_in(&f->t, txn, "c", i, i);
        if (i % 1000 == 0) {
            lia_arena_reset(&f->t.arena);
        }
    }
    assert_ok(lia_txn_commit(txn, NULL, &f->t.err));
    lia_test_put(&f->t, "c", 1, 2);
    taken = take(f);
    assert_int_equal(taken.missed_upto, 1);
    assert_int_equal(taken.event_count, 1);
    assert_int_equal(taken.events[0].seq, 2);
}

/* A transaction that began before somebody listened has kept nothing for him. */
static void comes_in_the_middle(void **state)
{
    struct fixture *f = *state;
    struct lia_txn *txn = lia_test_begin(&f->t, LIA_WRITE);
    struct lia_taken taken;

    lia_test_put_in(&f->t, txn, "c", 1, 1);
    listen(f, false);
    assert_int_equal(f->from_seq, 0);
    assert_ok(lia_txn_commit(txn, NULL, &f->t.err));
    taken = take(f);
    assert_int_equal(taken.missed_upto, 1);
    assert_int_equal(taken.event_count, 0);
}

static const struct liana_slice SUB = {(const uint8_t *)"sub", 3};

/* A batch that moves a mark and brings no document. */
static void apply_mark(struct fixture *f, uint64_t hlc)
{
    const struct lia_vector_entry entry = {9, hlc};
    const struct lia_batch_marks marks = {SUB, {&entry, 1}};
    const struct lia_batch batch = {
        .peer = SUB, .origin = 8, .marks = &marks, .marks_count = 1};
    struct lia_applied applied;

    assert_ok(lia_db_apply(f->t.db, &f->t.arena, &batch, LIA_FULL, &applied, NULL));
}

/* The clock is asked when a transaction has begun: somebody begins to listen then. */
static uint64_t listen_now(void *ctx)
{
    struct fixture *f = ctx; /* its first member's first member is the env */

    if (++f->asked == 2) {
        listen(f, f->wants_before_body);
    }
    return f->t.env.wall_ms;
}

static void marks_are_heard_from_the_middle(void **state)
{
    struct fixture *f = *state;

    for (f->wants_before_body = false;; f->wants_before_body = true) {
        struct lia_taken taken;

        f->asked = 0;
        f->t.env.env.wall_ms = listen_now;
        apply_mark(f, 50 + f->wants_before_body);
        assert_non_null(f->listener);
        taken = take(f);
        assert_int_equal(taken.event_count, 1);
        assert_int_equal(taken.events[0].marks_count, 1);
        assert_int_equal(take(f).event_count, 0);
        lia_db_unlisten(f->listener);
        f->listener = NULL;
        if (f->wants_before_body) {
            return;
        }
    }
}

/* Who leaves while a transaction runs takes nothing from the others, and what was kept
 * for him alone does not stay. */
static void leaves_in_the_middle(void **state)
{
    const struct lia_listener_options taking = {0};
    const struct lia_listener_options waking = {
        .wake = wake, .ctx = *state, .is_wake_only = true};
    struct fixture *f = *state;
    struct lia_listener *other;
    struct lia_taken taken;
    uint64_t seq;

    for (int keeps_other = 0; keeps_other < 2; keeps_other++) {
        struct lia_txn *txn;

        listen(f, false);
        assert_ok(lia_db_listen(f->t.db, keeps_other ? &taking : &waking, &other, &seq,
                                &f->t.err));
        txn = lia_test_begin(&f->t, LIA_WRITE);
        lia_test_put_in(&f->t, txn, "c", 1, keeps_other);
        f->woken = 0;
        lia_db_unlisten(f->listener);
        f->listener = NULL;
        assert_ok(lia_txn_commit(txn, NULL, &f->t.err));
        if (keeps_other) {
            assert_int_equal(f->woken, 0);
            assert_ok(lia_db_take(other, &f->t.arena, LIA_MIB, &taken));
            assert_int_equal(taken.event_count, 1);
        } else {
            assert_true(f->woken > 0);
        }
        assert_null(f->t.db->listen.oldest);
        assert_int_equal(f->t.db->listen.bytes, 0);
        lia_db_unlisten(other);
    }
}

/* The same for one who wants more than the others who listened. */
static void wants_more_in_the_middle(void **state)
{
    struct fixture *f = *state;
    const struct lia_listener_options options = {.wants_before_body = true};
    struct lia_listener *other;
    struct lia_taken taken;
    struct lia_txn *txn;
    uint64_t seq;

    listen(f, false);
    txn = lia_test_begin(&f->t, LIA_WRITE);
    lia_test_put_in(&f->t, txn, "c", 1, 1);
    assert_ok(lia_db_listen(f->t.db, &options, &other, &seq, &f->t.err));
    assert_ok(lia_txn_commit(txn, NULL, &f->t.err));
    assert_int_equal(take(f).event_count, 1);
    assert_ok(lia_db_take(other, &f->t.arena, LIA_MIB, &taken));
    assert_int_equal(taken.missed_upto, 1);
    assert_int_equal(taken.event_count, 0);
    lia_db_unlisten(other);
}

static void batches_carry_their_origin_and_marks(void **state)
{
    struct fixture *f = *state;
    struct lia_test_db other;
    struct lia_taken taken;

    lia_test_db_init(&other, 4);
    lia_test_db_open(&other);
    lia_test_put(&other, "c", 1, 1);
    listen(f, false);
    lia_test_send(&other, &f->t, "c", 1);
    apply_mark(f, 50);
    taken = take(f);
    assert_int_equal(taken.event_count, 2);
    assert_int_equal(taken.events[0].origin, 7);
    assert_true(lia_stamp_is_none(taken.events[0].stamp));
    assert_int_equal(taken.events[1].origin, 8);
    assert_int_equal(taken.events[1].seq, 1);
    assert_int_equal(taken.events[1].change_count, 0);
    assert_int_equal(taken.events[1].marks_count, 1);
    assert_slice_equal(taken.events[1].marks[0].subscription, SUB);
    assert_int_equal(lia_vector_get(taken.events[1].marks[0].marks, 9), 50);
    lia_test_db_finish(&other);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(is_woken_and_keeps_nothing),
        CASE(hears_each_commit_once),
        CASE(a_document_changes_once_per_commit),
        CASE(hears_nothing_that_did_not_happen),
        CASE(hears_nothing_before_it_is_durable),
        CASE(a_listener_that_sleeps_misses),
        CASE(a_commit_that_is_too_large_is_missed),
        CASE(comes_in_the_middle),
        CASE(wants_more_in_the_middle),
        CASE(marks_are_heard_from_the_middle),
        CASE(leaves_in_the_middle),
        CASE(batches_carry_their_origin_and_marks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
