/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CRDT_TESTING_WORLD_H
#define LIA_CRDT_TESTING_WORLD_H
/*
 * crdt/testing/world - the peers of a history, each with the product's copy and the
 * model's, and what must hold of them. For history*.c alone.
 *
 * Rules: functions that can fail answer why, or NULL. Ownership: documents are the arena's.
 * Threads: one.
 */
#include "base/testing/random.h"
#include "crdt/testing/history.h"
#include "crdt/testing/model.h"

#define PEERS   4
#define KEYS    2
#define OPS_MAX 4

struct copy {
    struct lia_doc doc;
    struct model_doc model;
};

struct relay {
    struct liana_slice segment; /* empty: carries nothing */
    struct model_doc model;
};

struct peer {
    uint64_t actor;
    uint64_t last; /* greatest hlc issued or merged */
    struct copy copies[KEYS];
};

/* Of the one peer that may: a copy of its store, put back, and what it does about it. */
#define FALLING 1
struct fall {
    bool is_saved;
    bool has_fallen;
    bool is_found_out;
    uint64_t last;
    struct copy copies[KEYS];
    struct lia_retag how;
};

struct world {
    struct lia_arena arena;
    const struct history *history;
    struct lia_rng rng; /* of the step */
    uint64_t actors;
    struct peer peers[PEERS];
    struct relay relays[KEYS];
    struct lia_stamp retired[KEYS]
                            [HISTORY_STEPS_MAX]; /* actors, and their last stamps */
    size_t retired_count[KEYS];
    struct fall fall;
    bool is_told;
    char why[256];
};

/* ---- history_check.c ---- */

/* Keeps the first reason, and answers it. */
const char *world_fail(struct world *w, const char *why);

/* From the random numbers of the step. */
uint64_t world_below(struct world *w, uint64_t n);

bool world_is_equal(struct lia_doc a, struct lia_doc b);

/* The body is what the model shows. */
const char *world_check_body(struct world *w,
                             const struct model_doc *model,
                             struct liana_slice body);

/* A peer's copy, and those that have its vector. */
const char *world_check(struct world *w, size_t peer, size_t key);

/* Merge commutes, associates, is idempotent. */
const char *world_check_algebra(struct world *w, size_t key);

/* All peers are equal, and have all that was there. `all`: of each document, the union of
 * what peers had. */
const char *world_check_settled(struct world *w, const struct model_doc all[KEYS]);

/* ---- history_write.c ---- */

const char *world_transact(struct world *w, size_t peer, size_t key);

/* ---- history_carry.c ---- */

const char *world_pull(struct world *w, size_t to, size_t from, size_t key);
/* One of a few documents that every device begins with. */
const char *world_begin_with(struct world *w, size_t peer, size_t key);
const char *world_load_relay(struct world *w, size_t peer, size_t key);
const char *world_read_relay(struct world *w, size_t peer, size_t key);

/* ---- history_lose.c ---- */

#define LOSSES_MAX 256

struct loss {
    char path[MODEL_PATH_MAX];
    struct lia_stamp stamp;
};

struct losses {
    struct loss all[LOSSES_MAX];
    size_t count;
};

/* For a lia_watch whose `ctx` are losses. */
void world_note_loser(void *ctx, const struct lia_loser *loser);

/* What the merge of a segment took from sight, it told. */
const char *world_check_losses(struct world *w,
                               const struct model_doc *before,
                               const struct model_doc *segment,
                               const struct model_doc *joined,
                               const struct losses *losses);

/* ---- history_repair.c: a store that falls back ---- */

const char *world_fall_back(struct world *w);
const char *world_find_out(struct world *w);

/* The old actor counts as known up to the fall only. */
struct lia_vector world_clamp(struct world *w, size_t peer, struct lia_vector known);

/* What the peer that fell back does with a segment. */
const char *world_heal(struct world *w,
                       size_t key,
                       struct liana_slice segment,
                       const struct model_doc *model);

#endif
