/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "mongo/server.h"

/* {_id: {$eq: <the id>}}: an _id that is a document must not be read as operators. */
static void id_filter(bson_t *out, struct liana_slice id)
{
    bson_t document;
    bson_iter_t it;
    bson_t equal;

    bson_init(out);
    if (bson_init_static(&document, id.ptr, id.len) &&
        bson_iter_init_find(&it, &document, "_id")) {
        BSON_APPEND_DOCUMENT_BEGIN(out, "_id", &equal);
        BSON_APPEND_VALUE(&equal, "$eq", bson_iter_value(&it));
        bson_append_document_end(out, &equal);
    }
}

static bool add_write(mongoc_bulk_operation_t *bulk,
                      const struct lia_mongo_write *write,
                      const bson_t *replace_opts,
                      bson_error_t *error)
{
    struct liana_slice document = write->change->document;
    bson_t filter;
    bson_t body;
    bool ok;

    id_filter(&filter, write->change->id);
    if (document.len == 0) {
        ok = mongoc_bulk_operation_remove_one_with_opts(bulk, &filter, NULL, error);
    } else {
        ok = bson_init_static(&body, document.ptr, document.len) &&
             mongoc_bulk_operation_replace_one_with_opts(bulk, &filter, &body,
                                                         replace_opts, error);
    }
    bson_destroy(&filter);
    return ok;
}

static void add_refusal(struct lia_mongo_reply *out, bson_iter_t *it, size_t sent)
{
    struct lia_mongo_refusal *refusal = &out->refusals[out->refusal_count];
    bson_iter_t field;

    if (out->refusal_count == sent || !bson_iter_recurse(it, &field)) {
        return;
    }
    *refusal = (struct lia_mongo_refusal){.index = sent};
    while (bson_iter_next(&field)) {
        if (strcmp(bson_iter_key(&field), "index") == 0) {
            refusal->index = (size_t)bson_iter_as_int64(&field);
        } else if (strcmp(bson_iter_key(&field), "code") == 0) {
            refusal->code = (int32_t)bson_iter_as_int64(&field);
        } else if (strcmp(bson_iter_key(&field), "errmsg") == 0 &&
                   BSON_ITER_HOLDS_UTF8(&field)) {
            lia_mongo_set_reason(refusal->reason, bson_iter_utf8(&field, NULL));
        }
    }
    out->refusal_count++;
}

static bool has_elements(const bson_t *reply, const char *name)
{
    bson_iter_t it;
    bson_iter_t inner;

    return bson_iter_init_find(&it, reply, name) && bson_iter_recurse(&it, &inner) &&
           bson_iter_next(&inner);
}

static void read_refusals(const bson_t *reply, struct lia_mongo_reply *out, size_t sent)
{
    bson_iter_t it;
    bson_iter_t each;

    if (bson_iter_init_find(&it, reply, "writeErrors") &&
        bson_iter_recurse(&it, &each)) {
        while (bson_iter_next(&each)) {
            add_refusal(out, &each, sent);
        }
    }
}

/* Single documents were refused when that is all that went wrong; else the command. */
static void read_failure(const bson_t *reply,
                         const bson_error_t *error,
                         struct lia_mongo_reply *out,
                         size_t sent)
{
    out->code = (int32_t)error->code;
    out->class = lia_mongo_class_of(error, reply);
    lia_mongo_set_reason(out->reason, error->message);
    if (has_elements(reply, "writeConcernErrors")) {
        out->failed = true;
        out->class = LIA_MONGO_AGAIN;
        return;
    }
    out->failed = lia_mongo_is_network(error) || !has_elements(reply, "writeErrors");
    if (!out->failed) {
        read_refusals(reply, out, sent);
    }
}

liana_status lia_mongo_bulk(void *ctx,
                            struct lia_mongo_write *const *writes,
                            size_t count,
                            struct lia_mongo_reply *out)
{
    struct lia_mongo_server *s = ctx;
    struct liana_str name = writes[0]->change->collection;
    char *collection_name = bson_strndup(name.ptr, name.len);
    mongoc_collection_t *c = lia_mongo_collection(s, collection_name);
    bson_t *opts = BCON_NEW("ordered", BCON_BOOL(false));
    bson_t *replace_opts =
        BCON_NEW("upsert", BCON_BOOL(true), "validate", BCON_BOOL(false));
    mongoc_bulk_operation_t *bulk =
        mongoc_collection_create_bulk_operation_with_opts(c, opts);
    bson_error_t error = {0};
    bson_t reply = BSON_INITIALIZER;
    bool ok = true;

    for (size_t i = 0; ok && i < count; i++) {
        ok = add_write(bulk, writes[i], replace_opts, &error);
    }
    if (ok) {
        bson_destroy(&reply);
        ok = mongoc_bulk_operation_execute(bulk, &reply, &error) != 0;
    }
    if (!ok) {
        read_failure(&reply, &error, out, count);
    }
    bson_destroy(&reply);
    mongoc_bulk_operation_destroy(bulk);
    bson_destroy(replace_opts);
    bson_destroy(opts);
    mongoc_collection_destroy(c);
    bson_free(collection_name);
    return LIANA_OK;
}
