/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_BASE_TESTING_ALLOC_H
#define LIA_BASE_TESTING_ALLOC_H
/*
 * base/testing/alloc - an allocator that counts, checks, poisons, and fails on demand.
 *
 * Rules: every block is released with the size it was allocated with, or the process
 * aborts with both numbers: sizes are the contract of struct liana_allocator. New and
 * released memory is filled with rubbish, and a block that grows always moves, so that
 * stale pointers show. A growing realloc counts as an allocation and can fail; a release
 * never fails.
 *
 *     struct lia_test_alloc t;
 *     lia_test_alloc_init(&t);
 *     ... &t.alloc ...
 *     lia_test_alloc_finish(&t);        every block is back
 *
 * Ownership: the caller keeps the struct until all blocks are back. Threads: any may
 * allocate; the rest is the test's own thread.
 */
#include <stdatomic.h>

#include "base/mem.h"

struct lia_test_alloc {
    struct liana_allocator alloc;
    atomic_size_t live_blocks;
    atomic_size_t live_bytes;
    atomic_size_t allocations; /* asked for so far, those that failed included */
    atomic_size_t fail_at;     /* the number of the allocation that fails; 0: none */
    atomic_bool fails_onwards; /* and all after it */
};

void lia_test_alloc_init(struct lia_test_alloc *t);

/* The n-th allocation from now on fails (1: the next one); 0: none. */
void lia_test_alloc_fail_at(struct lia_test_alloc *t, size_t n);

/* Fails the test when a block was not released. */
void lia_test_alloc_finish(struct lia_test_alloc *t);

/* What is run again and again: builds what it needs from `a`, gives everything back, and
 * answers the first status that was not OK. */
typedef liana_status (*lia_test_scenario)(const struct liana_allocator *a, void *ctx);

/* Runs `scenario` with its 1st, 2nd, ... allocation failing, once alone and once with
 * all after it, until a run needs no more than were allowed. Each failing run must
 * answer LIANA_ENOMEM, the last one LIANA_OK, and none may leak. Answers how many
 * allocations there are; fails the test if there are none. */
size_t lia_test_each_failure(lia_test_scenario scenario, void *ctx);

#endif
