/* SPDX-License-Identifier: Apache-2.0 */
#include <mongoc/mongoc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/testing/random.h"
#include "base/testing/test.h"
#include "mongo/connector.h"
#include "mongo/testing/feed.h"
#include "mongo/testing/mongodb.h"

/* The connector against a real server; the verifier is a client of its own. */
struct world {
    struct lia_test_mongodb mongodb;
    struct lia_test_feed feed;
    struct lia_mongo *mongo;
    mongoc_client_t *client;
};

static void start_world(struct world *w, enum lia_test_mongodb_kind kind)
{
    *w = (struct world){0};
    lia_test_mongodb_start(&w->mongodb, kind);
    lia_test_feed_init(&w->feed, "store-1");
    mongoc_init();
    w->client = mongoc_client_new(w->mongodb.uri);
    assert_non_null(w->client);
}

static struct lia_mongo *start_connector(struct lia_test_feed *feed,
                                         const char *uri,
                                         const char *database)
{
    struct lia_mongo_server_options server_options = {.uri = uri,
                                                      .database = database,
                                                      .connector = "test",
                                                      .selection_timeout_ms = 500};
    struct lia_mongo_options options = {0};
    struct lia_mongo_source source = lia_test_feed_source(feed);
    struct lia_mongo_server *server;
    struct lia_mongo *mongo;

    assert_ok(lia_mongo_server_new(&server_options, &server, NULL));
    assert_ok(lia_mongo_connector_start(&source, server, &options, &mongo, NULL));
    return mongo;
}

static void connect_world(struct world *w)
{
    w->mongo = start_connector(&w->feed, w->mongodb.uri, w->mongodb.database);
}

static void disconnect(struct world *w)
{
    lia_mongo_stop(w->mongo);
    w->mongo = NULL;
}

static void wait_for(struct world *w, enum lia_mongo_state state)
{
    lia_test_feed_wait(&w->feed, w->mongo, state);
}

static void end_world(struct world *w)
{
    disconnect(w);
    mongoc_client_destroy(w->client);
    lia_test_feed_deinit(&w->feed);
    lia_test_mongodb_stop(&w->mongodb);
}

static void sync_world(struct world *w)
{
    connect_world(w);
    wait_for(w, LIA_MONGO_OK);
    disconnect(w);
}

static mongoc_collection_t *collection(struct world *w, const char *name)
{
    return mongoc_client_get_collection(w->client, w->mongodb.database, name);
}

static int64_t count_of(struct world *w, const char *name)
{
    mongoc_collection_t *c = collection(w, name);
    bson_t all = BSON_INITIALIZER;
    int64_t count = mongoc_collection_count_documents(c, &all, NULL, NULL, NULL, NULL);

    mongoc_collection_destroy(c);
    return count;
}

/* The one document that a filter finds, or NULL; the filter is freed. */
static bson_t *find(struct world *w, const char *name, bson_t *filter)
{
    mongoc_collection_t *c = collection(w, name);
    mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(c, filter, NULL, NULL);
    const bson_t *document = NULL;
    bson_error_t error = {0};
    bson_t *found = NULL;

    if (mongoc_cursor_next(cursor, &document)) {
        found = bson_copy(document);
        assert_false(mongoc_cursor_next(cursor, &document));
    }
    assert_false(mongoc_cursor_error(cursor, &error));
    mongoc_cursor_destroy(cursor);
    mongoc_collection_destroy(c);
    bson_destroy(filter);
    return found;
}

static int64_t int_at(const bson_t *document, const char *path)
{
    bson_iter_t root;
    bson_iter_t it;

    assert_non_null(document);
    assert_true(bson_iter_init(&root, document));
    assert_true(bson_iter_find_descendant(&root, path, &it));
    return bson_iter_as_int64(&it);
}

/* MongoDB has exactly the newest state of every document of the feed, byte for byte. */
static void check_equal(struct world *w, const char *name)
{
    int64_t living = 0;

    for (size_t i = 0; i < w->feed.count; i++) {
        const struct lia_test_change *change = &w->feed.changes[i];
        bson_iter_t it;
        bson_t *filter;
        bson_t equal;
        bson_t *found;

        if (!change->is_newest || strcmp(change->change.collection.ptr, name) != 0) {
            continue;
        }
        filter = bson_new();
        assert_true(bson_iter_init_find(&it, change->id, "_id"));
        BSON_APPEND_DOCUMENT_BEGIN(filter, "_id", &equal);
        bson_append_iter(&equal, "$eq", -1, &it);
        bson_append_document_end(filter, &equal);
        found = find(w, name, filter);
        if (change->document) {
            assert_non_null(found);
            assert_true(bson_equal(found, change->document));
            living++;
        } else {
            assert_null(found);
        }
        bson_destroy(found);
    }
    assert_int_equal(count_of(w, name), living);
}

static bson_t *number(int id, int value)
{
    return BCON_NEW("_id", BCON_INT32(id), "value", BCON_INT32(value));
}

/* ---- tests ---- */

static bson_t *every_type(void)
{
    bson_t *d = BCON_NEW("_id", "all", "double", BCON_DOUBLE(0.1), "string",
                         "a\xe2\x98\x95", "document", "{", "z", BCON_INT32(1), "a",
                         BCON_INT32(2), "}", "array", "[", BCON_INT32(1), "{", "}", "[",
                         "]", "]", "yes", BCON_BOOL(true), "no", BCON_BOOL(false),
                         "null", BCON_NULL, "int32", BCON_INT32(INT32_MIN), "int64",
                         BCON_INT64(INT64_MAX), "min", BCON_MINKEY, "max", BCON_MAXKEY);
    bson_decimal128_t price;
    bson_oid_t oid;

    bson_decimal128_from_string("1234567890123456789012345678.901200", &price);
    BSON_APPEND_DECIMAL128(d, "decimal", &price);
    bson_oid_init_from_string(&oid, "0123456789abcdef01234567");
    BSON_APPEND_OID(d, "oid", &oid);
    BSON_APPEND_DATE_TIME(d, "date", 1291191960123);
    BSON_APPEND_DATE_TIME(d, "before", -1);
    BSON_APPEND_BINARY(d, "binary", BSON_SUBTYPE_USER, (const uint8_t *)"\0\xff", 2);
    BSON_APPEND_REGEX(d, "regex", "^a", "i");
    BSON_APPEND_CODE(d, "code", "f()");
    BSON_APPEND_TIMESTAMP(d, "timestamp", 7, 8);
    BSON_APPEND_UTF8(d, "dotted.name", "x");
    BSON_APPEND_UTF8(d, "", "the empty name");
    return d;
}

static void test_documents_arrive_as_they_are(void **state)
{
    struct world w;

    (void)state;
    start_world(&w, LIA_TEST_ANY_SERVER);
    lia_test_feed_put(&w.feed, "things", every_type());
    for (int i = 0; i < 2500; i++) {
        lia_test_feed_put(&w.feed, "things", number(i, i));
    }
    lia_test_feed_put(&w.feed, "things", number(7, 8));
    lia_test_feed_delete(&w.feed, "things", BCON_NEW("_id", BCON_INT32(9)));
    lia_test_feed_delete(&w.feed, "things", BCON_NEW("_id", "never there"));
    lia_test_feed_put(&w.feed, "others", number(1, 1));
    connect_world(&w);
    wait_for(&w, LIA_MONGO_OK);
    check_equal(&w, "things");
    check_equal(&w, "others");

    /* And it goes on: a change that comes later, a document that comes back. */
    lia_test_feed_put(&w.feed, "things", number(9, 10));
    lia_test_feed_delete(&w.feed, "things", BCON_NEW("_id", "all"));
    wait_for(&w, LIA_MONGO_OK);
    check_equal(&w, "things");
    end_world(&w);
}

static void test_it_goes_on_where_it_was(void **state)
{
    struct world w;
    struct lia_mongo_status status;
    bson_t *checkpoint;

    (void)state;
    start_world(&w, LIA_TEST_ANY_SERVER);
    for (int i = 0; i < 100; i++) {
        lia_test_feed_put(&w.feed, "things", number(i, i));
    }
    sync_world(&w);
    checkpoint =
        find(&w, "_liana.checkpoint",
             BCON_NEW("_id", "{", "connector", "test", "store", "store-1", "}"));
    assert_int_equal(int_at(checkpoint, "seq"), 100);
    bson_destroy(checkpoint);

    lia_test_feed_put(&w.feed, "things", number(5, 6));
    connect_world(&w);
    wait_for(&w, LIA_MONGO_OK);
    lia_mongo_status(w.mongo, &status);
    assert_int_equal(w.feed.opened_at, 100);
    assert_int_equal(status.written, 1);
    check_equal(&w, "things");
    end_world(&w);
}

/* A store that was put back to an earlier state: its numbers mean something else now. */
static void test_a_position_beyond_the_store_starts_again(void **state)
{
    struct world w;

    (void)state;
    start_world(&w, LIA_TEST_ANY_SERVER);
    for (int i = 0; i < 10; i++) {
        lia_test_feed_put(&w.feed, "things", number(i, i));
    }
    sync_world(&w);
    lia_test_feed_deinit(&w.feed);
    lia_test_feed_init(&w.feed, "store-1");
    for (int i = 0; i < 5; i++) {
        lia_test_feed_put(&w.feed, "others", number(i, -i));
    }
    connect_world(&w);
    wait_for(&w, LIA_MONGO_OK);
    assert_int_equal(w.feed.opened_at, 0);
    check_equal(&w, "others");
    end_world(&w);
}

static void command(struct world *w, const char *database, bson_t *document)
{
    bson_error_t error = {0};

    if (!mongoc_client_command_simple(w->client, database, document, NULL, NULL,
                                      &error)) {
        fail_msg("%s", error.message);
    }
    bson_destroy(document);
}

static bson_t *dead_one(struct world *w, const char *id_json)
{
    return find(w, "_liana.dead", BCON_NEW("idJson", BCON_UTF8(id_json)));
}

static void test_refused_documents_wait_in_the_grave(void **state)
{
    struct world w;
    struct lia_mongo_status status;
    bson_t *dead;
    bson_iter_t it;
    const uint8_t *data;
    uint32_t len;
    bson_t *bad = BCON_NEW("_id", BCON_INT32(2), "value", "text");

    (void)state;
    start_world(&w, LIA_TEST_ANY_SERVER);
    command(&w, w.mongodb.database,
            BCON_NEW("create", "things", "validator", "{", "value", "{", "$type", "int",
                     "}", "}"));
    for (int i = 0; i < 5; i++) {
        lia_test_feed_put(&w.feed, "things", number(i, i));
    }
    lia_test_feed_put(&w.feed, "things", bson_copy(bad));
    connect_world(&w);
    wait_for(&w, LIA_MONGO_OK);
    lia_mongo_status(w.mongo, &status);
    assert_int_equal(status.refused, 1);
    assert_int_equal(status.dead, 1);
    assert_int_equal(status.written, 4);
    assert_int_equal(count_of(&w, "things"), 4);
    dead = dead_one(&w, "{ \"_id\" : { \"$numberInt\" : \"2\" } }");
    assert_int_equal(int_at(dead, "code"), 121);
    assert_true(bson_iter_init_find(&it, dead, "document"));
    bson_iter_binary(&it, NULL, &len, &data);
    assert_int_equal(len, bad->len);
    assert_memory_equal(data, bson_get_data(bad), len);
    bson_destroy(dead);

    /* The same again leaves one grave; a right state empties it. */
    lia_test_feed_put(&w.feed, "things", bson_copy(bad));
    wait_for(&w, LIA_MONGO_OK);
    assert_int_equal(count_of(&w, "_liana.dead"), 1);
    lia_test_feed_put(&w.feed, "things", number(2, 3));
    wait_for(&w, LIA_MONGO_OK);
    assert_int_equal(count_of(&w, "_liana.dead"), 0);
    lia_mongo_status(w.mongo, &status);
    assert_int_equal(status.dead, 0);
    check_equal(&w, "things");
    bson_destroy(bad);
    end_world(&w);
}

static void test_a_unique_index_within_one_page(void **state)
{
    struct world w;
    struct lia_mongo_status status;

    (void)state;
    start_world(&w, LIA_TEST_ANY_SERVER);
    command(&w, w.mongodb.database,
            BCON_NEW("createIndexes", "things", "indexes", "[", "{", "key", "{",
                     "value", BCON_INT32(1), "}", "name", "v", "unique",
                     BCON_BOOL(true), "}", "]"));
    lia_test_feed_put(&w.feed, "things", number(1, 10));
    sync_world(&w);
    lia_test_feed_put(&w.feed, "things", number(2, 10));
    lia_test_feed_put(&w.feed, "things", number(1, 11));
    lia_test_feed_put(&w.feed, "things", number(3, 11));
    connect_world(&w);
    wait_for(&w, LIA_MONGO_OK);
    lia_mongo_status(w.mongo, &status);
    assert_int_equal(status.refused, 1);
    assert_int_equal(count_of(&w, "things"), 2);
    end_world(&w);
}

/* As data these are nothing special; read as a query they would hit everything. */
static void test_an_id_that_looks_like_a_query(void **state)
{
    struct world w;

    (void)state;
    start_world(&w, LIA_TEST_ANY_SERVER);
    for (int i = 0; i < 3; i++) {
        lia_test_feed_put(&w.feed, "things", number(i, i));
    }
    lia_test_feed_delete(&w.feed, "things",
                         BCON_NEW("_id", "{", "$gte", BCON_INT32(0), "}"));
    lia_test_feed_delete(&w.feed, "things",
                         BCON_NEW("_id", "{", "$ne", BCON_NULL, "}"));
    sync_world(&w);
    check_equal(&w, "things");
    end_world(&w);
}

/* A field that begins with $ must reach the server as data or be refused by it; it must
 * never be carried out. A Date that the server cannot take may fail the whole command. */
static void test_strange_documents_are_stored_or_buried(void **state)
{
    struct world w;
    struct lia_mongo_status status;
    bson_t *date = BCON_NEW("_id", "date", "at", BCON_DATE_TIME(INT64_MAX));

    (void)state;
    start_world(&w, LIA_TEST_ANY_SERVER);
    for (int i = 0; i < 50; i++) {
        lia_test_feed_put(&w.feed, "things", number(i, i));
    }
    lia_test_feed_put(&w.feed, "things",
                      BCON_NEW("_id", "dollar", "$set", "{", "a", BCON_INT32(1), "}"));
    lia_test_feed_put(&w.feed, "things", date);
    connect_world(&w);
    wait_for(&w, LIA_MONGO_OK);
    lia_mongo_status(w.mongo, &status);
    assert_int_equal(status.dead, count_of(&w, "_liana.dead"));
    assert_int_equal(count_of(&w, "things"), 52 - (int64_t)status.refused);
    assert_true(status.refused <= 2);
    end_world(&w);
}

static void test_a_document_too_large_is_kept_in_parts(void **state)
{
    struct world w;
    size_t len = (size_t)17 * 1024 * 1024;
    char *text = malloc(len + 1);
    bson_t *large;
    int64_t held = 0;

    (void)state;
    assert_non_null(text);
    memset(text, 'x', len);
    text[len] = '\0';
    start_world(&w, LIA_TEST_ANY_SERVER);
    large = BCON_NEW("_id", "large", "text", BCON_UTF8(text));
    lia_test_feed_put(&w.feed, "things", large);
    lia_test_feed_put(&w.feed, "things", number(1, 1));
    sync_world(&w);
    assert_int_equal(count_of(&w, "things"), 1);
    assert_int_equal(count_of(&w, "_liana.dead"), 3);
    for (int part = 0; part < 3; part++) {
        bson_t *dead = find(&w, "_liana.dead", BCON_NEW("_id.part", BCON_INT32(part)));
        bson_iter_t it;
        const uint8_t *data;
        uint32_t n;

        assert_int_equal(int_at(dead, "parts"), 3);
        assert_true(bson_iter_init_find(&it, dead, "document"));
        bson_iter_binary(&it, NULL, &n, &data);
        assert_memory_equal(data, bson_get_data(large) + held, n);
        held += n;
        bson_destroy(dead);
    }
    assert_int_equal(held, large->len);
    free(text);
    end_world(&w);
}

static void test_nobody_there(void **state)
{
    struct lia_test_feed feed;
    struct lia_mongo *mongo;
    struct lia_mongo_status status;

    (void)state;
    lia_test_feed_init(&feed, "store-1");
    mongo = start_connector(&feed, "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=20",
                            "x");
    lia_test_feed_wait(&feed, mongo, LIA_MONGO_UNREACHABLE);
    lia_mongo_status(mongo, &status);
    assert_int_equal(status.error.status, LIANA_EUNREACHABLE);
    assert_non_null(strstr(status.error.message, "127.0.0.1:1/x"));
    lia_mongo_stop(mongo);
    lia_test_feed_deinit(&feed);
}

static void test_a_uri_that_does_not_parse(void **state)
{
    static const char *const uris[] = {"http://x", "mongodb://", "mongodb://h:port/",
                                       "mongodb://user:secret@h/?w=majority&x=%"};

    (void)state;
    for (size_t i = 0; i < sizeof(uris) / sizeof(uris[0]); i++) {
        struct liana_error err = LIANA_ERROR_INIT;
        struct lia_mongo_server_options options = {
            .uri = uris[i], .connector = "test", .selection_timeout_ms = 10};
        struct lia_mongo_server *server;

        assert_status(LIANA_EINVAL, lia_mongo_server_new(&options, &server, &err));
        assert_non_null(strstr(err.message, "MongoDB URI: "));
        assert_null(strstr(err.message, "secret"));
    }
}

static void test_the_server_is_killed_in_the_middle(void **state)
{
    struct world w;

    (void)state;
    start_world(&w, LIA_TEST_OWN_SERVER);
    for (int i = 0; i < 200; i++) {
        lia_test_feed_put(&w.feed, "things", number(i, i));
    }
    connect_world(&w);
    wait_for(&w, LIA_MONGO_OK);
    lia_test_mongodb_kill(&w.mongodb);
    for (int i = 100; i < 300; i++) {
        lia_test_feed_put(&w.feed, "things", number(i, -i));
    }
    lia_test_feed_delete(&w.feed, "things", BCON_NEW("_id", BCON_INT32(0)));
    wait_for(&w, LIA_MONGO_UNREACHABLE);
    lia_test_mongodb_again(&w.mongodb);
    wait_for(&w, LIA_MONGO_OK);
    check_equal(&w, "things");
    end_world(&w);
}

static void test_answers_that_get_lost(void **state)
{
    struct world w;

    (void)state;
    start_world(&w, LIA_TEST_OWN_SERVER);
    for (int i = 0; i < 50; i++) {
        lia_test_feed_put(&w.feed, "things", number(i, i));
    }
    command(&w, "admin",
            BCON_NEW("configureFailPoint", "failCommand", "mode", "{", "times",
                     BCON_INT32(5), "}", "data", "{", "failCommands", "[", "update",
                     "delete", "insert", "]", "closeConnection", BCON_BOOL(true), "}"));
    connect_world(&w);
    wait_for(&w, LIA_MONGO_OK);
    lia_test_feed_delete(&w.feed, "things", BCON_NEW("_id", BCON_INT32(0)));
    wait_for(&w, LIA_MONGO_OK);
    check_equal(&w, "things");
    end_world(&w);
}

static void test_a_right_that_is_missing(void **state)
{
    struct world w;
    struct lia_mongo_status status;

    (void)state;
    start_world(&w, LIA_TEST_OWN_SERVER);
    lia_test_feed_put(&w.feed, "things", number(1, 1));
    command(&w, "admin",
            BCON_NEW("configureFailPoint", "failCommand", "mode", "{", "times",
                     BCON_INT32(2), "}", "data", "{", "failCommands", "[", "update",
                     "]", "errorCode", BCON_INT32(13), "}"));
    connect_world(&w);
    wait_for(&w, LIA_MONGO_NOT_ALLOWED);
    lia_mongo_status(w.mongo, &status);
    assert_int_equal(status.error.status, LIANA_EAUTH);
    assert_int_equal(status.error.subcode, 13);
    wait_for(&w, LIA_MONGO_OK);
    lia_mongo_status(w.mongo, &status);
    assert_int_equal(status.error.status, LIANA_OK);
    assert_int_equal(status.dead, 0);
    check_equal(&w, "things");
    end_world(&w);
}

/* ---- the connector is killed in the middle ---- */

#define KILL_DOCUMENTS 4000

/* Every process makes the same commits: puts and deletes over a few hundred ids. */
static void fill(struct lia_test_feed *feed)
{
    struct lia_rng rng = lia_rng(7);

    feed->page_changes = 20;
    for (int i = 0; i < KILL_DOCUMENTS; i++) {
        int id = (int)lia_rng_below(&rng, KILL_DOCUMENTS / 2);

        if (lia_rng_chance(&rng, 20)) {
            lia_test_feed_delete(feed, "things", BCON_NEW("_id", BCON_INT32(id)));
        } else {
            lia_test_feed_put(feed, "things", number(id, i));
        }
    }
}

/* What the child runs: `connector_test --connector URI DATABASE`. */
static int connector_process(const char *uri, const char *database)
{
    struct lia_test_feed feed;
    struct lia_mongo *mongo;

    lia_test_feed_init(&feed, "store-1");
    fill(&feed);
    mongo = start_connector(&feed, uri, database);
    if (write(STDOUT_FILENO, "r", 1) != 1) {
        return 1;
    }
    lia_test_feed_wait(&feed, mongo, LIA_MONGO_OK);
    lia_mongo_stop(mongo);
    lia_test_feed_deinit(&feed);
    return 0;
}

static char program[LIA_TEST_PATH_MAX];

static pid_t spawn_connector(const struct world *w)
{
    int ends[2];
    char byte;
    pid_t pid;

    assert_int_equal(pipe(ends), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        execl(program, program, "--connector", w->mongodb.uri, w->mongodb.database,
              (char *)NULL);
        _exit(127);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    close(ends[0]);
    return pid;
}

static int64_t position_of(struct world *w)
{
    bson_t *checkpoint =
        find(w, "_liana.checkpoint",
             BCON_NEW("_id", "{", "connector", "test", "store", "store-1", "}"));
    int64_t position = checkpoint ? int_at(checkpoint, "seq") : 0;

    bson_destroy(checkpoint);
    return position;
}

static void test_the_connector_is_killed_in_the_middle(void **state)
{
    struct world w;
    struct lia_rng rng = lia_rng(lia_test_seed("the_connector_is_killed"));
    int64_t seen = 0;
    int stopped_inside = 0;
    pid_t pid;
    int rc;

    (void)state;
    start_world(&w, LIA_TEST_ANY_SERVER);
    for (int round = 0; round < 6; round++) {
        /* Each round gets a little further before the kill. */
        int64_t until = seen + 20 * lia_rng_between(&rng, 1, 20);

        pid = spawn_connector(&w);
        while (position_of(&w) < until && until < KILL_DOCUMENTS) {
        }
        kill(pid, SIGKILL);
        waitpid(pid, &rc, 0);
        stopped_inside += WIFSIGNALED(rc);
        assert_true(position_of(&w) >= seen);
        seen = position_of(&w);
    }
    assert_true(stopped_inside > 0);
    pid = spawn_connector(&w);
    waitpid(pid, &rc, 0);
    assert_int_equal(rc, 0);
    fill(&w.feed);
    assert_int_equal(position_of(&w), KILL_DOCUMENTS);
    check_equal(&w, "things");
    assert_int_equal(count_of(&w, "_liana.dead"), 0);
    end_world(&w);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_documents_arrive_as_they_are),
        cmocka_unit_test(test_it_goes_on_where_it_was),
        cmocka_unit_test(test_a_position_beyond_the_store_starts_again),
        cmocka_unit_test(test_refused_documents_wait_in_the_grave),
        cmocka_unit_test(test_a_unique_index_within_one_page),
        cmocka_unit_test(test_an_id_that_looks_like_a_query),
        cmocka_unit_test(test_strange_documents_are_stored_or_buried),
        cmocka_unit_test(test_a_document_too_large_is_kept_in_parts),
        cmocka_unit_test(test_nobody_there),
        cmocka_unit_test(test_a_uri_that_does_not_parse),
        cmocka_unit_test(test_the_server_is_killed_in_the_middle),
        cmocka_unit_test(test_answers_that_get_lost),
        cmocka_unit_test(test_a_right_that_is_missing),
        cmocka_unit_test(test_the_connector_is_killed_in_the_middle),
    };
    int rc;

    if (argc == 4 && strcmp(argv[1], "--connector") == 0) {
        return connector_process(argv[2], argv[3]);
    }
    snprintf(program, sizeof(program), "%s", argv[0]);
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    mongoc_cleanup();
    return rc;
}
