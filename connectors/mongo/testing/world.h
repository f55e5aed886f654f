/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_MONGO_TESTING_WORLD_H
#define LIA_MONGO_TESTING_WORLD_H
/*
 * mongo/testing/world - a feed, a connector, a MongoDB server, and a client of its own that
 * looks at what the connector has done.
 *
 * The tests of a program share one server of each kind; each has a database of its own there.
 *
 * Rules: lia_test_world_run runs the tests. A failure that a test arms on the server ends
 * with the test. Ownership: lia_test_end takes everything of a world away.
 * Threads: the test's own.
 */
#include <mongoc/mongoc.h>

#include "base/testing/test.h"
#include "mongo/connector.h"
#include "mongo/testing/feed.h"
#include "mongo/testing/mongodb.h"

struct lia_test_world {
    struct lia_test_mongodb *mongodb; /* shared */
    char database[80];
    struct lia_test_feed feed;
    struct lia_mongo *mongo;
    mongoc_client_t *client;
};

int lia_test_world_run(const struct CMUnitTest *tests, size_t count);

void lia_test_start(struct lia_test_world *w, enum lia_test_mongodb_kind kind);
void lia_test_end(struct lia_test_world *w);

/* Starts and stops the world's connector; sync does both and waits between them. */
void lia_test_connect(struct lia_test_world *w);
void lia_test_disconnect(struct lia_test_world *w);
void lia_test_sync(struct lia_test_world *w);
void lia_test_wait(struct lia_test_world *w, enum lia_mongo_state state);

struct lia_mongo *lia_test_connector(struct lia_test_feed *feed,
                                     const char *uri,
                                     const char *database);

/* `stop_ms`: how long a stop waits for the server. */
struct lia_mongo *lia_test_connector_with(struct lia_test_feed *feed,
                                          const char *uri,
                                          const char *database,
                                          uint32_t stop_ms);

/* ---- looking ---- */

/* `name` is a collection's. */
int64_t lia_test_count(struct lia_test_world *w, const char *name);

/* The one document that a filter finds, or NULL; the filter is freed. */
bson_t *lia_test_find(struct lia_test_world *w, const char *name, bson_t *filter);
int64_t lia_test_int_at(const bson_t *document, const char *path);

/* MongoDB has exactly the newest state of every document of the feed, byte for byte. */
void lia_test_check_equal(struct lia_test_world *w, const char *name);

/* ---- making ---- */

/* {_id, value} */
bson_t *lia_test_number(int id, int value);

/* Runs a command, which must succeed; it is freed. */
void lia_test_command(struct lia_test_world *w, const char *database, bson_t *document);

/* Arms the failure `data` for the next `times` commands that it names; it is freed. */
void lia_test_fail(struct lia_test_world *w, int times, bson_t *data);

#endif
