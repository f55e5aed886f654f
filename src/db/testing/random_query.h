/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_DB_TESTING_RANDOM_QUERY_H
#define LIA_DB_TESTING_RANDOM_QUERY_H
/*
 * db/testing/random_query - random expressions, and documents and parameters that fit them.
 *
 * Documents have the fields _id (the number asked for), and some of a, b, c, o (often with x and
 * y) and l, of types that are often alike, so that conditions are neither always nor never
 * true. Expressions use these paths, the parameters p0 to p3, and every operator and
 * function of functions.def.
 *
 * Ownership: the buffers are the caller's. Threads: one per generator.
 */
#include "base/buf.h"
#include "base/testing/random.h"

/* Appends the text of an expression, nested at most `depth` deep. */
void lia_random_expr(struct lia_rng *rng, struct lia_buf *out, unsigned depth);
/* The same, of a kind that is a condition. */
void lia_random_condition(struct lia_rng *rng, struct lia_buf *out, unsigned depth);

/* Appends a document. */
void lia_random_body(struct lia_rng *rng, struct lia_buf *out, int32_t id);
void lia_random_params(struct lia_rng *rng, struct lia_buf *out);

#endif
