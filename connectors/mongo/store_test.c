/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connector behind real stores: what it missed while it was away is told; what leaves a store without a delete stays in MongoDB,
 * what is deleted goes, and what merging cannot show whole arrives as the store shows it.
 */
#include <mongoc/mongoc.h>
#include <stdio.h>
#include <string.h>

#include "base/testing/files.h"
#include "base/testing/test.h"
#include "liana/liana.h"
#include "mongo/testing/world.h"

#define SALES 40

/* Two stores that sync. The connector follows the till, where things are let go, if a case
 * says nothing else. */
struct shop {
    struct lia_test_world w;
    char folder[LIA_TEST_PATH_MAX];
    liana_db *hub;
    liana_db *till;
    liana_db *followed;
    bool settles;
};

/* ---- stores ---- */

static liana_db *open_store(const struct shop *s, const char *name, uint32_t flags)
{
    struct liana_open_options options = LIANA_OPEN_OPTIONS_INIT;
    char path[LIA_TEST_PATH_MAX + 8];
    liana_db *db;

    snprintf(path, sizeof(path), "%s/%s", s->folder, name);
    options.flags = LIANA_OPEN_CREATE | flags;
    options.database = LIANA_STR("shop");
    options.trust = LIANA_TRUST_OPEN;
    options.durability = LIANA_DURABILITY_NORMAL;
    options.tombstone_ttl_ms = 1;
    assert_ok(liana_open(lia_str(path), &options, &db, NULL));
    return db;
}

static void run(liana_db *db, const char *statement)
{
    struct liana_error err = LIANA_ERROR_INIT;

    if (liana_execute(db, lia_str(statement), LIANA_NONE, NULL, &err)) {
        fail_msg("%s\n  %s", statement, err.message);
    }
}

static void subscribe(struct shop *s, const char *statement)
{
    uint64_t id;

    assert_ok(liana_subscribe(s->hub, lia_str(statement), LIANA_NONE, &id, NULL));
    assert_ok(liana_subscribe(s->till, lia_str(statement), LIANA_NONE, &id, NULL));
}

/* The statistics, which are the caller's. */
static bson_t *stats_of(liana_db *db)
{
    liana_bytes *bytes;
    struct liana_slice slice;
    bson_t *stats;

    assert_ok(liana_stats(db, &bytes, NULL));
    slice = liana_bytes_slice(bytes);
    stats = bson_new_from_data(slice.ptr, slice.len);
    assert_non_null(stats);
    liana_bytes_free(bytes);
    return stats;
}

static int64_t number(liana_db *db, const char *path)
{
    bson_t *stats = stats_of(db);
    int64_t n = lia_test_int_at(stats, path);

    bson_destroy(stats);
    return n;
}

static void link_stores(struct shop *s)
{
    struct liana_sync_options options = LIANA_SYNC_OPTIONS_INIT;
    struct liana_str text = LIANA_STR("127.0.0.1:0");
    bson_t *stats;
    bson_iter_t root;
    bson_iter_t it;

    options.listen = &text;
    options.listen_count = 1;
    assert_ok(liana_sync_start(s->hub, &options, NULL));
    stats = stats_of(s->hub);
    assert_true(bson_iter_init(&root, stats));
    assert_true(bson_iter_find_descendant(&root, "sync.listen.0", &it));
    text = lia_str(bson_iter_utf8(&it, NULL));
    options = (struct liana_sync_options)LIANA_SYNC_OPTIONS_INIT;
    options.dial = &text;
    options.dial_count = 1;
    assert_ok(liana_sync_start(s->till, &options, NULL));
    bson_destroy(stats);
}

/* The rows of a query, in one array. */
static bson_t *rows_of(liana_db *db, const char *query)
{
    bson_t *rows = bson_new();
    liana_result *result;
    struct liana_slice row;
    bson_t document;

    assert_ok(liana_execute(db, lia_str(query), LIANA_NONE, &result, NULL));
    while (!liana_result_next(result, &row, NULL)) {
        assert_true(bson_init_static(&document, row.ptr, row.len));
        assert_true(BSON_APPEND_DOCUMENT(rows, "row", &document));
    }
    liana_result_free(result);
    return rows;
}

static size_t count(liana_db *db, const char *query)
{
    bson_t *rows = rows_of(db, query);
    size_t n = bson_count_keys(rows);

    bson_destroy(rows);
    return n;
}

static void pause_for(liana_db *db, int32_t ms)
{
    struct liana_event event;
    liana_status status = liana_poll(db, ms, &event, NULL);

    assert_true(status == LIANA_OK || status == LIANA_ETIMEOUT);
}

/* A look at a time, with the upkeep that an app would ask for between them. */
static void look_again(liana_db *db)
{
    uint64_t next_ms = 0;

    while (next_ms == 0) {
        assert_ok(liana_upkeep(db, &next_ms, NULL));
    }
    pause_for(db, 20);
}

static void await_rows(liana_db *db, const char *query, size_t wanted)
{
    while (count(db, query) != wanted) {
        look_again(db);
    }
}

static void sell(liana_db *db)
{
    char text[SALES * 32 + 40];
    int at = snprintf(text, sizeof(text), "INSERT INTO sales DOCUMENTS ");

    for (int i = 0; i < SALES; i++) {
        at += snprintf(text + at, sizeof(text) - (size_t)at,
                       "%s({'_id': %d, 'shelf': %d})", i ? ", " : "", i, i % 4);
    }
    run(db, text);
}

/* ---- MongoDB ---- */

static void start_connector(struct shop *s)
{
    struct lia_mongo_options options = {.uri = lia_str(s->w.mongodb->uri),
                                        .database = lia_str(s->w.database),
                                        .stop_ms = 30000,
                                        .settle = s->settles};

    assert_ok(lia_mongo_start(s->followed, &options, &s->w.mongo, NULL));
}

/* Everything that was committed until now has gone through the connector; an eviction alone
 * would give it nothing to look at. */
static void await_connector(struct shop *s)
{
    struct lia_mongo_status status;
    uint64_t seq;

    run(s->followed, "INSERT INTO marks DOCUMENTS ({'at': 1})");
    seq = (uint64_t)number(s->followed, "store.seq");
    for (lia_mongo_status(s->w.mongo, &status); status.position < seq;
         lia_mongo_status(s->w.mongo, &status)) {
        pause_for(s->followed, 5);
    }
}

/* From the beginning of the store, as one does that has lost its place. */
static void start_connector_afresh(struct shop *s)
{
    lia_test_disconnect(&s->w);
    lia_test_command(&s->w, s->w.database,
                     BCON_NEW("drop", BCON_UTF8("_liana.checkpoint")));
    start_connector(s);
    await_connector(s);
}

static int64_t deleted(const struct shop *s)
{
    struct lia_mongo_status status;

    lia_mongo_status(s->w.mongo, &status);
    return (int64_t)status.deleted;
}

/* `query` gives the one document at the till that `filter` finds in MongoDB. */
static void check_same(struct shop *s, const char *query, bson_t *filter)
{
    bson_t *rows = rows_of(s->till, query);
    bson_t *found = lia_test_find(&s->w, "sales", filter);
    bson_t shown;
    bson_iter_t it;
    const uint8_t *data;
    uint32_t len;

    assert_int_equal(bson_count_keys(rows), 1);
    assert_true(bson_iter_init_find(&it, rows, "row"));
    bson_iter_document(&it, &len, &data);
    assert_true(bson_init_static(&shown, data, len));
    assert_non_null(found);
    assert_true(bson_equal(&shown, found));
    bson_destroy(found);
    bson_destroy(rows);
}

/* ---- cases ---- */

static int set_up(void **state)
{
    struct shop *s = test_calloc(1, sizeof(*s));

    lia_test_scratch(s->folder);
    lia_test_start(&s->w, LIA_TEST_ANY_SERVER);
    s->hub = open_store(s, "hub", LIANA_OPEN_KEEPER);
    s->till = open_store(s, "till", 0);
    s->followed = s->till;
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    struct shop *s = *state;

    lia_test_end(&s->w);
    assert_ok(liana_close(s->till, NULL));
    assert_ok(liana_close(s->hub, NULL));
    lia_test_scratch_remove(s->folder);
    test_free(s);
    return 0;
}

static void evict_deletes_nothing(void **state)
{
    struct shop *s = *state;

    sell(s->till);
    start_connector(s);
    await_connector(s);
    run(s->till, "EVICT FROM sales WHERE shelf = 1 FORCE");
    run(s->till, "DELETE FROM sales WHERE _id = 2");
    await_connector(s);
    assert_int_equal(count(s->till, "SELECT * FROM sales"), SALES - SALES / 4 - 1);
    assert_int_equal(lia_test_count(&s->w, "sales"), SALES - 1);
    assert_int_equal(deleted(s), 1);
    start_connector_afresh(s);
    assert_int_equal(lia_test_count(&s->w, "sales"), SALES - 1);
}

/* Of what the till has let go nothing goes; what it deletes does, if it is still there. */
static void retention_deletes_nothing(void **state, const char *rule, size_t left)
{
    struct shop *s = *state;
    char text[120];

    snprintf(text, sizeof(text), "CREATE COLLECTION sales WITH (%s)", rule);
    run(s->till, text);
    sell(s->till);
    subscribe(s, "SELECT * FROM sales");
    start_connector(s);
    await_connector(s);
    link_stores(s);
    await_rows(s->till, "SELECT * FROM sales", left);
    await_connector(s);
    assert_int_equal(lia_test_count(&s->w, "sales"), SALES);
    assert_int_equal(deleted(s), 0);
    run(s->till, "DELETE FROM sales WHERE _id = 39");
    await_connector(s);
    assert_int_equal(lia_test_count(&s->w, "sales"), SALES - (left ? 1 : 0));
    start_connector_afresh(s);
    assert_int_equal(lia_test_count(&s->w, "sales"), SALES - (left ? 1 : 0));
}

static void keep_deletes_nothing(void **state)
{
    retention_deletes_nothing(state, "keep = 5", 5);
}

static void quota_deletes_nothing(void **state)
{
    retention_deletes_nothing(state, "quota = '1 B'", 0);
}

static void ttl_deletes_nothing(void **state)
{
    retention_deletes_nothing(state, "ttl = '1 ms', unkept = TRUE", 0);
}

static void on_unmatch_deletes_nothing(void **state)
{
    struct shop *s = *state;
    uint64_t id;

    run(s->hub, "CREATE COLLECTION sales WITH (on_unmatch = 'remove')");
    sell(s->hub);
    assert_ok(liana_subscribe(s->hub, LIANA_STR("SELECT * FROM sales"), LIANA_NONE, &id,
                              NULL));
    assert_ok(liana_subscribe(s->till, LIANA_STR("SELECT * FROM sales WHERE shelf = 1"),
                              LIANA_NONE, &id, NULL));
    start_connector(s);
    link_stores(s);
    await_rows(s->till, "SELECT * FROM sales", SALES / 4);
    await_connector(s);
    run(s->hub, "UPDATE sales SET shelf = 2 WHERE _id = 1 OR _id = 5");
    await_rows(s->till, "SELECT * FROM sales", SALES / 4 - 2);
    run(s->hub, "DELETE FROM sales WHERE _id = 9");
    await_rows(s->till, "SELECT * FROM sales", SALES / 4 - 3);
    await_connector(s);
    assert_int_equal(lia_test_count(&s->w, "sales"), SALES / 4 - 1);
    assert_int_equal(deleted(s), 1);
}

/* The tombstones of both stores. */
static int64_t tombstones(const struct shop *s)
{
    return number(s->till, "collections.0.tombstones") +
           number(s->hub, "collections.0.tombstones");
}

static void a_forgotten_delete_deletes_once(void **state)
{
    struct shop *s = *state;

    sell(s->till);
    subscribe(s, "SELECT * FROM sales");
    link_stores(s);
    await_rows(s->hub, "SELECT * FROM sales", SALES);
    start_connector(s);
    run(s->till, "DELETE FROM sales WHERE shelf = 3");
    await_connector(s);
    assert_int_equal(deleted(s), SALES / 4);
    await_rows(s->hub, "SELECT * FROM sales", SALES - SALES / 4);
    while (tombstones(s)) {
        look_again(s->till);
        look_again(s->hub);
    }
    await_connector(s);
    assert_int_equal(deleted(s), SALES / 4);
    start_connector_afresh(s);
    assert_int_equal(lia_test_count(&s->w, "sales"), SALES - SALES / 4);
    assert_int_equal(deleted(s), 0);
}

/* ---- what was missed ---- */

static struct lia_mongo_status status_of(const struct shop *s)
{
    struct lia_mongo_status status;

    lia_mongo_status(s->w.mongo, &status);
    return status;
}

static bool has_noted(struct shop *s)
{
    bson_t *checkpoint = lia_test_find(&s->w, "_liana.checkpoint", bson_new());
    bool answer = bson_has_field(checkpoint, "missed");

    bson_destroy(checkpoint);
    return answer;
}

/* The hub has 40 sales and MongoDB, too; then ten are deleted and forgotten by the hub while
 * the connector is away. One more is in MongoDB that somebody else has put there. */
static void miss_deletes(struct shop *s)
{
    s->followed = s->hub;
    sell(s->hub);
    start_connector(s);
    await_connector(s);
    lia_test_disconnect(&s->w);
    lia_test_command(&s->w, s->w.database,
                     BCON_NEW("insert", "sales", "documents", "[", "{", "_id",
                              "somebody's", "}", "]"));
    run(s->hub, "DELETE FROM sales WHERE shelf = 3");
    while (number(s->hub, "collections.0.tombstones")) {
        look_again(s->hub);
    }
}

static void missed_deletes_are_noted_until_they_are_settled(void **state)
{
    struct shop *s = *state;

    miss_deletes(s);
    start_connector(s);
    await_connector(s);
    assert_true(status_of(s).missed.is_set);
    assert_int_equal(status_of(s).missed.after, 2);
    assert_true(status_of(s).missed.at_ms > 1600000000000);
    assert_int_equal(number(s->hub, "apps.mongo.missed.after"), 2);
    assert_int_equal(lia_test_count(&s->w, "sales"), SALES + 1);

    /* A connector that comes later has not been told by the feed, and knows it. */
    lia_test_disconnect(&s->w);
    start_connector(s);
    await_connector(s);
    assert_int_equal(status_of(s).missed.after, 2);
    assert_true(has_noted(s));

    lia_test_disconnect(&s->w);
    s->settles = true;
    start_connector(s);
    while (status_of(s).is_settling) {
        pause_for(s->hub, 5);
    }
    assert_false(status_of(s).missed.is_set);
    assert_int_equal(deleted(s), SALES / 4 + 1);
    assert_int_equal(lia_test_count(&s->w, "sales"), SALES - SALES / 4);
    assert_false(has_noted(s));
}

/* Of what was forgotten before a connector began it was given nothing: also if it was
 * stopped before it had come so far, as this one whose position is put back. */
static void who_began_later_has_missed_nothing(void **state)
{
    struct shop *s = *state;

    s->followed = s->hub;
    sell(s->hub);
    run(s->hub, "UPDATE sales SET shelf = 9 WHERE _id = 1");
    run(s->hub, "DELETE FROM sales WHERE shelf = 3");
    while (number(s->hub, "collections.0.tombstones")) {
        look_again(s->hub);
    }
    start_connector(s);
    await_connector(s);
    lia_test_disconnect(&s->w);
    lia_test_command(&s->w, s->w.database,
                     BCON_NEW("update", "_liana.checkpoint", "updates", "[", "{", "q",
                              "{", "}", "u", "{", "$set", "{", "seq", BCON_INT64(1),
                              "}", "}", "}", "]"));
    start_connector(s);
    await_connector(s);
    assert_false(status_of(s).missed.is_set);
    assert_false(has_noted(s));
    assert_int_equal(lia_test_count(&s->w, "sales"), SALES - SALES / 4);
}

/* A hub that was put back begins again, and what it has lost stays in MongoDB. */
static void a_store_that_was_put_back_may_have_missed_deletes(void **state)
{
    struct shop *s = *state;

    s->followed = s->hub;
    sell(s->hub);
    start_connector(s);
    await_connector(s);
    lia_test_disconnect(&s->w);
    lia_test_command(&s->w, s->w.database,
                     BCON_NEW("update", "_liana.checkpoint", "updates", "[", "{", "q",
                              "{", "}", "u", "{", "$set", "{", "seq", BCON_INT64(1000),
                              "}", "}", "}", "]"));
    start_connector(s);
    while (status_of(s).state != LIA_MONGO_OK) {
        pause_for(s->hub, 5);
    }
    assert_true(status_of(s).missed.is_set);
    assert_int_equal(status_of(s).missed.after, 0);
    assert_int_equal(lia_test_count(&s->w, "sales"), SALES);
}

/* What cannot be looked up without a doubt stays, and is not settled. */
static void an_id_that_is_no_plain_value_is_left(void **state)
{
    struct shop *s = *state;

    miss_deletes(s);
    lia_test_command(&s->w, s->w.database,
                     BCON_NEW("insert", "sales", "documents", "[", "{", "_id", "{", "a",
                              BCON_INT32(1), "}", "}", "]"));
    s->settles = true;
    start_connector(s);
    while (status_of(s).is_settling) {
        pause_for(s->hub, 5);
    }
    assert_true(status_of(s).missed.is_set);
    assert_int_equal(lia_test_count(&s->w, "sales"), SALES - SALES / 4 + 1);
}

static void a_store_that_evicts_does_not_settle(void **state)
{
    struct shop *s = *state;

    sell(s->till);
    start_connector(s);
    await_connector(s);
    lia_test_disconnect(&s->w);
    run(s->till, "EVICT FROM sales WHERE shelf = 1 FORCE");
    s->settles = true;
    start_connector(s);
    while (status_of(s).state != LIA_MONGO_STOPPED) {
        pause_for(s->till, 5);
    }
    assert_int_equal(status_of(s).error.status, LIANA_EMISUSE);
    assert_int_equal(lia_test_count(&s->w, "sales"), SALES);
}

static void what_is_flagged_arrives_as_it_is_shown(void **state)
{
    struct shop *s = *state;

    run(s->till, "INSERT INTO sales DOCUMENTS ({'_id': 'cut'}), "
                 "({'_id': 'count', 'n': 5})");
    subscribe(s, "SELECT * FROM sales");
    link_stores(s);
    await_rows(s->hub, "SELECT * FROM sales", 2);
    assert_ok(liana_sync_stop(s->till, NULL));
    run(s->till, "UPDATE sales SET a.b = repeat('a', 9437184) WHERE _id = 'cut'");
    run(s->hub, "UPDATE sales SET z = repeat('z', 9437184) WHERE _id = 'cut'");
    run(s->till,
        "UPDATE sales APPLY n INCREMENT BY 9223372036854775000 WHERE _id = 'count'");
    run(s->hub,
        "UPDATE sales APPLY n INCREMENT BY 9223372036854775000 WHERE _id = 'count'");
    link_stores(s);
    await_rows(s->till, "SELECT * FROM system:flagged", 2);
    start_connector(s);
    await_connector(s);
    check_same(s, "SELECT * FROM sales WHERE _id = 'cut'", BCON_NEW("_id", "cut"));
    check_same(s, "SELECT * FROM sales WHERE _id = 'count'", BCON_NEW("_id", "count"));
    /* Whole again: what was left out arrives. */
    run(s->hub, "UPDATE sales SET z = 'short' WHERE _id = 'cut'");
    run(s->hub,
        "UPDATE sales APPLY n INCREMENT BY -9223372036854775000 WHERE _id = 'count'");
    await_rows(s->till, "SELECT * FROM system:flagged", 0);
    await_connector(s);
    check_same(s, "SELECT * FROM sales WHERE is_string(a.b)", BCON_NEW("_id", "cut"));
    check_same(s, "SELECT * FROM sales WHERE _id = 'count'", BCON_NEW("_id", "count"));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(evict_deletes_nothing),
        CASE(keep_deletes_nothing),
        CASE(quota_deletes_nothing),
        CASE(ttl_deletes_nothing),
        CASE(on_unmatch_deletes_nothing),
        CASE(a_forgotten_delete_deletes_once),
        CASE(missed_deletes_are_noted_until_they_are_settled),
        CASE(who_began_later_has_missed_nothing),
        CASE(a_store_that_was_put_back_may_have_missed_deletes),
        CASE(an_id_that_is_no_plain_value_is_left),
        CASE(a_store_that_evicts_does_not_settle),
        CASE(what_is_flagged_arrives_as_it_is_shown),
    };

    return lia_test_world_run(tests, sizeof(tests) / sizeof(tests[0]));
}
