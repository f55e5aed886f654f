/* SPDX-License-Identifier: Apache-2.0 */
#include "base/reader.h"

void lia_reader_fail(struct lia_reader *r)
{
    r->failed = true;
    r->at = r->end;
}

struct liana_slice lia_reader_bytes(struct lia_reader *r, size_t n)
{
    struct liana_slice s = {r->at, n};

    if (r->failed || n > lia_reader_left(r)) {
        lia_reader_fail(r);
        return (struct liana_slice){NULL, 0};
    }
    if (n) {
        r->at += n;
    }
    return s;
}

static uint64_t read_le(struct lia_reader *r, size_t n)
{
    struct liana_slice s = lia_reader_bytes(r, n);
    uint64_t v = 0;

    for (size_t i = 0; i < s.len; i++) {
        v |= (uint64_t)s.ptr[i] << (8 * i);
    }
    return v;
}

uint8_t lia_reader_u8(struct lia_reader *r)
{
    return (uint8_t)read_le(r, 1);
}

uint16_t lia_reader_u16(struct lia_reader *r)
{
    return (uint16_t)read_le(r, 2);
}

uint32_t lia_reader_u32(struct lia_reader *r)
{
    return (uint32_t)read_le(r, 4);
}

uint64_t lia_reader_u64(struct lia_reader *r)
{
    return read_le(r, 8);
}

uint64_t lia_reader_u64be(struct lia_reader *r)
{
    struct liana_slice s = lia_reader_bytes(r, 8);
    uint64_t v = 0;

    for (size_t i = 0; i < s.len; i++) {
        v = v << 8 | s.ptr[i];
    }
    return v;
}

uint64_t lia_reader_varint(struct lia_reader *r)
{
    uint64_t v = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = lia_reader_u8(r);

        if (shift == 63 && byte > 1) {
            break;
        }
        v |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) {
            if (byte == 0 && shift != 0) {
                break; /* not the shortest form */
            }
            return v;
        }
    }
    lia_reader_fail(r);
    return 0;
}

int64_t lia_reader_svarint(struct lia_reader *r)
{
    uint64_t u = lia_reader_varint(r);

    return (int64_t)((u >> 1) ^ (~(u & 1) + 1));
}

uint64_t lia_reader_varint_max(struct lia_reader *r, uint64_t max)
{
    uint64_t v = lia_reader_varint(r);

    if (v > max) {
        lia_reader_fail(r);
        return 0;
    }
    return v;
}

struct liana_slice lia_reader_prefixed(struct lia_reader *r)
{
    return lia_reader_bytes(r, (size_t)lia_reader_varint_max(r, lia_reader_left(r)));
}
