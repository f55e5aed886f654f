/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CODEC_TESTING_FAILING_H
#define LIA_CODEC_TESTING_FAILING_H
/*
 * codec/testing/failing - an allocator whose n-th request fails, and all after it.
 *
 *     for (size_t n = 0; !done; n++) {
 *         struct lia_failing failing = {.left = n};
 *         struct liana_allocator alloc = {lia_failing_realloc, &failing};
 *         ...
 *         assert_int_equal(failing.held, 0);
 *     }
 *
 * Rules: checks that sizes are named as they were allocated. Ownership: the C library's
 * memory. Threads: one.
 */
#include "base/mem.h"

struct lia_failing {
    size_t left; /* requests that still succeed */
    size_t held; /* bytes not given back */
};

void *lia_failing_realloc(void *ctx, void *p, size_t old_size, size_t size);

#endif
