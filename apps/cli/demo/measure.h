/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CLI_DEMO_MEASURE_H
#define LIA_CLI_DEMO_MEASURE_H
/*
 * cli/demo/measure - what the stores say of themselves: whether all is at rest, and the
 * numbers of the summary (demo/summary.c).
 *
 * At rest. Every store is connected to all its neighbours, each neighbour has durably
 * taken everything up to the store's newest commit, MongoDB has all of the hub, and
 * between two looks nothing was committed anywhere. Nothing can come any more then: what
 * is to be sent is in a store, and nobody has anything to send.
 *
 * Ownership: none. Threads: one.
 */
#include "cli/demo/world.h"

struct link_cost {
    uint64_t wire;    /* bytes below TLS, both ways */
    uint64_t payload; /* bytes of changes */
};

struct store_cost {
    uint64_t sales;
    uint64_t stock;
    uint64_t commits;
    uint64_t changes_in;
    uint64_t changes_out;
};

struct mongodb_cost {
    int64_t lag_median_ms; /* from the commit at a till, the cut included */
    int64_t lag_p99_ms;
    int64_t lag_max_ms;
    int64_t written;
    int64_t refused;
};

struct costs {
    struct store_cost stores[PLACES];
    struct link_cost links[PLACES - 1]; /* of a place and the next one */
    struct mongodb_cost mongodb;        /* zeros without */
};

struct look {
    uint64_t seq[PLACES];
    bool is_quiet;   /* all but the comparison of two looks */
    char waits[160]; /* if not: who waits for whom, one of them */
};

/* False with w->err set. */
bool measure_look(struct world *w, struct look *out);

/* Pumps and looks until all is at rest. */
bool measure_rest(struct world *w);

/* Bytes that went between `place` and the next one, as that of the two knows them that
 * was not killed: a peer's counters run on when the other one comes back. */
bool measure_link(struct world *w, enum world_place place, struct link_cost *out);

/* Changes that a store has taken from its neighbours since it was started. */
bool measure_taken(struct world *w, enum world_place place, uint64_t *out);

bool measure_documents(struct world *w,
                       enum world_place place,
                       const char *collection,
                       uint64_t *out);

bool measure_has_sale(struct world *w,
                      enum world_place place,
                      const char *invoice,
                      bool *out);

/* Everything that the demo tells at its end. */
bool measure_all(struct world *w, struct costs *out);

#endif
