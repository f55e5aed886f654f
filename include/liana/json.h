/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIANA_JSON_H
#define LIANA_JSON_H
/*
 * liana/json - BSON to and from MongoDB Extended JSON v2.
 *
 * Rules: canonical form keeps every type; relaxed form writes int32, int64, doubles and
 * dates of 1970 to 9999 as people write them and so cannot tell int32 from int64.
 * Decoding takes both, and plain JSON. Numbers that would lose digits, names that stand
 * twice in one object and nesting beyond 100 levels are errors.
 *
 * Ownership: the result is the caller's, liana_bytes_free. Threads: any. No state.
 */
#include "liana/error.h"
#include "liana/types.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { LIANA_JSON_RELAXED = 0, LIANA_JSON_CANONICAL = 1 };

/* One object as one BSON document. White space around it is allowed, nothing else.
 * LIANA_EJSON (the message has line and column), LIANA_EDUPFIELD, LIANA_EDEPTH,
 * LIANA_ERANGE, LIANA_ETOOLARGE. */
LIANA_API LIANA_MUST_CHECK liana_status liana_json_decode(struct liana_str json,
                                                          liana_bytes **out,
                                                          struct liana_error *err);

/* One BSON document as one line of JSON without a newline, in field order.
 * LIANA_EBSON, LIANA_EDEPTH. */
LIANA_API LIANA_MUST_CHECK liana_status liana_json_encode(struct liana_slice document,
                                                          int32_t form,
                                                          liana_bytes **out,
                                                          struct liana_error *err);

#ifdef __cplusplus
}
#endif
#endif
