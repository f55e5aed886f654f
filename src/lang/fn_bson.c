/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Constructors of the BSON types that have no literal.
 */

#include "codec/date_text.h"
#include "codec/decimal.h"
#include "codec/double_text.h"
#include "lang/compare.h"
#include "lang/functions.h"

#define FUNCTION(fn)                                                                   \
    liana_status fn(const struct lia_call *cx, const struct lia_value *args,           \
                    size_t count, struct lia_value *out)

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Exactly `n` bytes of hexadecimal digits; dashes may stand between bytes if allowed. */
static bool read_hex(struct liana_str text, bool dashes, uint8_t *out, size_t n)
{
    size_t at = 0;

    for (size_t i = 0; i < n; i++) {
        if (dashes && i > 0 && at < text.len && text.ptr[at] == '-') {
            at++;
        }
        if (text.len - at < 2 || hex_digit(text.ptr[at]) < 0 ||
            hex_digit(text.ptr[at + 1]) < 0) {
            return false;
        }
        out[i] = (uint8_t)(hex_digit(text.ptr[at]) * 16 + hex_digit(text.ptr[at + 1]));
        at += 2;
    }
    return at == text.len;
}

FUNCTION(lia_fn_oid)
{
    uint8_t bytes[12];

    (void)count;
    if (!read_hex(lia_value_str(args[0]), false, bytes, sizeof(bytes))) {
        return lia_fn_bad(cx, out, LIANA_ETYPE, "needs 24 hexadecimal digits");
    }
    return lia_make_value(cx, LIA_BSON_OBJECTID, lia_slice(bytes, sizeof(bytes)), out);
}

FUNCTION(lia_fn_uuid)
{
    uint8_t bytes[21] = {16, 0, 0, 0, 4}; /* length, subtype */

    (void)count;
    if (!read_hex(lia_value_str(args[0]), true, bytes + 5, 16)) {
        return lia_fn_bad(cx, out, LIANA_ETYPE, "needs 32 hexadecimal digits");
    }
    return lia_make_value(cx, LIA_BSON_BINARY, lia_slice(bytes, sizeof(bytes)), out);
}

FUNCTION(lia_fn_date)
{
    struct lia_scratch scratch;
    struct lia_value v = args[0];
    int64_t ms;

    (void)count;
    switch (v.type) {
    case LIA_BSON_DATE: *out = v; return LIANA_OK;
    case LIA_BSON_INT32:
    case LIA_BSON_INT64: ms = lia_int_of(v); break;
    case LIA_BSON_STRING:
        if (!lia_date_parse_loose(lia_value_str(v), &ms)) {
            return lia_fn_bad(
                cx, out, LIANA_ETYPE, "'%.*s' is no date of ISO 8601",
                (int)(lia_value_str(v).len < 60 ? lia_value_str(v).len : 60),
                lia_value_str(v).ptr);
        }
        break;
    default:
        return lia_fn_bad(cx, out, LIANA_ETYPE,
                          "needs a string or milliseconds, not %s",
                          lia_bson_type_name(v.type));
    }
    v = lia_value_of_date(ms, &scratch);
    return lia_make_value(cx, v.type, v.data, out);
}

FUNCTION(lia_fn_decimal)
{
    struct lia_scratch scratch;
    struct lia_value v = args[0];
    struct lia_decimal d;
    char text[LIA_DOUBLE_TEXT];
    struct liana_str s;

    (void)count;
    switch (v.type) {
    case LIA_BSON_DECIMAL128: *out = v; return LIANA_OK;
    case LIA_BSON_INT32:
    case LIA_BSON_INT64:
        v = lia_value_of_decimal(lia_decimal_of_int64(lia_int_of(v)), &scratch);
        return lia_make_value(cx, v.type, v.data, out);
    case LIA_BSON_DOUBLE:
        s = (struct liana_str){text, lia_double_print(lia_value_double(v), text)};
        break;
    case LIA_BSON_STRING: s = lia_value_str(v); break;
    default:
        return lia_fn_bad(cx, out, LIANA_ETYPE, "needs a string or a number, not %s",
                          lia_bson_type_name(v.type));
    }
    if (lia_decimal_parse(s, &d)) {
        return lia_fn_bad(cx, out, LIANA_ETYPE,
                          "'%.*s' is no decimal number of at most 34 digits",
                          (int)(s.len < 60 ? s.len : 60), s.ptr);
    }
    v = lia_value_of_decimal(d, &scratch);
    return lia_make_value(cx, v.type, v.data, out);
}

/* `made` if it has the same value as `from`. */
static liana_status exactly(const struct lia_call *cx,
                            struct lia_value from,
                            struct lia_value made,
                            struct lia_value *out)
{
    int order;

    if (!lia_compare(from, made, &order) || order != 0) {
        return lia_fn_bad(cx, out, LIANA_ERANGE, "the number does not fit exactly");
    }
    return lia_make_value(cx, made.type, made.data, out);
}

/* The whole number nearest to zero; false when it is beyond 64 bits. */
static bool whole_of(struct lia_value v, int64_t *out)
{
    double d;

    if (v.type == LIA_BSON_INT32 || v.type == LIA_BSON_INT64) {
        *out = lia_int_of(v);
        return true;
    }
    if (v.type == LIA_BSON_DECIMAL128) {
        return lia_decimal_to_int64(lia_value_decimal(v), out);
    }
    d = lia_value_double(v);
    if (!(d >= -9223372036854775808.0 && d < 9223372036854775808.0)) {
        return false;
    }
    *out = (int64_t)d;
    return true;
}

FUNCTION(lia_fn_int32)
{
    struct lia_scratch scratch;
    int64_t n;

    (void)count;
    if (!whole_of(args[0], &n) || n < INT32_MIN || n > INT32_MAX) {
        return lia_fn_bad(cx, out, LIANA_ERANGE, "the number does not fit exactly");
    }
    return exactly(cx, args[0], lia_value_of_int32((int32_t)n, &scratch), out);
}

FUNCTION(lia_fn_int64)
{
    struct lia_scratch scratch;
    int64_t n;

    (void)count;
    if (!whole_of(args[0], &n)) {
        return lia_fn_bad(cx, out, LIANA_ERANGE, "the number does not fit exactly");
    }
    return exactly(cx, args[0], lia_value_of_int64(n, &scratch), out);
}

FUNCTION(lia_fn_double)
{
    return lia_fn_to_float(cx, args, count, out);
}

FUNCTION(lia_fn_timestamp)
{
    int64_t seconds = lia_int_of(args[0]);
    int64_t increment = lia_int_of(args[1]);
    uint8_t bytes[8];

    (void)count;
    if (seconds < 0 || seconds > UINT32_MAX || increment < 0 ||
        increment > UINT32_MAX) {
        return lia_fn_bad(cx, out, LIANA_ERANGE, "needs two numbers of 32 bits");
    }
    for (int i = 0; i < 4; i++) {
        bytes[i] = (uint8_t)(increment >> (8 * i));
        bytes[4 + i] = (uint8_t)(seconds >> (8 * i));
    }
    return lia_make_value(cx, LIA_BSON_TIMESTAMP, lia_slice(bytes, sizeof(bytes)), out);
}

FUNCTION(lia_fn_bson)
{
    struct liana_str hex = lia_value_str(args[1]);
    int64_t type = lia_int_of(args[0]);
    uint8_t *payload = lia_arena_alloc(cx->arena, hex.len / 2);
    struct lia_value v = {(uint8_t)type, {payload, hex.len / 2}};
    struct lia_buf doc;
    size_t mark;
    liana_status status;

    (void)count;
    if (!payload) {
        return lia_err_plain(cx->err, LIANA_ENOMEM);
    }
    if (type < 1 || type > 255 || !read_hex(hex, false, payload, hex.len / 2)) {
        return lia_fn_bad(cx, out, LIANA_ETYPE,
                          "needs the number of a type and hexadecimal digits");
    }
    lia_buf_init(&doc, cx->arena->alloc);
    mark = lia_bson_begin(&doc);
    lia_bson_add(&doc, lia_str("v"), v);
    lia_bson_end(&doc, mark);
    status = doc.status ? doc.status
                        : lia_bson_check(lia_buf_slice(&doc), cx->arena->alloc, NULL);
    lia_buf_deinit(&doc);
    if (status == LIANA_ENOMEM) {
        return lia_err_plain(cx->err, status);
    }
    if (status) {
        return lia_fn_bad(cx, out, LIANA_ETYPE, "these bytes are no %s",
                          lia_bson_type_name(v.type));
    }
    *out = v;
    return LIANA_OK;
}

FUNCTION(lia_fn_minkey)
{
    (void)cx;
    (void)args;
    (void)count;
    *out = (struct lia_value){LIA_BSON_MINKEY, {NULL, 0}};
    return LIANA_OK;
}

FUNCTION(lia_fn_maxkey)
{
    (void)cx;
    (void)args;
    (void)count;
    *out = (struct lia_value){LIA_BSON_MAXKEY, {NULL, 0}};
    return LIANA_OK;
}
