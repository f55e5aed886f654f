/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_MONGO_SOURCE_H
#define LIA_MONGO_SOURCE_H
/*
 * mongo/source - where changes come from: the change feed of a store, or a test.
 *
 * Rules: as liana/changes.h. Ownership: a page belongs to the source until its next call.
 * Threads: the connector's; cancel any.
 */
#include "liana/liana.h"

struct lia_mongo_source {
    void *ctx;
    /* Names the store in positions: they mean nothing in another one. At most 64 bytes
     * and a NUL. */
    liana_status (*identity)(void *ctx, char out[65], struct liana_error *err);
    /* Starts to read behind `since`; LIANA_ERANGE: the store does not go that far. */
    liana_status (*open)(void *ctx, uint64_t since, struct liana_error *err);
    liana_status (*next)(void *ctx,
                         int32_t timeout_ms,
                         struct liana_page *out,
                         struct liana_error *err);
    uint64_t (*position)(void *ctx);
    /* Makes next answer LIANA_ECANCELED now and for ever. */
    void (*cancel)(void *ctx);
    void (*close)(void *ctx); /* may be opened again; nothing to do if it is not open */
    void (*publish)(void *ctx, struct liana_str name, struct liana_slice document);
    void (*free)(void *ctx);
};

/* The feed of a store; the list is copied, `db` is borrowed until free. LIANA_ENOMEM. */
LIANA_MUST_CHECK liana_status lia_mongo_source_new(liana_db *db,
                                                   const struct liana_str *collections,
                                                   size_t collection_count,
                                                   struct lia_mongo_source *out);

#endif
