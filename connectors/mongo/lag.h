/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_MONGO_LAG_H
#define LIA_MONGO_LAG_H
/*
 * mongo/lag - how long changes took, as a histogram of fixed size.
 *
 * Buckets grow by a quarter of a power of two, so a percentile is right within 19 %;
 * the greatest value is exact. Ownership: by value. Threads: one at a time.
 */
#include <stddef.h>
#include <stdint.h>

#define LIA_MONGO_LAG_BUCKETS 160

struct lia_mongo_lag {
    uint64_t buckets[LIA_MONGO_LAG_BUCKETS];
    uint64_t count;
    uint64_t max_ms;
};

void lia_mongo_lag_add(struct lia_mongo_lag *lag, uint64_t ms);

/* The value that `percent` of all do not exceed; 0 when there is none. */
uint64_t lia_mongo_lag_percentile(const struct lia_mongo_lag *lag, unsigned percent);

#endif
