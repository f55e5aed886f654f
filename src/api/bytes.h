/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_API_BYTES_H
#define LIA_API_BYTES_H
/*
 * api/bytes - making the bytes that a call gives to the app.
 *
 * Rules: one NUL stands behind them. Ownership: the app's, by liana_bytes_free; the
 * allocator must live that long: it is copied. Threads: any.
 */
#include "base/buf.h"

/* A copy of `from`; NULL when out of memory. */
liana_bytes *lia_bytes_new(const struct liana_allocator *a, struct liana_slice from);

/* What a buffer holds, or its failure. */
LIANA_MUST_CHECK liana_status lia_bytes_of(const struct lia_buf *buf,
                                           liana_bytes **out,
                                           struct liana_error *err);

#endif
