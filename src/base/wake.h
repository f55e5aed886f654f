/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_BASE_WAKE_H
#define LIA_BASE_WAKE_H
/*
 * base/wake - a descriptor that is readable while it is set: how a thread of ours shows up in
 * an event loop of somebody else's.
 *
 * Rules: setting twice is setting once. Nobody else reads it. Ownership: the caller's
 * memory. Threads: set and clear any; who calls both must order them by a lock.
 */
#include "base/error.h"

struct lia_wake {
    int fds[2];
};

/* LIANA_ELIMIT: no descriptors left. */
LIANA_MUST_CHECK liana_status lia_wake_init(struct lia_wake *wake,
                                            struct liana_error *err);
void lia_wake_deinit(struct lia_wake *wake);

void lia_wake_set(struct lia_wake *wake);
void lia_wake_clear(struct lia_wake *wake);
int lia_wake_fd(const struct lia_wake *wake);

#endif
