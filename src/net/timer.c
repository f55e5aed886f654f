/* SPDX-License-Identifier: Apache-2.0 */
#include "net/timer.h"

#include <assert.h>
#include <uv.h>

static_assert(sizeof(uv_timer_t) <= LIA_TIMER_HANDLE_BYTES, "room for libuv's timer");

static uv_timer_t *handle_of(struct lia_timer *timer)
{
    return (uv_timer_t *)(void *)timer->handle;
}

static void on_due(uv_timer_t *handle)
{
    struct lia_timer *timer = handle->data;

    timer->due(timer->ctx);
}

void lia_timer_init(struct lia_timer *timer,
                    struct lia_loop *loop,
                    void (*due)(void *ctx),
                    void *ctx)
{
    LIA_ASSERT(uv_timer_init(lia_loop_uv(loop), handle_of(timer)) == 0);
    handle_of(timer)->data = timer;
    timer->due = due;
    timer->closed = NULL;
    timer->ctx = ctx;
}

void lia_timer_set(struct lia_timer *timer, uint64_t delay_ms)
{
    /* The loop's idea of now is as old as the callback that we are in. */
    uv_update_time(handle_of(timer)->loop);
    LIA_ASSERT(uv_timer_start(handle_of(timer), on_due, delay_ms, 0) == 0);
}

void lia_timer_clear(struct lia_timer *timer)
{
    uv_timer_stop(handle_of(timer));
}

static void on_closed(uv_handle_t *handle)
{
    struct lia_timer *timer = handle->data;

    if (timer->closed) {
        timer->closed(timer->ctx);
    }
}

void lia_timer_close(struct lia_timer *timer, void (*closed)(void *ctx))
{
    timer->closed = closed;
    uv_close((uv_handle_t *)handle_of(timer), on_closed);
}
