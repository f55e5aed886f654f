/* SPDX-License-Identifier: Apache-2.0 */
#include "mongo/server.h"
#include "mongo/target.h"

/* A walk over the _ids of one collection, a page at a time. */

static void begin_walk(struct lia_mongo_server *s, struct liana_str collection)
{
    char *name = bson_strndup(collection.ptr, collection.len);
    mongoc_collection_t *c = lia_mongo_collection(s, name);
    bson_t all = BSON_INITIALIZER;
    bson_t *opts =
        BCON_NEW("projection", "{", "_id", BCON_INT32(1), "}", "sort", "{", "_id",
                 BCON_INT32(1), "}", "batchSize", BCON_INT32(LIA_MONGO_IDS_MAX));

    lia_mongo_end_walk(s);
    s->walk = mongoc_collection_find_with_opts(c, &all, opts, NULL);
    bson_destroy(opts);
    bson_destroy(&all);
    mongoc_collection_destroy(c);
    bson_free(name);
}

void lia_mongo_end_walk(struct lia_mongo_server *s)
{
    mongoc_cursor_destroy(s->walk);
    s->walk = NULL;
}

liana_status lia_mongo_server_ids(struct lia_mongo_server *s,
                                  struct liana_str collection,
                                  bool is_first,
                                  bson_t *out,
                                  bool *out_more,
                                  struct liana_error *err)
{
    const bson_t *document = NULL;
    bson_error_t error = {0};
    uint32_t count = 0;

    if (is_first || !s->walk) {
        begin_walk(s, collection);
    }
    while (count < LIA_MONGO_IDS_MAX && mongoc_cursor_next(s->walk, &document)) {
        char key[16];
        const char *name;

        bson_uint32_to_string(count++, &name, key, sizeof(key));
        BSON_APPEND_DOCUMENT(out, name, document);
    }
    if (mongoc_cursor_error(s->walk, &error)) {
        lia_mongo_end_walk(s);
        return lia_mongo_fail(err, &error, NULL, "the _ids of a collection");
    }
    *out_more = count == LIA_MONGO_IDS_MAX;
    if (!*out_more) {
        lia_mongo_end_walk(s);
    }
    return LIANA_OK;
}
