/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_SYNC_TESTING_TOYNET_H
#define LIA_SYNC_TESTING_TOYNET_H
/*
 * sync/testing/toynet - two ends of a session, each on a toy store, and what lies between
 * them: bytes under way and requests that are not carried out yet.
 *
 * Rules: nothing happens by itself: a test delivers, runs and ticks, in an order of its
 * own. Requests that write are carried out in order.
 * Ownership: open takes nothing; close frees everything. Threads: one.
 */
#include "base/testing/random.h"
#include "sync/testing/toy.h"

struct lia_toy_end {
    struct lia_toy *toy;
    uint64_t remote; /* actor of the other end */
    struct lia_session *session;
    struct lia_actions actions;
    struct lia_buf out;           /* to the other end */
    struct lia_request *requests; /* in order */
    bool is_closed;
    bool is_up_to_date[2];
    uint64_t acked;
    uint64_t passed; /* the last that was told of any subscription */
    size_t refused;
    struct liana_error error; /* of the close */
    liana_status verdict;     /* what VERIFY answers */
};

struct lia_toy_link {
    struct lia_toy_end ends[2];
    uint64_t now;
};

/* What a test may change before the link is opened. */
struct lia_session_options lia_toy_options(const struct lia_toy *self,
                                           const struct lia_toy *remote);

/* Opens a session at each end that subscribes to "a" and "b". */
void lia_toy_open(struct lia_toy_link *link, struct lia_toy *a, struct lia_toy *b);
void lia_toy_open_with(struct lia_toy_link *link,
                       struct lia_toy *a,
                       const struct lia_session_options *options_a,
                       struct lia_toy *b,
                       const struct lia_session_options *options_b);
void lia_toy_subscribe(struct lia_toy_link *link,
                       int end,
                       const char *collection,
                       uint8_t priority);
void lia_toy_close(struct lia_toy_link *link);

/* The store of an end has committed. */
void lia_toy_told(struct lia_toy_link *link, int end);

/* Its tokens may be worth nothing. */
void lia_toy_stale(struct lia_toy_link *link, int end);

/* One step: false when there is nothing to do. */
bool lia_toy_deliver(struct lia_toy_link *link, int to, size_t bytes_max);
bool lia_toy_carry_out(struct lia_toy_link *link, int end, struct lia_rng *rng);
/* The same in two: what the first request (of a kind) finds, and later that it is told so. */
struct lia_request *lia_toy_begin(struct lia_toy_link *link,
                                  int end,
                                  enum lia_request_kind kind);
void lia_toy_end(struct lia_toy_link *link, int end, struct lia_request *request);
void lia_toy_tick(struct lia_toy_link *link, uint64_t ms);

/* Until nothing is under way. `rng` NULL: in order. */
void lia_toy_settle(struct lia_toy_link *link, struct lia_rng *rng);

#endif
