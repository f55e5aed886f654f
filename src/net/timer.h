/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_NET_TIMER_H
#define LIA_NET_TIMER_H
/*
 * net/timer - one thing to do later, on the loop.
 *
 * Rules: setting a timer that is set moves it; `due` is called once per setting. Close is
 * two-phase: the memory is the owner's again in `closed`, and `due` is not called after
 * lia_timer_close. Ownership: embedded in the owner's struct, which must not move.
 * Threads: the loop's.
 */
#include "net/loop.h"

#define LIA_TIMER_HANDLE_BYTES 256

struct lia_timer {
    void (*due)(void *ctx);
    void (*closed)(void *ctx);
    void *ctx;
    _Alignas(max_align_t) unsigned char handle[LIA_TIMER_HANDLE_BYTES]; /* libuv's */
};

void lia_timer_init(struct lia_timer *timer,
                    struct lia_loop *loop,
                    void (*due)(void *ctx),
                    void *ctx);
void lia_timer_set(struct lia_timer *timer, uint64_t delay_ms);
void lia_timer_clear(struct lia_timer *timer);

/* `closed` (may be NULL) is called later, never from inside this call. */
void lia_timer_close(struct lia_timer *timer, void (*closed)(void *ctx));

#endif
