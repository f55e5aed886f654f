/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CODEC_JSON_H
#define LIA_CODEC_JSON_H
/*
 * codec/json - MongoDB Extended JSON, version 2, both ways, every BSON type.
 *
 * Reading takes the canonical and the relaxed form, mixed, and `$uuid`; not the forms of
 * version 1. An object whose first name is one of `$oid`, `$numberInt`, ... is that value
 * and nothing else may stand in it. Nothing is lost silently:
 *   a number without point and exponent is an int32 if it fits, else an int64; -0 and what
 *   is beyond int64 are doubles;
 *   a number that no double keeps (codec/double_text.h), a Decimal128 of more digits than
 *   34, a fraction of a millisecond, half a surrogate pair, NUL in a name or a regular
 *   expression are errors: LIANA_EJSON;
 *   a name that stands twice in one object is LIANA_EDUPFIELD, naming the path.
 * The text is UTF-8. What comes out has passed lia_bson_check.
 *
 * Writing refuses what would be read back as something else: a document whose first name
 * is `$oid` or the like (LIANA_EJSON). The canonical form keeps every type; the relaxed one
 * writes int32, int64, finite doubles and dates from 1970 to 9999 as plain JSON. In both a
 * NaN loses its payload, in a double and in a Decimal128.
 *
 * Errors name the path, or line and column, counted from the start of the text given, of
 * where reading stopped: behind what was refused.
 * Ownership: text is borrowed; results are appended to the caller's buffer, whose allocator
 * serves for scratch too. Threads: any. No state.
 */
#include "codec/bson.h"

/* One document. With `out_used`, more text may follow it, and the bytes up to the end of
 * the document are counted (blanks before it included); LIANA_EEND when there are only
 * blanks. Without (NULL), the text is one document and blanks.
 * LIANA_EJSON, LIANA_EDUPFIELD, LIANA_EDEPTH, LIANA_ETOOLARGE, LIANA_ENOMEM; then nothing
 * is appended. */
LIANA_MUST_CHECK liana_status lia_json_read(struct liana_slice text,
                                            struct lia_buf *out,
                                            size_t *out_used,
                                            struct liana_error *err);

/* One value of any type, and blanks. `holder` is reset; `out` points into it. */
LIANA_MUST_CHECK liana_status lia_json_read_value(struct liana_slice text,
                                                  struct lia_buf *holder,
                                                  struct lia_value *out,
                                                  struct liana_error *err);

enum lia_json_form { LIA_JSON_CANONICAL, LIA_JSON_RELAXED };

/* A checked document, on one line without blanks. LIANA_EJSON (names the path),
 * LIANA_ETOOLARGE, LIANA_ENOMEM; then nothing is appended. */
LIANA_MUST_CHECK liana_status lia_json_write(struct liana_slice doc,
                                             enum lia_json_form form,
                                             struct lia_buf *out,
                                             struct liana_error *err);

LIANA_MUST_CHECK liana_status lia_json_write_value(struct lia_value v,
                                                   enum lia_json_form form,
                                                   struct lia_buf *out,
                                                   struct liana_error *err);

#endif
