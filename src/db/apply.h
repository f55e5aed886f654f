/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_DB_APPLY_H
#define LIA_DB_APPLY_H
/*
 * db/apply - what the files share that apply a batch of a peer.
 *
 *     apply.c        the batch: its items, the tries after gaps, what comes with them
 *     apply_item.c   one item: a segment and the document it meets
 *     owed.c         the list of what could not be applied
 *     marks.c        what the sender says of whose commits it has sent
 *
 * Ownership: the call's. Threads: that of the transaction.
 */
#include "db/internal.h"

struct lia_applying {
    struct lia_db *db;
    struct lia_txn *txn;
    struct lia_arena *arena; /* of the answer */
    const struct lia_batch *batch;
    uint64_t latest_ms; /* the guard: no stamp may be later */
    bool has_owed;      /* the list is not empty, or was not when the batch began */
    bool was_paid;      /* something went off the list */
    bool has_lost;      /* of what was staged, something that was owed is gone */
    struct lia_doubts
        past; /* of the sender: for what is told, not for what is merged */
    struct lia_verdicts verdicts;
    struct lia_refused *refused; /* copies that would have filled gaps */
    struct lia_buf gaps;         /* struct gap */
    struct lia_buf owed; /* struct lia_apply_result of staged items that are owed */
    struct lia_apply_result *results; /* of the items of the call */
};

/* One item. Expected outcomes are in `out`; a status is a failure of the whole batch. */
LIANA_MUST_CHECK liana_status lia_apply_item(struct lia_applying *a,
                                             const struct lia_batch_item *item,
                                             struct lia_apply_result *out,
                                             struct liana_error *err);

/* ---- owed.c ---- */

/* Puts the item on the list, `to` being what its sender has; `out` says so. */
LIANA_MUST_CHECK liana_status lia_owe(struct lia_applying *a,
                                      const struct lia_batch_item *item,
                                      struct lia_vector to,
                                      liana_status reason,
                                      struct lia_apply_result *out,
                                      struct liana_error *err);

/* The same for an item that does not fit what is held because an earlier one is owed: the whole
 * will be asked for. LIANA_EEND: none is. */
LIANA_MUST_CHECK liana_status lia_owe_more(struct lia_applying *a,
                                           const struct lia_batch_item *item,
                                           struct lia_vector to,
                                           struct lia_apply_result *out,
                                           struct liana_error *err);

/* The item answers a question for what is owed. If its sender no longer has all of that, the
 * document is taken off the list, with what has waited for it, and `out` says so. */
LIANA_MUST_CHECK liana_status lia_owed_answered(struct lia_applying *a,
                                                const struct lia_batch_item *item,
                                                struct lia_vector to,
                                                struct lia_apply_result *out,
                                                struct liana_error *err);

/* Takes the document off the list where what is held has reached what was owed. */
LIANA_MUST_CHECK liana_status lia_owed_pay(struct lia_applying *a,
                                           const struct lia_key *key,
                                           struct lia_vector held,
                                           struct liana_error *err);

/* lia_db_awaits, as the connection sees it. */
LIANA_MUST_CHECK liana_status lia_awaits(struct lia_conn *conn,
                                         struct lia_db *db,
                                         struct liana_slice peer,
                                         struct liana_slice subscription,
                                         bool *out,
                                         struct liana_error *err);

/* ---- marks.c ---- */

/* Takes in what the marks of the batch say; they wait while its sender owes something of
 * their subscription. What is kept does not wait. */
LIANA_MUST_CHECK liana_status lia_marks_put(struct lia_applying *a,
                                            struct liana_error *err);

#endif
