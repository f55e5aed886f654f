/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arithmetic. Types combine as in codec/number.h; integers never wrap.
 */
#include <math.h>

#include "codec/decimal.h"
#include "codec/number.h"
#include "lang/functions.h"

#define FUNCTION(fn)                                                                   \
    liana_status fn(const struct lia_call *cx, const struct lia_value *args,           \
                    size_t count, struct lia_value *out)

static bool is_int(struct lia_value v)
{
    return v.type == LIA_BSON_INT32 || v.type == LIA_BSON_INT64;
}

static double double_of(struct lia_value v)
{
    return v.type == LIA_BSON_DOUBLE ? lia_value_double(v) : (double)lia_int_of(v);
}

static struct lia_decimal decimal_of(struct lia_value v)
{
    switch (v.type) {
    case LIA_BSON_DECIMAL128: return lia_value_decimal(v);
    case LIA_BSON_DOUBLE: return lia_decimal_of_double(lia_value_double(v));
    default: return lia_decimal_of_int64(lia_int_of(v));
    }
}

static liana_status overflow(const struct lia_call *cx, struct lia_value *out)
{
    return lia_fn_bad(cx, out, LIANA_ERANGE, "the result is beyond 64 bits");
}

/* Answers what a codec function made in `scratch`. */
static liana_status keep(const struct lia_call *cx,
                         liana_status status,
                         struct lia_value v,
                         struct lia_value *out)
{
    if (status == LIANA_ERANGE) {
        return overflow(cx, out);
    }
    return status ? lia_err_plain(cx->err, status)
                  : lia_make_value(cx, v.type, v.data, out);
}

static liana_status make_double(const struct lia_call *cx,
                                double v,
                                struct lia_value *out)
{
    struct lia_scratch scratch;

    return keep(cx, LIANA_OK, lia_value_of_double(v, &scratch), out);
}

static liana_status make_decimal(const struct lia_call *cx,
                                 struct lia_decimal v,
                                 struct lia_value *out)
{
    struct lia_scratch scratch;

    return keep(cx, LIANA_OK, lia_value_of_decimal(v, &scratch), out);
}

/* An integer result: int32 if both operands were and it fits. */
static liana_status make_whole(const struct lia_call *cx,
                               const struct lia_value *args,
                               int64_t v,
                               struct lia_value *out)
{
    struct lia_scratch scratch;
    bool is_small = args[0].type == LIA_BSON_INT32 && args[1].type == LIA_BSON_INT32;

    if (is_small && v >= INT32_MIN && v <= INT32_MAX) {
        return keep(cx, LIANA_OK, lia_value_of_int32((int32_t)v, &scratch), out);
    }
    return keep(cx, LIANA_OK, lia_value_of_int64(v, &scratch), out);
}

enum number_kind { WHOLE, DOUBLE, DECIMAL };

static enum number_kind kind_of(const struct lia_value *args)
{
    if (args[0].type == LIA_BSON_DECIMAL128 || args[1].type == LIA_BSON_DECIMAL128) {
        return DECIMAL;
    }
    return is_int(args[0]) && is_int(args[1]) ? WHOLE : DOUBLE;
}

FUNCTION(lia_fn_add)
{
    struct lia_scratch scratch;
    struct lia_value v = LIA_MISSING;
    liana_status status = lia_number_add(args[0], args[1], &scratch, &v);

    (void)count;
    return keep(cx, status, v, out);
}

FUNCTION(lia_fn_subtract)
{
    int64_t v;

    (void)count;
    switch (kind_of(args)) {
    case DECIMAL:
        return make_decimal(
            cx, lia_decimal_subtract(decimal_of(args[0]), decimal_of(args[1])), out);
    case DOUBLE: return make_double(cx, double_of(args[0]) - double_of(args[1]), out);
    case WHOLE: break;
    }
    if (__builtin_sub_overflow(lia_int_of(args[0]), lia_int_of(args[1]), &v)) {
        return overflow(cx, out);
    }
    return make_whole(cx, args, v, out);
}

FUNCTION(lia_fn_multiply)
{
    int64_t v;

    (void)count;
    switch (kind_of(args)) {
    case DECIMAL:
        return make_decimal(
            cx, lia_decimal_multiply(decimal_of(args[0]), decimal_of(args[1])), out);
    case DOUBLE: return make_double(cx, double_of(args[0]) * double_of(args[1]), out);
    case WHOLE: break;
    }
    if (__builtin_mul_overflow(lia_int_of(args[0]), lia_int_of(args[1]), &v)) {
        return overflow(cx, out);
    }
    return make_whole(cx, args, v, out);
}

/* What `/` and `%` refuse: nothing is left of it is LIANA_OK with *go set. */
static liana_status check_division(const struct lia_call *cx,
                                   const struct lia_value *args,
                                   bool *go,
                                   struct lia_value *out)
{
    *go = false;
    if (kind_of(args) != DOUBLE && lia_number_is_zero(args[1])) {
        return lia_fn_bad(cx, out, LIANA_ERANGE, "division by zero");
    }
    if (kind_of(args) == WHOLE && lia_int_of(args[0]) == INT64_MIN &&
        lia_int_of(args[1]) == -1) {
        return overflow(cx, out);
    }
    *go = true;
    return LIANA_OK;
}

FUNCTION(lia_fn_divide)
{
    bool go;
    liana_status status = check_division(cx, args, &go, out);

    (void)count;
    if (!go) {
        return status;
    }
    switch (kind_of(args)) {
    case DECIMAL:
        return make_decimal(
            cx, lia_decimal_divide(decimal_of(args[0]), decimal_of(args[1])), out);
    case DOUBLE: return make_double(cx, double_of(args[0]) / double_of(args[1]), out);
    case WHOLE: break;
    }
    return make_whole(cx, args, lia_int_of(args[0]) / lia_int_of(args[1]), out);
}

FUNCTION(lia_fn_modulo)
{
    bool go;
    liana_status status = check_division(cx, args, &go, out);

    (void)count;
    if (!go) {
        return status;
    }
    switch (kind_of(args)) {
    case DECIMAL:
        return make_decimal(
            cx, lia_decimal_remainder(decimal_of(args[0]), decimal_of(args[1])), out);
    case DOUBLE:
        return make_double(cx, fmod(double_of(args[0]), double_of(args[1])), out);
    case WHOLE: break;
    }
    return make_whole(cx, args, lia_int_of(args[0]) % lia_int_of(args[1]), out);
}

static liana_status shift(const struct lia_call *cx,
                          const struct lia_value *args,
                          bool is_left,
                          struct lia_value *out)
{
    struct lia_scratch scratch;
    int64_t v = lia_int_of(args[0]);
    int64_t by = lia_int_of(args[1]);

    if (by < 0 || by > 63) {
        return lia_fn_bad(cx, out, LIANA_ERANGE, "0 to 63 bits, not %lld",
                          (long long)by);
    }
    v = is_left ? (int64_t)((uint64_t)v << by)
                : (int64_t)(v < 0 ? ~(~(uint64_t)v >> by) : (uint64_t)v >> by);
    return keep(cx, LIANA_OK, lia_value_of_int64(v, &scratch), out);
}

FUNCTION(lia_fn_shift_left)
{
    (void)count;
    return shift(cx, args, true, out);
}

FUNCTION(lia_fn_shift_right)
{
    (void)count;
    return shift(cx, args, false, out);
}

FUNCTION(lia_fn_negative)
{
    struct lia_scratch scratch;
    struct lia_value v = LIA_MISSING;
    liana_status status = lia_number_negate(args[0], &scratch, &v);

    (void)count;
    return keep(cx, status, v, out);
}

FUNCTION(lia_fn_positive)
{
    (void)cx;
    (void)count;
    *out = args[0];
    return LIANA_OK;
}

FUNCTION(lia_fn_abs)
{
    bool is_negative;

    switch (args[0].type) {
    case LIA_BSON_DOUBLE: is_negative = signbit(lia_value_double(args[0])); break;
    case LIA_BSON_DECIMAL128:
        is_negative = lia_decimal_is_negative(lia_value_decimal(args[0]));
        break;
    default: is_negative = lia_int_of(args[0]) < 0; break;
    }
    return is_negative ? lia_fn_negative(cx, args, count, out)
                       : lia_fn_positive(cx, args, count, out);
}

/* Whole numbers stay; of the others the fraction is taken away. */
static liana_status fraction(const struct lia_call *cx,
                             struct lia_value v,
                             double (*change)(double),
                             enum lia_decimal_rounding rounding,
                             struct lia_value *out)
{
    switch (v.type) {
    case LIA_BSON_DECIMAL128:
        return make_decimal(cx, lia_decimal_whole(lia_value_decimal(v), rounding), out);
    case LIA_BSON_DOUBLE: return make_double(cx, change(lia_value_double(v)), out);
    default: *out = v; return LIANA_OK;
    }
}

FUNCTION(lia_fn_ceil)
{
    (void)count;
    return fraction(cx, args[0], ceil, LIA_DECIMAL_CEILING, out);
}

FUNCTION(lia_fn_floor)
{
    (void)count;
    return fraction(cx, args[0], floor, LIA_DECIMAL_FLOOR, out);
}

FUNCTION(lia_fn_round)
{
    (void)count;
    return fraction(cx, args[0], round, LIA_DECIMAL_NEAREST, out);
}
