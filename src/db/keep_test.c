/* SPDX-License-Identifier: Apache-2.0 */
/* What a store drops, what it remembers of that, and what it does when it comes back
 * (docs/adr/0024). */
#include "base/testing/test.h"

#include "db/exec.h"
#include "db/internal.h"
#include "db/testing/fixture.h"

#define PEER LIA_BYTES("the other")
#define TTL  ((uint64_t)1000)

#define ORIGIN 7

struct stores {
    struct lia_test_db one;
    struct lia_test_db two;
};

static int setup(void **state)
{
    static struct stores s;

    lia_test_db_init(&s.one, 1);
    lia_test_db_init(&s.two, 2);
    s.one.options.tombstone_ttl_ms = TTL;
    s.two.options.tombstone_ttl_ms = TTL;
    lia_test_db_open(&s.one);
    lia_test_db_open(&s.two);
    *state = &s;
    return 0;
}

static int teardown(void **state)
{
    struct stores *s = *state;

    lia_test_db_finish(&s->one);
    lia_test_db_finish(&s->two);
    return 0;
}

/* ---- help ---- */

static struct lia_keeping keeping(struct lia_test_db *t)
{
    struct lia_keeping out;

    assert_ok(lia_db_keeping(t->db, &t->arena, lia_str("c"), &out, &t->err));
    return out;
}

static void reopen_as_keeper(struct lia_test_db *t)
{
    lia_test_db_close(t);
    t->options.is_keeper = true;
    lia_test_db_open(t);
}

/* What `from` holds of the whole collection comes to `to`: documents, marks, kept. */
static void pull(struct lia_test_db *to, struct lia_test_db *from, const int32_t *ids)
{
    const struct lia_name whole = lia_name_of(lia_str("c"), lia_slice(NULL, 0));
    struct lia_keeping sender = keeping(from);
    struct lia_batch_item items[8];
    struct lia_batch_marks marks = {.subscription = lia_name_slice(&whole)};
    struct lia_batch_keep keep = {.collection = lia_str("c"),
                                  .is_whole = true,
                                  .forgotten = sender.keep.forgotten,
                                  .kept = sender.keep.kept};
    struct lia_batch batch = {.peer = PEER,
                              .origin = ORIGIN,
                              .items = items,
                              .marks = &marks,
                              .marks_count = 1,
                              .keeps = &keep,
                              .keep_count = 1};
    struct lia_applied applied;

    assert_ok(
        lia_keep_claim(&to->arena, &sender.keep, keeping(to).keep.marks, &marks.marks));
    for (; *ids; ids++) {
        items[batch.item_count++] =
            lia_test_segment(from, "c", *ids, (struct lia_vector){0});
    }
    assert_ok(lia_db_apply(to->db, &to->arena, &batch, LIA_FULL, &applied, &to->err));
    assert_true(applied.is_committed);
}

#define PULL(to, from, ...) pull(to, from, (const int32_t[]){__VA_ARGS__, 0})

/* One document and what keepers have, without what the sender says of its marks. */
static void hear(struct lia_test_db *to,
                 struct lia_test_db *from,
                 int32_t id,
                 struct lia_batch_keep keep)
{
    const struct lia_batch_item item =
        lia_test_segment(from, "c", id, (struct lia_vector){0});
    struct lia_batch batch = {
        .peer = PEER, .items = &item, .item_count = 1, .keeps = &keep, .keep_count = 1};
    struct lia_applied applied;

    keep.collection = lia_str("c");
    keep.kept = keeping(from).keep.kept;
    assert_ok(lia_db_apply(to->db, &to->arena, &batch, LIA_FULL, &applied, &to->err));
    assert_true(applied.is_committed);
}

static liana_status evict(struct lia_test_db *t, int32_t id, bool is_forced, bool *out)
{
    struct lia_txn *txn = lia_test_begin(t, LIA_WRITE);
    const struct lia_collection *coll;
    liana_status status;

    assert_ok(lia_txn_collection(txn, lia_str("c"), false, &coll, NULL));
    status = lia_txn_evict(txn, coll, lia_test_key(t, id), is_forced, out, NULL);
    if (status) {
        lia_txn_rollback(txn);
        return status;
    }
    return lia_txn_commit(txn, NULL, NULL);
}

static bool evicts(struct lia_test_db *t, int32_t id, bool is_forced)
{
    bool is_evicted = false;

    assert_ok(evict(t, id, is_forced, &is_evicted));
    return is_evicted;
}

static bool has_row(struct lia_test_db *t, int32_t id)
{
    return lia_test_doc(t, "c", id).clock.len > 0;
}

static void pass(struct lia_test_db *t, uint64_t ms)
{
    lia_test_env_pass(&t->env, ms);
}

static struct lia_upkeep upkeep(struct lia_test_db *t)
{
    struct lia_upkeep out;

    assert_ok(lia_db_upkeep(t->db, &out, &t->err));
    return out;
}

static struct lia_upkeep upkeep_later(struct lia_test_db *t)
{
    pass(t, TTL + 1);
    return upkeep(t);
}

/* ---- forgetting ---- */

/* Safe at a keeper, and old. */
static void a_tombstone_is_forgotten_when_it_is_kept(void **state)
{
    struct stores *s = *state;

    reopen_as_keeper(&s->two);
    lia_test_put(&s->one, "c", 1, 1);
    lia_test_delete(&s->one, "c", 1);
    assert_int_equal(upkeep_later(&s->one).forgotten, 0);
    assert_true(has_row(&s->one, 1));
    PULL(&s->two, &s->one, 1);
    PULL(&s->one, &s->two, 1);
    assert_int_equal(upkeep_later(&s->one).forgotten, 1);
    assert_false(has_row(&s->one, 1));
    assert_true(keeping(&s->one).keep.forgotten > 0);
    assert_true(keeping(&s->one).forgotten_seq > 0);
}

static void it_is_not_forgotten_before_its_time(void **state)
{
    struct stores *s = *state;
    struct lia_upkeep done;

    reopen_as_keeper(&s->one);
    lia_test_put(&s->one, "c", 1, 1);
    lia_test_delete(&s->one, "c", 1);
    pass(&s->one, TTL / 2);
    done = upkeep(&s->one);
    assert_int_equal(done.forgotten, 0);
    assert_int_equal(done.looked_at, 0);
    assert_true(done.next_ms > 0 && done.next_ms <= TTL / 2);
    pass(&s->one, done.next_ms);
    assert_int_equal(upkeep(&s->one).forgotten, 1);
    assert_true(upkeep(&s->one).next_ms > 0);
}

/* Its time begins again when it changes, and ends when it lives. */
static void a_tombstone_that_changed_waits_again(void **state)
{
    struct stores *s = *state;

    reopen_as_keeper(&s->one);
    lia_test_put(&s->one, "c", 1, 1);
    lia_test_delete(&s->one, "c", 1);
    pass(&s->one, TTL / 2);
    lia_test_put(&s->one, "c", 1, 2);
    pass(&s->one, TTL);
    assert_int_equal(upkeep(&s->one).forgotten, 0);
    assert_int_equal(lia_test_get(&s->one, "c", 1), 2);
    lia_test_delete(&s->one, "c", 1);
    assert_int_equal(upkeep(&s->one).forgotten, 0);
    assert_int_equal(upkeep_later(&s->one).forgotten, 1);
}

static uint64_t told_forgotten(struct lia_test_db *t, const char *collection)
{
    const struct lia_interest interest = {.collection = lia_str(collection)};
    const struct lia_feed_query query = {
        .interests = &interest, .interest_count = 1, .bytes_max = 1000};
    struct lia_feed_page page;

    assert_ok(lia_db_feed(t->db, &t->arena, &query, &page, &t->err));
    return page.facts[0].forgotten_seq;
}

/* Whoever follows the collection, or all, sees up to where deletes are not told any more. */
static void a_feed_says_what_is_forgotten(void **state)
{
    struct stores *s = *state;
    uint64_t deleted;

    reopen_as_keeper(&s->one);
    lia_test_put(&s->one, "c", 1, 1);
    lia_test_put(&s->one, "_liana.c", 1, 1);
    lia_test_delete(&s->one, "c", 1);
    deleted = lia_store_head(lia_db_store(s->one.db)).committed.seq;
    lia_test_delete(&s->one, "_liana.c", 1);
    assert_int_equal(told_forgotten(&s->one, "c"), 0);
    assert_int_equal(upkeep_later(&s->one).forgotten, 2);
    assert_int_equal(told_forgotten(&s->one, "c"), deleted);
    assert_int_equal(told_forgotten(&s->one, ""), deleted);
    assert_int_equal(told_forgotten(&s->one, "other"), 0);
}

/* However many there are, a piece looks at few, and the rounds reach all. */
static void a_piece_of_work_is_bounded(void **state)
{
    struct stores *s = *state;
    struct lia_upkeep done;
    size_t forgotten = 0;
    size_t pieces = 0;

    reopen_as_keeper(&s->one);
    for (int32_t id = 1; id <= 200; id++) {
        lia_test_put(&s->one, "c", id, 1);
        lia_test_delete(&s->one, "c", id);
    }
    pass(&s->one, TTL + 1000);
    do {
        done = upkeep(&s->one);
        assert_true(done.looked_at <= 64);
        forgotten += done.forgotten;
        pieces++;
    } while (done.next_ms == 0);
    assert_int_equal(forgotten, 200);
    assert_true(pieces >= 4);
}

/* What cannot be forgotten yet is passed over and does not hold up the rest. */
static void what_is_not_safe_is_passed_over(void **state)
{
    struct stores *s = *state;
    struct lia_upkeep done;

    reopen_as_keeper(&s->two);
    for (int32_t id = 1; id <= 3; id++) {
        lia_test_put(&s->one, "c", id, 1);
    }
    PULL(&s->two, &s->one, 1, 2, 3);
    lia_test_delete(&s->two, "c", 2);
    lia_test_delete(&s->one, "c", 1);
    PULL(&s->one, &s->two, 2, 3);
    pass(&s->one, TTL + 1000);
    done = upkeep(&s->one);
    assert_int_equal(done.forgotten, 1);
    assert_int_equal(done.passed_over, 1);
    assert_true(done.next_ms > 0);
    assert_true(has_row(&s->one, 1));
    assert_false(has_row(&s->one, 2));
    PULL(&s->two, &s->one, 1);
    PULL(&s->one, &s->two, 3);
    assert_int_equal(upkeep(&s->one).forgotten, 1);
}

/* Who could not recognise it when it comes back does not forget it, wherever it is safe. */
static void it_is_not_forgotten_outside_the_own_marks(void **state)
{
    struct stores *s = *state;

    reopen_as_keeper(&s->two);
    lia_test_put(&s->two, "c", 1, 1);
    PULL(&s->one, &s->two, 1);
    lia_test_delete(&s->two, "c", 1);
    hear(&s->one, &s->two, 1, (struct lia_batch_keep){0});
    assert_true(keeping(&s->one).keep.is_whole);
    assert_int_equal(upkeep_later(&s->one).forgotten, 0);
    PULL(&s->one, &s->two, 1);
    assert_int_equal(upkeep_later(&s->one).forgotten, 1);
}

/* Two keepers, and a document that both wrote: each knows a part of it by itself. */
static void keepers_forget_what_they_have_of_each_other(void **state)
{
    struct stores *s = *state;

    reopen_as_keeper(&s->one);
    reopen_as_keeper(&s->two);
    lia_test_put(&s->one, "c", 1, 1);
    lia_test_send(&s->one, &s->two, "c", 1);
    lia_test_delete(&s->two, "c", 1);
    lia_test_send(&s->two, &s->one, "c", 1);
    assert_int_equal(upkeep_later(&s->one).forgotten, 0);
    assert_int_equal(upkeep_later(&s->two).forgotten, 0);
    hear(&s->two, &s->one, 1, (struct lia_batch_keep){0});
    assert_int_equal(upkeep_later(&s->two).forgotten, 0);
    PULL(&s->two, &s->one, 1);
    assert_int_equal(upkeep_later(&s->two).forgotten, 1);
    assert_true(has_row(&s->one, 1));
}

/* It would take what it evicted for what it forgot. */
static void a_keeper_that_evicted_before_does_not_forget(void **state)
{
    struct stores *s = *state;
    uint64_t writer = lia_db_identity(s->two.db).actor;

    reopen_as_keeper(&s->two);
    lia_test_put(&s->two, "c", 1, 1);
    lia_test_put(&s->two, "c", 2, 2);
    PULL(&s->one, &s->two, 1, 2);
    assert_true(evicts(&s->one, 1, true));
    reopen_as_keeper(&s->one);
    lia_test_delete(&s->two, "c", 2);
    hear(&s->one, &s->two, 2, (struct lia_batch_keep){0});
    PULL(&s->one, &s->two, 2);
    assert_true(lia_vector_get(keeping(&s->one).keep.marks, writer) > 0);
    assert_int_equal(upkeep_later(&s->one).forgotten, 0);
    assert_int_equal(upkeep_later(&s->two).forgotten, 1);
}

static void a_keeper_that_evicted_before_does_not_publish_that(void **state)
{
    struct stores *s = *state;
    uint64_t writer = lia_db_identity(s->two.db).actor;

    lia_test_put(&s->two, "c", 1, 1);
    PULL(&s->one, &s->two, 1);
    assert_true(evicts(&s->one, 1, true));
    reopen_as_keeper(&s->one);
    assert_true(lia_vector_get(keeping(&s->one).keep.marks, writer) > 0);
    assert_int_equal(lia_vector_get(keeping(&s->one).keep.kept, writer), 0);
}

/* ---- verdicts ---- */

/* The delete was forgotten by both; the third still has the document. */
static void what_was_deleted_and_forgotten_is_buried(void **state)
{
    struct stores *s = *state;
    struct lia_test_db third;
    struct lia_commit life;
    struct lia_doc_info info;

    lia_test_db_init(&third, 3);
    lia_test_db_open(&third);
    reopen_as_keeper(&s->one);
    life = lia_test_put(&s->one, "c", 1, 1);
    PULL(&third, &s->one, 1);
    lia_test_delete(&s->one, "c", 1);
    assert_int_equal(upkeep_later(&s->one).forgotten, 1);
    PULL(&s->one, &third, 1);
    assert_int_equal(lia_test_get(&s->one, "c", 1), -1);
    assert_true(has_row(&s->one, 1));
    assert_ok(lia_doc_info(&s->one.arena, lia_test_doc(&s->one, "c", 1).clock, &info));
    assert_int_equal(info.deleted.hlc, life.stamp.hlc);
    PULL(&third, &s->one, 1);
    assert_int_equal(lia_test_get(&third, "c", 1), -1);
    lia_test_db_finish(&third);
}

static void run(struct lia_test_db *t, const char *statement)
{
    struct lia_result *result = NULL;

    t->env.wall_ms += 10;
    assert_ok(lia_db_execute(t->db, lia_str(statement), lia_slice(NULL, 0), NULL,
                             &result, &t->err));
    lia_result_free(result);
}

/* Where updates win the delete reaches the newest of them, or nothing was deleted. */
static void updates_win_over_verdicts_only_with_news(void **state)
{
    struct stores *s = *state;

    reopen_as_keeper(&s->one);
    run(&s->one, "CREATE COLLECTION c WITH (deletes = 'update wins')");
    for (int32_t id = 1; id <= 2; id++) {
        lia_test_put(&s->one, "c", id, 1);
    }
    PULL(&s->two, &s->one, 1, 2);
    run(&s->two, "UPDATE c SET a = 5 WHERE _id = 1");
    PULL(&s->one, &s->two, 1);
    pass(&s->one, 100);
    run(&s->one, "DELETE FROM c");
    assert_int_equal(upkeep_later(&s->one).forgotten, 2);
    run(&s->two, "UPDATE c SET a = 7 WHERE _id = 2");
    PULL(&s->one, &s->two, 1, 2);
    assert_int_equal(lia_test_get(&s->one, "c", 1), -1);
    assert_int_equal(lia_test_get(&s->one, "c", 2), 7);
    PULL(&s->two, &s->one, 1, 2);
    assert_int_equal(lia_test_get(&s->two, "c", 1), -1);
    assert_int_equal(lia_test_get(&s->two, "c", 2), 7);
}

static bool shows(struct lia_test_db *t, int32_t id, const char *name)
{
    struct lia_value v;

    return lia_bson_find(lia_test_doc(t, "c", id).body, lia_str(name), &v);
}

/* The document was deleted, forgotten and inserted anew. What others still have of the deleted
 * one does not come back with it, whoever hears of whom first; nor what they have written
 * since to the deleted one. */
static void a_new_life_brings_nothing_of_the_old_one_back(void **state)
{
    struct stores *s = *state;
    struct lia_doc_info info;
    struct lia_commit life[3];

    reopen_as_keeper(&s->one);
    run(&s->one, "INSERT INTO c DOCUMENTS ({'_id': 0, 'x': 1})");
    for (int32_t id = 1; id <= 2; id++) {
        life[id] = lia_test_put(&s->one, "c", id, 1);
    }
    PULL(&s->two, &s->one, 1, 2);
    run(&s->one, "DELETE FROM c WHERE _id > 0");
    assert_int_equal(upkeep_later(&s->one).forgotten, 2);
    run(&s->one, "INSERT INTO c DOCUMENTS ({'_id': 1, 'b': 2}), ({'_id': 2, 'b': 2})");
    pass(&s->two, TTL + 60000);
    run(&s->two, "UPDATE c SET a = 5, d = 6");
    PULL(&s->one, &s->two, 1);
    PULL(&s->two, &s->one, 1, 2);
    assert_true(shows(&s->two, 2, "a")); /* nobody has told it yet */
    PULL(&s->one, &s->two, 1, 2);
    PULL(&s->two, &s->one, 1, 2);
    for (int32_t id = 1; id <= 2; id++) {
        struct lia_doc doc = lia_test_doc(&s->one, "c", id);

        assert_true(shows(&s->one, id, "b"));
        assert_false(shows(&s->one, id, "a"));
        assert_false(shows(&s->one, id, "d"));
        assert_ok(lia_doc_info(&s->one.arena, doc.clock, &info));
        assert_int_equal(info.deleted.hlc, life[id].stamp.hlc);
        assert_int_equal(lia_slice_cmp(doc.body, lia_test_doc(&s->two, "c", id).body),
                         0);
    }
}

static size_t rows_of(struct lia_test_db *t, const char *statement)
{
    struct lia_result *result = NULL;
    struct liana_slice row;
    size_t count = 0;

    assert_ok(lia_db_execute(t->db, lia_str(statement), lia_slice(NULL, 0), NULL,
                             &result, &t->err));
    while (!lia_result_next(result, &row, NULL)) {
        count++;
    }
    lia_result_free(result);
    return count;
}

/* Who gives the verdict tells what was written to the deleted life and is new: its writer had not
 * seen the delete. Of what was here before the delete nobody is told. */
static void what_a_verdict_takes_is_told(void **state)
{
    struct stores *s = *state;

    reopen_as_keeper(&s->one);
    for (int32_t id = 1; id <= 2; id++) {
        lia_test_put(&s->one, "c", id, 1);
    }
    PULL(&s->two, &s->one, 1, 2);
    run(&s->one, "DELETE FROM c");
    assert_int_equal(upkeep_later(&s->one).forgotten, 2);
    pass(&s->two, TTL + 60000);
    run(&s->two, "UPDATE c SET d = 6 WHERE _id = 1");
    PULL(&s->one, &s->two, 1, 2);
    assert_int_equal(lia_test_get(&s->one, "c", 1), -1);
    assert_int_equal(rows_of(&s->one, "SELECT * FROM system:conflicts"), 1);
    assert_int_equal(rows_of(&s->one, "SELECT * FROM system:conflicts WHERE "
                                      "document = 1 AND path = ['d'] AND value = 6"),
                     1);
    PULL(&s->two, &s->one, 1, 2);
    assert_int_equal(rows_of(&s->two, "SELECT * FROM system:conflicts"), 0);
}

/* A life of which the marks do not speak is new, whatever was deleted before. */
static void a_new_life_is_taken(void **state)
{
    struct stores *s = *state;

    reopen_as_keeper(&s->one);
    lia_test_put(&s->one, "c", 1, 1);
    lia_test_delete(&s->one, "c", 1);
    assert_int_equal(upkeep_later(&s->one).forgotten, 1);
    lia_test_put(&s->two, "c", 1, 7);
    PULL(&s->one, &s->two, 1);
    assert_int_equal(lia_test_get(&s->one, "c", 1), 7);
}

/* Kept by others is no reason: here it has never been. */
static void what_only_keepers_know_is_taken(void **state)
{
    struct stores *s = *state;
    struct lia_commit commit;

    reopen_as_keeper(&s->two);
    lia_test_put(&s->two, "c", 1, 1);
    PULL(&s->one, &s->two, 1);
    commit = lia_test_put(&s->two, "c", 2, 2);
    hear(&s->one, &s->two, 1, (struct lia_batch_keep){0});
    assert_true(lia_vector_get(keeping(&s->one).keep.kept, commit.stamp.actor) >=
                commit.stamp.hlc);
    lia_test_send(&s->two, &s->one, "c", 2);
    assert_int_equal(lia_test_get(&s->one, "c", 2), 2);
}

/* A keeper that knows nothing of it gives no verdict, and learns it from the one that does. */
static void each_keeper_judges_by_its_own_marks(void **state)
{
    struct stores *s = *state;
    struct lia_test_db third;

    lia_test_db_init(&third, 3);
    third.options.is_keeper = true;
    lia_test_db_open(&third);
    reopen_as_keeper(&s->one);
    lia_test_put(&s->one, "c", 1, 1);
    PULL(&s->two, &s->one, 1);
    lia_test_delete(&s->one, "c", 1);
    assert_int_equal(upkeep_later(&s->one).forgotten, 1);
    hear(&third, &s->two, 1, (struct lia_batch_keep){.is_whole = true});
    assert_int_equal(lia_test_get(&third, "c", 1), 1);
    PULL(&s->one, &third, 1);
    assert_int_equal(lia_test_get(&s->one, "c", 1), -1);
    PULL(&third, &s->one, 1);
    assert_int_equal(lia_test_get(&third, "c", 1), -1);
    lia_test_db_finish(&third);
}

/* Who holds a part has no marks of the rest, whatever it is told: "not here" says nothing. */
static void behind_a_query_nothing_is_judged(void **state)
{
    struct stores *s = *state;
    struct lia_keeping k;

    reopen_as_keeper(&s->two);
    lia_test_put(&s->two, "c", 1, 1);
    lia_test_put(&s->two, "c", 2, 2);
    lia_test_put(&s->two, "c", 3, 3);
    lia_test_delete(&s->two, "c", 3);
    assert_int_equal(upkeep_later(&s->two).forgotten, 1);
    k = keeping(&s->two);
    hear(&s->one, &s->two, 1, (struct lia_batch_keep){.forgotten = k.keep.forgotten});
    k = keeping(&s->one);
    assert_false(k.keep.is_whole);
    assert_int_equal(k.keep.forgotten, 0);
    lia_test_send(&s->two, &s->one, "c", 2);
    assert_int_equal(lia_test_get(&s->one, "c", 2), 2);
    assert_true(evicts(&s->one, 2, true));
    lia_test_send(&s->two, &s->one, "c", 2);
    assert_int_equal(lia_test_get(&s->one, "c", 2), 2);
}

/* Where updates win, what lives here answers for the older life that returns. */
static void what_is_held_answers_for_what_returns(void **state)
{
    struct stores *s = *state;
    struct lia_test_db third;

    lia_test_db_init(&third, 3); /* its clock is behind */
    lia_test_db_open(&third);
    lia_test_put(&third, "c", 1, 7);
    pass(&s->one, 60000);
    reopen_as_keeper(&s->one);
    run(&s->one, "CREATE COLLECTION c WITH (deletes = 'update wins')");
    lia_test_put(&s->one, "c", 1, 1);
    PULL(&s->two, &s->one, 1);
    run(&s->one, "DELETE FROM c");
    assert_int_equal(upkeep_later(&s->one).forgotten, 1);
    PULL(&s->one, &third, 1);
    assert_int_equal(lia_test_get(&s->one, "c", 1), 7);
    PULL(&s->one, &s->two, 1);
    assert_true(lia_test_get(&s->one, "c", 1) != -1);
    lia_test_db_finish(&third);
}

/* The verdict's stamp is newer than all of the batch, and one for the batch. */
static void verdicts_of_a_batch_are_one_commit(void **state)
{
    struct stores *s = *state;

    reopen_as_keeper(&s->one);
    for (int32_t id = 1; id <= 3; id++) {
        lia_test_put(&s->one, "c", id, 1);
    }
    PULL(&s->two, &s->one, 1, 2, 3);
    for (int32_t id = 1; id <= 3; id++) {
        lia_test_delete(&s->one, "c", id);
    }
    pass(&s->one, TTL + 1000);
    assert_int_equal(upkeep(&s->one).forgotten, 3);
    pass(&s->two, TTL + 60000);
    lia_test_put(&s->two, "c", 2, 5);
    PULL(&s->one, &s->two, 1, 2, 3);
    for (int32_t id = 1; id <= 3; id++) {
        assert_int_equal(lia_test_get(&s->one, "c", id), -1);
    }
    PULL(&s->two, &s->one, 1, 2, 3);
    for (int32_t id = 1; id <= 3; id++) {
        assert_int_equal(lia_test_get(&s->two, "c", id), -1);
    }
}

/* ---- eviction ---- */

static void only_what_is_kept_is_evicted(void **state)
{
    struct stores *s = *state;

    reopen_as_keeper(&s->two);
    lia_test_put(&s->one, "c", 1, 1);
    assert_false(evicts(&s->one, 1, false));
    PULL(&s->two, &s->one, 1);
    PULL(&s->one, &s->two, 1);
    assert_true(evicts(&s->one, 1, false));
    assert_false(has_row(&s->one, 1));
    assert_false(evicts(&s->one, 1, false));
}

static uint64_t registered(struct lia_test_db *t, const char *peer, uint64_t after_seq)
{
    struct lia_subscription sub = {.hash = LIA_BYTES("all of c"),
                                   .collection = lia_str("c"),
                                   .after_seq = after_seq};
    struct lia_registration out;

    assert_ok(
        lia_db_register(t->db, lia_str_slice(lia_str(peer)), &sub, &out, &t->err));
    return out.id;
}

/* Or who reads from this store would wait for it until it meets somebody else. */
static void what_readers_have_not_got_stays(void **state)
{
    struct stores *s = *state;
    uint64_t reg;

    lia_test_put(&s->one, "c", 1, 10);
    lia_test_put(&s->one, "c", 2, 20);
    reopen_as_keeper(&s->two);
    PULL(&s->two, &s->one, 1, 2);
    PULL(&s->one, &s->two, 1, 2);
    reg = registered(&s->one, "near", 0);
    registered(&s->one, "far", 2);
    assert_false(evicts(&s->one, 1, false));
    lia_db_passed(s->one.db, LIA_BYTES("near"), reg, 1);
    assert_true(evicts(&s->one, 1, false));
    assert_false(evicts(&s->one, 2, false));
    lia_test_db_close(&s->one); /* what was in memory is gone */
    lia_test_db_open(&s->one);
    assert_false(evicts(&s->one, 2, false));
    registered(&s->one, "near", 2);
    assert_true(evicts(&s->one, 2, false));
}

static void a_reader_is_not_waited_for_for_ever(void **state)
{
    struct stores *s = *state;

    lia_test_put(&s->one, "c", 1, 10);
    lia_test_delete(&s->one, "c", 1);
    lia_test_put(&s->one, "c", 2, 20);
    reopen_as_keeper(&s->two);
    PULL(&s->two, &s->one, 1, 2);
    PULL(&s->one, &s->two, 1, 2);
    registered(&s->one, "gone", 0);
    assert_int_equal(upkeep_later(&s->one).forgotten, 0);
    assert_false(evicts(&s->one, 2, false));
    pass(&s->one, LIA_READER_WAIT_MS);
    assert_int_equal(upkeep_later(&s->one).forgotten, 1);
    assert_true(evicts(&s->one, 2, false));
}

/* It was given it, and has put it aside. */
static void what_a_reader_has_put_aside_stays(void **state)
{
    struct stores *s = *state;
    struct lia_subscription sub = {
        .hash = LIA_BYTES("all of c"), .collection = lia_str("c"), .after_seq = 2};
    struct lia_registration out;

    lia_test_put(&s->one, "c", 1, 10);
    lia_test_put(&s->one, "c", 2, 20);
    lia_test_put(&s->one, "c", 3, 30);
    reopen_as_keeper(&s->two);
    PULL(&s->two, &s->one, 1, 2, 3);
    PULL(&s->one, &s->two, 1, 2, 3);
    registered(&s->one, "near", 1);
    sub.awaits = true;
    assert_ok(lia_db_register(s->one.db, LIA_BYTES("near"), &sub, &out, &s->one.err));
    assert_true(out.is_resumed);
    assert_true(evicts(&s->one, 1, false));
    assert_false(evicts(&s->one, 2, false));
    assert_ok(lia_db_register_ack(s->one.db, LIA_BYTES("near"), out.id, 0, NULL));
    lia_test_db_close(&s->one);
    lia_test_db_open(&s->one);
    assert_false(evicts(&s->one, 2, false));
    sub.hash = LIA_BYTES("all of c");
    assert_ok(lia_db_register(s->one.db, LIA_BYTES("near"), &sub, &out, &s->one.err));
    assert_false(evicts(&s->one, 2, false));
    sub.awaits = false;
    assert_ok(lia_db_register(s->one.db, LIA_BYTES("near"), &sub, &out, &s->one.err));
    assert_true(evicts(&s->one, 2, false));
    assert_false(evicts(&s->one, 3, false));
}

/* Time passes for a store by itself: a clock that is set makes nothing old, and nobody gone. */
static void a_clock_that_is_set_makes_nobody_gone(void **state)
{
    struct stores *s = *state;
    const uint64_t year = (uint64_t)365 * 24 * 3600 * 1000;

    lia_test_put(&s->one, "c", 1, 10);
    lia_test_delete(&s->one, "c", 1);
    lia_test_put(&s->one, "c", 2, 20);
    reopen_as_keeper(&s->two);
    PULL(&s->two, &s->one, 1, 2);
    PULL(&s->one, &s->two, 1, 2);
    registered(&s->one, "near", 0);
    s->one.env.wall_ms += year;
    assert_int_equal(upkeep(&s->one).looked_at, 0);
    assert_false(evicts(&s->one, 2, false));
    s->one.env.wall_ms -= 2 * year;
    pass(&s->one, LIA_READER_WAIT_MS);
    assert_int_equal(upkeep_later(&s->one).forgotten, 1);
    assert_true(evicts(&s->one, 2, false));
}

/* Of the time during which it was closed a day counts, for each time. */
static void a_store_ages_by_a_day_while_it_is_closed(void **state)
{
    struct stores *s = *state;
    const uint64_t day = (uint64_t)24 * 3600 * 1000;
    const uint64_t before = lia_db_age(s->one.db);

    pass(&s->one, 5000);
    assert_int_equal(lia_db_age(s->one.db), before + 5000);
    lia_test_db_close(&s->one);
    pass(&s->one, day - 7);
    s->one.env.mono_ms = 0; /* another boot */
    lia_test_db_open(&s->one);
    assert_int_equal(lia_db_age(s->one.db), before + 5000 + day - 7);
    lia_test_db_close(&s->one);
    s->one.env.wall_ms += 365 * day;
    lia_test_db_open(&s->one);
    assert_int_equal(lia_db_age(s->one.db), before + 5000 + 2 * day - 7);
    lia_test_db_close(&s->one);
    s->one.env.wall_ms -= 2 * 365 * day;
    lia_test_db_open(&s->one);
    assert_int_equal(lia_db_age(s->one.db), before + 5000 + 2 * day - 7);
}

static void a_keeper_never_evicts(void **state)
{
    struct stores *s = *state;
    bool is_evicted = false;

    reopen_as_keeper(&s->one);
    lia_test_put(&s->one, "c", 1, 1);
    assert_status(LIANA_EKEEPER, evict(&s->one, 1, false, &is_evicted));
    assert_status(LIANA_EKEEPER, evict(&s->one, 1, true, &is_evicted));
    assert_int_equal(lia_test_get(&s->one, "c", 1), 1);
}

/* The next commit of the document would else claim the earlier ones. */
static void dropping_ones_own_ends_the_actor(void **state)
{
    struct stores *s = *state;
    uint64_t before = lia_db_identity(s->one.db).actor;
    struct lia_commit first = lia_test_put(&s->one, "c", 1, 1);
    struct lia_commit next;

    assert_int_equal(first.stamp.actor, before);
    assert_true(evicts(&s->one, 1, true));
    assert_true(lia_db_identity(s->one.db).actor != before);
    next = lia_test_put(&s->one, "c", 2, 2);
    assert_true(next.stamp.actor == lia_db_identity(s->one.db).actor);
    assert_int_equal(lia_vector_get(keeping(&s->one).keep.evicted, before),
                     first.stamp.hlc);
    assert_int_equal(lia_vector_get(keeping(&s->one).keep.marks, before),
                     first.stamp.hlc);
    assert_int_equal(lia_vector_get(keeping(&s->one).keep.marks, next.stamp.actor),
                     next.stamp.hlc);
    lia_test_db_close(&s->one);
    lia_test_db_open(&s->one);
    assert_true(lia_db_identity(s->one.db).actor == next.stamp.actor);
}

static void what_others_wrote_leaves_the_actor(void **state)
{
    struct stores *s = *state;
    uint64_t before = lia_db_identity(s->two.db).actor;

    lia_test_put(&s->one, "c", 1, 1);
    PULL(&s->two, &s->one, 1);
    assert_true(evicts(&s->two, 1, true));
    assert_true(lia_db_identity(s->two.db).actor == before);
}

static void a_transaction_has_one_actor(void **state)
{
    struct stores *s = *state;
    const struct lia_collection *coll;
    struct lia_commit commit;
    struct lia_txn *txn;
    bool is_evicted;

    lia_test_put(&s->one, "c", 1, 1);
    lia_test_put(&s->one, "c", 3, 3);
    txn = lia_test_begin(&s->one, LIA_WRITE);
    lia_test_put_in(&s->one, txn, "c", 2, 2);
    assert_ok(lia_txn_collection(txn, lia_str("c"), false, &coll, NULL));
    assert_status(LIANA_EMISUSE, lia_txn_evict(txn, coll, lia_test_key(&s->one, 1),
                                               true, &is_evicted, NULL));
    assert_status(LIANA_EMISUSE, lia_txn_evict(txn, coll, lia_test_key(&s->one, 2),
                                               true, &is_evicted, NULL));
    assert_ok(lia_txn_commit(txn, NULL, NULL));
    assert_int_equal(lia_test_get(&s->one, "c", 1), 1);
    assert_int_equal(lia_test_get(&s->one, "c", 2), 2);

    txn = lia_test_begin(&s->one, LIA_WRITE);
    assert_ok(lia_txn_savepoint(txn, NULL));
    assert_ok(
        lia_txn_evict(txn, coll, lia_test_key(&s->one, 3), true, &is_evicted, NULL));
    assert_ok(lia_txn_undo(txn, NULL));
    lia_test_put_in(&s->one, txn, "c", 4, 4);
    assert_ok(lia_txn_commit(txn, &commit, NULL));
    assert_true(commit.stamp.actor == lia_db_identity(s->one.db).actor);
    assert_int_equal(lia_test_get(&s->one, "c", 3), 3);
    assert_int_equal(keeping(&s->one).keep.evicted.count, 0);
}

/* It comes back with news only. */
static void what_was_evicted_is_refused(void **state)
{
    struct stores *s = *state;

    reopen_as_keeper(&s->two);
    lia_test_put(&s->two, "c", 1, 1);
    PULL(&s->one, &s->two, 1);
    assert_true(evicts(&s->one, 1, false));
    PULL(&s->one, &s->two, 1);
    assert_false(has_row(&s->one, 1));
    lia_test_put(&s->two, "c", 1, 2);
    PULL(&s->one, &s->two, 1);
    assert_int_equal(lia_test_get(&s->one, "c", 1), 2);
}

/* "Here once" is not "deleted": no verdict on it, and no claim to who has not seen it. */
static void what_was_evicted_is_not_taken_for_deleted(void **state)
{
    struct stores *s = *state;
    struct lia_keeping one;
    struct lia_vector claim;

    lia_test_put(&s->two, "c", 1, 1);
    PULL(&s->one, &s->two, 1);
    assert_true(evicts(&s->one, 1, true));
    lia_test_put(&s->two, "c", 1, 2);
    PULL(&s->one, &s->two, 1);
    assert_int_equal(lia_test_get(&s->one, "c", 1), 2);
    one = keeping(&s->one);
    assert_ok(lia_keep_claim(&s->one.arena, &one.keep, (struct lia_vector){0}, &claim));
    assert_int_equal(lia_vector_get(claim, lia_db_identity(s->two.db).actor), 0);
}

/* Nobody takes it for a delete: the change has no clock. */
static void listeners_are_told_of_an_eviction(void **state)
{
    struct stores *s = *state;
    const struct lia_listener_options options = {.wants_before_body = true};
    struct lia_listener *listener;
    struct lia_taken taken;
    uint64_t seq;

    lia_test_put(&s->one, "c", 1, 1);
    assert_ok(lia_db_listen(s->one.db, &options, &listener, &seq, NULL));
    assert_true(evicts(&s->one, 1, true));
    assert_ok(lia_db_take(listener, &s->one.arena, SIZE_MAX, &taken));
    assert_int_equal(taken.event_count, 1);
    assert_int_equal(taken.events[0].change_count, 1);
    assert_int_equal(taken.events[0].changes[0].after.clock.len, 0);
    assert_true(taken.events[0].changes[0].before_body.len > 0);
    lia_db_unlisten(listener);
}

/* Whoever sends a life that was begun anew may have forgotten what was here before: it is not
 * taken to have all. */
static void who_begins_anew_is_told_what_was_before(void **state)
{
    struct stores *s = *state;
    const struct lia_listener_options options = {.wants_before_body = false};
    struct lia_listener *listener;
    struct lia_taken taken;
    uint64_t seq;

    reopen_as_keeper(&s->one);
    for (int32_t id = 1; id <= 2; id++) {
        lia_test_put(&s->one, "c", id, 1);
    }
    PULL(&s->two, &s->one, 1);
    run(&s->one, "DELETE FROM c");
    assert_int_equal(upkeep_later(&s->one).forgotten, 2);
    run(&s->one, "INSERT INTO c DOCUMENTS ({'_id': 1, 'b': 2}), ({'_id': 2, 'b': 2})");
    pass(&s->two, TTL + 60000);
    assert_ok(lia_db_listen(s->two.db, &options, &listener, &seq, NULL));
    PULL(&s->two, &s->one, 2);
    PULL(&s->two, &s->one, 1);
    assert_ok(lia_db_take(listener, &s->two.arena, SIZE_MAX, &taken));
    lia_db_unlisten(listener);
    assert_int_equal(taken.event_count, 2);
    assert_int_equal(taken.events[0].origin, ORIGIN);
    assert_int_equal(taken.events[1].origin, 0);
}

/* What a sender left out, because this store held it, has to come again. */
static void a_token_from_before_an_eviction_is_not_kept(void **state)
{
    struct stores *s = *state;
    const struct lia_name whole = lia_name_of(lia_str("c"), lia_slice(NULL, 0));
    struct lia_token token = {.peer = PEER,
                              .subscription = lia_name_slice(&whole),
                              .epoch = 5,
                              .seq = 10,
                              .generation = 0};
    const struct lia_batch batch = {.peer = PEER, .tokens = &token, .token_count = 1};
    struct lia_applied applied;
    struct lia_token got;

    lia_test_put(&s->one, "c", 1, 1);
    assert_ok(lia_db_apply(s->one.db, &s->one.arena, &batch, LIA_FULL, &applied, NULL));
    assert_true(evicts(&s->one, 1, true));
    token.seq = 20;
    assert_ok(lia_db_apply(s->one.db, &s->one.arena, &batch, LIA_FULL, &applied, NULL));
    assert_ok(
        lia_db_token(s->one.db, &s->one.arena, PEER, token.subscription, &got, NULL));
    assert_int_equal(got.seq, 10);
    token.generation = 1;
    assert_ok(lia_db_apply(s->one.db, &s->one.arena, &batch, LIA_FULL, &applied, NULL));
    assert_ok(
        lia_db_token(s->one.db, &s->one.arena, PEER, token.subscription, &got, NULL));
    assert_int_equal(got.seq, 20);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(a_tombstone_is_forgotten_when_it_is_kept),
        CASE(it_is_not_forgotten_before_its_time),
        CASE(a_tombstone_that_changed_waits_again),
        CASE(a_feed_says_what_is_forgotten),
        CASE(a_piece_of_work_is_bounded),
        CASE(what_is_not_safe_is_passed_over),
        CASE(it_is_not_forgotten_outside_the_own_marks),
        CASE(keepers_forget_what_they_have_of_each_other),
        CASE(a_keeper_that_evicted_before_does_not_forget),
        CASE(a_keeper_that_evicted_before_does_not_publish_that),
        CASE(what_was_deleted_and_forgotten_is_buried),
        CASE(what_only_keepers_know_is_taken),
        CASE(each_keeper_judges_by_its_own_marks),
        CASE(behind_a_query_nothing_is_judged),
        CASE(what_is_held_answers_for_what_returns),
        CASE(a_new_life_is_taken),
        CASE(updates_win_over_verdicts_only_with_news),
        CASE(a_new_life_brings_nothing_of_the_old_one_back),
        CASE(what_a_verdict_takes_is_told),
        CASE(verdicts_of_a_batch_are_one_commit),
        CASE(only_what_is_kept_is_evicted),
        CASE(what_readers_have_not_got_stays),
        CASE(a_reader_is_not_waited_for_for_ever),
        CASE(what_a_reader_has_put_aside_stays),
        CASE(a_clock_that_is_set_makes_nobody_gone),
        CASE(a_store_ages_by_a_day_while_it_is_closed),
        CASE(a_keeper_never_evicts),
        CASE(dropping_ones_own_ends_the_actor),
        CASE(what_others_wrote_leaves_the_actor),
        CASE(a_transaction_has_one_actor),
        CASE(what_was_evicted_is_refused),
        CASE(what_was_evicted_is_not_taken_for_deleted),
        CASE(listeners_are_told_of_an_eviction),
        CASE(who_begins_anew_is_told_what_was_before),
        CASE(a_token_from_before_an_eviction_is_not_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
