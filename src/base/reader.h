/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_BASE_READER_H
#define LIA_BASE_READER_H
/*
 * base/reader - the sticky reader that all untrusted bytes are read through.
 *
 * Rules: after the first failure every read gives zero or an empty slice and the reader
 * stays failed, so a decoder is a list of reads and one check at the end. Lengths are
 * compared with what is left before any arithmetic on them. Varints are unsigned LEB128
 * in their shortest form; another form fails, so that equal values have equal bytes.
 *
 * Ownership: slices that are read point into the input. Threads: one at a time.
 */
#include "base/slice.h"

struct lia_reader {
    const uint8_t *at;
    const uint8_t *end;
    bool failed;
};

static inline struct lia_reader lia_reader(struct liana_slice input)
{
    /* NULL + 0 is undefined in C17, and an empty slice may be NULL. */
    return (struct lia_reader){input.ptr, input.len ? input.ptr + input.len : input.ptr,
                               false};
}

static inline size_t lia_reader_left(const struct lia_reader *r)
{
    return (size_t)(r->end - r->at);
}

/* Whole: nothing failed and nothing is left over. */
static inline bool lia_reader_done(const struct lia_reader *r)
{
    return !r->failed && r->at == r->end;
}

void lia_reader_fail(struct lia_reader *r);
uint8_t lia_reader_u8(struct lia_reader *r);
uint16_t lia_reader_u16(struct lia_reader *r);
uint32_t lia_reader_u32(struct lia_reader *r);
uint64_t lia_reader_u64(struct lia_reader *r);
uint64_t lia_reader_u64be(struct lia_reader *r);
uint64_t lia_reader_varint(struct lia_reader *r);
int64_t lia_reader_svarint(struct lia_reader *r);
/* A varint that must not be above `max`. */
uint64_t lia_reader_varint_max(struct lia_reader *r, uint64_t max);
struct liana_slice lia_reader_bytes(struct lia_reader *r, size_t n);
/* varint length, then the bytes. */
struct liana_slice lia_reader_prefixed(struct lia_reader *r);

#endif
