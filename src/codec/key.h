/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CODEC_KEY_H
#define LIA_CODEC_KEY_H
/*
 * codec/key - a byte string for any BSON value, whose order under memcmp is the order of
 * the values (codec/order.h).
 *
 * The model is MongoDB's KeyString; the bytes are ours and stand in docs/format/key.md.
 * Values that compare as equal have equal keys, so a key does not give its value back.
 *
 * Keys are prefix-free: no key is the beginning of another one. So keys put one after the
 * other order like the list of their values, whatever follows them; a key may also be
 * followed by other bytes.
 *
 * Rules: values have been checked (lia_bson_check). A value of type LIA_BSON_END stands
 * for "missing". Ownership: keys are appended to the caller's sticky buffer.
 * Threads: any. No state.
 */
#include "codec/bson.h"

void lia_key_add(struct lia_buf *key, struct lia_value v);

/* The same with every bit inverted: orders the other way round. */
void lia_key_add_descending(struct lia_buf *key, struct lia_value v);

/* Appends the key of a document's _id: two documents are the same one if these are equal.
 * It is lia_key_add's key, but that fields within an _id stand sorted by name at every
 * level, because their order does not tell documents apart.
 * LIANA_EID for an array, regex, undefined, null, NaN or nothing, and when the key would
 * be longer than LIA_ID_BYTES_MAX. Nothing is appended on failure. */
LIANA_MUST_CHECK liana_status lia_key_of_id(struct lia_value id,
                                            struct lia_buf *key,
                                            struct liana_error *err);

#endif
