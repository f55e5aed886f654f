/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "bench/stores.h"

#define TEXT "SELECT * FROM c WHERE _id = 7 AND (shelf >= 0 OR tags.a IN (1, 2, 3))"

struct repeat {
    const struct bench *b;
    struct bench_liana liana;
    size_t executions;
};

/* The comment makes a text new to the parser and the same to SQLite. */
static uint64_t run(struct repeat *r, unsigned round, bool is_new)
{
    uint64_t start = r->b->env->mono_ms(r->b->env->ctx);
    char text[160];

    for (size_t i = 0; i < r->executions; i++) {
        snprintf(text, sizeof(text), TEXT " -- %u %zu", round, is_new ? i : (size_t)0);
        if (bench_liana_select(&r->liana, text) != 1) {
            bench_fail("%s: not one row", text);
        }
    }
    return r->b->env->mono_ms(r->b->env->ctx) - start;
}

static uint64_t same_text(void *ctx, unsigned round)
{
    return run(ctx, round, false);
}

static uint64_t new_text(void *ctx, unsigned round)
{
    return run(ctx, round, true);
}

void bench_statement_repeat(const struct bench *b)
{
    const unsigned rounds = (unsigned)bench_size(b, 9, 1);
    struct repeat r = {.b = b, .executions = bench_size(b, 20000, 50)};
    struct bench_docs docs;
    char folder[BENCH_PATH_MAX];
    double ratio;

    bench_folder_make(folder);
    bench_liana_open(&r.liana, b->env, folder);
    bench_docs_small(&docs, 1, 100);
    bench_liana_put(&r.liana, docs.docs, 100);
    bench_docs_free(&docs);
    ratio = bench_compare(same_text, new_text, &r, rounds);
    bench_liana_close(&r.liana);
    bench_folder_remove(folder);
    bench_report((struct bench_result){
        "statement_same_vs_new_text", ratio, "ratio of time", "a new text = 1", rounds,
        "Time of SELECT * FROM c WHERE _id = 7 AND (shelf >= 0 OR tags.a IN (1, 2, 3)) "
        "with one text 20,000 times, against texts that differ in a comment and so are "
        "parsed each time; the SQL is the same and prepared in both."});
}
