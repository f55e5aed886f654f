/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_BENCH_APP_H
#define LIA_BENCH_APP_H
/*
 * bench/app - a store as an app has it: through the public API alone.
 *
 * Rules: everything must succeed (bench_fail). Ownership: handles are the caller's.
 * Threads: one.
 */
#include "bench/docs.h"
#include "liana/liana.h"

/* Makes a store in the folder; `options` may be NULL. */
liana_db *bench_app_open(const char *folder, const struct liana_open_options *options);
void bench_app_close(liana_db *db);

liana_txn *bench_app_begin(liana_db *db, int32_t durability);
void bench_app_commit(liana_txn *txn);

/* Runs a statement that gives no rows. */
void bench_app_run(liana_txn *txn, const char *statement, struct liana_slice params);

/* INSERT INTO <collection> DOCUMENTS (:d). */
void bench_app_insert(liana_txn *txn, const char *collection, struct liana_slice doc);

/* One transaction into `c`, one statement per document. */
void bench_app_insert_batch(liana_db *db, const struct bench_doc *docs, size_t count);

#endif
