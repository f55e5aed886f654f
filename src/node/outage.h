/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_NODE_OUTAGE_H
#define LIA_NODE_OUTAGE_H
/*
 * node/outage - when trouble that goes on is worth a line.
 *
 * A peer that is away for a night is dialled thousands of times. Its first failure is
 * told; after that one line after a minute, two more, four more, up to one an hour; and
 * how long it took when it is over. Trouble of a kind that waiting does not mend (a wrong
 * key after "connection refused", say) is told at once.
 *
 * Rules: times are monotonic milliseconds. Ownership: by value, zero to begin with.
 * Threads: one at a time.
 */
#include <stdbool.h>

#include "base/error.h"

#define LIA_OUTAGE_QUIET_MIN_MS 60000
#define LIA_OUTAGE_QUIET_MAX_MS 3600000

struct lia_outage {
    bool is_on;
    uint64_t since;
    uint64_t tell_at;
    uint64_t quiet_ms;
    unsigned failures;
    liana_status told;
};

/* It begins, and was told in other words. One that is on goes on. */
void lia_outage_begin(struct lia_outage *outage, uint64_t now);

/* One failure more: whether it is to be told. */
bool lia_outage_fail(struct lia_outage *outage, liana_status status, uint64_t now);

/* It is over: how long it was; 0 if there was none. */
uint64_t lia_outage_end(struct lia_outage *outage, uint64_t now);

/* How long it is by now; 0 if there is none. */
uint64_t lia_outage_ms(const struct lia_outage *outage, uint64_t now);

#define LIA_DURATION_TEXT 24

/* "0.4 s", "75 s", "12 min", "31 h". */
void lia_duration_text(uint64_t ms, char out[static LIA_DURATION_TEXT]);

#endif
