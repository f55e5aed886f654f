/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/thread.h"
#include "db/testing/fixture.h"

#define WRITERS 4
#define COMMITS 40

struct world {
    struct lia_test_db t;
    atomic_int writing; /* writers that are not done */
};

/* What a thread did; looked at after it was joined. */
struct worker {
    struct lia_thread thread;
    struct world *world;
    int32_t first_id;
    liana_status status;
    uint64_t seqs[COMMITS];
    uint64_t hlcs[COMMITS];
    size_t count;
};

static int setup(void **state)
{
    struct world *w = test_calloc(1, sizeof(*w));

    lia_test_db_init(&w->t, 9);
    lia_test_db_open(&w->t);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    lia_test_db_finish(&w->t);
    test_free(w);
    return 0;
}

static liana_status write_one(struct worker *w, struct liana_slice body)
{
    struct lia_db *db = w->world->t.db;
    struct lia_txn_options options = lia_txn_options(db, LIA_WRITE);
    const struct lia_collection *coll;
    struct lia_commit commit = {0};
    struct lia_txn *txn;
    liana_status status = lia_txn_begin(db, &options, &txn, NULL);

    if (status) {
        return status;
    }
    status = lia_txn_collection(txn, lia_str("c"), true, &coll, NULL);
    if (!status) {
        status = lia_txn_insert(txn, coll, body, NULL, NULL);
    }
    if (status) {
        lia_txn_rollback(txn);
        return status;
    }
    status = lia_txn_commit(txn, &commit, NULL);
    w->seqs[w->count] = commit.seq;
    w->hlcs[w->count++] = commit.stamp.hlc;
    return status;
}

static void write_all(void *arg)
{
    struct worker *w = arg;
    struct lia_buf body;

    lia_buf_init(&body, &lia_mem_libc);
    for (int32_t i = 0; i < COMMITS && !w->status; i++) {
        size_t doc;

        lia_buf_reset(&body);
        doc = lia_bson_begin(&body);
        lia_bson_add_int32(&body, lia_str("_id"), w->first_id + i);
        lia_bson_end(&body, doc);
        w->status = write_one(w, lia_buf_slice(&body));
    }
    lia_buf_deinit(&body);
    atomic_fetch_sub(&w->world->writing, 1);
}

/* Follows the feed until the writers are done and it has reached the end. */
static liana_status follow(struct worker *w, struct lia_arena *arena)
{
    const struct lia_interest interest = {.collection = lia_str("c")};
    struct lia_feed_query query = {
        .interests = &interest, .interest_count = 1, .bytes_max = LIA_MIB};
    struct lia_feed_page page;
    uint64_t last = 0;
    bool was_writing;

    do {
        liana_status status;

        was_writing = atomic_load(&w->world->writing) > 0;
        lia_arena_reset(arena);
        status = lia_db_feed(w->world->t.db, arena, &query, &page, NULL);
        if (status) {
            return status;
        }
        for (size_t i = 0; i < page.item_count; i++) {
            if (page.items[i].seq <= last) {
                return LIANA_EINTERNAL;
            }
            last = page.items[i].seq;
            w->count++;
        }
        query.from = page.next;
    } while (was_writing || page.upto < page.head);
    return LIANA_OK;
}

static void follow_all(void *arg)
{
    struct worker *w = arg;
    struct lia_arena arena;

    lia_arena_init(&arena, &lia_mem_libc);
    w->status = follow(w, &arena);
    lia_arena_deinit(&arena);
}

/* What is durable now and was not taken; `*last` is the newest commit that was. Only a
 * transaction that was running when the listener came may be missed. */
static size_t take_all(struct lia_listener *listener, uint64_t *last, bool may_miss)
{
    struct lia_arena arena;
    struct lia_taken taken;
    size_t count = 0;

    lia_arena_init(&arena, &lia_mem_libc);
    do {
        lia_arena_reset(&arena);
        assert_ok(lia_db_take(listener, &arena, 1000, &taken));
        if (taken.missed_upto) {
            assert_true(may_miss);
            assert_int_equal(taken.missed_upto, ++*last);
            count++;
        }
        may_miss = false;
        for (size_t i = 0; i < taken.event_count; i++) {
            assert_int_equal(taken.events[i].seq, ++*last);
            assert_int_equal(taken.events[i].change_count, 1);
        }
        count += taken.event_count;
    } while (taken.has_more);
    lia_arena_deinit(&arena);
    return count;
}

static int by_seq(const void *a, const void *b)
{
    uint64_t x = ((const uint64_t *)a)[0];
    uint64_t y = ((const uint64_t *)b)[0];

    return (x > y) - (x < y);
}

/* Commits are numbered without holes, and stamps grow as they do. */
static void assert_in_order(const struct worker *writers)
{
    uint64_t all[WRITERS * COMMITS][2];
    size_t n = 0;

    for (size_t i = 0; i < WRITERS; i++) {
        assert_ok(writers[i].status);
        assert_int_equal(writers[i].count, COMMITS);
        for (size_t k = 0; k < COMMITS; k++, n++) {
            all[n][0] = writers[i].seqs[k];
            all[n][1] = writers[i].hlcs[k];
        }
    }
    qsort(all, n, sizeof(all[0]), by_seq);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(all[i][0], i + 1);
        assert_true(i == 0 || all[i][1] > all[i - 1][1]);
    }
}

static void writers_readers_and_a_listener(void **state)
{
    struct world *world = *state;
    const struct lia_listener_options options = {0};
    struct worker *writers = test_calloc(WRITERS, sizeof(*writers));
    struct worker *reader = test_calloc(1, sizeof(*reader));
    struct lia_listener *listener;
    uint64_t last = 0;
    size_t heard = 0;

    assert_ok(lia_db_listen(world->t.db, &options, &listener, &last, NULL));
    atomic_init(&world->writing, WRITERS);
    reader->world = world;
    assert_ok(lia_thread_start(&reader->thread, "reader", follow_all, reader));
    for (size_t i = 0; i < WRITERS; i++) {
        writers[i].world = world;
        writers[i].first_id = (int32_t)i * 1000;
        assert_ok(
            lia_thread_start(&writers[i].thread, "writer", write_all, &writers[i]));
    }
    while (atomic_load(&world->writing) > 0) {
        heard += take_all(listener, &last, false);
    }
    for (size_t i = 0; i < WRITERS; i++) {
        lia_thread_join(&writers[i].thread);
    }
    lia_thread_join(&reader->thread);
    heard += take_all(listener, &last, false);
    assert_int_equal(heard, WRITERS * COMMITS);
    assert_ok(reader->status);
    assert_int_equal(reader->count, WRITERS * COMMITS);
    assert_in_order(writers);
    lia_db_unlisten(listener);
    test_free(writers);
    test_free(reader);
}

/* Listeners come and go while others commit; each of them hears, from where it came, every
 * commit once. */
static void listeners_come_and_go(void **state)
{
    struct world *world = *state;
    const struct lia_listener_options options = {0};
    struct worker *writers = test_calloc(WRITERS, sizeof(*writers));
    struct lia_listener *listener = NULL;
    uint64_t last = 0;
    bool is_writing = true;

    atomic_init(&world->writing, WRITERS);
    for (size_t i = 0; i < WRITERS; i++) {
        writers[i].world = world;
        writers[i].first_id = (int32_t)i * 1000;
        assert_ok(
            lia_thread_start(&writers[i].thread, "writer", write_all, &writers[i]));
    }
    while (is_writing) {
        bool may_miss = true;

        lia_db_unlisten(listener);
        is_writing = atomic_load(&world->writing) > 0;
        assert_ok(lia_db_listen(world->t.db, &options, &listener, &last, NULL));
        for (size_t heard = 0; is_writing && heard < 3;) {
            size_t more = take_all(listener, &last, may_miss);

            heard += more;
            may_miss = may_miss && more == 0;
            is_writing = atomic_load(&world->writing) > 0;
        }
    }
    for (size_t i = 0; i < WRITERS; i++) {
        lia_thread_join(&writers[i].thread);
        assert_ok(writers[i].status);
    }
    take_all(listener, &last, true);
    assert_int_equal(last, WRITERS * COMMITS);
    lia_db_unlisten(listener);
    test_free(writers);
}

static void wait_for_writer(void *arg)
{
    struct worker *w = arg;
    struct lia_txn_options options = lia_txn_options(w->world->t.db, LIA_WRITE);
    struct lia_txn *txn;

    w->status = lia_txn_begin(w->world->t.db, &options, &txn, NULL);
    if (!w->status) {
        lia_txn_rollback(txn);
    }
}

static void who_waits_gets_the_writer(void **state)
{
    struct world *world = *state;
    struct worker *waiting = test_calloc(WRITERS, sizeof(*waiting));
    struct lia_txn *txn = lia_test_begin(&world->t, LIA_WRITE);

    for (size_t i = 0; i < WRITERS; i++) {
        waiting[i].world = world;
        waiting[i].status = LIANA_EINTERNAL;
        assert_ok(lia_thread_start(&waiting[i].thread, "waiting", wait_for_writer,
                                   &waiting[i]));
    }
    lia_test_put_in(&world->t, txn, "c", 1, 1);
    assert_ok(lia_txn_commit(txn, NULL, NULL));
    for (size_t i = 0; i < WRITERS; i++) {
        lia_thread_join(&waiting[i].thread);
        assert_ok(waiting[i].status);
    }
    test_free(waiting);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(writers_readers_and_a_listener),
        CASE(listeners_come_and_go),
        CASE(who_waits_gets_the_writer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
