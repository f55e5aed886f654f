/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/key.h"

#include "codec/decimal.h"
#include "codec/key_number.h"
#include "codec/order.h"

struct writer {
    struct lia_buf *key;
    bool is_sorted; /* fields by name, as an _id has them */
};

static void add_value(const struct writer *w, struct lia_value v);

/* ---- text and bytes ---- */

#define ESCAPED_NUL 1 /* a NUL in a text is 00 01, its end is 00 00 */

static void add_text(struct lia_buf *key, struct liana_str text)
{
    while (text.len > 0) {
        const char *nul = memchr(text.ptr, 0, text.len);
        size_t len = nul ? (size_t)(nul - text.ptr) : text.len;

        lia_buf_bytes(key, text.ptr, len);
        if (nul) {
            lia_buf_u8(key, 0);
            lia_buf_u8(key, ESCAPED_NUL);
            len++;
        }
        text.ptr += len;
        text.len -= len;
    }
    lia_buf_u8(key, 0);
    lia_buf_u8(key, 0);
}

/* Without NUL inside: the NUL behind it ends it. */
static void add_name(struct lia_buf *key, struct liana_str name)
{
    lia_buf_bytes(key, name.ptr, name.len);
    lia_buf_u8(key, 0);
}

static void add_be(struct lia_buf *key, uint64_t v, size_t bytes)
{
    while (bytes-- > 0) {
        lia_buf_u8(key, (uint8_t)(v >> (8 * bytes)));
    }
}

#define SHORT_LENGTHS 0xff /* below this a length is one byte */

/* Length before bytes; the payload begins with four bytes of its length in BSON. */
static void add_counted(struct lia_buf *key, struct liana_slice payload, size_t len)
{
    if (len < SHORT_LENGTHS) {
        lia_buf_u8(key, (uint8_t)len);
    } else {
        lia_buf_u8(key, SHORT_LENGTHS);
        add_be(key, len, 4);
    }
    lia_buf_slice_add(key, lia_slice_sub(payload, 4, payload.len - 4));
}

static void add_number(struct lia_buf *key, struct lia_value v)
{
    uint8_t bytes[LIA_KEY_NUMBER_MAX];
    size_t len = lia_key_number(v, bytes);

    lia_buf_bytes(key, bytes, len);
}

/* ---- objects and arrays ---- */

/* The field whose name comes next after `name` (NULL: the first of all). */
static bool next_by_name(struct liana_slice doc,
                         const struct liana_str *name,
                         struct lia_bson_iter *out)
{
    struct lia_bson_iter it = lia_bson_iter(doc);
    bool found = false;

    while (lia_bson_next(&it)) {
        struct liana_slice candidate = lia_str_slice(it.name);

        if ((!name || lia_slice_cmp(candidate, lia_str_slice(*name)) > 0) &&
            (!found || lia_slice_cmp(candidate, lia_str_slice(out->name)) < 0)) {
            *out = it;
            found = true;
        }
    }
    return found;
}

/* The class first and the name second: the order that MongoDB compares fields in. */
static void add_field(const struct writer *w, const struct lia_bson_iter *it)
{
    lia_buf_u8(w->key, (uint8_t)lia_value_class(it->value));
    add_name(w->key, it->name);
    add_value(w, it->value);
}

static void add_fields_sorted(const struct writer *w, struct liana_slice doc)
{
    struct lia_bson_iter it;
    bool more = next_by_name(doc, NULL, &it);

    while (more && !w->key->status) {
        struct liana_str name = it.name;

        add_field(w, &it);
        more = next_by_name(doc, &name, &it);
    }
}

static void add_object(const struct writer *w, struct liana_slice doc)
{
    struct lia_bson_iter it = lia_bson_iter(doc);

    if (w->is_sorted) {
        add_fields_sorted(w, doc);
    } else {
        while (!w->key->status && lia_bson_next(&it)) {
            add_field(w, &it);
        }
    }
    lia_buf_u8(w->key, LIA_CLASS_END);
}

static void add_array(const struct writer *w, struct liana_slice array)
{
    struct lia_bson_iter it = lia_bson_iter(array);

    while (!w->key->status && lia_bson_next(&it)) {
        add_value(w, it.value);
    }
    lia_buf_u8(w->key, LIA_CLASS_END);
}

/* ---- all values ---- */

#define SIGN_BIT (UINT64_C(1) << 63) /* inverted, so that negative dates come first */

static void add_payload(const struct writer *w,
                        enum lia_class class,
                        struct lia_value v)
{
    switch (class) {
    case LIA_CLASS_STRING:
    case LIA_CLASS_CODE: add_text(w->key, lia_value_str(v)); break;
    case LIA_CLASS_OBJECT: add_object(w, v.data); break;
    case LIA_CLASS_ARRAY: add_array(w, v.data); break;
    case LIA_CLASS_BINARY: add_counted(w->key, v.data, v.data.len - 5); break;
    case LIA_CLASS_DBPOINTER: add_counted(w->key, v.data, v.data.len - 17); break;
    case LIA_CLASS_DATE:
        add_be(w->key, (uint64_t)lia_value_date_ms(v) ^ SIGN_BIT, 8);
        break;
    case LIA_CLASS_TIMESTAMP: add_be(w->key, lia_value_timestamp(v), 8); break;
    case LIA_CLASS_CODE_W_SCOPE:
        add_text(w->key, lia_value_code(v));
        add_object(w, lia_value_scope(v));
        break;
    default: /* ObjectId, bool, regex with the NULs behind its parts; or no payload */
        lia_buf_slice_add(w->key, v.data);
        break;
    }
}

/* Recursion: as deep as checked values are, LIA_DEPTH_MAX and what an expression adds. */
static void add_value(const struct writer *w, struct lia_value v)
{
    enum lia_class class = lia_value_class(v);

    if (class == LIA_CLASS_NUMBER) {
        add_number(w->key, v);
        return;
    }
    lia_buf_u8(w->key, (uint8_t) class);
    add_payload(w, class, v);
}

void lia_key_add(struct lia_buf *key, struct lia_value v)
{
    add_value(&(struct writer){.key = key}, v);
}

void lia_key_add_descending(struct lia_buf *key, struct lia_value v)
{
    size_t start = key->len;

    lia_key_add(key, v);
    for (size_t i = start; i < key->len; i++) {
        key->ptr[i] = (uint8_t)~key->ptr[i];
    }
}

/* ---- _id ---- */

/* No value of more bytes has a key within the limit: the shortest key for its bytes is
 * two bytes of an array's zero, for "999", type and sixteen bytes of a Decimal128. It
 * also bounds the work of sorting. */
#define ID_PAYLOAD_MAX ((size_t)16 * LIA_ID_BYTES_MAX)

static bool is_nan(struct lia_value v)
{
    uint8_t key[LIA_KEY_NUMBER_MAX];

    return lia_value_is_number(v) && lia_key_number(v, key) == 1;
}

static bool may_be_id(struct lia_value v)
{
    switch (v.type) {
    case LIA_BSON_END:
    case LIA_BSON_ARRAY:
    case LIA_BSON_REGEX:
    case LIA_BSON_UNDEFINED:
    case LIA_BSON_NULL: return false;
    default: return !is_nan(v);
    }
}

static liana_status fail_id(struct lia_value id, struct liana_error *err)
{
    if (id.type == LIA_BSON_END) {
        return lia_err(err, LIANA_EID, "document has no _id");
    }
    return lia_err(err, LIANA_EID, "_id cannot be %s",
                   is_nan(id) ? "NaN" : lia_bson_type_name(id.type));
}

liana_status lia_key_of_id(struct lia_value id,
                           struct lia_buf *key,
                           struct liana_error *err)
{
    struct lia_buf limited = *key;
    bool is_narrower = key->max - key->len > LIA_ID_BYTES_MAX;
    size_t start = key->len;
    liana_status status;

    if (!may_be_id(id)) {
        return fail_id(id, err);
    }
    if (is_narrower) {
        limited.max = start + LIA_ID_BYTES_MAX;
    }
    if (id.data.len > ID_PAYLOAD_MAX) {
        limited.status = LIANA_ETOOLARGE;
    }
    add_value(&(struct writer){&limited, true}, id);
    status = limited.status;
    key->ptr = limited.ptr;
    key->cap = limited.cap;
    key->len = status ? start : limited.len;
    if (status == LIANA_ETOOLARGE && is_narrower) {
        return lia_err(err, LIANA_EID, "_id is larger than %d bytes", LIA_ID_BYTES_MAX);
    }
    return lia_err_plain(err, status);
}
