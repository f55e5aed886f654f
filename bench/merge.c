/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A peer has changed one field of a document; bench/run.py counts the instructions of the
 * lia_doc_merge that takes it in.
 */
#include "bench/history.h"

static void merge(const struct bench *b, size_t fields, size_t bytes)
{
    struct lia_arena arena;
    struct lia_doc_info info;
    struct lia_doc here;
    struct lia_doc there;
    struct lia_doc merged;
    struct liana_slice segment;

    lia_arena_init(&arena, b->env->alloc);
    here = bench_doc_of_texts(&arena, fields, bytes);
    there = bench_doc_set(&arena, here, fields / 2, 1, bench_stamp(1000, 2));
    BENCH_OK(lia_doc_info(&arena, here.clock, &info));
    BENCH_OK(lia_doc_segment(&arena, there, info.vector, &segment));
    BENCH_OK(lia_doc_merge(&arena, here, segment, &merged, &err));
    if (!lia_slice_equal(merged.clock, there.clock)) {
        bench_fail("merging went wrong");
    }
    lia_arena_deinit(&arena);
}

void count_merge_values_10k(const struct bench *b)
{
    merge(b, 20, 500);
}

void count_merge_values_1m(const struct bench *b)
{
    merge(b, 20, 50000);
}

void count_merge_fields_10k(const struct bench *b)
{
    merge(b, 100, 90);
}

void count_merge_fields_1m(const struct bench *b)
{
    merge(b, 10000, 90);
}
