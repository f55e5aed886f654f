/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIANA_TYPES_H
#define LIANA_TYPES_H
/*
 * liana/types - the values that cross the API by value.
 *
 * Rules: a slice or string is borrowed for the call unless the function's page says how
 * long it stays valid. A slice of length 0 may have a NULL pointer. Strings are UTF-8,
 * not ended by NUL. Ownership: slices and strings own nothing; a liana_bytes is its
 * holder's. Threads: any.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "liana/error.h"

#ifdef __cplusplus
extern "C" {
#endif

struct liana_slice {
    const uint8_t *ptr;
    size_t len;
};

struct liana_str {
    const char *ptr;
    size_t len;
};

/* A string literal as a liana_str, in C: LIANA_STR("SELECT * FROM sales"). */
#define LIANA_STR(literal) ((struct liana_str){"" literal, sizeof(literal) - 1})

/* No bytes: no parameters, no document. */
#define LIANA_NONE ((struct liana_slice){0, 0})

/* Bytes that a call made and that are the caller's. */
typedef struct liana_bytes liana_bytes;

/* Valid until liana_bytes_free. One NUL, not counted, stands behind them. */
LIANA_API struct liana_slice liana_bytes_slice(const liana_bytes *bytes);
LIANA_API void liana_bytes_free(liana_bytes *bytes);

/* The memory of a database instance comes from one function of this shape. It allocates
 * (`p` NULL, `old` 0), resizes, or frees (`size` 0, answer NULL); NULL for another size
 * means out of memory and leaves `p` as it was. It may be called from any thread that
 * calls into the instance. */
typedef void *(*liana_realloc_fn)(void *ctx, void *p, size_t old_size, size_t size);

struct liana_allocator {
    liana_realloc_fn realloc;
    void *ctx;
};

#ifdef __cplusplus
}
#endif
#endif
