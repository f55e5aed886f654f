/* SPDX-License-Identifier: Apache-2.0 */
#include "mongo/testing/feed.h"

#include <stdlib.h>
#include <string.h>

#include "base/testing/test.h"

void lia_test_feed_init(struct lia_test_feed *feed, const char *store)
{
    *feed = (struct lia_test_feed){.page_changes = 1000};
    snprintf(feed->store, sizeof(feed->store), "%s", store);
    pthread_mutex_init(&feed->lock, NULL);
    pthread_cond_init(&feed->moved, NULL);
}

void lia_test_feed_deinit(struct lia_test_feed *feed)
{
    for (size_t i = 0; i < feed->count; i++) {
        bson_destroy(feed->changes[i].id);
        bson_destroy(feed->changes[i].document);
    }
    free(feed->changes);
    free(feed->page);
    pthread_cond_destroy(&feed->moved);
    pthread_mutex_destroy(&feed->lock);
}

/* ---- the test's side ---- */

static struct liana_slice bytes(const bson_t *document)
{
    return document ? (struct liana_slice){bson_get_data(document), document->len}
                    : (struct liana_slice){0, 0};
}

static bool is_same(const struct lia_test_change *a, const struct lia_test_change *b)
{
    return strcmp(a->change.collection.ptr, b->change.collection.ptr) == 0 &&
           bson_equal(a->id, b->id);
}

/* `collection` is a literal of the test. */
static void add(struct lia_test_feed *feed,
                const char *collection,
                bson_t *id,
                bson_t *document)
{
    struct lia_test_change *added;

    pthread_mutex_lock(&feed->lock);
    if (feed->count == feed->room) {
        feed->room = feed->room * 2 + 16;
        feed->changes = realloc(feed->changes, feed->room * sizeof(*feed->changes));
        assert_non_null(feed->changes);
    }
    added = &feed->changes[feed->count];
    *added =
        (struct lia_test_change){.id = id, .document = document, .is_newest = true};
    added->change.collection = (struct liana_str){collection, strlen(collection)};
    added->change.id = bytes(id);
    added->change.document = bytes(document);
    added->change.written_ms = 1;
    for (size_t i = feed->count; i > 0; i--) {
        if (feed->changes[i - 1].is_newest && is_same(&feed->changes[i - 1], added)) {
            feed->changes[i - 1].is_newest = false;
            break;
        }
    }
    feed->count++;
    added->change.seq = feed->count;
    pthread_cond_broadcast(&feed->moved);
    pthread_mutex_unlock(&feed->lock);
}

void lia_test_feed_put(struct lia_test_feed *feed,
                       const char *collection,
                       bson_t *document)
{
    bson_t *id = bson_new();
    bson_iter_t it;

    assert_true(bson_iter_init_find(&it, document, "_id"));
    bson_append_iter(id, "_id", -1, &it);
    add(feed, collection, id, document);
}

void lia_test_feed_delete(struct lia_test_feed *feed,
                          const char *collection,
                          bson_t *id)
{
    add(feed, collection, id, NULL);
}

void lia_test_feed_wait(struct lia_test_feed *feed,
                        struct lia_mongo *mongo,
                        enum lia_mongo_state state)
{
    struct lia_mongo_status status;

    pthread_mutex_lock(&feed->lock);
    for (;;) {
        lia_mongo_status(mongo, &status);
        if (status.state == state &&
            (state != LIA_MONGO_OK || status.position == feed->count)) {
            break;
        }
        pthread_cond_wait(&feed->moved, &feed->lock);
    }
    pthread_mutex_unlock(&feed->lock);
}

/* ---- the connector's side ---- */

static liana_status identity(void *ctx,
                             char out[65],
                             uint64_t *out_seq,
                             struct liana_error *err)
{
    struct lia_test_feed *feed = ctx;

    (void)err;
    memcpy(out, feed->store, sizeof(feed->store));
    pthread_mutex_lock(&feed->lock);
    *out_seq = feed->count;
    pthread_mutex_unlock(&feed->lock);
    return LIANA_OK;
}

static liana_status open_feed(void *ctx,
                              uint64_t since,
                              uint64_t begun,
                              struct liana_error *err)
{
    struct lia_test_feed *feed = ctx;
    liana_status status = LIANA_OK;

    (void)begun;
    (void)err;
    pthread_mutex_lock(&feed->lock);
    if (since > feed->count) {
        status = LIANA_ERANGE;
    } else {
        feed->position = since;
        feed->opened_at = since;
    }
    pthread_mutex_unlock(&feed->lock);
    return status;
}

static size_t take_page(struct lia_test_feed *feed)
{
    size_t n = 0;

    free(feed->page);
    feed->page = calloc(feed->page_changes, sizeof(*feed->page));
    assert_non_null(feed->page);
    while (feed->position < feed->count && n < feed->page_changes) {
        const struct lia_test_change *next = &feed->changes[feed->position++];

        if (next->is_newest) {
            feed->page[n++] = next->change;
        }
    }
    return n;
}

static liana_status next_page(void *ctx,
                              int32_t timeout_ms,
                              struct liana_page *out,
                              struct liana_error *err)
{
    struct lia_test_feed *feed = ctx;
    liana_status status = LIANA_OK;
    size_t count = 0;

    (void)err;
    pthread_mutex_lock(&feed->lock);
    while (!feed->is_cancelled && (count = take_page(feed)) == 0 && timeout_ms != 0) {
        pthread_cond_wait(&feed->moved, &feed->lock);
    }
    if (feed->is_cancelled) {
        status = LIANA_ECANCELED;
    } else if (count == 0) {
        status = LIANA_ETIMEOUT;
    } else {
        *out = (struct liana_page){feed->page, count, feed->position};
    }
    pthread_mutex_unlock(&feed->lock);
    return status;
}

static uint64_t position(void *ctx)
{
    struct lia_test_feed *feed = ctx;

    return feed->position;
}

/* Tests of these have a store. */
static liana_status names(void *ctx, bson_t *out, struct liana_error *err)
{
    (void)ctx;
    (void)out;
    (void)err;
    return LIANA_OK;
}

static liana_status is_here(void *ctx,
                            struct liana_str collection,
                            struct liana_slice id,
                            bool *out,
                            struct liana_error *err)
{
    (void)ctx;
    (void)collection;
    (void)id;
    (void)err;
    *out = true;
    return LIANA_OK;
}

static void wake(void *ctx, bool is_cancelled)
{
    struct lia_test_feed *feed = ctx;

    pthread_mutex_lock(&feed->lock);
    feed->is_cancelled = is_cancelled;
    pthread_cond_broadcast(&feed->moved);
    pthread_mutex_unlock(&feed->lock);
}

static void cancel(void *ctx)
{
    wake(ctx, true);
}

static void publish(void *ctx, struct liana_str name, struct liana_slice document)
{
    struct lia_test_feed *feed = ctx;

    (void)name;
    (void)document;
    pthread_mutex_lock(&feed->lock);
    pthread_cond_broadcast(&feed->moved);
    pthread_mutex_unlock(&feed->lock);
}

static void nothing(void *ctx)
{
    (void)ctx;
}

struct lia_mongo_source lia_test_feed_source(struct lia_test_feed *feed)
{
    wake(feed, false);
    return (struct lia_mongo_source){.ctx = feed,
                                     .identity = identity,
                                     .open = open_feed,
                                     .next = next_page,
                                     .position = position,
                                     .names = names,
                                     .is_here = is_here,
                                     .cancel = cancel,
                                     .close = nothing,
                                     .publish = publish,
                                     .free = nothing};
}
