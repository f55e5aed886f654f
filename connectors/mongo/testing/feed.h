/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_MONGO_TESTING_FEED_H
#define LIA_MONGO_TESTING_FEED_H
/*
 * mongo/testing/feed - a source of changes that a test writes by hand, with the rules of
 * a store's feed: each document once, in its newest state, at its newest seq.
 *
 * Rules: one change is one commit. Ownership: lia_test_feed_deinit frees what was put in;
 * a connector on it must have ended. Threads: put and wait from the test, the source from
 * the connector.
 */
#include <bson/bson.h>
#include <pthread.h>

#include "mongo/mongo.h"
#include "mongo/source.h"

struct lia_test_change {
    struct liana_change change;
    bson_t *id;
    bson_t *document; /* NULL: deleted */
    bool is_newest;
};

struct lia_test_feed {
    pthread_mutex_t lock;
    pthread_cond_t moved; /* a change, a publish, a cancel */
    struct lia_test_change *changes;
    size_t count;
    size_t room;
    struct liana_change *page;
    size_t page_changes;
    uint64_t position;
    uint64_t opened_at; /* `since` of the last open */
    bool is_cancelled;
    char store[65];
};

void lia_test_feed_init(struct lia_test_feed *feed, const char *store);
void lia_test_feed_deinit(struct lia_test_feed *feed);

/* A commit that puts a document, which has an _id, or deletes {_id: ...}. The bson_t is
 * the feed's. */
void lia_test_feed_put(struct lia_test_feed *feed,
                       const char *collection,
                       bson_t *document);
void lia_test_feed_delete(struct lia_test_feed *feed,
                          const char *collection,
                          bson_t *id);

/* May be used for one connector after another. */
struct lia_mongo_source lia_test_feed_source(struct lia_test_feed *feed);

/* Waits until the connector has said that it is in `state`, at the feed's end when that
 * is LIA_MONGO_OK. */
void lia_test_feed_wait(struct lia_test_feed *feed,
                        struct lia_mongo *mongo,
                        enum lia_mongo_state state);

#endif
