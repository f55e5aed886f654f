/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_NET_STREAM_H
#define LIA_NET_STREAM_H
/*
 * net/stream - one ordered byte stream between two processes, whatever carries it.
 *
 * Transports make streams; TLS, framing and the rest work on any of them.
 *
 *     made -- start --> open -- finish --> half open        close from any state
 *                        | `ended`: nothing more arrives      |
 *                        +------------------------------------+--> `closed`, memory gone
 *
 * Rules
 *   Nothing is read before lia_stream_start, which names the owner's callbacks.
 *   `ended` comes at most once: LIANA_OK when the other side finished, else the failure.
 *   What is queued may still be sent after LIANA_OK; the owner closes in every case.
 *   send copies. `queued` is what the system has not taken yet; who sends more than the
 *   other side reads bounds it (`drained` says that it is 0 again).
 *   Callbacks are never called from inside start, send, finish, pause or close, and none
 *   but `closed` after close. A callback may call any of these, close included.
 * Ownership: the transport's; the last use of the pointer is in `closed`.
 * Threads: the loop's.
 */
#include "net/address.h"
#include "net/loop.h"

struct lia_stream;

struct lia_stream_events {
    void (*bytes)(void *ctx, struct liana_slice bytes); /* valid for the call */
    void (*drained)(void *ctx);                         /* may be NULL */
    void (*ended)(void *ctx, liana_status reason, const struct liana_error *err);
    void (*closed)(void *ctx);
};

struct lia_stream_ops {
    liana_status (*start)(struct lia_stream *stream);
    liana_status (*send)(struct lia_stream *stream, struct liana_slice bytes);
    void (*finish)(struct lia_stream *stream);
    void (*pause)(struct lia_stream *stream, bool paused);
    void (*close)(struct lia_stream *stream);
};

/* The part of a transport's stream that all have. */
struct lia_stream {
    const struct lia_stream_ops *ops;
    struct lia_loop *loop;
    const struct lia_stream_events *events; /* NULL until start */
    void *ctx;
    size_t queued;      /* bytes given to send and not yet taken by the system */
    uint64_t bytes_in;  /* so far */
    uint64_t bytes_out; /* so far, queued ones included */
    bool is_closing;
    /* The machine at the other end, or its network where one has many addresses: equal
     * for those that are to share fairly as one. 0: this machine. */
    uint64_t group;
    char remote[LIA_ADDRESS_TEXT]; /* the other end, for people */
};

LIANA_MUST_CHECK static inline liana_status lia_stream_start(
    struct lia_stream *stream,
    const struct lia_stream_events *events,
    void *ctx)
{
    stream->events = events;
    stream->ctx = ctx;
    return stream->ops->start(stream);
}

/* LIANA_ENOMEM, or the failure that the stream ends with; nothing is sent then. */
LIANA_MUST_CHECK static inline liana_status lia_stream_send(struct lia_stream *stream,
                                                            struct liana_slice bytes)
{
    return stream->ops->send(stream, bytes);
}

/* Tells the other side, behind all that is queued, that nothing more follows. */
static inline void lia_stream_finish(struct lia_stream *stream)
{
    stream->ops->finish(stream);
}

/* While paused nothing is read, so the other side's sends come to a halt. */
static inline void lia_stream_pause(struct lia_stream *stream, bool paused)
{
    stream->ops->pause(stream, paused);
}

/* At once; what is queued is lost. Also for a stream that was never started. */
static inline void lia_stream_close(struct lia_stream *stream)
{
    if (!stream->is_closing) {
        stream->is_closing = true;
        stream->ops->close(stream);
    }
}

#endif
