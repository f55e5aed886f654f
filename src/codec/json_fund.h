/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CODEC_JSON_FUND_H
#define LIA_CODEC_JSON_FUND_H
/*
 * codec/json_fund - memory for one run of yajl, had in advance.
 *
 * yajl does not look whether its allocations succeeded. So all that it can ask for is taken
 * before it starts, as one block: what is fixed, and twice the longest piece of text that it
 * copies for each of its two buffers (they double, and only the newest block ever grows).
 * Running out is then a bug of ours, and asserted.
 *
 * Ownership: the block is the fund's until deinit; yajl's pieces lie in it.
 * Threads: one.
 */
#include <yajl/yajl_common.h>

#include "base/mem.h"

struct lia_json_fund {
    const struct liana_allocator *alloc;
    uint8_t *block;
    size_t size;
    size_t used;
    size_t newest; /* where the newest piece begins */
};

/* For a text of which yajl copies at most `copied` bytes at once (codec/json_scan.h).
 * False when out of memory. */
bool lia_json_fund_init(struct lia_json_fund *fund,
                        const struct liana_allocator *alloc,
                        size_t copied);
void lia_json_fund_deinit(struct lia_json_fund *fund);

/* What yajl_alloc takes. */
yajl_alloc_funcs lia_json_fund_functions(struct lia_json_fund *fund);

#endif
