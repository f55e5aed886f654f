/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CODEC_NUMBER_H
#define LIA_CODEC_NUMBER_H
/*
 * codec/number - arithmetic on the four BSON number types, as MongoDB's $inc does it.
 *
 * The result's type: Decimal128 if one is a Decimal128, else double if one is a double,
 * else int64 if one is an int64 or the sum of two int32 needs it, else int32. A double
 * that meets a Decimal128 is taken with 15 significant digits (lia_decimal_of_double); an
 * int64 that meets a double is rounded to it.
 *
 * Rules: integers never wrap and never turn into doubles by themselves: LIANA_ERANGE.
 * Ownership: `out` points into `scratch`. Threads: any. No state.
 */
#include "codec/bson.h"

/* LIANA_ETYPE when one is no number, LIANA_ERANGE when an integer sum is beyond int64. */
LIANA_MUST_CHECK liana_status lia_number_add(struct lia_value a,
                                             struct lia_value b,
                                             struct lia_scratch *scratch,
                                             struct lia_value *out);

/* -a. The negative of the least int32 is an int64; LIANA_ERANGE for the least int64. */
LIANA_MUST_CHECK liana_status lia_number_negate(struct lia_value a,
                                                struct lia_scratch *scratch,
                                                struct lia_value *out);

/* Decimal digits with at most a minus before them, within int64. */
bool lia_int64_parse(struct liana_str text, int64_t *out);

/* Zero of any type and sign? False for what is no number. */
bool lia_number_is_zero(struct lia_value v);

#endif
