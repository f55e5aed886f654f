/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/frames.h"

#include "base/limits.h"
#include "base/reader.h"

#define KEPT_BYTES_MAX ((size_t)64 * 1024) /* of an empty buffer */

void lia_frames_init(struct lia_frames *frames, const struct liana_allocator *a)
{
    lia_buf_init(&frames->buf, a);
    frames->at = 0;
}

void lia_frames_deinit(struct lia_frames *frames)
{
    lia_buf_deinit(&frames->buf);
    frames->at = 0;
}

/* Takes away the frames that were read. */
static void compact(struct lia_frames *frames)
{
    struct lia_buf *buf = &frames->buf;

    if (frames->at == buf->len && buf->cap > KEPT_BYTES_MAX) {
        lia_buf_deinit(buf);
    } else if (frames->at) {
        memmove(buf->ptr, buf->ptr + frames->at, buf->len - frames->at);
        buf->len -= frames->at;
    }
    frames->at = 0;
}

liana_status lia_frames_add(struct lia_frames *frames, struct liana_slice bytes)
{
    compact(frames);
    lia_buf_slice_add(&frames->buf, bytes);
    return frames->buf.status;
}

/* A length that is cut off by the end of what has come is no fault. */
static bool is_length_whole(struct liana_slice left)
{
    for (size_t i = 0; i < left.len; i++) {
        if (!(left.ptr[i] & 0x80)) {
            return true;
        }
    }
    return left.len >= 10;
}

liana_status lia_frames_next(struct lia_frames *frames,
                             struct liana_slice *out,
                             struct liana_error *err)
{
    struct liana_slice left;
    struct lia_reader r;
    uint64_t len;

    if (frames->at == frames->buf.len) {
        return LIANA_EEND;
    }
    left = lia_slice(frames->buf.ptr + frames->at, frames->buf.len - frames->at);
    if (!is_length_whole(left)) {
        return LIANA_EEND;
    }
    r = lia_reader(left);
    len = lia_reader_varint(&r);
    if (r.failed || len == 0 || len > LIA_FRAME_BYTES_MAX) {
        return lia_err(err, LIANA_EPROTOCOL, "a frame of %llu bytes",
                       (unsigned long long)len);
    }
    if (len > lia_reader_left(&r)) {
        return LIANA_EEND;
    }
    *out = lia_reader_bytes(&r, (size_t)len);
    frames->at += left.len - lia_reader_left(&r);
    return LIANA_OK;
}

struct liana_slice lia_frames_rest(const struct lia_frames *frames)
{
    size_t len = frames->buf.len - frames->at;

    return lia_slice(len ? frames->buf.ptr + frames->at : NULL, len);
}

void lia_frames_clear(struct lia_frames *frames)
{
    frames->at = frames->buf.len;
}
