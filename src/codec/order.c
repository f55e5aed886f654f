/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/order.h"

#include <math.h>

#include "codec/decimal.h"
#include "codec/key_number.h"

enum lia_class lia_value_class(struct lia_value v)
{
    switch (v.type) {
    case LIA_BSON_END: return LIA_CLASS_MISSING;
    case LIA_BSON_MINKEY: return LIA_CLASS_MINKEY;
    case LIA_BSON_UNDEFINED: return LIA_CLASS_UNDEFINED;
    case LIA_BSON_NULL: return LIA_CLASS_NULL;
    case LIA_BSON_INT32:
    case LIA_BSON_INT64:
    case LIA_BSON_DOUBLE:
    case LIA_BSON_DECIMAL128: return LIA_CLASS_NUMBER;
    case LIA_BSON_STRING:
    case LIA_BSON_SYMBOL: return LIA_CLASS_STRING;
    case LIA_BSON_DOCUMENT: return LIA_CLASS_OBJECT;
    case LIA_BSON_ARRAY: return LIA_CLASS_ARRAY;
    case LIA_BSON_BINARY: return LIA_CLASS_BINARY;
    case LIA_BSON_OBJECTID: return LIA_CLASS_OBJECTID;
    case LIA_BSON_BOOL: return LIA_CLASS_BOOL;
    case LIA_BSON_DATE: return LIA_CLASS_DATE;
    case LIA_BSON_TIMESTAMP: return LIA_CLASS_TIMESTAMP;
    case LIA_BSON_REGEX: return LIA_CLASS_REGEX;
    case LIA_BSON_DBPOINTER: return LIA_CLASS_DBPOINTER;
    case LIA_BSON_CODE: return LIA_CLASS_CODE;
    case LIA_BSON_CODE_W_SCOPE: return LIA_CLASS_CODE_W_SCOPE;
    default: return LIA_CLASS_MAXKEY;
    }
}

/* ---- numbers ---- */

static bool is_integer(struct lia_value v)
{
    return v.type == LIA_BSON_INT32 || v.type == LIA_BSON_INT64;
}

static int64_t integer(struct lia_value v)
{
    return v.type == LIA_BSON_INT32 ? lia_value_int32(v) : lia_value_int64(v);
}

static int compare_integers(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

static int compare_doubles(double a, double b)
{
    if (isnan(a) || isnan(b)) {
        return !!isnan(b) - !!isnan(a);
    }
    return (a > b) - (a < b);
}

#define TWO_TO_63 9223372036854775808.0

static int compare_integer_double(int64_t a, double b)
{
    int64_t whole;

    if (isnan(b) || b < -TWO_TO_63) {
        return 1;
    }
    if (b >= TWO_TO_63) {
        return -1;
    }
    whole = (int64_t)b;
    return a != whole ? compare_integers(a, whole) : compare_doubles((double)whole, b);
}

static int compare_keys(struct lia_value a, struct lia_value b)
{
    uint8_t x[LIA_KEY_NUMBER_MAX];
    uint8_t y[LIA_KEY_NUMBER_MAX];
    size_t x_len = lia_key_number(a, x);
    size_t y_len = lia_key_number(b, y);

    return lia_slice_cmp(lia_slice(x, x_len), lia_slice(y, y_len));
}

static struct lia_decimal decimal(struct lia_value v)
{
    return v.type == LIA_BSON_DECIMAL128 ? lia_value_decimal(v)
                                         : lia_decimal_of_int64(integer(v));
}

static int compare_numbers(struct lia_value a, struct lia_value b)
{
    bool has_double = a.type == LIA_BSON_DOUBLE || b.type == LIA_BSON_DOUBLE;
    bool has_decimal = a.type == LIA_BSON_DECIMAL128 || b.type == LIA_BSON_DECIMAL128;

    if (has_double && has_decimal) {
        return compare_keys(a, b);
    }
    if (has_decimal) {
        return lia_decimal_cmp(decimal(a), decimal(b));
    }
    if (is_integer(a)) {
        return is_integer(b) ? compare_integers(integer(a), integer(b))
                             : compare_integer_double(integer(a), lia_value_double(b));
    }
    return is_integer(b) ? -compare_integer_double(integer(b), lia_value_double(a))
                         : compare_doubles(lia_value_double(a), lia_value_double(b));
}

/* ---- all values ---- */

static int compare_classes(struct lia_value a, struct lia_value b)
{
    return (int)lia_value_class(a) - (int)lia_value_class(b);
}

/* As deep as checked values are: LIA_DEPTH_MAX and what an expression adds. */
static int compare_elements(struct liana_slice a, struct liana_slice b, bool has_names)
{
    struct lia_bson_iter x = lia_bson_iter(a);
    struct lia_bson_iter y = lia_bson_iter(b);

    for (;;) {
        bool more = lia_bson_next(&x);
        int order;

        if (!lia_bson_next(&y)) {
            return more ? 1 : 0;
        }
        if (!more) {
            return -1;
        }
        order = compare_classes(x.value, y.value);
        if (!order && has_names) {
            order = lia_slice_cmp(lia_str_slice(x.name), lia_str_slice(y.name));
        }
        order = order ? order : lia_value_cmp(x.value, y.value);
        if (order) {
            return order;
        }
    }
}

static int compare_counted(struct liana_slice a, struct liana_slice b)
{
    return a.len != b.len ? (a.len > b.len ? 1 : -1)
                          : lia_slice_cmp(lia_slice_sub(a, 4, a.len - 4),
                                          lia_slice_sub(b, 4, b.len - 4));
}

static int compare_strings(struct liana_str a, struct liana_str b)
{
    return lia_slice_cmp(lia_str_slice(a), lia_str_slice(b));
}

static int compare_scopes(struct lia_value a, struct lia_value b)
{
    int order = compare_strings(lia_value_code(a), lia_value_code(b));

    return order ? order
                 : compare_elements(lia_value_scope(a), lia_value_scope(b), true);
}

static int compare_timestamps(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

int lia_value_cmp(struct lia_value a, struct lia_value b)
{
    enum lia_class class = lia_value_class(a);
    int order = compare_classes(a, b);

    if (order) {
        return order;
    }
    switch (class) {
    case LIA_CLASS_NUMBER: return compare_numbers(a, b);
    case LIA_CLASS_STRING:
    case LIA_CLASS_CODE: return compare_strings(lia_value_str(a), lia_value_str(b));
    case LIA_CLASS_OBJECT: return compare_elements(a.data, b.data, true);
    case LIA_CLASS_ARRAY: return compare_elements(a.data, b.data, false);
    case LIA_CLASS_CODE_W_SCOPE: return compare_scopes(a, b);
    case LIA_CLASS_BINARY:
    case LIA_CLASS_DBPOINTER: return compare_counted(a.data, b.data);
    case LIA_CLASS_DATE:
        return compare_integers(lia_value_date_ms(a), lia_value_date_ms(b));
    case LIA_CLASS_TIMESTAMP:
        return compare_timestamps(lia_value_timestamp(a), lia_value_timestamp(b));
    default:
        return lia_slice_cmp(a.data, b.data); /* ObjectId, bool, regex, no payload */
    }
}
