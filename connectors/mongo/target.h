/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_MONGO_TARGET_H
#define LIA_MONGO_TARGET_H
/*
 * mongo/target - MongoDB through libmongoc: one database, one client.
 *
 *     <collection>       the documents, nothing beside them
 *     _liana.checkpoint  {_id: {connector, store}, seq: int64, at: Date,
 *                         begun: int64, missed: {after: int64, at: Date}, if deletes may have been missed}
 *     _liana.dead        {_id: {collection, id: Binary of {_id: ...}, part: int32}, parts: int32,
 *                         connector, store, idJson: string, seq: int64, code: int32,
 *                         reason: string, at: Date, document: Binary; null for a delete}
 *
 * Every write waits for a majority. A refused document is kept as raw bytes, in parts of 8
 * MiB, since its own content may be what the server refuses.
 *
 * Ownership: options are borrowed for the call. Threads: one at a time.
 */
#include <bson/bson.h>

#include "mongo/apply.h"
#include "mongo/mongo.h"

struct lia_mongo_server;

struct lia_mongo_server_options {
    const char *uri;
    const char *database; /* NULL or "": as in the URI, else "liana" */
    const char *connector;
    uint32_t selection_timeout_ms;
};

/* Checks the URI; reaches nothing yet. LIANA_EINVAL, LIANA_ENOMEM. */
LIANA_MUST_CHECK liana_status
lia_mongo_server_new(const struct lia_mongo_server_options *options,
                     struct lia_mongo_server **out,
                     struct liana_error *err);

/* From a connector's options. */
LIANA_MUST_CHECK liana_status
lia_mongo_server_of(const struct lia_mongo_options *options,
                    struct lia_mongo_server **out,
                    struct liana_error *err);
void lia_mongo_server_free(struct lia_mongo_server *server);

/* Reaches the server and reads where this connector was with this store: 0 if it never
 * was. LIANA_EUNREACHABLE, LIANA_EAUTH. */
LIANA_MUST_CHECK liana_status lia_mongo_server_begin(struct lia_mongo_server *server,
                                                     const char *store,
                                                     uint64_t *out_position,
                                                     struct liana_error *err);

/* Tries some of this connector's documents in _liana.dead again: what was in their way may
 * be gone. Only when everything up to the position is written, since then they are still
 * the newest states. `*out_revived` counts those that went through, `*out_more` says that
 * others are left for the next call. LIANA_EUNREACHABLE, LIANA_EAUTH, LIANA_ENOMEM. */
LIANA_MUST_CHECK liana_status lia_mongo_retry(struct lia_mongo_server *server,
                                              uint64_t *out_revived,
                                              bool *out_more,
                                              struct liana_error *err);

#define LIA_MONGO_IDS_MAX 500

/* The next page of a collection's _ids, in their order: a BSON array of {_id: ...}. From the
 * beginning if it is the first. LIANA_EUNREACHABLE, LIANA_EAUTH. */
LIANA_MUST_CHECK liana_status lia_mongo_server_ids(struct lia_mongo_server *server,
                                                   struct liana_str collection,
                                                   bool is_first,
                                                   bson_t *out,
                                                   bool *out_more,
                                                   struct liana_error *err);

/* Kept with the position, and known after begin: missed deletes, and the store's newest seq
 * when this connector began from 0, or 0. */
void lia_mongo_server_set_missed(struct lia_mongo_server *server,
                                 struct lia_mongo_missed missed);
const struct lia_mongo_missed *lia_mongo_server_missed(
    const struct lia_mongo_server *server);
void lia_mongo_server_set_begun(struct lia_mongo_server *server, uint64_t seq);
uint64_t lia_mongo_server_begun(const struct lia_mongo_server *server);
size_t lia_mongo_server_document_max(const struct lia_mongo_server *server);
uint64_t lia_mongo_server_dead(const struct lia_mongo_server *server);

/* "host:port/database", for people; never with a password. */
const char *lia_mongo_server_name(const struct lia_mongo_server *server);

struct lia_mongo_target lia_mongo_server_target(struct lia_mongo_server *server);

#endif
