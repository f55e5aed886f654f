/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/testing/failing.h"

#include <stdlib.h>

#include "base/error.h"

/* The size stands before the block, in room that keeps any alignment. */
union header {
    size_t size;
    max_align_t align;
};

void *lia_failing_realloc(void *ctx, void *p, size_t old_size, size_t size)
{
    struct lia_failing *failing = ctx;
    union header *old = p ? (union header *)p - 1 : NULL;
    union header *block;

    LIA_ASSERT((old ? old->size : 0) == old_size);
    if (size == 0) {
        failing->held -= old_size;
        free(old);
        return NULL;
    }
    if (failing->left == 0) {
        return NULL;
    }
    failing->left--;
    block = realloc(old, sizeof(*block) + size);
    if (!block) {
        return NULL;
    }
    block->size = size;
    failing->held += size;
    failing->held -= old_size;
    return block + 1;
}
