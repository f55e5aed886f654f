/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What two histories of one store have written apart: the loser is told as of any two who
 * did not know of each other, though both wrote under one name and, perhaps, one stamp.
 */
#include "base/testing/test.h"

#include "base/limits.h"
#include "db/renew.h"
#include "db/testing/statements.h"
#include "store/testing/disk.h"

/* `copy` is what `store` was before it wrote its last; `peer` has met `store`. */
struct world {
    struct lia_test_db store;
    struct lia_test_db copy;
    struct lia_test_db peer;
    struct lia_test_disk disks[3];
    struct lia_rng rng;
};

#define LOST "SELECT path, value FROM system:conflicts WHERE kind = 'lost' ORDER BY _id"

static void init_on(struct lia_test_db *t, uint64_t seed, const char *vfs)
{
    lia_test_db_init(t, seed);
    t->options.store.vfs = vfs;
    t->options.store.path = "s";
}

static int setup(void **state)
{
    struct world *w = test_calloc(1, sizeof(*w));

    w->rng = lia_rng(1);
    lia_test_disk_init(&w->disks[0], "heal-0");
    init_on(&w->store, 1, "heal-0");
    init_on(&w->copy, 2, "heal-1");
    lia_test_db_init(&w->peer, 3);
    lia_test_db_open(&w->store);
    lia_test_db_open(&w->peer);
    lia_test_run(&w->store, "INSERT INTO c DOCUMENTS ({'_id': 1, 'a': 0, 'n': 10})");
    lia_test_pull(&w->store, &w->peer, "c");
    lia_test_disk_crash(&w->disks[0], &w->rng, &w->disks[1], "heal-1");
    lia_test_db_open(&w->copy);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    lia_test_db_finish(&w->store);
    lia_test_db_finish(&w->copy);
    lia_test_db_finish(&w->peer);
    for (size_t i = 0; i < 3; i++) {
        lia_test_disk_deinit(&w->disks[i]);
    }
    test_free(w);
    return 0;
}

/* The peer has seen the store go on; the copy learns of it. */
static void part(struct world *w)
{
    struct lia_seen seen;
    bool renewed = false;

    lia_test_pull(&w->store, &w->peer, "c");
    seen = lia_test_history(&w->store);
    assert_ok(lia_db_judge(w->copy.db, &seen, &renewed, &w->copy.err));
    assert_true(renewed);
}

static void mend(struct lia_test_db *t)
{
    bool more = true;

    while (more) {
        assert_ok(lia_db_mend(t->db, LIA_MIB, &more, &t->err));
    }
}

static size_t lost(struct lia_test_db *t)
{
    return lia_test_count(t, LOST);
}

static void write_both(struct world *w, const char *first, const char *second)
{
    lia_test_run(&w->store, first);
    w->copy.env.wall_ms += 60000;
    lia_test_run(&w->copy, second);
    part(w);
}

/* The peer holds the lost history, the copy joins it. What the copy sends then says of the
 * name that both histories share what it always did: the peer cannot see that the copy knows
 * by now, and tells as well. Once. */
static void the_store_that_heals_tells(void **state)
{
    struct world *w = *state;

    write_both(w, "UPDATE c SET a = 5", "UPDATE c SET a = 7");
    lia_test_pull(&w->peer, &w->copy, "c");
    lia_test_shows(&w->copy, LOST, "{'path': ['a'], 'value': 5}");
    mend(&w->copy);
    lia_test_pull(&w->copy, &w->peer, "c");
    lia_test_pull(&w->peer, &w->copy, "c");
    lia_test_shows(&w->peer, "SELECT a FROM c", "{'a': 7}");
    lia_test_pull(&w->copy, &w->peer, "c");
    assert_int_equal(lost(&w->copy), 1);
    assert_int_equal(lost(&w->peer), 1);
    lia_test_run(&w->copy, "UPDATE c SET a = 8");
    lia_test_pull(&w->copy, &w->peer, "c");
    assert_int_equal(lost(&w->peer), 1);
}

/* Mended first: the peer joins them, and the copy is given the result. */
static void the_peer_that_joins_tells(void **state)
{
    struct world *w = *state;

    write_both(w, "UPDATE c SET a = 5", "UPDATE c SET a = 7");
    mend(&w->copy);
    lia_test_pull(&w->copy, &w->peer, "c");
    lia_test_shows(&w->peer, LOST, "{'path': ['a'], 'value': 5}");
    lia_test_pull(&w->peer, &w->copy, "c");
    assert_int_equal(lost(&w->copy), 0);
}

/* Totals of one actor are not added: the newer holds, the other one is told. */
static void increments_of_both_histories_are_told(void **state)
{
    struct world *w = *state;

    write_both(w, "UPDATE c APPLY n INCREMENT BY 5", "UPDATE c APPLY n INCREMENT BY 7");
    lia_test_pull(&w->peer, &w->copy, "c");
    lia_test_shows(&w->copy, "SELECT n FROM c", "{'n': 17}");
    lia_test_shows(&w->copy, LOST, "{'path': ['n'], 'value': 5}");
    mend(&w->copy);
    lia_test_pull(&w->copy, &w->peer, "c");
    lia_test_shows(&w->peer, "SELECT n FROM c", "{'n': 17}");
    lia_test_shows(&w->peer, LOST, "{'path': ['n'], 'value': 5}");
    lia_test_run(&w->copy, "UPDATE c APPLY n INCREMENT BY 1");
    lia_test_pull(&w->copy, &w->peer, "c");
    lia_test_pull(&w->peer, &w->copy, "c");
    assert_int_equal(lost(&w->copy), 1);
    assert_int_equal(lost(&w->peer), 1);
}

/* What only one of them wrote is in nobody's way. */
static void what_does_not_meet_is_not_told(void **state)
{
    struct world *w = *state;

    write_both(w, "UPDATE c SET a = 5", "UPDATE c APPLY n INCREMENT BY 7");
    lia_test_pull(&w->peer, &w->copy, "c");
    mend(&w->copy);
    lia_test_pull(&w->copy, &w->peer, "c");
    lia_test_shows(&w->peer, "SELECT a, n FROM c", "{'a': 5, 'n': 17}");
    assert_int_equal(lost(&w->copy) + lost(&w->peer), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_store_that_heals_tells),
        CASE(the_peer_that_joins_tells),
        CASE(increments_of_both_histories_are_told),
        CASE(what_does_not_meet_is_not_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
