/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "codec/date_text.h"
#include "codec/decimal.h"
#include "codec/double_text.h"
#include "lang/functions.h"

#define FUNCTION(fn)                                                                   \
    liana_status fn(const struct lia_call *cx, const struct lia_value *args,           \
                    size_t count, struct lia_value *out)

/* DQL's names for the types it has; MongoDB's for the others. */
static const char *type_name(struct lia_value v)
{
    if (lia_value_is_number(v)) {
        return "number";
    }
    switch (v.type) {
    case LIA_BSON_END: return "missing";
    case LIA_BSON_BOOL: return "boolean";
    case LIA_BSON_BINARY: return "binary";
    case LIA_BSON_NULL:
    case LIA_BSON_UNDEFINED: return "null";
    default: return lia_bson_type_name(v.type);
    }
}

FUNCTION(lia_fn_type)
{
    (void)count;
    return lia_make_str(cx, lia_str(type_name(args[0])), out);
}

FUNCTION(lia_fn_bson_type)
{
    (void)count;
    return lia_make_str(
        cx,
        lia_str(lia_is_missing(args[0]) ? "missing" : lia_bson_type_name(args[0].type)),
        out);
}

#define TYPE_TEST(fn, condition)                                                       \
    FUNCTION(fn)                                                                       \
    {                                                                                  \
        (void)cx;                                                                      \
        (void)count;                                                                   \
        return lia_make_bool((condition), out);                                        \
    }

TYPE_TEST(lia_fn_is_number, lia_value_is_number(args[0]))
TYPE_TEST(lia_fn_is_string, args[0].type == LIA_BSON_STRING)
TYPE_TEST(lia_fn_is_boolean, args[0].type == LIA_BSON_BOOL)
TYPE_TEST(lia_fn_is_array, args[0].type == LIA_BSON_ARRAY)
TYPE_TEST(lia_fn_is_object, args[0].type == LIA_BSON_DOCUMENT)

/* ---- CAST ---- */

static liana_status cannot(const struct lia_call *cx,
                           struct lia_value v,
                           struct lia_value *out)
{
    return lia_fn_bad(cx, out, LIANA_ETYPE, "cannot convert this %s",
                      lia_bson_type_name(v.type));
}

static liana_status oid_text(const struct lia_call *cx,
                             struct lia_value v,
                             struct lia_value *out)
{
    static const char hex[] = "0123456789abcdef";
    char text[24];

    for (size_t i = 0; i < 12; i++) {
        text[2 * i] = hex[v.data.ptr[i] >> 4];
        text[2 * i + 1] = hex[v.data.ptr[i] & 15];
    }
    return lia_make_str(cx, (struct liana_str){text, sizeof(text)}, out);
}

/* "2", not "2.0": a string of a number does not say its type. */
static size_t print_double(double v, char text[static LIA_DOUBLE_TEXT])
{
    size_t n = lia_double_print(v, text);

    return n > 2 && memcmp(text + n - 2, ".0", 2) == 0 ? n - 2 : n;
}

FUNCTION(lia_fn_to_string)
{
    struct lia_value v = args[0];
    char text[64];
    size_t n;

    (void)count;
    switch (v.type) {
    case LIA_BSON_STRING: *out = v; return LIANA_OK;
    case LIA_BSON_BOOL:
        return lia_make_str(cx, lia_str(lia_value_bool(v) ? "true" : "false"), out);
    case LIA_BSON_INT32:
    case LIA_BSON_INT64: {
        int len = snprintf(text, sizeof(text), "%lld", (long long)lia_int_of(v));

        n = (size_t)len;
        break;
    }
    case LIA_BSON_DOUBLE: n = print_double(lia_value_double(v), text); break;
    case LIA_BSON_DECIMAL128: n = lia_decimal_print(lia_value_decimal(v), text); break;
    case LIA_BSON_DATE: n = lia_date_print_any(lia_value_date_ms(v), text); break;
    case LIA_BSON_OBJECTID: return oid_text(cx, v, out);
    default: return cannot(cx, v, out);
    }
    return lia_make_str(cx, (struct liana_str){text, n}, out);
}

static liana_status make_int64(const struct lia_call *cx,
                               int64_t n,
                               struct lia_value *out)
{
    struct lia_scratch scratch;
    struct lia_value v = lia_value_of_int64(n, &scratch);

    return lia_make_value(cx, v.type, v.data, out);
}

static liana_status make_double(const struct lia_call *cx,
                                double n,
                                struct lia_value *out)
{
    struct lia_scratch scratch;
    struct lia_value v = lia_value_of_double(n, &scratch);

    return lia_make_value(cx, v.type, v.data, out);
}

/* The number in a string or a Decimal128 as a double. */
static bool text_double(struct lia_value v, double *out)
{
    char text[LIA_DECIMAL_TEXT];

    if (v.type == LIA_BSON_STRING) {
        return lia_double_parse_nearest(lia_value_str(v), out);
    }
    return lia_double_parse_nearest(
        (struct liana_str){text, lia_decimal_print(lia_value_decimal(v), text)}, out);
}

/* The number in a string or a Decimal128 without its fraction, exactly. */
static bool text_whole(struct lia_value v, int64_t *out)
{
    struct lia_decimal d;

    if (v.type == LIA_BSON_DECIMAL128) {
        d = lia_value_decimal(v);
    } else if (lia_decimal_parse(lia_value_str(v), &d)) {
        return false;
    }
    return lia_decimal_to_int64(d, out);
}

FUNCTION(lia_fn_to_integer)
{
    struct lia_value v = args[0];
    double d;
    int64_t n;

    (void)count;
    switch (v.type) {
    case LIA_BSON_INT32:
    case LIA_BSON_INT64: return make_int64(cx, lia_int_of(v), out);
    case LIA_BSON_BOOL: return make_int64(cx, lia_value_bool(v) ? 1 : 0, out);
    case LIA_BSON_DATE: return make_int64(cx, lia_value_date_ms(v), out);
    case LIA_BSON_STRING:
    case LIA_BSON_DECIMAL128:
        return text_whole(v, &n) ? make_int64(cx, n, out) : cannot(cx, v, out);
    case LIA_BSON_DOUBLE: break;
    default: return cannot(cx, v, out);
    }
    d = lia_value_double(v);
    if (!(d >= -9223372036854775808.0 && d < 9223372036854775808.0)) {
        return lia_fn_bad(cx, out, LIANA_ERANGE, "the number is beyond 64 bits");
    }
    return make_int64(cx, (int64_t)d, out);
}

FUNCTION(lia_fn_to_float)
{
    struct lia_value v = args[0];
    double d;

    (void)count;
    switch (v.type) {
    case LIA_BSON_DOUBLE: *out = v; return LIANA_OK;
    case LIA_BSON_INT32:
    case LIA_BSON_INT64: return make_double(cx, (double)lia_int_of(v), out);
    case LIA_BSON_BOOL: return make_double(cx, lia_value_bool(v) ? 1 : 0, out);
    case LIA_BSON_STRING:
    case LIA_BSON_DECIMAL128:
        return text_double(v, &d) ? make_double(cx, d, out) : cannot(cx, v, out);
    default: return cannot(cx, v, out);
    }
}

FUNCTION(lia_fn_to_boolean)
{
    struct lia_value v = args[0];
    double d;

    (void)count;
    switch (v.type) {
    case LIA_BSON_BOOL: *out = v; return LIANA_OK;
    case LIA_BSON_INT32:
    case LIA_BSON_INT64: return lia_make_bool(lia_int_of(v) != 0, out);
    case LIA_BSON_DOUBLE: return lia_make_bool(lia_value_double(v) != 0, out);
    case LIA_BSON_DECIMAL128:
        return lia_make_bool(!lia_decimal_is_zero(lia_value_decimal(v)), out);
    case LIA_BSON_STRING:
        if (lia_str_equal(lia_value_str(v), lia_str("true")) ||
            lia_str_equal(lia_value_str(v), lia_str("false"))) {
            return lia_make_bool(lia_value_str(v).len == 4, out);
        }
        return text_double(v, &d) ? lia_make_bool(d != 0, out) : cannot(cx, v, out);
    default: return cannot(cx, v, out);
    }
}
