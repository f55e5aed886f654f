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

#include "crdt/testing/census.h"

#define KEEP_STEPS_MAX 120

/* What a history may be about, for a census; in so many of 10,000 histories at least. */
#define KEEP_KINDS(K)                                                                  \
    K(KEEPERS, 5000, "two keepers or more")                                            \
    K(PREDICATE, 2500, "a store with a predicate takes something")                     \
    K(LEAVE, 1500, "a document leaves a predicate")                                    \
    K(INITIAL, 2000, "an INITIAL document")                                            \
    K(UPDATES_WIN, 1500, "a delete over which updates win")                            \
    K(JUMP, 5000, "a clock jumps")                                                     \
    K(PART, 5000, "a pull in part")                                                    \
    K(SKIP, 5000, "a copy is left out for what the receiver's marks say")              \
    K(EVICT, 500, "an eviction")                                                       \
    K(FORCE, 150, "by force")                                                          \
    K(RENEW, 2500, "a store takes a new actor")                                        \
    K(FORGET, 1200, "a tombstone is forgotten")                                        \
    K(TOKEN, 3500, "a token is lost")                                                  \
    K(BECOME, 1500, "a store becomes a keeper")                                        \
    K(VERDICT, 200, "a verdict")                                                       \
    K(VERDICT_SOFT, 30, "where updates win")                                           \
    K(REMAINS, 60, "of what is left of lives before the one that is shown")            \
    K(REFUSE, 250, "a copy is refused")                                                \
    K(CLONE, 1500, "a store is cloned")                                                \
    K(ROLL_BACK, 60, "a store falls back and knows")                                   \
    K(FALL, 700, "a store falls back and does not know")                               \
    K(FORK, 400, "and writes again where it had written")                              \
    K(FIND_OUT, 300, "and finds out before all is at rest")                            \
    K(RETAG, 200, "and counts anew what it holds")                                     \
    K(JUDGE_TAG, 3, "a life that was counted anew is judged")                          \
    K(SPOIL, 0, "a life in doubt is taken for deleted")

enum keep_history_kind {
#define KIND(name, min, what) KEEP_HISTORY_##name,
    KEEP_KINDS(KIND)
#undef KIND
        KEEP_HISTORY_KIND_COUNT
};

struct keep_history {
    uint64_t shape; /* the seed of roles and links */
    uint64_t steps[KEEP_STEPS_MAX];
    size_t count;
};

struct keep_history keep_history_random(uint64_t seed);

/* NULL when all holds, else what does not, in static memory. `is_told`: every step is
 * printed. */
const char *keep_history_run(const struct keep_history *h, bool is_told);

/* Of all histories that were run and held. */
struct census *keep_history_census(void);

/* Fewer steps that fail, too. */
struct keep_history keep_history_shrink(struct keep_history h);

#endif
