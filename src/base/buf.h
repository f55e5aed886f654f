/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_BASE_BUF_H
#define LIA_BASE_BUF_H
/*
 * base/buf - a growing buffer, and the sticky writer that all bytes are made with.
 *
 * Rules: after the first failure (out of memory, over the limit) every write does
 * nothing and the buffer stays failed, so an encoder is a list of writes and one check
 * of `status` at the end. What was written before the failure stays readable but is not
 * a whole encoding. Integers are little endian unless the name says be. A varint is
 * unsigned LEB128, at most 10 bytes; a signed one is zigzag first.
 *
 * Ownership: the buffer owns its bytes; lia_buf_slice borrows them until the next write
 * or deinit. Threads: one at a time.
 */
#include "base/mem.h"
#include "base/slice.h"

struct lia_buf {
    const struct liana_allocator *alloc;
    uint8_t *ptr;
    size_t len;
    size_t cap;
    size_t max; /* no write makes it longer than this */
    liana_status status;
};

void lia_buf_init(struct lia_buf *buf, const struct liana_allocator *a);
/* As lia_buf_init, with a limit: a write beyond it sets LIANA_ETOOLARGE. */
void lia_buf_init_max(struct lia_buf *buf, const struct liana_allocator *a, size_t max);
void lia_buf_deinit(struct lia_buf *buf);

/* Empty and unfailed again; keeps the memory. */
void lia_buf_reset(struct lia_buf *buf);

static inline struct liana_slice lia_buf_slice(const struct lia_buf *buf)
{
    return (struct liana_slice){buf->ptr, buf->len};
}

/* Room for `n` bytes at the end, already counted in `len`; NULL when the buffer is or
 * becomes failed. The pointer is valid until the next write. */
uint8_t *lia_buf_extend(struct lia_buf *buf, size_t n);

/* The next `n` bytes need no memory then. */
void lia_buf_reserve(struct lia_buf *buf, size_t n);

void lia_buf_bytes(struct lia_buf *buf, const void *p, size_t n);
void lia_buf_slice_add(struct lia_buf *buf, struct liana_slice s);
void lia_buf_u8(struct lia_buf *buf, uint8_t v);
void lia_buf_u16(struct lia_buf *buf, uint16_t v);
void lia_buf_u32(struct lia_buf *buf, uint32_t v);
void lia_buf_u64(struct lia_buf *buf, uint64_t v);
void lia_buf_u64be(struct lia_buf *buf, uint64_t v);
void lia_buf_varint(struct lia_buf *buf, uint64_t v);
void lia_buf_svarint(struct lia_buf *buf, int64_t v);
/* varint length, then the bytes. */
void lia_buf_prefixed(struct lia_buf *buf, struct liana_slice s);

/* Overwrites four bytes at `at` that are already there, for lengths known afterwards.
 */
void lia_buf_patch_u32(struct lia_buf *buf, size_t at, uint32_t v);

/* Text, as printf makes it; no NUL is counted. */
void lia_buf_str(struct lia_buf *buf, const char *text);
void lia_buf_printf(struct lia_buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* How many bytes lia_buf_varint writes for `v`. */
size_t lia_varint_len(uint64_t v);

#endif
