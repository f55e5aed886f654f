/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_API_LOCAL_H
#define LIA_API_LOCAL_H
/*
 * api/local - a store that this process holds: one core, and a handle for each of its users:
 * the app's own one, which made it, and one per client of the control socket.
 *
 * Rules
 *   A user's subscriptions, published documents and events end with its handle; the core
 *   ends with the app's handle.
 *   The node, which syncs, lives from sync_start to sync_stop; subscriptions are handed to
 *   it when it starts.
 * Ownership: handles own what is below them. Threads: any.
 * Locks: `sync` (the node and subscriptions; held while it is started and asked; never on
 * the loop), then `mutex` (users, published documents, feeds that wait, and the list of
 * subscriptions once more, which the loop reads; a leaf but for the users' queues).
 */
#include "api/handle.h"
#include "api/queue.h"
#include "db/exec.h"
#include "node/control_server.h"
#include "node/node.h"

/* What a user shows in the statistics. */
struct lia_shown {
    struct lia_shown *next;
    const void *user;
    char name[152];
    liana_bytes *document;
};

struct lia_sub {
    struct lia_sub *next;
    const void *user;
    uint64_t id;
    uint64_t node_id; /* set on the loop, while there is a node */
    uint64_t interest;
    struct liana_str collection;
    struct liana_slice query;   /* for the node; empty: the whole collection */
    struct liana_str statement; /* as it was written; all three in `block` */
    char *block;
    size_t block_size;
    size_t block_len;
};

struct lia_local {
    struct lia_env env;
    struct liana_allocator alloc;
    liana_log_fn log;
    void *log_ctx;
    char *path;
    struct lia_db *db;
    struct lia_identity identity;
    struct lia_trust trust;
    bool has_trust;
    char name[LIA_NAME_BYTES_MAX + 1];
    struct lia_listener *listener;
    struct lia_loop *loop;                /* NULL: nothing needs one yet */
    struct lia_control_handlers handlers; /* the server borrows them */
    struct lia_control_server *server;

    struct lia_mutex sync;
    struct lia_known known; /* the node's while there is one */
    struct lia_node *node;
    struct lia_sub *subs;
    uint64_t last_sub;
    uint64_t declared_id; /* the node's, of what is declared; used on the loop */

    struct lia_mutex mutex;
    struct lia_cond moved; /* a commit to look at, the end, a cancelled feed */
    uint64_t moves;
    uint64_t synced_ms; /* when a feed last had the store synced */
    struct lia_queue *queues;
    struct lia_shown *shown;
};

/* One user. */
struct lia_local_db {
    struct liana_db base;
    struct lia_local *local;
    struct lia_queue queue;
    size_t uses; /* transactions, results, feeds */
    bool is_app;
};

LIANA_MUST_CHECK liana_status lia_local_open(struct liana_str path,
                                             const struct liana_open_options *options,
                                             liana_db **out,
                                             struct liana_error *err);

/* A handle for another user, closed before the app's. */
LIANA_MUST_CHECK liana_status lia_local_share(struct lia_local *local,
                                              liana_db **out,
                                              struct liana_error *err);

/* ---- between the files of local ---- */

struct lia_local_db *lia_local_of(liana_db *db);
void lia_local_use(struct lia_local_db *user, int change);

liana_status lia_local_execute(liana_db *db,
                               struct liana_str statement,
                               struct liana_slice params,
                               liana_result **out,
                               struct liana_error *err);
liana_status lia_local_begin(liana_db *db,
                             const struct liana_txn_options *options,
                             liana_txn **out,
                             struct liana_error *err);
liana_status lia_local_feed(liana_db *db,
                            const struct liana_feed_options *options,
                            liana_feed **out,
                            struct liana_error *err);
liana_status lia_local_subscribe(liana_db *db,
                                 struct liana_str statement,
                                 struct liana_slice params,
                                 uint64_t *out_id,
                                 struct liana_error *err);
liana_status lia_local_unsubscribe(liana_db *db, uint64_t id, struct liana_error *err);
liana_status lia_local_sync_start(liana_db *db,
                                  const struct liana_sync_options *options,
                                  struct liana_error *err);
liana_status lia_local_sync_stop(liana_db *db, struct liana_error *err);
liana_status lia_local_stats(liana_db *db, liana_bytes **out, struct liana_error *err);
liana_status lia_local_publish(liana_db *db,
                               struct liana_str name,
                               struct liana_slice document,
                               struct liana_error *err);

/* The loop, started when it is first needed. With `sync` held, or before the handle is
 * anybody's. */
LIANA_MUST_CHECK liana_status lia_local_need_loop(struct lia_local *local,
                                                  struct liana_error *err);

/* Of one user. */
void lia_local_unsubscribe_all(struct lia_local_db *user);
void lia_local_hide_all(struct lia_local_db *user);

#endif
