/* SPDX-License-Identifier: Apache-2.0 */
#include "net/backoff.h"

/* The longest pause of `failures` in a row. */
static uint64_t pause_max(unsigned failures)
{
    uint64_t pause = LIA_BACKOFF_MIN_MS;

    while (failures > 1 && pause < LIA_BACKOFF_MAX_MS) {
        pause *= 2;
        failures--;
    }
    return pause < LIA_BACKOFF_MAX_MS ? pause : LIA_BACKOFF_MAX_MS;
}

uint64_t lia_backoff_next(struct lia_backoff *backoff,
                          const struct lia_env *env,
                          uint64_t up_ms)
{
    uint64_t pause;

    if (up_ms > pause_max(backoff->failures)) {
        backoff->failures = 0;
    }
    if (backoff->failures < UINT32_MAX) {
        backoff->failures++;
    }
    pause = pause_max(backoff->failures);
    return pause / 2 + lia_env_random64(env) % (pause / 2 + 1);
}
