/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_NET_BACKOFF_H
#define LIA_NET_BACKOFF_H
/*
 * net/backoff - how long to wait before dialling again.
 *
 * The pause doubles from LIA_BACKOFF_MIN_MS to LIA_BACKOFF_MAX_MS. Half of it is drawn at
 * random, so that the devices of a shop do not all come back in the same instant.
 *
 * Rules: success forgets the failures before it, but only a link that was up for a pause
 * of its own length is a success: one that is made and breaks at once counts as a
 * failure, or two peers that refuse each other would do it in a tight loop.
 * Ownership: by value, zero to begin with. Threads: one at a time.
 */
#include "base/env.h"

#define LIA_BACKOFF_MIN_MS 100
#define LIA_BACKOFF_MAX_MS 15000

struct lia_backoff {
    unsigned failures;
};

/* After a failure, or a link that was up for `up_ms` (0: never): the pause. */
uint64_t lia_backoff_next(struct lia_backoff *backoff,
                          const struct lia_env *env,
                          uint64_t up_ms);

#endif
