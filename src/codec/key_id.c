/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/key_id.h"

#include <math.h>
#include <stdio.h>

#include "base/error.h"
#include "base/limits.h"
#include "base/reader.h"
#include "codec/bson.h"
#include "codec/decimal.h"

/* What a value is made of: its payload is added to `out`; the type is the answer. 0: not a
 * key. */
static uint8_t add_value(struct lia_reader *r, struct lia_buf *out, int depth);

/* ---- texts ---- */

/* Bytes with 00 01 for each NUL, up to 00 00. */
static void add_text(struct lia_reader *r, struct lia_buf *out)
{
    for (;;) {
        uint8_t byte = lia_reader_u8(r);

        if (byte == 0 && lia_reader_u8(r) == 0) {
            return;
        }
        lia_buf_u8(out, byte);
        if (r->failed) {
            return;
        }
    }
}

/* As BSON has it: length, bytes, NUL. */
static void add_string(struct lia_reader *r, struct lia_buf *out)
{
    size_t at = out->len;

    lia_buf_u32(out, 0);
    add_text(r, out);
    lia_buf_u8(out, 0);
    if (!out->status) {
        lia_buf_patch_u32(out, at, (uint32_t)(out->len - at - 4));
    }
}

/* Up to its NUL, which is added too. */
static void add_cstring(struct lia_reader *r, struct lia_buf *out)
{
    uint8_t byte;

    do {
        byte = lia_reader_u8(r);
        lia_buf_u8(out, byte);
    } while (byte && !r->failed);
}

/* ---- numbers ---- */

#define GROUPS 9

struct number {
    bool is_negative;
    bool is_exact; /* `bits` are the number; else `digits` times 10^exponent */
    uint64_t bits;
    char digits[40];
    int digit_count;
    int exponent;
};

static uint8_t next_byte(struct lia_reader *r, const struct number *n)
{
    uint8_t byte = lia_reader_u8(r);

    return n->is_negative ? (uint8_t)~byte : byte;
}

static void read_digits(struct lia_reader *r, struct number *n)
{
    int point = next_byte(r, n) << 8;
    uint8_t pair;

    point |= next_byte(r, n);
    do {
        pair = next_byte(r, n);
        if (n->digit_count > 34 || pair / 2 > 99) {
            lia_reader_fail(r);
            return;
        }
        n->digits[n->digit_count++] = (char)('0' + pair / 2 / 10);
        n->digits[n->digit_count++] = (char)('0' + pair / 2 % 10);
    } while ((pair & 1) && !r->failed);
    n->exponent = point - 0x2000 - n->digit_count;
    while (n->digit_count > 1 && n->digits[n->digit_count - 1] == '0') {
        n->digit_count--;
        n->exponent++;
    }
}

static void read_number(struct lia_reader *r, struct number *n)
{
    uint8_t byte = 1;
    int group;

    for (group = 0; group < GROUPS && (byte & 1); group++) {
        byte = next_byte(r, n);
        n->bits |= (uint64_t)(byte >> 1) << (56 - 7 * group);
    }
    n->is_exact = !(byte & 1);
    if (!n->is_exact) {
        read_digits(r, n);
    }
}

static uint8_t add_int(struct lia_buf *out, int64_t v)
{
    if (v >= INT32_MIN && v <= INT32_MAX) {
        lia_buf_u32(out, (uint32_t)(int32_t)v);
        return LIA_BSON_INT32;
    }
    lia_buf_u64(out, (uint64_t)v);
    return LIA_BSON_INT64;
}

static uint8_t add_exact(struct lia_buf *out, const struct number *n)
{
    uint64_t bits = n->bits | (n->is_negative ? UINT64_C(1) << 63 : 0);
    double v;

    memcpy(&v, &bits, sizeof(v));
    if (v >= -0x1p63 && v < 0x1p63 && v == trunc(v)) {
        return add_int(out, (int64_t)v);
    }
    lia_buf_u64(out, bits);
    return LIA_BSON_DOUBLE;
}

/* The digits with zeros behind them, if that is an int64. */
static bool is_int64(const struct number *n, int64_t *out)
{
    uint64_t limit = (uint64_t)INT64_MAX + (n->is_negative ? 1 : 0);
    uint64_t v = 0;

    if (n->exponent < 0) {
        return false;
    }
    for (int i = 0; i < n->digit_count + n->exponent; i++) {
        uint64_t digit = i < n->digit_count ? (uint64_t)(n->digits[i] - '0') : 0;

        if (v > (limit - digit) / 10) {
            return false;
        }
        v = v * 10 + digit;
    }
    *out = n->is_negative ? (int64_t)(0 - v) : (int64_t)v;
    return true;
}

static uint8_t add_decimal(struct lia_reader *r,
                           struct lia_buf *out,
                           const struct number *n)
{
    struct lia_decimal v;
    char text[64];
    int64_t whole;
    int len;

    if (is_int64(n, &whole)) {
        return add_int(out, whole);
    }
    len = snprintf(text, sizeof(text), "%s%.*sE%d", n->is_negative ? "-" : "",
                   n->digit_count, n->digits, n->exponent);
    if (len < 0 ||
        lia_decimal_parse((struct liana_str){text, (size_t)len}, &v) != LIANA_OK) {
        lia_reader_fail(r);
        return 0;
    }
    lia_buf_u64(out, v.low);
    lia_buf_u64(out, v.high);
    return LIA_BSON_DECIMAL128;
}

static uint8_t add_number(struct lia_reader *r, struct lia_buf *out, bool is_negative)
{
    struct number n = {.is_negative = is_negative};

    read_number(r, &n);
    return n.is_exact ? add_exact(out, &n) : add_decimal(r, out, &n);
}

/* ---- containers ---- */

/* An element: its type goes before the name, but is known after the value. */
static void add_element(struct lia_reader *r,
                        struct lia_buf *out,
                        size_t type_at,
                        int depth)
{
    uint8_t type = add_value(r, out, depth + 1);

    if (!out->status && type) {
        out->ptr[type_at] = type;
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): at most LIA_DEPTH_MAX deep */
static void add_object(struct lia_reader *r, struct lia_buf *out, int depth)
{
    size_t mark = lia_bson_begin(out);

    while (lia_reader_u8(r) != 0 && !r->failed) {
        size_t type_at = out->len;

        lia_buf_u8(out, 0);
        add_cstring(r, out);
        add_element(r, out, type_at, depth);
    }
    lia_bson_end(out, mark);
}

static bool is_at_zero(const struct lia_reader *r)
{
    return r->at < r->end && *r->at == 0;
}

/* NOLINTNEXTLINE(misc-no-recursion): at most LIA_DEPTH_MAX deep */
static void add_array(struct lia_reader *r, struct lia_buf *out, int depth)
{
    size_t mark = lia_bson_begin(out);

    for (uint32_t i = 0; !is_at_zero(r) && !r->failed; i++) {
        char text[12];
        struct liana_str name = lia_bson_index_name(i, text);
        size_t type_at = out->len;

        lia_buf_u8(out, 0);
        lia_buf_bytes(out, name.ptr, name.len);
        lia_buf_u8(out, 0);
        add_element(r, out, type_at, depth);
    }
    lia_reader_u8(r);
    lia_bson_end(out, mark);
}

/* ---- the rest ---- */

static uint32_t read_length(struct lia_reader *r)
{
    uint32_t len = lia_reader_u8(r);

    if (len == 0xff) {
        len = (uint32_t)lia_reader_u8(r) << 24;
        len |= (uint32_t)lia_reader_u8(r) << 16;
        len |= (uint32_t)lia_reader_u8(r) << 8;
        len |= lia_reader_u8(r);
    }
    return len;
}

static void add_binary(struct lia_reader *r, struct lia_buf *out)
{
    uint32_t len = read_length(r);

    lia_buf_u32(out, len);
    lia_buf_u8(out, lia_reader_u8(r));
    lia_buf_slice_add(out, lia_reader_bytes(r, len));
}

static void add_pointer(struct lia_reader *r, struct lia_buf *out)
{
    uint32_t len = read_length(r);

    lia_buf_u32(out, len + 1);
    lia_buf_slice_add(out, lia_reader_bytes(r, len));
    lia_buf_u8(out, lia_reader_u8(r));
    lia_buf_slice_add(out, lia_reader_bytes(r, 12));
}

/* NOLINTNEXTLINE(misc-no-recursion): at most LIA_DEPTH_MAX deep */
static void add_scoped_code(struct lia_reader *r, struct lia_buf *out, int depth)
{
    size_t at = out->len;

    lia_buf_u32(out, 0);
    add_string(r, out);
    add_object(r, out, depth + 1);
    if (!out->status) {
        lia_buf_patch_u32(out, at, (uint32_t)(out->len - at));
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): at most LIA_DEPTH_MAX deep */
static uint8_t add_value(struct lia_reader *r, struct lia_buf *out, int depth)
{
    if (depth > LIA_DEPTH_MAX) {
        lia_reader_fail(r);
    }
    switch (lia_reader_u8(r)) {
    case 0x0a: return LIA_BSON_MINKEY;
    case 0x10: return LIA_BSON_UNDEFINED;
    case 0x14: return LIA_BSON_NULL;
    case 0x1e: lia_buf_u64(out, UINT64_C(0x7ff8000000000000)); return LIA_BSON_DOUBLE;
    case 0x20: return add_number(r, out, true);
    case 0x22: return add_number(r, out, false);
    case 0x3c: add_string(r, out); return LIA_BSON_STRING;
    case 0x46: add_object(r, out, depth); return LIA_BSON_DOCUMENT;
    case 0x50: add_array(r, out, depth); return LIA_BSON_ARRAY;
    case 0x5a: add_binary(r, out); return LIA_BSON_BINARY;
    case 0x64:
        lia_buf_slice_add(out, lia_reader_bytes(r, 12));
        return LIA_BSON_OBJECTID;
    case 0x6e: lia_buf_u8(out, lia_reader_u8(r)); return LIA_BSON_BOOL;
    case 0x78:
        lia_buf_u64(out, lia_reader_u64be(r) ^ UINT64_C(1) << 63);
        return LIA_BSON_DATE;
    case 0x82: lia_buf_u64(out, lia_reader_u64be(r)); return LIA_BSON_TIMESTAMP;
    case 0x8c:
        add_cstring(r, out);
        add_cstring(r, out);
        return LIA_BSON_REGEX;
    case 0x96: add_pointer(r, out); return LIA_BSON_DBPOINTER;
    case 0xa0: add_string(r, out); return LIA_BSON_CODE;
    case 0xaa: add_scoped_code(r, out, depth); return LIA_BSON_CODE_W_SCOPE;
    case 0xf0: return LIA_BSON_MAXKEY;
    default: lia_reader_fail(r); return 0;
    }
}

liana_status lia_key_id(struct liana_slice key,
                        struct lia_buf *out,
                        struct liana_error *err)
{
    struct lia_reader r = lia_reader(key);
    size_t mark = lia_bson_begin(out);
    size_t type_at = out->len;

    lia_buf_u8(out, 0);
    lia_buf_bytes(out, "_id", 4);
    add_element(&r, out, type_at, 0);
    lia_bson_end(out, mark);
    if (out->status) {
        return lia_err_plain(err, out->status);
    }
    if (!lia_reader_done(&r)) {
        return lia_err(err, LIANA_ECORRUPT, "a stored key is no key of an _id");
    }
    return LIANA_OK;
}
