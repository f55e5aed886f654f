/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CODEC_DECIMAL_SUM_H
#define LIA_CODEC_DECIMAL_SUM_H
/*
 * codec/decimal_sum - the exact sum of any number of Decimal128, rounded once.
 *
 * A long integer in limbs of nine decimal digits, as wide as the exponents that were met; so
 * the result does not depend on the order in which numbers came.
 *
 * Rules: the result is what IEEE 754-2008 says of an operation on the exact sum: 34 digits,
 * half to even, the smallest exponent among the summands preferred. NaN, and infinities of
 * both signs, make NaN. -0 is the sum of nothing but -0.
 * Ownership: init/deinit; limbs are the sum's own. Threads: one.
 */
#include "codec/decimal.h"

struct lia_decimal_sum {
    const struct liana_allocator *alloc;
    int64_t *limbs; /* limbs[0] counts 10^(9 * first) */
    int first;
    int count;
    uint32_t since_carry; /* summands that limbs hold without a carry */
    uint64_t finite;      /* summands */
    uint64_t negative_zeros;
    int exponent; /* the smallest of them */
    bool has_nan;
    bool has_infinity[2]; /* above, below 0 */
};

void lia_decimal_sum_init(struct lia_decimal_sum *sum, const struct liana_allocator *a);
void lia_decimal_sum_deinit(struct lia_decimal_sum *sum);

/* False when out of memory: the sum is as it was. */
bool lia_decimal_sum_add(struct lia_decimal_sum *sum, struct lia_decimal d);

/* high * 2^64 + low, exactly. */
bool lia_decimal_sum_add_int128(struct lia_decimal_sum *sum,
                                int64_t high,
                                uint64_t low);

/* Of nothing: 0. */
struct lia_decimal lia_decimal_sum_total(struct lia_decimal_sum *sum);

#endif
