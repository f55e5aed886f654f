/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json_fund.h"

#include <string.h>

#include "base/error.h"

#define ALIGNMENT ((size_t)16)
#define FIXED     ((size_t)8192) /* handles, yajl's stack, two first buffers, a message */

static size_t aligned(size_t n)
{
    return (n + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
}

static void *fund_alloc(void *ctx, size_t size)
{
    struct lia_json_fund *fund = ctx;

    LIA_ASSERT(aligned(size) <= fund->size - fund->used);
    fund->newest = fund->used;
    fund->used += aligned(size);
    return fund->block + fund->newest;
}

static void *fund_realloc(void *ctx, void *p, size_t size)
{
    struct lia_json_fund *fund = ctx;
    size_t old_size;
    void *moved;

    if (!p) {
        return fund_alloc(fund, size);
    }
    if ((uint8_t *)p == fund->block + fund->newest) {
        LIA_ASSERT(aligned(size) <= fund->size - fund->newest);
        fund->used = fund->newest + aligned(size);
        return p;
    }
    old_size = (size_t)(fund->block + fund->used - (uint8_t *)p); /* and what follows */
    moved = fund_alloc(fund, size);
    memcpy(moved, p, size < old_size ? size : old_size);
    return moved;
}

static void fund_free(void *ctx, void *p)
{
    (void)ctx; /* the block goes as a whole */
    (void)p;
}

bool lia_json_fund_init(struct lia_json_fund *fund,
                        const struct liana_allocator *alloc,
                        size_t copied)
{
    *fund =
        (struct lia_json_fund){.alloc = alloc, .size = FIXED + 4 * aligned(copied + 1)};
    fund->block = lia_mem_alloc(alloc, fund->size);
    return fund->block != NULL;
}

void lia_json_fund_deinit(struct lia_json_fund *fund)
{
    lia_mem_free(fund->alloc, fund->block, fund->size);
    fund->block = NULL;
}

yajl_alloc_funcs lia_json_fund_functions(struct lia_json_fund *fund)
{
    return (yajl_alloc_funcs){fund_alloc, fund_realloc, fund_free, fund};
}
