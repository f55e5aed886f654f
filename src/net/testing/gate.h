/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_NET_TESTING_GATE_H
#define LIA_NET_TESTING_GATE_H
/*
 * net/testing/gate - waiting for what happens on other threads, without sleeping.
 *
 * Rules: what a fact looks at is changed between lia_gate_enter and lia_gate_leave, on
 * whatever thread. lia_gate_wait fails the test when a fact does not come true in 30 s,
 * which is far beyond what anything here takes. Ownership: the test's.
 * Threads: enter and leave from any, wait from the test's own.
 */
#include "base/thread.h"

struct lia_gate {
    struct lia_mutex mutex;
    struct lia_cond cond;
};

void lia_gate_init(struct lia_gate *gate);
void lia_gate_deinit(struct lia_gate *gate);
void lia_gate_enter(struct lia_gate *gate);
void lia_gate_leave(struct lia_gate *gate);

typedef bool (*lia_gate_fact)(const void *ctx);

void lia_gate_wait_at(struct lia_gate *gate,
                      lia_gate_fact fact,
                      const void *ctx,
                      const char *file,
                      int line);

#define lia_gate_wait(gate, fact, ctx)                                                 \
    lia_gate_wait_at((gate), (fact), (ctx), __FILE__, __LINE__)

#endif
