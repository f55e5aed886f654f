/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include "net/testing/gate.h"

#define PATIENCE_MS 30000

void lia_gate_init(struct lia_gate *gate)
{
    assert_ok(lia_mutex_init(&gate->mutex));
    assert_ok(lia_cond_init(&gate->cond));
}

void lia_gate_deinit(struct lia_gate *gate)
{
    lia_cond_deinit(&gate->cond);
    lia_mutex_deinit(&gate->mutex);
}

void lia_gate_enter(struct lia_gate *gate)
{
    lia_mutex_lock(&gate->mutex);
}

void lia_gate_leave(struct lia_gate *gate)
{
    lia_cond_broadcast(&gate->cond);
    lia_mutex_unlock(&gate->mutex);
}

void lia_gate_wait_at(struct lia_gate *gate,
                      lia_gate_fact fact,
                      const void *ctx,
                      const char *file,
                      int line)
{
    struct lia_deadline deadline = lia_deadline_in(PATIENCE_MS);
    bool is_true = true;

    lia_mutex_lock(&gate->mutex);
    while (is_true && !fact(ctx)) {
        is_true = lia_cond_wait_until(&gate->cond, &gate->mutex, &deadline);
    }
    is_true = fact(ctx);
    lia_mutex_unlock(&gate->mutex);
    if (!is_true) {
        print_error("waited in vain\n");
        _fail(file, line);
    }
}
