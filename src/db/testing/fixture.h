/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_DB_TESTING_FIXTURE_H
#define LIA_DB_TESTING_FIXTURE_H
/*
 * db/testing/fixture - a db in a scratch folder, with documents {_id: int32, a: int32}.
 *
 * Rules: every helper fails the test when something goes wrong that it does not answer.
 * Ownership: the test keeps the struct at its place; what helpers answer lives in
 * `arena`, until lia_test_db_finish. Threads: one.
 */
#include "base/testing/env.h"
#include "base/testing/files.h"
#include "db/feed.h"

struct lia_test_db {
    struct lia_test_env env;
    char folder[LIA_TEST_PATH_MAX];
    struct lia_db_options options;
    struct lia_db *db;
    struct lia_arena arena;
    struct liana_error err;
};

/* Not open yet: the test may change the options first. */
void lia_test_db_init(struct lia_test_db *t, uint64_t seed);
void lia_test_db_open(struct lia_test_db *t);
void lia_test_db_close(struct lia_test_db *t);
/* Closes, removes the folder, checks memory. */
void lia_test_db_finish(struct lia_test_db *t);

struct liana_slice lia_test_key(struct lia_test_db *t, int32_t id);
struct liana_slice lia_test_body(struct lia_test_db *t, int32_t id, int32_t a);

/* The value of `a`; -1: the document does not exist. */
int32_t lia_test_a(struct lia_doc doc);
int32_t lia_test_get(struct lia_test_db *t, const char *collection, int32_t id);

struct lia_txn *lia_test_begin(struct lia_test_db *t, enum lia_txn_kind kind);

/* Within a transaction: inserts the document, or sets its `a`. */
void lia_test_put_in(struct lia_test_db *t,
                     struct lia_txn *txn,
                     const char *collection,
                     int32_t id,
                     int32_t a);
void lia_test_delete_in(struct lia_test_db *t,
                        struct lia_txn *txn,
                        const char *collection,
                        int32_t id);

/* The same in transactions of their own. */
struct lia_commit lia_test_put(struct lia_test_db *t,
                               const char *collection,
                               int32_t id,
                               int32_t a);
struct lia_commit lia_test_delete(struct lia_test_db *t,
                                  const char *collection,
                                  int32_t id);

/* The stored document, of the newest snapshot. */
struct lia_doc lia_test_doc(struct lia_test_db *t, const char *collection, int32_t id);

/* What the document has beyond `from`, as a batch item. */
struct lia_batch_item lia_test_segment(struct lia_test_db *t,
                                       const char *collection,
                                       int32_t id,
                                       struct lia_vector from);

/* A whole copy of one document from one db to another. */
void lia_test_send(struct lia_test_db *from,
                   struct lia_test_db *to,
                   const char *collection,
                   int32_t id);

/* Subscription queries for tests: 4 bytes, the least `a` (little endian). */
extern const struct lia_predicates lia_test_predicates;
struct lia_subscription lia_test_subscription(struct lia_test_db *t,
                                              const char *collection,
                                              int32_t least_a);

#endif
