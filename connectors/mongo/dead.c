/* SPDX-License-Identifier: Apache-2.0 */
#include "mongo/server.h"

#define DEAD_PART ((size_t)8 * 1024 * 1024)

bool lia_mongo_count_dead(struct lia_mongo_server *s, struct liana_error *err)
{
    mongoc_collection_t *c = lia_mongo_collection(s, "_liana.dead");
    bson_t *filter = BCON_NEW("_id.part", BCON_INT32(0));
    bson_error_t error = {0};
    int64_t count =
        mongoc_collection_count_documents(c, filter, NULL, NULL, NULL, &error);

    if (count >= 0) {
        s->dead = (uint64_t)count;
    } else {
        lia_mongo_fail(err, &error, NULL, "_liana.dead");
    }
    bson_destroy(filter);
    mongoc_collection_destroy(c);
    return count >= 0;
}

static void dead_key(bson_t *out, const struct liana_change *change)
{
    bson_append_utf8(out, "collection", -1, change->collection.ptr,
                     (int)change->collection.len);
    bson_append_binary(out, "id", -1, BSON_SUBTYPE_BINARY, change->id.ptr,
                       (uint32_t)change->id.len);
}

/* A range of _id, for which there is an index. */
void lia_mongo_dead_filter(bson_t *out, const struct liana_change *change)
{
    bson_t range;
    bson_t bound;

    bson_init(out);
    BSON_APPEND_DOCUMENT_BEGIN(out, "_id", &range);
    BSON_APPEND_DOCUMENT_BEGIN(&range, "$gte", &bound);
    dead_key(&bound, change);
    BSON_APPEND_INT32(&bound, "part", 0);
    bson_append_document_end(&range, &bound);
    BSON_APPEND_DOCUMENT_BEGIN(&range, "$lte", &bound);
    dead_key(&bound, change);
    BSON_APPEND_INT32(&bound, "part", INT32_MAX);
    bson_append_document_end(&range, &bound);
    bson_append_document_end(out, &range);
}

/* The _id as text, for people: a Binary says them nothing. */
static void append_id_json(bson_t *out, struct liana_slice id)
{
    bson_t document;
    char *json = bson_init_static(&document, id.ptr, id.len)
                     ? bson_as_canonical_extended_json(&document, NULL)
                     : NULL;

    BSON_APPEND_UTF8(out, "idJson", json ? json : "");
    bson_free(json);
}

static bson_t *dead_document(const struct lia_mongo_server *s,
                             const struct lia_mongo_write *write,
                             size_t part,
                             size_t parts)
{
    struct liana_slice all = write->change->document;
    size_t from = part * DEAD_PART;
    size_t len = all.len - from < DEAD_PART ? all.len - from : DEAD_PART;
    bson_t *out = bson_new();
    bson_t id;

    BSON_APPEND_DOCUMENT_BEGIN(out, "_id", &id);
    dead_key(&id, write->change);
    BSON_APPEND_INT32(&id, "part", (int32_t)part);
    bson_append_document_end(out, &id);
    BSON_APPEND_INT32(out, "parts", (int32_t)parts);
    BSON_APPEND_UTF8(out, "connector", s->connector);
    BSON_APPEND_UTF8(out, "store", s->store);
    append_id_json(out, write->change->id);
    BSON_APPEND_INT64(out, "seq", (int64_t)write->change->seq);
    BSON_APPEND_INT32(out, "code", write->code);
    BSON_APPEND_UTF8(out, "reason", write->reason);
    bson_append_now_utc(out, "at", -1);
    if (all.len == 0) {
        BSON_APPEND_NULL(out, "document");
    } else {
        BSON_APPEND_BINARY(out, "document", BSON_SUBTYPE_BINARY, all.ptr + from,
                           (uint32_t)len);
    }
    return out;
}

static size_t dead_parts(const struct lia_mongo_write *write)
{
    size_t len = write->change->document.len;

    return len ? (len + DEAD_PART - 1) / DEAD_PART : 1;
}

/* The bulk takes an older burial of the document out and puts this one in. */
static bool add_burial(const struct lia_mongo_server *s,
                       mongoc_bulk_operation_t *bulk,
                       const struct lia_mongo_write *write,
                       bson_error_t *error)
{
    size_t parts = dead_parts(write);
    bson_t filter;
    bool ok;

    lia_mongo_dead_filter(&filter, write->change);
    ok = mongoc_bulk_operation_remove_many_with_opts(bulk, &filter, NULL, error);
    bson_destroy(&filter);
    for (size_t i = 0; ok && i < parts; i++) {
        bson_t *document = dead_document(s, write, i, parts);

        ok = mongoc_bulk_operation_insert_with_opts(bulk, document, NULL, error);
        bson_destroy(document);
    }
    return ok;
}

liana_status lia_mongo_bury(void *ctx,
                            struct lia_mongo_write *const *writes,
                            size_t count,
                            struct liana_error *err)
{
    struct lia_mongo_server *s = ctx;
    mongoc_collection_t *c = lia_mongo_collection(s, "_liana.dead");
    mongoc_bulk_operation_t *bulk =
        mongoc_collection_create_bulk_operation_with_opts(c, NULL);
    bson_error_t error = {0};
    bson_t reply = BSON_INITIALIZER;
    bool ok = true;
    liana_status status = LIANA_OK;

    for (size_t i = 0; ok && i < count; i++) {
        ok = add_burial(s, bulk, writes[i], &error);
    }
    if (ok) {
        bson_destroy(&reply);
        ok = mongoc_bulk_operation_execute(bulk, &reply, &error) != 0;
    }
    if (!ok) {
        status = lia_mongo_fail(err, &error, &reply, "_liana.dead");
    } else if (!lia_mongo_count_dead(s, err)) {
        status = LIANA_EUNREACHABLE;
    }
    bson_destroy(&reply);
    mongoc_bulk_operation_destroy(bulk);
    mongoc_collection_destroy(c);
    return status;
}

liana_status lia_mongo_revive(void *ctx,
                              struct lia_mongo_write *const *writes,
                              size_t count,
                              struct liana_error *err)
{
    struct lia_mongo_server *s = ctx;
    mongoc_collection_t *c;
    mongoc_bulk_operation_t *bulk;
    bson_error_t error = {0};
    bson_t reply = BSON_INITIALIZER;
    liana_status status = LIANA_OK;

    if (s->dead == 0) {
        return LIANA_OK;
    }
    c = lia_mongo_collection(s, "_liana.dead");
    bulk = mongoc_collection_create_bulk_operation_with_opts(c, NULL);
    for (size_t i = 0; i < count; i++) {
        bson_t filter;

        lia_mongo_dead_filter(&filter, writes[i]->change);
        if (!mongoc_bulk_operation_remove_many_with_opts(bulk, &filter, NULL, &error)) {
            status = lia_mongo_fail(err, &error, NULL, "_liana.dead");
        }
        bson_destroy(&filter);
    }
    if (!status) {
        bson_destroy(&reply);
        if (!mongoc_bulk_operation_execute(bulk, &reply, &error)) {
            status = lia_mongo_fail(err, &error, &reply, "_liana.dead");
        } else if (!lia_mongo_count_dead(s, err)) {
            status = LIANA_EUNREACHABLE;
        }
    }
    bson_destroy(&reply);
    mongoc_bulk_operation_destroy(bulk);
    mongoc_collection_destroy(c);
    return status;
}
