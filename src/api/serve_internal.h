/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_API_SERVE_INTERNAL_H
#define LIA_API_SERVE_INTERNAL_H
/*
 * api/serve_internal - what the files of serve share: a client's session and what it holds.
 *
 *     serve.c       sessions, what they hold, sync and statistics
 *     serve_txn.c   statements and transactions
 *     serve_feed.c  feeds
 *
 * Rules: a session's requests run one after the other. Ownership: a session owns what it
 * holds. Threads: the client's own; `waiting` under `mutex`, for the loop's cancel.
 */
#include "api/fields.h"
#include "api/serve.h"
#include "codec/bson.h"

#define LIA_SERVE_NAMES_MAX 256 /* addresses or collections of one request */

/* What a client holds open, under the number that it was given. */
enum lia_lent_kind { LIA_LENT_RESULT, LIA_LENT_TXN, LIA_LENT_FEED };

struct lia_lent {
    struct lia_lent *next;
    enum lia_lent_kind kind;
    uint64_t id;
    void *handle;
    uint64_t txn; /* of a result: its transaction, or 0 */
};

struct lia_serve_session {
    struct lia_local *local;
    liana_db *db;
    struct lia_lent *held;
    uint64_t last_id;

    struct lia_mutex mutex; /* of what the loop's cancel looks at */
    liana_feed *waiting;    /* the feed whose next page is being waited for */
};

LIANA_MUST_CHECK liana_status lia_lent_add(struct lia_serve_session *s,
                                           enum lia_lent_kind kind,
                                           void *handle,
                                           struct lia_lent **out);
/* NULL: there is none. */
struct lia_lent *lia_lent_find(struct lia_serve_session *s,
                               enum lia_lent_kind kind,
                               uint64_t id);
/* LIANA_ENOTFOUND. */
LIANA_MUST_CHECK liana_status lia_lent_get(struct lia_serve_session *s,
                                           enum lia_lent_kind kind,
                                           uint64_t id,
                                           struct lia_lent **out,
                                           struct liana_error *err);
/* Its handle is gone already. */
void lia_lent_forget(struct lia_serve_session *s, struct lia_lent *held);
void lia_lent_end(struct lia_serve_session *s, struct lia_lent *held);

/* ---- handlers ---- */

liana_status lia_serve_execute(void *session,
                               struct liana_slice body,
                               struct lia_control_reply *reply,
                               struct liana_error *err);
liana_status lia_serve_next(void *session,
                            struct liana_slice body,
                            struct lia_control_reply *reply,
                            struct liana_error *err);
liana_status lia_serve_free(void *session,
                            struct liana_slice body,
                            struct lia_control_reply *reply,
                            struct liana_error *err);
liana_status lia_serve_begin(void *session,
                             struct liana_slice body,
                             struct lia_control_reply *reply,
                             struct liana_error *err);
liana_status lia_serve_commit(void *session,
                              struct liana_slice body,
                              struct lia_control_reply *reply,
                              struct liana_error *err);
liana_status lia_serve_rollback(void *session,
                                struct liana_slice body,
                                struct lia_control_reply *reply,
                                struct liana_error *err);
liana_status lia_serve_feed_open(void *session,
                                 struct liana_slice body,
                                 struct lia_control_reply *reply,
                                 struct liana_error *err);
liana_status lia_serve_feed_next(void *session,
                                 struct liana_slice body,
                                 struct lia_control_reply *reply,
                                 struct liana_error *err);
liana_status lia_serve_feed_close(void *session,
                                  struct liana_slice body,
                                  struct lia_control_reply *reply,
                                  struct liana_error *err);

#endif
