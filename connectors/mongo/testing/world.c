/* SPDX-License-Identifier: Apache-2.0 */
#include "mongo/testing/world.h"

#include <stdio.h>
#include <string.h>

#include "mongo/target.h"

/* ---- the tests of a program ---- */

static struct lia_test_mongodb servers[2]; /* by kind */

static struct lia_test_mongodb *shared_server(enum lia_test_mongodb_kind kind)
{
    if (!servers[kind].uri[0]) {
        lia_test_mongodb_start(&servers[kind], kind);
    }
    return &servers[kind];
}

static int stop_servers(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        lia_test_mongodb_stop(&servers[i]);
    }
    return 0;
}

int lia_test_world_run(const struct CMUnitTest *tests, size_t count)
{
    int rc = _cmocka_run_group_tests("tests", tests, count, NULL, stop_servers);

    mongoc_cleanup();
    return rc;
}

void lia_test_start(struct lia_test_world *w, enum lia_test_mongodb_kind kind)
{
    static int number;

    *w = (struct lia_test_world){.mongodb = shared_server(kind)};
    snprintf(w->database, sizeof(w->database), "%s_%d", w->mongodb->database, number++);
    lia_test_feed_init(&w->feed, "store-1");
    mongoc_init();
    w->client = mongoc_client_new(w->mongodb->uri);
    assert_non_null(w->client);
}

struct lia_mongo *lia_test_connector_with(struct lia_test_feed *feed,
                                          const char *uri,
                                          const char *database,
                                          uint32_t stop_ms)
{
    struct lia_mongo_server_options server_options = {.uri = uri,
                                                      .database = database,
                                                      .connector = "test",
                                                      .selection_timeout_ms = 500};
    struct lia_mongo_options options = {.stop_ms = stop_ms};
    struct lia_mongo_source source = lia_test_feed_source(feed);
    struct lia_mongo_server *server;
    struct lia_mongo *mongo;

    assert_ok(lia_mongo_server_new(&server_options, &server, NULL));
    assert_ok(lia_mongo_connector_start(&source, server, &options, &mongo, NULL));
    return mongo;
}

struct lia_mongo *lia_test_connector(struct lia_test_feed *feed,
                                     const char *uri,
                                     const char *database)
{
    return lia_test_connector_with(feed, uri, database, 30000);
}

void lia_test_connect(struct lia_test_world *w)
{
    w->mongo = lia_test_connector(&w->feed, w->mongodb->uri, w->database);
}

void lia_test_disconnect(struct lia_test_world *w)
{
    assert_true(lia_mongo_stop(w->mongo));
    w->mongo = NULL;
}

void lia_test_wait(struct lia_test_world *w, enum lia_mongo_state state)
{
    lia_test_feed_wait(&w->feed, w->mongo, state);
}

void lia_test_end(struct lia_test_world *w)
{
    lia_test_disconnect(w);
    if (w->mongodb->pid) {
        lia_test_command(w, "admin",
                         BCON_NEW("configureFailPoint", "failCommand", "mode", "off"));
    }
    lia_test_command(w, w->database, BCON_NEW("dropDatabase", BCON_INT32(1)));
    mongoc_client_destroy(w->client);
    lia_test_feed_deinit(&w->feed);
}

void lia_test_sync(struct lia_test_world *w)
{
    lia_test_connect(w);
    lia_test_wait(w, LIA_MONGO_OK);
    lia_test_disconnect(w);
}

static mongoc_collection_t *collection(struct lia_test_world *w, const char *name)
{
    return mongoc_client_get_collection(w->client, w->database, name);
}

int64_t lia_test_count(struct lia_test_world *w, const char *name)
{
    mongoc_collection_t *c = collection(w, name);
    bson_t all = BSON_INITIALIZER;
    int64_t count = mongoc_collection_count_documents(c, &all, NULL, NULL, NULL, NULL);

    mongoc_collection_destroy(c);
    return count;
}

bson_t *lia_test_find(struct lia_test_world *w, const char *name, bson_t *filter)
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

int64_t lia_test_int_at(const bson_t *document, const char *path)
{
    bson_iter_t root;
    bson_iter_t it;

    assert_non_null(document);
    assert_true(bson_iter_init(&root, document));
    assert_true(bson_iter_find_descendant(&root, path, &it));
    return bson_iter_as_int64(&it);
}

/* The newest state that the feed gave `name`, if it is exactly this. */
static bool is_expected(const struct lia_test_feed *feed,
                        const char *name,
                        const bson_t *document)
{
    for (size_t i = 0; i < feed->count; i++) {
        const struct lia_test_change *change = &feed->changes[i];

        if (change->is_newest && change->document &&
            bson_equal(change->document, document) &&
            strcmp(change->change.collection.ptr, name) == 0) {
            return true;
        }
    }
    return false;
}

static size_t living(const struct lia_test_feed *feed, const char *name)
{
    size_t count = 0;

    for (size_t i = 0; i < feed->count; i++) {
        const struct lia_test_change *change = &feed->changes[i];

        count += change->is_newest && change->document &&
                 strcmp(change->change.collection.ptr, name) == 0;
    }
    return count;
}

/* Documents differ by their _id, so as many as expected and all of them expected is all. */
void lia_test_check_equal(struct lia_test_world *w, const char *name)
{
    mongoc_collection_t *c = collection(w, name);
    bson_t all = BSON_INITIALIZER;
    mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(c, &all, NULL, NULL);
    const bson_t *document;
    size_t count = 0;

    while (mongoc_cursor_next(cursor, &document)) {
        assert_true(is_expected(&w->feed, name, document));
        count++;
    }
    assert_false(mongoc_cursor_error(cursor, NULL));
    mongoc_cursor_destroy(cursor);
    mongoc_collection_destroy(c);
    assert_int_equal(count, living(&w->feed, name));
}

bson_t *lia_test_number(int id, int value)
{
    return BCON_NEW("_id", BCON_INT32(id), "value", BCON_INT32(value));
}

void lia_test_command(struct lia_test_world *w, const char *database, bson_t *document)
{
    bson_error_t error = {0};

    if (!mongoc_client_command_simple(w->client, database, document, NULL, NULL,
                                      &error)) {
        fail_msg("%s", error.message);
    }
    bson_destroy(document);
}

void lia_test_fail(struct lia_test_world *w, int times, bson_t *data)
{
    lia_test_command(w, "admin",
                     BCON_NEW("configureFailPoint", "failCommand", "mode", "{", "times",
                              BCON_INT32(times), "}", "data", BCON_DOCUMENT(data)));
    bson_destroy(data);
}
