/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "bench/app.h"
#include "bench/stores.h"

#define BATCH 1000

/* Our side: through the public API (`app`), or below the query language (`liana`). */
struct both {
    const struct bench *b;
    char ours[BENCH_PATH_MAX];
    char theirs[BENCH_PATH_MAX];
    liana_db *app;
    struct bench_liana liana;
    struct bench_sqlite sqlite;
    struct bench_docs docs; /* of this round */
    size_t batches;
    size_t next; /* number of the next round's first document */
};

static void both_open(struct both *x,
                      const struct bench *b,
                      bool is_app,
                      size_t batches)
{
    *x = (struct both){.b = b, .batches = batches};
    bench_folder_make(x->ours);
    bench_folder_make(x->theirs);
    if (is_app) {
        x->app = bench_app_open(x->ours, NULL);
    } else {
        bench_liana_open(&x->liana, b->env, x->ours);
    }
    bench_sqlite_open(&x->sqlite, x->theirs, "TEXT");
}

static void both_close(struct both *x)
{
    if (x->app) {
        bench_app_close(x->app);
    } else {
        bench_liana_close(&x->liana);
    }
    bench_sqlite_close(&x->sqlite);
    bench_folder_remove(x->ours);
    bench_folder_remove(x->theirs);
}

static void insert_ours(struct both *x, const struct bench_doc *docs)
{
    if (x->app) {
        bench_app_insert_batch(x->app, docs, BATCH);
    } else {
        bench_liana_put(&x->liana, docs, BATCH);
    }
}

static uint64_t liana_round(void *ctx, unsigned round)
{
    struct both *x = ctx;
    uint64_t start;

    (void)round;
    bench_docs_sales(&x->docs, x->next, x->batches * BATCH);
    x->next += x->docs.count;
    start = x->b->env->mono_ms(x->b->env->ctx);
    for (size_t i = 0; i < x->docs.count; i += BATCH) {
        insert_ours(x, x->docs.docs + i);
    }
    return x->b->env->mono_ms(x->b->env->ctx) - start;
}

static uint64_t sqlite_round(void *ctx, unsigned round)
{
    struct both *x = ctx;
    uint64_t start = x->b->env->mono_ms(x->b->env->ctx);
    uint64_t end;

    (void)round;
    for (size_t i = 0; i < x->docs.count; i += BATCH) {
        bench_sqlite_insert(&x->sqlite, x->docs.docs + i, BATCH);
    }
    end = x->b->env->mono_ms(x->b->env->ctx);
    bench_docs_free(&x->docs);
    return end - start;
}

static double compare(const struct bench *b, bool is_app, unsigned rounds)
{
    struct both x;
    double ratio;

    both_open(&x, b, is_app, bench_size(b, 20, 1));
    ratio = bench_compare(liana_round, sqlite_round, &x, rounds);
    both_close(&x);
    return ratio;
}

#define CONDITIONS                                                                     \
    "documents of 1 KB (a sale with 5 lines), 1,000 per transaction, one INSERT "      \
    "each, "                                                                           \
    "no index of the app's, no listener, no peer; against the same documents as JSON " \
    "text in plain SQLite (TEXT PRIMARY KEY, prepared statement). Both: WAL, page "    \
    "size 4096, 2 MiB cache, fsync at every commit, 1,000-page checkpoints; 20,000 "   \
    "documents a round, in turns"

void bench_insert_batch(const struct bench *b)
{
    const unsigned rounds = (unsigned)bench_size(b, 7, 1);

    bench_report((struct bench_result){
        "insert_batch_vs_sqlite", compare(b, true, rounds), "ratio of time",
        "plain SQLite = 1", rounds,
        "Time of INSERT INTO c DOCUMENTS (:d), a statement per document; " CONDITIONS});
    bench_report((struct bench_result){
        "insert_batch_engine_vs_sqlite", compare(b, false, rounds), "ratio of time",
        "plain SQLite = 1", rounds,
        "The same below the query language (lia_txn_insert); " CONDITIONS});
}

/* ---- counted ---- */

static void count_side(const struct bench *b, bool is_ours)
{
    struct both x;
    struct bench_docs docs;

    both_open(&x, b, true, 1);
    bench_docs_sales(&docs, 0, 2 * BATCH);
    for (size_t i = 0; i < 2; i++) { /* the first one also makes the table */
        if (is_ours) {
            bench_app_insert_batch(x.app, docs.docs + i * BATCH, BATCH);
        } else {
            bench_sqlite_insert(&x.sqlite, docs.docs + i * BATCH, BATCH);
        }
    }
    bench_docs_free(&docs);
    both_close(&x);
}

void count_insert_liana(const struct bench *b)
{
    count_side(b, true);
}

void count_insert_sqlite(const struct bench *b)
{
    count_side(b, false);
}
