/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_BASE_SLICE_H
#define LIA_BASE_SLICE_H
/*
 * base/slice - small helpers on borrowed bytes and text.
 *
 * Rules: a slice of length 0 may have a NULL pointer, so nothing here passes NULL to
 * memcmp or memcpy. Ownership: slices own nothing. Threads: any; no state.
 */
#include <string.h>

#include "liana/types.h"

static inline struct liana_slice lia_slice(const void *ptr, size_t len)
{
    return (struct liana_slice){(const uint8_t *)ptr, len};
}

static inline struct liana_str lia_str(const char *text)
{
    return (struct liana_str){text, strlen(text)};
}

static inline struct liana_slice lia_str_slice(struct liana_str s)
{
    return lia_slice(s.ptr, s.len);
}

static inline struct liana_str lia_slice_str(struct liana_slice s)
{
    return (struct liana_str){(const char *)s.ptr, s.len};
}

/* Order of the bytes as unsigned; a prefix comes first. Negative, 0 or positive. */
static inline int lia_slice_cmp(struct liana_slice a, struct liana_slice b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter ? memcmp(a.ptr, b.ptr, shorter) : 0;

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static inline bool lia_slice_equal(struct liana_slice a, struct liana_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool lia_str_equal(struct liana_str a, struct liana_str b)
{
    return lia_slice_equal(lia_str_slice(a), lia_str_slice(b));
}

/* `n` bytes of `s` from `at`; the caller has checked that they are there. */
static inline struct liana_slice lia_slice_sub(struct liana_slice s,
                                               size_t at,
                                               size_t n)
{
    return (struct liana_slice){at ? s.ptr + at : s.ptr, n};
}

/* For printf's %.*s: LIA_STR_ARG(s) is the two arguments. */
#define LIA_STR_ARG(s) (int)(s).len, (const char *)(s).ptr

#endif
