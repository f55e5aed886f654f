/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_NET_TRANSPORTS_UV_STREAM_H
#define LIA_NET_TRANSPORTS_UV_STREAM_H
/*
 * net/transports/uv_stream - what the transports over libuv's streams (TCP, local
 * sockets) share: struct lia_stream on a uv_stream_t, and accepting.
 *
 * Rules: the transport initialises `uv` on the loop and then calls lia_uv_stream_init;
 * from there on lia_stream_close is the one way to give the memory back.
 * Ownership: allocated by lia_uv_stream_alloc, freed behind `closed`.
 * Threads: the loop's.
 */
#include <uv.h>

#include "net/socket_path.h"
#include "net/transport.h"

union lia_uv_handle {
    uv_handle_t handle;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
};

struct lia_uv_stream {
    struct lia_stream base; /* first: a stream is its uv_stream */
    union lia_uv_handle uv;
    uv_shutdown_t shutdown;
    bool is_finishing;
    bool is_ended;
};

/* NULL when out of memory. */
struct lia_uv_stream *lia_uv_stream_alloc(struct lia_loop *loop);

/* For memory whose `uv` was never initialised. */
void lia_uv_stream_free(struct lia_uv_stream *s);

void lia_uv_stream_init(struct lia_uv_stream *s);

/* A listening handle and its events. */
struct lia_acceptor {
    struct lia_loop *loop;
    const struct lia_acceptor_events *events;
    void *ctx;
    struct lia_address address;
    bool is_closing;
    bool is_pending; /* a connection waits in libuv until `refused` is free again */
    unsigned open_handles;
    int (*init)(struct lia_loop *loop, union lia_uv_handle *uv); /* of this kind */
    /* Called for a stream that was accepted: options, name of the other end. */
    void (*accepted)(struct lia_uv_stream *s);
    union lia_uv_handle uv;
    struct lia_socket_path path; /* libuv removes the socket by it */
    /* Takes a connection for which there is no memory, only to close it: libuv accepts
     * nothing more until somebody has taken it. */
    union lia_uv_handle refused;
};

/* NULL when out of memory. */
struct lia_acceptor *lia_uv_acceptor_alloc(struct lia_loop *loop,
                                           const struct lia_acceptor_events *events,
                                           void *ctx);

/* For an acceptor whose `uv` was never initialised. */
void lia_uv_acceptor_free(struct lia_acceptor *acceptor);

/* After `uv` was initialised. */
void lia_uv_acceptor_init(struct lia_acceptor *acceptor);

/* To be given to uv_listen. */
void lia_uv_on_connection(uv_stream_t *server, int rc);

void lia_uv_acceptor_close(struct lia_acceptor *acceptor);

/* The same without `closed`: for an acceptor that could not listen. */
void lia_uv_acceptor_abandon(struct lia_acceptor *acceptor);

#endif
