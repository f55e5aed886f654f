/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_NODE_JOBS_H
#define LIA_NODE_JOBS_H
/*
 * node/jobs - the threads that do a peer's work on the store.
 *
 *     loop: push --> writes --> the writer thread, one at a time, in order --+
 *                --> reads  --> the reader threads, side by side ------------+
 *     loop: done <------------------------- ended <--------------------------+
 *
 * Rules: a queue links the jobs themselves and takes no memory; how many there are is
 * bounded by the peer, which has a few per session. `done` is called on the loop, in the
 * order in which jobs ended. Stop runs what is queued first; nothing is pushed then.
 * Ownership: a job belongs to the queues between push and `done`.
 * Threads: push: the loop's. start, stop: any other.
 */
#include "base/thread.h"
#include "net/loop.h"
#include "peer/peer.h"

#define LIA_READERS_MAX 16

struct lia_job_queue {
    struct lia_job *first;
    struct lia_job *last;
};

struct lia_jobs {
    struct lia_loop *loop;
    void (*done)(void *ctx, struct lia_job *job);
    void *ctx;
    struct lia_thread writer;
    struct lia_thread readers[LIA_READERS_MAX];
    unsigned reader_count;
    struct lia_task hand_back;

    struct lia_mutex mutex; /* guards the rest; before the loop's own */
    struct lia_cond cond;
    struct lia_job_queue writes;
    struct lia_job_queue reads;
    struct lia_job_queue ended;
    bool is_handing_back; /* the task is posted */
    bool is_stopping;
};

/* `jobs` does not move until stop. */
LIANA_MUST_CHECK liana_status lia_jobs_start(struct lia_jobs *jobs,
                                             struct lia_loop *loop,
                                             unsigned readers,
                                             void (*done)(void *ctx,
                                                          struct lia_job *job),
                                             void *ctx,
                                             struct liana_error *err);

void lia_jobs_push(struct lia_jobs *jobs, struct lia_job *job);

/* Joins the threads; every job that was pushed has been given to `done`. */
void lia_jobs_stop(struct lia_jobs *jobs);

#endif
