/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_MONGO_PLAN_H
#define LIA_MONGO_PLAN_H
/*
 * mongo/plan - what to write to MongoDB for one page of the change feed.
 *
 * Each document of the page becomes one write: its newest state replaces what MongoDB
 * has (or is inserted), or it is deleted. Doing a page twice, or a part of it, or an old
 * page before a newer one, ends in the same state: writes are idempotent and a page
 * holds every document at most once.
 *
 * Rules: the writes of one collection stand together, replaces before deletes, so that
 * one collection is one bulk of at most two commands. A document above the server's
 * limit is refused here: sent, it would fail the bulk.
 *
 * Ownership: a plan holds a copy of the page: the thread that sends it may be left behind
 * by the store (mongo/connector.h). Threads: any. No I/O, no clock.
 */
#include "liana/liana.h"

#define LIA_MONGO_REASON 256

enum lia_mongo_outcome {
    LIA_MONGO_OPEN,  /* not acknowledged yet */
    LIA_MONGO_DONE,  /* acknowledged */
    LIA_MONGO_BURIED /* refused: it goes to _liana.dead */
};

struct lia_mongo_write {
    const struct liana_change *change;
    enum lia_mongo_outcome outcome;
    int32_t code; /* of the server; 0: the connector itself refused it */
    char reason[LIA_MONGO_REASON];
};

struct lia_mongo_plan {
    struct liana_change *changes;
    struct lia_mongo_write *writes;
    size_t count;
};

/* `document_max` is the server's maxBsonObjectSize. LIANA_ENOMEM. */
LIANA_MUST_CHECK liana_status lia_mongo_plan_make(const struct liana_page *page,
                                                  size_t document_max,
                                                  struct lia_mongo_plan *out);

void lia_mongo_plan_deinit(struct lia_mongo_plan *plan);

/* How many writes from `from` on belong to the same collection. */
size_t lia_mongo_plan_run(const struct lia_mongo_plan *plan, size_t from);

/* Copies a reason, cut at a character boundary when it is too long. */
void lia_mongo_set_reason(char out[static LIA_MONGO_REASON], const char *reason);

/* Marks a write as refused. */
void lia_mongo_refuse(struct lia_mongo_write *write, int32_t code, const char *reason);

#endif
