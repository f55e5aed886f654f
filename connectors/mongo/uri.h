/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_MONGO_URI_H
#define LIA_MONGO_URI_H
/*
 * mongo/uri - what a MongoDB URI says, and clients made of it.
 *
 * Rules: no message holds a part of the user's name or password; libmongoc's own may.
 * Ownership: results are the caller's. Threads: any.
 */
#include <mongoc/mongoc.h>

#include "mongo/mongo.h"

/* With our timeouts where it has none. LIANA_EINVAL. */
LIANA_MUST_CHECK liana_status lia_mongo_uri_parse(const char *text,
                                                  uint32_t selection_timeout_ms,
                                                  mongoc_uri_t **out,
                                                  struct liana_error *err);

/* Reaches nothing yet, but for the names that mongodb+srv asks for. LIANA_EINVAL. */
LIANA_MUST_CHECK liana_status lia_mongo_uri_connect(const mongoc_uri_t *uri,
                                                    mongoc_client_t **out,
                                                    struct liana_error *err);

#endif
