/* SPDX-License-Identifier: Apache-2.0 */
#include "mongo/mongo.h"

#include <mongoc/mongoc.h>
#include <stdlib.h>

#include "mongo/connector.h"

#define SELECTION_TIMEOUT_MS 2000
#define NAME_BYTES_MAX       120

liana_status lia_mongo_server_of(const struct lia_mongo_options *options,
                                 struct lia_mongo_server **out,
                                 struct liana_error *err)
{
    char *uri = bson_strndup(options->uri.ptr, options->uri.len);
    char *database = bson_strndup(options->database.ptr, options->database.len);
    char *name = bson_strndup(options->name.len ? options->name.ptr : "default",
                              options->name.len ? options->name.len : 7);
    struct lia_mongo_server_options server = {.uri = uri,
                                              .database = database,
                                              .connector = name,
                                              .selection_timeout_ms =
                                                  options->selection_timeout_ms
                                                      ? options->selection_timeout_ms
                                                      : SELECTION_TIMEOUT_MS};
    liana_status status = lia_mongo_server_new(&server, out, err);

    bson_free(uri);
    bson_free(database);
    bson_free(name);
    return status;
}

liana_status lia_mongo_start(liana_db *db,
                             const struct lia_mongo_options *options,
                             struct lia_mongo **out,
                             struct liana_error *err)
{
    struct lia_mongo_server *server;
    struct lia_mongo_source source;
    liana_status status;

    if (!db || !options || !out || options->uri.len == 0 ||
        options->name.len > NAME_BYTES_MAX) {
        return lia_mongo_err(err, LIANA_EINVAL, 0, "the connector's options are wrong");
    }
    status = lia_mongo_server_of(options, &server, err);
    if (status) {
        return status;
    }
    status = lia_mongo_source_new(db, options->collections, options->collection_count,
                                  &source);
    if (status) {
        lia_mongo_server_free(server);
        return lia_mongo_err(err, status, 0, "out of memory");
    }
    status = lia_mongo_connector_start(&source, server, options, out, err);
    if (status) {
        source.free(source.ctx);
        lia_mongo_server_free(server);
    }
    return status;
}

void lia_mongo_library_end(void)
{
    mongoc_cleanup();
}
