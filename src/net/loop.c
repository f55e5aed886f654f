/* SPDX-License-Identifier: Apache-2.0 */
#include "net/loop.h"

#include <uv.h>

#include "base/thread.h"
#include "net/uv_error.h"

struct lia_loop {
    const struct lia_env *env;
    uv_loop_t uv;
    uv_async_t wake;
    struct lia_thread thread;
    struct lia_task stop;

    struct lia_mutex mutex; /* guards the two below; a leaf */
    struct lia_task *first;
    struct lia_task *last;

    uint8_t read_buffer[LIA_LOOP_READ_BYTES];
};

static struct lia_task *take_all(struct lia_loop *loop)
{
    struct lia_task *first;

    lia_mutex_lock(&loop->mutex);
    first = loop->first;
    loop->first = NULL;
    loop->last = NULL;
    lia_mutex_unlock(&loop->mutex);
    return first;
}

static void on_wake(uv_async_t *wake)
{
    struct lia_task *task = take_all(wake->data);

    while (task) {
        struct lia_task *next = task->next;

        task->run(task); /* may post or free the task */
        task = next;
    }
}

static void thread_main(void *arg)
{
    struct lia_loop *loop = arg;

    uv_run(&loop->uv, UV_RUN_DEFAULT);
}

static void on_stop(struct lia_task *task)
{
    struct lia_loop *loop = lia_task_owner(task, struct lia_loop, stop);

    uv_close((uv_handle_t *)&loop->wake, NULL);
}

/* Runs the handles that were made on a loop whose thread never started to their end. */
static void abandon(struct lia_loop *loop)
{
    uv_close((uv_handle_t *)&loop->wake, NULL);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    LIA_ASSERT(uv_loop_close(&loop->uv) == 0);
}

static liana_status init(struct lia_loop *loop,
                         const char *name,
                         struct liana_error *err)
{
    liana_status status;
    int rc = uv_loop_init(&loop->uv);

    if (rc) {
        return lia_err_uv(err, rc, "cannot make the event loop", name);
    }
    rc = uv_async_init(&loop->uv, &loop->wake, on_wake);
    if (rc) {
        LIA_ASSERT(uv_loop_close(&loop->uv) == 0);
        return lia_err_uv(err, rc, "cannot make the event loop", name);
    }
    loop->wake.data = loop;
    status = lia_thread_start(&loop->thread, name, thread_main, loop);
    if (status) {
        abandon(loop);
        return lia_err(err, status, "cannot start thread %s", name);
    }
    return LIANA_OK;
}

liana_status lia_loop_start(const struct lia_env *env,
                            const char *name,
                            struct lia_loop **out,
                            struct liana_error *err)
{
    struct lia_loop *loop = lia_mem_zalloc(env->alloc, sizeof(*loop));
    liana_status status;

    if (!loop) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    loop->env = env;
    loop->stop.run = on_stop;
    status = lia_mutex_init(&loop->mutex);
    if (!status) {
        status = init(loop, name, err);
        if (status) {
            lia_mutex_deinit(&loop->mutex);
        }
    }
    if (status) {
        lia_mem_free(env->alloc, loop, sizeof(*loop));
        return lia_err_plain(err, status);
    }
    *out = loop;
    return LIANA_OK;
}

void lia_loop_post(struct lia_loop *loop, struct lia_task *task)
{
    task->next = NULL;
    lia_mutex_lock(&loop->mutex);
    if (loop->last) {
        loop->last->next = task;
    } else {
        loop->first = task;
    }
    loop->last = task;
    /* Under the lock: behind it, the loop may already be stopped and freed by what this
     * task let go. */
    uv_async_send(&loop->wake);
    lia_mutex_unlock(&loop->mutex);
}

struct call {
    struct lia_task task;
    void (*fn)(void *ctx);
    void *ctx;
    struct lia_mutex mutex;
    struct lia_cond cond;
    bool is_done;
};

static void run_call(struct lia_task *task)
{
    struct call *call = lia_task_owner(task, struct call, task);

    call->fn(call->ctx);
    lia_mutex_lock(&call->mutex);
    call->is_done = true;
    lia_cond_signal(&call->cond);
    lia_mutex_unlock(&call->mutex);
}

void lia_loop_call(struct lia_loop *loop, void (*fn)(void *ctx), void *ctx)
{
    struct call call = {.task.run = run_call, .fn = fn, .ctx = ctx};

    if (lia_loop_is_current(loop)) {
        fn(ctx);
        return;
    }
    /* Neither takes memory on the platforms that we build for. */
    LIA_ASSERT(lia_mutex_init(&call.mutex) == LIANA_OK);
    LIA_ASSERT(lia_cond_init(&call.cond) == LIANA_OK);
    lia_loop_post(loop, &call.task);
    lia_mutex_lock(&call.mutex);
    while (!call.is_done) {
        lia_cond_wait(&call.cond, &call.mutex);
    }
    lia_mutex_unlock(&call.mutex);
    lia_cond_deinit(&call.cond);
    lia_mutex_deinit(&call.mutex);
}

void lia_loop_stop(struct lia_loop *loop)
{
    const struct liana_allocator *alloc = loop->env->alloc;

    LIA_ASSERT(!lia_loop_is_current(loop));
    lia_loop_post(loop, &loop->stop);
    lia_thread_join(&loop->thread);
    LIA_ASSERT(uv_loop_close(&loop->uv) == 0);
    lia_mutex_deinit(&loop->mutex);
    lia_mem_free(alloc, loop, sizeof(*loop));
}

bool lia_loop_is_current(const struct lia_loop *loop)
{
    return lia_thread_is_current(&loop->thread);
}

const struct lia_env *lia_loop_env(const struct lia_loop *loop)
{
    return loop->env;
}

struct uv_loop_s *lia_loop_uv(struct lia_loop *loop)
{
    return &loop->uv;
}

uint8_t *lia_loop_read_buffer(struct lia_loop *loop)
{
    return loop->read_buffer;
}
