/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers that increments add up to. */
#include "crdt/testing/model.h"

struct model_sum model_sum_of(struct lia_value v)
{
    struct model_sum s = {.type = v.type};

    switch (v.type) {
    case LIA_BSON_INT32: s.integer = lia_value_int32(v); break;
    case LIA_BSON_INT64: s.integer = lia_value_int64(v); break;
    case LIA_BSON_DOUBLE: s.real = lia_value_double(v); break;
    default: s.decimal = lia_value_decimal(v); break;
    }
    return s;
}

static double real(struct model_sum s)
{
    return s.type == LIA_BSON_DOUBLE ? s.real : (double)s.integer;
}

static struct lia_decimal decimal(struct model_sum s)
{
    switch (s.type) {
    case LIA_BSON_DECIMAL128: return s.decimal;
    case LIA_BSON_DOUBLE: return lia_decimal_of_double(s.real);
    default: return lia_decimal_of_int64(s.integer);
    }
}

struct model_sum model_sum_add(struct model_sum a, struct model_sum b)
{
    struct model_sum s = {.type = LIA_BSON_DOUBLE};

    if (a.type == LIA_BSON_DECIMAL128 || b.type == LIA_BSON_DECIMAL128) {
        s.type = LIA_BSON_DECIMAL128;
        s.decimal = lia_decimal_add(decimal(a), decimal(b));
    } else if (a.type == LIA_BSON_DOUBLE || b.type == LIA_BSON_DOUBLE) {
        s.real = real(a) + real(b);
    } else {
        s.type = a.type > b.type ? a.type : b.type;
        s.integer = a.integer + b.integer;
    }
    return s;
}

struct model_sum model_sum_negate(struct model_sum s)
{
    s.integer = -s.integer;
    s.real = -s.real;
    if (s.type == LIA_BSON_DECIMAL128) {
        s.decimal = lia_decimal_negate(s.decimal);
    }
    return s;
}

struct lia_value model_sum_value(struct model_sum s, struct lia_scratch *scratch)
{
    switch (s.type) {
    case LIA_BSON_DOUBLE: return lia_value_of_double(s.real, scratch);
    case LIA_BSON_DECIMAL128: return lia_value_of_decimal(s.decimal, scratch);
    default: break;
    }
    if (s.type == LIA_BSON_INT32 && s.integer == (int32_t)s.integer) {
        return lia_value_of_int32((int32_t)s.integer, scratch);
    }
    return lia_value_of_int64(s.integer, scratch);
}

/* The order that the product has, which is no more than some order: NaN equals itself, -0
 * is not 0. */
int model_sum_cmp(struct model_sum a, struct model_sum b)
{
    struct lia_scratch scratch[2];

    if (a.type != b.type) {
        return a.type < b.type ? -1 : 1;
    }
    if (a.type == LIA_BSON_INT32 || a.type == LIA_BSON_INT64) {
        return (a.integer > b.integer) - (a.integer < b.integer);
    }
    return lia_slice_cmp(model_sum_value(a, &scratch[0]).data,
                         model_sum_value(b, &scratch[1]).data);
}
