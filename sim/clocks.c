/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/clocks.h"

#include "db/renew.h"

#include <stdlib.h>

#define MINUTE ((uint64_t)60 * 1000)
#define DAY    (24 * 60 * MINUTE)

#define GUARD_MS (10 * MINUTE) /* what stores take ahead of their clocks */

struct sim_clocks {
    unsigned chance;
    int fast; /* whose clock runs ahead, or did when its store was seen last; or -1 */
    bool was_wrong[SIM_NODES];
};

void sim_clocks_init(struct sim_world *w)
{
    if (w->seed >= SIM_CLOCKS_FIRST) {
        w->clocks = calloc(1, sizeof(*w->clocks));
        LIA_ASSERT(w->clocks);
        *w->clocks = (struct sim_clocks){50 + (unsigned)sim_draw(w, 200), -1, {false}};
        w->knobs.clock_jumps = 0;
        w->knobs.narrows = 0;
    }
}

void sim_clocks_deinit(struct sim_world *w)
{
    free(w->clocks);
}

uint64_t sim_clock_limit(const struct sim_world *w, int node)
{
    return (uint64_t)((int64_t)(SIM_START_MS + w->now + GUARD_MS) +
                      w->nodes[node].skew_ms)
           << 16;
}

bool sim_is_ahead(const struct sim_world *w, uint64_t hlc)
{
    return w->clocks && lia_hlc_ms(hlc) > SIM_START_MS + w->now + 9 * MINUTE;
}

void sim_clocks_check(struct sim_world *w, int n, uint32_t doc, struct lia_vector v)
{
    const uint64_t latest_ms = SIM_START_MS + w->now + GUARD_MS;

    if (w->clocks && !w->clocks->was_wrong[n] &&
        lia_hlc_ms(lia_vector_max_hlc(v)) > latest_ms) {
        sim_fail(w, "node %d: document %u is ahead of a clock that is right", n, doc);
    }
}

/* Nothing of its own is ahead any more. */
static bool is_repaired(const struct sim_world *w, int n)
{
    const struct sim_node *node = &w->nodes[n];
    struct lia_arena arena;
    struct lia_vector own;
    uint64_t last;

    if (!node->is_up || node->skew_ms > 0) {
        return false;
    }
    lia_arena_init(&arena, &lia_mem_libc);
    LIA_ASSERT(!lia_db_marks(node->db, &arena, lia_slice("own", 3), &own, NULL));
    last = lia_vector_get(own, lia_db_identity(node->db).actor);
    lia_arena_deinit(&arena);
    return !sim_is_ahead(w, last);
}

static void set(struct sim_world *w, int n, int64_t skew_ms)
{
    w->nodes[n].skew_ms = skew_ms;
    w->clocks->was_wrong[n] = w->clocks->was_wrong[n] || skew_ms;
    sim_note(w, "node %d: clock %+lld s", n, (long long)(skew_ms / 1000));
}

static void run_ahead(struct sim_world *w, int n)
{
    struct sim_clocks *clocks = w->clocks;

    if (clocks->fast < 0 || is_repaired(w, clocks->fast)) {
        clocks->fast = n;
        set(w, n, (int64_t)((1 + sim_draw(w, sim_chance(w, 500) ? 3 : 3000)) * DAY));
    }
}

static void fall_behind(struct sim_world *w, int n)
{
    if (n != w->clocks->fast) {
        set(w, n,
            sim_chance(w, 300)
                ? -(int64_t)(SIM_START_MS - sim_draw(w, DAY))
                : -(int64_t)((1 + sim_draw(w, sim_chance(w, 500) ? 3 : 3000)) * DAY));
    }
}

void sim_clocks_faults(struct sim_world *w)
{
    for (int n = 0; w->clocks && n < (int)w->knobs.nodes; n++) {
        if (!sim_chance(w, w->clocks->chance)) {
            continue;
        }
        switch (sim_draw(w, 3)) {
        case 0: set(w, n, 0); break;
        case 1: fall_behind(w, n); break;
        default: run_ahead(w, n);
        }
    }
}

/* What another store has taken, or may have, stays as it is stamped. 0: there is nothing
 * such. */
static uint64_t newest_held_ms(const struct sim_world *w)
{
    uint64_t newest = 0;

    for (int n = 0; n < (int)w->knobs.nodes; n++) {
        uint64_t own = lia_db_identity(w->nodes[n].db).actor;
        uint64_t held = (lia_db_held_ms(w->nodes[n].db) + GUARD_MS) << 16;

        for (size_t d = 0; d < SIM_DOCS; d++) {
            const struct sim_seen *seen = &w->nodes[n].seen[d];

            for (size_t i = 0; i < seen->count; i++) {
                const struct lia_vector_entry *e = &seen->entries[i];

                if ((e->actor != own || e->hlc <= held) && sim_is_ahead(w, e->hlc) &&
                    e->hlc > newest) {
                    newest = e->hlc;
                }
            }
        }
    }
    return lia_hlc_ms(newest);
}

void sim_clocks_count(struct sim_world *w)
{
    struct lia_arena arena;
    const struct lia_renewal *renewals;
    size_t count;

    lia_arena_init(&arena, &lia_mem_libc);
    for (int n = 0; w->clocks && n < (int)w->knobs.nodes; n++) {
        LIA_ASSERT(
            !lia_db_renewals(w->nodes[n].db, &arena, 100, &renewals, &count, NULL));
        for (size_t i = 0; i < count; i++) {
            w->rare[SIM_RARE_REPAIRED] += renewals[i].reason == LIA_RENEWED_CLOCK;
        }
    }
    lia_arena_deinit(&arena);
}

bool sim_clocks_pass(struct sim_world *w)
{
    uint64_t newest = w->clocks ? newest_held_ms(w) : 0;

    w->rare[SIM_RARE_STAYED] += newest > 0;
    for (int n = 0; newest && n < (int)w->knobs.nodes; n++) {
        set(w, n, (int64_t)(newest - SIM_START_MS - w->now));
    }
    return newest;
}
