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

#define FALLERS   2 /* peers that may fall back: the first ones */
#define FALLS_MAX 3

/* A store as a file: what a backup has, and what is put back. */
struct store {
    uint64_t actor;
    uint64_t last; /* greatest hlc issued or merged */
    struct copy copies[KEYS];
    struct lia_retag doubts[FALLS_MAX]; /* what it knows of its falls */
    size_t doubt_count;
};

struct peer {
    struct store now;
    struct store saved;   /* actor 0: nothing */
    bool is_fallen;       /* and does not know */
    uint64_t ahead_from;  /* its clock is ahead; what it would show, or 0: it is not */
    uint64_t ahead_since; /* its last stamp before */
    size_t falls;
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
    unsigned writers[KEYS]; /* of the document, bit by bit */
    unsigned evicted[KEYS]; /* by whom */
    uint64_t met;           /* kinds of step so far, bit by bit */
    bool has_fallen;        /* some peer */
    bool is_told;
    char why[256];
};

/* The history was about this kind. */
#define MET(kind) (UINT64_C(1) << HISTORY_##kind)

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

/* The peer's actor writes no more, in any document. */
void world_retire(struct world *w, struct peer *p, uint64_t new_actor);

/* ---- history_ahead.c: stores whose clock runs ahead ---- */

const char *world_run_ahead(struct world *w, size_t peer);
const char *world_repair_clock(struct world *w, size_t peer);

/* ---- history_repair.c: stores that fall back ---- */

/* A copy is made; another time it is put back, with its clock. */
const char *world_fall_back(struct world *w, size_t peer);
/* The peer finds out, if it has fallen. */
const char *world_find_out(struct world *w, size_t peer);

static inline bool world_has_doubts(const struct world *w, size_t peer)
{
    return w->peers[peer].now.doubt_count > 0;
}

/* Actors in doubt count as known up to the fall only. */
struct lia_vector world_clamp(struct world *w, size_t peer, struct lia_vector known);

/* What a peer that has doubts does with a segment. */
const char *world_heal(struct world *w,
                       size_t peer,
                       size_t key,
                       struct liana_slice segment,
                       const struct model_doc *model);

#endif
