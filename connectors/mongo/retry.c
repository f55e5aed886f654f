/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "mongo/server.h"
#include "mongo/target.h"

/* At most this many at once: what the store has now comes first. */
#define RETRY_COUNT 100
#define RETRY_BYTES ((size_t)16 * 1024 * 1024)

/* A refused document as it was buried; bson_t is aligned to 128 bytes. */
struct grave {
    bson_t key; /* its _id in _liana.dead, of part 0 */
    struct liana_change change;
    char *collection;
    uint8_t *id;
    uint8_t *document; /* NULL: a delete */
    int32_t parts;
};

struct batch {
    struct grave graves[RETRY_COUNT];
    struct liana_change changes[RETRY_COUNT];
    size_t count;
    size_t bytes;
    bool is_full; /* there may be more */
};

static void free_grave(struct grave *g)
{
    bson_destroy(&g->key);
    bson_free(g->collection);
    bson_free(g->id);
    bson_free(g->document);
}

/* Of this connector and what a server refused: what is too large for it stays so. */
static bson_t *next_filter(const struct lia_mongo_server *s)
{
    bson_t *filter =
        BCON_NEW("connector", BCON_UTF8(s->connector), "store", BCON_UTF8(s->store),
                 "_id.part", BCON_INT32(0), "code", "{", "$ne", BCON_INT32(0), "}");
    bson_t range;

    if (s->retried) {
        BSON_APPEND_DOCUMENT_BEGIN(filter, "_id", &range);
        BSON_APPEND_DOCUMENT(&range, "$gt", s->retried);
        bson_append_document_end(filter, &range);
    }
    return filter;
}

static bool find_binary(const bson_t *document,
                        const char *path,
                        const uint8_t **out,
                        uint32_t *out_len)
{
    bson_iter_t root;
    bson_iter_t it;

    if (!bson_iter_init(&root, document) ||
        !bson_iter_find_descendant(&root, path, &it) || !BSON_ITER_HOLDS_BINARY(&it)) {
        return false;
    }
    bson_iter_binary(&it, NULL, out_len, out);
    return true;
}

static bool append_part(struct grave *g, const bson_t *part)
{
    const uint8_t *bytes;
    uint32_t len;

    if (!find_binary(part, "document", &bytes, &len)) {
        return false;
    }
    g->document = bson_realloc(g->document, g->change.document.len + len);
    memcpy(g->document + g->change.document.len, bytes, len);
    g->change.document =
        (struct liana_slice){g->document, g->change.document.len + len};
    return true;
}

/* What part 0 says; false when it is nothing that this connector wrote. */
static bool read_head(const bson_t *head, struct grave *g)
{
    const uint8_t *id;
    uint32_t id_len;
    uint32_t name_len;
    bson_iter_t root;
    bson_iter_t it;

    if (!find_binary(head, "_id.id", &id, &id_len) || !bson_iter_init(&root, head) ||
        !bson_iter_find_descendant(&root, "_id.collection", &it) ||
        !BSON_ITER_HOLDS_UTF8(&it)) {
        return false;
    }
    g->collection = bson_strdup(bson_iter_utf8(&it, &name_len));
    g->id = bson_malloc(id_len);
    memcpy(g->id, id, id_len);
    g->change.collection = (struct liana_str){g->collection, name_len};
    g->change.id = (struct liana_slice){g->id, id_len};
    g->parts = bson_iter_init_find(&it, head, "parts") ? bson_iter_int32(&it) : 1;
    if (bson_iter_init_find(&it, head, "_id") && BSON_ITER_HOLDS_DOCUMENT(&it)) {
        const uint8_t *key;
        uint32_t key_len;
        bson_t view;

        bson_iter_document(&it, &key_len, &key);
        if (bson_init_static(&view, key, key_len)) {
            bson_destroy(&g->key);
            bson_copy_to(&view, &g->key);
        }
    }
    /* A delete has no bytes. */
    return append_part(g, head) ||
           (bson_iter_init_find(&it, head, "document") && BSON_ITER_HOLDS_NULL(&it));
}

/* The parts behind the first. */
static bool read_rest(struct lia_mongo_server *s,
                      struct grave *g,
                      struct liana_error *err)
{
    mongoc_collection_t *c = lia_mongo_collection(s, "_liana.dead");
    bson_t *opts =
        BCON_NEW("sort", "{", "_id", BCON_INT32(1), "}", "skip", BCON_INT64(1));
    mongoc_cursor_t *cursor;
    const bson_t *part;
    bson_error_t error = {0};
    bson_t filter;
    bool ok = true;

    lia_mongo_dead_filter(&filter, &g->change);
    cursor = mongoc_collection_find_with_opts(c, &filter, opts, NULL);
    while (ok && mongoc_cursor_next(cursor, &part)) {
        ok = append_part(g, part);
    }
    if (mongoc_cursor_error(cursor, &error)) {
        ok = !lia_mongo_fail(err, &error, NULL, "_liana.dead");
    }
    mongoc_cursor_destroy(cursor);
    bson_destroy(&filter);
    bson_destroy(opts);
    mongoc_collection_destroy(c);
    return ok;
}

static liana_status read_grave(struct lia_mongo_server *s,
                               const bson_t *head,
                               struct batch *batch,
                               struct liana_error *err)
{
    struct grave *g = &batch->graves[batch->count];

    *g = (struct grave){.key = BSON_INITIALIZER};
    if (!read_head(head, g) || (g->parts > 1 && !read_rest(s, g, err))) {
        free_grave(g); /* nothing of ours, unless `err` says that the server failed */
        return err->status;
    }
    batch->changes[batch->count++] = g->change;
    batch->bytes += g->change.document.len;
    bson_destroy(s->retried);
    s->retried = bson_copy(&g->key);
    return LIANA_OK;
}

static liana_status read_batch(struct lia_mongo_server *s,
                               struct batch *batch,
                               struct liana_error *err)
{
    mongoc_collection_t *c = lia_mongo_collection(s, "_liana.dead");
    bson_t *filter = next_filter(s);
    bson_t *opts = BCON_NEW("sort", "{", "_id", BCON_INT32(1), "}");
    mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(c, filter, opts, NULL);
    const bson_t *head;
    bson_error_t error = {0};
    liana_status status = LIANA_OK;

    while (!status && !batch->is_full && mongoc_cursor_next(cursor, &head)) {
        status = read_grave(s, head, batch, err);
        batch->is_full = batch->count == RETRY_COUNT || batch->bytes >= RETRY_BYTES;
    }
    if (!status && mongoc_cursor_error(cursor, &error)) {
        status = lia_mongo_fail(err, &error, NULL, "_liana.dead");
    }
    mongoc_cursor_destroy(cursor);
    bson_destroy(opts);
    bson_destroy(filter);
    mongoc_collection_destroy(c);
    return status;
}

static liana_status try_batch(struct lia_mongo_server *s,
                              const struct batch *batch,
                              uint64_t *revived,
                              struct liana_error *err)
{
    struct lia_mongo_target target = lia_mongo_server_target(s);
    struct liana_page page = {batch->changes, batch->count, 0};
    struct lia_mongo_plan plan;
    liana_status status = lia_mongo_plan_make(&page, s->document_max, &plan);

    if (status) {
        return lia_mongo_err(err, status, 0, "out of memory");
    }
    status = lia_mongo_apply_again(&target, &plan, err);
    for (size_t i = 0; !status && i < plan.count; i++) {
        *revived += plan.writes[i].outcome == LIA_MONGO_DONE;
    }
    lia_mongo_plan_deinit(&plan);
    return status;
}

liana_status lia_mongo_retry(struct lia_mongo_server *s,
                             uint64_t *out_revived,
                             bool *out_more,
                             struct liana_error *err)
{
    struct batch *batch = calloc(1, sizeof(*batch));
    uint64_t revived = 0;
    liana_status status;

    if (!batch) {
        return lia_mongo_err(err, LIANA_ENOMEM, 0, "out of memory");
    }
    status = read_batch(s, batch, err);
    if (!status && batch->count) {
        status = try_batch(s, batch, &revived, err);
    }
    *out_revived = revived;
    *out_more = batch->is_full;
    if (!batch->is_full) {
        bson_destroy(s->retried); /* the next time from the beginning */
        s->retried = NULL;
    }
    for (size_t i = 0; i < batch->count; i++) {
        free_grave(&batch->graves[i]);
    }
    free(batch);
    return status;
}
