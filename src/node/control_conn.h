/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_NODE_CONTROL_CONN_H
#define LIA_NODE_CONTROL_CONN_H
/*
 * node/control_conn - one client of the control server: its stream on the loop, its
 * requests on a thread of its own.
 *
 *       loop                          shared (mutex)              worker
 *       frames -> requests  ------->  inbox          ------->     handler
 *       stream <- bytes     <-------  outbox         <-------     parts, answer
 *       CANCEL, end         ------->  is_gone, canceled
 *
 *     OPEN --end, error, close--> the stream is closed, is_gone --+
 *       the worker sees it, detaches, posts its end --------------+--> `closed`, freed
 *
 * Rules: the mutex is a leaf but for handlers->cancel, which takes what it needs and
 * calls nothing here. The inbox holds LIA_INBOX_MAX requests or LIA_INBOX_BYTES_MAX,
 * whichever is less, and what one read brings; the outbox LIA_OUTBOX_BYTES_MAX and one
 * frame more.
 * Ownership: the server's list until `closed`. Threads: as drawn.
 */
#include "base/thread.h"
#include "net/stream.h"
#include "node/control_server.h"

#define LIA_INBOX_MAX        16
#define LIA_INBOX_BYTES_MAX  (4 * LIA_MIB)
#define LIA_OUTBOX_BYTES_MAX (1 * LIA_MIB)

struct lia_control_conn;

struct lia_control_conn_events {
    void (*closed)(void *ctx,
                   struct lia_control_conn *conn); /* unlink it; freed next */
};

/* Takes the stream in any case. */
LIANA_MUST_CHECK liana_status
lia_control_conn_open(struct lia_stream *stream,
                      const struct lia_control_handlers *handlers,
                      const struct lia_control_conn_events *events,
                      void *ctx,
                      struct lia_control_conn **out);

/* Gives the client an error that belongs to no request, and closes the stream. */
void lia_control_refuse(struct lia_stream *stream, const struct liana_error *err);

/* On the loop; `closed` follows. */
void lia_control_conn_close(struct lia_control_conn *conn);

/* For the server's list. */
struct lia_control_conn **lia_control_conn_next(struct lia_control_conn *conn);

#endif
