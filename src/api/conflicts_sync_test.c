/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Three stores that sync, and what a person is told: `two` joins what `one` has written,
 * which it gets from `relay`. All kinds of loss in docs/merging.md are among it.
 */
#include <stdio.h>

#include "base/buf.h"
#include "base/testing/files.h"
#include "base/testing/test.h"
#include "liana/liana.h"

#define PATIENCE_MS 30000

struct store {
    char path[LIA_TEST_PATH_MAX + 8];
    liana_db *db;
    uint64_t subscription;
};

struct world {
    char folder[LIA_TEST_PATH_MAX];
    struct store one;
    struct store two;
    struct store relay;
    char address[64]; /* of the relay */
};

/* ---- stores ---- */

static void run(const struct store *s, const char *statement)
{
    struct liana_error err = LIANA_ERROR_INIT;

    if (liana_execute(s->db, lia_str(statement), LIANA_NONE, NULL, &err)) {
        fail_msg("%s\n  %s", statement, err.message);
    }
}

static void subscribe(struct store *s)
{
    assert_ok(liana_subscribe(s->db, LIANA_STR("SELECT * FROM c"), LIANA_NONE,
                              &s->subscription, NULL));
}

static void open_store(struct store *s)
{
    struct liana_open_options options = LIANA_OPEN_OPTIONS_INIT;

    options.flags = LIANA_OPEN_CREATE;
    options.database = LIANA_STR("shop");
    options.trust = LIANA_TRUST_OPEN;
    options.durability = LIANA_DURABILITY_NORMAL;
    options.conflicts_max = 100;
    assert_ok(liana_open(lia_str(s->path), &options, &s->db, NULL));
    subscribe(s);
}

static void listen_on(struct world *w)
{
    struct liana_sync_options options = LIANA_SYNC_OPTIONS_INIT;
    struct liana_str any = LIANA_STR("127.0.0.1:0");
    struct liana_str text;
    liana_bytes *stats;
    liana_bytes *json;
    const char *at;

    options.listen = &any;
    options.listen_count = 1;
    assert_ok(liana_sync_start(w->relay.db, &options, NULL));
    assert_ok(liana_stats(w->relay.db, &stats, NULL));
    assert_ok(
        liana_json_encode(liana_bytes_slice(stats), LIANA_JSON_RELAXED, &json, NULL));
    text.ptr = (const char *)liana_bytes_slice(json).ptr;
    at = strstr(text.ptr, "\"listen\":[\"");
    assert_non_null(at);
    assert_int_equal(sscanf(at, "\"listen\":[\"%63[^\"]", w->address), 1);
    liana_bytes_free(json);
    liana_bytes_free(stats);
}

static void dial(const struct world *w, const struct store *s)
{
    struct liana_sync_options options = LIANA_SYNC_OPTIONS_INIT;
    struct liana_str text = lia_str(w->address);

    options.dial = &text;
    options.dial_count = 1;
    assert_ok(liana_sync_start(s->db, &options, NULL));
}

static void hang_up(const struct store *s)
{
    assert_ok(liana_sync_stop(s->db, NULL));
}

static int setup(void **state)
{
    struct world *w = test_calloc(1, sizeof(*w));
    struct store *stores[] = {&w->one, &w->two, &w->relay};

    lia_test_scratch(w->folder);
    for (int i = 0; i < 3; i++) {
        snprintf(stores[i]->path, sizeof(stores[i]->path), "%s/%d", w->folder, i);
        open_store(stores[i]);
    }
    listen_on(w);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    struct world *w = *state;

    assert_ok(liana_close(w->one.db, NULL));
    assert_ok(liana_close(w->two.db, NULL));
    assert_ok(liana_close(w->relay.db, NULL));
    lia_test_scratch_remove(w->folder);
    test_free(w);
    return 0;
}

/* ---- what they hold ---- */

/* The rows of a query, one a line, ended by NUL. */
static struct lia_buf rows_of(const struct store *s, const char *query)
{
    struct lia_buf out;
    liana_result *result;
    struct liana_slice row;

    lia_buf_init(&out, &lia_mem_libc);
    assert_ok(liana_execute(s->db, lia_str(query), LIANA_NONE, &result, NULL));
    while (!liana_result_next(result, &row, NULL)) {
        liana_bytes *json;

        assert_ok(liana_json_encode(row, LIANA_JSON_RELAXED, &json, NULL));
        lia_buf_slice_add(&out, liana_bytes_slice(json));
        lia_buf_u8(&out, '\n');
        liana_bytes_free(json);
    }
    liana_result_free(result);
    lia_buf_u8(&out, 0);
    assert_ok(out.status);
    return out;
}

static void shows(const struct store *s, const char *query, const char *wanted)
{
    struct lia_buf rows = rows_of(s, query);

    assert_string_equal((const char *)rows.ptr, wanted);
    lia_buf_deinit(&rows);
}

/* Writes the mark; all that is written before it is there once it is. */
static void mark(const struct store *s, const char *name)
{
    char statement[80];

    snprintf(statement, sizeof(statement), "INSERT INTO c DOCUMENTS ({'_id': '%s'})",
             name);
    run(s, statement);
}

static bool is_there(const struct store *s, const char *query)
{
    struct lia_buf rows = rows_of(s, query);
    bool answer = rows.len > 1;

    lia_buf_deinit(&rows);
    return answer;
}

static bool has(const struct store *s, const char *name)
{
    char query[80];

    snprintf(query, sizeof(query), "SELECT _id FROM c WHERE _id = '%s'", name);
    return is_there(s, query);
}

static void await_event(const struct store *s)
{
    struct liana_event event;

    assert_ok(liana_poll(s->db, PATIENCE_MS, &event, NULL));
}

static void await_mark(const struct store *s, const char *name)
{
    while (!has(s, name)) {
        await_event(s);
    }
}

/* ---- what is written apart ---- */

/* One writes first, the other later; neither knows of the other's. */
struct kind {
    const char *before; /* NULL: there is no document */
    const char *first;
    const char *later;
    const char *lost; /* rows, but for their document */
};

#define SET(path, value) "SET " path " = " value

static const struct kind kinds[] = {
    {"{'m': {'p': '0'}}", SET("m.p", "'x'"), SET("m.p", "'y'"),
     "\"path\":[\"m\",\"p\"],\"value\":\"x\""},
    {"{'m': {'p': '0'}}", SET("m.p", "'x'"), SET("m", "{'q': 'y'}"),
     "\"path\":[\"m\",\"p\"],\"value\":\"x\""},
    {"{'m': {'p': '0'}}", SET("m", "'x'"), SET("m.p", "'y'"),
     "\"path\":[\"m\"],\"value\":\"x\""},
    {"{'m': {'p': '0'}}", SET("m.p", "'x'"), "UNSET m.p",
     "\"path\":[\"m\",\"p\"],\"value\":\"x\""},
    {"{'m': {'p': '0'}}", "UNSET m.p", SET("m.p", "'y'"),
     "\"path\":[\"m\",\"p\"],\"removed\":true"},
    {"{'n': 10}", "APPLY n INCREMENT BY 5", SET("n", "'none'"),
     "\"path\":[\"n\"],\"value\":5"},
    {"{'n': 10}", "APPLY n RESTART WITH 3", "APPLY n RESTART WITH 4",
     "\"path\":[\"n\"],\"value\":3"},
    {"{'n': 10}", "APPLY n INCREMENT BY 5", "DELETE", "\"path\":[\"n\"],\"value\":5"},
    {"{'m': {'p': '0'}}", SET("m.p", "'x'"), "DELETE",
     "\"path\":[\"m\"],\"value\":{\"p\":\"x\"}"},
    {"{'s': 1}", "UNSET s APPLY t ADD TO SET 'a'", SET("t", "'y'"),
     "\"path\":[\"t\"],\"value\":\"a\""},
    {NULL, "{'a': 'x', 'b': 1}", "{'a': 'y', 'c': 1}",
     "\"path\":[\"a\"],\"value\":\"x\""},
    {"{'m': 1}", SET("m", "repeat('x', 70000)"), SET("m", "'y'"),
     "\"path\":[\"m\"],\"bytes\":70005"},
    {"{'n': 1}", SET("a", "1"), SET("b", "1"), NULL}, /* nothing is lost */
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

static void write_one(const struct store *s, const struct kind *kind, const char *what)
{
    char statement[200];
    int id = (int)(kind - kinds);

    if (what[0] == '{') {
        snprintf(statement, sizeof(statement),
                 "INSERT INTO c DOCUMENTS (object_concat({'_id': %d}, %s))", id, what);
    } else if (strcmp(what, "DELETE") == 0) {
        snprintf(statement, sizeof(statement), "DELETE FROM c WHERE _id = %d", id);
    } else {
        snprintf(statement, sizeof(statement), "UPDATE c %s WHERE _id = %d", what, id);
    }
    run(s, statement);
}

static void write_apart(const struct world *w)
{
    for (size_t i = 0; i < KINDS; i++) {
        write_one(&w->one, &kinds[i], kinds[i].first);
    }
    mark(&w->one, "one");
    for (size_t i = 0; i < KINDS; i++) {
        write_one(&w->two, &kinds[i], kinds[i].later);
    }
    mark(&w->two, "two");
}

static struct lia_buf wanted_rows(void)
{
    struct lia_buf out;

    lia_buf_init(&out, &lia_mem_libc);
    for (size_t i = 0; i < KINDS; i++) {
        if (kinds[i].lost) {
            lia_buf_printf(&out, "{\"document\":%d,%s}\n", (int)i, kinds[i].lost);
        }
    }
    lia_buf_u8(&out, 0);
    assert_ok(out.status);
    return out;
}

/* All of them know the documents; then nobody talks to anybody. */
static void begin(const struct world *w)
{
    dial(w, &w->one);
    dial(w, &w->two);
    for (size_t i = 0; i < KINDS; i++) {
        if (kinds[i].before) {
            write_one(&w->one, &kinds[i], kinds[i].before);
        }
    }
    mark(&w->one, "begin");
    await_mark(&w->two, "begin");
    hang_up(&w->one);
    hang_up(&w->two);
}

#define LOST                                                                           \
    "SELECT document, path, value, removed, bytes FROM system:conflicts "              \
    "ORDER BY document"
#define ALL "SELECT * FROM c ORDER BY _id"

static void assert_same(const struct store *a, const struct store *b)
{
    struct lia_buf rows = rows_of(a, ALL);

    shows(b, ALL, (const char *)rows.ptr);
    lia_buf_deinit(&rows);
}

static void whoever_joins_is_told_and_nobody_else(void **state)
{
    struct world *w = *state;
    struct lia_buf wanted = wanted_rows();

    begin(w);
    write_apart(w);
    dial(w, &w->one);
    await_mark(&w->relay, "one");
    hang_up(&w->one);
    /* The relay gives, and takes nothing. */
    assert_ok(liana_unsubscribe(w->relay.db, w->relay.subscription, NULL));
    dial(w, &w->two);
    await_mark(&w->two, "one");
    assert_false(has(&w->relay, "two"));
    shows(&w->two, LOST, (const char *)wanted.ptr);

    subscribe(&w->relay);
    await_mark(&w->relay, "two");
    dial(w, &w->one);
    await_mark(&w->one, "two");
    assert_same(&w->two, &w->relay);
    assert_same(&w->two, &w->one);
    shows(&w->relay, LOST, "");
    shows(&w->one, LOST, "");

    /* Nor again, later. */
    assert_ok(liana_close(w->two.db, NULL));
    open_store(&w->two);
    dial(w, &w->two);
    mark(&w->one, "later");
    await_mark(&w->two, "later");
    shows(&w->two, LOST, (const char *)wanted.ptr);
    lia_buf_deinit(&wanted);
}

/* The relay takes from its author what is not as declared; `two`, who knows what is
 * declared as well, gets it from the relay. */
static void a_breach_is_told_where_it_comes_in(void **state)
{
    struct world *w = *state;

    run(&w->relay, "CREATE COLLECTION c (n INT32)");
    dial(w, &w->two);
    while (!is_there(&w->two, "SELECT * FROM _liana.collections")) {
        await_event(&w->two);
    }
    run(&w->one, "INSERT INTO c DOCUMENTS ({'_id': 1, 'n': 'many'})");
    mark(&w->one, "one");
    dial(w, &w->one);
    await_mark(&w->two, "one");
    shows(&w->relay, "SELECT kind, document, path, value, rule FROM system:conflicts",
          "{\"kind\":\"breach\",\"document\":1,\"path\":[\"n\"],\"value\":\"many\","
          "\"rule\":\"INT32\"}\n");
    shows(&w->two, "SELECT kind FROM system:conflicts", "");
    shows(&w->two, "SELECT document, rule FROM system:breaches",
          "{\"document\":1,\"rule\":\"INT32\"}\n");
}

/* Two halves that are too large together: all peers show the same part, and all of it again
 * when one of them makes it smaller. */
static void what_is_cut_heals_everywhere(void **state)
{
    static const char flagged[] = "SELECT document, cut, status FROM system:flagged";
    static const char cut[] = "{\"document\":\"d\",\"cut\":[[\"a\"]],"
                              "\"status\":\"LIANA_ETOOLARGE\"}\n";
    struct world *w = *state;
    const struct store *stores[] = {&w->one, &w->two, &w->relay};

    run(&w->one, "INSERT INTO c DOCUMENTS ({'_id': 'd'})");
    begin(w);
    run(&w->one, "UPDATE c SET a = repeat('a', 9437184) WHERE _id = 'd'");
    mark(&w->one, "one");
    run(&w->two, "UPDATE c SET z = repeat('z', 9437184) WHERE _id = 'd'");
    mark(&w->two, "two");
    dial(w, &w->one);
    dial(w, &w->two);
    await_mark(&w->one, "two");
    await_mark(&w->two, "one");
    for (int i = 0; i < 3; i++) {
        shows(stores[i], flagged, cut);
    }
    run(&w->two, "UPDATE c SET z = 'short' WHERE _id = 'd'");
    mark(&w->two, "healed");
    await_mark(&w->one, "healed");
    for (int i = 0; i < 3; i++) {
        shows(stores[i], flagged, "");
        shows(stores[i], "SELECT is_string(a) AS a, z FROM c WHERE _id = 'd'",
              "{\"a\":true,\"z\":\"short\"}\n");
    }
}

/* What a person does with it: follows the rows, chooses, and removes them. */
static void rows_are_followed_and_removed(void **state)
{
    struct world *w = *state;
    struct liana_feed_options options = LIANA_FEED_OPTIONS_INIT;
    struct liana_str name = LIANA_STR("system:conflicts");
    struct liana_page page;
    liana_feed *feed;

    begin(w);
    options.collections = &name;
    options.collection_count = 1;
    assert_ok(liana_feed_open(w->two.db, &options, &feed, NULL));
    run(&w->one, "UPDATE c SET m.p = 'x' WHERE _id = 0");
    mark(&w->one, "one");
    run(&w->two, "UPDATE c SET m.p = 'y' WHERE _id = 0");
    dial(w, &w->one);
    await_mark(&w->relay, "one");
    dial(w, &w->two);
    assert_ok(liana_feed_next(feed, PATIENCE_MS, &page, NULL));
    assert_int_equal(page.count, 1);
    assert_true(page.changes[0].document.len > 0);
    run(&w->two, "UPDATE c SET m.p = 'x' WHERE _id = 0");
    run(&w->two, "DELETE FROM system:conflicts WHERE _id = 1");
    assert_ok(liana_feed_next(feed, PATIENCE_MS, &page, NULL));
    assert_int_equal(page.count, 1);
    assert_int_equal(page.changes[0].document.len, 0);
    liana_feed_close(feed);
    shows(&w->two, LOST, "");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(whoever_joins_is_told_and_nobody_else),
        CASE(a_breach_is_told_where_it_comes_in),
        CASE(what_is_cut_heals_everywhere),
        CASE(rows_are_followed_and_removed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
