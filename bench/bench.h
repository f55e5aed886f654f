/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_BENCH_BENCH_H
#define LIA_BENCH_BENCH_H
/*
 * bench/bench - what every benchmark gets and how it reports.
 *
 * Rules: a figure is a ratio, a count or bytes, never bare seconds: two sides of a
 * comparison run in turns (A B A B) in one process, and the figure is the median of the
 * ratios of neighbours. Anything that fails ends the program with a message: a benchmark
 * has nobody to hand a status to. Nothing here asserts a time.
 * Ownership: a bench lives as long as the program. Threads: one.
 */
#include "base/buf.h"
#include "base/env.h"
#include "base/error.h"
#include "base/slice.h"

#define BENCH_PATH_MAX 1024

struct bench {
    const struct lia_env *env;
    const char *data; /* folder of prepared documents (bench/run.py); NULL: none */
    bool is_smoke;    /* tiny: only to see that it works */
};

/* `usual`, or `tiny` in a smoke run. */
static inline size_t bench_size(const struct bench *b, size_t usual, size_t tiny)
{
    return b->is_smoke ? tiny : usual;
}

struct bench_result {
    const char *name; /* stable */
    double value;
    const char *unit;
    const char *reference; /* what it is measured against, or what it should be */
    unsigned runs;
    const char *description; /* the conditions */
};

/* Prints one result as a line of JSON. */
void bench_report(struct bench_result result);

/* Ends the program, naming what failed. */
_Noreturn void bench_fail(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

void bench_ok(liana_status status,
              const struct liana_error *err,
              const char *file,
              int line);

/* Runs a call that takes `&err`, or none, and must succeed. */
#define BENCH_OK(call)                                                                 \
    do {                                                                               \
        struct liana_error err = LIANA_ERROR_INIT;                                     \
        liana_status bench_status = (call);                                            \
        bench_ok(bench_status, &err, __FILE__, __LINE__);                              \
    } while (0)

/* Sorts the values. */
double bench_median(double *values, size_t count);

/* One side of a comparison: does its work for `round` and answers how long it took, in
 * milliseconds. */
typedef uint64_t (*bench_side_fn)(void *ctx, unsigned round);

/* The median of a's time over b's, in turns; before them one round that does not count. */
double bench_compare(bench_side_fn a, bench_side_fn b, void *ctx, unsigned rounds);

/* ---- scratch folders ---- */

void bench_folder_make(char out[BENCH_PATH_MAX]);
void bench_folder_remove(const char *path);

/* The bytes of all files in the folder whose names begin with `prefix`. */
uint64_t bench_file_bytes(const char *folder, const char *prefix);

/* ---- the rows ---- */

typedef void bench_fn(const struct bench *b);

#define BENCH(name, about) bench_fn bench_##name;
#include "bench/benches.def"
#undef BENCH
#define COUNT(name) bench_fn count_##name;
#include "bench/counts.def"
#undef COUNT

#endif
