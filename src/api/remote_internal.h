/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_API_REMOTE_INTERNAL_H
#define LIA_API_REMOTE_INTERNAL_H
/*
 * api/remote_internal - what the files of remote share.
 *
 * Ownership: a handle owns its block and its connection. Threads: `uses` and `poll` under
 * `mutex`, a leaf.
 */
#include "api/fields.h"
#include "api/remote.h"
#include "base/thread.h"
#include "node/control_client.h"

struct lia_remote_db {
    struct liana_db base;
    struct lia_env env;
    char *path;
    struct lia_control_client *client;
    struct lia_mutex mutex;
    struct lia_control_client *poll; /* made by the first poll */
    size_t uses;
};

void lia_remote_use(struct lia_remote_db *db, int change);

/* One request whose body is in `body`; its failure counts first. `reply` (may be NULL) is
 * reset. */
LIANA_MUST_CHECK liana_status lia_remote_call(struct lia_control_client *client,
                                              enum lia_control_kind kind,
                                              const struct lia_buf *body,
                                              lia_control_part_fn part,
                                              void *part_ctx,
                                              struct lia_buf *reply,
                                              struct liana_error *err);

/* A request whose whole body is in `body`, which is freed; `*out` (may be NULL) is the
 * number `name` of the answer. */
LIANA_MUST_CHECK liana_status lia_remote_ask(struct lia_control_client *client,
                                             enum lia_control_kind kind,
                                             struct lia_buf *body,
                                             const char *name,
                                             uint64_t *out,
                                             struct liana_error *err);

liana_status lia_remote_execute(liana_db *db,
                                struct liana_str statement,
                                struct liana_slice params,
                                liana_result **out,
                                struct liana_error *err);
liana_status lia_remote_begin(liana_db *db,
                              const struct liana_txn_options *options,
                              liana_txn **out,
                              struct liana_error *err);
liana_status lia_remote_feed(liana_db *db,
                             const struct liana_feed_options *options,
                             liana_feed **out,
                             struct liana_error *err);

#endif
