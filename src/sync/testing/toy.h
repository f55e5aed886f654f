/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_SYNC_TESTING_TOY_H
#define LIA_SYNC_TESTING_TOY_H
/*
 * sync/testing/toy - a store small enough to be obviously right, for tests of sessions.
 *
 * It holds LIA_TOY_DOCS documents in each of the collections "a" and "b". A document is
 * a cell per actor: (hlc, value). Its version vector is the hlcs; a segment is the cells
 * that are newer than `from`. That obeys the rules that sync relies on (design page 40,
 * V1 to V3) and nothing else.
 *
 * Rules: every write is durable at once. What happened is checked by lia_toy_*: a
 * document never goes back, equal vectors mean equal documents.
 * Ownership: plain memory of the caller, and what is staged. Threads: one.
 */
#include "sync/session.h"

#define LIA_TOY_DOCS    24
#define LIA_TOY_ACTORS  6 /* actors are 1 .. LIA_TOY_ACTORS - 1 */
#define LIA_TOY_COMMITS 1000
#define LIA_TOY_TOUCHED (2 * LIA_TOY_DOCS)

#define LIA_TOY_STAGES 64

struct lia_toy_cell {
    uint64_t hlc;
    uint64_t value;
};

struct lia_toy_doc {
    struct lia_toy_cell cells[LIA_TOY_ACTORS];
    uint64_t seq; /* 0: no row */
};

struct lia_toy_commit {
    size_t count;
    uint32_t docs[LIA_TOY_TOUCHED];
    struct lia_toy_doc before[LIA_TOY_TOUCHED];
    struct lia_toy_doc after[LIA_TOY_TOUCHED];
    uint64_t origin;
    uint64_t own_hlc; /* 0: merged */
};

struct lia_toy_token {
    uint64_t epoch;
    uint64_t seq;
};

struct lia_toy {
    uint64_t actor;
    uint64_t epoch;
    uint64_t hlc;
    uint64_t seq;
    struct lia_history seen;                   /* of every peer; a test's own */
    struct lia_toy_doc docs[2 * LIA_TOY_DOCS]; /* "a", then "b" */
    struct lia_toy_commit commits[LIA_TOY_COMMITS];
    uint64_t recent;  /* commits that an exact answer may go back */
    size_t page_docs; /* documents on a page at most; 0: no limit */
    struct lia_toy_token tokens[LIA_TOY_ACTORS][2]; /* by sender, collection */
    uint64_t marks[2][LIA_TOY_ACTORS];
    uint64_t dropped[2][LIA_TOY_ACTORS]; /* the newest of what was */
    uint64_t generation;                 /* tokens of an older one are not taken */
    bool refuses[2 * LIA_TOY_DOCS];      /* is put on the owed list */
    bool owed[2 * LIA_TOY_DOCS];
    bool awaited[2 * LIA_TOY_DOCS]; /* refused, and not here yet */
    bool reader_awaits;             /* so the last registration said of the peer */
    unsigned breaks_in; /* this registration from now on meets a broken disk; 0: none */
    size_t applies;
    size_t merged;
    size_t gaps;
    uint64_t stage_id;
    struct lia_incoming *stages[LIA_TOY_STAGES]; /* put aside, by id */
    uint64_t last_tear;                          /* a test's own */
    uint64_t clock_ms;                           /* 0: not known */
    uint64_t clock_max_ms;                       /* of the last APPLY */
};

void lia_toy_init(struct lia_toy *toy, uint64_t actor);
void lia_toy_deinit(struct lia_toy *toy);

/* One transaction that writes `value` to `count` documents: index into docs. */
void lia_toy_write(struct lia_toy *toy,
                   const uint32_t *docs,
                   size_t count,
                   uint64_t value);

/* The document is not held any more; what follows for marks does. */
void lia_toy_drop(struct lia_toy *toy, uint32_t doc);
/* What was taken from the peer may be worth nothing: it begins again. */
void lia_toy_look_again(struct lia_toy *toy, uint64_t remote);

/* Carries a request out, for the session with the peer of actor `remote`. */
void lia_toy_run(struct lia_toy *toy, uint64_t remote, struct lia_request *request);

bool lia_toy_equal(const struct lia_toy *a, const struct lia_toy *b);

/* Every commit of the actor up to the marks is here, of everything that matches. */
bool lia_toy_marks_hold(const struct lia_toy *toy, const struct lia_toy *writer);

#endif
