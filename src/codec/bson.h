/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CODEC_BSON_H
#define LIA_CODEC_BSON_H
/*
 * codec/bson - BSON documents as borrowed views, and a builder into our own buffers.
 *
 * A document is its bytes (bsonspec.org, version 1.1). A value is its type and the
 * bytes of its payload, still inside the document that it was read from.
 *
 * Rules: bytes from outside go through lia_bson_check first; the walks below then trust
 * lengths and stop, with `false`, where a document ends. A walk over unchecked bytes is
 * memory-safe too, but may end early. Names are any UTF-8 without NUL; dots, dollars
 * and the empty name are names.
 *
 * Ownership: views borrow; the builder writes into the caller's lia_buf.
 * Threads: any. No state.
 */
#include "base/buf.h"
#include "base/error.h"
#include "base/limits.h"

enum lia_bson_type {
    LIA_BSON_END = 0x00,
    LIA_BSON_DOUBLE = 0x01,
    LIA_BSON_STRING = 0x02,
    LIA_BSON_DOCUMENT = 0x03,
    LIA_BSON_ARRAY = 0x04,
    LIA_BSON_BINARY = 0x05,
    LIA_BSON_UNDEFINED = 0x06,
    LIA_BSON_OBJECTID = 0x07,
    LIA_BSON_BOOL = 0x08,
    LIA_BSON_DATE = 0x09,
    LIA_BSON_NULL = 0x0a,
    LIA_BSON_REGEX = 0x0b,
    LIA_BSON_DBPOINTER = 0x0c,
    LIA_BSON_CODE = 0x0d,
    LIA_BSON_SYMBOL = 0x0e,
    LIA_BSON_CODE_W_SCOPE = 0x0f,
    LIA_BSON_INT32 = 0x10,
    LIA_BSON_TIMESTAMP = 0x11,
    LIA_BSON_INT64 = 0x12,
    LIA_BSON_DECIMAL128 = 0x13,
    LIA_BSON_MAXKEY = 0x7f,
    LIA_BSON_MINKEY = 0xff
};

/* The empty document: five bytes. */
extern const struct liana_slice lia_bson_empty;

/* A value: type and payload as they stand in a document. A string's payload has its
 * length before it and the NUL behind it, a document's is the whole document. */
struct lia_value {
    uint8_t type;
    struct liana_slice data;
};

/* "string", "objectId": the names of MongoDB's $type. Never NULL, static. */
const char *lia_bson_type_name(uint8_t type);

/* ---- checking: codec/bson_check.c ----
 *
 * Canonical BSON has one form for each value: array elements are named "0", "1", ... and
 * the options of a regular expression stand in ascending order. Inside the library, on
 * disk and on the wire BSON is always canonical, so that equal values are equal bytes.
 *
 * Depth: the document itself is not counted; below it at most LIA_DEPTH_MAX objects,
 * arrays and scopes stand inside one another.
 *
 * `alloc` is asked for memory only for a map of more than a few dozen fields; it is
 * given back before the call ends. Time is linear in the bytes of the document for each
 * of its levels, whatever the names are.
 */

/* Checks everything: lengths, types, terminators, UTF-8, booleans of 0 or 1, depth, no
 * name twice in one map, and that it is canonical. The slice must be exactly one
 * document. LIANA_EBSON, LIANA_EDEPTH, LIANA_EDUPFIELD (the message names the path),
 * LIANA_ENOMEM. */
LIANA_MUST_CHECK liana_status lia_bson_check(struct liana_slice doc,
                                             const struct liana_allocator *alloc,
                                             struct liana_error *err);

/* For documents from outside (an app, a file, MongoDB), where arrays with other names
 * and unsorted options are met: as lia_bson_check, and appends the document to `out` in
 * its canonical form. Nothing is appended on failure. Also LIANA_ETOOLARGE when `out` has
 * a limit. */
LIANA_MUST_CHECK liana_status lia_bson_canonicalize(struct liana_slice doc,
                                                    struct lia_buf *out,
                                                    struct liana_error *err);

/* The same for a map of values that are no part of one document, such as parameters: each
 * may be as deep as a document. */
LIANA_MUST_CHECK liana_status lia_bson_canonicalize_values(struct liana_slice values,
                                                           struct lia_buf *out,
                                                           struct liana_error *err);

/* ---- reading ---- */

struct lia_bson_iter {
    const uint8_t *at;
    const uint8_t *end; /* the document's closing zero */
    struct liana_str name;
    struct lia_value value;
    const uint8_t *start; /* of the current element, its type byte */
};

/* From its length to its last byte as long as it says; what is inside is not looked at. */
bool lia_bson_is_framed(struct liana_slice doc);

/* Of a document or an array's payload. A slice that is no document gives no elements.
 */
struct lia_bson_iter lia_bson_iter(struct liana_slice doc);

/* Moves to the next element: `name`, `value` and `start` are set. False at the end. */
bool lia_bson_next(struct lia_bson_iter *it);

/* Moves to the next element of that name, as calls of lia_bson_next would, and faster.
 * False: there is none; the walk has ended. */
bool lia_bson_seek(struct lia_bson_iter *it, struct liana_str name);

/* The current element's bytes: type, name, payload. */
struct liana_slice lia_bson_element(const struct lia_bson_iter *it);

/* The value of a name in a document; false when it is not there. */
bool lia_bson_find(struct liana_slice doc,
                   struct liana_str name,
                   struct lia_value *out);

/* Payload length of a value of `type` that starts at `at`, or false if it does not fit
 * before `end`. */
bool lia_bson_value_len(uint8_t type,
                        const uint8_t *at,
                        const uint8_t *end,
                        size_t *out);

/* Byte-equal, type included. */
bool lia_value_equal(struct lia_value a, struct lia_value b);

bool lia_value_is_number(struct lia_value v);

/* What a value of the named type holds; the caller has looked at the type. */
int32_t lia_value_int32(struct lia_value v);
int64_t lia_value_int64(struct lia_value v);
double lia_value_double(struct lia_value v);
bool lia_value_bool(struct lia_value v);
int64_t lia_value_date_ms(struct lia_value v);
uint64_t lia_value_timestamp(struct lia_value v);
/* Of a string, symbol or code, without its NUL. */
struct liana_str lia_value_str(struct lia_value v);

/* Of code with scope: the code without its NUL, and the scope document. */
struct liana_str lia_value_code(struct lia_value v);
struct liana_slice lia_value_scope(struct lia_value v);

/* ---- making values: the payload is put into `scratch`, 24 bytes of the caller's ----
 */

struct lia_scratch {
    uint8_t bytes[24];
};

struct lia_value lia_value_of_int32(int32_t v, struct lia_scratch *scratch);
struct lia_value lia_value_of_int64(int64_t v, struct lia_scratch *scratch);
struct lia_value lia_value_of_double(double v, struct lia_scratch *scratch);
struct lia_value lia_value_of_date(int64_t ms, struct lia_scratch *scratch);
struct lia_value lia_value_of_bool(bool v);
struct lia_value lia_value_of_null(void);

/* ---- building: documents nest by start and end, on one sticky buffer ----
 *
 *     size_t doc = lia_bson_begin(buf);
 *     lia_bson_add(buf, name, value);
 *     size_t inner = lia_bson_begin_in(buf, LIA_BSON_DOCUMENT, name);
 *     lia_bson_end(buf, inner);
 *     lia_bson_end(buf, doc);
 */
size_t lia_bson_begin(struct lia_buf *buf);
size_t lia_bson_begin_in(struct lia_buf *buf, uint8_t type, struct liana_str name);
void lia_bson_end(struct lia_buf *buf, size_t mark);

void lia_bson_add(struct lia_buf *buf, struct liana_str name, struct lia_value v);
/* Elements as lia_bson_element gives them, one or many, copied as they are. */
void lia_bson_add_elements(struct lia_buf *buf, struct liana_slice elements);
void lia_bson_add_int32(struct lia_buf *buf, struct liana_str name, int32_t v);
void lia_bson_add_int64(struct lia_buf *buf, struct liana_str name, int64_t v);
void lia_bson_add_double(struct lia_buf *buf, struct liana_str name, double v);
void lia_bson_add_bool(struct lia_buf *buf, struct liana_str name, bool v);
void lia_bson_add_date(struct lia_buf *buf, struct liana_str name, int64_t ms);
void lia_bson_add_null(struct lia_buf *buf, struct liana_str name);
void lia_bson_add_str(struct lia_buf *buf, struct liana_str name, struct liana_str v);
void lia_bson_add_binary(struct lia_buf *buf,
                         struct liana_str name,
                         uint8_t subtype,
                         struct liana_slice v);
/* The name of array element `index`, written into `text`. */
struct liana_str lia_bson_index_name(uint32_t index, char text[static 12]);

#endif
