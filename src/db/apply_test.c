/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include "db/testing/fixture.h"

/* Two stores: what `from` writes is applied to `to`. */
struct pair {
    struct lia_test_db from;
    struct lia_test_db to;
};

static const struct liana_slice PEER = {(const uint8_t *)"peer", 4};
static const struct liana_slice SUB = {(const uint8_t *)"sub", 3};

static int setup(void **state)
{
    struct pair *p = test_malloc(sizeof(*p));

    lia_test_db_init(&p->from, 1);
    lia_test_db_init(&p->to, 2);
    lia_test_db_open(&p->from);
    lia_test_db_open(&p->to);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct pair *p = *state;

    lia_test_db_finish(&p->from);
    lia_test_db_finish(&p->to);
    test_free(p);
    return 0;
}

static struct lia_vector vector_of(struct lia_test_db *t, int32_t id)
{
    struct lia_doc_info info;

    assert_ok(lia_doc_info(&t->arena, lia_test_doc(t, "c", id).clock, &info));
    return info.vector;
}

/* The whole document as it is now at the sender. */
static struct lia_batch_item whole(struct pair *p, int32_t id)
{
    struct lia_batch_item item =
        lia_test_segment(&p->from, "c", id, (struct lia_vector){0});

    item.subscription = SUB;
    return item;
}

/* Writes at the sender and answers only what this commit changed. */
static struct lia_batch_item delta(struct pair *p, int32_t id, int32_t a)
{
    struct lia_vector before = vector_of(&p->from, id);
    struct lia_batch_item item;

    lia_test_put(&p->from, "c", id, a);
    item = lia_test_segment(&p->from, "c", id, before);
    item.subscription = SUB;
    return item;
}

static struct lia_applied apply(struct pair *p, const struct lia_batch *batch)
{
    struct lia_applied applied;
    liana_status status =
        lia_db_apply(p->to.db, &p->to.arena, batch, LIA_FULL, &applied, &p->to.err);

    if (status) {
        print_error("%s\n", p->to.err.message);
    }
    assert_ok(status);
    return applied;
}

static struct lia_applied apply_items(struct pair *p,
                                      const struct lia_batch_item *items,
                                      size_t count)
{
    const struct lia_batch batch = {
        .peer = PEER, .origin = 7, .items = items, .item_count = count};

    return apply(p, &batch);
}

static void a_batch_is_one_commit(void **state)
{
    struct pair *p = *state;
    struct lia_batch_item items[2];
    struct lia_applied applied;

    lia_test_put(&p->from, "c", 1, 10);
    lia_test_put(&p->from, "c", 2, 20);
    items[0] = whole(p, 1);
    items[1] = whole(p, 2);
    applied = apply_items(p, items, 2);
    assert_true(applied.is_committed);
    assert_int_equal(applied.commit.seq, 1);
    assert_true(lia_stamp_is_none(applied.commit.stamp));
    assert_int_equal(applied.result_count, 2);
    assert_int_equal(applied.results[0].kind, LIA_APPLY_APPLIED);
    assert_int_equal(lia_test_get(&p->to, "c", 1), 10);
    assert_int_equal(lia_test_get(&p->to, "c", 2), 20);
    assert_slice_equal(lia_test_doc(&p->to, "c", 1).clock,
                       lia_test_doc(&p->from, "c", 1).clock);
}

static void what_is_held_changes_nothing(void **state)
{
    struct pair *p = *state;
    struct lia_batch_item item;
    struct lia_applied applied;

    lia_test_put(&p->from, "c", 1, 10);
    item = whole(p, 1);
    apply_items(p, &item, 1);
    applied = apply_items(p, &item, 1);
    assert_int_equal(applied.results[0].kind, LIA_APPLY_UNCHANGED);
    assert_int_equal(applied.commit.seq, 0);
}

/* Own stamps come after everything merged, though the clock is behind it. */
static void stamps_follow_what_was_merged(void **state)
{
    struct pair *p = *state;
    struct lia_commit theirs;

    p->from.env.wall_ms += 60000;
    theirs = lia_test_put(&p->from, "c", 1, 10);
    lia_test_send(&p->from, &p->to, "c", 1);
    assert_true(lia_test_put(&p->to, "c", 1, 11).stamp.hlc > theirs.stamp.hlc);
    lia_test_db_close(&p->to);
    lia_test_db_open(&p->to);
    assert_true(lia_test_put(&p->to, "d", 1, 11).stamp.hlc > theirs.stamp.hlc);
}

static void a_gap_undoes_the_batch(void **state)
{
    struct pair *p = *state;
    struct lia_batch_item items[2];
    struct lia_applied applied;

    lia_test_put(&p->from, "c", 1, 10);
    items[0] = whole(p, 1);
    apply_items(p, items, 1);
    lia_test_put(&p->from, "c", 2, 20);
    items[0] = whole(p, 2);
    lia_test_put(&p->from, "c", 1, 11);
    items[1] = delta(p, 1, 12);
    applied = apply_items(p, items, 2);
    assert_false(applied.is_committed);
    assert_int_equal(applied.result_count, 1);
    assert_int_equal(applied.results[0].kind, LIA_APPLY_GAP);
    assert_slice_equal(applied.results[0].key.key, items[1].key.key);
    assert_true(lia_vector_equal(applied.results[0].vector, vector_of(&p->to, 1)));
    assert_int_equal(lia_test_get(&p->to, "c", 2), -1);
}

/* The repair may stand on either side of what it repairs. */
static void a_repair_in_the_batch_fills_the_gap(void **state)
{
    for (size_t at = 0; at < 2; at++) {
        struct pair *p = *state;
        struct lia_vector held;
        struct lia_batch_item items[2];
        int32_t id = (int32_t)at;

        lia_test_put(&p->from, "c", id, 10);
        lia_test_send(&p->from, &p->to, "c", id);
        held = vector_of(&p->from, id);
        lia_test_put(&p->from, "c", id, 11);
        items[at] = lia_test_segment(&p->from, "c", id, held);
        items[1 - at] = delta(p, id, 12);
        assert_true(apply_items(p, items, 2).is_committed);
        assert_int_equal(lia_test_get(&p->to, "c", id), 12);
    }
}

static void a_stage_is_applied_with_the_batch(void **state)
{
    struct pair *p = *state;
    struct lia_batch_item items[3];
    struct lia_batch batch = {.peer = PEER};
    struct lia_applied applied;
    uint64_t stage = 0;
    uint64_t other = 0;

    for (int32_t i = 0; i < 3; i++) {
        lia_test_put(&p->from, "c", i, i);
        items[i] = whole(p, i);
    }
    assert_ok(lia_db_stage(p->to.db, &stage, &items[0], 1, &p->to.err));
    assert_ok(lia_db_stage(p->to.db, &stage, &items[1], 1, &p->to.err));
    assert_ok(lia_db_stage(p->to.db, &other, &items[2], 1, &p->to.err));
    assert_int_not_equal(stage, other);
    assert_int_equal(lia_test_get(&p->to, "c", 0), -1);
    batch.stages = &stage;
    batch.stage_count = 1;
    applied = apply(p, &batch);
    assert_true(applied.is_committed);
    assert_int_equal(applied.commit.seq, 1);
    assert_int_equal(applied.result_count, 0);
    assert_int_equal(lia_test_get(&p->to, "c", 0), 0);
    assert_int_equal(lia_test_get(&p->to, "c", 1), 1);
    assert_int_equal(lia_test_get(&p->to, "c", 2), -1);
    assert_ok(lia_db_stage_drop(p->to.db, other, &p->to.err));
    batch.stages = &other;
    assert_int_equal(apply(p, &batch).commit.seq, 0);
}

/* The sender no longer has what would fill the gap: the rest goes on without it. */
static void a_staged_document_is_taken_back(void **state)
{
    static const struct liana_slice no_key = {NULL, 0};
    struct pair *p = *state;
    struct lia_batch_item items[2];
    struct lia_batch_void gone = {.subscription = SUB};
    struct lia_batch batch = {.peer = PEER, .voids = &gone, .void_count = 1};
    uint64_t stage = 0;

    lia_test_put(&p->from, "c", 1, 10);
    items[0] = delta(p, 1, 11);
    lia_test_put(&p->from, "c", 2, 20);
    items[1] = whole(p, 2);
    assert_ok(lia_db_stage(p->to.db, &stage, items, 2, &p->to.err));
    batch.stages = &stage;
    batch.stage_count = 1;
    gone.key = lia_test_key(&p->to, 3);
    assert_false(apply(p, &batch).is_committed);
    gone.key = lia_test_key(&p->to, 1);
    assert_true(apply(p, &batch).is_committed);
    assert_int_equal(lia_test_get(&p->to, "c", 1), -1);
    assert_int_equal(lia_test_get(&p->to, "c", 2), 20);

    stage = 0;
    assert_ok(lia_db_stage(p->to.db, &stage, items, 1, &p->to.err));
    gone.key = no_key;
    assert_true(apply(p, &batch).is_committed);
    assert_int_equal(lia_test_get(&p->to, "c", 1), -1);
}

/* What the stage lacks is reported, kept, and can be repaired. */
static void a_gap_in_a_stage(void **state)
{
    struct pair *p = *state;
    struct lia_batch_item item;
    struct lia_batch_item repair;
    struct lia_batch batch = {.peer = PEER};
    struct lia_applied applied;
    uint64_t stage = 0;

    lia_test_put(&p->from, "c", 1, 10);
    item = delta(p, 1, 11);
    assert_ok(lia_db_stage(p->to.db, &stage, &item, 1, &p->to.err));
    batch.stages = &stage;
    batch.stage_count = 1;
    applied = apply(p, &batch);
    assert_false(applied.is_committed);
    assert_int_equal(applied.result_count, 1);
    assert_slice_equal(applied.results[0].key.key, item.key.key);
    repair = whole(p, 1);
    batch.items = &repair;
    batch.item_count = 1;
    applied = apply(p, &batch);
    assert_true(applied.is_committed);
    assert_int_equal(lia_test_get(&p->to, "c", 1), 11);
}

static void several_stages_are_one_commit(void **state)
{
    struct pair *p = *state;
    struct lia_batch_item items[2];
    struct lia_batch batch = {.peer = PEER, .stage_count = 2};
    uint64_t stages[2] = {0, 0};

    for (int32_t i = 0; i < 2; i++) {
        lia_test_put(&p->from, "c", i, 10 + i);
        items[i] = whole(p, i);
        assert_ok(lia_db_stage(p->to.db, &stages[i], &items[i], 1, &p->to.err));
    }
    batch.stages = stages;
    assert_int_equal(apply(p, &batch).commit.seq, 1);
    assert_int_equal(lia_test_get(&p->to, "c", 0), 10);
    assert_int_equal(lia_test_get(&p->to, "c", 1), 11);
    assert_int_equal(apply(p, &batch).commit.seq, 0); /* they are gone */
}

static void a_malformed_item_changes_nothing(void **state)
{
    struct pair *p = *state;
    struct lia_batch_item items[2];
    const struct lia_batch batch = {.peer = PEER, .items = items, .item_count = 2};
    struct lia_applied applied;

    lia_test_put(&p->from, "c", 1, 10);
    items[0] = whole(p, 1);
    items[1] = items[0];
    items[1].segment = LIA_BYTES("\xff\xff");
    assert_status(LIANA_EPROTOCOL, lia_db_apply(p->to.db, &p->to.arena, &batch,
                                                LIA_FULL, &applied, &p->to.err));
    assert_non_null(strstr(p->to.err.message, "c"));
    assert_int_equal(lia_test_get(&p->to, "c", 1), -1);
}

/* A document does not come under another one's key, nor in a collection of no name. */
static void a_document_comes_under_its_key(void **state)
{
    struct pair *p = *state;
    struct lia_batch_item item;
    const struct lia_batch batch = {.peer = PEER, .items = &item, .item_count = 1};
    struct lia_applied applied;

    lia_test_put(&p->from, "c", 1, 10);
    item = whole(p, 1);
    item.key.key = lia_test_key(&p->to, 2);
    assert_status(LIANA_EPROTOCOL, lia_db_apply(p->to.db, &p->to.arena, &batch,
                                                LIA_FULL, &applied, NULL));
    item = whole(p, 1);
    item.key.collection = lia_str("$");
    assert_status(LIANA_EINVAL, lia_db_apply(p->to.db, &p->to.arena, &batch, LIA_FULL,
                                             &applied, NULL));
}

static size_t count_due(struct pair *p, uint64_t due_ms, struct lia_owed *out_first)
{
    const struct lia_owed *owed;
    size_t count;

    assert_ok(lia_db_owed(p->to.db, &p->to.arena, PEER, due_ms, 10, &owed, &count,
                          &p->to.err));
    if (count && out_first) {
        *out_first = owed[0];
    }
    return count;
}

static size_t count_owed(struct pair *p, struct lia_owed *out_first)
{
    return count_due(p, UINT64_MAX, out_first);
}

static uint64_t mark_of(struct pair *p, uint64_t actor)
{
    struct lia_vector marks;

    assert_ok(lia_db_marks(p->to.db, &p->to.arena, SUB, &marks, &p->to.err));
    return lia_vector_get(marks, actor);
}

/* A stamp too far ahead is owed, the rest of the batch is not; marks wait until it is
 * paid. */
static void the_clock_guard(void **state)
{
    struct pair *p = *state;
    struct lia_vector_entry entry = {lia_db_identity(p->from.db).actor, 0};
    const struct lia_batch_marks marks = {SUB, {&entry, 1}};
    struct lia_batch_item items[2];
    struct lia_batch batch = {.peer = PEER,
                              .items = items,
                              .item_count = 2,
                              .marks = &marks,
                              .marks_count = 1};
    struct lia_applied applied;
    struct lia_owed owed = {0};

    lia_test_put(&p->from, "c", 1, 10);
    p->from.env.wall_ms += 11 * 60 * 1000;
    entry.hlc = lia_test_put(&p->from, "c", 2, 20).stamp.hlc;
    items[0] = whole(p, 2);
    items[1] = whole(p, 1);
    applied = apply(p, &batch);
    assert_true(applied.is_committed);
    assert_int_equal(applied.results[0].kind, LIA_APPLY_OWED);
    assert_int_equal(applied.results[0].reason, LIANA_ECLOCK);
    assert_int_equal(applied.results[1].kind, LIA_APPLY_APPLIED);
    assert_int_equal(lia_test_get(&p->to, "c", 2), -1);
    assert_int_equal(lia_test_get(&p->to, "c", 1), 10);
    assert_int_equal(count_owed(p, &owed), 1);
    assert_slice_equal(owed.key.key, items[0].key.key);
    assert_slice_equal(owed.subscription, SUB);
    assert_int_equal(owed.reason, LIANA_ECLOCK);
    assert_int_equal(owed.due_ms, p->to.env.wall_ms + 60 * 1000);
    assert_int_equal(applied.results[0].ahead_ms, 11 * 60 * 1000);
    assert_int_equal(count_due(p, p->to.env.wall_ms, NULL), 0);
    assert_int_equal(mark_of(p, entry.actor), 0);

    p->to.env.wall_ms += 5 * 60 * 1000;
    assert_int_equal(count_due(p, p->to.env.wall_ms, NULL), 1);
    batch.marks_count = 0;
    applied = apply(p, &batch);
    assert_int_equal(applied.results[0].kind, LIA_APPLY_APPLIED);
    assert_int_equal(count_owed(p, NULL), 0);
    assert_int_equal(mark_of(p, entry.actor), entry.hlc);
}

/* The clock was set since it was told: the sender does not expect that this is taken. */
static void the_clock_that_was_told(void **state)
{
    struct pair *p = *state;
    struct lia_batch_item item;
    struct lia_batch batch = {.peer = PEER, .items = &item, .item_count = 1};
    struct lia_applied applied;

    batch.clock_max_ms = p->to.env.wall_ms;
    p->from.env.wall_ms += 11 * 60 * 1000;
    p->to.env.wall_ms += 60 * 60 * 1000;
    lia_test_put(&p->from, "c", 2, 20);
    item = whole(p, 2);
    applied = apply(p, &batch);
    assert_int_equal(applied.results[0].kind, LIA_APPLY_OWED);
    assert_int_equal(applied.results[0].reason, LIANA_ECLOCK);
    assert_int_equal(applied.results[0].ahead_ms, 11 * 60 * 1000);
    batch.clock_max_ms += 60 * 1000;
    assert_int_equal(apply(p, &batch).results[0].kind, LIA_APPLY_APPLIED);
}

/* Its sender does not have it any more: nothing waits for it, and nothing is believed. */
static void what_is_owed_may_be_lost(void **state)
{
    struct pair *p = *state;
    struct lia_vector_entry entry = {lia_db_identity(p->from.db).actor, 0};
    const struct lia_batch_marks marks = {SUB, {&entry, 1}};
    const struct lia_token token = {.peer = PEER, .subscription = SUB, .epoch = 7};
    struct lia_batch_item items[2];
    struct lia_batch batch = {.peer = PEER,
                              .items = items,
                              .item_count = 1,
                              .marks = &marks,
                              .marks_count = 1,
                              .tokens = &token,
                              .token_count = 1};
    struct lia_token got;

    p->from.env.wall_ms += 11 * 60 * 1000;
    entry.hlc = lia_test_put(&p->from, "c", 1, 10).stamp.hlc;
    items[0] = whole(p, 1);
    assert_int_equal(apply(p, &batch).results[0].kind, LIA_APPLY_OWED);
    assert_ok(lia_db_owed_lost(p->to.db, PEER, SUB, &items[0].key, &p->to.err));
    assert_int_equal(count_owed(p, NULL), 0);
    assert_status(LIANA_ENOTFOUND,
                  lia_db_token(p->to.db, &p->to.arena, PEER, SUB, &got, NULL));
    p->from.env.wall_ms -= 11 * 60 * 1000;
    lia_test_put(&p->to, "c", 2, 20);
    /* A batch that was on its way. */
    batch = (struct lia_batch){.peer = PEER, .tokens = &token, .token_count = 1};
    assert_true(apply(p, &batch).is_committed);
    assert_status(LIANA_ENOTFOUND,
                  lia_db_token(p->to.db, &p->to.arena, PEER, SUB, &got, NULL));
    assert_int_equal(mark_of(p, entry.actor), 0);
    /* Of what is not owed: nothing but that there are no tokens. */
    assert_ok(lia_db_owed_lost(p->to.db, PEER, SUB, &items[0].key, &p->to.err));
}

static bool awaits(struct pair *p, struct liana_slice peer, struct liana_slice of)
{
    bool answer;

    assert_ok(lia_db_awaits(p->to.db, peer, of, &answer, &p->to.err));
    return answer;
}

/* Its sender keeps it for a while, and again once it can be taken. */
static void what_is_put_aside_is_awaited(void **state)
{
    struct pair *p = *state;
    const struct liana_slice any = lia_slice(NULL, 0);
    const struct liana_slice other = lia_slice("other", 5);
    const struct lia_token token = {.peer = PEER, .subscription = SUB, .epoch = 7};
    struct lia_token got = {0};
    struct lia_batch_item item;
    struct lia_batch batch = {.peer = PEER,
                              .items = &item,
                              .item_count = 1,
                              .tokens = &token,
                              .token_count = 1};

    assert_false(awaits(p, PEER, any));
    p->from.env.wall_ms += 60 * 60 * 1000;
    lia_test_put(&p->from, "c", 1, 10);
    item = whole(p, 1);
    assert_true(apply(p, &batch).awaits);
    assert_true(awaits(p, PEER, any));
    assert_true(awaits(p, PEER, SUB));
    assert_false(awaits(p, PEER, other));
    assert_false(awaits(p, other, any));
    assert_ok(lia_db_token(p->to.db, &p->to.arena, PEER, SUB, &got, &p->to.err));
    assert_true(got.awaits);
    p->to.env.mono_ms += LIA_READER_WAIT_MS;
    assert_true(awaits(p, PEER, any));
    p->to.env.mono_ms += 1;
    assert_false(awaits(p, PEER, any)); /* a clock that is wrong for long */
    batch.item_count = 0;
    assert_false(apply(p, &batch).awaits);
    p->to.env.wall_ms += 55 * 60 * 1000;
    assert_true(awaits(p, PEER, any)); /* it is due */
    assert_true(apply(p, &batch).awaits);
    batch.item_count = 1;
    assert_false(apply(p, &batch).awaits);
    assert_ok(lia_db_token(p->to.db, &p->to.arena, PEER, SUB, &got, &p->to.err));
    assert_false(got.awaits);
}

/* What both have of a document, at the sender: what the receiver wrote as well. */
static void give_back(struct pair *p, int32_t id)
{
    const struct lia_batch_item item =
        lia_test_segment(&p->to, "c", id, (struct lia_vector){0});
    const struct lia_batch batch = {.peer = PEER, .items = &item, .item_count = 1};
    struct lia_applied applied;

    assert_ok(lia_db_apply(p->from.db, &p->from.arena, &batch, LIA_FULL, &applied,
                           &p->from.err));
}

static void evict_by_force(struct lia_test_db *t, int32_t id)
{
    struct lia_txn *txn = lia_test_begin(t, LIA_WRITE);
    const struct lia_collection *coll;
    bool is_evicted;

    assert_ok(lia_txn_collection(txn, lia_str("c"), false, &coll, NULL));
    assert_ok(
        lia_txn_evict(txn, coll, lia_test_key(t, id), true, &is_evicted, &t->err));
    assert_true(is_evicted);
    assert_ok(lia_txn_commit(txn, NULL, &t->err));
}

/* A document that is owed, which its sender has dropped and got again without its own write:
 * what it had said does not become true by that. */
struct dropped {
    struct lia_vector_entry entry;
    struct lia_batch_marks marks;
    struct lia_seen seen;
    struct lia_batch_item item;
    struct lia_batch batch; /* without marks: they were told with what is put aside */
};

static void owe_what_is_dropped(struct pair *p, struct dropped *d)
{
    d->entry = (struct lia_vector_entry){lia_db_identity(p->from.db).actor, 60};
    d->marks = (struct lia_batch_marks){SUB, {&d->entry, 1}};
    d->seen = (struct lia_seen){.epoch = 1, .seq = 1, .stamp = {1, d->entry.actor}};
    d->batch = (struct lia_batch){.peer = PEER,
                                  .items = &d->item,
                                  .item_count = 1,
                                  .marks = &d->marks,
                                  .marks_count = 1,
                                  .seen = &d->seen};
    lia_test_put(&p->to, "c", 1, 1);
    give_back(p, 1);
    p->from.env.wall_ms += 11 * 60 * 1000;
    lia_test_put(&p->from, "c", 1, 10);
    d->item = whole(p, 1);
    assert_int_equal(apply(p, &d->batch).results[0].kind, LIA_APPLY_OWED);
    evict_by_force(&p->from, 1);
    p->to.env.wall_ms += 1000;
    lia_test_put(&p->to, "c", 1, 2);
    give_back(p, 1);
    d->batch.marks_count = 0;
    d->item = whole(p, 1);
}

/* It is written again, as late, and its time comes. */
static void owe_and_take(struct pair *p, struct dropped *d)
{
    lia_test_put(&p->from, "c", 1, 20);
    d->item = whole(p, 1);
    assert_int_equal(apply(p, &d->batch).results[0].kind, LIA_APPLY_OWED);
    p->to.env.wall_ms += 5 * 60 * 1000;
    assert_int_equal(apply(p, &d->batch).results[0].kind, LIA_APPLY_APPLIED);
    assert_int_equal(mark_of(p, d->entry.actor), 0);
}

static void what_is_owed_and_was_dropped_is_not_paid_by_the_rest(void **state)
{
    struct pair *p = *state;
    struct dropped d;
    struct lia_applied applied;

    owe_what_is_dropped(p, &d);
    assert_false(apply(p, &d.batch).has_lost); /* it may be older than what is owed */
    owe_and_take(p, &d);
    assert_int_equal(count_owed(p, NULL), 1);
    d.item.is_answer = true;
    applied = apply(p, &d.batch);
    assert_true(applied.has_lost && applied.results[0].is_lost);
    assert_int_equal(count_owed(p, NULL), 0);
    assert_false(apply(p, &d.batch).has_lost);
    assert_int_equal(mark_of(p, d.entry.actor), 0);
}

/* The same, and the sender was opened anew: it may have stamped it anew as well. */
static void what_another_opening_sends_pays_and_proves_nothing(void **state)
{
    struct pair *p = *state;
    struct dropped d;

    owe_what_is_dropped(p, &d);
    d.seen.epoch = 2;
    apply(p, &d.batch);
    assert_int_equal(count_owed(p, NULL), 0);
    assert_int_equal(mark_of(p, d.entry.actor), 0);
}

static void what_another_opening_owes_is_what_it_has(void **state)
{
    struct pair *p = *state;
    struct dropped d;

    owe_what_is_dropped(p, &d);
    d.seen.epoch = 2;
    owe_and_take(p, &d);
    assert_int_equal(count_owed(p, NULL), 0);
}

/* It has not been refused here, and may be under another subscription, or be stamped anew. */
static void a_mark_that_is_ahead_is_not_believed(void **state)
{
    struct pair *p = *state;
    const struct liana_slice other = lia_slice("other", 5);
    struct lia_vector_entry entry = {lia_db_identity(p->from.db).actor, 50};
    const struct lia_batch_marks marks[] = {{SUB, {&entry, 1}}, {other, {&entry, 1}}};
    struct lia_batch_item item;
    struct lia_batch batch = {
        .peer = PEER, .items = &item, .marks = marks, .marks_count = 2};
    struct lia_vector kept;

    apply(p, &batch);
    p->from.env.wall_ms += 11 * 60 * 1000;
    entry.hlc = lia_test_put(&p->from, "c", 1, 10).stamp.hlc;
    item = whole(p, 1);
    batch.item_count = 1;
    assert_int_equal(apply(p, &batch).results[0].kind, LIA_APPLY_OWED);
    assert_ok(lia_db_marks(p->to.db, &p->to.arena, other, &kept, &p->to.err));
    assert_int_equal(lia_vector_get(kept, entry.actor), 50);
    assert_int_equal(mark_of(p, entry.actor), 50);
    p->to.env.wall_ms += 5 * 60 * 1000;
    apply(p, &batch);
    assert_ok(lia_db_marks(p->to.db, &p->to.arena, other, &kept, &p->to.err));
    assert_int_equal(lia_vector_get(kept, entry.actor), entry.hlc);
}

/* It goes by another name because its clock was ahead, or because it lost its past. */
static void what_was_offered_under_a_former_actor_goes(void **state)
{
    struct pair *p = *state;
    struct lia_vector_entry entry = {lia_db_identity(p->from.db).actor, 0};
    const struct lia_batch_marks marks = {SUB, {&entry, 1}};
    struct lia_seen seen = {.epoch = 1, .seq = 1, .stamp = {1, entry.actor}};
    struct lia_batch_item item;
    struct lia_batch batch = {.peer = PEER,
                              .items = &item,
                              .item_count = 1,
                              .marks = &marks,
                              .marks_count = 1,
                              .seen = &seen};

    p->from.env.wall_ms += 11 * 60 * 1000;
    entry.hlc = lia_test_put(&p->from, "c", 1, 10).stamp.hlc;
    item = whole(p, 1);
    assert_int_equal(apply(p, &batch).results[0].kind, LIA_APPLY_OWED);
    p->to.env.wall_ms += 5 * 60 * 1000;
    seen.epoch = 2;
    seen.stamp.actor++;
    batch.marks_count = 0;
    apply(p, &batch);
    assert_int_equal(count_owed(p, NULL), 0);
    assert_int_equal(mark_of(p, entry.actor), 0);
}

/* A change of it does not fit what is held: it is no gap that its sender could fill. */
static void what_follows_what_is_owed_is_owed(void **state)
{
    struct pair *p = *state;
    struct lia_batch_item item;
    struct lia_applied applied;
    struct lia_owed owed;

    lia_test_put(&p->from, "c", 1, 10);
    p->from.env.wall_ms += 11 * 60 * 1000;
    item = delta(p, 1, 20);
    assert_int_equal(apply_items(p, &item, 1).results[0].kind, LIA_APPLY_OWED);
    p->to.env.wall_ms += 2 * 60 * 1000;
    item = delta(p, 1, 30);
    applied = apply_items(p, &item, 1);
    assert_true(applied.is_committed);
    assert_int_equal(applied.results[0].kind, LIA_APPLY_OWED);
    assert_int_equal(applied.results[0].reason, LIANA_ECLOCK);
    assert_int_equal(count_owed(p, &owed), 1);
    item = whole(p, 1);
    assert_int_equal(apply_items(p, &item, 1).results[0].kind, LIA_APPLY_APPLIED);
    assert_int_equal(lia_test_get(&p->to, "c", 1), 30);
    assert_int_equal(count_owed(p, NULL), 0);
}

/* What was under way is no sign that its sender has stamped anew: that begins an epoch. */
static void an_older_piece_does_not_pay(void **state)
{
    struct pair *p = *state;
    struct lia_seen seen = {.epoch = 5};
    struct lia_batch_item items[3];
    struct lia_batch batch = {
        .peer = PEER, .items = items, .item_count = 1, .seen = &seen};

    lia_test_put(&p->from, "c", 1, 10);
    items[0] = whole(p, 1);
    apply(p, &batch);
    items[1] = delta(p, 1, 20);
    p->from.env.wall_ms += 11 * 60 * 1000;
    lia_test_put(&p->from, "c", 1, 30);
    items[0] = items[2] = whole(p, 1);
    assert_int_equal(apply(p, &batch).results[0].kind, LIA_APPLY_OWED);
    items[0] = items[1];
    assert_int_equal(apply(p, &batch).results[0].kind, LIA_APPLY_APPLIED);
    assert_int_equal(count_owed(p, NULL), 1);
    items[0] = items[2];
    p->to.env.wall_ms += 5 * 60 * 1000;
    assert_int_equal(apply(p, &batch).results[0].kind, LIA_APPLY_APPLIED);
    assert_int_equal(count_owed(p, NULL), 0);
}

/* Marks of a sender that owes nothing do not wait for one that does; and what is owed can
 * come from anybody. */
static void anybody_pays(void **state)
{
    static const struct liana_slice OTHER = {(const uint8_t *)"other", 5};
    struct pair *p = *state;
    struct lia_vector_entry entry = {lia_db_identity(p->from.db).actor, 60};
    const struct lia_batch_marks marks = {SUB, {&entry, 1}};
    struct lia_batch_item item;
    struct lia_batch batch = {.peer = PEER,
                              .items = &item,
                              .item_count = 1,
                              .marks = &marks,
                              .marks_count = 1};

    p->from.env.wall_ms += 11 * 60 * 1000;
    lia_test_put(&p->from, "c", 1, 10);
    item = whole(p, 1);
    assert_int_equal(apply(p, &batch).results[0].kind, LIA_APPLY_OWED);
    assert_int_equal(mark_of(p, entry.actor), 0);
    entry.hlc = 50;
    batch.peer = OTHER;
    batch.item_count = 0;
    apply(p, &batch);
    assert_int_equal(mark_of(p, entry.actor), 50);
    p->to.env.wall_ms += 5 * 60 * 1000;
    batch.item_count = 1;
    batch.marks_count = 0;
    apply(p, &batch);
    assert_int_equal(count_owed(p, NULL), 0);
    assert_int_equal(mark_of(p, entry.actor), 60);
}

/* A store whose clock is plainly wrong takes a peer's time. */
static void time_from_a_peer(void **state)
{
    struct pair *p = *state;
    const uint64_t told_ms = p->from.env.wall_ms + 30 * 60 * 1000;
    struct lia_batch_item item;
    uint64_t ms;

    lia_test_db_close(&p->to);
    p->to.options.time_floor_ms = p->from.env.wall_ms - 1000;
    p->to.env.wall_ms = 5000;
    lia_test_db_open(&p->to);
    assert_false(lia_db_now(p->to.db, &ms));
    assert_int_equal(ms, p->to.options.time_floor_ms);
    lia_db_time_from_peer(p->to.db, told_ms);
    assert_true(lia_db_now(p->to.db, &ms));
    p->from.env.wall_ms += 35 * 60 * 1000;
    lia_test_put(&p->from, "c", 1, 10);
    item = whole(p, 1);
    assert_int_equal(apply_items(p, &item, 1).results[0].kind, LIA_APPLY_APPLIED);
    assert_true(lia_hlc_ms(lia_test_put(&p->to, "c", 1, 1).stamp.hlc) >=
                p->from.env.wall_ms);
    p->to.env.wall_ms =
        p->from.env.wall_ms - 24 * 3600 * 1000; /* to another wrong one */
    p->to.env.mono_ms += 1000;
    assert_int_equal(lia_db_time(p->to.db, &ms), LIA_TIME_PEER);
    assert_int_equal(ms, told_ms + 1000);
    p->to.env.wall_ms = p->from.env.wall_ms + 7; /* somebody sets it right */
    assert_int_equal(lia_db_time(p->to.db, &ms), LIA_TIME_SYSTEM);
    assert_int_equal(ms, p->to.env.wall_ms);
}

/* How far ahead is too far is the store's own. */
static void the_guard_can_be_narrower(void **state)
{
    struct pair *p = *state;
    struct lia_batch_item item;

    lia_test_db_close(&p->to);
    p->to.options.clock_ahead_ms = 1000;
    lia_test_db_open(&p->to);
    p->from.env.wall_ms = p->to.env.wall_ms + 1001;
    lia_test_put(&p->from, "c", 1, 10);
    item = whole(p, 1);
    assert_int_equal(apply_items(p, &item, 1).results[0].kind, LIA_APPLY_OWED);
    p->to.env.wall_ms += 1;
    assert_int_equal(apply_items(p, &item, 1).results[0].kind, LIA_APPLY_APPLIED);
}

static void tokens_and_seen_move_with_the_documents(void **state)
{
    struct pair *p = *state;
    const struct lia_token token = {.peer = PEER,
                                    .subscription = SUB,
                                    .epoch = 77,
                                    .context = lia_str_slice(lia_str("ctx")),
                                    .seq = 5};
    const struct lia_seen seen = {77, 5, {6, 7}, {{3, 77, 7, 4}, {2, 76, 7, 0}}, 2};
    struct lia_batch batch = {
        .peer = PEER, .tokens = &token, .token_count = 1, .seen = &seen};
    struct lia_batch_item item;
    struct lia_token got = {0};
    struct lia_seen got_seen = {0};

    assert_status(LIANA_ENOTFOUND,
                  lia_db_token(p->to.db, &p->to.arena, PEER, SUB, &got, NULL));
    assert_status(LIANA_ENOTFOUND, lia_db_seen(p->to.db, PEER, &got_seen, NULL));
    lia_test_put(&p->from, "c", 1, 10);
    item = delta(p, 1, 11);
    batch.items = &item;
    batch.item_count = 1;
    assert_false(apply(p, &batch).is_committed);
    assert_status(LIANA_ENOTFOUND,
                  lia_db_token(p->to.db, &p->to.arena, PEER, SUB, &got, NULL));
    item = whole(p, 1);
    assert_true(apply(p, &batch).is_committed);
    lia_test_db_close(&p->to);
    lia_test_db_open(&p->to);
    assert_ok(lia_db_token(p->to.db, &p->to.arena, PEER, SUB, &got, &p->to.err));
    assert_int_equal(got.epoch, 77);
    assert_int_equal(got.seq, 5);
    assert_slice_equal(got.context, token.context);
    assert_ok(lia_db_seen(p->to.db, PEER, &got_seen, &p->to.err));
    assert_int_equal(got_seen.stamp.actor, 7);
    assert_int_equal(got_seen.opening_count, 2);
    assert_memory_equal(got_seen.openings, seen.openings, 2 * sizeof(seen.openings[0]));
    assert_ok(lia_db_token_drop(p->to.db, PEER, SUB, &p->to.err));
    assert_status(LIANA_ENOTFOUND,
                  lia_db_token(p->to.db, &p->to.arena, PEER, SUB, &got, NULL));
}

static void marks_only_grow(void **state)
{
    struct pair *p = *state;
    struct lia_vector_entry entries[2] = {{3, 50}, {UINT64_MAX, 60}};
    const struct lia_batch_marks marks = {SUB, {entries, 2}};
    const struct lia_batch batch = {.peer = PEER, .marks = &marks, .marks_count = 1};
    struct lia_applied applied;
    struct lia_commit own;

    apply(p, &batch);
    entries[0].hlc = 40;
    entries[1].hlc = 70;
    apply(p, &batch);
    assert_int_equal(mark_of(p, 3), 50);
    assert_int_equal(mark_of(p, UINT64_MAX), 70);
    own = lia_test_put(&p->to, "c", 1, 1);
    assert_int_equal(mark_of(p, own.stamp.actor), own.stamp.hlc);
    entries[0].hlc = UINT64_MAX;
    assert_status(LIANA_EPROTOCOL, lia_db_apply(p->to.db, &p->to.arena, &batch,
                                                LIA_FULL, &applied, NULL));
}

static void epochs_cover_what_they_reached(void **state)
{
    struct pair *p = *state;
    struct lia_test_db *t = &p->to;
    uint64_t first = lia_db_identity(t->db).epoch;
    bool covers = false;

    lia_test_put(t, "c", 1, 1);
    lia_test_put(t, "c", 1, 2);
    assert_ok(lia_db_epoch_covers(t->db, first, 2, &covers, &t->err));
    assert_true(covers);
    lia_test_db_close(t);
    lia_test_db_open(t);
    assert_true(lia_db_identity(t->db).epoch != first);
    lia_test_put(t, "c", 1, 3);
    assert_ok(lia_db_epoch_covers(t->db, first, 2, &covers, &t->err));
    assert_true(covers);
    assert_ok(lia_db_epoch_covers(t->db, first, 3, &covers, &t->err));
    assert_false(covers);
    assert_ok(lia_db_epoch_covers(t->db, first + 1, 0, &covers, &t->err));
    assert_false(covers);
}

static void identity_is_kept(void **state)
{
    struct pair *p = *state;
    struct lia_test_db *t = &p->to;
    struct lia_db_identity before = lia_db_identity(t->db);
    struct lia_db *other;

    lia_test_db_close(t);
    t->options.database = lia_slice(before.database, LIA_DATABASE_ID_BYTES);
    lia_test_db_open(t);
    assert_true(lia_db_identity(t->db).actor == before.actor && before.actor != 0);
    assert_true(lia_db_identity(t->db).store == before.store);
    lia_test_db_close(t);
    t->options.database = LIA_BYTES("0123456789abcdef");
    assert_status(LIANA_EDATABASE, lia_db_open(&t->options, &other, &t->err));
    assert_non_null(strstr(t->err.message, t->folder));
    t->options.database = LIA_BYTES("short");
    assert_status(LIANA_EINVAL, lia_db_open(&t->options, &other, NULL));
    t->options.database = lia_slice(NULL, 0);
    t->options.store.durability = LIA_MEMORY;
    lia_test_db_open(t);
    assert_true(lia_db_identity(t->db).actor != before.actor);
}

/* What the sender of the pair, who follows a query at the receiver, hears after `after`. */
static struct lia_feed_page heard(struct pair *p, uint64_t registration, uint64_t after)
{
    const struct lia_interest interest = {
        .registration = registration, .peer = PEER, .after_seq = after};
    const struct lia_feed_query query = {
        .interests = &interest, .interest_count = 1, .bytes_max = LIA_MIB};
    struct lia_feed_page page;

    assert_ok(lia_db_feed(p->to.db, &p->to.arena, &query, &page, &p->to.err));
    return page;
}

/* Its copy matches, and what is here never did: no commit takes it out of the query. */
static void a_writer_behind_a_query_hears_what_its_copy_lacks(void **state)
{
    struct pair *p = *state;
    struct lia_subscription sub = lia_test_subscription(&p->to, "c", 10);
    struct lia_registration reg;
    struct lia_batch_item item;
    struct lia_feed_page page;

    lia_test_put(&p->from, "c", 1, 20);
    lia_test_put(&p->to, "c", 9, 1);
    lia_test_put(&p->to, "c", 1, 6); /* a later life */
    sub.after_seq = 2;
    assert_ok(lia_db_register(p->to.db, PEER, &sub, &reg, &p->to.err));
    assert_true(reg.is_resumed);
    item = whole(p, 1);
    apply_items(p, &item, 1);
    assert_int_equal(lia_test_get(&p->to, "c", 1), 6);
    page = heard(p, reg.id, 2);
    assert_int_equal(page.item_count, 1);
    assert_int_equal(page.items[0].hits[0].kind, LIA_FEED_LEFT);
    /* Again, and nothing in it is new here: it still does not know. */
    assert_int_equal(heard(p, reg.id, page.upto).item_count, 0);
    apply_items(p, &item, 1);
    assert_int_equal(heard(p, reg.id, page.upto).item_count, 1);
}

/* Who shows all of it knows already; who has registered nothing has nothing to hear. */
static void a_writer_that_lacks_nothing_hears_nothing(void **state)
{
    struct pair *p = *state;
    struct lia_subscription sub = lia_test_subscription(&p->to, "c", 10);
    struct lia_registration reg;
    struct lia_batch_item item;

    lia_test_put(&p->from, "c", 2, 20);
    lia_test_put(&p->from, "c", 1, 5);
    lia_test_put(&p->to, "c", 9, 1);
    lia_test_put(&p->to, "c", 2, 5); /* a later life */
    lia_test_put(&p->to, "c", 2, 6);
    sub.after_seq = 3;
    assert_ok(lia_db_register(p->to.db, PEER, &sub, &reg, &p->to.err));
    item = whole(p, 1);
    apply_items(p, &item, 1);
    assert_int_equal(heard(p, reg.id, 3).item_count, 0);
    item = whole(p, 2);
    assert_ok(lia_db_apply(p->to.db, &p->to.arena,
                           &(struct lia_batch){.peer = LIA_BYTES("other"),
                                               .items = &item,
                                               .item_count = 1},
                           LIA_FULL, &(struct lia_applied){0}, &p->to.err));
    assert_int_equal(lia_test_get(&p->to, "c", 2), 6);
    assert_int_equal(heard(p, reg.id, 3).item_count, 0);
}

static void no_wake(void *ctx)
{
    (void)ctx;
}

/* What listeners hear of the newest commit. */
static struct lia_commit_event heard_of(struct pair *p, struct lia_listener *listener)
{
    struct lia_taken taken;

    assert_ok(lia_db_take(listener, &p->to.arena, LIA_MIB, &taken));
    assert_int_equal(taken.event_count, 1);
    return taken.events[0];
}

/* A copy that is behind is told what it lacks: the row is shown again, and not changed. If
 * more of it comes in the same batch it is changed after all, and listeners hear so. */
static void what_is_shown_again_and_changed_is_heard(void **state)
{
    const struct lia_listener_options options = {.wake = no_wake};
    struct pair *p = *state;
    struct lia_subscription sub = lia_test_subscription(&p->to, "c", 10);
    struct lia_registration reg;
    struct lia_listener *listener;
    struct lia_batch_item items[2];
    struct lia_commit_event shown;
    struct lia_commit_event changed;
    uint64_t seq;

    assert_ok(lia_db_register(p->to.db, PEER, &sub, &reg, &p->to.err));
    lia_test_put(&p->from, "c", 1, 10);
    items[0] = whole(p, 1);
    apply_items(p, items, 1);
    lia_test_put(&p->to, "c", 1, 1);
    items[1] = delta(p, 1, 5);
    assert_ok(lia_db_listen(p->to.db, &options, &listener, &seq, &p->to.err));
    apply_items(p, items, 1);
    shown = heard_of(p, listener);
    apply_items(p, items, 2);
    changed = heard_of(p, listener);
    lia_db_unlisten(listener);
    assert_int_equal(shown.change_count, 0);
    assert_int_equal(changed.change_count, 1);
    assert_slice_equal(changed.changes[0].key, lia_test_key(&p->to, 1));
    assert_int_equal(changed.changes[0].before.count, 2);
    assert_slice_equal(changed.changes[0].after.clock,
                       lia_test_doc(&p->to, "c", 1).clock);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(a_batch_is_one_commit),
        CASE(what_is_held_changes_nothing),
        CASE(stamps_follow_what_was_merged),
        CASE(a_gap_undoes_the_batch),
        CASE(a_repair_in_the_batch_fills_the_gap),
        CASE(a_stage_is_applied_with_the_batch),
        CASE(a_staged_document_is_taken_back),
        CASE(a_gap_in_a_stage),
        CASE(several_stages_are_one_commit),
        CASE(a_malformed_item_changes_nothing),
        CASE(a_document_comes_under_its_key),
        CASE(the_clock_guard),
        CASE(the_clock_that_was_told),
        CASE(what_is_owed_may_be_lost),
        CASE(what_is_put_aside_is_awaited),
        CASE(what_is_owed_and_was_dropped_is_not_paid_by_the_rest),
        CASE(what_another_opening_sends_pays_and_proves_nothing),
        CASE(what_another_opening_owes_is_what_it_has),
        CASE(a_mark_that_is_ahead_is_not_believed),
        CASE(what_was_offered_under_a_former_actor_goes),
        CASE(what_follows_what_is_owed_is_owed),
        CASE(an_older_piece_does_not_pay),
        CASE(anybody_pays),
        CASE(time_from_a_peer),
        CASE(the_guard_can_be_narrower),
        CASE(tokens_and_seen_move_with_the_documents),
        CASE(marks_only_grow),
        CASE(epochs_cover_what_they_reached),
        CASE(identity_is_kept),
        CASE(a_writer_behind_a_query_hears_what_its_copy_lacks),
        CASE(a_writer_that_lacks_nothing_hears_nothing),
        CASE(what_is_shown_again_and_changed_is_heard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
