/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CRDT_TESTING_KEEP_HISTORY_H
#define LIA_CRDT_TESTING_KEEP_HISTORY_H
/*
 * crdt/testing/keep_history - random histories of keepers, plain stores, stores with
 * retention and stores with a predicate (keep_world.h).
 *
 * Writes, deletes and inserts anew, INITIAL documents, forgetting after any time,
 * eviction, partial pulls in both directions over links that some pairs never have, lost
 * tokens, clocks that jump, one rollback, clones, stores that become keepers. Then
 * nobody writes or drops, everybody pulls over what links there are, and rest is checked.
 *
 * Ownership: a history owns nothing. Threads: one history at a time.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEEP_STEPS_MAX 120

struct keep_history {
    uint64_t shape; /* the seed of roles and links */
    uint64_t steps[KEEP_STEPS_MAX];
    size_t count;
};

struct keep_history keep_history_random(uint64_t seed);

/* NULL when all holds, else what does not, in static memory. `is_told`: every step is
 * printed. */
const char *keep_history_run(const struct keep_history *h, bool is_told);

/* Fewer steps that fail, too. */
struct keep_history keep_history_shrink(struct keep_history h);

#endif
