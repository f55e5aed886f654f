/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_NODE_CONTROL_CLIENT_H
#define LIA_NODE_CONTROL_CLIENT_H
/*
 * node/control_client - the other end of the control socket, for callers that wait.
 *
 * Rules
 *   A connection does one request at a time; callers wait for each other. What must be
 *   able to go on beside a request that waits (a transaction, a feed, the queue of
 *   events) takes a connection of its own; a server has LIA_CONTROL_CLIENTS_MAX of them.
 *   What a connection holds open at the server goes with it.
 *   Once a connection is broken every call answers LIANA_ECLOSED.
 * Ownership: env is borrowed until close; no call is under way at close.
 * Threads: any.
 */
#include "base/env.h"
#include "node/control.h"

struct lia_control_client;

/* Connects to `folder`/control.sock. LIANA_ENOTFOUND (nobody serves it), LIANA_EDENIED,
 * LIANA_EVERSION, LIANA_ELIMIT (too many clients), LIANA_EPROTOCOL. */
LIANA_MUST_CHECK liana_status lia_control_connect(const struct lia_env *env,
                                                  const char *folder,
                                                  struct lia_control_client **out,
                                                  struct liana_error *err);
void lia_control_disconnect(struct lia_control_client *client);

/* Takes one part; another answer than LIANA_OK cancels the request and is the answer of
 * the call. */
typedef liana_status (*lia_control_part_fn)(void *ctx, struct liana_slice document);

struct lia_control_call {
    enum lia_control_kind kind; /* of control.def */
    struct liana_slice body;    /* empty: the empty document */
    lia_control_part_fn part;   /* NULL: parts are LIANA_EPROTOCOL */
    void *part_ctx;
    struct lia_buf *reply; /* the answer's document is added; NULL: not wanted */
};

/* Sends the request and waits for its answer. The server's failure is this call's, with
 * its message. */
LIANA_MUST_CHECK liana_status lia_control_call(struct lia_control_client *client,
                                               const struct lia_control_call *call,
                                               struct liana_error *err);

/* Asks the server to break off the request that is under way, if there is one; that
 * call then answers LIANA_ECANCELED, or what it had already done. */
void lia_control_cancel(struct lia_control_client *client);

#endif
