/* SPDX-License-Identifier: Apache-2.0 */
#include "sync/stream.h"

#include <zstd_errors.h>

#define WINDOW_LOG 15
#define LEVEL                                                                          \
    6 /* on sales lines in small flushes: 0.176; level 9: 0.174, level 3: 0.201 */
#define PACK_STEP ((size_t)4096) /* room made for packed bytes at a time */

void lia_stream_init(struct lia_stream *stream)
{
    *stream = (struct lia_stream){0};
}

void lia_stream_deinit(struct lia_stream *stream)
{
    ZSTD_freeCCtx(stream->packer);
    ZSTD_freeDCtx(stream->unpacker);
    *stream = (struct lia_stream){0};
}

/* The tables follow from the window: a session costs what is written in the header. */
static ZSTD_CCtx *new_packer(void)
{
    static const struct {
        ZSTD_cParameter parameter;
        int value;
    } settings[] = {
        {ZSTD_c_compressionLevel, LEVEL},
        {ZSTD_c_windowLog, WINDOW_LOG},
        {ZSTD_c_hashLog, 14},
        {ZSTD_c_chainLog, 14},
        {ZSTD_c_checksumFlag, 0},
        {ZSTD_c_contentSizeFlag, 0},
    };
    ZSTD_CCtx *packer = ZSTD_createCCtx();

    for (size_t i = 0; packer && i < sizeof(settings) / sizeof(settings[0]); i++) {
        LIA_ASSERT(!ZSTD_isError(
            ZSTD_CCtx_setParameter(packer, settings[i].parameter, settings[i].value)));
    }
    return packer;
}

static liana_status pack(struct lia_stream *stream,
                         struct liana_slice in,
                         ZSTD_EndDirective directive,
                         struct lia_buf *out)
{
    ZSTD_inBuffer input = {in.ptr, in.len, 0};
    size_t left;

    do {
        uint8_t *room = lia_buf_extend(out, PACK_STEP);
        ZSTD_outBuffer output = {room, PACK_STEP, 0};

        if (!room) {
            return out->status;
        }
        left = ZSTD_compressStream2(stream->packer, &output, &input, directive);
        out->len -= PACK_STEP - (ZSTD_isError(left) ? 0 : output.pos);
        if (ZSTD_isError(left)) {
            return LIANA_ENOMEM; /* nothing else can go wrong in packing */
        }
    } while (left || input.pos < input.size);
    return LIANA_OK;
}

liana_status lia_stream_pack(struct lia_stream *stream,
                             struct liana_slice in,
                             struct lia_buf *out)
{
    if (!stream->packer) {
        stream->packer = new_packer();
        if (!stream->packer) {
            return LIANA_ENOMEM;
        }
    }
    return pack(stream, in, ZSTD_e_flush, out);
}

liana_status lia_stream_end(struct lia_stream *stream, struct lia_buf *out)
{
    liana_status status = LIANA_OK;

    if (stream->packer) {
        status = pack(stream, lia_slice(NULL, 0), ZSTD_e_end, out);
        ZSTD_freeCCtx(stream->packer);
        stream->packer = NULL;
    }
    return status;
}

static ZSTD_DCtx *new_unpacker(void)
{
    ZSTD_DCtx *unpacker = ZSTD_createDCtx();

    if (unpacker) {
        LIA_ASSERT(!ZSTD_isError(
            ZSTD_DCtx_setParameter(unpacker, ZSTD_d_windowLogMax, WINDOW_LOG)));
    }
    return unpacker;
}

liana_status lia_stream_unpack(struct lia_stream *stream,
                               struct liana_slice *in,
                               uint8_t *out,
                               size_t room,
                               size_t *out_len,
                               struct liana_error *err)
{
    ZSTD_inBuffer input = {in->ptr, in->len, 0};
    ZSTD_outBuffer output = {out, room, 0};
    size_t hint;

    *out_len = 0;
    if (in->len == 0 && !stream->is_inside) {
        return LIANA_OK; /* zstd would report the start of a frame as one to come */
    }
    if (!stream->unpacker) {
        stream->unpacker = new_unpacker();
        if (!stream->unpacker) {
            return lia_err_plain(err, LIANA_ENOMEM);
        }
    }
    hint = ZSTD_decompressStream(stream->unpacker, &output, &input);
    if (ZSTD_isError(hint)) {
        return ZSTD_getErrorCode(hint) == ZSTD_error_memory_allocation
                   ? lia_err_plain(err, LIANA_ENOMEM)
                   : lia_err(err, LIANA_EPROTOCOL, "not a zstd stream of ours: %s",
                             ZSTD_getErrorName(hint));
    }
    if (hint == 0) { /* the other side dropped its state: so do we */
        ZSTD_freeDCtx(stream->unpacker);
        stream->unpacker = NULL;
    }
    stream->is_inside = hint != 0;
    *in = lia_slice(in->ptr + input.pos, in->len - input.pos);
    *out_len = output.pos;
    return LIANA_OK;
}

size_t lia_stream_memory(const struct lia_stream *stream)
{
    return ZSTD_sizeof_CCtx(stream->packer) + ZSTD_sizeof_DCtx(stream->unpacker);
}
