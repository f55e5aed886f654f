/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_MONGO_SOURCE_H
#define LIA_MONGO_SOURCE_H
/*
 * mongo/source - where changes come from: the change feed of a store, or a test.
 *
 * Rules: as liana/changes.h. Ownership: a page belongs to the source until its next call.
 * Threads: the connector's; cancel any.
 */
#include <bson/bson.h>

#include "liana/liana.h"

struct lia_mongo_source {
    void *ctx;
    /* Names the store in positions: they mean nothing in another one. At most 64 bytes
     * and a NUL. With it, its newest seq. */
    liana_status (*identity)(void *ctx,
                             char out[65],
                             uint64_t *out_seq,
                             struct liana_error *err);
    /* Starts to read behind `since`, of a reader that began when the store was at `begun`
     * (liana/changes.h); LIANA_ERANGE: the store does not go that far. */
    liana_status (*open)(void *ctx,
                         uint64_t since,
                         uint64_t begun,
                         struct liana_error *err);
    liana_status (*next)(void *ctx,
                         int32_t timeout_ms,
                         struct liana_page *out,
                         struct liana_error *err);
    uint64_t (*position)(void *ctx);
    /* The names of the collections that are followed, a BSON array. LIANA_EMISUSE: the
     * store has evicted something, so what is not in it may live. */
    liana_status (*names)(void *ctx, bson_t *out, struct liana_error *err);
    /* Whether the document {_id: ...} lives in the store now. */
    liana_status (*is_here)(void *ctx,
                            struct liana_str collection,
                            struct liana_slice id,
                            bool *out,
                            struct liana_error *err);
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
