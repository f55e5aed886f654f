/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_BENCH_JSONL_H
#define LIA_BENCH_JSONL_H
/*
 * bench/jsonl - the documents of one prepared file (bench/data.py), one after the other;
 * generated sales where there is no data.
 *
 * Ownership: a document is valid until the next one. Threads: one.
 */
#include "bench/bench.h"

struct bench_jsonl {
    struct lia_buf text;
    size_t used;
    struct lia_buf doc;
};

/* "retail.sales" for <data>/retail.sales.jsonl. */
void bench_jsonl_open(struct bench_jsonl *f, const struct bench *b, const char *name);
bool bench_jsonl_next(struct bench_jsonl *f, struct liana_slice *out);
void bench_jsonl_close(struct bench_jsonl *f);

#endif
