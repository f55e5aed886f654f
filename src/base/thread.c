/* SPDX-License-Identifier: Apache-2.0 */
#ifdef __linux__
#    define _GNU_SOURCE /* pthread_setname_np */
#endif
#include "base/thread.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>

liana_status lia_mutex_init(struct lia_mutex *mutex)
{
    return pthread_mutex_init(&mutex->handle, NULL) == 0 ? LIANA_OK : LIANA_ENOMEM;
}

void lia_mutex_deinit(struct lia_mutex *mutex)
{
    LIA_ASSERT(pthread_mutex_destroy(&mutex->handle) == 0);
}

void lia_mutex_lock(struct lia_mutex *mutex)
{
    LIA_ASSERT(pthread_mutex_lock(&mutex->handle) == 0);
}

void lia_mutex_unlock(struct lia_mutex *mutex)
{
    LIA_ASSERT(pthread_mutex_unlock(&mutex->handle) == 0);
}

liana_status lia_cond_init(struct lia_cond *cond)
{
    pthread_condattr_t attr;
    int rc;

    if (pthread_condattr_init(&attr) != 0) {
        return LIANA_ENOMEM;
    }
    rc = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    if (rc == 0) {
        rc = pthread_cond_init(&cond->handle, &attr);
    }
    pthread_condattr_destroy(&attr);
    return rc == 0 ? LIANA_OK : LIANA_ENOMEM;
}

void lia_cond_deinit(struct lia_cond *cond)
{
    LIA_ASSERT(pthread_cond_destroy(&cond->handle) == 0);
}

void lia_cond_signal(struct lia_cond *cond)
{
    LIA_ASSERT(pthread_cond_signal(&cond->handle) == 0);
}

void lia_cond_broadcast(struct lia_cond *cond)
{
    LIA_ASSERT(pthread_cond_broadcast(&cond->handle) == 0);
}

void lia_cond_wait(struct lia_cond *cond, struct lia_mutex *mutex)
{
    LIA_ASSERT(pthread_cond_wait(&cond->handle, &mutex->handle) == 0);
}

struct lia_deadline lia_deadline_in(uint64_t timeout_ms)
{
    struct lia_deadline deadline;
    struct timespec *at = &deadline.at;

    LIA_ASSERT(clock_gettime(CLOCK_MONOTONIC, at) == 0);
    at->tv_sec += (time_t)(timeout_ms / 1000);
    at->tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (at->tv_nsec >= 1000000000) {
        at->tv_nsec -= 1000000000;
        at->tv_sec++;
    }
    return deadline;
}

bool lia_cond_wait_until(struct lia_cond *cond,
                         struct lia_mutex *mutex,
                         const struct lia_deadline *deadline)
{
    int rc = pthread_cond_timedwait(&cond->handle, &mutex->handle, &deadline->at);

    LIA_ASSERT(rc == 0 || rc == ETIMEDOUT);
    return rc == 0;
}

static void *thread_main(void *arg)
{
    struct lia_thread *thread = arg;

    thread->run(thread->arg);
    return NULL;
}

liana_status lia_thread_start(struct lia_thread *thread,
                              const char *name,
                              lia_thread_fn run,
                              void *arg)
{
    sigset_t all;
    sigset_t before;
    int rc;

    thread->run = run;
    thread->arg = arg;
    sigfillset(&all);
    LIA_ASSERT(pthread_sigmask(SIG_SETMASK, &all, &before) == 0);
    rc = pthread_create(&thread->handle, NULL, thread_main, thread);
    LIA_ASSERT(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    if (rc != 0) {
        return rc == ENOMEM ? LIANA_ENOMEM : LIANA_ELIMIT;
    }
#ifdef __linux__
    char text[16];

    (void)snprintf(text, sizeof(text), "%s", name);
    pthread_setname_np(thread->handle, text); /* a name is a comfort, not a need */
#else
    (void)name;
#endif
    return LIANA_OK;
}

void lia_thread_join(struct lia_thread *thread)
{
    LIA_ASSERT(pthread_join(thread->handle, NULL) == 0);
}

void lia_thread_detach(struct lia_thread *thread)
{
    LIA_ASSERT(pthread_detach(thread->handle) == 0);
}

bool lia_thread_is_current(const struct lia_thread *thread)
{
    return pthread_equal(thread->handle, pthread_self()) != 0;
}
