/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CODEC_TESTING_RANDOM_BSON_H
#define LIA_CODEC_TESTING_RANDOM_BSON_H
/*
 * codec/testing/random_bson - random documents and values for property tests: every BSON
 * type, nested, canonical, with few different names, strings and numbers, so that equal
 * and nearly equal ones are common.
 *
 * Ownership: the buffer is the caller's. Threads: one per generator.
 */
#include "base/testing/random.h"
#include "codec/bson.h"

/* Appends one document that lia_bson_check accepts. */
void lia_random_document(struct lia_rng *rng, struct lia_buf *out);

/* A value of any type, in a document that replaces what `holder` has. */
struct lia_value lia_random_value(struct lia_rng *rng, struct lia_buf *holder);

#endif
