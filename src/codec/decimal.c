/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/decimal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "codec/decimal_digits.h"

#define SIGN_BIT      (UINT64_C(1) << 63)
#define INFINITY_HIGH (UINT64_C(0x1e) << 58)
#define NAN_HIGH      (UINT64_C(0x1f) << 58)
#define HIGH_COEFF    ((UINT64_C(1) << 49) - 1) /* its bits above the low word */
#define BIAS          6176

#define CHUNK        UINT32_C(1000000000) /* nine digits at a time */
#define CHUNK_DIGITS 9
#define WORDS        4

struct lia_decimal lia_value_decimal(struct lia_value v)
{
    struct lia_decimal d = {0, 0};

    for (size_t i = 0; i < 8; i++) {
        d.low |= (uint64_t)v.data.ptr[i] << (8 * i);
        d.high |= (uint64_t)v.data.ptr[8 + i] << (8 * i);
    }
    return d;
}

struct lia_value lia_value_of_decimal(struct lia_decimal d, struct lia_scratch *scratch)
{
    for (size_t i = 0; i < 8; i++) {
        scratch->bytes[i] = (uint8_t)(d.low >> (8 * i));
        scratch->bytes[8 + i] = (uint8_t)(d.high >> (8 * i));
    }
    return (struct lia_value){LIA_BSON_DECIMAL128, {scratch->bytes, 16}};
}

void lia_bson_add_decimal(struct lia_buf *buf,
                          struct liana_str name,
                          struct lia_decimal d)
{
    struct lia_scratch scratch;

    lia_bson_add(buf, name, lia_value_of_decimal(d, &scratch));
}

bool lia_decimal_is_nan(struct lia_decimal d)
{
    return (d.high & NAN_HIGH) == NAN_HIGH;
}

bool lia_decimal_is_infinite(struct lia_decimal d)
{
    return (d.high & NAN_HIGH) == INFINITY_HIGH;
}

bool lia_decimal_is_negative(struct lia_decimal d)
{
    return (d.high & SIGN_BIT) != 0;
}

bool lia_decimal_is_zero(struct lia_decimal d)
{
    struct lia_digits n;

    lia_digits_unpack(d, &n);
    return n.kind == LIA_DECIMAL_FINITE && n.len == 0;
}

struct lia_decimal lia_decimal_negate(struct lia_decimal a)
{
    if (!lia_decimal_is_nan(a)) {
        a.high ^= SIGN_BIT;
    }
    return a;
}

/* ---- binary coefficient and digits ---- */

/* Divides the number in place by CHUNK; answers the remainder. */
static uint32_t divide_by_chunk(uint32_t word[WORDS])
{
    uint64_t rest = 0;

    for (size_t i = WORDS; i-- > 0;) {
        rest = rest << 32 | word[i];
        word[i] = (uint32_t)(rest / CHUNK);
        rest %= CHUNK;
    }
    return (uint32_t)rest;
}

static void trim(struct lia_digits *n)
{
    while (n->len > 0 && n->digit[n->len - 1] == 0) {
        n->len--;
    }
}

static void digits_of_coefficient(uint64_t high, uint64_t low, struct lia_digits *out)
{
    uint32_t word[WORDS] = {(uint32_t)low, (uint32_t)(low >> 32), (uint32_t)high,
                            (uint32_t)(high >> 32)};

    for (out->len = 0; word[0] | word[1] | word[2] | word[3];) {
        uint32_t chunk = divide_by_chunk(word);

        for (int i = 0; i < CHUNK_DIGITS; i++) {
            out->digit[out->len++] = (uint8_t)(chunk % 10);
            chunk /= 10;
        }
    }
    trim(out);
}

static void coefficient_of_digits(const struct lia_digits *n,
                                  uint64_t *out_high,
                                  uint64_t *out_low)
{
    uint32_t word[WORDS] = {0};

    for (int i = n->len; i-- > 0;) {
        uint64_t carry = n->digit[i];

        for (size_t w = 0; w < WORDS; w++) {
            carry += (uint64_t)word[w] * 10;
            word[w] = (uint32_t)carry;
            carry >>= 32;
        }
    }
    *out_low = (uint64_t)word[1] << 32 | word[0];
    *out_high = (uint64_t)word[3] << 32 | word[2];
}

void lia_digits_unpack(struct lia_decimal d, struct lia_digits *out)
{
    bool is_large = (d.high >> 61 & 3) == 3; /* the form of coefficients >= 2^113 */

    out->is_negative = lia_decimal_is_negative(d);
    out->len = 0;
    out->exponent = 0;
    out->kind = lia_decimal_is_nan(d)        ? LIA_DECIMAL_NAN
                : lia_decimal_is_infinite(d) ? LIA_DECIMAL_INFINITE
                                             : LIA_DECIMAL_FINITE;
    if (out->kind != LIA_DECIMAL_FINITE) {
        return;
    }
    out->exponent = (int)(d.high >> (is_large ? 47 : 49) & 0x3fff) - BIAS;
    if (!is_large) {
        digits_of_coefficient(d.high & HIGH_COEFF, d.low, out);
    }
    if (out->len > LIA_DECIMAL_DIGITS) {
        out->len = 0;
    }
}

/* ---- rounding ---- */

void lia_digits_pad(struct lia_digits *n, int by)
{
    if (n->len > 0) {
        memmove(n->digit + by, n->digit, (size_t)n->len);
        memset(n->digit, 0, (size_t)by);
        n->len += by;
    }
    n->exponent -= by;
}

static bool rounds_up(const struct lia_digits *n, int dropped)
{
    bool is_odd = dropped < n->len && n->digit[dropped] % 2 == 1;
    uint8_t half = dropped <= n->len ? n->digit[dropped - 1] : 0;

    if (half != 5) {
        return half > 5;
    }
    for (int i = 0; i < dropped - 1; i++) {
        if (n->digit[i] != 0) {
            return true;
        }
    }
    return is_odd;
}

/* Takes the last digits away, rounding half to even. */
static void drop(struct lia_digits *n, int dropped)
{
    bool up = rounds_up(n, dropped);
    int i = 0;

    n->exponent += dropped;
    if (dropped < n->len) {
        n->len -= dropped;
        memmove(n->digit, n->digit + dropped, (size_t)n->len);
    } else {
        n->len = 0;
    }
    if (!up) {
        return;
    }
    while (i < n->len && n->digit[i] == 9) {
        n->digit[i++] = 0;
    }
    if (i == n->len) {
        n->digit[n->len++] = 0;
    }
    n->digit[i]++;
}

/* IEEE 754-2008 section 7.4 and 7.5: one rounding, to 34 digits or to the smallest
 * exponent, whichever takes more away; a carry to 35 digits ends in zero. */
static void fit(struct lia_digits *n)
{
    int too_long = n->len - LIA_DECIMAL_DIGITS;
    int too_small = LIA_DECIMAL_EXPONENT_MIN - n->exponent;
    int dropped = too_long > too_small ? too_long : too_small;
    int too_large;

    if (n->len == 0 && too_small > 0) {
        n->exponent = LIA_DECIMAL_EXPONENT_MIN;
    } else if (dropped > 0) {
        drop(n, dropped);
    }
    if (n->len > LIA_DECIMAL_DIGITS) {
        drop(n, 1);
    }
    too_large = n->exponent - LIA_DECIMAL_EXPONENT_MAX;
    if (too_large <= 0) {
        return;
    }
    if (n->len == 0) {
        n->exponent = LIA_DECIMAL_EXPONENT_MAX;
    } else if (too_large <= LIA_DECIMAL_DIGITS - n->len) {
        lia_digits_pad(n, too_large);
    } else {
        n->kind = LIA_DECIMAL_INFINITE;
    }
}

struct lia_decimal lia_digits_pack(struct lia_digits *n)
{
    struct lia_decimal d = {0, NAN_HIGH};

    if (n->kind == LIA_DECIMAL_NAN) {
        return d;
    }
    if (n->kind == LIA_DECIMAL_FINITE) {
        fit(n);
    }
    if (n->kind == LIA_DECIMAL_INFINITE) {
        d.high = INFINITY_HIGH;
    } else {
        coefficient_of_digits(n, &d.high, &d.low);
        d.high |= (uint64_t)(n->exponent + BIAS) << 49;
    }
    d.high |= n->is_negative ? SIGN_BIT : 0;
    return d;
}

/* ---- conversion ---- */

struct lia_decimal lia_decimal_of_int64(int64_t v)
{
    uint64_t magnitude = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    uint64_t high = (uint64_t)BIAS << 49 | (v < 0 ? SIGN_BIT : 0);

    return (struct lia_decimal){magnitude, high};
}

struct lia_decimal lia_decimal_of_int128(int64_t high, uint64_t low)
{
    __extension__ typedef unsigned __int128 wide;
    struct lia_digits n = {.kind = LIA_DECIMAL_FINITE, .is_negative = high < 0};
    wide v = (wide)(uint64_t)high << 64 | low;

    for (v = high < 0 ? 0 - v : v; v; v /= 10) {
        n.digit[n.len++] = (uint8_t)(v % 10);
    }
    return lia_digits_pack(&n);
}

#define DOUBLE_DIGITS 15

struct lia_decimal lia_decimal_of_double(double v)
{
    struct lia_digits n = {.kind = LIA_DECIMAL_FINITE, .is_negative = signbit(v) != 0};
    char text[32];
    const char *at = text;

    if (isnan(v) || isinf(v)) {
        n.kind = isnan(v) ? LIA_DECIMAL_NAN : LIA_DECIMAL_INFINITE;
        return lia_digits_pack(&n);
    }
    if (v == 0) {
        return lia_digits_pack(&n);
    }
    (void)snprintf(text, sizeof(text), "%.*e", DOUBLE_DIGITS - 1, fabs(v));
    for (n.len = DOUBLE_DIGITS; n.len > 0; at++) { /* past the locale's point */
        if (*at >= '0' && *at <= '9') {
            n.digit[--n.len] = (uint8_t)(*at - '0');
        }
    }
    n.len = DOUBLE_DIGITS;
    n.exponent = (int)strtol(at + 1, NULL, 10) - (DOUBLE_DIGITS - 1);
    return lia_digits_pack(&n);
}
