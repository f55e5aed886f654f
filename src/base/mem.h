/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_BASE_MEM_H
#define LIA_BASE_MEM_H
/*
 * base/mem - memory from the instance's one allocator, and the arena.
 *
 * Rules: sizes are exact: what is freed is named with the size it was allocated with,
 * so that an allocator can count. No call aborts; NULL means out of memory. An arena
 * hands out memory that is freed as a whole: a plan, a message, a transaction's
 * scratch. It grows in chunks that double up to LIA_ARENA_CHUNK_MAX; a larger request
 * gets a chunk of its own.
 *
 * Ownership: the allocator is borrowed and must outlive what came from it. Arena memory
 * is valid until lia_arena_reset or lia_arena_deinit. Threads: an arena belongs to one
 * thread at a time.
 */
#include <stdalign.h>

#include "liana/error.h"
#include "liana/types.h"

/* malloc, realloc and free of the C library. */
extern const struct liana_allocator lia_mem_libc;

void *lia_mem_alloc(const struct liana_allocator *a, size_t size);
void *lia_mem_zalloc(const struct liana_allocator *a, size_t size);
void *lia_mem_realloc(const struct liana_allocator *a,
                      void *p,
                      size_t old_size,
                      size_t size);
void lia_mem_free(const struct liana_allocator *a, void *p, size_t size);

/* Overwrites a secret; no compiler leaves it out. */
void lia_mem_wipe(void *p, size_t size);

#define LIA_ARENA_CHUNK_MIN ((size_t)1024)
#define LIA_ARENA_CHUNK_MAX ((size_t)256 * 1024)

struct lia_arena_chunk;

struct lia_arena {
    const struct liana_allocator *alloc;
    struct lia_arena_chunk *chunk; /* newest first */
    size_t used;                   /* bytes of the newest chunk in use */
    size_t next_size;
};

/* No memory is taken until the first allocation. */
void lia_arena_init(struct lia_arena *arena, const struct liana_allocator *a);
void lia_arena_deinit(struct lia_arena *arena);

/* Forgets everything that was handed out; keeps one chunk for the next use. */
void lia_arena_reset(struct lia_arena *arena);

/* Aligned for any type; not zeroed. NULL when out of memory. A size of 0 gives a valid
 * pointer. */
void *lia_arena_alloc(struct lia_arena *arena, size_t size);
void *lia_arena_zalloc(struct lia_arena *arena, size_t size);

/* `count` objects of `size` bytes, zeroed; NULL also when the product overflows. */
void *lia_arena_array(struct lia_arena *arena, size_t count, size_t size);

/* A copy of the slice in the arena. False when out of memory. */
bool lia_arena_copy(struct lia_arena *arena,
                    struct liana_slice from,
                    struct liana_slice *out);

#define LIA_ARENA_NEW(arena, type) ((type *)lia_arena_zalloc((arena), sizeof(type)))

#endif
