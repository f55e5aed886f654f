/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CODEC_BSON_REWRITE_H
#define LIA_CODEC_BSON_REWRITE_H
/*
 * codec/bson_rewrite - the canonical form of a document that is right in all else.
 *
 * Array elements are renamed to their index, the options of regular expressions sorted.
 * Used by codec/bson_check.c alone.
 *
 * Rules: `doc` has been checked but for its canonical form. A result beyond 2 GiB, which
 * BSON cannot hold, sets LIANA_ETOOLARGE on `out`.
 * Ownership: writes into the caller's buffer. Threads: any. No state.
 */
#include "codec/bson.h"

void lia_bson_rewrite(struct liana_slice doc, struct lia_buf *out);

#endif
