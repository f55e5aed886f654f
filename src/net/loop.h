/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_NET_LOOP_H
#define LIA_NET_LOOP_H
/*
 * net/loop - the thread that runs a libuv loop, and the one way into it.
 *
 * Everything that is made on a loop (streams, listeners, timers) belongs to its thread
 * for life. Other threads post tasks; they run in the order in which they were posted.
 *
 * Rules: a task is memory of the caller's, may be posted again as soon as it runs, and
 * may be freed by its own function; posting takes no memory and cannot fail. Code on
 * the loop never waits: no disk, no name look-up, no lock but those of queues. Posting
 * ends before lia_loop_stop is called; what was posted before it still runs.
 *
 * Ownership: env is borrowed until stop. Threads: post and call from any; stop from any
 * but the loop's own.
 */
#include "base/env.h"
#include "base/error.h"

struct uv_loop_s;
struct lia_loop;

struct lia_task {
    void (*run)(struct lia_task *task);
    struct lia_task *next; /* the loop's while it is posted */
};

/* The struct that a task is a member of. */
#define lia_task_owner(task, type, member)                                             \
    ((type *)(void *)((char *)(task)-offsetof(type, member)))

/* Starts the thread. LIANA_ENOMEM, LIANA_ELIMIT (no descriptors or threads left). */
LIANA_MUST_CHECK liana_status lia_loop_start(const struct lia_env *env,
                                             const char *name,
                                             struct lia_loop **out,
                                             struct liana_error *err);

void lia_loop_post(struct lia_loop *loop, struct lia_task *task);

/* Runs `fn` on the loop and waits for it; on the loop's own thread it is a plain call.
 */
void lia_loop_call(struct lia_loop *loop, void (*fn)(void *ctx), void *ctx);

/* Ends the thread once all that was made on the loop is closed, and frees the loop. */
void lia_loop_stop(struct lia_loop *loop);

bool lia_loop_is_current(const struct lia_loop *loop);

const struct lia_env *lia_loop_env(const struct lia_loop *loop);

/* For net alone. */
struct uv_loop_s *lia_loop_uv(struct lia_loop *loop);

/* Scratch that a read callback uses before it returns: one per loop, because sessions are
 * many and reads come one at a time. */
#define LIA_LOOP_READ_BYTES ((size_t)64 * 1024)
uint8_t *lia_loop_read_buffer(struct lia_loop *loop);

#endif
