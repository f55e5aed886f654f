/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_API_HANDLE_H
#define LIA_API_HANDLE_H
/*
 * api/handle - what is behind the opaque handles: a table of functions each, so that a
 * store that is open here and one that is attached to are the same to the app.
 *
 *     db.c, changes.c, sync.c   the public functions: arguments are checked, then the table
 *     local*.c                  a store that this process holds
 *     remote*.c                 one that another process holds, over its control socket
 *     serve*.c                  the other end of that: requests become calls of local*.c
 *
 * Rules: an implementation gets arguments that were checked; outputs are set on success
 * alone. Ownership: each handle is one block of its implementation, which begins with the
 * struct below. Threads: as the public headers say.
 */
#include "base/error.h"
#include "base/slice.h"
#include "liana/liana.h"

struct lia_db_ops {
    liana_status (*close)(liana_db *db, struct liana_error *err);
    liana_status (*execute)(liana_db *db,
                            struct liana_str statement,
                            struct liana_slice params,
                            liana_result **out,
                            struct liana_error *err);
    liana_status (*begin)(liana_db *db,
                          const struct liana_txn_options *options,
                          liana_txn **out,
                          struct liana_error *err);
    liana_status (*feed)(liana_db *db,
                         const struct liana_feed_options *options,
                         liana_feed **out,
                         struct liana_error *err);
    liana_status (*subscribe)(liana_db *db,
                              struct liana_str statement,
                              struct liana_slice params,
                              uint64_t *out_id,
                              struct liana_error *err);
    liana_status (*unsubscribe)(liana_db *db, uint64_t id, struct liana_error *err);
    liana_status (*sync_start)(liana_db *db,
                               const struct liana_sync_options *options,
                               struct liana_error *err);
    liana_status (*sync_stop)(liana_db *db, struct liana_error *err);
    liana_status (*stats)(liana_db *db, liana_bytes **out, struct liana_error *err);
    liana_status (*publish)(liana_db *db,
                            struct liana_str name,
                            struct liana_slice document,
                            struct liana_error *err);
    liana_status (*poll)(liana_db *db,
                         int32_t timeout_ms,
                         struct liana_event *out,
                         struct liana_error *err);
    liana_status (*fd)(liana_db *db, int *out, struct liana_error *err);
    liana_status (*upkeep)(liana_db *db, uint64_t *out_ms, struct liana_error *err);
};

struct liana_db {
    const struct lia_db_ops *ops;
};

struct lia_txn_ops {
    liana_status (*execute)(liana_txn *txn,
                            struct liana_str statement,
                            struct liana_slice params,
                            liana_result **out,
                            struct liana_error *err);
    liana_status (*commit)(liana_txn *txn, uint64_t *out_seq, struct liana_error *err);
    void (*rollback)(liana_txn *txn);
};

struct liana_txn {
    const struct lia_txn_ops *ops;
};

struct lia_result_ops {
    liana_status (*next)(liana_result *result,
                         struct liana_slice *row,
                         struct liana_error *err);
    void (*free)(liana_result *result);
};

struct liana_result {
    const struct lia_result_ops *ops;
    uint64_t mutations;
    uint64_t waiting;
    uint64_t seq;
};

/* LIANA_EINVAL. */
liana_status lia_api_invalid(struct liana_error *err, const char *what);

/* A string that may be empty; all of them. */
bool lia_api_is_text(struct liana_str s);
bool lia_api_are_texts(const struct liana_str *texts, size_t count);

/* LIANA_EBUSY while a handle is used. */
LIANA_MUST_CHECK liana_status lia_api_check_unused(const char *path,
                                                   size_t uses,
                                                   struct liana_error *err);

struct lia_feed_ops {
    liana_status (*next)(liana_feed *feed,
                         int32_t timeout_ms,
                         struct liana_page *out,
                         struct liana_error *err);
    void (*cancel)(liana_feed *feed);
    void (*close)(liana_feed *feed);
};

struct liana_feed {
    const struct lia_feed_ops *ops;
    uint64_t position;
};

#endif
