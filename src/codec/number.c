/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/number.h"

#include "codec/decimal.h"

static bool is_integer(struct lia_value v)
{
    return v.type == LIA_BSON_INT32 || v.type == LIA_BSON_INT64;
}

static int64_t integer(struct lia_value v)
{
    return v.type == LIA_BSON_INT32 ? lia_value_int32(v) : lia_value_int64(v);
}

static double as_double(struct lia_value v)
{
    return is_integer(v) ? (double)integer(v) : lia_value_double(v);
}

static struct lia_decimal as_decimal(struct lia_value v)
{
    switch (v.type) {
    case LIA_BSON_DECIMAL128: return lia_value_decimal(v);
    case LIA_BSON_DOUBLE: return lia_decimal_of_double(lia_value_double(v));
    default: return lia_decimal_of_int64(integer(v));
    }
}

/* int32 if it fits and `is_narrow` allows it. */
static struct lia_value of_integer(int64_t n,
                                   bool is_narrow,
                                   struct lia_scratch *scratch)
{
    if (is_narrow && n >= INT32_MIN && n <= INT32_MAX) {
        return lia_value_of_int32((int32_t)n, scratch);
    }
    return lia_value_of_int64(n, scratch);
}

static liana_status add_integers(struct lia_value a,
                                 struct lia_value b,
                                 struct lia_scratch *scratch,
                                 struct lia_value *out)
{
    int64_t x = integer(a);
    int64_t y = integer(b);

    if (y > 0 ? x > INT64_MAX - y : x < INT64_MIN - y) {
        return LIANA_ERANGE;
    }
    *out = of_integer(x + y, a.type == LIA_BSON_INT32 && b.type == LIA_BSON_INT32,
                      scratch);
    return LIANA_OK;
}

liana_status lia_number_add(struct lia_value a,
                            struct lia_value b,
                            struct lia_scratch *scratch,
                            struct lia_value *out)
{
    if (!lia_value_is_number(a) || !lia_value_is_number(b)) {
        return LIANA_ETYPE;
    }
    if (is_integer(a) && is_integer(b)) {
        return add_integers(a, b, scratch, out);
    }
    if (a.type == LIA_BSON_DECIMAL128 || b.type == LIA_BSON_DECIMAL128) {
        struct lia_decimal sum = lia_decimal_add(as_decimal(a), as_decimal(b));

        *out = lia_value_of_decimal(sum, scratch);
    } else {
        *out = lia_value_of_double(as_double(a) + as_double(b), scratch);
    }
    return LIANA_OK;
}

liana_status lia_number_negate(struct lia_value a,
                               struct lia_scratch *scratch,
                               struct lia_value *out)
{
    if (a.type == LIA_BSON_DECIMAL128) {
        *out = lia_value_of_decimal(lia_decimal_negate(lia_value_decimal(a)), scratch);
    } else if (a.type == LIA_BSON_DOUBLE) {
        *out = lia_value_of_double(-lia_value_double(a), scratch);
    } else if (!is_integer(a)) {
        return LIANA_ETYPE;
    } else if (integer(a) == INT64_MIN) {
        return LIANA_ERANGE;
    } else {
        *out = of_integer(-integer(a), a.type == LIA_BSON_INT32, scratch);
    }
    return LIANA_OK;
}

bool lia_number_is_zero(struct lia_value v)
{
    switch (v.type) {
    case LIA_BSON_DECIMAL128: return lia_decimal_is_zero(lia_value_decimal(v));
    case LIA_BSON_DOUBLE: return lia_value_double(v) == 0;
    default: return is_integer(v) && integer(v) == 0;
    }
}

bool lia_int64_parse(struct liana_str text, int64_t *out)
{
    bool is_negative = text.len > 0 && text.ptr[0] == '-';
    uint64_t limit = (uint64_t)INT64_MAX + is_negative;
    uint64_t v = 0;

    if (text.len == is_negative) {
        return false;
    }
    for (size_t i = is_negative; i < text.len; i++) {
        uint64_t digit = (uint64_t)(uint8_t)text.ptr[i] - '0';

        if (digit > 9 || v > (limit - digit) / 10) {
            return false;
        }
        v = v * 10 + digit;
    }
    *out = (int64_t)(is_negative ? 0 - v : v);
    return true;
}
