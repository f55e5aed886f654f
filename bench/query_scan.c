/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/stores.h"

struct scan {
    const struct bench *b;
    struct bench_liana liana;
    struct bench_sqlite sqlite;
    const char *ours;
    const char *theirs;
    size_t rows; /* of the other side */
};

static void expect(struct scan *s, size_t rows)
{
    if (s->rows && s->rows != rows) {
        bench_fail("one side found %zu rows, the other %zu", s->rows, rows);
    }
    s->rows = rows;
}

static uint64_t liana_side(void *ctx, unsigned round)
{
    struct scan *s = ctx;
    uint64_t start = s->b->env->mono_ms(s->b->env->ctx);

    (void)round;
    expect(s, bench_liana_select(&s->liana, s->ours));
    return s->b->env->mono_ms(s->b->env->ctx) - start;
}

static uint64_t sqlite_side(void *ctx, unsigned round)
{
    struct scan *s = ctx;
    uint64_t start = s->b->env->mono_ms(s->b->env->ctx);

    (void)round;
    expect(s, bench_sqlite_select(&s->sqlite, s->theirs));
    return s->b->env->mono_ms(s->b->env->ctx) - start;
}

void bench_query_scan(const struct bench *b)
{
    const size_t count = bench_size(b, 100000, 200);
    const unsigned rounds = (unsigned)bench_size(b, 9, 1);
    char ours[BENCH_PATH_MAX];
    char theirs[BENCH_PATH_MAX];
    struct scan s = {.b = b,
                     .ours = "SELECT * FROM c WHERE shelf = 7 AND tags.a >= 5",
                     .theirs =
                         "SELECT doc FROM c WHERE json_extract(doc, '$.shelf') = 7 AND "
                         "json_extract(doc, '$.tags.a') >= 5"};
    struct bench_docs docs;
    double ratio;

    bench_folder_make(ours);
    bench_folder_make(theirs);
    bench_liana_open(&s.liana, b->env, ours);
    bench_sqlite_open(&s.sqlite, theirs, "INTEGER");
    bench_docs_small(&docs, 1, count);
    bench_liana_put(&s.liana, docs.docs, count);
    bench_sqlite_insert(&s.sqlite, docs.docs, count);
    bench_docs_free(&docs);
    ratio = bench_compare(liana_side, sqlite_side, &s, rounds);
    bench_liana_close(&s.liana);
    bench_sqlite_close(&s.sqlite);
    bench_folder_remove(ours);
    bench_folder_remove(theirs);
    bench_report((struct bench_result){
        "query_scan_vs_sqlite", ratio, "ratio of time", "plain SQLite = 1", rounds,
        "Time of SELECT * FROM c WHERE shelf = 7 AND tags.a >= 5 over 100,000 "
        "documents of "
        "about 120 bytes (0.5 % of them match), no index, warm; against json_extract "
        "over "
        "the same documents as JSON text in plain SQLite."});
}
