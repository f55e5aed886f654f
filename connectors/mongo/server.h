/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_MONGO_SERVER_H
#define LIA_MONGO_SERVER_H
/*
 * mongo/server - what the files that call libmongoc share.
 *
 * Ownership: a lia_mongo_server owns its client. Threads: one at a time.
 */
#include <mongoc/mongoc.h>

#include "mongo/apply.h"
#include "mongo/mongo.h"

struct lia_mongo_server {
    mongoc_client_t *client;
    mongoc_write_concern_t *majority;
    char *database;
    char *connector;
    char *name;
    char store[65];
    size_t document_max;
    uint64_t dead;   /* documents in _liana.dead */
    bson_t *retried; /* the _id of the last of them that was tried again; NULL: none */
    uint64_t begun;
    struct lia_mongo_missed missed;
    mongoc_cursor_t *walk; /* over the _ids of a collection; NULL: none */
};

/* A collection of the database, written with majority; the caller destroys it. */
mongoc_collection_t *lia_mongo_collection(const struct lia_mongo_server *s,
                                          const char *name);

bool lia_mongo_is_network(const bson_error_t *error);

/* `reply` may be NULL. */
enum lia_mongo_class lia_mongo_class_of(const bson_error_t *error, const bson_t *reply);

/* A failure of the connector's own bookkeeping: whatever it is, trying again is all
 * there is. */
liana_status lia_mongo_fail(struct liana_error *err,
                            const bson_error_t *error,
                            const bson_t *reply,
                            const char *what);

/* Every part of a document in _liana.dead. */
void lia_mongo_dead_filter(bson_t *out, const struct liana_change *change);

void lia_mongo_end_walk(struct lia_mongo_server *s);

/* Sets `dead`. */
bool lia_mongo_count_dead(struct lia_mongo_server *s, struct liana_error *err);

/* The functions of the target (mongo/apply.h); `ctx` is the server. */
liana_status lia_mongo_bulk(void *ctx,
                            struct lia_mongo_write *const *writes,
                            size_t count,
                            struct lia_mongo_reply *out);
liana_status lia_mongo_bury(void *ctx,
                            struct lia_mongo_write *const *writes,
                            size_t count,
                            struct liana_error *err);
liana_status lia_mongo_revive(void *ctx,
                              struct lia_mongo_write *const *writes,
                              size_t count,
                              struct liana_error *err);

#endif
