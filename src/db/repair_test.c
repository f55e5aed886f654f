/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include "db/renew.h"
#include "db/testing/fixture.h"
#include "db/testing/statements.h"
#include "store/testing/disk.h"

#define HOUR_MS   ((uint64_t)3600 * 1000)
#define AHEAD_MS  (72 * HOUR_MS)
#define MINUTE_MS ((uint64_t)60 * 1000)

/* A store whose clock is three days ahead, and one whose clock is right. */
struct world {
    struct lia_test_db store;
    struct lia_test_db peer;
    struct lia_test_disk disk;
    struct lia_test_disk left;
    struct lia_rng rng;
    uint64_t true_ms;
};

static int setup(void **state)
{
    struct world *w = test_calloc(1, sizeof(*w));

    w->rng = lia_rng(lia_test_seed("repair"));
    lia_test_disk_init(&w->disk, "repair");
    lia_test_db_init(&w->store, 1);
    w->store.options.store.vfs = "repair";
    w->store.options.store.path = "s";
    lia_test_db_init(&w->peer, 2);
    lia_test_db_open(&w->store);
    lia_test_db_open(&w->peer);
    w->true_ms = w->store.env.wall_ms;
    w->peer.env.wall_ms = w->true_ms;
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    lia_test_db_finish(&w->store);
    lia_test_db_finish(&w->peer);
    lia_test_disk_deinit(&w->disk);
    lia_test_disk_deinit(&w->left);
    test_free(w);
    return 0;
}

static uint64_t actor(struct lia_test_db *t)
{
    return lia_db_identity(t->db).actor;
}

static struct lia_doc_info info_of(struct lia_test_db *t, int32_t id)
{
    struct lia_doc_info info;

    assert_ok(lia_doc_info(&t->arena, lia_test_doc(t, "c", id).clock, &info));
    return info;
}

static uint64_t newest_ms(struct lia_test_db *t, int32_t id)
{
    return lia_hlc_ms(lia_vector_max_hlc(info_of(t, id).vector));
}

static void set_clock_right(struct world *w)
{
    w->store.env.wall_ms = w->true_ms + MINUTE_MS;
    lia_db_time_from_peer(w->store.db, w->true_ms);
}

static liana_status mend(struct lia_test_db *t)
{
    bool more = true;
    liana_status status = LIANA_OK;

    while (more && !status) {
        status = lia_db_mend(t->db, 1, &more, &t->err);
    }
    return status;
}

/* What one has of a document to the other; the marks of the sender with it. */
static enum lia_apply_kind send(struct lia_test_db *from,
                                struct lia_test_db *to,
                                int32_t id,
                                const struct lia_batch_marks *marks)
{
    struct lia_key key = {lia_str("c"), lia_test_key(to, id)};
    struct lia_doc_head head;
    struct lia_batch_item item;
    const struct lia_seen seen = {.epoch = lia_db_identity(from->db).epoch};
    const struct lia_batch batch = {.peer = lia_slice("p", 1),
                                    .seen = &seen,
                                    .items = &item,
                                    .item_count = 1,
                                    .marks = marks,
                                    .marks_count = marks != NULL};
    struct lia_applied applied;

    assert_ok(lia_db_heads(to->db, &to->arena, &key, 1, &head, &to->err));
    item = lia_test_segment(from, "c", id, head.vector);
    assert_ok(lia_db_apply(to->db, &to->arena, &batch, LIA_FULL, &applied, &to->err));
    assert_true(applied.is_committed);
    return applied.results[0].kind;
}

static size_t owed(struct lia_test_db *t)
{
    const struct lia_owed *all;
    size_t count;

    assert_ok(lia_db_owed(t->db, &t->arena, lia_slice(NULL, 0), UINT64_MAX, 100, &all,
                          &count, &t->err));
    return count;
}

static void what_was_stamped_ahead_is_stamped_anew(void **state)
{
    struct world *w = *state;
    const struct lia_renewal *renewals;
    uint64_t first = actor(&w->store);
    uint64_t epoch = lia_db_identity(w->store.db).epoch;
    struct lia_commit commit;
    uint64_t now;
    size_t count;

    lia_test_put(&w->store, "c", 1, 1); /* in time */
    w->store.env.wall_ms += AHEAD_MS;
    lia_test_put(&w->store, "c", 1, 2);
    lia_test_put(&w->store, "c", 2, 3);
    lia_test_put(&w->store, "c", 1, 4);
    lia_test_delete(&w->store, "c", 2);
    assert_int_equal(send(&w->store, &w->peer, 1, NULL), LIA_APPLY_OWED);
    assert_int_equal(owed(&w->peer), 1);

    set_clock_right(w);
    assert_true(lia_db_must_mend(w->store.db));
    assert_ok(mend(&w->store));
    assert_false(lia_db_must_mend(w->store.db));
    assert_true(actor(&w->store) != first);
    assert_true(lia_db_identity(w->store.db).epoch != epoch);
    assert_true(lia_db_now(w->store.db, &now));
    assert_int_equal(now, w->true_ms + MINUTE_MS);
    assert_ok(
        lia_db_renewals(w->store.db, &w->store.arena, 9, &renewals, &count, NULL));
    assert_int_equal(count, 1);
    assert_int_equal(renewals[0].reason, LIA_RENEWED_CLOCK);
    assert_int_equal(renewals[0].at_ms, now);
    assert_false(renewals[0].is_mending);

    assert_int_equal(lia_test_get(&w->store, "c", 1), 4);
    assert_int_equal(lia_test_get(&w->store, "c", 2), -1);
    assert_true(newest_ms(&w->store, 1) <= now);
    assert_true(lia_hlc_ms(info_of(&w->store, 2).deleted.hlc) <= now);
    assert_int_equal(send(&w->store, &w->peer, 1, NULL), LIA_APPLY_APPLIED);
    assert_int_equal(send(&w->store, &w->peer, 2, NULL), LIA_APPLY_APPLIED);
    assert_int_equal(owed(&w->peer), 0);
    assert_slice_equal(lia_test_doc(&w->store, "c", 1).clock,
                       lia_test_doc(&w->peer, "c", 1).clock);
    commit = lia_test_put(&w->store, "c", 1, 5);
    assert_true(commit.stamp.actor == actor(&w->store));
    assert_true(lia_hlc_ms(commit.stamp.hlc) <= now);
    set_clock_right(w);
    assert_false(lia_db_must_mend(w->store.db));
}

/* Its rows are documents without clocks. */
static void system_conflicts_is_left_alone(void **state)
{
    struct world *w = *state;

    lia_test_put(&w->peer, "c", 1, 1);
    lia_test_put(&w->store, "c", 1, 2);
    assert_int_equal(send(&w->peer, &w->store, 1, NULL), LIA_APPLY_APPLIED);
    assert_int_equal(lia_test_count(&w->store, "SELECT * FROM system:conflicts"), 1);
    w->store.env.wall_ms += AHEAD_MS;
    lia_test_put(&w->store, "c", 2, 3);
    set_clock_right(w);
    assert_ok(mend(&w->store));
    assert_true(newest_ms(&w->store, 2) <= w->store.env.wall_ms);
    assert_int_equal(lia_test_count(&w->store, "SELECT * FROM system:conflicts"), 1);
}

static bool is_still_ahead(struct world *w)
{
    uint64_t first = actor(&w->store);

    assert_ok(mend(&w->store));
    assert_false(lia_db_must_mend(w->store.db));
    return actor(&w->store) == first &&
           newest_ms(&w->store, 1) >= w->true_ms + AHEAD_MS;
}

/* One clock against the store's own stamps is no proof: which of the two is wrong? */
static void two_clocks_have_to_agree(void **state)
{
    struct world *w = *state;
    uint64_t now;

    w->store.env.wall_ms += AHEAD_MS;
    lia_test_put(&w->store, "c", 1, 1);
    w->store.env.wall_ms = w->true_ms;
    assert_false(lia_db_now(w->store.db, &now));
    lia_db_time_from_peer(w->store.db, w->true_ms - 2 * HOUR_MS);
    assert_true(is_still_ahead(w));
    lia_db_time_from_peer(w->store.db, w->true_ms + 2 * HOUR_MS);
    assert_true(is_still_ahead(w));
    w->store.env.wall_ms += AHEAD_MS; /* a peer cannot turn the clock back by itself */
    lia_db_time_from_peer(w->store.db, w->true_ms);
    assert_true(is_still_ahead(w));
}

/* Closed with the clock ahead, opened when it is right: the first peer tells. */
static void a_clock_that_was_set_right_while_closed(void **state)
{
    struct world *w = *state;

    w->store.env.wall_ms += AHEAD_MS;
    lia_test_put(&w->store, "c", 1, 1);
    lia_test_db_close(&w->store);
    w->store.env.wall_ms = w->true_ms;
    lia_test_db_open(&w->store);
    lia_test_put(&w->store, "c", 1, 2);
    assert_true(newest_ms(&w->store, 1) >= w->true_ms + AHEAD_MS);
    set_clock_right(w);
    assert_ok(mend(&w->store));
    assert_true(newest_ms(&w->store, 1) <= w->true_ms + MINUTE_MS);
    assert_int_equal(lia_test_get(&w->store, "c", 1), 2);
}

/* A peer whose clock is as wrong has taken it, and says so: it stays, and so does its order. */
static void what_somebody_holds_stays(void **state)
{
    struct world *w = *state;
    uint64_t first = actor(&w->store);
    struct lia_vector_entry held = {.actor = first};
    const struct lia_name whole = lia_name_of(lia_str("c"), lia_slice(NULL, 0));
    const struct lia_batch_marks marks = {lia_name_slice(&whole), {&held, 1}};

    w->store.env.wall_ms += AHEAD_MS;
    w->peer.env.wall_ms += AHEAD_MS;
    held.hlc = lia_test_put(&w->store, "c", 1, 1).stamp.hlc;
    assert_int_equal(send(&w->store, &w->peer, 1, NULL), LIA_APPLY_APPLIED);
    lia_test_put(&w->peer, "c", 9, 9);
    assert_int_equal(send(&w->peer, &w->store, 9, &marks), LIA_APPLY_APPLIED);
    lia_test_put(&w->store, "c", 2, 2);
    set_clock_right(w);
    assert_ok(mend(&w->store));
    set_clock_right(w);
    assert_false(lia_db_must_mend(w->store.db)); /* not again and again */
    assert_true(actor(&w->store) == first);
    assert_true(newest_ms(&w->store, 2) >= w->true_ms + AHEAD_MS);
    lia_test_put(&w->store, "c", 1, 3);
    assert_int_equal(send(&w->store, &w->peer, 1, NULL), LIA_APPLY_APPLIED);
    assert_int_equal(lia_test_get(&w->peer, "c", 1), 3);
}

/* A keeper publishes what it has itself, and is told so by all that have heard of it. */
static void what_a_keeper_has_published_stays_not(void **state)
{
    struct world *w = *state;
    struct lia_vector_entry own = {.actor = actor(&w->store)};
    const struct lia_batch_keep keep = {.collection = lia_str("c"), .kept = {&own, 1}};
    const struct lia_batch batch = {
        .peer = lia_slice("p", 1), .keeps = &keep, .keep_count = 1};
    struct lia_applied applied;

    w->store.env.wall_ms += AHEAD_MS;
    own.hlc = lia_test_put(&w->store, "c", 1, 1).stamp.hlc;
    assert_ok(lia_db_apply(w->store.db, &w->store.arena, &batch, LIA_FULL, &applied,
                           &w->store.err));
    set_clock_right(w);
    assert_ok(mend(&w->store));
    assert_true(newest_ms(&w->store, 1) <= w->true_ms + MINUTE_MS);
}

static void reopen(struct lia_test_db *t)
{
    lia_test_db_close(t);
    lia_test_db_open(t);
}

/* A peer whose clock is as wrong may have taken it, and was lost before it said so. That
 * outlives the opening in which it was met. */
static void what_somebody_may_hold_stays(void **state)
{
    struct world *w = *state;

    w->store.env.wall_ms += AHEAD_MS;
    lia_db_time_from_peer(w->store.db, w->true_ms + AHEAD_MS - HOUR_MS);
    assert_ok(lia_db_note_held(w->store.db, NULL));
    assert_true(lia_db_held_ms(w->store.db) >= w->true_ms + AHEAD_MS - HOUR_MS);
    lia_test_put(&w->store, "c", 1, 1);
    reopen(&w->store);
    set_clock_right(w);
    assert_true(is_still_ahead(w));
    w->true_ms += AHEAD_MS - 5 * MINUTE_MS; /* their time has come */
    set_clock_right(w);
    lia_test_put(&w->store, "c", 2, 2);
    assert_true(newest_ms(&w->store, 2) <= w->true_ms + 10 * MINUTE_MS);
}

/* It takes the time from us. */
static void a_peer_without_time_may_hold_what_is_stamped(void **state)
{
    struct world *w = *state;

    w->store.env.wall_ms += AHEAD_MS;
    lia_test_put(&w->store, "c", 1, 1);
    lia_db_time_from_peer(w->store.db, 0);
    set_clock_right(w);
    assert_true(is_still_ahead(w));
}

/* A peer that is ahead by less would not have taken it. */
static void what_nobody_can_hold_is_stamped_anew(void **state)
{
    struct world *w = *state;

    w->store.env.wall_ms += AHEAD_MS;
    lia_db_time_from_peer(w->store.db, w->true_ms + AHEAD_MS - 2 * HOUR_MS);
    lia_test_put(&w->store, "c", 1, 1);
    set_clock_right(w);
    assert_ok(mend(&w->store));
    assert_true(newest_ms(&w->store, 1) <= w->true_ms + MINUTE_MS);
}

/* What others have stamped, and is held here, comes before what the store has written since;
 * when its time has come, the rest is stamped anew. */
static void what_others_stamped_ahead_is_waited_for(void **state)
{
    struct world *w = *state;
    const uint64_t before_ms = w->true_ms;

    w->store.env.wall_ms += AHEAD_MS;
    w->peer.env.wall_ms += 24 * HOUR_MS;
    lia_test_put(&w->peer, "c", 1, 1);
    assert_int_equal(send(&w->peer, &w->store, 1, NULL), LIA_APPLY_APPLIED);
    lia_test_put(&w->store, "c", 1, 2);
    set_clock_right(w);
    assert_true(is_still_ahead(w));
    w->true_ms += 12 * HOUR_MS;
    set_clock_right(w);
    assert_ok(mend(&w->store));
    assert_true(newest_ms(&w->store, 1) >= before_ms + AHEAD_MS);
    w->true_ms = before_ms + 24 * HOUR_MS;
    set_clock_right(w);
    assert_true(lia_db_must_mend(w->store.db));
    assert_ok(mend(&w->store));
    assert_true(newest_ms(&w->store, 1) <= w->true_ms + 10 * MINUTE_MS);
    assert_int_equal(send(&w->store, &w->peer, 1, NULL), LIA_APPLY_APPLIED);
    assert_int_equal(lia_test_get(&w->peer, "c", 1), 2);
}

static void take_in(struct world *w, const struct lia_batch *batch)
{
    struct lia_applied applied;

    assert_ok(lia_db_apply(w->store.db, &w->store.arena, batch, LIA_FULL, &applied,
                           &w->store.err));
}

/* What is known of others' commits alone is in no row that they could order. */
static void marks_of_others_hold_nothing_up(void **state)
{
    struct world *w = *state;
    const struct lia_vector_entry entry = {7, (w->true_ms + 24 * HOUR_MS) << 16};
    const struct lia_batch_marks marks = {lia_slice("sub", 3), {&entry, 1}};

    w->store.env.wall_ms += AHEAD_MS;
    take_in(w, &(struct lia_batch){
                   .peer = lia_slice("p", 1), .marks = &marks, .marks_count = 1});
    lia_test_put(&w->store, "c", 1, 1);
    set_clock_right(w);
    assert_ok(mend(&w->store));
    assert_true(newest_ms(&w->store, 1) <= w->true_ms + MINUTE_MS);
}

/* What lives now was inserted after it. */
static void a_forgotten_delete_that_is_ahead_is_waited_for(void **state)
{
    struct world *w = *state;
    const struct lia_batch_keep keep = {.collection = lia_str("c"),
                                        .is_whole = true,
                                        .forgotten = (w->true_ms + 24 * HOUR_MS) << 16};

    w->store.env.wall_ms += AHEAD_MS;
    take_in(w, &(struct lia_batch){
                   .peer = lia_slice("p", 1), .keeps = &keep, .keep_count = 1});
    lia_test_put(&w->store, "c", 1, 1);
    set_clock_right(w);
    assert_true(is_still_ahead(w));
}

/* To the new actor, by what it writes itself: the old one has ended. */
static void rights_go_over(void **state)
{
    struct world *w = *state;
    uint64_t first = actor(&w->store);
    struct lia_doc_info info;

    lia_test_run(&w->store, "CREATE COLLECTION s (n COUNTER MIN 0)");
    lia_test_run(&w->store, "INSERT INTO s DOCUMENTS ({'_id': 1, 'n': 5})");
    w->store.env.wall_ms += AHEAD_MS;
    lia_test_run(&w->store, "UPDATE s APPLY n INCREMENT BY -1");
    set_clock_right(w);
    assert_ok(mend(&w->store));
    assert_true(actor(&w->store) != first);
    assert_ok(
        lia_doc_info(&w->store.arena, lia_test_doc(&w->store, "s", 1).clock, &info));
    assert_true(lia_vector_get(info.vector, actor(&w->store)) >
                lia_vector_get(info.vector, first));
    lia_test_run(&w->store, "UPDATE s APPLY n INCREMENT BY -4");
    assert_int_equal(lia_test_count(&w->store, "SELECT * FROM s WHERE n = 0"), 1);
}

/* Whoever has taken it nevertheless sends it back: no token says that it is held here. */
static void everything_is_asked_for_again(void **state)
{
    struct world *w = *state;
    const struct lia_token token = {
        .peer = lia_slice("p", 1), .subscription = lia_slice("sub", 3), .epoch = 7};
    const struct lia_batch batch = {
        .peer = lia_slice("p", 1), .tokens = &token, .token_count = 1};
    struct lia_token got;

    take_in(w, &batch);
    w->store.env.wall_ms += AHEAD_MS;
    lia_test_put(&w->store, "c", 1, 1);
    set_clock_right(w);
    assert_ok(mend(&w->store));
    assert_status(LIANA_ENOTFOUND,
                  lia_db_token(w->store.db, &w->store.arena, token.peer,
                               token.subscription, &got, NULL));
}

/* What was written in time, and taken, stays as it is; the rest comes after it. */
static void what_was_taken_in_time_stays(void **state)
{
    struct world *w = *state;
    struct lia_vector_entry held = {.actor = actor(&w->store)};
    const struct lia_batch_marks marks = {lia_slice("sub", 3), {&held, 1}};
    uint64_t before;

    held.hlc = lia_test_put(&w->store, "c", 1, 1).stamp.hlc;
    send(&w->store, &w->peer, 1, NULL);
    lia_test_put(&w->peer, "c", 9, 9);
    send(&w->peer, &w->store, 9, &marks);
    before = newest_ms(&w->store, 1);
    w->store.env.wall_ms += AHEAD_MS;
    lia_test_put(&w->store, "c", 2, 2);
    set_clock_right(w);
    assert_ok(mend(&w->store));
    assert_int_equal(newest_ms(&w->store, 1), before);
    assert_true(newest_ms(&w->store, 2) <= w->true_ms + MINUTE_MS);
    assert_true(info_of(&w->store, 2).created.hlc > held.hlc);
    assert_int_equal(send(&w->store, &w->peer, 2, NULL), LIA_APPLY_APPLIED);
    assert_int_equal(lia_test_get(&w->peer, "c", 2), 2);
}

/* Cut short at every write: nothing of it, or all of it. */
static void a_repair_that_is_cut_short(void **state)
{
    struct world *w = *state;
    bool is_whole = false;

    w->store.env.wall_ms += AHEAD_MS;
    for (int32_t id = 1; id <= 40; id++) {
        lia_test_put(&w->store, "c", id, id);
    }
    for (uint64_t n = 1; !is_whole; n++) {
        struct lia_test_db t;
        size_t ahead = 0;
        liana_status status;

        lia_test_disk_deinit(&w->left);
        lia_test_disk_crash(&w->disk, &w->rng, &w->left, "left");
        lia_test_db_init(&t, n);
        t.options.store.vfs = "left";
        t.options.store.path = "s";
        t.env.wall_ms = w->true_ms;
        lia_test_db_open(&t);
        lia_db_time_from_peer(t.db, w->true_ms);
        lia_test_disk_fault(&w->left, LIA_FAULT_WRITE, n, false);
        status = mend(&t);
        lia_test_disk_fault(&w->left, LIA_FAULT_NONE, 0, false);
        is_whole = !status;
        LIA_IGNORE(lia_db_close(t.db, NULL)); /* it may have failed */
        t.err = (struct liana_error)LIANA_ERROR_INIT;
        lia_test_db_open(&t);
        for (int32_t id = 1; id <= 40; id++) {
            assert_int_equal(lia_test_get(&t, "c", id), id);
            ahead += newest_ms(&t, id) > w->true_ms + MINUTE_MS;
        }
        assert_true(ahead == 0 || (ahead == 40 && !is_whole));
        lia_db_time_from_peer(t.db, w->true_ms);
        assert_ok(mend(&t));
        assert_true(newest_ms(&t, 1) <= w->true_ms + MINUTE_MS);
        lia_test_db_finish(&t);
        assert_true(is_whole || status == LIANA_EIO);
    }
}

static liana_status repair_with(const struct liana_allocator *a, void *ctx)
{
    struct world *w = ctx;
    struct lia_test_db *t = &w->store;
    const struct liana_allocator *own = t->env.env.alloc;
    bool more;
    liana_status status;

    t->env.wall_ms = w->true_ms + AHEAD_MS;
    lia_test_put(t, "c", 1, 1);
    lia_test_put(t, "c", 2, 2);
    set_clock_right(w);
    t->env.env.alloc = a;
    status = lia_db_mend(t->db, 1, &more, NULL);
    t->env.env.alloc = own;
    assert_int_equal(lia_test_get(t, "c", 2), 2);
    assert_true(status || newest_ms(t, 1) <= w->true_ms + MINUTE_MS);
    lia_arena_reset(&t->arena);
    return status;
}

static void out_of_memory_is_a_status(void **state)
{
    lia_test_each_failure(repair_with, *state);
}

/* Also than what is a little ahead, and stays. */
static void new_stamps_come_after_what_stays(void **state)
{
    struct world *w = *state;
    uint64_t stays;

    w->store.env.wall_ms += 5 * MINUTE_MS;
    stays = lia_test_put(&w->store, "c", 1, 1).stamp.hlc;
    w->store.env.wall_ms = w->true_ms + AHEAD_MS;
    lia_test_put(&w->store, "c", 1, 2);
    set_clock_right(w);
    assert_ok(mend(&w->store));
    assert_true(newest_ms(&w->store, 1) < w->true_ms + HOUR_MS);
    assert_true(lia_vector_max_hlc(info_of(&w->store, 1).vector) > stays);
    assert_int_equal(lia_test_get(&w->store, "c", 1), 2);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(what_was_stamped_ahead_is_stamped_anew),
        CASE(new_stamps_come_after_what_stays),
        CASE(system_conflicts_is_left_alone),
        CASE(two_clocks_have_to_agree),
        CASE(a_clock_that_was_set_right_while_closed),
        CASE(what_somebody_holds_stays),
        CASE(what_a_keeper_has_published_stays_not),
        CASE(what_somebody_may_hold_stays),
        CASE(a_peer_without_time_may_hold_what_is_stamped),
        CASE(what_nobody_can_hold_is_stamped_anew),
        CASE(what_others_stamped_ahead_is_waited_for),
        CASE(marks_of_others_hold_nothing_up),
        CASE(a_forgotten_delete_that_is_ahead_is_waited_for),
        CASE(rights_go_over),
        CASE(everything_is_asked_for_again),
        CASE(what_was_taken_in_time_stays),
        CASE(a_repair_that_is_cut_short),
        CASE(out_of_memory_is_a_status),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
