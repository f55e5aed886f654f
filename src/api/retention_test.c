/* SPDX-License-Identifier: Apache-2.0 */
/* Retention between real stores: a till lets go what a hub holds, and only the till. */
#include "base/testing/test.h"

#include <stdio.h>

#include "api/handle.h"
#include "base/testing/files.h"
#include "codec/bson.h"

#define SALES 40

struct fixture {
    char folder[LIA_TEST_PATH_MAX];
    liana_db *hub;
    liana_db *till;
    struct liana_error err;
};

static liana_db *open_store(struct fixture *f, const char *name, uint32_t flags)
{
    struct liana_open_options options = LIANA_OPEN_OPTIONS_INIT;
    char path[LIA_TEST_PATH_MAX + 8];
    liana_db *db;

    snprintf(path, sizeof(path), "%s/%s", f->folder, name);
    options.flags = LIANA_OPEN_CREATE | flags;
    options.database = LIANA_STR("shop");
    options.trust = LIANA_TRUST_OPEN;
    assert_ok(liana_open(lia_str(path), &options, &db, &f->err));
    return db;
}

static void run(liana_db *db, const char *statement)
{
    assert_ok(liana_execute(db, lia_str(statement), LIANA_NONE, NULL, NULL));
}

/* A number of the statistics: `where.field`, of the first one in an array. */
static int64_t number(liana_db *db, const char *where, const char *field)
{
    liana_bytes *stats;
    struct lia_value v;
    int64_t n;

    assert_ok(liana_stats(db, &stats, NULL));
    assert_true(lia_bson_find(liana_bytes_slice(stats), lia_str(where), &v));
    assert_true(lia_bson_find(v.data, lia_str(field), &v));
    n = lia_value_int64(v);
    liana_bytes_free(stats);
    return n;
}

static size_t count(liana_db *db, const char *query)
{
    liana_result *result;
    struct liana_slice row;
    size_t n = 0;

    assert_ok(liana_execute(db, lia_str(query), LIANA_NONE, &result, NULL));
    while (!liana_result_next(result, &row, NULL)) {
        n++;
    }
    liana_result_free(result);
    return n;
}

static void connect(struct fixture *f)
{
    struct liana_sync_options options = LIANA_SYNC_OPTIONS_INIT;
    struct liana_str text = LIANA_STR("127.0.0.1:0");
    liana_bytes *stats;
    struct lia_value v;
    struct lia_bson_iter it;

    options.listen = &text;
    options.listen_count = 1;
    assert_ok(liana_sync_start(f->hub, &options, &f->err));
    assert_ok(liana_stats(f->hub, &stats, &f->err));
    assert_true(lia_bson_find(liana_bytes_slice(stats), lia_str("sync"), &v));
    assert_true(lia_bson_find(v.data, lia_str("listen"), &v));
    it = lia_bson_iter(v.data);
    assert_true(lia_bson_next(&it));
    text = lia_value_str(it.value);
    options = (struct liana_sync_options)LIANA_SYNC_OPTIONS_INIT;
    options.dial = &text;
    options.dial_count = 1;
    assert_ok(liana_sync_start(f->till, &options, &f->err));
    liana_bytes_free(stats);
}

static int set_up(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));

    lia_test_scratch(f->folder);
    f->hub = open_store(f, "hub", LIANA_OPEN_KEEPER);
    f->till = open_store(f, "till", 0);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    assert_ok(liana_close(f->till, &f->err));
    assert_ok(liana_close(f->hub, &f->err));
    lia_test_scratch_remove(f->folder);
    test_free(f);
    return 0;
}

static void subscribe(liana_db *db, const char *statement)
{
    uint64_t id;

    assert_ok(liana_subscribe(db, lia_str(statement), LIANA_NONE, &id, NULL));
}

/* Upkeep as an app would ask for it, until the query has so many rows. */
static void await_rows(struct fixture *f, const char *query, size_t wanted)
{
    struct liana_event event;

    while (count(f->till, query) != wanted) {
        uint64_t next_ms = 0;

        while (next_ms == 0) {
            assert_ok(liana_upkeep(f->till, &next_ms, &f->err));
        }
        LIA_IGNORE(liana_poll(f->till, 20, &event, NULL)); /* a look at a time */
    }
}

static void sell(liana_db *db, int first)
{
    for (int i = first; i < first + SALES; i++) {
        char text[120];

        snprintf(text, sizeof(text),
                 "INSERT INTO sales DOCUMENTS ({'_id': %d, 'shelf': %d})", i, i % 4);
        run(db, text);
    }
}

static void a_till_lets_go_what_the_hub_holds(void **state)
{
    struct fixture *f = *state;

    run(f->till, "CREATE COLLECTION sales WITH (keep = 5)");
    sell(f->till, 0);
    subscribe(f->till, "SELECT * FROM sales");
    subscribe(f->hub, "SELECT * FROM sales");
    assert_int_equal(count(f->till, "SELECT * FROM sales"), SALES);
    connect(f);
    await_rows(f, "SELECT * FROM sales", 5);
    assert_int_equal(count(f->till, "SELECT * FROM sales WHERE _id >= 35"), 5);
    assert_int_equal(count(f->hub, "SELECT * FROM sales"), SALES);
    assert_int_equal(number(f->till, "retention", "evicted"), SALES - 5);
    /* It does not come again, until it changes. */
    run(f->hub, "INSERT INTO sales DOCUMENTS ({'_id': 100})");
    run(f->hub, "UPDATE sales SET shelf = 9 WHERE _id = 7");
    await_rows(f, "SELECT * FROM sales WHERE _id = 100 OR _id = 7", 2);
    await_rows(f, "SELECT * FROM sales", 5);
    assert_int_equal(count(f->hub, "SELECT * FROM sales"), SALES + 1);
    assert_int_equal(count(f->hub, "SELECT * FROM sales WHERE shelf = 9"), 1);
    assert_int_equal(number(f->till, "retention", "evicted"), SALES - 3);
}

static void what_leaves_a_subscription_leaves_the_till(void **state)
{
    struct fixture *f = *state;

    run(f->hub, "CREATE COLLECTION sales WITH (on_unmatch = 'remove')");
    sell(f->hub, 0);
    subscribe(f->hub, "SELECT * FROM sales");
    subscribe(f->till, "SELECT * FROM sales WHERE shelf = 1");
    connect(f);
    await_rows(f, "SELECT * FROM sales", SALES / 4);
    run(f->hub, "UPDATE sales SET shelf = 2 WHERE _id = 1 OR _id = 5");
    await_rows(f, "SELECT * FROM sales", SALES / 4 - 2);
    assert_int_equal(count(f->hub, "SELECT * FROM sales"), SALES);
    run(f->hub, "UPDATE sales SET shelf = 1 WHERE _id = 1");
    await_rows(f, "SELECT * FROM sales", SALES / 4 - 1);
}

/* Deletes that the change feed tells of, which is what the connector makes deletes of. */
static size_t count_deletes(liana_db *db)
{
    const struct liana_feed_options options = LIANA_FEED_OPTIONS_INIT;
    struct liana_page page;
    liana_feed *feed;
    size_t deletes = 0;

    assert_ok(liana_feed_open(db, &options, &feed, NULL));
    while (!liana_feed_next(feed, 0, &page, NULL)) {
        for (size_t i = 0; i < page.count; i++) {
            deletes += page.changes[i].document.len == 0;
        }
    }
    liana_feed_close(feed);
    return deletes;
}

static void an_eviction_is_no_delete_to_the_change_feed(void **state)
{
    struct fixture *f = *state;

    run(f->till, "CREATE COLLECTION sales WITH (keep = 5)");
    sell(f->till, 0);
    subscribe(f->till, "SELECT * FROM sales");
    subscribe(f->hub, "SELECT * FROM sales");
    connect(f);
    await_rows(f, "SELECT * FROM sales", 5);
    assert_int_equal(count_deletes(f->till), 0);
    run(f->till, "EVICT FROM sales WHERE _id = 38 FORCE");
    assert_int_equal(count(f->till, "SELECT * FROM sales"), 4);
    assert_int_equal(count_deletes(f->till), 0);
    assert_int_equal(count(f->hub, "SELECT * FROM sales WHERE _id = 38"), 1);
    run(f->till, "DELETE FROM sales WHERE _id = 37");
    assert_int_equal(count_deletes(f->till), 1);
}

static uint64_t evict_all(struct fixture *f, uint64_t *out_waiting)
{
    liana_result *result;
    uint64_t evicted;

    assert_ok(liana_execute(f->till, LIANA_STR("EVICT FROM sales"), LIANA_NONE, &result,
                            NULL));
    evicted = liana_result_mutations(result);
    *out_waiting = liana_result_waiting(result);
    liana_result_free(result);
    return evicted;
}

/* All of them as long as the hub has none; then those that it has go. */
static void an_eviction_says_how_many_wait(void **state)
{
    struct fixture *f = *state;
    struct liana_event event;
    uint64_t waiting = 0;
    uint64_t evicted;

    sell(f->till, 0);
    assert_int_equal(evict_all(f, &waiting), 0);
    assert_int_equal(waiting, SALES);
    subscribe(f->till, "SELECT * FROM sales");
    subscribe(f->hub, "SELECT * FROM sales");
    connect(f);
    for (uint64_t left = SALES; left; left = waiting) {
        LIA_IGNORE(liana_poll(f->till, 20, &event, NULL)); /* a look at a time */
        evicted = evict_all(f, &waiting);
        assert_int_equal(evicted + waiting, left);
    }
    assert_int_equal(count(f->hub, "SELECT * FROM sales"), SALES);
    assert_int_equal(liana_result_waiting(NULL), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_till_lets_go_what_the_hub_holds),
        CASE(what_leaves_a_subscription_leaves_the_till),
        CASE(an_eviction_is_no_delete_to_the_change_feed),
        CASE(an_eviction_says_how_many_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
