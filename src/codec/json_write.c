/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <sodium.h>
#include <stdio.h>

#include "codec/date_text.h"
#include "codec/decimal.h"
#include "codec/double_text.h"
#include "codec/json.h"
#include "codec/json_wrap.h"
#include "codec/utf8.h"

/* The path to a value, as a list from the inside out. */
struct place {
    const struct place *outer;
    struct liana_str name;
};

struct writer {
    struct lia_buf *out;
    struct liana_error *err;
    liana_status status;
    bool is_relaxed;
};

static void write_value(struct writer *w,
                        struct lia_value v,
                        const struct place *place);

/* ---- strings ---- */

static void put_escape(struct lia_buf *out, uint8_t c)
{
    static const char short_from[] = "\"\\\b\f\n\r\t";
    static const char short_to[] = "\"\\bfnrt";
    const char *found = c ? strchr(short_from, c) : NULL;

    if (found) {
        lia_buf_u8(out, '\\');
        lia_buf_u8(out, (uint8_t)short_to[found - short_from]);
    } else {
        lia_buf_printf(out, "\\u%04x", c);
    }
}

static void put_string(struct lia_buf *out, struct liana_str s)
{
    size_t done = 0;

    lia_buf_u8(out, '"');
    for (size_t i = 0; i < s.len; i++) {
        uint8_t c = (uint8_t)s.ptr[i];

        if (c < 0x20 || c == '"' || c == '\\') {
            lia_buf_bytes(out, s.ptr + done, i - done);
            put_escape(out, c);
            done = i + 1;
        }
    }
    lia_buf_bytes(out, s.ptr + done, s.len - done);
    lia_buf_u8(out, '"');
}

/* {"$name": "text"} */
static void put_wrapped(struct lia_buf *out, const char *name, struct liana_str text)
{
    lia_buf_printf(out, "{\"%s\":", name);
    put_string(out, text);
    lia_buf_u8(out, '}');
}

/* ---- numbers and dates ---- */

static void write_double(struct writer *w, double v)
{
    char text[LIA_DOUBLE_TEXT];
    struct liana_str s = {text, lia_double_print(v, text)};

    if (w->is_relaxed && isfinite(v)) {
        lia_buf_bytes(w->out, s.ptr, s.len);
    } else {
        put_wrapped(w->out, "$numberDouble", s);
    }
}

static void write_integer(struct writer *w, const char *name, int64_t v)
{
    if (w->is_relaxed) {
        lia_buf_printf(w->out, "%lld", (long long)v);
    } else {
        lia_buf_printf(w->out, "{\"%s\":\"%lld\"}", name, (long long)v);
    }
}

static void write_decimal(struct writer *w, struct lia_decimal d)
{
    char text[LIA_DECIMAL_TEXT];
    struct liana_str s = {text, lia_decimal_print(d, text)};

    put_wrapped(w->out, "$numberDecimal", s);
}

static void write_date(struct writer *w, int64_t ms)
{
    char text[LIA_DATE_TEXT];

    if (w->is_relaxed && ms >= 0 && ms <= LIA_DATE_TEXT_MAX) {
        struct liana_str s = {text, lia_date_print(ms, text)};

        put_wrapped(w->out, "$date", s);
    } else {
        lia_buf_printf(w->out, "{\"$date\":{\"$numberLong\":\"%lld\"}}", (long long)ms);
    }
}

static void write_timestamp(struct writer *w, uint64_t v)
{
    lia_buf_printf(w->out, "{\"$timestamp\":{\"t\":%u,\"i\":%u}}", (unsigned)(v >> 32),
                   (unsigned)v);
}

/* ---- bytes ---- */

static void put_oid(struct lia_buf *out, const uint8_t *id)
{
    char hex[2 * 12 + 1];

    sodium_bin2hex(hex, sizeof(hex), id, 12);
    put_wrapped(out, "$oid", lia_str(hex));
}

/* sodium ends its text with NUL. */
static void put_base64(struct lia_buf *out, struct liana_slice bytes)
{
    size_t len = sodium_base64_encoded_len(bytes.len, sodium_base64_VARIANT_ORIGINAL);
    char *to = (char *)lia_buf_extend(out, len);

    if (to) {
        sodium_bin2base64(to, len, bytes.ptr, bytes.len,
                          sodium_base64_VARIANT_ORIGINAL);
        out->len--;
    }
}

static void write_binary(struct writer *w, struct liana_slice data)
{
    uint8_t subtype = data.ptr[4];
    size_t before = subtype == 0x02 ? 9 : 5;

    lia_buf_str(w->out, "{\"$binary\":{\"base64\":\"");
    put_base64(w->out, lia_slice_sub(data, before, data.len - before));
    lia_buf_printf(w->out, "\",\"subType\":\"%02x\"}}", subtype);
}

/* ---- texts ---- */

static void write_regex(struct writer *w, struct liana_slice data)
{
    struct liana_str pattern = lia_str((const char *)data.ptr);

    lia_buf_str(w->out, "{\"$regularExpression\":{\"pattern\":");
    put_string(w->out, pattern);
    lia_buf_str(w->out, ",\"options\":");
    put_string(w->out, lia_str(pattern.ptr + pattern.len + 1));
    lia_buf_str(w->out, "}}");
}

static void write_dbpointer(struct writer *w, struct liana_slice data)
{
    lia_buf_str(w->out, "{\"$dbPointer\":{\"$ref\":");
    put_string(w->out, (struct liana_str){(const char *)data.ptr + 4, data.len - 17});
    lia_buf_str(w->out, ",\"$id\":");
    put_oid(w->out, data.ptr + data.len - 12);
    lia_buf_str(w->out, "}}");
}

/* ---- objects and arrays ---- */

#define PATH_TEXT 120

static size_t put_path(const struct place *place, char *text, size_t used)
{
    int n;

    if (!place) {
        return used;
    }
    used = put_path(place->outer, text, used);
    n = snprintf(text + used, PATH_TEXT - used, "%s%.*s", used ? "." : "",
                 LIA_STR_ARG(place->name));
    used += n > 0 ? (size_t)n : 0;
    return used < PATH_TEXT ? used : PATH_TEXT - 1;
}

static void fail_wrapper(struct writer *w,
                         struct liana_str name,
                         const struct place *place)
{
    char path[PATH_TEXT] = "";

    (void)put_path(place, path, 0);
    path[lia_utf8_valid_len(lia_str_slice(lia_str(path)))] = '\0';
    w->status = lia_err(w->err, LIANA_EJSON,
                        "%s%san object that begins with %.*s would be read as a value",
                        path, place ? ": " : "", LIA_STR_ARG(name));
}

static bool stopped(const struct writer *w)
{
    return w->status || w->out->status;
}

static void write_document(struct writer *w,
                           struct liana_slice doc,
                           const struct place *place)
{
    struct lia_bson_iter it = lia_bson_iter(doc);
    bool is_first = true;

    lia_buf_u8(w->out, '{');
    while (!stopped(w) && lia_bson_next(&it)) {
        struct place here = {place, it.name};

        if (!is_first) {
            lia_buf_u8(w->out, ',');
        } else if (lia_json_is_wrapper(it.name)) {
            fail_wrapper(w, it.name, place);
            return;
        }
        is_first = false;
        put_string(w->out, it.name);
        lia_buf_u8(w->out, ':');
        write_value(w, it.value, &here);
    }
    lia_buf_u8(w->out, '}');
}

static void write_array(struct writer *w,
                        struct liana_slice array,
                        const struct place *place)
{
    struct lia_bson_iter it = lia_bson_iter(array);
    bool is_first = true;

    lia_buf_u8(w->out, '[');
    while (!stopped(w) && lia_bson_next(&it)) {
        struct place here = {place, it.name};

        if (!is_first) {
            lia_buf_u8(w->out, ',');
        }
        is_first = false;
        write_value(w, it.value, &here);
    }
    lia_buf_u8(w->out, ']');
}

static void write_scope(struct writer *w, struct lia_value v, const struct place *place)
{
    lia_buf_str(w->out, "{\"$code\":");
    put_string(w->out, lia_value_code(v));
    lia_buf_str(w->out, ",\"$scope\":");
    write_document(w, lia_value_scope(v), place);
    lia_buf_u8(w->out, '}');
}

/* Recursion: as deep as checked values are, LIA_DEPTH_MAX and what an expression adds. */
static void write_value(struct writer *w, struct lia_value v, const struct place *place)
{
    switch (v.type) {
    case LIA_BSON_DOUBLE: write_double(w, lia_value_double(v)); break;
    case LIA_BSON_STRING: put_string(w->out, lia_value_str(v)); break;
    case LIA_BSON_DOCUMENT: write_document(w, v.data, place); break;
    case LIA_BSON_ARRAY: write_array(w, v.data, place); break;
    case LIA_BSON_BINARY: write_binary(w, v.data); break;
    case LIA_BSON_UNDEFINED: lia_buf_str(w->out, "{\"$undefined\":true}"); break;
    case LIA_BSON_OBJECTID: put_oid(w->out, v.data.ptr); break;
    case LIA_BSON_BOOL:
        lia_buf_str(w->out, lia_value_bool(v) ? "true" : "false");
        break;
    case LIA_BSON_DATE: write_date(w, lia_value_date_ms(v)); break;
    case LIA_BSON_NULL: lia_buf_str(w->out, "null"); break;
    case LIA_BSON_REGEX: write_regex(w, v.data); break;
    case LIA_BSON_DBPOINTER: write_dbpointer(w, v.data); break;
    case LIA_BSON_CODE: put_wrapped(w->out, "$code", lia_value_str(v)); break;
    case LIA_BSON_SYMBOL: put_wrapped(w->out, "$symbol", lia_value_str(v)); break;
    case LIA_BSON_CODE_W_SCOPE: write_scope(w, v, place); break;
    case LIA_BSON_INT32: write_integer(w, "$numberInt", lia_value_int32(v)); break;
    case LIA_BSON_TIMESTAMP: write_timestamp(w, lia_value_timestamp(v)); break;
    case LIA_BSON_INT64: write_integer(w, "$numberLong", lia_value_int64(v)); break;
    case LIA_BSON_DECIMAL128: write_decimal(w, lia_value_decimal(v)); break;
    case LIA_BSON_MINKEY: lia_buf_str(w->out, "{\"$minKey\":1}"); break;
    case LIA_BSON_MAXKEY: lia_buf_str(w->out, "{\"$maxKey\":1}"); break;
    default:
        w->status = lia_err(w->err, LIANA_EBSON, "unknown BSON type 0x%02x", v.type);
        break;
    }
}

liana_status lia_json_write_value(struct lia_value v,
                                  enum lia_json_form form,
                                  struct lia_buf *out,
                                  struct liana_error *err)
{
    struct writer w = {.out = out, .err = err, .is_relaxed = form == LIA_JSON_RELAXED};
    size_t start = out->len;

    write_value(&w, v, NULL);
    if (!w.status && !out->status) {
        return LIANA_OK;
    }
    out->len = start;
    return w.status ? w.status : lia_err_plain(err, out->status);
}

liana_status lia_json_write(struct liana_slice doc,
                            enum lia_json_form form,
                            struct lia_buf *out,
                            struct liana_error *err)
{
    return lia_json_write_value((struct lia_value){LIA_BSON_DOCUMENT, doc}, form, out,
                                err);
}
