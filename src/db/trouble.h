/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_DB_TROUBLE_H
#define LIA_DB_TROUBLE_H
/*
 * db/trouble - how much there is that somebody should look at.
 *
 * Rules: counts are of the transaction's snapshot. What there is can be read in system:conflicts, system:flagged, system:owed
 * (docs/query.md).
 * Ownership: none. Threads: the transaction's.
 */
#include "db/conflicts.h"

struct lia_trouble {
    struct lia_conflict_counts conflicts;
    uint64_t too_large; /* documents that are cut */
    uint64_t clamped;   /* documents with a counter beyond int64 */
    uint64_t owed;      /* documents of peers that could not be applied */
};

LIANA_MUST_CHECK liana_status lia_txn_trouble(struct lia_txn *txn,
                                              struct lia_trouble *out,
                                              struct liana_error *err);

#endif
