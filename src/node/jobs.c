/* SPDX-License-Identifier: Apache-2.0 */
#include "node/jobs.h"

static void push(struct lia_job_queue *queue, struct lia_job *job)
{
    *lia_job_next(job) = NULL;
    if (queue->last) {
        *lia_job_next(queue->last) = job;
    } else {
        queue->first = job;
    }
    queue->last = job;
}

static struct lia_job *pop(struct lia_job_queue *queue)
{
    struct lia_job *job = queue->first;

    if (job) {
        queue->first = *lia_job_next(job);
        if (!queue->first) {
            queue->last = NULL;
        }
    }
    return job;
}

/* The next job of a queue; NULL when there will be no more. */
static struct lia_job *await(struct lia_jobs *jobs, struct lia_job_queue *queue)
{
    struct lia_job *job;

    lia_mutex_lock(&jobs->mutex);
    while (!(job = pop(queue)) && !jobs->is_stopping) {
        lia_cond_wait(&jobs->cond, &jobs->mutex);
    }
    lia_mutex_unlock(&jobs->mutex);
    return job;
}

static void hand_back(struct lia_jobs *jobs, struct lia_job *job)
{
    lia_mutex_lock(&jobs->mutex);
    push(&jobs->ended, job);
    if (!jobs->is_handing_back) {
        jobs->is_handing_back = true;
        lia_loop_post(jobs->loop, &jobs->hand_back);
    }
    lia_mutex_unlock(&jobs->mutex);
}

static void work_off(struct lia_jobs *jobs, struct lia_job_queue *queue)
{
    struct lia_job *job;

    while ((job = await(jobs, queue)) != NULL) {
        lia_job_run(job);
        hand_back(jobs, job);
    }
}

static void writer_main(void *arg)
{
    struct lia_jobs *jobs = arg;

    work_off(jobs, &jobs->writes);
}

static void reader_main(void *arg)
{
    struct lia_jobs *jobs = arg;

    work_off(jobs, &jobs->reads);
}

static void on_hand_back(struct lia_task *task)
{
    struct lia_jobs *jobs = lia_task_owner(task, struct lia_jobs, hand_back);
    struct lia_job_queue ended;
    struct lia_job *job;

    lia_mutex_lock(&jobs->mutex);
    ended = jobs->ended;
    jobs->ended = (struct lia_job_queue){NULL, NULL};
    jobs->is_handing_back = false;
    lia_mutex_unlock(&jobs->mutex);
    while ((job = pop(&ended)) != NULL) {
        jobs->done(jobs->ctx, job);
    }
}

static void join(struct lia_jobs *jobs, bool has_writer)
{
    lia_mutex_lock(&jobs->mutex);
    jobs->is_stopping = true;
    lia_cond_broadcast(&jobs->cond);
    lia_mutex_unlock(&jobs->mutex);
    if (has_writer) {
        lia_thread_join(&jobs->writer);
    }
    for (unsigned i = 0; i < jobs->reader_count; i++) {
        lia_thread_join(&jobs->readers[i]);
    }
}

static void deinit(struct lia_jobs *jobs)
{
    lia_cond_deinit(&jobs->cond);
    lia_mutex_deinit(&jobs->mutex);
}

static liana_status start_threads(struct lia_jobs *jobs, unsigned readers)
{
    liana_status status =
        lia_thread_start(&jobs->writer, "liana-writer", writer_main, jobs);
    bool has_writer = status == LIANA_OK;

    while (!status && jobs->reader_count < readers) {
        status = lia_thread_start(&jobs->readers[jobs->reader_count], "liana-reader",
                                  reader_main, jobs);
        jobs->reader_count += status == LIANA_OK;
    }
    if (status) {
        join(jobs, has_writer);
    }
    return status;
}

liana_status lia_jobs_start(struct lia_jobs *jobs,
                            struct lia_loop *loop,
                            unsigned readers,
                            void (*done)(void *ctx, struct lia_job *job),
                            void *ctx,
                            struct liana_error *err)
{
    liana_status status;

    *jobs = (struct lia_jobs){
        .loop = loop, .done = done, .ctx = ctx, .hand_back.run = on_hand_back};
    LIA_ASSERT(readers > 0 && readers <= LIA_READERS_MAX);
    status = lia_mutex_init(&jobs->mutex);
    if (status) {
        return lia_err_plain(err, status);
    }
    status = lia_cond_init(&jobs->cond);
    if (status) {
        lia_mutex_deinit(&jobs->mutex);
        return lia_err_plain(err, status);
    }
    status = start_threads(jobs, readers);
    if (status) {
        deinit(jobs);
        return lia_err(err, status, "cannot start the threads that work on the store");
    }
    return LIANA_OK;
}

void lia_jobs_push(struct lia_jobs *jobs, struct lia_job *job)
{
    lia_mutex_lock(&jobs->mutex);
    LIA_ASSERT(!jobs->is_stopping);
    push(lia_job_kind(job) == LIA_JOB_WRITE ? &jobs->writes : &jobs->reads, job);
    lia_cond_broadcast(&jobs->cond);
    lia_mutex_unlock(&jobs->mutex);
}

static void nothing(void *ctx)
{
    (void)ctx;
}

void lia_jobs_stop(struct lia_jobs *jobs)
{
    join(jobs, true);
    /* What was posted last has run when this has. */
    lia_loop_call(jobs->loop, nothing, NULL);
    deinit(jobs);
}
