/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Quotient, remainder and whole part. A coefficient is below 10^34 < 2^113, so that 128 bits
 * hold it and four more digits.
 */
#include "codec/decimal_digits.h"

#define INT64_DIGITS 19

__extension__ typedef unsigned __int128 wide;

static wide coefficient(const struct lia_digits *n)
{
    wide v = 0;

    for (int i = n->len; i-- > 0;) {
        v = v * 10 + n->digit[i];
    }
    return v;
}

static wide divisor_of(const struct lia_digits *n)
{
    wide v = coefficient(n);

    LIA_ASSERT(v != 0); /* the callers have looked at its length */
    return v;
}

static void set_coefficient(wide v, struct lia_digits *out)
{
    for (out->len = 0; v; v /= 10) {
        out->digit[out->len++] = (uint8_t)(v % 10);
    }
}

/* One more digit at the end, the exponent one less. */
static void append(struct lia_digits *n, uint8_t digit)
{
    lia_digits_pad(n, 1);
    n->digit[0] = digit;
    n->len = n->len || digit == 0 ? n->len : 1;
}

static struct lia_decimal nan_of(void)
{
    struct lia_digits n = {.kind = LIA_DECIMAL_NAN};

    return lia_digits_pack(&n);
}

/* ---- quotient ---- */

/* Digits until nothing is left or one more is known than are kept; then a 1 stands for all
 * the others, which matters to rounding only. An exact quotient ends as soon as it can:
 * that is the exponent nearest to the preferred one, the difference of the exponents
 * (IEEE 754-2008 section 5.4.1). */
static struct lia_decimal divide_finite(const struct lia_digits *a,
                                        const struct lia_digits *b)
{
    struct lia_digits out = {.is_negative = a->is_negative != b->is_negative};
    wide divisor = divisor_of(b);
    wide rest = coefficient(a);

    set_coefficient(rest / divisor, &out);
    out.exponent = a->exponent - b->exponent;
    rest %= divisor;
    while (rest && out.len <= LIA_DECIMAL_DIGITS) {
        rest *= 10;
        append(&out, (uint8_t)(rest / divisor));
        rest %= divisor;
    }
    if (rest) {
        append(&out, 1);
    }
    return lia_digits_pack(&out);
}

struct lia_decimal lia_decimal_divide(struct lia_decimal a, struct lia_decimal b)
{
    struct lia_digits out = {.kind = LIA_DECIMAL_FINITE};
    struct lia_digits x;
    struct lia_digits y;

    lia_digits_unpack(a, &x);
    lia_digits_unpack(b, &y);
    out.is_negative = x.is_negative != y.is_negative;
    if (x.kind == LIA_DECIMAL_NAN || y.kind == LIA_DECIMAL_NAN) {
        return nan_of();
    }
    if (x.kind == LIA_DECIMAL_INFINITE) {
        out.kind =
            y.kind == LIA_DECIMAL_FINITE ? LIA_DECIMAL_INFINITE : LIA_DECIMAL_NAN;
    } else if (y.kind == LIA_DECIMAL_INFINITE) {
        out.exponent = LIA_DECIMAL_EXPONENT_MIN;
    } else if (y.len == 0) {
        out.kind = x.len ? LIA_DECIMAL_INFINITE : LIA_DECIMAL_NAN;
    } else {
        return divide_finite(&x, &y);
    }
    return lia_digits_pack(&out);
}

/* ---- remainder ---- */

/* value * 10^places modulo divisor. */
static wide shifted_modulo(wide value, int places, wide divisor)
{
    value %= divisor;
    for (; places >= 4 && value; places -= 4) {
        value = value * 10000 % divisor;
    }
    for (; places > 0; places--) {
        value = value * 10 % divisor;
    }
    return value;
}

/* The remainder of the truncated quotient is exact: it is below b, or it is a. */
static struct lia_decimal remainder_finite(struct lia_digits *a, struct lia_digits *b)
{
    int apart = a->exponent - b->exponent;

    if (apart >= 0) {
        set_coefficient(shifted_modulo(coefficient(a), apart, divisor_of(b)), a);
        a->exponent = b->exponent;
    } else if (b->len - apart <= a->len) {
        lia_digits_pad(b, -apart);
        set_coefficient(coefficient(a) % divisor_of(b), a);
    }
    return lia_digits_pack(a);
}

struct lia_decimal lia_decimal_remainder(struct lia_decimal a, struct lia_decimal b)
{
    struct lia_digits x;
    struct lia_digits y;

    lia_digits_unpack(a, &x);
    lia_digits_unpack(b, &y);
    if (x.kind != LIA_DECIMAL_FINITE || y.kind == LIA_DECIMAL_NAN) {
        return nan_of();
    }
    if (y.kind == LIA_DECIMAL_INFINITE) {
        return lia_digits_pack(&x);
    }
    return y.len ? remainder_finite(&x, &y) : nan_of();
}

/* ---- whole part ---- */

/* Of a number whose last `dropped` digits are the fraction. */
static bool goes_away_from_zero(const struct lia_digits *n,
                                int dropped,
                                enum lia_decimal_rounding rounding)
{
    if (n->len == 0) {
        return false;
    }
    if (rounding == LIA_DECIMAL_NEAREST) {
        return dropped <= n->len && n->digit[dropped - 1] >= 5;
    }
    if (n->is_negative != (rounding == LIA_DECIMAL_FLOOR)) {
        return false;
    }
    for (int i = 0; i < dropped && i < n->len; i++) {
        if (n->digit[i]) {
            return true;
        }
    }
    return false;
}

struct lia_decimal lia_decimal_whole(struct lia_decimal a,
                                     enum lia_decimal_rounding rounding)
{
    struct lia_digits n;
    int dropped;
    bool up;

    lia_digits_unpack(a, &n);
    dropped = -n.exponent;
    if (n.kind == LIA_DECIMAL_NAN || dropped <= 0) {
        return n.kind == LIA_DECIMAL_NAN ? nan_of() : a;
    }
    up = goes_away_from_zero(&n, dropped, rounding);
    n.len = dropped < n.len ? n.len - dropped : 0;
    for (int i = 0; i < n.len; i++) {
        n.digit[i] = n.digit[i + dropped];
    }
    n.exponent = 0;
    set_coefficient(coefficient(&n) + up, &n);
    return lia_digits_pack(&n);
}

bool lia_decimal_to_int64(struct lia_decimal d, int64_t *out)
{
    struct lia_digits n;
    uint64_t limit;
    wide v = 0;

    lia_digits_unpack(d, &n);
    if (n.kind != LIA_DECIMAL_FINITE || (n.len && n.len + n.exponent > INT64_DIGITS)) {
        return false;
    }
    for (int i = n.len; i-- > 0 && i + n.exponent >= 0;) {
        v = v * 10 + n.digit[i];
    }
    for (int i = 0; i < n.exponent && v; i++) {
        v *= 10;
    }
    limit = (uint64_t)INT64_MAX + n.is_negative;
    if (v > limit) {
        return false;
    }
    *out = (int64_t)(n.is_negative ? 0 - (uint64_t)v : (uint64_t)v);
    return true;
}
