/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json_wrap.h"

#include <math.h>
#include <sodium.h>

#include "codec/date_text.h"
#include "codec/decimal.h"
#include "codec/double_text.h"
#include "codec/number.h"

/* ---- fields of the object ---- */

#define FIELDS_MAX 2

/* The object has exactly these fields, in any order: their values in `out`. */
static bool has_fields(struct liana_slice doc,
                       const char *const names[],
                       size_t count,
                       struct lia_value out[static FIELDS_MAX])
{
    struct lia_bson_iter it = lia_bson_iter(doc);
    size_t found = 0;

    while (lia_bson_next(&it)) {
        found++;
    }
    for (size_t i = 0; i < count; i++) {
        if (!lia_bson_find(doc, lia_str(names[i]), &out[i])) {
            return false;
        }
    }
    return found == count;
}

static bool is_only(const struct lia_json_wrap *w, uint8_t type, struct lia_value *out)
{
    struct lia_bson_iter it = lia_bson_iter(w->doc);
    struct lia_bson_iter next;

    if (!lia_bson_next(&it) || it.value.type != type) {
        return false;
    }
    next = it;
    *out = it.value;
    return !lia_bson_next(&next);
}

static bool has_nul(struct liana_str s)
{
    return s.len > 0 && memchr(s.ptr, 0, s.len) != NULL;
}

static void put(struct lia_json_wrap *w, struct lia_value v)
{
    w->type = v.type;
    lia_buf_slice_add(w->payload, v.data);
}

/* ---- bytes ---- */

static bool put_hex(struct lia_buf *out, struct liana_str text, size_t bytes)
{
    uint8_t *to = lia_buf_extend(out, bytes);
    size_t len = 0;

    if (!to) {
        return true; /* the buffer has failed and says so itself */
    }
    return text.len == 2 * bytes &&
           sodium_hex2bin(to, bytes, text.ptr, text.len, NULL, &len, NULL) == 0 &&
           len == bytes;
}

static const char *unwrap_oid(struct lia_json_wrap *w)
{
    struct lia_value v;

    w->type = LIA_BSON_OBJECTID;
    return is_only(w, LIA_BSON_STRING, &v) && put_hex(w->payload, lia_value_str(v), 12)
               ? NULL
               : "24 hexadecimal digits are expected";
}

/* Of subtype 2 the bytes carry their length a second time. */
static bool put_binary(struct lia_json_wrap *w,
                       uint8_t subtype,
                       struct liana_str base64)
{
    size_t before = subtype == 0x02 ? 9 : 5;
    size_t start = w->payload->len;
    size_t max = base64.len / 4 * 3;
    uint8_t *to = lia_buf_extend(w->payload, before + max);
    size_t len = 0;

    if (!to) {
        return true;
    }
    if (sodium_base642bin(to + before, max, base64.ptr, base64.len, NULL, &len, NULL,
                          sodium_base64_VARIANT_ORIGINAL) != 0) {
        return false;
    }
    w->payload->len = start + before + len;
    lia_buf_patch_u32(w->payload, start, (uint32_t)(before - 5 + len));
    to[4] = subtype;
    if (subtype == 0x02) {
        lia_buf_patch_u32(w->payload, start + 5, (uint32_t)len);
    }
    return true;
}

static bool read_subtype(struct liana_str text, uint8_t *out)
{
    char two[2] = {'0', '0'};
    size_t len = 0;

    if (text.len < 1 || text.len > 2) {
        return false;
    }
    memcpy(two + 2 - text.len, text.ptr, text.len);
    return sodium_hex2bin(out, 1, two, 2, NULL, &len, NULL) == 0 && len == 1;
}

static const char *unwrap_binary(struct lia_json_wrap *w)
{
    static const char *const names[] = {"base64", "subType"};
    struct lia_value field[FIELDS_MAX];
    struct lia_value inner;
    uint8_t subtype;

    w->type = LIA_BSON_BINARY;
    if (!is_only(w, LIA_BSON_DOCUMENT, &inner) ||
        !has_fields(inner.data, names, 2, field) || field[0].type != LIA_BSON_STRING ||
        field[1].type != LIA_BSON_STRING) {
        return "\"base64\" and \"subType\", two strings, are expected";
    }
    if (!read_subtype(lia_value_str(field[1]), &subtype)) {
        return "a subType of two hexadecimal digits is expected";
    }
    return put_binary(w, subtype, lia_value_str(field[0])) ? NULL : "this is no base64";
}

static const char *unwrap_uuid(struct lia_json_wrap *w)
{
    static const char *const fault = "a UUID of 36 characters is expected";
    struct lia_value v;
    struct liana_str text;
    char hex[32];
    size_t len = 0;

    w->type = LIA_BSON_BINARY;
    if (!is_only(w, LIA_BSON_STRING, &v) || lia_value_str(v).len != 36) {
        return fault;
    }
    text = lia_value_str(v);
    for (size_t i = 0; i < text.len; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (text.ptr[i] != '-') {
                return fault;
            }
        } else {
            hex[len++] = text.ptr[i];
        }
    }
    lia_buf_u32(w->payload, 16);
    lia_buf_u8(w->payload, 0x04);
    return put_hex(w->payload, (struct liana_str){hex, len}, 16) ? NULL : fault;
}

/* ---- numbers ---- */

static const char *unwrap_int(struct lia_json_wrap *w)
{
    struct lia_scratch scratch;
    struct lia_value v;
    int64_t n;

    if (!is_only(w, LIA_BSON_STRING, &v) || !lia_int64_parse(lia_value_str(v), &n) ||
        n < INT32_MIN || n > INT32_MAX) {
        return "a string with a 32-bit integer is expected";
    }
    put(w, lia_value_of_int32((int32_t)n, &scratch));
    return NULL;
}

static const char *unwrap_long(struct lia_json_wrap *w)
{
    struct lia_scratch scratch;
    struct lia_value v;
    int64_t n;

    if (!is_only(w, LIA_BSON_STRING, &v) || !lia_int64_parse(lia_value_str(v), &n)) {
        return "a string with a 64-bit integer is expected";
    }
    put(w, lia_value_of_int64(n, &scratch));
    return NULL;
}

static bool read_special(struct liana_str text, double *out)
{
    if (lia_str_equal(text, lia_str("NaN"))) {
        *out = NAN;
    } else if (lia_str_equal(text, lia_str("Infinity"))) {
        *out = INFINITY;
    } else if (lia_str_equal(text, lia_str("-Infinity"))) {
        *out = -INFINITY;
    } else {
        return false;
    }
    return true;
}

static const char *unwrap_double(struct lia_json_wrap *w)
{
    struct lia_scratch scratch;
    struct lia_value v;
    liana_status status = LIANA_EINVAL;
    double d = 0;

    if (is_only(w, LIA_BSON_STRING, &v)) {
        status = read_special(lia_value_str(v), &d)
                     ? LIANA_OK
                     : lia_double_parse(lia_value_str(v), &d);
    }
    if (status) {
        return status == LIANA_ERANGE ? "a double would lose digits of this number"
                                      : "a string with a number is expected";
    }
    put(w, lia_value_of_double(d, &scratch));
    return NULL;
}

static const char *unwrap_decimal(struct lia_json_wrap *w)
{
    struct lia_scratch scratch;
    struct lia_value v;
    struct lia_decimal d;
    liana_status status = LIANA_EINVAL;

    if (is_only(w, LIA_BSON_STRING, &v)) {
        status = lia_decimal_parse(lia_value_str(v), &d);
    }
    if (status) {
        return status == LIANA_ERANGE ? "Decimal128 would lose digits of this number"
                                      : "a string with a number is expected";
    }
    put(w, lia_value_of_decimal(d, &scratch));
    return NULL;
}

/* ---- dates and timestamps ---- */

static const char *unwrap_date(struct lia_json_wrap *w)
{
    struct lia_scratch scratch;
    struct lia_value v;
    int64_t ms = 0;
    liana_status status;

    if (is_only(w, LIA_BSON_INT64, &v) && !w->has_plain_number) {
        put(w, lia_value_of_date(lia_value_int64(v), &scratch));
        return NULL;
    }
    if (!is_only(w, LIA_BSON_STRING, &v)) {
        return "a date as text or {\"$numberLong\": ...} is expected";
    }
    status = lia_date_parse(lia_value_str(v), &ms);
    if (status) {
        return status == LIANA_ERANGE
                   ? "a date keeps milliseconds, no more"
                   : "a date like 2012-12-24T12:15:30.501Z is expected";
    }
    put(w, lia_value_of_date(ms, &scratch));
    return NULL;
}

static bool as_uint32(struct lia_value v, uint64_t *out)
{
    int64_t n = v.type == LIA_BSON_INT32   ? lia_value_int32(v)
                : v.type == LIA_BSON_INT64 ? lia_value_int64(v)
                                           : -1;

    *out = (uint64_t)n;
    return n >= 0 && n <= UINT32_MAX;
}

static const char *unwrap_timestamp(struct lia_json_wrap *w)
{
    static const char *const names[] = {"t", "i"};
    struct lia_value field[FIELDS_MAX];
    struct lia_value inner;
    uint64_t t;
    uint64_t i;

    w->type = LIA_BSON_TIMESTAMP;
    if (!is_only(w, LIA_BSON_DOCUMENT, &inner) ||
        !has_fields(inner.data, names, 2, field) || !as_uint32(field[0], &t) ||
        !as_uint32(field[1], &i)) {
        return "\"t\" and \"i\", two numbers from 0 to 4294967295, are expected";
    }
    lia_buf_u64(w->payload, t << 32 | i);
    return NULL;
}

/* ---- texts ---- */

static void put_text(struct lia_buf *out, struct liana_str text)
{
    lia_buf_u32(out, (uint32_t)text.len + 1);
    lia_buf_bytes(out, text.ptr, text.len);
    lia_buf_u8(out, 0);
}

static const char *unwrap_symbol(struct lia_json_wrap *w)
{
    struct lia_value v;

    if (!is_only(w, LIA_BSON_STRING, &v)) {
        return "a string is expected";
    }
    v.type = LIA_BSON_SYMBOL;
    put(w, v);
    return NULL;
}

static const char *unwrap_code(struct lia_json_wrap *w)
{
    static const char *const names[] = {"$code", "$scope"};
    struct lia_value field[FIELDS_MAX];
    size_t start = w->payload->len;

    if (is_only(w, LIA_BSON_STRING, &field[0]) && has_fields(w->doc, names, 1, field)) {
        field[0].type = LIA_BSON_CODE;
        put(w, field[0]);
        return NULL;
    }
    if (!has_fields(w->doc, names, 2, field) || field[0].type != LIA_BSON_STRING ||
        field[1].type != LIA_BSON_DOCUMENT) {
        return "a string, and for \"$scope\" an object, are expected";
    }
    w->type = LIA_BSON_CODE_W_SCOPE;
    lia_buf_u32(w->payload, 0);
    lia_buf_slice_add(w->payload, field[0].data);
    lia_buf_slice_add(w->payload, field[1].data);
    lia_buf_patch_u32(w->payload, start, (uint32_t)(w->payload->len - start));
    return NULL;
}

/* Options in ascending order: canonical BSON. */
static void put_options(struct lia_buf *out, struct liana_str options)
{
    for (int c = 1; c < 0x80; c++) {
        for (size_t i = 0; i < options.len; i++) {
            if (options.ptr[i] == c) {
                lia_buf_u8(out, (uint8_t)c);
            }
        }
    }
    lia_buf_u8(out, 0);
}

/* The letters that mean something, some more than once: not a megabyte of them. */
#define OPTIONS_MAX 64

static bool are_options(struct liana_str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if ((uint8_t)s.ptr[i] >= 0x80 || s.ptr[i] == 0) {
            return false;
        }
    }
    return s.len <= OPTIONS_MAX;
}

static const char *unwrap_regex(struct lia_json_wrap *w)
{
    static const char *const names[] = {"pattern", "options"};
    struct lia_value field[FIELDS_MAX];
    struct lia_value inner;
    struct liana_str pattern;

    w->type = LIA_BSON_REGEX;
    if (!is_only(w, LIA_BSON_DOCUMENT, &inner) ||
        !has_fields(inner.data, names, 2, field) || field[0].type != LIA_BSON_STRING ||
        field[1].type != LIA_BSON_STRING) {
        return "\"pattern\" and \"options\", two strings, are expected";
    }
    pattern = lia_value_str(field[0]);
    if (has_nul(pattern) || !are_options(lia_value_str(field[1]))) {
        return "a pattern without NUL and options of a few ASCII letters are expected";
    }
    lia_buf_bytes(w->payload, pattern.ptr, pattern.len);
    lia_buf_u8(w->payload, 0);
    put_options(w->payload, lia_value_str(field[1]));
    return NULL;
}

static const char *unwrap_dbpointer(struct lia_json_wrap *w)
{
    static const char *const names[] = {"$ref", "$id"};
    struct lia_value field[FIELDS_MAX];
    struct lia_value inner;

    w->type = LIA_BSON_DBPOINTER;
    if (!is_only(w, LIA_BSON_DOCUMENT, &inner) ||
        !has_fields(inner.data, names, 2, field) || field[0].type != LIA_BSON_STRING ||
        field[1].type != LIA_BSON_OBJECTID) {
        return "\"$ref\", a string, and \"$id\", an ObjectId, are expected";
    }
    put_text(w->payload, lia_value_str(field[0]));
    lia_buf_slice_add(w->payload, field[1].data);
    return NULL;
}

/* ---- values without a payload ---- */

static bool is_one(struct lia_json_wrap *w)
{
    struct lia_value v;

    return is_only(w, LIA_BSON_INT32, &v) && w->has_plain_number &&
           lia_value_int32(v) == 1;
}

static const char *unwrap_minkey(struct lia_json_wrap *w)
{
    w->type = LIA_BSON_MINKEY;
    return is_one(w) ? NULL : "the number 1 is expected";
}

static const char *unwrap_maxkey(struct lia_json_wrap *w)
{
    w->type = LIA_BSON_MAXKEY;
    return is_one(w) ? NULL : "the number 1 is expected";
}

static const char *unwrap_undefined(struct lia_json_wrap *w)
{
    struct lia_value v;

    w->type = LIA_BSON_UNDEFINED;
    return is_only(w, LIA_BSON_BOOL, &v) && lia_value_bool(v) ? NULL
                                                              : "true is expected";
}

/* ---- the table ---- */

struct row {
    const char *name;
    const char *(*unwrap)(struct lia_json_wrap *w);
};

static const struct row rows[] = {
    {"$oid", unwrap_oid},
    {"$numberInt", unwrap_int},
    {"$numberLong", unwrap_long},
    {"$numberDouble", unwrap_double},
    {"$numberDecimal", unwrap_decimal},
    {"$date", unwrap_date},
    {"$binary", unwrap_binary},
    {"$uuid", unwrap_uuid},
    {"$timestamp", unwrap_timestamp},
    {"$regularExpression", unwrap_regex},
    {"$code", unwrap_code},
    {"$scope", unwrap_code},
    {"$symbol", unwrap_symbol},
    {"$dbPointer", unwrap_dbpointer},
    {"$minKey", unwrap_minkey},
    {"$maxKey", unwrap_maxkey},
    {"$undefined", unwrap_undefined},
};

static const struct row *find_row(struct liana_str name)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (lia_str_equal(name, lia_str(rows[i].name))) {
            return &rows[i];
        }
    }
    return NULL;
}

bool lia_json_is_wrapper(struct liana_str first_name)
{
    return first_name.len > 0 && first_name.ptr[0] == '$' && find_row(first_name);
}

const char *lia_json_unwrap(struct lia_json_wrap *wrap)
{
    struct lia_bson_iter it = lia_bson_iter(wrap->doc);

    return lia_bson_next(&it) ? find_row(it.name)->unwrap(wrap) : NULL;
}
