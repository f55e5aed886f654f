/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "mongo/mongo.h"
#include "mongo/server.h"
#include "mongo/target.h"

static const char *const ours[] = {"_liana.checkpoint", "_liana.dead"};

static bool drop(const struct lia_mongo_server *s,
                 const char *name,
                 bson_error_t *error)
{
    mongoc_collection_t *c = lia_mongo_collection(s, name);
    bool ok = mongoc_collection_drop(c, error);

    /* 26: it was not there. */
    if (!ok && error->code == 26) {
        ok = true;
    }
    mongoc_collection_destroy(c);
    return ok;
}

static bool drop_all(const struct lia_mongo_server *s,
                     const struct lia_mongo_options *options,
                     bson_error_t *error)
{
    bool ok = true;

    for (size_t i = 0; i < options->collection_count && ok; i++) {
        char *name =
            bson_strndup(options->collections[i].ptr, options->collections[i].len);

        ok = drop(s, name, error);
        bson_free(name);
    }
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]) && ok; i++) {
        ok = drop(s, ours[i], error);
    }
    return ok;
}

static bool is_named(const struct lia_mongo_options *options, const char *name)
{
    for (size_t i = 0; i < options->collection_count; i++) {
        if (options->collections[i].len == strlen(name) &&
            memcmp(options->collections[i].ptr, name, strlen(name)) == 0) {
            return true;
        }
    }
    return false;
}

static bool look(const struct lia_mongo_server *s,
                 const struct lia_mongo_options *options,
                 bool *out_used,
                 bson_error_t *error)
{
    mongoc_database_t *database = mongoc_client_get_database(s->client, s->database);
    char **names =
        mongoc_database_get_collection_names_with_opts(database, NULL, error);

    *out_used = false;
    for (char **name = names; name && *name; name++) {
        *out_used = *out_used || is_named(options, *name);
    }
    bson_strfreev(names);
    mongoc_database_destroy(database);
    return names != NULL;
}

liana_status lia_mongo_look(const struct lia_mongo_options *options,
                            bool drop_first,
                            bool *out_used,
                            struct liana_error *err)
{
    struct lia_mongo_server *server;
    bson_error_t error = {0};
    uint64_t position;
    bool used;
    liana_status status = lia_mongo_server_of(options, &server, err);

    if (status) {
        return status;
    }
    status = lia_mongo_server_begin(server, "", &position, err);
    if (!status && drop_first && !drop_all(server, options, &error)) {
        status = lia_mongo_fail(err, &error, NULL, "drop");
    }
    if (!status && !look(server, options, &used, &error)) {
        status = lia_mongo_fail(err, &error, NULL, "the list of collections");
    }
    if (!status) {
        *out_used = used;
    }
    lia_mongo_server_free(server);
    return status;
}
