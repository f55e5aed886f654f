/* SPDX-License-Identifier: Apache-2.0 */
#include "crdt/sum.h"

#include <math.h>

#define INT128_MAX ((lia_int128)(((lia_uint128)1 << 127) - 1))
#define INT128_MIN (-INT128_MAX - 1)

static bool is_integer(struct lia_sum s)
{
    return s.type == LIA_BSON_INT32 || s.type == LIA_BSON_INT64;
}

static struct lia_sum of_integer(uint8_t type, lia_int128 n)
{
    return (struct lia_sum){.type = type, .integer = n};
}

static struct lia_sum of_double(double d)
{
    static const uint64_t quiet_nan = UINT64_C(0x7ff8000000000000);
    struct lia_sum s = {.type = LIA_BSON_DOUBLE, .real = d};

    if (isnan(d)) {
        memcpy(&s.real, &quiet_nan, sizeof(s.real));
    }
    return s;
}

static struct lia_sum of_decimal(struct lia_decimal d)
{
    return (struct lia_sum){.type = LIA_BSON_DECIMAL128, .decimal = d};
}

struct lia_sum lia_sum_zero(void)
{
    return of_integer(LIA_BSON_INT32, 0);
}

struct lia_sum lia_sum_of(struct lia_value v)
{
    switch (v.type) {
    case LIA_BSON_INT32: return of_integer(v.type, lia_value_int32(v));
    case LIA_BSON_INT64: return of_integer(v.type, lia_value_int64(v));
    case LIA_BSON_DOUBLE: return of_double(lia_value_double(v));
    default: return of_decimal(lia_value_decimal(v));
    }
}

static double as_double(struct lia_sum s)
{
    return is_integer(s) ? (double)s.integer : s.real;
}

static struct lia_decimal as_decimal(struct lia_sum s)
{
    switch (s.type) {
    case LIA_BSON_DECIMAL128: return s.decimal;
    case LIA_BSON_DOUBLE: return lia_decimal_of_double(s.real);
    default:
        return lia_decimal_of_int128((int64_t)(s.integer >> 64), (uint64_t)s.integer);
    }
}

static lia_int128 add_integers(lia_int128 a, lia_int128 b)
{
    if (b > 0) {
        return a > INT128_MAX - b ? INT128_MAX : a + b;
    }
    return a < INT128_MIN - b ? INT128_MIN : a + b;
}

struct lia_sum lia_sum_add(struct lia_sum a, struct lia_sum b)
{
    if (a.type == LIA_BSON_DECIMAL128 || b.type == LIA_BSON_DECIMAL128) {
        return of_decimal(lia_decimal_add(as_decimal(a), as_decimal(b)));
    }
    if (a.type == LIA_BSON_DOUBLE || b.type == LIA_BSON_DOUBLE) {
        return of_double(as_double(a) + as_double(b));
    }
    return of_integer(a.type > b.type ? a.type : b.type,
                      add_integers(a.integer, b.integer));
}

static struct lia_sum negate(struct lia_sum s)
{
    switch (s.type) {
    case LIA_BSON_DECIMAL128: return of_decimal(lia_decimal_negate(s.decimal));
    case LIA_BSON_DOUBLE: return of_double(-s.real);
    default:
        return of_integer(s.type, s.integer == INT128_MIN ? INT128_MAX : -s.integer);
    }
}

struct lia_sum lia_sum_subtract(struct lia_sum a, struct lia_sum b)
{
    return lia_sum_add(a, negate(b));
}

int lia_sum_cmp(struct lia_sum a, struct lia_sum b)
{
    struct lia_scratch x;
    struct lia_scratch y;

    if (a.type != b.type) {
        return a.type < b.type ? -1 : 1;
    }
    return is_integer(a)
               ? (a.integer > b.integer) - (a.integer < b.integer)
               : lia_slice_cmp(lia_sum_show(a, &x).data, lia_sum_show(b, &y).data);
}

bool lia_sum_equal(struct lia_sum a, struct lia_sum b)
{
    return lia_sum_cmp(a, b) == 0;
}

bool lia_sum_is_finite(struct lia_sum sum)
{
    switch (sum.type) {
    case LIA_BSON_DECIMAL128:
        return !lia_decimal_is_infinite(sum.decimal) &&
               !lia_decimal_is_nan(sum.decimal);
    case LIA_BSON_DOUBLE: return isfinite(sum.real);
    default: return true;
    }
}

bool lia_sum_is_clamped(struct lia_sum sum)
{
    return is_integer(sum) && (sum.integer > INT64_MAX || sum.integer < INT64_MIN);
}

static struct lia_value show_integer(struct lia_sum s, struct lia_scratch *scratch)
{
    if (s.type == LIA_BSON_INT32 && s.integer >= INT32_MIN && s.integer <= INT32_MAX) {
        return lia_value_of_int32((int32_t)s.integer, scratch);
    }
    if (s.integer > INT64_MAX) {
        return lia_value_of_int64(INT64_MAX, scratch);
    }
    if (s.integer < INT64_MIN) {
        return lia_value_of_int64(INT64_MIN, scratch);
    }
    return lia_value_of_int64((int64_t)s.integer, scratch);
}

struct lia_value lia_sum_show(struct lia_sum sum, struct lia_scratch *scratch)
{
    switch (sum.type) {
    case LIA_BSON_DECIMAL128: return lia_value_of_decimal(sum.decimal, scratch);
    case LIA_BSON_DOUBLE: return lia_value_of_double(sum.real, scratch);
    default: return show_integer(sum, scratch);
    }
}

/* ---- bytes ---- */

static void encode_integer(struct lia_buf *buf, lia_int128 n)
{
    lia_uint128 u = (lia_uint128)n << 1 ^ (n < 0 ? ~(lia_uint128)0 : 0);

    while (u >= 0x80) {
        lia_buf_u8(buf, (uint8_t)(u | 0x80));
        u >>= 7;
    }
    lia_buf_u8(buf, (uint8_t)u);
}

static lia_int128 decode_integer(struct lia_reader *r)
{
    lia_uint128 u = 0;

    for (unsigned shift = 0; shift < 128; shift += 7) {
        uint8_t byte = lia_reader_u8(r);

        if (shift == 126 && byte > 3) {
            break;
        }
        u |= (lia_uint128)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            if (byte == 0 && shift != 0) {
                break; /* not the shortest form */
            }
            return (lia_int128)(u >> 1 ^ (~(u & 1) + 1));
        }
    }
    lia_reader_fail(r);
    return 0;
}

void lia_sum_encode(struct lia_buf *buf, struct lia_sum sum)
{
    struct lia_scratch scratch;

    lia_buf_u8(buf, sum.type);
    if (is_integer(sum)) {
        encode_integer(buf, sum.integer);
    } else {
        lia_buf_slice_add(buf, lia_sum_show(sum, &scratch).data);
    }
}

struct lia_sum lia_sum_decode(struct lia_reader *r)
{
    struct lia_value v = {lia_reader_u8(r), {NULL, 0}};
    struct lia_sum sum;

    switch (v.type) {
    case LIA_BSON_INT32:
    case LIA_BSON_INT64: return of_integer(v.type, decode_integer(r));
    case LIA_BSON_DOUBLE: v.data = lia_reader_bytes(r, 8); break;
    case LIA_BSON_DECIMAL128: v.data = lia_reader_bytes(r, 16); break;
    default: lia_reader_fail(r); break;
    }
    if (r->failed) {
        return lia_sum_zero();
    }
    sum = lia_sum_of(v);
    if (!lia_sum_is_finite(sum)) {
        lia_reader_fail(r);
    }
    return sum;
}
