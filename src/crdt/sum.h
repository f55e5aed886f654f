/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CRDT_SUM_H
#define LIA_CRDT_SUM_H
/*
 * crdt/sum - running totals: numbers that every peer adds up to the same bytes.
 *
 * Integers are 128 bits wide inside and int64 only when they are shown, so that the
 * order of additions does not decide whether they overflow. Otherwise the types meet as
 * in codec/number: Decimal128 before double before int64 before int32.
 *
 * Rules: what is stored is finite, since nothing can be taken from Infinity or NaN any more;
 * totals that are shown may not be. A NaN that arithmetic makes has one form. Integers beyond 128 bits stay at the
 * edge: no honest history gets there, and all peers stay at the same one.
 * Ownership: plain values. Threads: any.
 */
#include "base/reader.h"
#include "codec/decimal.h"

__extension__ typedef __int128 lia_int128;
__extension__ typedef unsigned __int128 lia_uint128;

/* `type` is that of the widest number added so far: an int32 total that no longer fits
 * is shown as int64, as $inc does. */
struct lia_sum {
    uint8_t type;
    union {
        lia_int128 integer; /* int32 and int64 */
        double real;
        struct lia_decimal decimal;
    };
};

struct lia_sum lia_sum_zero(void);

/* The caller has seen that the value is a number. */
struct lia_sum lia_sum_of(struct lia_value v);

struct lia_sum lia_sum_add(struct lia_sum a, struct lia_sum b);
struct lia_sum lia_sum_subtract(struct lia_sum a, struct lia_sum b);

/* The same type and bytes. */
bool lia_sum_equal(struct lia_sum a, struct lia_sum b);

/* Some order of all sums; 0: the same type and bytes. */
int lia_sum_cmp(struct lia_sum a, struct lia_sum b);

/* Neither Infinity nor NaN. */
bool lia_sum_is_finite(struct lia_sum sum);

/* It is an integer beyond int64. */
bool lia_sum_is_clamped(struct lia_sum sum);

/* As BSON; an integer beyond int64 is shown as the nearest int64. */
struct lia_value lia_sum_show(struct lia_sum sum, struct lia_scratch *scratch);

/* docs/format/clock.md, "number". */
void lia_sum_encode(struct lia_buf *buf, struct lia_sum sum);
/* The reader fails at what is not finite. */
struct lia_sum lia_sum_decode(struct lia_reader *r);

#endif
