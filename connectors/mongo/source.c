/* SPDX-License-Identifier: Apache-2.0 */
#include "mongo/source.h"

#include <bson/bson.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "mongo/apply.h"

struct feed {
    liana_db *db;
    struct liana_str *collections;
    size_t collection_count;
    pthread_mutex_t lock; /* cancel comes from another thread */
    liana_feed *feed;
    bool is_cancelled;
};

static liana_status identity(void *ctx,
                             char out[65],
                             uint64_t *out_seq,
                             struct liana_error *err)
{
    struct feed *f = ctx;
    liana_bytes *bytes;
    liana_status status = liana_stats(f->db, &bytes, err);
    struct liana_slice stats;
    bson_t document;
    bson_iter_t root;
    bson_iter_t it;

    if (status) {
        return status;
    }
    stats = liana_bytes_slice(bytes);
    if (bson_init_static(&document, stats.ptr, stats.len) &&
        bson_iter_init(&root, &document) &&
        bson_iter_find_descendant(&root, "store.peer", &it) &&
        BSON_ITER_HOLDS_UTF8(&it)) {
        snprintf(out, 65, "%s", bson_iter_utf8(&it, NULL));
        *out_seq = bson_iter_init(&root, &document) &&
                           bson_iter_find_descendant(&root, "store.seq", &it)
                       ? (uint64_t)bson_iter_as_int64(&it)
                       : 0;
    } else {
        status =
            lia_mongo_err(err, LIANA_EINTERNAL, 0, "the store does not say who it is");
    }
    liana_bytes_free(bytes);
    return status;
}

static liana_status open_feed(void *ctx,
                              uint64_t since,
                              uint64_t begun,
                              struct liana_error *err)
{
    struct feed *f = ctx;
    struct liana_feed_options options = LIANA_FEED_OPTIONS_INIT;
    liana_feed *feed;
    liana_status status;

    options.since = since;
    options.begun = begun;
    options.collections = f->collections;
    options.collection_count = f->collection_count;
    status = liana_feed_open(f->db, &options, &feed, err);
    if (status) {
        return status;
    }
    pthread_mutex_lock(&f->lock);
    f->feed = feed;
    if (f->is_cancelled) {
        liana_feed_cancel(feed);
    }
    pthread_mutex_unlock(&f->lock);
    return LIANA_OK;
}

static liana_status next_page(void *ctx,
                              int32_t timeout_ms,
                              struct liana_page *out,
                              struct liana_error *err)
{
    struct feed *f = ctx;

    return liana_feed_next(f->feed, timeout_ms, out, err);
}

static uint64_t position(void *ctx)
{
    struct feed *f = ctx;

    return liana_feed_position(f->feed);
}

/* ---- what the store has ---- */

static void add_name(bson_t *out, const char *name, size_t len)
{
    char key[16];
    const char *at;

    bson_uint32_to_string(bson_count_keys(out), &at, key, sizeof(key));
    bson_append_utf8(out, at, -1, name, (int)len);
}

static liana_status add_names(const struct feed *f,
                              const bson_t *stats,
                              bson_t *out,
                              struct liana_error *err)
{
    bson_iter_t root;
    bson_iter_t each;
    bson_iter_t name;

    if (!bson_iter_init_find(&each, stats, "evicted") || bson_iter_as_bool(&each)) {
        return lia_mongo_err(err, LIANA_EMISUSE, 0,
                             "the store has evicted documents, so what it does not "
                             "have may live elsewhere: settle from a hub");
    }
    for (size_t i = 0; i < f->collection_count; i++) {
        add_name(out, f->collections[i].ptr, f->collections[i].len);
    }
    if (f->collection_count || !bson_iter_init_find(&root, stats, "collections") ||
        !bson_iter_recurse(&root, &each)) {
        return LIANA_OK;
    }
    while (bson_iter_next(&each)) {
        if (bson_iter_recurse(&each, &name) && bson_iter_find(&name, "name") &&
            strncmp(bson_iter_utf8(&name, NULL), "_liana.", 7) != 0) {
            const char *text = bson_iter_utf8(&name, NULL);

            add_name(out, text, strlen(text));
        }
    }
    return LIANA_OK;
}

static liana_status names(void *ctx, bson_t *out, struct liana_error *err)
{
    struct feed *f = ctx;
    liana_bytes *bytes;
    liana_status status = liana_stats(f->db, &bytes, err);
    struct liana_slice slice;
    bson_t stats;

    if (status) {
        return status;
    }
    slice = liana_bytes_slice(bytes);
    status = bson_init_static(&stats, slice.ptr, slice.len)
                 ? add_names(f, &stats, out, err)
                 : lia_mongo_err(err, LIANA_EINTERNAL, 0, "the statistics are damaged");
    liana_bytes_free(bytes);
    return status;
}

/* In backticks, which are doubled within. */
static char *look_up(struct liana_str collection)
{
    bson_string_t *text = bson_string_new("SELECT _id FROM `");

    for (size_t i = 0; i < collection.len; i++) {
        bson_string_append_c(text, collection.ptr[i]);
        if (collection.ptr[i] == '`') {
            bson_string_append_c(text, '`');
        }
    }
    bson_string_append(text, "` WHERE _id = :_id");
    return bson_string_free(text, false);
}

static liana_status is_here(void *ctx,
                            struct liana_str collection,
                            struct liana_slice id,
                            bool *out,
                            struct liana_error *err)
{
    struct feed *f = ctx;
    char *text = look_up(collection);
    struct liana_slice row;
    liana_result *result;
    liana_status status =
        liana_execute(f->db, (struct liana_str){text, strlen(text)}, id, &result, err);

    if (!status) {
        status = liana_result_next(result, &row, err);
        *out = status == LIANA_OK;
        liana_result_free(result);
        if (status == LIANA_EEND) {
            status = LIANA_OK;
            *err = (struct liana_error)LIANA_ERROR_INIT;
        }
    }
    bson_free(text);
    return status;
}

static void cancel(void *ctx)
{
    struct feed *f = ctx;

    pthread_mutex_lock(&f->lock);
    f->is_cancelled = true;
    if (f->feed) {
        liana_feed_cancel(f->feed);
    }
    pthread_mutex_unlock(&f->lock);
}

static void close_feed(void *ctx)
{
    struct feed *f = ctx;
    liana_feed *feed;

    pthread_mutex_lock(&f->lock);
    feed = f->feed;
    f->feed = NULL;
    pthread_mutex_unlock(&f->lock);
    liana_feed_close(feed);
}

static void publish(void *ctx, struct liana_str name, struct liana_slice document)
{
    struct feed *f = ctx;

    if (liana_stats_publish(f->db, name, document, NULL)) {
        /* Statistics that cannot be shown stop nothing; the next ones come soon. */
    }
}

static void free_feed(void *ctx)
{
    struct feed *f = ctx;

    pthread_mutex_destroy(&f->lock);
    free(f->collections);
    free(f);
}

/* The array and the names in one piece of memory. */
static struct liana_str *copy_names(const struct liana_str *names, size_t count)
{
    size_t bytes = count * sizeof(*names);
    struct liana_str *copy;
    char *text;

    for (size_t i = 0; i < count; i++) {
        bytes += names[i].len;
    }
    copy = malloc(bytes + 1);
    if (!copy) {
        return NULL;
    }
    text = (char *)(copy + count);
    for (size_t i = 0; i < count; i++) {
        memcpy(text, names[i].ptr, names[i].len);
        copy[i] = (struct liana_str){text, names[i].len};
        text += names[i].len;
    }
    return copy;
}

liana_status lia_mongo_source_new(liana_db *db,
                                  const struct liana_str *collections,
                                  size_t collection_count,
                                  struct lia_mongo_source *out)
{
    struct feed *f = calloc(1, sizeof(*f));

    if (!f) {
        return LIANA_ENOMEM;
    }
    f->db = db;
    f->collections = copy_names(collections, collection_count);
    f->collection_count = collection_count;
    if (!f->collections || pthread_mutex_init(&f->lock, NULL)) {
        free(f->collections);
        free(f);
        return LIANA_ENOMEM;
    }
    *out = (struct lia_mongo_source){.ctx = f,
                                     .identity = identity,
                                     .open = open_feed,
                                     .next = next_page,
                                     .position = position,
                                     .names = names,
                                     .is_here = is_here,
                                     .cancel = cancel,
                                     .close = close_feed,
                                     .publish = publish,
                                     .free = free_feed};
    return LIANA_OK;
}
