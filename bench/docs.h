/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_BENCH_DOCS_H
#define LIA_BENCH_DOCS_H
/*
 * bench/docs - generated documents, each as BSON and as JSON text.
 *
 * Rules: the same number gives the same document. Types are those that plain JSON has, so
 * that both forms hold the same. Ownership: a list owns its bytes. Threads: one.
 */
#include "bench/bench.h"

struct bench_doc {
    struct liana_slice id; /* text */
    struct liana_slice bson;
    struct liana_slice json;
};

struct bench_docs {
    struct lia_buf bytes;
    struct bench_doc *docs;
    size_t count;
};

/* A sale of about 1 KB of BSON: 8 fields and an array of 5 lines; _id is a text that
 * ascends, as ObjectIds do. */
void bench_docs_sales(struct bench_docs *out, size_t first, size_t count);

/* About 120 bytes of BSON: {_id: int32, name, shelf: 0 to 99, price, tags: {a, b}}. */
void bench_docs_small(struct bench_docs *out, size_t first, size_t count);

void bench_docs_free(struct bench_docs *docs);

#endif
