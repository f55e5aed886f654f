/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_DB_EXEC_SYSTEM_H
#define LIA_DB_EXEC_SYSTEM_H
/*
 * db/exec_system - rows of `system:` collections that are made when somebody asks.
 *
 *     exec_system.c    which there are; system:owed
 *     exec_flagged.c   system:flagged, system:breaches
 *     exec_rights.c    system:rights
 *
 * Rules: a row is {_id: its number, collection, document: the _id, ...}; at most
 * LIA_SYSTEM_ROWS_MAX that the statement's WHERE picks are made.
 * Ownership: rows belong to the statement that asks. Threads: the result's.
 */
#include "db/exec_internal.h"

#define LIA_SYSTEM_ROWS_MAX 1000

struct lia_system_rows {
    struct lia_result *r;
    struct lia_buf sql;  /* (key, body), ... as VALUES has them */
    struct lia_buf body; /* of the row that is being made: fields are added to it */
    size_t mark;
    uint64_t number; /* of the row that is being made */
    uint64_t count;  /* that were picked */
};

/* A row about a document. */
LIANA_MUST_CHECK liana_status lia_system_row_begin(struct lia_system_rows *rows,
                                                   struct liana_str collection,
                                                   struct liana_slice key,
                                                   struct liana_error *err);
LIANA_MUST_CHECK liana_status lia_system_row_end(struct lia_system_rows *rows,
                                                 struct liana_error *err);

/* A field of it: an array of names. */
void lia_system_add_path(struct lia_buf *out,
                         struct liana_str name,
                         struct lia_path path);

typedef liana_status (*lia_system_fn)(struct lia_system_rows *rows,
                                      const struct lia_collection *collection,
                                      struct liana_error *err);

/* Of each collection that is no system's, until there are enough rows. */
LIANA_MUST_CHECK liana_status lia_system_each(struct lia_system_rows *rows,
                                              lia_system_fn add,
                                              struct liana_error *err);

/* Each document of a collection that exists, until there are enough rows. */
typedef liana_status (*lia_system_doc_fn)(struct lia_system_rows *rows,
                                          const struct lia_coll *coll,
                                          struct liana_slice key,
                                          struct lia_doc doc,
                                          const void *ctx,
                                          struct liana_error *err);

LIANA_MUST_CHECK liana_status lia_system_walk(struct lia_system_rows *rows,
                                              const struct lia_collection *collection,
                                              lia_system_doc_fn add,
                                              const void *ctx,
                                              struct liana_error *err);

/* All rows of a collection. */
LIANA_MUST_CHECK liana_status lia_system_flagged(struct lia_system_rows *rows,
                                                 struct liana_error *err);
LIANA_MUST_CHECK liana_status lia_system_breaches(struct lia_system_rows *rows,
                                                  struct liana_error *err);
LIANA_MUST_CHECK liana_status lia_system_rights(struct lia_system_rows *rows,
                                                struct liana_error *err);

#endif
