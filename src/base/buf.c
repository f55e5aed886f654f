/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>

#define FIRST_CAPACITY ((size_t)64)

void lia_buf_init(struct lia_buf *buf, const struct liana_allocator *a)
{
    lia_buf_init_max(buf, a, SIZE_MAX / 2);
}

void lia_buf_init_max(struct lia_buf *buf, const struct liana_allocator *a, size_t max)
{
    *buf = (struct lia_buf){.alloc = a, .max = max};
}

void lia_buf_deinit(struct lia_buf *buf)
{
    lia_mem_free(buf->alloc, buf->ptr, buf->cap);
    buf->ptr = NULL;
    buf->len = 0;
    buf->cap = 0;
}

void lia_buf_reset(struct lia_buf *buf)
{
    buf->len = 0;
    buf->status = LIANA_OK;
}

static bool grow(struct lia_buf *buf, size_t needed)
{
    size_t cap = buf->cap ? buf->cap : FIRST_CAPACITY;
    uint8_t *p;

    while (cap < needed) {
        cap = cap > SIZE_MAX / 2 ? needed : cap * 2;
    }
    p = lia_mem_realloc(buf->alloc, buf->ptr, buf->cap, cap);
    if (!p) {
        buf->status = LIANA_ENOMEM;
        return false;
    }
    buf->ptr = p;
    buf->cap = cap;
    return true;
}

uint8_t *lia_buf_extend(struct lia_buf *buf, size_t n)
{
    uint8_t *at;

    if (buf->status) {
        return NULL;
    }
    if (n > buf->max - buf->len) {
        buf->status = LIANA_ETOOLARGE;
        return NULL;
    }
    if ((!buf->ptr || n > buf->cap - buf->len) && !grow(buf, buf->len + n)) {
        return NULL;
    }
    at = buf->ptr + buf->len;
    buf->len += n;
    return at;
}

void lia_buf_reserve(struct lia_buf *buf, size_t n)
{
    if (lia_buf_extend(buf, n)) {
        buf->len -= n;
    }
}

void lia_buf_bytes(struct lia_buf *buf, const void *p, size_t n)
{
    uint8_t *at = n ? lia_buf_extend(buf, n) : NULL;

    if (at) {
        memcpy(at, p, n);
    }
}

void lia_buf_slice_add(struct lia_buf *buf, struct liana_slice s)
{
    lia_buf_bytes(buf, s.ptr, s.len);
}

static void put_le(uint8_t *at, uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        at[i] = (uint8_t)(v >> (8 * i));
    }
}

static void add_le(struct lia_buf *buf, uint64_t v, size_t n)
{
    uint8_t *at = lia_buf_extend(buf, n);

    if (at) {
        put_le(at, v, n);
    }
}

void lia_buf_u8(struct lia_buf *buf, uint8_t v)
{
    add_le(buf, v, 1);
}

void lia_buf_u16(struct lia_buf *buf, uint16_t v)
{
    add_le(buf, v, 2);
}

void lia_buf_u32(struct lia_buf *buf, uint32_t v)
{
    add_le(buf, v, 4);
}

void lia_buf_u64(struct lia_buf *buf, uint64_t v)
{
    add_le(buf, v, 8);
}

void lia_buf_u64be(struct lia_buf *buf, uint64_t v)
{
    uint8_t *at = lia_buf_extend(buf, 8);

    for (size_t i = 0; at && i < 8; i++) {
        at[i] = (uint8_t)(v >> (56 - 8 * i));
    }
}

size_t lia_varint_len(uint64_t v)
{
    size_t n = 1;

    while (v >= 0x80) {
        v >>= 7;
        n++;
    }
    return n;
}

void lia_buf_varint(struct lia_buf *buf, uint64_t v)
{
    uint8_t *at = lia_buf_extend(buf, lia_varint_len(v));

    if (!at) {
        return;
    }
    while (v >= 0x80) {
        *at++ = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    *at = (uint8_t)v;
}

void lia_buf_svarint(struct lia_buf *buf, int64_t v)
{
    uint64_t u = (uint64_t)v;

    lia_buf_varint(buf, (u << 1) ^ (v < 0 ? UINT64_MAX : 0));
}

void lia_buf_prefixed(struct lia_buf *buf, struct liana_slice s)
{
    lia_buf_varint(buf, s.len);
    lia_buf_slice_add(buf, s);
}

void lia_buf_patch_u32(struct lia_buf *buf, size_t at, uint32_t v)
{
    if (!buf->status) {
        put_le(buf->ptr + at, v, 4);
    }
}

void lia_buf_str(struct lia_buf *buf, const char *text)
{
    lia_buf_bytes(buf, text, strlen(text));
}

void lia_buf_printf(struct lia_buf *buf, const char *format, ...)
{
    va_list args;
    int n;
    uint8_t *at;

    va_start(args, format);
    n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0) {
        buf->status = buf->status ? buf->status : LIANA_EINTERNAL;
        return;
    }
    at = lia_buf_extend(buf, (size_t)n + 1); /* vsnprintf ends its text with NUL */
    if (!at) {
        return;
    }
    va_start(args, format);
    (void)vsnprintf((char *)at, (size_t)n + 1, format, args);
    va_end(args);
    buf->len--;
}
