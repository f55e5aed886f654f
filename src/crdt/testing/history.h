/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CRDT_TESTING_HISTORY_H
#define LIA_CRDT_TESTING_HISTORY_H
/*
 * crdt/testing/history - random histories of a few peers, run on the product and on the
 * model side by side.
 *
 * A history is a list of steps; a step draws all it needs from its own seed, so that a
 * failing history can be made shorter by leaving steps out. Some histories are about few
 * things, so that rare meetings are not. After every step:
 *   the bodies of the product are those of the model, and so are vectors and statuses;
 *   documents with equal vectors have equal bytes, clock and body;
 *   what is stored passes lia_doc_check.
 *
 * Ownership: a history owns nothing. Threads: one history at a time (it is too large for
 * a stack and lives in static memory).
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crdt/testing/census.h"

#define HISTORY_STEPS_MAX 80

/* What a history may be about, for a census; in so many of 10,000 histories at least. */
#define HISTORY_KINDS(K)                                                               \
    K(THREE_WRITERS, 2000, "three peers or more write to one document")                \
    K(CONCURRENT, 4000, "two branches meet")                                           \
    K(LOSS, 3000, "something loses, and is told")                                      \
    K(JUMP, 5000, "a clock jumps")                                                     \
    K(FAR_JUMP, 1500, "a clock jumps by days or years")                                \
    K(EVICT, 1000, "a copy is evicted")                                                \
    K(RENEW, 400, "and its store takes a new actor")                                   \
    K(WRITE_ANEW, 150, "which writes to the document again")                           \
    K(PARTIAL, 3000, "a segment begins before what its receiver has")                  \
    K(RELAY, 600, "a relay's segment is merged")                                       \
    K(COMPOSE, 600, "segments are composed")                                           \
    K(GAP, 80, "a segment meets a gap")                                                \
    K(FALL, 700, "a store falls back")                                                 \
    K(LOST_HISTORY, 300, "with writes that are lost to it")                            \
    K(FORK, 300, "and writes again where it had written")                              \
    K(SECOND_FALL, 300, "a store falls back again")                                    \
    K(HEAL, 700, "a store that found out heals")                                       \
    K(RESTAMP, 200, "a store whose clock was ahead stamps anew what it wrote")         \
    K(INITIAL, 1000, "an INITIAL document")                                            \
    K(DELETE, 1500, "a delete that wins")                                              \
    K(WITHDRAW, 1500, "a delete over which updates win")                               \
    K(VERDICT, 700, "a delete that takes effect at an older stamp")                    \
    K(INSERT_AGAIN, 1500, "an insert of what was deleted")                             \
    K(ELEMENT, 1200, "elements of sets")                                               \
    K(SHAPE, 3000, "shapes: sets, registers, counters")                                \
    K(INCREMENT, 2000, "increments")                                                   \
    K(RESTART, 300, "a counter starts again")                                          \
    K(BOUND, 600, "a bounded counter")                                                 \
    K(TRANSFER, 100, "rights are given to others")                                     \
    K(RECLAIM, 2, "rights are taken from retired actors")                              \
    K(NO_RIGHTS, 120, "rights are used up")

enum history_kind {
#define KIND(name, min, what) HISTORY_##name,
    HISTORY_KINDS(KIND)
#undef KIND
        HISTORY_KIND_COUNT
};

struct history {
    uint64_t steps[HISTORY_STEPS_MAX]; /* a seed each */
    size_t count;
    uint64_t start;         /* a seed, of what most peers have before; 0: nothing */
    bool is_about_counters; /* few paths, many increments and assignments to them */
    bool is_about_lives;    /* one document, many deletes and inserts */
    bool is_about_bounds;   /* one path, mostly a bounded counter */
    bool is_about_falls;    /* a store is put back to a copy of itself, and repaired */
    bool is_about_clocks;   /* some run ahead by years, and are repaired */
    bool is_of_today;       /* clocks show our time, and jump by hours and years */
    bool is_about_sets; /* few paths, many additions, removals and what clears them */
};

struct history history_random(uint64_t seed);

/* NULL when all holds, else what does not, in static memory. `is_told`: every step is
 * printed. */
const char *history_run(const struct history *h, bool is_told);

/* Of all histories that were run and held. */
struct census *history_census(void);

/* The same failure in fewer steps. */
struct history history_shrink(struct history h);

#endif
