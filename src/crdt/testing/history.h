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

#define HISTORY_STEPS_MAX 80

struct history {
    uint64_t steps[HISTORY_STEPS_MAX]; /* a seed each */
    size_t count;
    bool is_about_counters; /* few paths, many increments and assignments to them */
    bool is_about_lives;    /* one document, many deletes and inserts */
    bool is_about_bounds;   /* one path, mostly a bounded counter */
    bool is_about_falls;    /* a store is put back to a copy of itself, and repaired */
    bool is_of_today;       /* clocks show our time, and jump by hours and years */
    bool is_about_sets; /* few paths, many additions, removals and what clears them */
};

struct history history_random(uint64_t seed);

/* NULL when all holds, else what does not, in static memory. `is_told`: every step is
 * printed. */
const char *history_run(const struct history *h, bool is_told);

/* The same failure in fewer steps. */
struct history history_shrink(struct history h);

#endif
