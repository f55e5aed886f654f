/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/decimal_digits.h"

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

static int larger(int a, int b)
{
    return a > b ? a : b;
}

/* Digits of a sum beyond the 34 that are kept: one to round by, one that stands for all
 * after it. */
#define GUARD 2

/* Brings both to one exponent. A number too small to reach the guard digits of the other
 * becomes a 1 just below them, which rounds the same way (General Decimal Arithmetic,
 * "addition": only its being there counts). */
static void align(struct lia_digits *a, struct lia_digits *b)
{
    struct lia_digits *high = a->exponent >= b->exponent ? a : b;
    struct lia_digits *low = a->exponent >= b->exponent ? b : a;
    int reach = high->exponent + smaller(-1, high->len - LIA_DECIMAL_DIGITS - GUARD);

    if (low->len + low->exponent - 1 < reach) {
        low->len = 1;
        low->digit[0] = 1;
        low->exponent = reach;
    }
    lia_digits_pad(high, high->exponent - low->exponent);
}

static int compare_digits(const struct lia_digits *a, const struct lia_digits *b)
{
    if (a->len != b->len) {
        return a->len - b->len;
    }
    for (int i = a->len; i-- > 0;) {
        if (a->digit[i] != b->digit[i]) {
            return a->digit[i] - b->digit[i];
        }
    }
    return 0;
}

static int digit_at(const struct lia_digits *n, int i)
{
    return i < n->len ? n->digit[i] : 0;
}

/* a += b, both of one exponent. */
static void add_digits(struct lia_digits *a, const struct lia_digits *b)
{
    int len = larger(a->len, b->len);
    int carry = 0;

    for (int i = 0; i < len; i++) {
        int sum = digit_at(a, i) + digit_at(b, i) + carry;

        a->digit[i] = (uint8_t)(sum % 10);
        carry = sum / 10;
    }
    a->len = len;
    if (carry) {
        a->digit[a->len++] = 1;
    }
}

/* a -= b, both of one exponent, a not less than b. */
static void subtract_digits(struct lia_digits *a, const struct lia_digits *b)
{
    int borrow = 0;

    for (int i = 0; i < a->len; i++) {
        int rest = a->digit[i] - digit_at(b, i) - borrow;

        borrow = rest < 0;
        a->digit[i] = (uint8_t)(rest + 10 * borrow);
    }
    while (a->len > 0 && a->digit[a->len - 1] == 0) {
        a->len--;
    }
}

/* A sum with a zero is the other number, with zeros up to the smaller exponent as far as
 * 34 digits go. */
static struct lia_decimal add_zero(struct lia_digits *n, int exponent)
{
    lia_digits_pad(n, smaller(n->exponent - exponent, LIA_DECIMAL_DIGITS - n->len));
    return lia_digits_pack(n);
}

static struct lia_decimal add_finite(struct lia_digits *a, struct lia_digits *b)
{
    int exponent = smaller(a->exponent, b->exponent);
    int order;

    if (a->len == 0 && b->len == 0) {
        a->is_negative = a->is_negative && b->is_negative;
        a->exponent = exponent;
        return lia_digits_pack(a);
    }
    if (a->len == 0 || b->len == 0) {
        return add_zero(a->len ? a : b, exponent);
    }
    align(a, b);
    if (a->is_negative == b->is_negative) {
        add_digits(a, b);
        return lia_digits_pack(a);
    }
    order = compare_digits(a, b);
    if (order == 0) {
        a->is_negative = false;
        a->len = 0;
        return lia_digits_pack(a);
    }
    subtract_digits(order > 0 ? a : b, order > 0 ? b : a);
    return lia_digits_pack(order > 0 ? a : b);
}

struct lia_decimal lia_decimal_add(struct lia_decimal a, struct lia_decimal b)
{
    struct lia_digits x;
    struct lia_digits y;

    lia_digits_unpack(a, &x);
    lia_digits_unpack(b, &y);
    if (x.kind == LIA_DECIMAL_FINITE && y.kind == LIA_DECIMAL_FINITE) {
        return add_finite(&x, &y);
    }
    if (x.kind == LIA_DECIMAL_NAN || y.kind == LIA_DECIMAL_NAN ||
        (x.kind == y.kind && x.is_negative != y.is_negative)) {
        x.kind = LIA_DECIMAL_NAN;
        return lia_digits_pack(&x);
    }
    return lia_digits_pack(x.kind == LIA_DECIMAL_INFINITE ? &x : &y);
}

struct lia_decimal lia_decimal_subtract(struct lia_decimal a, struct lia_decimal b)
{
    return lia_decimal_add(a, lia_decimal_negate(b));
}

static void multiply_digits(const struct lia_digits *a,
                            const struct lia_digits *b,
                            struct lia_digits *out)
{
    memset(out->digit, 0, sizeof(out->digit));
    for (int i = 0; i < a->len; i++) {
        int carry = 0;

        for (int j = 0; j < b->len || carry; j++) {
            int sum = out->digit[i + j] + a->digit[i] * digit_at(b, j) + carry;

            out->digit[i + j] = (uint8_t)(sum % 10);
            carry = sum / 10;
        }
    }
    out->len = a->len && b->len ? a->len + b->len : 0;
    if (out->len && out->digit[out->len - 1] == 0) {
        out->len--;
    }
}

struct lia_decimal lia_decimal_multiply(struct lia_decimal a, struct lia_decimal b)
{
    struct lia_digits x;
    struct lia_digits y;
    struct lia_digits out = {.kind = LIA_DECIMAL_FINITE};

    lia_digits_unpack(a, &x);
    lia_digits_unpack(b, &y);
    out.is_negative = x.is_negative != y.is_negative;
    out.exponent = x.exponent + y.exponent;
    if (x.kind == LIA_DECIMAL_FINITE && y.kind == LIA_DECIMAL_FINITE) {
        multiply_digits(&x, &y, &out);
    } else if (x.kind == LIA_DECIMAL_NAN || y.kind == LIA_DECIMAL_NAN ||
               (x.kind == LIA_DECIMAL_FINITE && x.len == 0) ||
               (y.kind == LIA_DECIMAL_FINITE && y.len == 0)) {
        out.kind = LIA_DECIMAL_NAN;
    } else {
        out.kind = LIA_DECIMAL_INFINITE;
    }
    return lia_digits_pack(&out);
}

/* Of two finite numbers without their signs. */
static int compare_magnitudes(const struct lia_digits *a, const struct lia_digits *b)
{
    int a_top = a->len + a->exponent;
    int b_top = b->len + b->exponent;

    if (a->len == 0 || b->len == 0) {
        return (a->len > 0) - (b->len > 0);
    }
    if (a_top != b_top) {
        return a_top - b_top;
    }
    for (int i = 1; i <= a->len || i <= b->len; i++) {
        int x = i <= a->len ? a->digit[a->len - i] : 0;
        int y = i <= b->len ? b->digit[b->len - i] : 0;

        if (x != y) {
            return x - y;
        }
    }
    return 0;
}

/* -1, 0 or 1: where a number is between the infinities; NaN before all. */
static int rank(const struct lia_digits *n)
{
    switch (n->kind) {
    case LIA_DECIMAL_NAN: return -2;
    case LIA_DECIMAL_INFINITE: return n->is_negative ? -1 : 1;
    default: return 0;
    }
}

int lia_decimal_cmp(struct lia_decimal a, struct lia_decimal b)
{
    struct lia_digits x;
    struct lia_digits y;
    int order;

    lia_digits_unpack(a, &x);
    lia_digits_unpack(b, &y);
    if (rank(&x) != rank(&y) || rank(&x) != 0) {
        return rank(&x) - rank(&y);
    }
    if (x.len && y.len && x.is_negative != y.is_negative) {
        return x.is_negative ? -1 : 1;
    }
    order = compare_magnitudes(&x, &y);
    return (x.len ? x.is_negative : y.is_negative) ? -order : order;
}
