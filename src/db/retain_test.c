/* SPDX-License-Identifier: Apache-2.0 */
/* What declared retention evicts, and when (docs/adr/0027). */
#include "base/testing/test.h"

#include "db/internal.h"
#include "db/testing/statements.h"

#define HOUR ((uint64_t)60 * 60 * 1000)
#define DAY  (24 * HOUR)

static int setup(void **state)
{
    static struct lia_test_db t;

    lia_test_db_init(&t, 1);
    t.options.store.durability = LIA_NORMAL;
    lia_test_db_open(&t);
    *state = &t;
    return 0;
}

static int teardown(void **state)
{
    lia_test_db_finish(*state);
    return 0;
}

/* ---- help ---- */

/* A keeper says that it holds all of what is here. */
static void keep_all(struct lia_test_db *t)
{
    struct lia_keeping k;
    struct lia_batch_keep keep = {.collection = lia_str("c")};
    const struct lia_batch batch = {
        .peer = LIA_BYTES("a keeper"), .keeps = &keep, .keep_count = 1};
    struct lia_applied applied;

    assert_ok(lia_db_keeping(t->db, &t->arena, lia_str("c"), &k, &t->err));
    keep.kept = k.keep.marks;
    assert_ok(lia_db_apply(t->db, &t->arena, &batch, LIA_FULL, &applied, &t->err));
}

/* A whole round: how many it evicted. */
static size_t round_of(struct lia_test_db *t, uint64_t *out_next_ms)
{
    struct lia_upkeep done;
    size_t evicted = 0;

    do {
        assert_ok(lia_db_upkeep(t->db, &done, &t->err));
        assert_true(done.looked_at <= 128);
        evicted += done.evicted;
    } while (done.next_ms == 0);
    if (out_next_ms) {
        *out_next_ms = done.next_ms;
    }
    return evicted;
}

static void put(struct lia_test_db *t, int32_t first, int32_t last)
{
    for (int32_t id = first; id <= last; id++) {
        lia_test_env_pass(&t->env, 1);
        lia_test_put(t, "c", id, id);
    }
}

static bool has(struct lia_test_db *t, int32_t id)
{
    return lia_test_get(t, "c", id) >= 0;
}

static size_t rows_of(struct lia_test_db *t, const char *table)
{
    struct lia_conn *conn;
    sqlite3_stmt *stmt = NULL;
    char sql[64];
    size_t count;

    sqlite3_snprintf(sizeof(sql), sql, "SELECT count(*) FROM %s", table);
    assert_ok(lia_store_read_begin(lia_db_store(t->db), &conn, &t->err));
    assert_ok(lia_conn_prepare(conn, lia_str(sql), &stmt, &t->err));
    assert_ok(lia_conn_step(conn, stmt, &t->err));
    count = (size_t)lia_column_u64(stmt, 0);
    lia_conn_done(conn, stmt);
    lia_store_read_end(lia_db_store(t->db), conn);
    return count;
}

/* ---- keep ---- */

static void the_newest_stay(void **state)
{
    struct lia_test_db *t = *state;

    lia_test_run(t, "CREATE COLLECTION c WITH (keep = 5)");
    put(t, 1, 8);
    lia_test_env_pass(&t->env, 1);
    lia_test_put(t, "c", 1, 100); /* is the newest now */
    assert_int_equal(round_of(t, NULL), 0);
    assert_int_equal(lia_db_retention_stats(t->db).waiting, 3);
    keep_all(t);
    assert_int_equal(round_of(t, NULL), 3);
    assert_int_equal(lia_db_retention_stats(t->db).waiting, 0);
    assert_int_equal(lia_db_retention_stats(t->db).evicted, 3);
    assert_true(has(t, 1));
    assert_false(has(t, 2) || has(t, 3) || has(t, 4));
    assert_true(has(t, 5) && has(t, 8));
    assert_int_equal(rows_of(t, "aged"), 5);
}

/* The rest of what could not go stays as well: the newest are promised, not a number. */
static void what_no_keeper_has_stays(void **state)
{
    struct lia_test_db *t = *state;

    lia_test_run(t, "CREATE COLLECTION c WITH (keep = 2)");
    put(t, 1, 3);
    keep_all(t);
    put(t, 4, 6);
    assert_int_equal(round_of(t, NULL), 3);
    assert_true(has(t, 4) && has(t, 5) && has(t, 6));
    assert_int_equal(lia_db_retention_stats(t->db).waiting, 1);
}

static void a_keeper_keeps(void **state)
{
    struct lia_test_db *t = *state;

    lia_test_db_close(t);
    t->options.is_keeper = true;
    lia_test_db_open(t);
    lia_test_run(t, "CREATE COLLECTION c WITH (keep = 2, ttl = '1 day')");
    put(t, 1, 6);
    lia_test_env_pass(&t->env, 10 * DAY);
    assert_int_equal(round_of(t, NULL), 0);
    assert_int_equal(lia_test_count(t, "SELECT * FROM c"), 6);
}

/* A declaration that comes later, changes and goes. */
static void declarations_change(void **state)
{
    struct lia_test_db *t = *state;

    put(t, 1, 600);
    lia_test_run(t, "CREATE COLLECTION c");
    keep_all(t);
    assert_int_equal(round_of(t, NULL), 0);
    assert_int_equal(rows_of(t, "aged"), 0);
    lia_test_run(t, "ALTER COLLECTION c SET (keep = 500)");
    assert_int_equal(round_of(t, NULL), 100);
    assert_int_equal(rows_of(t, "aged"), 500);
    lia_test_run(t, "ALTER COLLECTION c SET (keep = 400)");
    assert_int_equal(round_of(t, NULL), 100);
    lia_test_run(t, "DROP COLLECTION c");
    assert_int_equal(round_of(t, NULL), 0);
    assert_int_equal(rows_of(t, "aged"), 0);
    assert_int_equal(rows_of(t, "retention"), 0);
}

/* What left in another way is not counted. */
static void what_is_gone_does_not_count(void **state)
{
    struct lia_test_db *t = *state;

    lia_test_run(t, "CREATE COLLECTION c WITH (keep = 4)");
    put(t, 1, 6);
    keep_all(t);
    lia_test_run(t, "DELETE FROM c WHERE _id = 6");
    lia_test_run(t, "EVICT FROM c WHERE _id = 5");
    assert_int_equal(round_of(t, NULL), 0);
    assert_int_equal(rows_of(t, "aged"), 4);
    lia_test_run(t, "EVICT FROM c WHERE _id = 1");
    assert_int_equal(rows_of(t, "aged"), 3);
}

/* ---- ttl ---- */

/* With a round every few days, none of which evicts. */
static void days(struct lia_test_db *t, uint64_t n)
{
    for (assert_int_equal(round_of(t, NULL), 0); n; n -= n < 5 ? n : 5) {
        lia_test_env_pass(&t->env, (n < 5 ? n : 5) * DAY);
        assert_int_equal(round_of(t, NULL), 0);
    }
}

static void old_ones_go(void **state)
{
    struct lia_test_db *t = *state;
    uint64_t next_ms = 0;

    lia_test_run(t, "CREATE COLLECTION c WITH (ttl = '90 days')");
    put(t, 1, 2);
    lia_test_env_pass(&t->env, 50 * DAY);
    put(t, 3, 3);
    keep_all(t);
    days(t, 35);
    lia_test_env_pass(&t->env, 5 * DAY - 10);
    assert_int_equal(round_of(t, &next_ms), 0);
    assert_true(next_ms <= 1000);
    lia_test_env_pass(&t->env, next_ms);
    assert_int_equal(round_of(t, NULL), 2);
    assert_true(has(t, 3));
}

/* A clock that nobody believes makes nothing old. */
static void nothing_is_old_while_the_time_is_not_known(void **state)
{
    struct lia_test_db *t = *state;
    uint64_t now = t->env.wall_ms;

    lia_test_run(t, "CREATE COLLECTION c WITH (ttl = '1 hour')");
    put(t, 1, 2);
    keep_all(t);
    t->env.wall_ms = 0;
    assert_int_equal(round_of(t, NULL), 0);
    t->env.wall_ms = now + DAY;
    assert_int_equal(round_of(t, NULL), 2);
}

/* A clock that is set wrong, and right again; a restart believes it no sooner. */
static void a_clock_in_2060_makes_nothing_old(void **state)
{
    struct lia_test_db *t = *state;
    const uint64_t now = t->env.wall_ms;

    lia_test_run(t, "CREATE COLLECTION c WITH (ttl = '10 days', unkept = TRUE)");
    put(t, 1, 5);
    keep_all(t);
    days(t, 2);
    t->env.wall_ms = now + 34 * 365 * DAY;
    for (int hour = 0; hour < 23; hour++) {
        assert_int_equal(round_of(t, NULL), 0);
        lia_test_db_close(t);
        lia_test_db_open(t);
        lia_test_env_pass(&t->env, HOUR);
    }
    t->env.wall_ms = now + 3 * DAY;
    days(t, 6);
    lia_test_env_pass(&t->env, 2 * DAY);
    assert_int_equal(round_of(t, NULL), 5);
}

/* A month in a drawer. */
static void who_slept_waits_a_day(void **state)
{
    struct lia_test_db *t = *state;

    lia_test_run(t, "CREATE COLLECTION c WITH (ttl = '10 days')");
    put(t, 1, 5);
    keep_all(t);
    days(t, 2);
    lia_test_env_pass(&t->env, 30 * DAY);
    assert_int_equal(round_of(t, NULL), 0);
    lia_test_env_pass(&t->env, DAY - 1);
    assert_int_equal(round_of(t, NULL), 0);
    lia_test_env_pass(&t->env, 1);
    assert_int_equal(round_of(t, NULL), 5);
}

static void unkept_ones_go_where_that_is_declared(void **state)
{
    struct lia_test_db *t = *state;

    lia_test_run(t, "CREATE COLLECTION c WITH (ttl = '1 hour')");
    put(t, 1, 3);
    lia_test_run(t, "INSERT INTO c INITIAL DOCUMENTS ({'_id': 4, 'a': 4})");
    lia_test_env_pass(&t->env, DAY);
    assert_int_equal(round_of(t, NULL), 0);
    lia_test_run(t, "ALTER COLLECTION c SET (unkept = true)");
    assert_int_equal(round_of(t, NULL), 3);
    assert_true(has(t, 4)); /* seeds are no rule's */
}

/* ---- quota ---- */

static void the_newest_bytes_stay(void **state)
{
    struct lia_test_db *t = *state;
    struct lia_doc doc;
    uint64_t one;
    char text[80];

    put(t, 1, 20);
    doc = lia_test_doc(t, "c", 1);
    one = doc.body.len + doc.clock.len;
    sqlite3_snprintf(sizeof(text), text, "CREATE COLLECTION c WITH (quota = '%llu B')",
                     (unsigned long long)one * 12 + one / 2);
    lia_test_run(t, text);
    keep_all(t);
    assert_int_equal(round_of(t, NULL), 8);
    assert_false(has(t, 8));
    assert_true(has(t, 9));
}

/* ---- the price of evicting what one wrote ---- */

static void an_actor_ends_once_a_day(void **state)
{
    struct lia_test_db *t = *state;
    uint64_t first = lia_db_identity(t->db).actor;
    uint64_t second;

    lia_test_run(t, "CREATE COLLECTION c WITH (keep = 1)");
    put(t, 1, 3);
    keep_all(t);
    assert_int_equal(round_of(t, NULL), 2);
    second = lia_db_identity(t->db).actor;
    assert_true(second != first);
    put(t, 4, 6);
    keep_all(t);
    assert_int_equal(round_of(t, NULL), 1); /* of the first actor */
    assert_true(lia_db_identity(t->db).actor == second);
    assert_int_equal(lia_db_retention_stats(t->db).waiting, 2);
    lia_test_env_pass(&t->env, DAY);
    assert_int_equal(round_of(t, NULL), 2);
    assert_true(lia_db_identity(t->db).actor != second);
}

/* ---- on_unmatch ---- */

static uint64_t subscribe(struct lia_test_db *t, int32_t least_a)
{
    struct lia_subscription sub = lia_test_subscription(t, "c", least_a);
    uint64_t id = 0;

    assert_ok(lia_db_interest_add(t->db, sub.collection, sub.query, &id, &t->err));
    return id;
}

static void what_no_longer_matches_goes(void **state)
{
    struct lia_test_db *t = *state;
    uint64_t other;

    lia_test_run(t, "CREATE COLLECTION c WITH (on_unmatch = 'remove')");
    put(t, 1, 4);
    subscribe(t, 3);
    other = subscribe(t, 100);
    lia_test_put(t, "c", 1, 2); /* never matched */
    lia_test_put(t, "c", 3, 2); /* leaves */
    lia_test_put(t, "c", 4, 1); /* leaves and comes back */
    assert_int_equal(round_of(t, NULL), 0);
    assert_int_equal(lia_db_retention_stats(t->db).waiting, 2);
    lia_test_put(t, "c", 4, 4);
    keep_all(t);
    lia_db_interest_remove(t->db, other);
    assert_int_equal(round_of(t, NULL), 1);
    assert_false(has(t, 3));
    assert_true(has(t, 1) && has(t, 2) && has(t, 4));
    assert_int_equal(rows_of(t, "unmatched"), 0);
}

/* A peer tells of what has left; whoever has let it go gets it all the same. */
static void what_comes_without_matching_goes(void **state)
{
    struct lia_test_db *t = *state;
    struct lia_test_db peer;
    struct lia_vector_entry entry;
    const struct lia_batch_keep keep = {.collection = lia_str("c"),
                                        .kept = {&entry, 1}};
    struct lia_batch_item item;
    const struct lia_batch batch = {.peer = lia_slice("p", 1),
                                    .items = &item,
                                    .item_count = 1,
                                    .keeps = &keep,
                                    .keep_count = 1};
    struct lia_applied applied;
    struct lia_stamp stamp;

    lia_test_db_init(&peer, 9);
    lia_test_db_open(&peer);
    stamp = lia_test_put(&peer, "c", 1, 2).stamp;
    entry = (struct lia_vector_entry){stamp.actor, stamp.hlc};
    lia_test_run(t, "CREATE COLLECTION c WITH (on_unmatch = 'remove')");
    subscribe(t, 3);
    item = lia_test_segment(&peer, "c", 1, (struct lia_vector){0});
    assert_ok(lia_db_apply(t->db, &t->arena, &batch, LIA_FULL, &applied, &t->err));
    assert_true(has(t, 1));
    assert_int_equal(round_of(t, NULL), 1);
    assert_false(has(t, 1));
    lia_test_db_finish(&peer);
}

static void nothing_goes_while_nobody_subscribes(void **state)
{
    struct lia_test_db *t = *state;
    uint64_t id;

    lia_test_run(t, "CREATE COLLECTION c WITH (on_unmatch = 'remove')");
    put(t, 1, 4);
    id = subscribe(t, 3);
    lia_test_put(t, "c", 3, 2);
    lia_db_interest_remove(t->db, id);
    lia_test_put(t, "c", 4, 2);
    keep_all(t);
    assert_int_equal(round_of(t, NULL), 0);
    subscribe(t, 3);
    assert_int_equal(round_of(t, NULL), 1);
    assert_true(has(t, 4));
}

static void it_stays_unless_that_is_declared(void **state)
{
    struct lia_test_db *t = *state;

    put(t, 1, 4);
    subscribe(t, 3);
    lia_test_put(t, "c", 3, 2);
    keep_all(t);
    assert_int_equal(round_of(t, NULL), 0);
    assert_int_equal(rows_of(t, "unmatched"), 0);
}

/* ---- pieces ---- */

/* Every piece is a commit, and where the round stood is in memory: nothing is lost with it,
 * nor done twice. */
static void a_restart_between_pieces_changes_nothing(void **state)
{
    struct lia_test_db *t = *state;
    struct lia_txn *txn;
    struct lia_upkeep done;
    size_t evicted = 0;
    int pieces = 0;

    lia_test_run(t, "CREATE COLLECTION c WITH (keep = 10)");
    txn = lia_test_begin(t, LIA_WRITE); /* one commit: it is taken in in pieces */
    for (int32_t id = 1; id <= 1000; id++) {
        lia_test_put_in(t, txn, "c", id, id);
    }
    assert_ok(lia_txn_commit(txn, NULL, &t->err));
    keep_all(t);
    do {
        assert_ok(lia_db_upkeep(t->db, &done, &t->err));
        assert_true(done.evicted <= 64);
        evicted += done.evicted;
        if (++pieces % 3 == 0) {
            lia_test_db_close(t);
            lia_test_db_open(t);
        }
    } while (done.next_ms == 0);
    assert_int_equal(evicted, 990);
    assert_true(pieces > 15);
    assert_int_equal(rows_of(t, "aged"), 10);
}

static void memory_fails_anywhere(void **state)
{
    struct lia_test_db *t = *state;
    struct lia_upkeep done = {0};
    liana_status status = LIANA_ENOMEM;
    size_t n = 0;

    lia_test_run(t, "CREATE COLLECTION c WITH (keep = 2)");
    put(t, 1, 8);
    keep_all(t);
    while (status) {
        lia_test_alloc_fail_at(&t->env.alloc, ++n);
        status = lia_db_upkeep(t->db, &done, NULL);
        lia_test_alloc_fail_at(&t->env.alloc, 0);
        assert_true(!status || status == LIANA_ENOMEM);
        assert_int_equal(lia_test_count(t, "SELECT * FROM c"), status ? 8 : 2);
    }
    assert_true(n > 10);
    assert_int_equal(done.evicted, 6);
}

/* ---- against a model ---- */

#define DOCS 24

struct model {
    uint64_t changed[DOCS]; /* order of the newest change; 0: it is not here */
    uint64_t changed_ms[DOCS];
    bool is_kept[DOCS];
    uint64_t last;
};

static bool should_go(const struct model *m, int id, uint64_t keep, uint64_t now_ms)
{
    uint64_t newer = 0;

    for (int i = 0; i < DOCS; i++) {
        newer += m->changed[i] > m->changed[id];
    }
    return m->changed[id] && m->is_kept[id] &&
           (newer >= keep || now_ms - m->changed_ms[id] >= DAY);
}

static void step(struct lia_test_db *t, struct model *m)
{
    int id = (int)lia_rng_below(&t->env.rng, DOCS);

    lia_test_env_pass(&t->env, 1 + lia_rng_below(&t->env.rng, HOUR));
    switch (lia_rng_below(&t->env.rng, 8)) {
    case 0:
        if (m->changed[id]) {
            lia_test_delete(t, "c", id);
            m->changed[id] = 0;
        }
        break;
    case 1:
        keep_all(t);
        memset(m->is_kept, true, sizeof(m->is_kept));
        break;
    default:
        lia_test_put(t, "c", id, (int32_t)m->last + 1);
        m->changed[id] = ++m->last;
        m->changed_ms[id] = t->env.wall_ms;
        m->is_kept[id] = false;
    }
}

static void check_round(struct lia_test_db *t, struct model *m, uint64_t keep)
{
    bool goes[DOCS];
    uint64_t kept = 0;

    lia_test_env_pass(&t->env, DAY / 2 + lia_rng_below(&t->env.rng, DAY));
    for (int id = 0; id < DOCS; id++) {
        goes[id] = should_go(m, id, keep, t->env.wall_ms);
    }
    round_of(t, NULL);
    for (int id = 0; id < DOCS; id++) {
        if (goes[id]) {
            m->changed[id] = 0;
        }
        assert_true(has(t, id) == (m->changed[id] != 0));
        kept += m->changed[id] != 0;
    }
    assert_int_equal(rows_of(t, "aged"), kept);
}

/* Of histories of writes, deletes, keepers' words and time, exactly the right ones go. */
static void exactly_the_right_ones_go(void **state)
{
    struct lia_rng rng = lia_rng(lia_test_seed("exactly_the_right_ones_go"));

    (void)state;
    for (uint64_t i = 0; i < 40; i++) {
        struct lia_test_db one;
        struct model m = {.last = 0};
        uint64_t keep = 1 + lia_rng_below(&rng, DOCS);
        char text[80];

        lia_test_db_init(&one, lia_rng_next(&rng));
        one.options.store.durability = LIA_NORMAL;
        lia_test_db_open(&one);
        sqlite3_snprintf(sizeof(text), text,
                         "CREATE COLLECTION c WITH (keep = %llu, ttl = '1 day')",
                         (unsigned long long)keep);
        lia_test_run(&one, text);
        for (int round = 0; round < 4; round++) {
            for (int steps = 0; steps < 20; steps++) {
                step(&one, &m);
            }
            lia_test_env_pass(&one.env, DAY); /* a new actor may be had */
            check_round(&one, &m, keep);
        }
        lia_test_db_finish(&one);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* What comes from others while a round goes on may be older than where it stands: it is in
 * excess itself, and takes no newer one's place. */
static void what_comes_from_behind_in_a_round(void **state)
{
    struct lia_test_db *t = *state;
    struct lia_test_db other;
    struct lia_upkeep done;

    lia_test_db_init(&other, 2);
    lia_test_db_open(&other);
    put(&other, 401, 450);
    lia_test_env_pass(&t->env, HOUR);
    lia_test_run(t, "CREATE COLLECTION c WITH (keep = 100)");
    put(t, 1, 300);
    keep_all(t);
    assert_ok(lia_db_upkeep(t->db, &done, &t->err)); /* takes in */
    assert_ok(lia_db_upkeep(t->db, &done, &t->err));
    assert_true(done.evicted > 0 && done.next_ms == 0);
    for (int32_t id = 401; id <= 450; id++) {
        lia_test_send(&other, t, "c", id);
    }
    round_of(t, NULL);
    for (int32_t id = 201; id <= 300; id++) {
        assert_true(has(t, id));
    }
    assert_false(has(t, 200));
    assert_int_equal(round_of(t, NULL), 0);
    assert_int_equal(lia_db_retention_stats(t->db).waiting,
                     50); /* no keeper has them */
    lia_test_db_finish(&other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(the_newest_stay),
        CASE(what_comes_from_behind_in_a_round),
        CASE(what_no_keeper_has_stays),
        CASE(a_keeper_keeps),
        CASE(declarations_change),
        CASE(what_is_gone_does_not_count),
        CASE(old_ones_go),
        CASE(nothing_is_old_while_the_time_is_not_known),
        CASE(a_clock_in_2060_makes_nothing_old),
        CASE(who_slept_waits_a_day),
        CASE(unkept_ones_go_where_that_is_declared),
        CASE(the_newest_bytes_stay),
        CASE(an_actor_ends_once_a_day),
        CASE(what_no_longer_matches_goes),
        CASE(what_comes_without_matching_goes),
        CASE(nothing_goes_while_nobody_subscribes),
        CASE(it_stays_unless_that_is_declared),
        CASE(a_restart_between_pieces_changes_nothing),
        CASE(memory_fails_anywhere),
        cmocka_unit_test(exactly_the_right_ones_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
