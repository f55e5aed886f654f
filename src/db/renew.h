/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_DB_RENEW_H
#define LIA_DB_RENEW_H
/*
 * db/renew - a store that is not alone with its past: copies, restored backups (design
 * page 10, "Rollback and clones"; docs/adr/0012).
 *
 * Every opening is a row: a random epoch, the actor that stamps, and where the opening
 * before it ended. Peers keep what they saw of it and tell it back. Two histories of one
 * store share their first openings; where both have stamped with one actor after they
 * parted, what that actor has written beyond the last common stamp is in doubt:
 *
 *     judged     lia_db_judge: another history is known, and both used the actor
 *     seen       lia_db_apply: somebody has stamped with our actor beyond our last stamp
 *     at open    the file is another one, or its last opening ended uncleanly and had not
 *                waited for the disk: nothing is in doubt yet
 *
 * In each case the store takes a new actor and a new epoch. What is in doubt is re-tagged:
 * what is held by lia_db_mend, in steps; what comes when it comes (lia_db_apply). Marks and
 * tokens that rest on the doubtful are taken back, so that everybody's share is sent
 * again.
 *
 * Rules: a renewal is one transaction, durable before the call returns. Whoever has a
 * conversation under the old epoch ends it: lia_db_identity tells.
 * Ownership: none. Threads: any.
 */
#include "db/feed.h"

/* What peers are told of this store's openings, newest first. */
LIANA_MUST_CHECK liana_status lia_db_openings(struct lia_db *db,
                                              struct lia_opening out[LIA_OPENINGS_TOLD],
                                              size_t *out_count,
                                              struct liana_error *err);

/* What another peer has seen of this store, or of a store that has its openings: renews if
 * that proves another history. */
LIANA_MUST_CHECK liana_status lia_db_judge(struct lia_db *db,
                                           const struct lia_seen *seen,
                                           bool *out_renewed,
                                           struct liana_error *err);

/* What a peer has seen of this store is no other history (lia_db_judge): if it knows an opening of
 * ours, rights that were left to a former actor by an unclean end may be taken over
 * (docs/adr/0054): lia_db_mend does. */
LIANA_MUST_CHECK liana_status lia_db_confirm(struct lia_db *db,
                                             const struct lia_seen *seen,
                                             struct liana_error *err);

/* A peer has met the actor elsewhere: renews if this store still stamps with it. */
LIANA_MUST_CHECK liana_status lia_db_disown(struct lia_db *db,
                                            uint64_t actor,
                                            struct liana_error *err);

/* There is something for lia_db_mend to do: to re-tag what is in doubt; to note what peers may
 * hold (lia_db_note_held); to take over rights; or to stamp anew what was stamped with a clock that was ahead and
 * nobody can hold (docs/adr/0053): one transaction over every row of the store, which ends
 * in a new actor and a new epoch. */
bool lia_db_must_mend(struct lia_db *db);

/* Re-tags one page of what is held; `*out_more`: call again. Cheap when there is nothing
 * to do. */
LIANA_MUST_CHECK liana_status lia_db_mend(struct lia_db *db,
                                          size_t bytes_max,
                                          bool *out_more,
                                          struct liana_error *err);

enum lia_renewal_reason {
    LIA_RENEWED_FILE = 1, /* the file is not the one that was opened last */
    LIA_RENEWED_UNCLEAN,  /* commits that were not waited for may be lost */
    LIA_RENEWED_HISTORY,  /* a peer has seen another history of this store */
    LIA_RENEWED_STAMP,    /* somebody else stamps with our actor */
    LIA_RENEWED_CLOCK     /* the store's clock was ahead; nothing is in doubt */
};

struct lia_renewal {
    uint64_t at_ms; /* trusted time, as far as it was known */
    enum lia_renewal_reason reason;
    uint64_t actor;  /* the one before */
    bool is_mending; /* not all is re-tagged yet */
};

/* Newest first, at most `max`. */
LIANA_MUST_CHECK liana_status lia_db_renewals(struct lia_db *db,
                                              struct lia_arena *arena,
                                              size_t max,
                                              const struct lia_renewal **out,
                                              size_t *out_count,
                                              struct liana_error *err);

#endif
