/* SPDX-License-Identifier: Apache-2.0 */
#include "api/bytes.h"

#include "base/error.h"

struct liana_bytes {
    struct liana_allocator alloc;
    size_t len;
    uint8_t bytes[];
};

liana_bytes *lia_bytes_new(const struct liana_allocator *a, struct liana_slice from)
{
    liana_bytes *bytes = lia_mem_alloc(a, sizeof(*bytes) + from.len + 1);

    if (bytes) {
        bytes->alloc = *a;
        bytes->len = from.len;
        if (from.len) {
            memcpy(bytes->bytes, from.ptr, from.len);
        }
        bytes->bytes[from.len] = 0;
    }
    return bytes;
}

liana_status lia_bytes_of(const struct lia_buf *buf,
                          liana_bytes **out,
                          struct liana_error *err)
{
    liana_bytes *bytes;

    if (buf->status) {
        return lia_err_plain(err, buf->status);
    }
    bytes = lia_bytes_new(buf->alloc, lia_buf_slice(buf));
    if (!bytes) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    *out = bytes;
    return LIANA_OK;
}

struct liana_slice liana_bytes_slice(const liana_bytes *bytes)
{
    return bytes ? lia_slice(bytes->bytes, bytes->len) : (struct liana_slice){0, 0};
}

void liana_bytes_free(liana_bytes *bytes)
{
    if (bytes) {
        struct liana_allocator alloc = bytes->alloc;

        lia_mem_wipe(bytes->bytes, bytes->len); /* a key, perhaps */
        lia_mem_free(&alloc, bytes, sizeof(*bytes) + bytes->len + 1);
    }
}
