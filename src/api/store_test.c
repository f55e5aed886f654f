/* SPDX-License-Identifier: Apache-2.0 */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/testing/files.h"
#include "base/testing/test.h"
#include "base/thread.h"
#include "liana/liana.h"

/* Every case runs twice: on the store that this process opened, and attached to it. */
struct fixture {
    char folder[LIA_TEST_PATH_MAX];
    char path[LIA_TEST_PATH_MAX + 8];
    liana_db *owner;
    liana_db *db; /* what the case uses */
    struct liana_error err;
};

static struct liana_str str(const char *text)
{
    return (struct liana_str){text, strlen(text)};
}

static int open_it(void **state, bool is_attached)
{
    struct fixture *f = test_calloc(1, sizeof(*f));
    struct liana_open_options options = LIANA_OPEN_OPTIONS_INIT;

    lia_test_scratch(f->folder);
    snprintf(f->path, sizeof(f->path), "%s/store", f->folder);
    options.flags = LIANA_OPEN_CREATE | LIANA_OPEN_SERVE | LIANA_OPEN_KEEPER;
    options.database = LIANA_STR("shop");
    options.trust = LIANA_TRUST_OPEN;
    options.tombstone_ttl_ms = 1;
    assert_ok(liana_open(str(f->path), &options, &f->owner, &f->err));
    f->db = f->owner;
    if (is_attached) {
        assert_ok(liana_attach(str(f->path), &f->db, &f->err));
    }
    *state = f;
    return 0;
}

static int open_local(void **state)
{
    return open_it(state, false);
}

static int open_attached(void **state)
{
    return open_it(state, true);
}

static int close_it(void **state)
{
    struct fixture *f = *state;

    if (f->db != f->owner) {
        assert_ok(liana_close(f->db, &f->err));
    }
    assert_ok(liana_close(f->owner, &f->err));
    lia_test_scratch_remove(f->folder);
    test_free(f);
    return 0;
}

/* ---- helpers ---- */

static liana_bytes *bson(const char *json)
{
    liana_bytes *out;

    assert_ok(liana_json_decode(str(json), &out, NULL));
    return out;
}

static liana_status run(liana_db *db,
                        const char *statement,
                        const char *params,
                        liana_result **out,
                        struct liana_error *err)
{
    liana_bytes *p = bson(params);
    liana_status status =
        liana_execute(db, str(statement), liana_bytes_slice(p), out, err);

    liana_bytes_free(p);
    return status;
}

static void put(struct fixture *f, int id, int n)
{
    char params[100];

    snprintf(params, sizeof(params), "{\"d\": {\"_id\": %d, \"n\": %d}}", id, n);
    assert_ok(run(f->db, "INSERT INTO c DOCUMENTS (:d) ON ID CONFLICT DO UPDATE",
                  params, NULL, &f->err));
}

static void assert_row(liana_result *result, const char *json)
{
    struct liana_slice row;
    liana_bytes *text;

    assert_ok(liana_result_next(result, &row, NULL));
    assert_ok(liana_json_encode(row, LIANA_JSON_RELAXED, &text, NULL));
    assert_string_equal((const char *)liana_bytes_slice(text).ptr, json);
    liana_bytes_free(text);
}

static void assert_end(liana_result *result)
{
    struct liana_slice row;

    assert_status(LIANA_EEND, liana_result_next(result, &row, NULL));
    assert_status(LIANA_EEND, liana_result_next(result, &row, NULL));
    liana_result_free(result);
}

static int64_t count(struct fixture *f)
{
    liana_result *result;
    struct liana_slice row;
    int64_t n = 0;

    assert_ok(run(f->db, "SELECT * FROM c", "{}", &result, &f->err));
    while (liana_result_next(result, &row, NULL) == LIANA_OK) {
        n++;
    }
    liana_result_free(result);
    return n;
}

static bool stats_hold(struct fixture *f, const char *text)
{
    liana_bytes *stats;
    liana_bytes *json;
    bool answer;

    assert_ok(liana_stats(f->owner, &stats, &f->err));
    assert_ok(liana_json_encode(liana_bytes_slice(stats), LIANA_JSON_RELAXED, &json,
                                &f->err));
    answer = strstr((const char *)liana_bytes_slice(json).ptr, text) != NULL;
    liana_bytes_free(json);
    liana_bytes_free(stats);
    return answer;
}

/* ---- cases ---- */

static void test_statements(void **state)
{
    struct fixture *f = *state;
    liana_result *result;

    assert_ok(run(f->db, "INSERT INTO c DOCUMENTS (:d)",
                  "{\"d\": {\"_id\": 1, \"n\": {\"$numberDecimal\": \"2.50\"}}}",
                  &result, &f->err));
    assert_int_equal(liana_result_mutations(result), 1);
    assert_int_equal(liana_result_seq(result), 1);
    assert_end(result);
    assert_status(LIANA_EEXISTS, run(f->db, "INSERT INTO c DOCUMENTS (:d)",
                                     "{\"d\": {\"_id\": 1}}", NULL, &f->err));
    assert_true(f->err.message[0] != 0);
    f->err = (struct liana_error)LIANA_ERROR_INIT;
    assert_status(LIANA_ESYNTAX, run(f->db, "SELEKT", "{}", NULL, &f->err));
    assert_non_null(strstr(f->err.message, "line 1"));
    f->err = (struct liana_error)LIANA_ERROR_INIT;
    assert_status(LIANA_EBSON, liana_execute(f->db, LIANA_STR("SELECT * FROM c"),
                                             LIA_BYTES("\x05\0\0\0"), NULL, NULL));
    assert_ok(run(f->db, "SELECT * FROM c", "{}", &result, &f->err));
    assert_int_equal(liana_result_seq(result), 0);
    assert_row(result, "{\"_id\":1,\"n\":{\"$numberDecimal\":\"2.50\"}}");
    assert_end(result);
}

/* More than one answer's worth of rows. */
static void test_many_rows(void **state)
{
    struct fixture *f = *state;
    liana_txn *txn;
    liana_bytes *p;
    char json[3000];

    assert_ok(liana_begin(f->db, NULL, &txn, &f->err));
    for (int i = 0; i < 500; i++) {
        snprintf(json, sizeof(json), "{\"d\": {\"_id\": %d, \"text\": \"%2000d\"}}", i,
                 i);
        p = bson(json);
        assert_ok(liana_txn_execute(txn, LIANA_STR("INSERT INTO c DOCUMENTS (:d)"),
                                    liana_bytes_slice(p), NULL, &f->err));
        liana_bytes_free(p);
    }
    assert_ok(liana_commit(txn, NULL, &f->err));
    assert_int_equal(count(f), 500);
}

static void test_transactions(void **state)
{
    struct fixture *f = *state;
    struct liana_txn_options at_once = LIANA_TXN_OPTIONS_INIT;
    liana_result *result;
    struct liana_slice row;
    liana_txn *other;
    liana_txn *txn;
    uint64_t seq;

    put(f, 1, 1);
    at_once.timeout_ms = 0;
    assert_ok(liana_begin(f->db, NULL, &txn, &f->err));
    assert_ok(liana_txn_execute(txn, LIANA_STR("UPDATE c SET n = 2"), LIANA_NONE,
                                &result, &f->err));
    assert_int_equal(liana_result_mutations(result), 1);
    assert_int_equal(liana_result_seq(result), 0);
    assert_status(LIANA_EBUSY, liana_begin(f->db, &at_once, &other, NULL));
    assert_status(LIANA_EBUSY, liana_close(f->db, NULL));
    assert_ok(liana_commit(txn, &seq, &f->err));
    assert_int_equal(seq, 2);
    liana_result_free(result);

    assert_ok(liana_begin(f->db, NULL, &txn, &f->err));
    assert_ok(
        liana_txn_execute(txn, LIANA_STR("DELETE FROM c"), LIANA_NONE, NULL, &f->err));
    assert_ok(liana_txn_execute(txn, LIANA_STR("SELECT * FROM c"), LIANA_NONE, &result,
                                &f->err));
    liana_rollback(txn);
    assert_true(liana_result_next(result, &row, NULL) != LIANA_OK);
    liana_result_free(result);
    liana_rollback(NULL);
    assert_int_equal(count(f), 1);

    at_once.read_only = true;
    assert_ok(liana_begin(f->db, &at_once, &txn, &f->err));
    assert_status(LIANA_EMISUSE, liana_txn_execute(txn, LIANA_STR("DELETE FROM c"),
                                                   LIANA_NONE, NULL, NULL));
    liana_rollback(txn);
}

static void test_the_feed(void **state)
{
    struct fixture *f = *state;
    struct liana_feed_options options = LIANA_FEED_OPTIONS_INIT;
    struct liana_str only = LIANA_STR("other");
    struct liana_page page;
    liana_bytes *id = bson("{\"_id\": 2}");
    liana_feed *feed;

    put(f, 1, 1);
    put(f, 2, 1);
    put(f, 1, 2);
    assert_ok(run(f->db, "DELETE FROM c WHERE _id = 2", "{}", NULL, &f->err));
    assert_ok(liana_feed_open(f->db, NULL, &feed, &f->err));
    assert_ok(liana_feed_next(feed, 0, &page, &f->err));
    assert_int_equal(page.count, 2);
    assert_int_equal(page.position, 4);
    assert_int_equal(page.changes[0].seq, 3);
    assert_true(page.changes[0].document.len > 0);
    assert_true(page.changes[0].written_ms > 1600000000000);
    assert_int_equal(page.changes[1].seq, 4);
    assert_int_equal(page.changes[1].document.len, 0);
    assert_slice_equal(page.changes[1].id, liana_bytes_slice(id));
    assert_status(LIANA_ETIMEOUT, liana_feed_next(feed, 1, &page, NULL));
    assert_int_equal(liana_feed_position(feed), 4);
    put(f, 3, 3);
    assert_ok(liana_feed_next(feed, -1, &page, &f->err));
    assert_int_equal(page.count, 1);
    liana_feed_close(feed);
    liana_bytes_free(id);

    options.since = 6;
    assert_status(LIANA_ERANGE, liana_feed_open(f->db, &options, &feed, NULL));
    options.since = 4;
    options.collections = &only;
    options.collection_count = 1;
    assert_ok(liana_feed_open(f->db, &options, &feed, &f->err));
    assert_status(LIANA_ETIMEOUT, liana_feed_next(feed, 0, &page, NULL));
    liana_feed_close(feed);
    liana_feed_close(NULL);
}

/* A page never ends inside a commit, however small it was asked for. */
static void test_pages_end_with_commits(void **state)
{
    struct fixture *f = *state;
    struct liana_feed_options options = LIANA_FEED_OPTIONS_INIT;
    struct liana_page page;
    liana_feed *feed;
    liana_txn *txn;

    for (int commit = 0; commit < 3; commit++) {
        assert_ok(liana_begin(f->db, NULL, &txn, &f->err));
        for (int i = 0; i < 20; i++) {
            char text[100];

            snprintf(text, sizeof(text),
                     "INSERT INTO c DOCUMENTS ({'_id': %d, 'a': 'some text'})",
                     commit * 20 + i);
            assert_ok(liana_txn_execute(txn, str(text), LIANA_NONE, NULL, &f->err));
        }
        assert_ok(liana_commit(txn, NULL, &f->err));
    }
    options.page_changes = 7;
    options.page_bytes = 100;
    assert_ok(liana_feed_open(f->db, &options, &feed, &f->err));
    for (uint64_t commit = 1; commit <= 3; commit++) {
        assert_ok(liana_feed_next(feed, 0, &page, &f->err));
        assert_int_equal(page.count, 20);
        assert_int_equal(page.position, commit);
    }
    liana_feed_close(feed);
}

/* The tombstones of `c`, which is the store's one collection. */
static void forget_deletes(struct fixture *f)
{
    uint64_t next_ms;

    while (!stats_hold(f, "\"tombstones\":0}")) {
        assert_ok(liana_upkeep(f->owner, &next_ms, &f->err));
    }
}

/* Once, before the page that it is about; and then the feed goes on. */
static void test_a_reader_hears_that_deletes_are_forgotten(void **state)
{
    struct fixture *f = *state;
    struct liana_feed_options options = LIANA_FEED_OPTIONS_INIT;
    struct liana_str other = LIANA_STR("other");
    struct liana_page page;
    liana_feed *feed;
    liana_feed *late;

    put(f, 1, 1);
    put(f, 2, 1);
    assert_ok(liana_feed_open(f->db, NULL, &feed, &f->err));
    assert_ok(liana_feed_next(feed, 0, &page, &f->err));
    assert_ok(run(f->db, "DELETE FROM c WHERE _id = 1", "{}", NULL, &f->err));
    put(f, 3, 1);
    forget_deletes(f);
    assert_status(LIANA_EFORGOTTEN, liana_feed_next(feed, 0, &page, &f->err));
    assert_non_null(strstr(f->err.message, "between seq 2, "));
    assert_non_null(strstr(f->err.message, " 3 are forgotten"));
    assert_int_equal(liana_feed_position(feed), 2);
    assert_ok(liana_feed_next(feed, 0, &page, &f->err));
    assert_int_equal(page.count, 1);
    assert_status(LIANA_ETIMEOUT, liana_feed_next(feed, 0, &page, NULL));

    /* Whoever knew nothing, was far enough or asks for something else misses nothing. */
    assert_ok(liana_feed_open(f->db, NULL, &late, &f->err));
    assert_ok(liana_feed_next(late, 0, &page, &f->err));
    assert_int_equal(page.count, 2);
    liana_feed_close(late);
    options.since = 3;
    assert_ok(liana_feed_open(f->db, &options, &late, &f->err));
    assert_ok(liana_feed_next(late, 0, &page, &f->err));
    liana_feed_close(late);
    options.since = 2;
    options.begun = 3;
    assert_ok(liana_feed_open(f->db, &options, &late, &f->err));
    assert_ok(liana_feed_next(late, 0, &page, &f->err));
    liana_feed_close(late);
    options.begun = 2;
    assert_ok(liana_feed_open(f->db, &options, &late, &f->err));
    assert_status(LIANA_EFORGOTTEN, liana_feed_next(late, 0, &page, NULL));
    liana_feed_close(late);
    options.collections = &other;
    options.collection_count = 1;
    assert_ok(liana_feed_open(f->db, &options, &late, &f->err));
    assert_status(LIANA_ETIMEOUT, liana_feed_next(late, 0, &page, NULL));
    liana_feed_close(late);

    /* Told again of what is forgotten later. */
    assert_ok(run(f->db, "DELETE FROM c WHERE _id = 2", "{}", NULL, &f->err));
    forget_deletes(f);
    assert_status(LIANA_EFORGOTTEN, liana_feed_next(feed, 0, &page, NULL));
    assert_status(LIANA_ETIMEOUT, liana_feed_next(feed, 0, &page, NULL));
    liana_feed_close(feed);
}

static void cancel_it(void *arg)
{
    liana_feed_cancel(arg);
}

static void test_a_waiting_feed_can_be_cancelled(void **state)
{
    struct fixture *f = *state;
    struct liana_page page;
    struct lia_thread thread;
    liana_feed *feed;

    assert_ok(liana_feed_open(f->db, NULL, &feed, &f->err));
    assert_ok(lia_thread_start(&thread, "cancel", cancel_it, feed));
    assert_status(LIANA_ECANCELED, liana_feed_next(feed, -1, &page, NULL));
    assert_status(LIANA_ECANCELED, liana_feed_next(feed, 0, &page, NULL));
    lia_thread_join(&thread);
    liana_feed_close(feed);
}

static void test_events(void **state)
{
    struct fixture *f = *state;
    struct liana_event event;

    assert_status(LIANA_ETIMEOUT, liana_poll(f->db, 0, &event, NULL));
    put(f, 1, 1);
    put(f, 2, 1);
    assert_ok(liana_poll(f->db, -1, &event, &f->err));
    assert_int_equal(event.kind, LIANA_EVENT_COMMIT);
    while (event.seq < 2) {
        assert_ok(liana_poll(f->db, -1, &event, &f->err));
    }
    assert_status(LIANA_ETIMEOUT, liana_poll(f->db, 1, &event, NULL));
}

static void test_descriptor(void **state)
{
    struct fixture *f = *state;
    struct pollfd fd = {.events = POLLIN};
    struct liana_event event;

    if (f->db != f->owner) {
        assert_status(LIANA_EMISUSE, liana_fd(f->db, &fd.fd, NULL));
        return;
    }
    assert_ok(liana_fd(f->db, &fd.fd, &f->err));
    assert_int_equal(poll(&fd, 1, 0), 0);
    put(f, 1, 1);
    assert_int_equal(poll(&fd, 1, -1), 1);
    assert_ok(liana_poll(f->db, 0, &event, &f->err));
    assert_int_equal(poll(&fd, 1, 0), 0);
}

/* What it evicts is in retention_test.c. */
static void test_upkeep(void **state)
{
    struct fixture *f = *state;
    uint64_t next_ms = 0;

    if (f->db != f->owner) {
        assert_status(LIANA_EMISUSE, liana_upkeep(f->db, &next_ms, NULL));
        return;
    }
    assert_status(LIANA_EINVAL, liana_upkeep(f->db, NULL, NULL));
    assert_ok(liana_upkeep(f->db, &next_ms, &f->err));
    assert_true(next_ms > 0);
}

static void test_statistics(void **state)
{
    struct fixture *f = *state;
    liana_bytes *shown = bson("{\"state\": \"ok\"}");

    put(f, 1, 1);
    put(f, 2, 1);
    assert_ok(run(f->db, "DELETE FROM c WHERE _id = 2", "{}", NULL, &f->err));
    assert_true(stats_hold(f, "\"trust\":\"open\",\"keeper\":true"));
    assert_true(stats_hold(f, "{\"name\":\"c\",\"documents\":1,\"tombstones\":1}"));
    assert_true(stats_hold(f, "\"conflicts\":{\"rows\":0,\"last\":0,\"dropped\":0},"
                              "\"flagged\":{\"too_large\":0,\"clamped\":0},"
                              "\"owed\":0"));
    assert_ok(
        liana_stats_publish(f->db, LIANA_STR("x"), liana_bytes_slice(shown), &f->err));
    assert_true(stats_hold(f, "\"apps\":{\"x\":{\"state\":\"ok\"}}"));
    assert_ok(liana_stats_publish(f->db, LIANA_STR("x"), LIANA_NONE, &f->err));
    assert_true(stats_hold(f, "\"apps\":{}"));
    assert_status(LIANA_EINVAL,
                  liana_stats_publish(f->db, LIANA_STR(""), LIANA_NONE, NULL));
    liana_bytes_free(shown);
}

static void test_subscriptions_and_addresses(void **state)
{
    struct fixture *f = *state;
    struct liana_sync_options options = LIANA_SYNC_OPTIONS_INIT;
    struct liana_str address = LIANA_STR("127.0.0.1:0");
    struct liana_str wrong = LIANA_STR("nonsense");
    uint64_t first;
    uint64_t second;

    assert_ok(liana_subscribe(f->db, LIANA_STR("SELECT * FROM sales"), LIANA_NONE,
                              &first, &f->err));
    assert_status(LIANA_ESYNTAX, liana_subscribe(f->db, LIANA_STR("DELETE FROM sales"),
                                                 LIANA_NONE, &second, NULL));
    options.listen = &wrong;
    options.listen_count = 1;
    assert_status(LIANA_EINVAL, liana_sync_start(f->db, &options, NULL));
    assert_true(stats_hold(f, "\"running\":false"));
    options.listen = &address;
    assert_ok(liana_sync_start(f->db, &options, &f->err));
    assert_true(stats_hold(f, "\"listen\":[\"tcp://127.0.0.1:"));
    assert_ok(liana_subscribe(f->db, LIANA_STR("SELECT * FROM c WHERE n > 1"),
                              LIANA_NONE, &second, &f->err));
    assert_true(first != second);
    for (int i = 2; i < 1000; i++) {
        assert_ok(liana_subscribe(f->db, LIANA_STR("SELECT * FROM sales"), LIANA_NONE,
                                  &second, &f->err));
    }
    assert_status(LIANA_ELIMIT, liana_subscribe(f->db, LIANA_STR("SELECT * FROM sales"),
                                                LIANA_NONE, &second, NULL));
    assert_ok(liana_unsubscribe(f->db, first, &f->err));
    assert_status(LIANA_ENOTFOUND, liana_unsubscribe(f->db, first, NULL));
    assert_true(stats_hold(f, "WHERE"));
    assert_ok(liana_sync_stop(f->db, &f->err));
    assert_ok(liana_sync_stop(f->db, &f->err));
    assert_true(stats_hold(f, "\"running\":false"));
}

static void test_wrong_arguments(void **state)
{
    struct fixture *f = *state;
    struct liana_open_options options = LIANA_OPEN_OPTIONS_INIT;
    struct liana_txn_options txn = LIANA_TXN_OPTIONS_INIT;
    struct liana_feed_options feed = LIANA_FEED_OPTIONS_INIT;
    struct liana_sync_options sync = LIANA_SYNC_OPTIONS_INIT;
    struct liana_str nothing = {NULL, 3};
    liana_feed *no_feed;
    liana_db *db = NULL;
    liana_txn *t;

    assert_status(LIANA_EINVAL, liana_open(str(""), NULL, &db, NULL));
    assert_status(LIANA_EINVAL, liana_open(str(f->path), NULL, NULL, NULL));
    options.version = 99;
    assert_status(LIANA_EINVAL, liana_open(str(f->path), &options, &db, NULL));
    options = (struct liana_open_options)LIANA_OPEN_OPTIONS_INIT;
    options.durability = 7;
    assert_status(LIANA_EINVAL, liana_open(str(f->path), &options, &db, NULL));
    options = (struct liana_open_options)LIANA_OPEN_OPTIONS_INIT;
    options.conflicts_max = 1000001;
    assert_status(LIANA_EINVAL, liana_open(str(f->path), &options, &db, NULL));
    assert_status(LIANA_EINVAL, liana_open(LIANA_STR("a\0b"), NULL, &db, NULL));
    assert_status(LIANA_EINVAL, liana_attach(LIANA_STR("a\0b"), &db, NULL));
    feed.collections = &nothing;
    feed.collection_count = 1;
    assert_status(LIANA_EINVAL, liana_feed_open(f->db, &feed, &no_feed, NULL));
    nothing = LIANA_STR("");
    assert_status(LIANA_EINVAL, liana_feed_open(f->db, &feed, &no_feed, NULL));
    nothing = (struct liana_str){NULL, 3};
    sync.dial = &nothing;
    sync.dial_count = 1;
    assert_status(LIANA_EINVAL, liana_sync_start(f->db, &sync, NULL));
    sync.listen = NULL;
    sync.listen_count = 1;
    assert_status(LIANA_EINVAL, liana_sync_start(f->db, &sync, NULL));
    assert_status(LIANA_EBSON, liana_execute(f->db, LIANA_STR("SELECT * FROM c"),
                                             LIA_BYTES("rubbish"), NULL, NULL));
    assert_status(LIANA_EINVAL, liana_execute(NULL, str("x"), LIANA_NONE, NULL, NULL));
    txn.durability = 7;
    assert_status(LIANA_EINVAL, liana_begin(f->db, &txn, &t, NULL));
    assert_status(LIANA_EINVAL, liana_commit(NULL, NULL, NULL));
    assert_ok(liana_close(NULL, NULL));
    assert_null(db);
}

static void test_who_may_open(void **state)
{
    struct fixture *f = *state;
    struct liana_open_options options = LIANA_OPEN_OPTIONS_INIT;
    char other[LIA_TEST_PATH_MAX + 8];
    liana_db *db;

    assert_status(LIANA_EBUSY, liana_open(str(f->path), NULL, &db, NULL));
    snprintf(other, sizeof(other), "%s/other", f->folder);
    assert_status(LIANA_ENOTFOUND, liana_open(str(other), NULL, &db, NULL));
    assert_status(LIANA_ENOTFOUND, liana_attach(str(other), &db, NULL));
    options.flags = LIANA_OPEN_CREATE;
    options.trust = LIANA_TRUST_SHARED_KEY;
    options.shared_key = LIA_BYTES("too short");
    assert_status(LIANA_EINVAL, liana_open(str(other), &options, &db, NULL));
}

static void test_a_store_is_made_and_found_again(void **state)
{
    struct liana_open_options options = LIANA_OPEN_OPTIONS_INIT;
    char folder[LIA_TEST_PATH_MAX];
    char path[LIA_TEST_PATH_MAX + 8];
    liana_bytes *key;
    liana_db *db;

    (void)state;
    lia_test_scratch(folder);
    snprintf(path, sizeof(path), "%s/store", folder);
    assert_ok(liana_shared_key_new(&key, NULL));
    options.flags = LIANA_OPEN_CREATE | LIANA_OPEN_EXCLUSIVE;
    options.database = LIANA_STR("shop");
    options.trust = LIANA_TRUST_SHARED_KEY;
    options.shared_key = liana_bytes_slice(key);
    assert_ok(liana_open(str(path), &options, &db, NULL));
    assert_ok(liana_close(db, NULL));
    assert_status(LIANA_EEXISTS, liana_open(str(path), &options, &db, NULL));
    options.flags = 0;
    assert_ok(liana_open(str(path), &options, &db, NULL));
    assert_ok(liana_close(db, NULL));
    options.database = LIANA_STR("another");
    assert_status(LIANA_EDATABASE, liana_open(str(path), &options, &db, NULL));
    liana_bytes_free(key);
    lia_test_scratch_remove(folder);
}

static void assert_name(const char *path,
                        struct liana_open_options *options,
                        const char *name,
                        const char *shown)
{
    liana_bytes *stats;
    liana_bytes *json;
    char text[160];
    liana_db *db;

    options->name = str(name);
    assert_ok(liana_open(str(path), options, &db, NULL));
    assert_ok(liana_stats(db, &stats, NULL));
    assert_ok(
        liana_json_encode(liana_bytes_slice(stats), LIANA_JSON_RELAXED, &json, NULL));
    snprintf(text, sizeof(text), "\"name\":\"%s\"", shown);
    assert_non_null(strstr((const char *)liana_bytes_slice(json).ptr, text));
    liana_bytes_free(json);
    liana_bytes_free(stats);
    assert_ok(liana_close(db, NULL));
}

static void test_a_name_is_kept_until_another_is_given(void **state)
{
    struct liana_open_options options = LIANA_OPEN_OPTIONS_INIT;
    char folder[LIA_TEST_PATH_MAX];
    char path[LIA_TEST_PATH_MAX + 8];
    char longest[121];
    liana_db *db;

    (void)state;
    lia_test_scratch(folder);
    snprintf(path, sizeof(path), "%s/store", folder);
    options.flags = LIANA_OPEN_CREATE;
    assert_name(path, &options, "", "store");
    assert_name(path, &options, "till 7", "till 7");
    assert_name(path, &options, "", "till 7");
    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    assert_name(path, &options, longest, longest);
    assert_name(path, &options, "", longest);
    options.name = LIANA_STR("not \xff text");
    assert_status(LIANA_EINVAL, liana_open(str(path), &options, &db, NULL));
    options.name = LIANA_STR("a\0b");
    assert_status(LIANA_EINVAL, liana_open(str(path), &options, &db, NULL));
    lia_test_scratch_remove(folder);
}

#define TWICE(case)                                                                    \
    {#case " (opened)", case, open_local, close_it, NULL},                             \
    {                                                                                  \
#        case " (attached)", case, open_attached, close_it, NULL                       \
    }

static const struct CMUnitTest tests[] = {
    TWICE(test_statements),
    TWICE(test_many_rows),
    TWICE(test_transactions),
    TWICE(test_the_feed),
    TWICE(test_pages_end_with_commits),
    TWICE(test_a_reader_hears_that_deletes_are_forgotten),
    TWICE(test_a_waiting_feed_can_be_cancelled),
    TWICE(test_events),
    TWICE(test_descriptor),
    TWICE(test_upkeep),
    TWICE(test_statistics),
    TWICE(test_subscriptions_and_addresses),
    TWICE(test_wrong_arguments),
    TWICE(test_who_may_open),
    cmocka_unit_test(test_a_store_is_made_and_found_again),
    cmocka_unit_test(test_a_name_is_kept_until_another_is_given),
};

LIA_TEST_MAIN(tests)
