/* SPDX-License-Identifier: Apache-2.0 */
/* Two stores of one process that sync: what an app is told, and what the statistics say. */
#include <stdio.h>

#include "base/testing/files.h"
#include "base/testing/test.h"
#include "codec/bson.h"
#include "liana/liana.h"

#define PATIENCE_MS 30000

struct fixture {
    char folder[LIA_TEST_PATH_MAX];
    liana_db *shop;
    liana_db *till;
    char address[64]; /* of the shop */
    struct liana_error err;
};

/* ---- statistics by path ---- */

/* A field of a document, or of the first one in an array; false: there is none yet. */
static bool find(liana_bytes *stats,
                 const char *where,
                 const char *field,
                 struct lia_value *out)
{
    struct lia_bson_iter it;

    assert_true(lia_bson_find(liana_bytes_slice(stats), lia_str(where), out));
    if (out->type == LIA_BSON_ARRAY) {
        it = lia_bson_iter(out->data);
        if (!lia_bson_next(&it)) {
            return false;
        }
        *out = it.value;
    }
    assert_true(lia_bson_find(out->data, lia_str(field), out));
    return true;
}

static liana_bytes *read_stats(liana_db *db)
{
    liana_bytes *stats;

    assert_ok(liana_stats(db, &stats, NULL));
    return stats;
}

static int64_t number(liana_db *db, const char *where, const char *field)
{
    liana_bytes *stats = read_stats(db);
    struct lia_value v;
    int64_t n = find(stats, where, field, &v) ? lia_value_int64(v) : 0;

    liana_bytes_free(stats);
    return n;
}

static void copy_text(liana_db *db, const char *where, const char *field, char out[64])
{
    liana_bytes *stats = read_stats(db);
    struct lia_value v;

    assert_true(find(stats, where, field, &v));
    snprintf(out, 64, "%.*s", LIA_STR_ARG(lia_value_str(v)));
    liana_bytes_free(stats);
}

/* ---- stores ---- */

static liana_db *open_store(struct fixture *f, const char *name)
{
    struct liana_open_options options = LIANA_OPEN_OPTIONS_INIT;
    char path[LIA_TEST_PATH_MAX + 8];
    struct liana_event event;
    liana_db *db;

    snprintf(path, sizeof(path), "%s/%s", f->folder, name);
    options.flags = LIANA_OPEN_CREATE;
    options.database = LIANA_STR("shop");
    options.trust = LIANA_TRUST_OPEN;
    assert_ok(liana_open(lia_str(path), &options, &db, &f->err));
    assert_status(LIANA_ETIMEOUT, liana_poll(db, 0, &event, NULL)); /* from here on */
    return db;
}

static void subscribe(liana_db *db, const char *statement)
{
    uint64_t id;

    assert_ok(liana_subscribe(db, lia_str(statement), LIANA_NONE, &id, NULL));
}

static void listen_at(struct fixture *f, const char *address)
{
    struct liana_sync_options options = LIANA_SYNC_OPTIONS_INIT;
    struct liana_str text = lia_str(address);
    struct lia_value listen;
    struct lia_bson_iter it;
    liana_bytes *stats;

    options.listen = &text;
    options.listen_count = 1;
    assert_ok(liana_sync_start(f->shop, &options, &f->err));
    stats = read_stats(f->shop);
    assert_true(find(stats, "sync", "listen", &listen));
    it = lia_bson_iter(listen.data);
    assert_true(lia_bson_next(&it));
    snprintf(f->address, sizeof(f->address), "%.*s",
             LIA_STR_ARG(lia_value_str(it.value)));
    liana_bytes_free(stats);
}

static void dial(struct fixture *f)
{
    struct liana_sync_options options = LIANA_SYNC_OPTIONS_INIT;
    struct liana_str text = lia_str(f->address);

    options.dial = &text;
    options.dial_count = 1;
    assert_ok(liana_sync_start(f->till, &options, &f->err));
}

static void put(liana_db *db, const char *text)
{
    char statement[200];

    snprintf(statement, sizeof(statement), "INSERT INTO sales DOCUMENTS (%s)", text);
    assert_ok(liana_execute(db, lia_str(statement), LIANA_NONE, NULL, NULL));
}

/* The next event of this kind; fails on one that is not expected before it. */
static struct liana_event await_event(liana_db *db, int32_t kind)
{
    struct liana_event event;

    do {
        assert_ok(liana_poll(db, PATIENCE_MS, &event, NULL));
        assert_int_not_equal(event.kind, LIANA_EVENT_LOST);
        if (kind != LIANA_EVENT_LINK_FAILED) {
            assert_int_not_equal(event.kind, LIANA_EVENT_LINK_FAILED);
        }
    } while (event.kind != kind);
    return event;
}

/* Until the till has this many documents of the shop. */
static void await_documents(struct fixture *f, int64_t count)
{
    struct liana_event event;

    while (number(f->till, "peers", "docs_in") < count ||
           number(f->shop, "peers", "acked") < number(f->shop, "store", "seq")) {
        LIA_IGNORE(liana_poll(f->shop, 20, &event, NULL)); /* a look at a time */
    }
}

static int set_up(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));

    lia_test_scratch(f->folder);
    f->shop = open_store(f, "shop");
    f->till = open_store(f, "till");
    subscribe(f->till, " SELECT * FROM sales ;\n");
    listen_at(f, "127.0.0.1:0");
    dial(f);
    await_event(f->shop, LIANA_EVENT_PEER_UP);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    assert_ok(liana_close(f->till, &f->err));
    assert_ok(liana_close(f->shop, &f->err));
    lia_test_scratch_remove(f->folder);
    test_free(f);
    return 0;
}

/* ---- cases ---- */

static void test_a_peer_that_stops_says_so(void **state)
{
    struct fixture *f = *state;
    struct liana_event event = await_event(f->till, LIANA_EVENT_PEER_UP);
    char error[64];

    assert_string_equal(event.name, "shop");
    assert_string_equal(event.text, "");
    assert_ok(liana_sync_stop(f->shop, &f->err));
    event = await_event(f->till, LIANA_EVENT_PEER_DOWN); /* no failure before it */
    assert_ok(event.status);
    assert_string_equal(event.text, "closing");
    assert_string_equal(event.name, "shop");
    copy_text(f->till, "peers", "error", error);
    assert_string_equal(error, "");
    listen_at(f, f->address);
    event = await_event(f->till, LIANA_EVENT_PEER_UP);
    assert_memory_equal(event.text, "after ", 6);
}

static void test_counters_run_over_links_and_stops(void **state)
{
    static const char *const fields[] = {"wire_in", "wire_out", "payload_in",
                                         "payload_out"};
    struct fixture *f = *state;
    int64_t link[4];
    int64_t before[4];

    put(f->shop, "{'_id': 1, 'text': 'twenty bytes or some more'}");
    await_documents(f, 1);
    for (int i = 0; i < 4; i++) {
        link[i] = number(f->till, "links", fields[i]);
        before[i] = number(f->till, "peers", fields[i]);
    }
    assert_true(link[0] > 500 && link[1] > 500 && link[2] > 20);
    assert_true(before[0] >= link[0] && before[2] == link[2]);
    assert_int_equal(link[3], 0); /* nobody subscribes to the till's */
    /* The same bytes, seen from the other side. */
    assert_int_equal(number(f->shop, "peers", "payload_out"), before[2]);
    assert_int_equal(number(f->shop, "links", "payload_out"), before[2]);

    assert_ok(liana_sync_stop(f->till, &f->err));
    for (int i = 0; i < 4; i++) {
        assert_true(number(f->till, "peers", fields[i]) >= before[i]);
    }
    assert_int_equal(number(f->till, "peers", "docs_in"), 1);
    put(f->shop, "{'_id': 2, 'text': 'twenty bytes or some more'}");
    dial(f);
    await_documents(f, 2);
    assert_true(number(f->till, "peers", "wire_in") > before[0] + 500);
    assert_int_equal(number(f->till, "peers", "payload_in"), 2 * before[2]);
    /* The list of addresses is a new one. */
    assert_int_equal(number(f->till, "links", "payload_in"), before[2]);
    assert_int_equal(number(f->shop, "peers", "payload_out"), 2 * before[2]);
}

/* The node numbers them anew at each start; the app's number stays. */
static void test_events_name_the_apps_subscription(void **state)
{
    struct fixture *f = *state;
    struct liana_event event;

    assert_int_equal(await_event(f->till, LIANA_EVENT_UP_TO_DATE).subscription, 1);
    subscribe(f->till, "SELECT * FROM stock");
    assert_int_equal(await_event(f->till, LIANA_EVENT_UP_TO_DATE).subscription, 2);
    assert_ok(liana_unsubscribe(f->till, 1, &f->err));
    assert_ok(liana_sync_stop(f->till, &f->err));
    dial(f);
    event = await_event(f->till, LIANA_EVENT_UP_TO_DATE);
    assert_int_equal(event.subscription, 2);
    assert_string_equal(event.name, "shop");
}

static void test_a_statement_is_shown_as_it_was_written(void **state)
{
    struct fixture *f = *state;
    char text[64];

    copy_text(f->till, "subscriptions", "statement", text);
    assert_string_equal(text, "SELECT * FROM sales");
}

/* Tries until what was declared elsewhere is known here. */
static void await_refusal(liana_db *db, const char *statement, const char *message)
{
    struct liana_error err = LIANA_ERROR_INIT;
    struct liana_event event;
    liana_status status;

    while (!(status = liana_execute(db, lia_str(statement), LIANA_NONE, NULL, &err))) {
        LIA_IGNORE(liana_poll(db, 20, &event, NULL)); /* a look at a time */
    }
    assert_int_equal(status, LIANA_ESCHEMA);
    assert_string_equal(err.message, message);
}

/* Neither of the two subscribes to `_liana.collections`. */
static void test_what_is_declared_is_known_everywhere(void **state)
{
    struct fixture *f = *state;

    assert_ok(liana_execute(
        f->shop, LIANA_STR("CREATE COLLECTION sales (price DECIMAL, tags SET)"),
        LIANA_NONE, NULL, NULL));
    await_refusal(f->till, "INSERT INTO sales DOCUMENTS ({'price': 2.5})",
                  "price is declared DECIMAL and cannot be of type double");
    assert_ok(liana_execute(f->till,
                            LIANA_STR("ALTER COLLECTION sales ADD till INT NOT NULL"),
                            LIANA_NONE, NULL, NULL));
    await_refusal(f->shop, "INSERT INTO sales DOCUMENTS ({'a': 1})",
                  "till is declared NOT NULL");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static const struct CMUnitTest tests[] = {
    CASE(test_a_peer_that_stops_says_so),
    CASE(test_counters_run_over_links_and_stops),
    CASE(test_events_name_the_apps_subscription),
    CASE(test_a_statement_is_shown_as_it_was_written),
    CASE(test_what_is_declared_is_known_everywhere),
};

LIA_TEST_MAIN(tests)
