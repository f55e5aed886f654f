/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/bson.h"

static const uint8_t empty_bytes[5] = {5, 0, 0, 0, 0};
const struct liana_slice lia_bson_empty = {empty_bytes, sizeof(empty_bytes)};

static uint32_t get_u32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
           (uint32_t)at[3] << 24;
}

static uint64_t get_u64(const uint8_t *at)
{
    return (uint64_t)get_u32(at) | (uint64_t)get_u32(at + 4) << 32;
}

const char *lia_bson_type_name(uint8_t type)
{
    switch (type) {
    case LIA_BSON_DOUBLE: return "double";
    case LIA_BSON_STRING: return "string";
    case LIA_BSON_DOCUMENT: return "object";
    case LIA_BSON_ARRAY: return "array";
    case LIA_BSON_BINARY: return "binData";
    case LIA_BSON_UNDEFINED: return "undefined";
    case LIA_BSON_OBJECTID: return "objectId";
    case LIA_BSON_BOOL: return "bool";
    case LIA_BSON_DATE: return "date";
    case LIA_BSON_NULL: return "null";
    case LIA_BSON_REGEX: return "regex";
    case LIA_BSON_DBPOINTER: return "dbPointer";
    case LIA_BSON_CODE: return "javascript";
    case LIA_BSON_SYMBOL: return "symbol";
    case LIA_BSON_CODE_W_SCOPE: return "javascriptWithScope";
    case LIA_BSON_INT32: return "int";
    case LIA_BSON_TIMESTAMP: return "timestamp";
    case LIA_BSON_INT64: return "long";
    case LIA_BSON_DECIMAL128: return "decimal";
    case LIA_BSON_MAXKEY: return "maxKey";
    case LIA_BSON_MINKEY: return "minKey";
    default: return "unknown type";
    }
}

/* ---- reading ---- */

/* Length of a C string with its NUL, 0 if none ends before `end`. */
static size_t cstring_len(const uint8_t *at, const uint8_t *end)
{
    const uint8_t *nul = at < end ? memchr(at, 0, (size_t)(end - at)) : NULL;

    return nul ? (size_t)(nul - at) + 1 : 0;
}

/* A payload that begins with its own 32-bit length; `around` bytes are not counted in
 * it. */
static bool counted_len(const uint8_t *at,
                        size_t left,
                        uint32_t min,
                        size_t around,
                        size_t *out)
{
    uint32_t n;

    if (left < 4) {
        return false;
    }
    n = get_u32(at);
    if (n < min || n > INT32_MAX || n > left || around > left - n) {
        return false;
    }
    *out = n + around;
    return true;
}

static bool regex_len(const uint8_t *at, const uint8_t *end, size_t *out)
{
    size_t pattern = cstring_len(at, end);
    size_t options = pattern ? cstring_len(at + pattern, end) : 0;

    *out = pattern + options;
    return options != 0;
}

bool lia_bson_value_len(uint8_t type,
                        const uint8_t *at,
                        const uint8_t *end,
                        size_t *out)
{
    size_t left = (size_t)(end - at);
    size_t fixed = 0;

    switch (type) {
    case LIA_BSON_STRING:
    case LIA_BSON_CODE:
    case LIA_BSON_SYMBOL: return counted_len(at, left, 1, 4, out);
    case LIA_BSON_DOCUMENT:
    case LIA_BSON_ARRAY: return counted_len(at, left, 5, 0, out);
    case LIA_BSON_CODE_W_SCOPE: return counted_len(at, left, 14, 0, out);
    case LIA_BSON_BINARY: return counted_len(at, left, 0, 5, out);
    case LIA_BSON_DBPOINTER: return counted_len(at, left, 1, 16, out);
    case LIA_BSON_REGEX: return regex_len(at, end, out);
    case LIA_BSON_BOOL: fixed = 1; break;
    case LIA_BSON_INT32: fixed = 4; break;
    case LIA_BSON_DOUBLE:
    case LIA_BSON_DATE:
    case LIA_BSON_TIMESTAMP:
    case LIA_BSON_INT64: fixed = 8; break;
    case LIA_BSON_OBJECTID: fixed = 12; break;
    case LIA_BSON_DECIMAL128: fixed = 16; break;
    case LIA_BSON_UNDEFINED:
    case LIA_BSON_NULL:
    case LIA_BSON_MAXKEY:
    case LIA_BSON_MINKEY: break;
    default: return false;
    }
    *out = fixed;
    return fixed <= left;
}

bool lia_bson_is_framed(struct liana_slice doc)
{
    return doc.len >= 5 && get_u32(doc.ptr) == doc.len && doc.ptr[doc.len - 1] == 0;
}

struct lia_bson_iter lia_bson_iter(struct liana_slice doc)
{
    struct lia_bson_iter it = {0};

    if (doc.len >= 5 && get_u32(doc.ptr) <= doc.len && get_u32(doc.ptr) >= 5) {
        it.at = doc.ptr + 4;
        it.end = doc.ptr + get_u32(doc.ptr) - 1;
    }
    it.start = it.at;
    return it;
}

bool lia_bson_next(struct lia_bson_iter *it)
{
    const uint8_t *name;
    size_t name_len;
    size_t len;

    if (it->at >= it->end) {
        return false;
    }
    name = it->at + 1;
    name_len = cstring_len(name, it->end);
    if (name_len == 0 ||
        !lia_bson_value_len(it->at[0], name + name_len, it->end, &len)) {
        it->at = it->end;
        return false;
    }
    it->start = it->at;
    it->name = (struct liana_str){(const char *)name, name_len - 1};
    it->value = (struct lia_value){it->at[0], {name + name_len, len}};
    it->at = name + name_len + len;
    return true;
}

struct liana_slice lia_bson_element(const struct lia_bson_iter *it)
{
    return (struct liana_slice){it->start, (size_t)(it->at - it->start)};
}

bool lia_bson_find(struct liana_slice doc, struct liana_str name, struct lia_value *out)
{
    struct lia_bson_iter it = lia_bson_iter(doc);

    if (!lia_bson_seek(&it, name)) {
        return false;
    }
    *out = it.value;
    return true;
}

bool lia_value_equal(struct lia_value a, struct lia_value b)
{
    return a.type == b.type && lia_slice_equal(a.data, b.data);
}

bool lia_value_is_number(struct lia_value v)
{
    return v.type == LIA_BSON_INT32 || v.type == LIA_BSON_INT64 ||
           v.type == LIA_BSON_DOUBLE || v.type == LIA_BSON_DECIMAL128;
}

int32_t lia_value_int32(struct lia_value v)
{
    return (int32_t)get_u32(v.data.ptr);
}

int64_t lia_value_int64(struct lia_value v)
{
    return (int64_t)get_u64(v.data.ptr);
}

double lia_value_double(struct lia_value v)
{
    uint64_t bits = get_u64(v.data.ptr);
    double d;

    memcpy(&d, &bits, sizeof(d));
    return d;
}

bool lia_value_bool(struct lia_value v)
{
    return v.data.ptr[0] != 0;
}

int64_t lia_value_date_ms(struct lia_value v)
{
    return lia_value_int64(v);
}

uint64_t lia_value_timestamp(struct lia_value v)
{
    return get_u64(v.data.ptr);
}

struct liana_str lia_value_str(struct lia_value v)
{
    return (struct liana_str){(const char *)v.data.ptr + 4, v.data.len - 5};
}

struct liana_str lia_value_code(struct lia_value v)
{
    return (struct liana_str){(const char *)v.data.ptr + 8,
                              get_u32(v.data.ptr + 4) - 1};
}

struct liana_slice lia_value_scope(struct lia_value v)
{
    size_t before = 8 + (size_t)get_u32(v.data.ptr + 4);

    return lia_slice_sub(v.data, before, v.data.len - before);
}

/* ---- making values ---- */

static struct lia_value put(uint8_t type,
                            uint64_t bits,
                            size_t n,
                            struct lia_scratch *scratch)
{
    for (size_t i = 0; i < n; i++) {
        scratch->bytes[i] = (uint8_t)(bits >> (8 * i));
    }
    return (struct lia_value){type, {scratch->bytes, n}};
}

struct lia_value lia_value_of_int32(int32_t v, struct lia_scratch *scratch)
{
    return put(LIA_BSON_INT32, (uint32_t)v, 4, scratch);
}

struct lia_value lia_value_of_int64(int64_t v, struct lia_scratch *scratch)
{
    return put(LIA_BSON_INT64, (uint64_t)v, 8, scratch);
}

struct lia_value lia_value_of_double(double v, struct lia_scratch *scratch)
{
    uint64_t bits;

    memcpy(&bits, &v, sizeof(bits));
    return put(LIA_BSON_DOUBLE, bits, 8, scratch);
}

struct lia_value lia_value_of_date(int64_t ms, struct lia_scratch *scratch)
{
    return put(LIA_BSON_DATE, (uint64_t)ms, 8, scratch);
}

struct lia_value lia_value_of_bool(bool v)
{
    static const uint8_t bytes[2] = {0, 1};

    return (struct lia_value){LIA_BSON_BOOL, {&bytes[v], 1}};
}

struct lia_value lia_value_of_null(void)
{
    return (struct lia_value){LIA_BSON_NULL, {NULL, 0}};
}

/* ---- building ---- */

static void add_head(struct lia_buf *buf, uint8_t type, struct liana_str name)
{
    lia_buf_u8(buf, type);
    lia_buf_bytes(buf, name.ptr, name.len);
    lia_buf_u8(buf, 0);
}

size_t lia_bson_begin(struct lia_buf *buf)
{
    size_t mark = buf->len;

    lia_buf_u32(buf, 0);
    return mark;
}

size_t lia_bson_begin_in(struct lia_buf *buf, uint8_t type, struct liana_str name)
{
    add_head(buf, type, name);
    return lia_bson_begin(buf);
}

void lia_bson_end(struct lia_buf *buf, size_t mark)
{
    lia_buf_u8(buf, 0);
    lia_buf_patch_u32(buf, mark, (uint32_t)(buf->len - mark));
}

void lia_bson_add(struct lia_buf *buf, struct liana_str name, struct lia_value v)
{
    add_head(buf, v.type, name);
    lia_buf_slice_add(buf, v.data);
}

void lia_bson_add_elements(struct lia_buf *buf, struct liana_slice elements)
{
    lia_buf_slice_add(buf, elements);
}

void lia_bson_add_int32(struct lia_buf *buf, struct liana_str name, int32_t v)
{
    add_head(buf, LIA_BSON_INT32, name);
    lia_buf_u32(buf, (uint32_t)v);
}

void lia_bson_add_int64(struct lia_buf *buf, struct liana_str name, int64_t v)
{
    add_head(buf, LIA_BSON_INT64, name);
    lia_buf_u64(buf, (uint64_t)v);
}

void lia_bson_add_double(struct lia_buf *buf, struct liana_str name, double v)
{
    struct lia_scratch scratch;

    lia_bson_add(buf, name, lia_value_of_double(v, &scratch));
}

void lia_bson_add_bool(struct lia_buf *buf, struct liana_str name, bool v)
{
    lia_bson_add(buf, name, lia_value_of_bool(v));
}

void lia_bson_add_date(struct lia_buf *buf, struct liana_str name, int64_t ms)
{
    add_head(buf, LIA_BSON_DATE, name);
    lia_buf_u64(buf, (uint64_t)ms);
}

void lia_bson_add_null(struct lia_buf *buf, struct liana_str name)
{
    add_head(buf, LIA_BSON_NULL, name);
}

void lia_bson_add_str(struct lia_buf *buf, struct liana_str name, struct liana_str v)
{
    add_head(buf, LIA_BSON_STRING, name);
    lia_buf_u32(buf, (uint32_t)v.len + 1);
    lia_buf_bytes(buf, v.ptr, v.len);
    lia_buf_u8(buf, 0);
}

void lia_bson_add_binary(struct lia_buf *buf,
                         struct liana_str name,
                         uint8_t subtype,
                         struct liana_slice v)
{
    add_head(buf, LIA_BSON_BINARY, name);
    lia_buf_u32(buf, (uint32_t)v.len);
    lia_buf_u8(buf, subtype);
    lia_buf_slice_add(buf, v);
}

struct liana_str lia_bson_index_name(uint32_t index, char text[static 12])
{
    char *const end = text + 11;
    char *at = end;

    do {
        *--at = (char)('0' + index % 10);
        index /= 10;
    } while (index);
    return (struct liana_str){at, (size_t)(end - at)};
}
