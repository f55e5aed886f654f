/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_SYNC_STREAM_H
#define LIA_SYNC_STREAM_H
/*
 * sync/stream - the compression of one session: a zstd stream per direction (RFC 8878),
 * window at most 2^15, flushed at the end of each step.
 *
 * A zstd frame may end at any time and the next byte begins a new one: that is how a
 * side that was idle drops its state (design page 40, RESET).
 *
 * Rules: memory is made on first use and given back by the idle functions: about 350 KiB
 * to pack and 300 KiB to unpack. Bytes that are no zstd stream, or that ask for a larger
 * window, are LIANA_EPROTOCOL; the stream is lost then.
 * Ownership: owns the zstd contexts, which live in the C library's memory.
 * Threads: one at a time.
 */
#include <zstd.h>

#include "base/buf.h"
#include "base/error.h"

struct lia_stream {
    ZSTD_CCtx *packer;
    ZSTD_DCtx *unpacker;
    bool is_inside; /* the unpacker is inside of a frame */
};

void lia_stream_init(struct lia_stream *stream);
void lia_stream_deinit(struct lia_stream *stream);

/* Packs all of `in` and flushes. LIANA_ENOMEM. */
LIANA_MUST_CHECK liana_status lia_stream_pack(struct lia_stream *stream,
                                              struct liana_slice in,
                                              struct lia_buf *out);

/* Unpacks some of `*in`, which moves on, into `room` bytes at `out`. `*out_len` 0 and `in`
 * empty: all done. */
LIANA_MUST_CHECK liana_status lia_stream_unpack(struct lia_stream *stream,
                                                struct liana_slice *in,
                                                uint8_t *out,
                                                size_t room,
                                                size_t *out_len,
                                                struct liana_error *err);

/* Ends the frame that is being packed, if any, and frees the packer. LIANA_ENOMEM. */
LIANA_MUST_CHECK liana_status lia_stream_end(struct lia_stream *stream,
                                             struct lia_buf *out);

size_t lia_stream_memory(const struct lia_stream *stream);

#endif
