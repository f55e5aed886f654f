/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CODEC_DECIMAL_DIGITS_H
#define LIA_CODEC_DECIMAL_DIGITS_H
/*
 * codec/decimal_digits - a Decimal128 taken apart into its decimal digits, for arithmetic,
 * text and keys.
 *
 * Rules: digit[0] is the last digit (times 10^exponent); digit[len - 1] is not 0, so the
 * number zero has len 0. Infinity and NaN have no digits.
 * Ownership: plain values. Threads: any. No state.
 */
#include "codec/decimal.h"

enum lia_decimal_kind { LIA_DECIMAL_FINITE, LIA_DECIMAL_INFINITE, LIA_DECIMAL_NAN };

/* Room for a product (68 digits) and for two numbers of 34 digits side by side with
 * guard digits, as addition lays them. */
#define LIA_DIGITS_MAX 72

struct lia_digits {
    enum lia_decimal_kind kind;
    bool is_negative;
    int exponent;
    int len;
    uint8_t digit[LIA_DIGITS_MAX];
};

void lia_digits_unpack(struct lia_decimal d, struct lia_digits *out);

/* Rounds to what Decimal128 can hold. */
struct lia_decimal lia_digits_pack(struct lia_digits *n);

/* Multiplies by 10^by without changing the value: zeros at the end. The room is the
 * caller's care. */
void lia_digits_pad(struct lia_digits *n, int by);

#endif
