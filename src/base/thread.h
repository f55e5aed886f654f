/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_BASE_THREAD_H
#define LIA_BASE_THREAD_H
/*
 * base/thread - mutex, condition and thread, for the few places that share something.
 *
 * Rules: every lock is listed in docs/threads.md with its place in the order. A mutex is
 * not recursive. A thread of ours has every signal blocked, so that the application's
 * handlers run on the application's threads and a closed pipe is an error code. A wait
 * may wake for nothing: it stands in a loop around its condition.
 *
 * Ownership: the caller's memory; an object in use must not move. init can fail for want
 * of system resources (LIANA_ENOMEM); deinit follows only a successful init.
 * Threads: any, that is the point.
 */
#include <pthread.h>
#include <time.h>

#include "base/error.h"
#include "liana/types.h"

struct lia_mutex {
    pthread_mutex_t handle;
};

LIANA_MUST_CHECK liana_status lia_mutex_init(struct lia_mutex *mutex);
void lia_mutex_deinit(struct lia_mutex *mutex);
void lia_mutex_lock(struct lia_mutex *mutex);
void lia_mutex_unlock(struct lia_mutex *mutex);

struct lia_cond {
    pthread_cond_t handle;
};

LIANA_MUST_CHECK liana_status lia_cond_init(struct lia_cond *cond);
void lia_cond_deinit(struct lia_cond *cond);
void lia_cond_signal(struct lia_cond *cond);
void lia_cond_broadcast(struct lia_cond *cond);
void lia_cond_wait(struct lia_cond *cond, struct lia_mutex *mutex);

/* A moment of the monotonic clock. Made once before the loop around a wait, so that
 * waking for nothing does not begin the time anew. */
struct lia_deadline {
    struct timespec at;
};

struct lia_deadline lia_deadline_in(uint64_t timeout_ms);

/* Waits until then at the latest; false when the time is over. */
bool lia_cond_wait_until(struct lia_cond *cond,
                         struct lia_mutex *mutex,
                         const struct lia_deadline *deadline);

typedef void (*lia_thread_fn)(void *arg);

struct lia_thread {
    pthread_t handle;
    lia_thread_fn run;
    void *arg;
};

/* `thread` stays where it is until join. `name` is what debuggers show; 15 bytes of it
 * are used. LIANA_ELIMIT when the system has no more threads. */
LIANA_MUST_CHECK liana_status lia_thread_start(struct lia_thread *thread,
                                               const char *name,
                                               lia_thread_fn run,
                                               void *arg);

/* Waits for its end. Exactly once per started thread, never from the thread itself. */
void lia_thread_join(struct lia_thread *thread);

/* Instead of join: nobody waits for it, and it may outlive everything but the process. Its
 * function may free the struct, once this has returned. */
void lia_thread_detach(struct lia_thread *thread);

bool lia_thread_is_current(const struct lia_thread *thread);

#endif
