/* SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static void *libc_realloc(void *ctx, void *p, size_t old_size, size_t size)
{
    (void)ctx;
    (void)old_size;
    if (size == 0) {
        free(p);
        return NULL;
    }
    return realloc(p, size);
}

const struct liana_allocator lia_mem_libc = {libc_realloc, NULL};

void lia_mem_wipe(void *p, size_t size)
{
    if (size > 0) {
        sodium_memzero(p, size);
    }
}

void *lia_mem_alloc(const struct liana_allocator *a, size_t size)
{
    return a->realloc(a->ctx, NULL, 0, size ? size : 1);
}

void *lia_mem_zalloc(const struct liana_allocator *a, size_t size)
{
    void *p = lia_mem_alloc(a, size);

    if (p) {
        memset(p, 0, size);
    }
    return p;
}

void *lia_mem_realloc(const struct liana_allocator *a,
                      void *p,
                      size_t old_size,
                      size_t size)
{
    if (!p) {
        return lia_mem_alloc(a, size);
    }
    return a->realloc(a->ctx, p, old_size ? old_size : 1, size ? size : 1);
}

void lia_mem_free(const struct liana_allocator *a, void *p, size_t size)
{
    if (p) {
        a->realloc(a->ctx, p, size ? size : 1, 0);
    }
}

struct lia_arena_chunk {
    struct lia_arena_chunk *older;
    size_t size; /* of `bytes` */
    alignas(max_align_t) unsigned char bytes[];
};

static size_t align_up(size_t n)
{
    const size_t mask = alignof(max_align_t) - 1;

    return (n + mask) & ~mask;
}

static void free_chunk(const struct liana_allocator *a, struct lia_arena_chunk *chunk)
{
    lia_mem_free(a, chunk, sizeof(*chunk) + chunk->size);
}

void lia_arena_init(struct lia_arena *arena, const struct liana_allocator *a)
{
    *arena = (struct lia_arena){.alloc = a, .next_size = LIA_ARENA_CHUNK_MIN};
}

void lia_arena_deinit(struct lia_arena *arena)
{
    while (arena->chunk) {
        struct lia_arena_chunk *older = arena->chunk->older;

        free_chunk(arena->alloc, arena->chunk);
        arena->chunk = older;
    }
    arena->used = 0;
}

void lia_arena_reset(struct lia_arena *arena)
{
    struct lia_arena_chunk *kept = arena->chunk;

    if (kept && kept->size <= LIA_ARENA_CHUNK_MAX) {
        arena->chunk = kept->older;
        kept->older = NULL;
    } else {
        kept = NULL;
    }
    lia_arena_deinit(arena);
    arena->chunk = kept;
}

static bool add_chunk(struct lia_arena *arena, size_t needed)
{
    size_t size = arena->next_size > needed ? arena->next_size : needed;
    struct lia_arena_chunk *chunk;

    if (size > SIZE_MAX - sizeof(*chunk)) {
        return false;
    }
    chunk = lia_mem_alloc(arena->alloc, sizeof(*chunk) + size);
    if (!chunk) {
        return false;
    }
    chunk->older = arena->chunk;
    chunk->size = size;
    arena->chunk = chunk;
    arena->used = 0;
    if (arena->next_size < LIA_ARENA_CHUNK_MAX) {
        arena->next_size *= 2;
    }
    return true;
}

void *lia_arena_alloc(struct lia_arena *arena, size_t size)
{
    size_t aligned = align_up(size);
    void *p;

    if (aligned < size) {
        return NULL;
    }
    if (!arena->chunk || aligned > arena->chunk->size - arena->used) {
        if (!add_chunk(arena, aligned)) {
            return NULL;
        }
    }
    p = arena->chunk->bytes + arena->used;
    arena->used += aligned;
    return p;
}

void *lia_arena_zalloc(struct lia_arena *arena, size_t size)
{
    void *p = lia_arena_alloc(arena, size);

    if (p) {
        memset(p, 0, size);
    }
    return p;
}

void *lia_arena_array(struct lia_arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) {
        return NULL;
    }
    return lia_arena_zalloc(arena, count * size);
}

bool lia_arena_copy(struct lia_arena *arena,
                    struct liana_slice from,
                    struct liana_slice *out)
{
    uint8_t *p = lia_arena_alloc(arena, from.len);

    if (!p) {
        return false;
    }
    if (from.len) {
        memcpy(p, from.ptr, from.len);
    }
    *out = (struct liana_slice){p, from.len};
    return true;
}
