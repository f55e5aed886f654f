/* SPDX-License-Identifier: Apache-2.0 */
#include "mongo/lag.h"

/* 0 to 3 have buckets of their own; above, four per power of two. */
static size_t bucket_of(uint64_t ms)
{
    size_t power = 0;
    size_t bucket;

    if (ms < 4) {
        return (size_t)ms;
    }
    while (ms >> power >= 8) {
        power++;
    }
    bucket = 4 + power * 4 + (size_t)((ms >> power) - 4);
    return bucket < LIA_MONGO_LAG_BUCKETS ? bucket : LIA_MONGO_LAG_BUCKETS - 1;
}

/* The greatest value that falls into a bucket. */
static uint64_t bucket_top(size_t bucket)
{
    size_t power;

    if (bucket < 4) {
        return bucket;
    }
    power = (bucket - 4) / 4;
    return ((uint64_t)((bucket - 4) % 4 + 5) << power) - 1;
}

void lia_mongo_lag_add(struct lia_mongo_lag *lag, uint64_t ms)
{
    lag->buckets[bucket_of(ms)]++;
    lag->count++;
    if (ms > lag->max_ms) {
        lag->max_ms = ms;
    }
}

uint64_t lia_mongo_lag_percentile(const struct lia_mongo_lag *lag, unsigned percent)
{
    uint64_t wanted = (lag->count * percent + 99) / 100;
    uint64_t seen = 0;

    for (size_t i = 0; i < LIA_MONGO_LAG_BUCKETS; i++) {
        seen += lag->buckets[i];
        if (seen >= wanted && seen > 0) {
            uint64_t top = bucket_top(i);

            return top < lag->max_ms ? top : lag->max_ms;
        }
    }
    return 0;
}
