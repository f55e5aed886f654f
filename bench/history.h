/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_BENCH_HISTORY_H
#define LIA_BENCH_HISTORY_H
/*
 * bench/history - documents with a past, made without a store.
 *
 * Rules: fields are named f0, f1, ...; times are those of the caller, in milliseconds from
 * a fixed day. Ownership: documents live in the arena. Threads: one.
 */
#include "bench/bench.h"
#include "crdt/doc.h"

struct lia_stamp bench_stamp(uint64_t ms, uint64_t actor);

/* {_id: 1, f0: 0, f1: 1, ...}, inserted at time 0 by actor 1. */
struct lia_doc bench_doc_of_numbers(struct lia_arena *arena, size_t fields);
/* The same with texts of `bytes` letters. */
struct lia_doc bench_doc_of_texts(struct lia_arena *arena, size_t fields, size_t bytes);

/* The document with field `field` set to an int32. */
struct lia_doc bench_doc_set(struct lia_arena *arena,
                             struct lia_doc doc,
                             size_t field,
                             int32_t value,
                             struct lia_stamp stamp);

#endif
