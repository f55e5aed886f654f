/* SPDX-License-Identifier: Apache-2.0 */
/* The histories of docs/adr/0024, by their numbers there. */
#include "base/error.h"
#include "base/testing/test.h"
#include "crdt/testing/keep_world.h"

#define X 0

/* Stores 0, 1, ... of these roles; `deinit` with end(). */
static struct keep_world *begin(const enum keep_role *roles, size_t count)
{
    static struct keep_world w;

    memset(&w, 0, sizeof(w));
    lia_arena_init(&w.arena, &lia_mem_libc);
    w.store_count = count;
    w.actor_count = KEEP_KEYS;
    for (size_t i = 0; i < count; i++) {
        w.stores[i].role = roles[i];
        w.stores[i].actor = w.actor_count++;
        w.stores[i].hlc = LIA_HLC_INITIAL_MAX;
        w.stores[i].epoch = i + 1;
    }
    return &w;
}

#define BEGIN(...)                                                                     \
    begin((const enum keep_role[]){__VA_ARGS__},                                       \
          sizeof((const enum keep_role[]){__VA_ARGS__}) / sizeof(enum keep_role))

static void end(struct keep_world *w)
{
    for (size_t i = 0; i < w->store_count; i++) {
        keep_check(w, i);
    }
    assert_string_equal(w->why, "");
    lia_arena_deinit(&w->arena);
}

static void insert(struct keep_world *w, size_t store, size_t key)
{
    keep_insert(w, &w->stores[store], key, false, true);
}

static void pull(struct keep_world *w, size_t to, size_t from)
{
    keep_meet(w, from, to, KEEP_KEYS);
}

static bool lives(const struct keep_world *w, size_t store, size_t key)
{
    return keep_is_alive(&w->stores[store].rows[key], key);
}

static void forget(struct keep_world *w, size_t store, size_t key)
{
    keep_publish(w, &w->stores[store]);
    keep_drop(w, &w->stores[store], key, 1);
    assert_false(w->stores[store].rows[key].is_held);
}

/* `store` makes x, `other` takes it, and does not hear that it was deleted. */
static void forget_behind(struct keep_world *w, size_t store, size_t other)
{
    insert(w, store, X);
    pull(w, other, store);
    keep_delete(w, &w->stores[store], X);
    forget(w, store, X);
}

/* 1. What was evicted here was never at the second keeper. */
static void marks_of_one_who_evicted_are_not_believed(void **state)
{
    enum { K, K2, P, Q };
    struct keep_world *w = BEGIN(KEEP_KEEPER, KEEP_KEEPER, KEEP_RETAINING, KEEP_PLAIN);

    (void)state;
    insert(w, P, X);
    pull(w, Q, P);
    pull(w, K, P);
    keep_evict(w, &w->stores[P], X, false);
    assert_false(w->stores[P].rows[X].is_held);
    pull(w, K2, P);
    pull(w, K2, Q);
    assert_true(lives(w, K2, X));
    end(w);
}

/* 2, 3. All have forgotten the delete, and the document returns within all marks. */
static void what_returns_is_recognised(void **state)
{
    enum { K, P, Q };
    struct keep_world *w = BEGIN(KEEP_KEEPER, KEEP_PLAIN, KEEP_PLAIN);

    (void)state;
    insert(w, Q, X);
    pull(w, K, Q);
    pull(w, Q, K);
    pull(w, P, K);
    keep_delete(w, &w->stores[P], X);
    pull(w, K, P);
    forget(w, P, X);
    forget(w, K, X);
    pull(w, Q, K); /* whose token is older than what was forgotten */
    pull(w, K, Q);
    assert_false(lives(w, K, X));
    pull(w, Q, K);
    assert_false(lives(w, Q, X));
    end(w);
}

/* 3. The verdict spares an INSERT that nobody had seen. */
static void a_verdict_voids_no_more_than_the_delete(void **state)
{
    enum { K, P, Q };
    struct keep_world *w = BEGIN(KEEP_KEEPER, KEEP_PLAIN, KEEP_PLAIN);

    (void)state;
    forget_behind(w, K, Q);
    w->stores[P].hlc = w->stores[K].hlc;
    insert(w, P, X);
    w->stores[K].hlc += 5;
    pull(w, K, Q);
    assert_false(lives(w, K, X));
    pull(w, K, P);
    assert_true(lives(w, K, X));
    end(w);
}

/* 4. What came back in part is made whole again. */
static void what_was_evicted_is_no_longer_reflected(void **state)
{
    enum { K, R, Q };
    struct keep_world *w = BEGIN(KEEP_KEEPER, KEEP_RETAINING, KEEP_PLAIN);

    (void)state;
    insert(w, K, X);
    pull(w, Q, K);
    keep_update(w, &w->stores[K], X, true);
    pull(w, R, K);
    keep_evict(w, &w->stores[R], X, false);
    keep_update(w, &w->stores[Q], X, true);
    pull(w, R, Q);
    assert_true(lives(w, R, X));
    pull(w, K, Q);
    pull(w, R, K);
    assert_true(
        keep_covers(&w->stores[R].rows[X].vector, &w->stores[K].rows[X].vector));
    end(w);
}

/* 5. A delete of what one does not hold is not told; it must not be believed to be. */
static void a_predicate_takes_no_marks(void **state)
{
    enum { K, R, A, B };
    struct keep_world *w = BEGIN(KEEP_KEEPER, KEEP_FILTERED, KEEP_PLAIN, KEEP_PLAIN);

    (void)state;
    insert(w, A, X);
    insert(w, A, X + 1);
    keep_meet(w, A, B, 1); /* x alone, and no marks */
    keep_delete(w, &w->stores[B], X);
    pull(w, K, B);
    pull(w, R, K);
    pull(w, R, A);
    assert_true(lives(w, R, X));
    assert_int_equal(w->stores[R].marks.hlc[w->stores[B].actor], 0);
    pull(w, R, K);
    assert_false(lives(w, R, X));
    end(w);
}

/* 6. Who forgot it is all that the first keeper ever meets. */
static void a_plain_store_gives_the_verdict(void **state)
{
    enum { K, P, K2 };
    struct keep_world *w = BEGIN(KEEP_KEEPER, KEEP_PLAIN, KEEP_KEEPER);

    (void)state;
    insert(w, K, X);
    pull(w, P, K);
    keep_delete(w, &w->stores[P], X);
    pull(w, K2, P);
    forget(w, P, X);
    keep_update(w, &w->stores[K], X, true);
    pull(w, P, K);
    pull(w, K, P);
    assert_false(lives(w, K, X));
    end(w);
}

/* 7. One has forgotten the delete of a life that another had inserted before it. */
static void a_late_insert_ends_in_one_way(void **state)
{
    enum { K, P, Q };
    struct keep_world *w = BEGIN(KEEP_KEEPER, KEEP_PLAIN, KEEP_PLAIN);

    (void)state;
    insert(w, Q, X);
    w->stores[K].hlc += 5;
    insert(w, K, X);
    keep_delete(w, &w->stores[K], X);
    pull(w, P, K);
    forget(w, K, X);
    pull(w, K, Q);
    pull(w, P, Q);
    assert_true(lives(w, K, X));
    assert_false(lives(w, P, X));
    pull(w, K, P);
    pull(w, P, K);
    assert_int_equal(lives(w, K, X), lives(w, P, X));
    end(w);
}

/* 8. The verdict reaches as far as what was forgotten, and not beyond. */
static void an_update_nobody_has_seen_brings_it_back(void **state)
{
    enum { K, Q, R };
    const size_t key = KEEP_UPDATE_WINS_KEY;
    struct keep_world *w = BEGIN(KEEP_KEEPER, KEEP_PLAIN, KEEP_PLAIN);

    (void)state;
    insert(w, Q, key);
    pull(w, R, Q);
    keep_update(w, &w->stores[Q], key, true);
    pull(w, K, Q);
    keep_delete(w, &w->stores[K], key);
    forget(w, K, key);
    w->stores[R].hlc = w->stores[K].hlc;
    keep_update(w, &w->stores[R], key, true);
    w->stores[K].hlc += 5;
    pull(w, K, Q);
    assert_false(lives(w, K, key));
    pull(w, K, R);
    assert_true(lives(w, K, key));
    end(w);
}

/* 9. Both halves of what was united must be at a keeper. */
static void a_seed_stays(void **state)
{
    enum { K, R };
    const size_t key = KEEP_SEEDED_KEY;
    struct keep_world *w = BEGIN(KEEP_KEEPER, KEEP_RETAINING);

    (void)state;
    keep_insert(w, &w->stores[R], key, true, true);
    insert(w, K, key);
    pull(w, R, K);
    keep_evict(w, &w->stores[R], key, false);
    assert_true(lives(w, R, key));
    end(w);
}

/* 10. It could not recognise what it would forget. */
static void a_keeper_that_evicted_once_forgets_less(void **state)
{
    enum { K, R };
    struct keep_world *w = BEGIN(KEEP_KEEPER, KEEP_RETAINING);

    (void)state;
    insert(w, K, X);
    pull(w, R, K);
    keep_evict(w, &w->stores[R], X, false);
    keep_update(w, &w->stores[K], X, true);
    pull(w, R, K);
    keep_delete(w, &w->stores[R], X);
    w->stores[R].role = KEEP_KEEPER;
    keep_publish(w, &w->stores[R]);
    pull(w, R, K);
    keep_drop(w, &w->stores[R], X, 1);
    assert_true(w->stores[R].rows[X].is_held);
    end(w);
}

/* 11. The keeper's marks are of the history that was lost, the life is of the other one. */
static void a_life_counted_anew_is_new(void **state)
{
    enum { K, A, Q };
    struct keep_world *w = BEGIN(KEEP_KEEPER, KEEP_PLAIN, KEEP_PLAIN);

    (void)state;
    w->saved[A] = w->stores[A];
    insert(w, A, X + 1);
    keep_update(w, &w->stores[A], X + 1, true);
    keep_greet(w, K, A);
    pull(w, K, A);
    keep_fall_back(w, A);
    insert(w, A, X); /* under a stamp that is within the marks of K */
    keep_greet(w, A, K);
    assert_true(w->stores[A].doubt.is_one);
    pull(w, Q, A);
    pull(w, K, Q);
    assert_true(lives(w, K, X));
    pull(w, A, K);
    assert_true(lives(w, A, X));
    assert_true(lives(w, A, X + 1));
    end(w);
}

static size_t remains(const struct keep_world *w, size_t store, size_t key)
{
    struct lia_life lives[KEEP_COMMITS];

    return keep_lives(w, &w->stores[store].rows[key], key, lives);
}

/* 12. Begun anew after the delete was forgotten; the old life comes back under the new one. */
static void a_new_life_brings_nothing_back(void **state)
{
    enum { K, P, Q };
    struct keep_world *w = BEGIN(KEEP_KEEPER, KEEP_PLAIN, KEEP_PLAIN);

    (void)state;
    forget_behind(w, K, Q);
    w->stores[P].hlc = w->stores[K].hlc;
    insert(w, P, X);
    pull(w, Q, P); /* who has both lives, and no reason to doubt either */
    assert_int_equal(remains(w, Q, X), 1);
    pull(w, K, P);
    pull(w, K, Q);
    assert_true(lives(w, K, X));
    assert_int_equal(remains(w, K, X), 0);
    pull(w, Q, K);
    assert_int_equal(remains(w, Q, X), 0);
    end(w);
}

/* 13. As 12: K has the new life already, so that all of Q's copy is within its marks. */
static void what_stands_under_a_new_life_is_old(void **state)
{
    enum { K, Q };
    struct keep_world *w = BEGIN(KEEP_KEEPER, KEEP_PLAIN);

    (void)state;
    forget_behind(w, K, Q);
    insert(w, K, X);
    pull(w, Q, K);
    assert_int_equal(remains(w, Q, X), 1);
    pull(w, K, Q);
    pull(w, Q, K);
    assert_int_equal(remains(w, Q, X), 0);
    assert_true(lives(w, Q, X));
    end(w);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(marks_of_one_who_evicted_are_not_believed),
    cmocka_unit_test(what_returns_is_recognised),
    cmocka_unit_test(a_verdict_voids_no_more_than_the_delete),
    cmocka_unit_test(what_was_evicted_is_no_longer_reflected),
    cmocka_unit_test(a_predicate_takes_no_marks),
    cmocka_unit_test(a_plain_store_gives_the_verdict),
    cmocka_unit_test(a_late_insert_ends_in_one_way),
    cmocka_unit_test(an_update_nobody_has_seen_brings_it_back),
    cmocka_unit_test(a_seed_stays),
    cmocka_unit_test(a_keeper_that_evicted_once_forgets_less),
    cmocka_unit_test(a_life_counted_anew_is_new),
    cmocka_unit_test(a_new_life_brings_nothing_back),
    cmocka_unit_test(what_stands_under_a_new_life_is_old),
};

LIA_TEST_MAIN(tests)
