/* SPDX-License-Identifier: Apache-2.0 */
/*
 * liana_bench [--smoke] [--data FOLDER] [NAME...]
 * liana_bench [--smoke] --count NAME
 *
 * Runs benchmarks (all of them without a NAME) and prints each result as a line of JSON.
 * bench/run.py makes the table and build/bench.json of them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/bench.h"

struct row {
    const char *name;
    bench_fn *fn;
};

static const struct row BENCHES[] = {
#define BENCH(name, about) {#name, bench_##name},
#include "bench/benches.def"
#undef BENCH
};

static const struct row COUNTS[] = {
#define COUNT(name) {#name, count_##name},
#include "bench/counts.def"
#undef COUNT
};

#define LENGTH(table) (sizeof(table) / sizeof((table)[0]))

static void run(const struct bench *b,
                const struct row *rows,
                size_t n,
                const char *name)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            rows[i].fn(b);
            return;
        }
    }
    bench_fail("there is no '%s'", name);
}

static const char *value_of(int argc, char **argv, int *at)
{
    if (*at + 1 >= argc) {
        bench_fail("%s needs a value", argv[*at]);
    }
    return argv[++*at];
}

int main(int argc, char **argv)
{
    struct lia_env env;
    struct bench b = {.env = &env};
    const char *count = NULL;
    int named = 0;

    BENCH_OK(lia_env_system(&env));
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--smoke") == 0) {
            b.is_smoke = true;
        } else if (strcmp(argv[i], "--data") == 0) {
            b.data = value_of(argc, argv, &i);
        } else if (strcmp(argv[i], "--count") == 0) {
            count = value_of(argc, argv, &i);
        } else if (argv[i][0] == '-') {
            bench_fail("there is no option '%s'", argv[i]);
        } else {
            argv[1 + named++] = argv[i]; /* names to the front */
        }
    }
    if (count) {
        run(&b, COUNTS, LENGTH(COUNTS), count);
        return 0;
    }
    for (size_t i = 0; named == 0 && i < LENGTH(BENCHES); i++) {
        BENCHES[i].fn(&b);
    }
    for (int i = 0; i < named; i++) {
        run(&b, BENCHES, LENGTH(BENCHES), argv[1 + i]);
    }
    return 0;
}
