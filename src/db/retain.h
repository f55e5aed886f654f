/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_DB_RETAIN_H
#define LIA_DB_RETAIN_H
/*
 * db/retain - which documents a collection's declared retention lets go (docs/retention.md).
 *
 * The decision, apart from rows and tables. Documents are looked at oldest first; the age of
 * one is that of its newest change, by its stamp, so it is the same in every store.
 *
 * Rules
 *   A rule names documents that are in excess; whether one may be evicted is the keepers'
 *   rule (crdt/keep.h) and comes on top of it. What may not stands where it stands: the
 *   newest `keep` documents stay, whatever is older than they and could not go.
 * Threads: any. No state, no clock, no I/O.
 */
#include "lang/schema.h"

/* Where a round over one collection stands: what is behind it was looked at and stays. */
struct lia_retained {
    uint64_t documents; /* that are not behind it */
    uint64_t bytes;
};

enum lia_excess {
    LIA_EXCESS_NONE, /* nor are those that are newer */
    LIA_EXCESS_KEPT, /* it goes once a keeper has all of it */
    LIA_EXCESS_ANY   /* it goes */
};

/* There is something to enforce. */
static inline bool lia_retain_has_rules(const struct lia_collection_options *options)
{
    return options->ttl_ms || options->keep || options->quota_bytes;
}

/* Of the oldest of those that `left` counts. `now_ms` 0: the time is not known, and nothing
 * is too old. */
enum lia_excess lia_retain_judge(const struct lia_collection_options *options,
                                 const struct lia_retained *left,
                                 uint64_t hlc,
                                 uint64_t now_ms);

/* When it is too old, in milliseconds since 1970; UINT64_MAX: never. */
uint64_t lia_retain_due_ms(const struct lia_collection_options *options, uint64_t hlc);

#endif
