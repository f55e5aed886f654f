/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_NODE_CONTROL_SERVER_H
#define LIA_NODE_CONTROL_SERVER_H
/*
 * node/control_server - serves a store's control socket.
 *
 * The loop thread reads frames and writes replies; each client has a thread of its own
 * on which its requests run, one after the other. So a long statement of one client, or
 * one that waits for the writer, stops nobody else, and never the loop.
 *
 * Rules
 *   At most LIA_CONTROL_CLIENTS_MAX clients; the next one is told so (LIANA_ELIMIT).
 *   A client that sends ahead without reading answers is not read from; a worker whose
 *   client does not read waits. Neither uses more than a few MiB beyond one frame.
 *   A client that is gone has its running request cancelled, then its session detached.
 *   A socket that a crashed process left is replaced; one that is served is
 *   LIANA_EADDRINUSE, a file that is no socket is LIANA_EEXISTS. The caller holds the
 *   store's lock, so no two of them try at the same time.
 * Ownership: loop, env, handlers and their ctx are borrowed until close.
 * Threads: open and close: any but the loop's.
 */
#include "net/loop.h"
#include "node/control.h"

#define LIA_CONTROL_CLIENTS_MAX 128

struct lia_control_server;
struct lia_control_reply;

/* Answers one request: reads `body`, sends parts if it likes, writes its document with
 * lia_control_reply_body (none is the empty document). A failure is answered with `err`;
 * its status alone if nothing was written there. Runs on its client's thread. */
typedef liana_status (*lia_control_handler_fn)(void *session,
                                               struct liana_slice body,
                                               struct lia_control_reply *reply,
                                               struct liana_error *err);

struct lia_control_handlers {
    void *ctx;
    /* A client is there. On its thread, as the next one. */
    liana_status (*attach)(void *ctx, void **out_session, struct liana_error *err);
    /* It is gone: open transactions are rolled back, all it holds is freed. */
    void (*detach)(void *session);
    /* Break off the request that runs: it answers LIANA_ECANCELED soon. On the loop, with
     * a lock held that keeps it from ending meanwhile: must not block or call back. */
    void (*cancel)(void *session);
#define LIA_CONTROL(number, NAME, name, text) lia_control_handler_fn name;
#include "node/control.def"
#undef LIA_CONTROL
};

/* Where a handler builds the document of its answer, with lia_bson_begin and so on. */
struct lia_buf *lia_control_reply_body(struct lia_control_reply *reply);

/* Sends one document ahead of the answer; waits while the client does not read.
 * LIANA_ECANCELED: nobody wants it any more. */
LIANA_MUST_CHECK liana_status lia_control_reply_part(struct lia_control_reply *reply,
                                                     struct liana_slice document);

/* The client has cancelled this request or is gone; for handlers that wait. */
bool lia_control_reply_is_canceled(struct lia_control_reply *reply);

/* Serves `folder`/control.sock. */
LIANA_MUST_CHECK liana_status
lia_control_server_open(struct lia_loop *loop,
                        const char *folder,
                        const struct lia_control_handlers *handlers,
                        struct lia_control_server **out,
                        struct liana_error *err);

/* Cancels what runs, lets every client go, removes the socket; waits for all of it. */
void lia_control_server_close(struct lia_control_server *server);

#endif
