/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/clocks.h"

#include "db/renew.h"
#include "sim/check.h"
#include "sim/oracle.h"

#include <stdlib.h>

#define MINUTE ((uint64_t)60 * 1000)
#define DAY    (24 * 60 * MINUTE)

#define GUARD_MS (10 * MINUTE) /* what stores take ahead of their clocks */

struct sim_clocks {
    unsigned chance;
    unsigned
        fast; /* bit n: n's clock runs ahead, or did when its store was seen last */
    int64_t fast_ms; /* by so much: all go by one clock that is wrong */
    bool was_wrong[SIM_NODES];
};

void sim_clocks_init(struct sim_world *w)
{
    if (w->seed >= SIM_CLOCKS_FIRST) {
        w->clocks = calloc(1, sizeof(*w->clocks));
        LIA_ASSERT(w->clocks);
        *w->clocks = (struct sim_clocks){.chance = 50 + (unsigned)sim_draw(w, 200)};
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

/* One at a time, and whoever asks the same clock. */
static void run_ahead(struct sim_world *w, int n)
{
    struct sim_clocks *clocks = w->clocks;
    bool is_over = true;

    for (int i = 0; i < (int)w->knobs.nodes; i++) {
        is_over = is_over && (!(clocks->fast >> i & 1) || is_repaired(w, i));
    }
    if (is_over) {
        clocks->fast = 0;
        clocks->fast_ms =
            (int64_t)((1 + sim_draw(w, sim_chance(w, 500) ? 3 : 3000)) * DAY);
    }
    if (is_over || sim_chance(w, 400)) {
        clocks->fast |= 1U << n;
        set(w, n, clocks->fast_ms);
    }
}

static void fall_behind(struct sim_world *w, int n)
{
    if (!(w->clocks->fast >> n & 1)) {
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

static uint64_t later(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* What another store has taken, or may have, stays as it is stamped. 0: there is nothing
 * such. */
static uint64_t newest_held(const struct sim_world *w, int n, struct lia_vector v)
{
    const uint64_t own = lia_db_identity(w->nodes[n].db).actor;
    const uint64_t held =
        (lia_db_held_ms(w->nodes[n].db) + LIA_CLOCK_TOLD_MS + GUARD_MS) << 16;
    uint64_t newest = 0;

    for (size_t i = 0; i < v.count; i++) {
        const struct lia_vector_entry *e = &v.entries[i];

        if ((e->actor != own || e->hlc <= held) && sim_is_ahead(w, e->hlc)) {
            newest = later(newest, e->hlc);
        }
    }
    return newest;
}

/* Nor does what came before a delete that is forgotten and ahead. */
static uint64_t newest_forgotten(struct sim_world *w, int n, struct lia_arena *arena)
{
    uint64_t newest = 0;

    for (uint32_t c = 0; c < SIM_NAMES; c++) {
        struct lia_keeping k;

        LIA_ASSERT(!lia_db_keeping(w->nodes[n].db, arena, sim_collection(sim_first(c)),
                                   &k, NULL));
        newest =
            later(newest, sim_is_ahead(w, k.keep.forgotten) ? k.keep.forgotten : 0);
    }
    return newest;
}

static uint64_t newest_held_ms(struct sim_world *w)
{
    struct lia_arena arena;
    uint64_t newest = 0;

    lia_arena_init(&arena, &lia_mem_libc);
    for (int n = 0; n < (int)w->knobs.nodes; n++) {
        newest = later(newest, newest_forgotten(w, n, &arena));
        for (size_t d = 0; d < SIM_DOCS; d++) {
            const struct sim_seen *seen = &w->nodes[n].seen[d];

            newest = later(newest, newest_held(w, n, sim_seen_vector(seen)));
        }
        for (size_t c = 0; w->oracle && c < SIM_DECLARED; c++) {
            struct lia_doc doc = sim_oracle_declaration(w, n, &arena, sim_declared[c]);
            struct lia_doc_info info;

            LIA_ASSERT(!lia_doc_info(&arena, doc.clock, &info));
            newest = later(newest, newest_held(w, n, info.vector));
        }
    }
    lia_arena_deinit(&arena);
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
