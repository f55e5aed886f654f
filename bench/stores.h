/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_BENCH_STORES_H
#define LIA_BENCH_STORES_H
/*
 * bench/stores - the two sides of a comparison: a store of ours and a plain SQLite database
 * of JSON texts, in a scratch folder of their own, as an app would use them.
 *
 * Rules: SQLite gets the same conditions: WAL, page size 4096, its default cache and
 * automatic checkpoint (1,000 pages), statements prepared once. Both sync at every commit:
 * synchronous=FULL there, LIA_FULL here.
 * Ownership: the caller's struct, until close. Threads: one.
 */
#include <sqlite3.h>

#include "bench/docs.h"
#include "db/exec.h"

struct bench_liana {
    struct lia_db_options options;
    struct lia_db *db;
};

void bench_liana_open(struct bench_liana *out,
                      const struct lia_env *env,
                      const char *folder);
void bench_liana_close(struct bench_liana *liana);

/* One transaction, below the query language: lia_txn_insert. */
void bench_liana_put(struct bench_liana *liana,
                     const struct bench_doc *docs,
                     size_t count);
/* How many rows a SELECT gives. */
size_t bench_liana_select(struct bench_liana *liana, const char *statement);

struct bench_sqlite {
    sqlite3 *sqlite;
    sqlite3_stmt *insert;
};

/* CREATE TABLE c (id PRIMARY KEY, doc TEXT): a table with a unique index, as ours is;
 * `id` is the type of the column, "TEXT" or "INTEGER". */
void bench_sqlite_open(struct bench_sqlite *out, const char *folder, const char *id);
void bench_sqlite_close(struct bench_sqlite *s);
void bench_sqlite_insert(struct bench_sqlite *s,
                         const struct bench_doc *docs,
                         size_t count);
size_t bench_sqlite_select(struct bench_sqlite *s, const char *statement);

#endif
