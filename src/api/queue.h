/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_API_QUEUE_H
#define LIA_API_QUEUE_H
/*
 * api/queue - events that wait to be polled.
 *
 * Commits that nobody has taken are one event; of the others the newest LIA_QUEUE_MAX are
 * kept, and a LIANA_EVENT_LOST comes first when some were dropped. Nothing is kept before
 * the first poll or fd.
 *
 * Ownership: the caller's memory. Threads: any. Locks: `mutex`, a leaf.
 */
#include "base/env.h"
#include "base/thread.h"
#include "base/wake.h"
#include "liana/liana.h"

#define LIA_QUEUE_MAX ((size_t)1000)

struct lia_queued {
    struct lia_queued *next;
    struct liana_event event;
};

struct lia_queue {
    struct lia_queue *next; /* of its owner's list */
    const struct liana_allocator *alloc;
    struct lia_mutex mutex;
    struct lia_cond moved;
    struct lia_wake wake;
    bool is_used;
    bool is_ended;
    uint64_t commit_seq; /* 0: no commit waits */
    bool is_lossy;       /* events were dropped */
    struct lia_queued *oldest;
    struct lia_queued *newest;
    size_t count;
};

LIANA_MUST_CHECK liana_status lia_queue_init(struct lia_queue *queue,
                                             const struct liana_allocator *a,
                                             struct liana_error *err);
void lia_queue_deinit(struct lia_queue *queue);

void lia_queue_commit(struct lia_queue *queue, uint64_t seq);
void lia_queue_add(struct lia_queue *queue, const struct liana_event *event);

/* LIANA_ETIMEOUT; LIANA_ECANCELED after lia_queue_end. */
LIANA_MUST_CHECK liana_status lia_queue_take(struct lia_queue *queue,
                                             int32_t timeout_ms,
                                             struct liana_event *out);

/* Readable while something waits. */
int lia_queue_fd(struct lia_queue *queue);

/* Whoever waits is let go. */
void lia_queue_end(struct lia_queue *queue);

#endif
