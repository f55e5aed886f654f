/* SPDX-License-Identifier: Apache-2.0 */
#include "node/outage.h"

#include <stdio.h>

static void start(struct lia_outage *outage, liana_status status, uint64_t now)
{
    *outage = (struct lia_outage){.is_on = true,
                                  .since = now,
                                  .quiet_ms = LIA_OUTAGE_QUIET_MIN_MS,
                                  .tell_at = now + LIA_OUTAGE_QUIET_MIN_MS,
                                  .told = status};
}

void lia_outage_begin(struct lia_outage *outage, uint64_t now)
{
    if (!outage->is_on) {
        start(outage, LIANA_OK, now);
    }
}

/* Somebody has to do something about it. */
static bool is_lasting(liana_status status)
{
    enum liana_category category = liana_status_category(status);

    return category != LIANA_CATEGORY_NETWORK && category != LIANA_CATEGORY_RETRY;
}

bool lia_outage_fail(struct lia_outage *outage, liana_status status, uint64_t now)
{
    bool is_new = !outage->is_on;

    if (is_new) {
        start(outage, status, now);
    }
    outage->failures++;
    if (!is_new && now >= outage->tell_at) {
        outage->quiet_ms = outage->quiet_ms < LIA_OUTAGE_QUIET_MAX_MS / 2
                               ? outage->quiet_ms * 2
                               : LIA_OUTAGE_QUIET_MAX_MS;
        outage->tell_at = now + outage->quiet_ms;
        outage->told = status;
        return true;
    }
    if (!is_new && is_lasting(status) && status != outage->told) {
        outage->told = status;
        return true;
    }
    return is_new;
}

uint64_t lia_outage_end(struct lia_outage *outage, uint64_t now)
{
    uint64_t ms = lia_outage_ms(outage, now);

    *outage = (struct lia_outage){0};
    return ms;
}

uint64_t lia_outage_ms(const struct lia_outage *outage, uint64_t now)
{
    return outage->is_on ? now - outage->since : 0;
}

void lia_duration_text(uint64_t ms, char out[static LIA_DURATION_TEXT])
{
    if (ms < 10000) {
        snprintf(out, LIA_DURATION_TEXT, "%u.%u s", (unsigned)(ms / 1000),
                 (unsigned)(ms % 1000 / 100));
    } else if (ms < 120000) {
        snprintf(out, LIA_DURATION_TEXT, "%u s", (unsigned)(ms / 1000));
    } else if (ms < 7200000) {
        snprintf(out, LIA_DURATION_TEXT, "%u min", (unsigned)(ms / 60000));
    } else {
        snprintf(out, LIA_DURATION_TEXT, "%llu h", (unsigned long long)(ms / 3600000));
    }
}
