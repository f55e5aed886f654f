/* SPDX-License-Identifier: Apache-2.0 */
#include "crdt/keep.h"

#include "base/testing/test.h"

/* Stamps of people's actors; INITIAL ones are at or below LIA_HLC_INITIAL_MAX. */
#define AT(n) (LIA_HLC_INITIAL_MAX + (n))

static const struct lia_vector_entry A5[] = {{1, AT(5)}};
static const struct lia_vector_entry A5_B7[] = {{1, AT(5)}, {2, AT(7)}};
static const struct lia_vector_entry B7[] = {{2, AT(7)}};
static const struct lia_vector_entry A9_B9[] = {{1, AT(9)}, {2, AT(9)}};
static const struct lia_vector_entry SEED[] = {{1, AT(5)}, {77, 3}};
static const struct lia_vector_entry SEED_MARKS[] = {{1, AT(9)}, {77, 9}};

#define VECTOR(entries)                                                                \
    ((struct lia_vector){(entries), sizeof(entries) / sizeof(*(entries))})

static const struct lia_vector NOTHING = {NULL, 0};

/* A document that actor 1 made at 5. */
static struct lia_copy alive(struct lia_vector vector)
{
    return (struct lia_copy){.info = {.created = {AT(5), 1},
                                      .created_tag = {AT(5), 1},
                                      .vector = vector,
                                      .oldest = AT(5),
                                      .exists = true},
                             .newest = {AT(5), 1}};
}

/* Deleted by actor 2 at 7. */
static struct lia_copy tombstone(void)
{
    return (struct lia_copy){.info = {.deleted = {AT(7), 2}, .vector = VECTOR(A5_B7)}};
}

static const struct lia_copy NO_ROW;

struct setup {
    struct lia_arena arena;
};

static int set_up(void **state)
{
    static struct setup s;

    lia_arena_init(&s.arena, &lia_mem_libc);
    *state = &s;
    return 0;
}

static int tear_down(void **state)
{
    struct setup *s = *state;

    lia_arena_deinit(&s->arena);
    return 0;
}

/* ---- dropping ---- */

static void only_what_is_kept_is_evicted(void **state)
{
    struct lia_keep keep = {.kept = VECTOR(A5)};
    struct lia_copy whole = alive(VECTOR(A5));
    struct lia_copy newer = alive(VECTOR(A5_B7));
    struct lia_copy dead = tombstone();

    (void)state;
    assert_true(lia_keep_may_evict(&keep, &whole.info));
    assert_false(lia_keep_may_evict(&keep, &newer.info));
    keep.kept = VECTOR(A9_B9);
    assert_true(lia_keep_may_evict(&keep, &newer.info));
    assert_false(lia_keep_may_evict(&keep, &dead.info));
    assert_false(lia_keep_may_evict(&keep, &NO_ROW.info));
    keep.is_keeper = true;
    assert_false(lia_keep_may_evict(&keep, &newer.info));
}

static void a_seed_is_never_dropped_by_rule(void **state)
{
    struct lia_keep keep = {
        .marks = VECTOR(SEED_MARKS), .kept = VECTOR(SEED_MARKS), .is_whole = true};
    struct lia_copy seed = alive(VECTOR(SEED));

    (void)state;
    assert_false(lia_keep_may_evict(&keep, &seed.info));
    seed.info.exists = false;
    assert_false(lia_keep_may_forget(&keep, &seed.info, 10, 10));
}

static void a_tombstone_is_forgotten_when_kept_known_and_old(void **state)
{
    struct lia_keep keep = {
        .marks = VECTOR(A9_B9), .kept = VECTOR(A9_B9), .is_whole = true};
    struct lia_copy dead = tombstone();
    struct lia_copy living = alive(VECTOR(A5));

    (void)state;
    assert_true(lia_keep_may_forget(&keep, &dead.info, 10, 10));
    assert_false(lia_keep_may_forget(&keep, &dead.info, 9, 10));
    assert_false(lia_keep_may_forget(&keep, &living.info, 10, 10));
    keep.marks = VECTOR(A5);
    assert_false(lia_keep_may_forget(&keep, &dead.info, 10, 10));
    keep.is_whole = false;
    assert_true(lia_keep_may_forget(&keep, &dead.info, 10, 10));
    keep.kept = VECTOR(A5);
    assert_false(lia_keep_may_forget(&keep, &dead.info, 10, 10));
}

/* A store that had evicted and then became a keeper could not give the verdict. */
static void a_keeper_does_not_forget_what_touches_its_holes(void **state)
{
    struct lia_keep keep = {.marks = VECTOR(A9_B9),
                            .kept = VECTOR(A9_B9),
                            .evicted = VECTOR(A5),
                            .is_whole = true};
    struct lia_copy dead = tombstone();

    (void)state;
    assert_true(lia_keep_may_forget(&keep, &dead.info, 10, 10));
    keep.is_keeper = true;
    assert_false(lia_keep_may_forget(&keep, &dead.info, 10, 10));
}

static void dropping_leaves_a_trace(void **state)
{
    struct setup *s = *state;
    struct lia_keep keep = {.evicted = VECTOR(A5), .forgotten = 1};
    struct lia_copy living = alive(VECTOR(B7));
    struct lia_copy dead = tombstone();
    struct lia_keep after;

    assert_ok(lia_keep_drop(&s->arena, &keep, &living.info, &after));
    assert_true(lia_vector_equal(after.evicted, VECTOR(A5_B7)));
    assert_int_equal(after.forgotten, 1);
    assert_ok(lia_keep_drop(&s->arena, &keep, &dead.info, &after));
    assert_true(lia_vector_equal(after.evicted, VECTOR(A5)));
    assert_int_equal(after.forgotten, AT(7));
    assert_true(lia_keep_must_renew(VECTOR(A5_B7), 2));
    assert_false(lia_keep_must_renew(VECTOR(A5_B7), 3));
}

/* ---- receiving ---- */

static void what_was_here_and_is_not_is_deleted(void **state)
{
    struct lia_keep keep = {.marks = VECTOR(A5), .is_whole = true};
    struct lia_copy offered = alive(VECTOR(A5_B7));
    struct lia_copy held = alive(VECTOR(A5));
    struct lia_copy dead = tombstone();
    struct lia_stamp deleted = LIA_STAMP_NONE;

    (void)state;
    assert_int_equal(
        lia_keep_judge(&keep, &NO_ROW, &offered, LIA_DELETE_WINS, &deleted),
        LIA_OFFER_BURY);
    assert_int_equal(lia_stamp_cmp(deleted, offered.info.created), 0);
    assert_int_equal(lia_keep_judge(&keep, &held, &offered, LIA_DELETE_WINS, &deleted),
                     LIA_OFFER_TAKE);
    assert_int_equal(lia_keep_judge(&keep, &dead, &offered, LIA_DELETE_WINS, &deleted),
                     LIA_OFFER_TAKE);
    keep.marks = NOTHING;
    assert_int_equal(
        lia_keep_judge(&keep, &NO_ROW, &offered, LIA_DELETE_WINS, &deleted),
        LIA_OFFER_TAKE);
}

/* A copy came with what is left of two lives before its own. */
static void what_is_left_of_a_life_that_was_here_is_deleted(void **state)
{
    const struct lia_life lives[] = {{{AT(5), 1}, {AT(5), 1}},
                                     {{AT(7), 2}, {AT(8), 3}}}; /* counted anew */
    const struct lia_life seed = {{3, 77}, {3, 77}};
    struct lia_keep keep = {.marks = VECTOR(A9_B9), .is_whole = true};

    (void)state;
    assert_int_equal(lia_keep_remains(&keep, NOTHING, lives, 2).hlc, AT(5));
    assert_true(lia_stamp_is_none(lia_keep_remains(&keep, NOTHING, lives, 0)));
    assert_true(lia_stamp_is_none(lia_keep_remains(&keep, VECTOR(A5), lives, 2)));
    keep.evicted = VECTOR(A5);
    assert_true(lia_stamp_is_none(lia_keep_remains(&keep, NOTHING, lives, 2)));
    keep.evicted = NOTHING;
    keep.marks = VECTOR(SEED_MARKS);
    assert_true(lia_stamp_is_none(lia_keep_remains(&keep, NOTHING, &seed, 1)));
    keep.marks = VECTOR(B7);
    assert_true(lia_stamp_is_none(lia_keep_remains(&keep, NOTHING, lives, 2)));
    keep.marks = VECTOR(A9_B9);
    keep.is_whole = false;
    assert_true(lia_stamp_is_none(lia_keep_remains(&keep, NOTHING, lives, 2)));
}

/* Under `update wins` one entry from outside of the marks brings all of it back. */
static void an_update_from_outside_wins_where_it_may(void **state)
{
    struct lia_keep keep = {.marks = VECTOR(A5), .is_whole = true};
    struct lia_copy offered = alive(VECTOR(A5_B7));
    struct lia_stamp deleted = LIA_STAMP_NONE;

    (void)state;
    offered.newest = (struct lia_stamp){AT(7), 2};
    assert_int_equal(
        lia_keep_judge(&keep, &NO_ROW, &offered, LIA_UPDATE_WINS, &deleted),
        LIA_OFFER_TAKE);
    keep.marks = VECTOR(A5_B7);
    assert_int_equal(
        lia_keep_judge(&keep, &NO_ROW, &offered, LIA_UPDATE_WINS, &deleted),
        LIA_OFFER_BURY);
    assert_int_equal(lia_stamp_cmp(deleted, offered.newest), 0);
}

static void what_was_evicted_returns_only_with_news(void **state)
{
    struct lia_keep keep = {
        .marks = VECTOR(A5), .evicted = VECTOR(A5), .is_whole = true};
    struct lia_copy same = alive(VECTOR(A5));
    struct lia_copy newer = alive(VECTOR(A5_B7));
    struct lia_stamp deleted;

    (void)state;
    assert_int_equal(lia_keep_judge(&keep, &NO_ROW, &same, LIA_DELETE_WINS, &deleted),
                     LIA_OFFER_REFUSE);
    assert_int_equal(lia_keep_judge(&keep, &NO_ROW, &newer, LIA_DELETE_WINS, &deleted),
                     LIA_OFFER_TAKE);
}

static void a_predicate_gives_no_verdict(void **state)
{
    struct lia_keep keep = {.marks = VECTOR(A5)};
    struct lia_copy offered = alive(VECTOR(A5_B7));
    struct lia_stamp deleted;

    (void)state;
    assert_int_equal(
        lia_keep_judge(&keep, &NO_ROW, &offered, LIA_DELETE_WINS, &deleted),
        LIA_OFFER_TAKE);
    offered = alive(VECTOR(A5));
    assert_int_equal(
        lia_keep_judge(&keep, &NO_ROW, &offered, LIA_DELETE_WINS, &deleted),
        LIA_OFFER_TAKE);
}

/* ---- marks ---- */

static void a_claim_leaves_out_what_the_receiver_would_miss(void **state)
{
    struct setup *s = *state;
    struct lia_keep keep = {.marks = VECTOR(A9_B9), .evicted = VECTOR(A5)};
    struct lia_vector claim;

    assert_ok(lia_keep_claim(&s->arena, &keep, NOTHING, &claim));
    assert_int_equal(claim.count, 1);
    assert_int_equal(lia_vector_get(claim, 2), AT(9));
    assert_ok(lia_keep_claim(&s->arena, &keep, VECTOR(A5), &claim));
    assert_true(lia_vector_equal(claim, VECTOR(A9_B9)));
    assert_ok(lia_keep_publish(&s->arena, &keep, &claim));
    assert_int_equal(claim.count, 0);
    keep.is_keeper = true;
    assert_ok(lia_keep_publish(&s->arena, &keep, &claim));
    assert_int_equal(claim.count, 1);
}

static void marks_are_taken_by_who_holds_all(void **state)
{
    struct setup *s = *state;
    struct lia_keep keep = {.marks = VECTOR(A5), .forgotten = 3, .is_whole = true};
    struct lia_keep after;

    assert_ok(lia_keep_take(&s->arena, &keep, VECTOR(B7), 2, &after));
    assert_true(lia_vector_equal(after.marks, VECTOR(A5_B7)));
    assert_int_equal(after.forgotten, 3);
    assert_ok(lia_keep_take(&s->arena, &keep, VECTOR(B7), 4, &after));
    assert_int_equal(after.forgotten, 4);
    keep.is_whole = false;
    assert_ok(lia_keep_take(&s->arena, &keep, VECTOR(B7), 4, &after));
    assert_true(lia_vector_equal(after.marks, VECTOR(A5)));
}

/* ---- sending ---- */

static void absence_of_what_is_old_says_nothing(void **state)
{
    struct lia_keep receiver = {.marks = VECTOR(A9_B9)};
    struct lia_copy living = alive(VECTOR(A5));
    struct lia_copy dead = tombstone();

    (void)state;
    assert_true(lia_keep_may_skip(&receiver, &living.info));
    assert_true(lia_keep_may_skip(&receiver, &dead.info));
    receiver.forgotten = AT(5);
    assert_false(lia_keep_may_skip(&receiver, &living.info));
    assert_true(lia_keep_may_skip(&receiver, &dead.info));
    receiver.forgotten = AT(7);
    assert_false(lia_keep_may_skip(&receiver, &dead.info));
    receiver.forgotten = AT(4);
    assert_true(lia_keep_may_skip(&receiver, &living.info));
    living.info.oldest = AT(3); /* something of a life that was there before */
    assert_false(lia_keep_may_skip(&receiver, &living.info));
    receiver.forgotten = 0; /* or it has not said so yet */
    assert_false(lia_keep_may_skip(&receiver, &living.info));
    living.info.oldest = living.info.created.hlc;
    assert_true(lia_keep_may_skip(&receiver, &living.info));
    receiver.evicted = VECTOR(A5);
    assert_false(lia_keep_may_skip(&receiver, &living.info));
    assert_true(lia_keep_may_resume(4, 4));
    assert_false(lia_keep_may_resume(3, 4));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(only_what_is_kept_is_evicted),
    cmocka_unit_test(a_seed_is_never_dropped_by_rule),
    cmocka_unit_test(a_tombstone_is_forgotten_when_kept_known_and_old),
    cmocka_unit_test(a_keeper_does_not_forget_what_touches_its_holes),
    cmocka_unit_test_setup_teardown(dropping_leaves_a_trace, set_up, tear_down),
    cmocka_unit_test(what_was_here_and_is_not_is_deleted),
    cmocka_unit_test(what_is_left_of_a_life_that_was_here_is_deleted),
    cmocka_unit_test(an_update_from_outside_wins_where_it_may),
    cmocka_unit_test(what_was_evicted_returns_only_with_news),
    cmocka_unit_test(a_predicate_gives_no_verdict),
    cmocka_unit_test_setup_teardown(a_claim_leaves_out_what_the_receiver_would_miss,
                                    set_up,
                                    tear_down),
    cmocka_unit_test_setup_teardown(marks_are_taken_by_who_holds_all,
                                    set_up,
                                    tear_down),
    cmocka_unit_test(absence_of_what_is_old_says_nothing),
};

LIA_TEST_MAIN(tests)
