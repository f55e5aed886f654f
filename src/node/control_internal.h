/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_NODE_CONTROL_INTERNAL_H
#define LIA_NODE_CONTROL_INTERNAL_H
/*
 * node/control_internal - what the two sides of one client share: control_conn.c on the
 * loop, control_worker.c on the client's thread.
 *
 * Rules: see node/control_conn.h. A field belongs to the side under whose name it
 * stands; the shared ones are touched under the mutex. Ownership: the connection's.
 * Threads: as it says.
 */
#include "node/control_conn.h"

struct lia_control_request {
    struct lia_control_request *next;
    uint32_t number;
    uint8_t kind;
    bool is_canceled;
    size_t len;
    uint8_t body[];
};

struct lia_control_conn {
    const struct liana_allocator *alloc;
    struct lia_loop *loop;
    const struct lia_control_handlers *handlers;
    const struct lia_control_conn_events *events;
    void *ctx;
    struct lia_control_conn *next; /* the server's list */

    /* the loop's */
    struct lia_stream *stream; /* NULL once it is closed */
    struct lia_buf in;         /* the beginning of a frame */
    bool has_worker;           /* started, not joined */
    struct lia_thread worker;
    struct lia_task worker_ended;

    /* the worker's */
    void *session; /* set while attached */
    bool has_said_hello;

    /* shared */
    struct lia_mutex mutex;
    struct lia_cond cond; /* anything below changed */
    struct lia_control_request *inbox;
    struct lia_control_request **inbox_end;
    size_t inbox_count;
    size_t inbox_bytes;
    struct lia_control_request *running;
    struct lia_buf outbox;
    size_t unread;        /* bytes that the client has not taken: outbox and stream */
    struct lia_task poke; /* to the loop: the outbox or the inbox has changed */
    bool is_poke_posted;
    bool is_attached; /* cancel may be called */
    bool is_paused;   /* the stream, until the inbox has room */
    bool is_gone;
};

void lia_control_request_free(struct lia_control_conn *conn,
                              struct lia_control_request *request);

/* With the mutex held: tells the loop that the outbox or the inbox has changed. */
void lia_control_conn_poke(struct lia_control_conn *conn);

/* The client's thread; its last act is to post `worker_ended`. */
void lia_control_worker(void *ctx);

#endif
