/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_MONGO_APPLY_H
#define LIA_MONGO_APPLY_H
/*
 * mongo/apply - carries a plan out on a target, and decides what a reply means.
 *
 *     bulk per collection --- acknowledged -> DONE
 *        |  one write refused --> tried once more after the rest -> DONE or BURIED
 *        |  command refused ----> halved, again, down to one write
 *        |  server away, busy --> give up; the page is done again later
 *     then: bury what was refused, take out of the grave what now went through
 *     then: the position
 *
 * Rules: the position is written after everything before it is acknowledged by a
 * majority, so a crash anywhere costs doing a page again and nothing else. The second
 * try is for unique indexes: within one page another write may make room for a value.
 *
 * Ownership: all borrowed. Threads: the connector's. No I/O but through the target.
 */
#include "mongo/classify.h"
#include "mongo/plan.h"

struct lia_mongo_refusal {
    size_t index; /* among the writes that were sent */
    int32_t code;
    char reason[LIA_MONGO_REASON];
};

/* What came back for one bulk. When `failed` is not set, every write that no refusal
 * names is acknowledged by a majority. */
struct lia_mongo_reply {
    bool failed; /* the command as a whole; nothing is known of its writes */
    enum lia_mongo_class class;
    int32_t code;
    char reason[LIA_MONGO_REASON];
    struct lia_mongo_refusal *refusals; /* room for as many as were sent */
    size_t refusal_count;
};

/* Where writes go: libmongoc, or a test. Every function answers LIANA_OK,
 * LIANA_EUNREACHABLE, LIANA_EAUTH, LIANA_ENOMEM, or LIANA_ECANCELED: to stop now. */
struct lia_mongo_target {
    void *ctx;
    /* All of one collection. */
    liana_status (*write)(void *ctx,
                          struct lia_mongo_write *const *writes,
                          size_t count,
                          struct lia_mongo_reply *out);
    /* Puts refused documents into _liana.dead, or newer states in their place. */
    liana_status (*bury)(void *ctx,
                         struct lia_mongo_write *const *writes,
                         size_t count,
                         struct liana_error *err);
    /* Takes documents that went through out of _liana.dead, if they are there. */
    liana_status (*revive)(void *ctx,
                           struct lia_mongo_write *const *writes,
                           size_t count,
                           struct liana_error *err);
    liana_status (*keep_position)(void *ctx,
                                  uint64_t position,
                                  struct liana_error *err);
};

/* Answers LIANA_OK when every write is DONE or BURIED and the position is kept. */
LIANA_MUST_CHECK liana_status lia_mongo_apply(const struct lia_mongo_target *target,
                                              struct lia_mongo_plan *plan,
                                              uint64_t position,
                                              struct liana_error *err);

/* Writes that were refused before: each is DONE and out of _liana.dead, or BURIED as it
 * was. */
LIANA_MUST_CHECK liana_status
lia_mongo_apply_again(const struct lia_mongo_target *target,
                      struct lia_mongo_plan *plan,
                      struct liana_error *err);

/* Fills in an error like the library does: the first message stays. */
liana_status lia_mongo_err(struct liana_error *err,
                           liana_status status,
                           int32_t code,
                           const char *format,
                           ...) __attribute__((format(printf, 4, 5)));

#endif
