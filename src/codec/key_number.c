/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/key_number.h"

#include <math.h>

#include "codec/decimal_digits.h"
#include "codec/order.h"

/* A magnitude: the bits of the greatest double that is not above it. */
struct split {
    uint64_t bits;
    bool has_more;
};

#define MANTISSA_BITS  52
#define MANTISSA_MASK  ((UINT64_C(1) << MANTISSA_BITS) - 1)
#define EXPONENT_BIAS  1023
#define EXPONENT_MIN   (-1074) /* of the least bit that a double has */
#define LARGEST_DOUBLE UINT64_C(0x7fefffffffffffff)
#define INFINITY_BITS  UINT64_C(0x7ff0000000000000)

/* ---- decimal to binary: a number of 32-bit words, the least first ---- */

/* 34 digits times 10^309, or shifted left to be divided by 10^364: see scale(). */
#define WORDS_MAX 48
#define CHUNK     UINT32_C(1000000000) /* the greatest power of ten in a word */
#define CHUNK_LOG 9

struct binary {
    uint32_t word[WORDS_MAX];
    int len;
    int shift;     /* the value is this number times 2^-shift */
    bool has_rest; /* a division has left something over */
};

static void multiply_add(struct binary *b, uint32_t factor, uint32_t carry)
{
    uint64_t rest = carry;

    for (int i = 0; i < b->len; i++) {
        rest += (uint64_t)b->word[i] * factor;
        b->word[i] = (uint32_t)rest;
        rest >>= 32;
    }
    if (rest) {
        b->word[b->len++] = (uint32_t)rest;
    }
}

static void divide(struct binary *b, uint32_t divisor)
{
    uint64_t rest = 0;

    for (int i = b->len; i-- > 0;) {
        rest = rest << 32 | b->word[i];
        b->word[i] = (uint32_t)(rest / divisor);
        rest %= divisor;
    }
    b->has_rest = b->has_rest || rest != 0;
    while (b->len > 0 && b->word[b->len - 1] == 0) {
        b->len--;
    }
}

static uint32_t power_of_ten(int exponent)
{
    uint32_t power = 1;

    while (exponent-- > 0) {
        power *= 10;
    }
    return power;
}

/* Room for 64 bits that count after a division by 10^k: 10^k < 2^(k * 10 / 3 + 1). */
static void make_room(struct binary *b, int k)
{
    int words = (k * 10 / 3 + 1 + 64 + 31) / 32;

    memmove(b->word + words, b->word, (size_t)b->len * sizeof(b->word[0]));
    memset(b->word, 0, (size_t)words * sizeof(b->word[0]));
    b->len += words;
    b->shift = 32 * words;
}

static void scale(struct binary *b, int exponent)
{
    if (exponent < 0) {
        make_room(b, -exponent);
    }
    for (; exponent >= CHUNK_LOG; exponent -= CHUNK_LOG) {
        multiply_add(b, CHUNK, 0);
    }
    for (; exponent <= -CHUNK_LOG; exponent += CHUNK_LOG) {
        divide(b, CHUNK);
    }
    if (exponent > 0) {
        multiply_add(b, power_of_ten(exponent), 0);
    } else if (exponent < 0) {
        divide(b, power_of_ten(-exponent));
    }
}

static struct binary binary_of_digits(const struct lia_digits *n)
{
    struct binary b = {.len = 0};

    for (int i = n->len; i-- > 0;) {
        multiply_add(&b, 10, n->digit[i]);
    }
    scale(&b, n->exponent);
    return b;
}

static int highest_bit(uint32_t word)
{
    int bit = -1;

    for (; word; word >>= 1) {
        bit++;
    }
    return bit;
}

static int top_bit(const struct binary *b)
{
    return 32 * (b->len - 1) + highest_bit(b->word[b->len - 1]);
}

static bool bit_at(const struct binary *b, int at)
{
    return at >= 0 && (b->word[at / 32] >> (at % 32) & 1) != 0;
}

static bool has_bits_below(const struct binary *b, int at)
{
    for (int i = 0; i < at / 32; i++) {
        if (b->word[i]) {
            return true;
        }
    }
    return at > 0 && (b->word[at / 32] & ((UINT32_C(1) << at % 32) - 1)) != 0;
}

/* Cuts after 53 bits, or after the least bit that a double has. */
static struct split cut(const struct binary *b)
{
    int top = top_bit(b);
    int exponent = top - b->shift;
    int low = top - MANTISSA_BITS;
    uint64_t kept = 0;

    if (exponent > EXPONENT_BIAS) {
        return (struct split){LARGEST_DOUBLE, true};
    }
    if (low < b->shift + EXPONENT_MIN) {
        low = b->shift + EXPONENT_MIN;
    }
    for (int at = top; at >= low; at--) {
        kept = kept << 1 | bit_at(b, at);
    }
    if (exponent >= 1 - EXPONENT_BIAS) {
        kept &= MANTISSA_MASK;
        kept |= (uint64_t)(exponent + EXPONENT_BIAS) << MANTISSA_BITS;
    }
    return (struct split){kept, b->has_rest || (low > top || has_bits_below(b, low))};
}

/* ---- numbers of each type ---- */

/* 10^309 is above the greatest double, 10^-324 below the least. */
#define POINT_MAX 310
#define POINT_MIN (-330)

static struct split split_digits(const struct lia_digits *n)
{
    struct binary b;

    if (n->kind == LIA_DECIMAL_INFINITE) {
        return (struct split){INFINITY_BITS, false};
    }
    if (n->len == 0) {
        return (struct split){0, false};
    }
    if (n->len + n->exponent > POINT_MAX) {
        return (struct split){LARGEST_DOUBLE, true};
    }
    if (n->len + n->exponent < POINT_MIN) {
        return (struct split){0, true};
    }
    b = binary_of_digits(n);
    return cut(&b);
}

static size_t put_split(struct split s, uint8_t *out)
{
    size_t len = 0;
    bool has_more = true;

    for (int shift = 56; shift >= 0 && has_more; shift -= 7) {
        uint64_t below = s.bits & ((UINT64_C(1) << shift) - 1);

        has_more = s.has_more || below != 0;
        out[len++] = (uint8_t)((s.bits >> shift & 0x7f) << 1 | has_more);
    }
    return len;
}

#define POINT_BIAS 0x2000

static size_t put_digits(const struct lia_digits *n, uint8_t *out)
{
    unsigned point = (unsigned)(n->len + n->exponent + POINT_BIAS);
    int last = 0;
    size_t len = 0;

    while (n->digit[last] == 0) {
        last++;
    }
    out[len++] = (uint8_t)(point >> 8);
    out[len++] = (uint8_t)point;
    for (int i = n->len - 1; i >= last; i -= 2) {
        int pair = n->digit[i] * 10 + (i > last ? n->digit[i - 1] : 0);

        out[len++] = (uint8_t)(pair * 2 + (i - 2 >= last));
    }
    return len;
}

static size_t put_magnitude(const struct lia_digits *n, uint8_t *out)
{
    struct split s = split_digits(n);
    size_t len = put_split(s, out);

    return s.has_more ? len + put_digits(n, out + len) : len;
}

static size_t finish(bool is_negative, size_t magnitude_len, uint8_t *out)
{
    out[0] = is_negative ? LIA_CLASS_NUMBER_NEGATIVE : LIA_CLASS_NUMBER_POSITIVE;
    for (size_t i = 1; is_negative && i <= magnitude_len; i++) {
        out[i] = (uint8_t)~out[i];
    }
    return 1 + magnitude_len;
}

static size_t key_of_nan(uint8_t *out)
{
    out[0] = LIA_CLASS_NUMBER;
    return 1;
}

static size_t key_of_double(double v, uint8_t *out)
{
    struct split s = {0, false};
    double magnitude = fabs(v);

    if (isnan(v)) {
        return key_of_nan(out);
    }
    memcpy(&s.bits, &magnitude, sizeof(s.bits));
    return finish(v < 0, put_split(s, out + 1), out);
}

static size_t key_of_decimal(struct lia_decimal d, uint8_t *out)
{
    struct lia_digits n;

    lia_digits_unpack(d, &n);
    if (n.kind == LIA_DECIMAL_NAN) {
        return key_of_nan(out);
    }
    if (n.kind == LIA_DECIMAL_FINITE && n.len == 0) {
        n.is_negative = false;
    }
    return finish(n.is_negative, put_magnitude(&n, out + 1), out);
}

#define EXACT_INTEGER (INT64_C(1) << 53) /* up to here each integer is a double */

static size_t key_of_int64(int64_t v, uint8_t *out)
{
    if (v >= -EXACT_INTEGER && v <= EXACT_INTEGER) {
        return key_of_double((double)v, out);
    }
    return key_of_decimal(lia_decimal_of_int64(v), out);
}

size_t lia_key_number(struct lia_value v, uint8_t out[static LIA_KEY_NUMBER_MAX])
{
    switch (v.type) {
    case LIA_BSON_INT32: return key_of_double(lia_value_int32(v), out);
    case LIA_BSON_INT64: return key_of_int64(lia_value_int64(v), out);
    case LIA_BSON_DOUBLE: return key_of_double(lia_value_double(v), out);
    default: return key_of_decimal(lia_value_decimal(v), out);
    }
}
