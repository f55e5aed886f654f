/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CODEC_KEY_ID_H
#define LIA_CODEC_KEY_ID_H
/*
 * codec/key_id - the _id that a key stands for (docs/format/key.md): of a deleted document
 * nothing else is left.
 *
 * Rules: a key does not tell the type of a number or the order of fields in an _id; what
 * comes out has the same key, so it names the same document. A whole number comes out as
 * int32 or int64 where it fits, another one as a double if that is exact, else as a
 * Decimal128. Ownership: appended to the buffer. Threads: any. No state.
 */
#include "base/buf.h"

/* Appends the document {_id: ...}. LIANA_ECORRUPT: no key of an _id. */
LIANA_MUST_CHECK liana_status lia_key_id(struct liana_slice key,
                                         struct lia_buf *out,
                                         struct liana_error *err);

#endif
