/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/decimal_sum.h"

#include "codec/decimal_digits.h"

__extension__ typedef __int128 wide;

#define LIMB_DIGITS 9
#define LIMB        1000000000

/* A limb takes so many summands of less than LIMB before it must carry; what it carries is
 * less than LIMB. */
#define SUMMANDS_MAX ((uint32_t)1 << 29)

/* Digits that are looked at for rounding; what is below only makes a half more. */
#define SHOWN_DIGITS (LIA_DIGITS_MAX - 2)

void lia_decimal_sum_init(struct lia_decimal_sum *sum, const struct liana_allocator *a)
{
    *sum = (struct lia_decimal_sum){.alloc = a};
}

void lia_decimal_sum_deinit(struct lia_decimal_sum *sum)
{
    lia_mem_free(sum->alloc, sum->limbs, (size_t)sum->count * sizeof(*sum->limbs));
    *sum = (struct lia_decimal_sum){.alloc = sum->alloc};
}

/* Towards minus infinity. */
static int limb_of(int exponent)
{
    return exponent >= 0 ? exponent / LIMB_DIGITS
                         : -((-exponent + LIMB_DIGITS - 1) / LIMB_DIGITS);
}

/* Room for limbs `low` to `high`, and for one to carry into. */
static bool reach(struct lia_decimal_sum *sum, int low, int high)
{
    int first = sum->count && sum->first < low ? sum->first : low;
    int end = sum->count && sum->first + sum->count > high + 2 ? sum->first + sum->count
                                                               : high + 2;
    int64_t *limbs;

    if (sum->count == end - first) {
        return true;
    }
    limbs = lia_mem_zalloc(sum->alloc, (size_t)(end - first) * sizeof(*limbs));
    if (!limbs) {
        return false;
    }
    if (sum->count) {
        memcpy(limbs + (sum->first - first), sum->limbs,
               (size_t)sum->count * sizeof(*limbs));
    }
    lia_mem_free(sum->alloc, sum->limbs, (size_t)sum->count * sizeof(*limbs));
    sum->limbs = limbs;
    sum->first = first;
    sum->count = end - first;
    return true;
}

/* All limbs but the uppermost become 0 to LIMB - 1. */
static void carry(struct lia_decimal_sum *sum)
{
    for (int i = 0; i + 1 < sum->count; i++) {
        int64_t up = sum->limbs[i] / LIMB;

        sum->limbs[i] -= up * LIMB;
        if (sum->limbs[i] < 0) {
            sum->limbs[i] += LIMB;
            up--;
        }
        sum->limbs[i + 1] += up;
    }
    sum->since_carry = 0;
}

static bool add_finite(struct lia_decimal_sum *sum, const struct lia_digits *n)
{
    int at = n->exponent - limb_of(n->exponent) * LIMB_DIGITS; /* within the limb */
    int64_t unit = 1;

    if (!reach(sum, limb_of(n->exponent), limb_of(n->exponent + n->len))) {
        return false;
    }
    if (sum->since_carry == SUMMANDS_MAX) {
        if (!reach(sum, sum->first, sum->first + sum->count - 1)) {
            return false;
        }
        carry(sum);
    }
    sum->since_carry++;
    for (int i = 0; i < at; i++) {
        unit *= 10;
    }
    for (int i = 0, limb = limb_of(n->exponent) - sum->first; i < n->len; i++) {
        sum->limbs[limb] += (n->is_negative ? -unit : unit) * n->digit[i];
        unit *= 10;
        if (unit == LIMB) {
            unit = 1;
            limb++;
        }
    }
    if (sum->finite++ == 0 || n->exponent < sum->exponent) {
        sum->exponent = n->exponent;
    }
    sum->negative_zeros += n->is_negative && n->len == 0;
    return true;
}

bool lia_decimal_sum_add(struct lia_decimal_sum *sum, struct lia_decimal d)
{
    struct lia_digits n;

    lia_digits_unpack(d, &n);
    switch (n.kind) {
    case LIA_DECIMAL_NAN: sum->has_nan = true; return true;
    case LIA_DECIMAL_INFINITE: sum->has_infinity[n.is_negative] = true; return true;
    case LIA_DECIMAL_FINITE: break;
    }
    return add_finite(sum, &n);
}

bool lia_decimal_sum_add_int128(struct lia_decimal_sum *sum, int64_t high, uint64_t low)
{
    wide n = (wide)high * ((wide)1 << 64) + low;
    wide upper = n / LIMB;
    struct lia_digits part;
    bool good = lia_decimal_sum_add(sum, lia_decimal_of_int64((int64_t)(n % LIMB)));

    /* The upper part is short of 34 digits. */
    lia_digits_unpack(lia_decimal_of_int128((int64_t)(upper >> 64), (uint64_t)upper),
                      &part);
    part.exponent += LIMB_DIGITS;
    return good && (part.len == 0 || add_finite(sum, &part));
}

/* ---- the result ---- */

/* Makes the limbs those of the magnitude; answers the sign. */
static bool take_sign(struct lia_decimal_sum *sum)
{
    carry(sum);
    if (sum->count == 0 || sum->limbs[sum->count - 1] >= 0) {
        return false;
    }
    for (int i = 0; i < sum->count; i++) {
        sum->limbs[i] = -sum->limbs[i];
    }
    carry(sum);
    return true;
}

static int digit_at(const struct lia_decimal_sum *sum, int exponent)
{
    int64_t limb = sum->limbs[limb_of(exponent) - sum->first];

    for (int i = exponent - limb_of(exponent) * LIMB_DIGITS; i > 0; i--) {
        limb /= 10;
    }
    return (int)(limb % 10);
}

/* The exponent of the uppermost digit that is not 0; below all: there is none. */
static int top_exponent(const struct lia_decimal_sum *sum)
{
    int top = (sum->first + sum->count) * LIMB_DIGITS - 1;

    while (top >= sum->first * LIMB_DIGITS && digit_at(sum, top) == 0) {
        top--;
    }
    return top;
}

static struct lia_decimal zero(const struct lia_decimal_sum *sum)
{
    struct lia_digits n = {.exponent = sum->exponent,
                           .is_negative =
                               sum->finite && sum->negative_zeros == sum->finite};

    return lia_digits_pack(&n);
}

static struct lia_decimal finite_total(struct lia_decimal_sum *sum)
{
    bool is_negative = take_sign(sum);
    int top = sum->count ? top_exponent(sum) : 0;
    struct lia_digits n = {.is_negative = is_negative, .exponent = sum->exponent};

    if (sum->count == 0 || top < sum->exponent) {
        return zero(sum);
    }
    if (top - n.exponent >= SHOWN_DIGITS) {
        n.exponent = top - SHOWN_DIGITS + 1;
    }
    for (int e = n.exponent; e <= top; e++) {
        n.digit[n.len++] = (uint8_t)digit_at(sum, e);
    }
    for (int e = sum->exponent; e < n.exponent; e++) {
        if (digit_at(sum, e)) {
            n.digit[0] |= 1; /* so that what was cut is not taken for nothing */
            break;
        }
    }
    return lia_digits_pack(&n);
}

struct lia_decimal lia_decimal_sum_total(struct lia_decimal_sum *sum)
{
    struct lia_digits n = {.kind = LIA_DECIMAL_INFINITE,
                           .is_negative = sum->has_infinity[1]};

    if (sum->has_nan || (sum->has_infinity[0] && sum->has_infinity[1])) {
        n.kind = LIA_DECIMAL_NAN;
        n.is_negative = false;
        return lia_digits_pack(&n);
    }
    if (sum->has_infinity[0] || sum->has_infinity[1]) {
        return lia_digits_pack(&n);
    }
    return finite_total(sum);
}
