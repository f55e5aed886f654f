/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/world.h"

#include "sim/clocks.h"
#include "sim/keepers.h"
#include "sim/oracle.h"
#include "sim/past.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/hash.h"

#define FILL_MS     8000u
#define CALM_MS     600000u /* all must be equal by then */
#define CHECK_EVERY 64u
#define CALM_CHUNKS 20000u /* messages to heal, at most */
#define MEMORY_MAX  ((size_t)64 * 1024 * 1024)

/* ---- events ---- */

static bool is_before(const struct sim_event *a, const struct sim_event *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void swap(struct sim_event *a, struct sim_event *b)
{
    struct sim_event t = *a;

    *a = *b;
    *b = t;
}

void sim_after(struct sim_world *w,
               uint64_t ms,
               enum sim_event_kind kind,
               uint32_t a,
               uint32_t b,
               uint64_t c,
               struct lia_job *job)
{
    size_t i = w->event_count++;

    if (w->event_count > SIM_EVENTS) {
        sim_fail(w, "more than %d events wait", SIM_EVENTS);
    }
    w->events[i] = (struct sim_event){w->now + ms, w->order++, kind, a, b, c, job};
    while (i && is_before(&w->events[i], &w->events[(i - 1) / 2])) {
        swap(&w->events[i], &w->events[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
}

static struct sim_event take_event(struct sim_world *w)
{
    struct sim_event first = w->events[0];
    size_t i = 0;

    w->events[0] = w->events[--w->event_count];
    for (;;) {
        size_t least = i;

        for (size_t child = 2 * i + 1; child <= 2 * i + 2; child++) {
            if (child < w->event_count &&
                is_before(&w->events[child], &w->events[least])) {
                least = child;
            }
        }
        if (least == i) {
            return first;
        }
        swap(&w->events[i], &w->events[least]);
        i = least;
    }
}

/* ---- chance, trace ---- */

uint64_t sim_draw(struct sim_world *w, uint64_t n)
{
    return n ? lia_rng_below(&w->rng, n) : 0;
}

bool sim_chance(struct sim_world *w, unsigned per_thousand)
{
    return per_thousand && lia_rng_below(&w->rng, 1000) < per_thousand;
}

void sim_note(struct sim_world *w, const char *format, ...)
{
    char line[512];
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(line + 8, sizeof(line) - 8, format, args);
    va_end(args);
    n = n < (int)sizeof(line) - 9 ? n : (int)sizeof(line) - 9;
    memcpy(line, &w->trace, 8);
    w->trace = lia_hash64(lia_slice(line, (size_t)n + 8)) + w->now;
    if (w->is_traced) {
        printf("%9llu.%03llu  %s\n", (unsigned long long)w->now / 1000,
               (unsigned long long)w->now % 1000, line + 8);
    }
}

/* What the check says that is there for the damage. */
static const char *const complaints[SIM_BREAKAGES] = {
    [SIM_BREAK_SYNC] = "was acknowledged and is lost",
    [SIM_BREAK_TORN] = "is torn",
    [SIM_BREAK_BYTES] = "differ",
    [SIM_BREAK_MARKS] = "its marks claim",
    [SIM_BREAK_QUIET] = "stores differ",
    [SIM_BREAK_COUNT] = "an increment was lost",
    [SIM_BREAK_BACK] = "went back",
    [SIM_BREAK_STATE] = "equal vectors, other bytes",
    [SIM_BREAK_STAYS] = "is not what it subscribed to",
    [SIM_BREAK_EARLY] = "before it was durable",
    [SIM_BREAK_LEAVES] = "stores differ",
    [SIM_BREAK_GONE] = "is gone",
    [SIM_BREAK_UNDONE] = "an increment was lost",
    [SIM_BREAK_KEPT] = "is kept",
    [SIM_BREAK_LOST] = "nobody deleted it",
    [SIM_BREAK_ZOMBIE] = "was deleted and lives",
    [SIM_BREAK_UNTOLD] = "is lost in silence",
    [SIM_BREAK_FORGED] = "is not what was written",
    [SIM_BREAK_RIGHTS] = "below the bound",
    [SIM_BREAK_AHEAD] = "is ahead of a clock that is right",
    [SIM_BREAK_TWICE] = "is not the sum of what was seen",
    [SIM_BREAK_SALES] = "is not what was written",
    [SIM_BREAK_HIDDEN] = "has seen what nobody wrote",
    [SIM_BREAK_ANSWER] = "where the law says",
    [SIM_BREAK_OVERSOLD] = "below the bound",
    [SIM_BREAK_SUM] = "not the sum",
    [SIM_BREAK_ROW] = "of what nobody wrote",
    [SIM_BREAK_KNEW] = "knew each other",
    [SIM_BREAK_DECLARED] = "stores differ",
    [SIM_BREAK_SPLIT] = "is lost in silence",
};

void sim_fail(struct sim_world *w, const char *format, ...)
{
    va_list args;

    if (w->breakage) { /* it is to be noticed, and by the right check */
        char line[512];

        va_start(args, format);
        vsnprintf(line, sizeof(line), format, args);
        va_end(args);
        fprintf(stderr, "%s\n", line);
        _exit(strstr(line, complaints[w->breakage]) ? SIM_EXIT_CAUGHT : 1);
    }
    fflush(stdout);
    fprintf(stderr, "sim: seed %llu, %llu ms: ", (unsigned long long)w->seed,
            (unsigned long long)w->now);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, "\nsim: `sim --seed %llu --trace` repeats it\n",
            (unsigned long long)w->seed);
    exit(1);
}

/* ---- what a seed turns on ---- */

static unsigned level(struct sim_world *w, unsigned on, unsigned max)
{
    return sim_chance(w, on) ? 1 + (unsigned)sim_draw(w, max) : 0;
}

static void draw_knobs(struct sim_world *w)
{
    struct sim_knobs *k = &w->knobs;
    unsigned on = sim_chance(w, 500) ? 250 : 600; /* swarm: half the runs are mild */

    k->nodes = 2 + (unsigned)sim_draw(w, SIM_NODES - 1);
    k->topology = (unsigned)sim_draw(w, 4);
    if (sim_chance(w, 250)) { /* the shop: till 1 - till 2 - till 3 - office - hub */
        k->nodes = 5;
        k->topology = 0;
    }
    k->delay_ms = 1 + (unsigned)sim_draw(w, sim_chance(w, 300) ? 400 : 20);
    k->job_ms = (unsigned)sim_draw(w, sim_chance(w, 300) ? 300 : 8);
    k->crashes = level(w, on, 150);
    k->cuts = level(w, on, 200);
    k->mutes = level(w, on, 60);
    k->twins = level(w, on, 100);
    k->forgets = level(w, on / 2, 50);
    k->disks = level(w, on / 3, 50);
    k->clock_jumps = level(w, on / 2, 100);
    k->overlaps = sim_chance(w, 700) ? (unsigned)sim_draw(w, 900) : 0;
    k->normals = sim_chance(w, 400) ? (unsigned)sim_draw(w, 1u << SIM_NODES) : 0;
    k->writes = 500 + (unsigned)sim_draw(w, 4000);
    k->window_bytes = sim_chance(w, 300) ? 128 * 1024 : 0;
    k->batch_bytes = sim_chance(w, 300) ? 300 + sim_draw(w, 3000) : 0;
    k->recent_bytes = sim_chance(w, 300) ? 200 + sim_draw(w, 3000) : 0;
    k->storm_ms = 5000 + sim_draw(w, 15000);
}

static void add_edge(struct sim_world *w, int a, int b)
{
    w->edges[w->edge_count++] = (struct sim_edge){{a, b}, 0};
}

static void draw_edges(struct sim_world *w)
{
    int n = (int)w->knobs.nodes;

    for (int i = 1; i < n; i++) {
        switch (w->knobs.topology) {
        case 0:
        case 2: add_edge(w, i - 1, i); break;
        case 1: add_edge(w, 0, i); break;
        default: add_edge(w, (int)sim_draw(w, (uint64_t)i), i); break;
        }
    }
    if (w->knobs.topology == 2 && n > 2) {
        add_edge(w, n - 1, 0);
    }
    if (w->knobs.topology == 3 && n > 2) {
        add_edge(w, (int)sim_draw(w, 2), n - 1);
    }
}

/* Leaves, so that nobody depends on them for the rest; node 0 holds all. */
static void draw_narrows(struct sim_world *w)
{
    unsigned links[SIM_NODES] = {0};
    bool has_any = sim_chance(w, 500);

    for (uint32_t e = 0; e < w->edge_count; e++) {
        links[w->edges[e].nodes[0]]++;
        links[w->edges[e].nodes[1]]++;
    }
    for (unsigned n = 1; has_any && n < w->knobs.nodes; n++) {
        if (links[n] == 1 && sim_chance(w, 700)) {
            w->knobs.narrows |= 1U << n;
        }
    }
}

/* ---- the run ---- */

static void faults(struct sim_world *w)
{
    const struct sim_knobs *k = &w->knobs;

    if (!w->is_storm) {
        return;
    }
    for (int n = 0; n < (int)k->nodes; n++) {
        struct sim_node *node = &w->nodes[n];

        if (node->is_up && sim_chance(w, k->crashes)) {
            sim_node_crash(w, n);
            sim_after(w, sim_draw(w, 4000), SIM_RESTART, (uint32_t)n, 0, 0, NULL);
            w->crashes++;
        }
        if (node->is_up && sim_chance(w, k->disks)) {
            uint64_t after = 1 + sim_draw(w, 20);

            lia_test_disk_fault(&node->disks[node->disk],
                                sim_chance(w, 500) ? LIA_FAULT_WRITE : LIA_FAULT_SYNC,
                                after, true);
        }
        if (node->is_up && sim_chance(w, k->forgets)) {
            sim_node_forget(w, n);
        }
        if (sim_chance(w, k->clock_jumps)) {
            node->skew_ms = (int64_t)sim_draw(w, 240000) - 120000;
            sim_note(w, "node %d: clock %+lld ms", n, (long long)node->skew_ms);
        }
    }
    for (uint32_t l = 0; l < SIM_LINKS; l++) {
        if (w->links[l].is_used && sim_chance(w, k->cuts)) {
            sim_net_cut(w, l);
            w->cuts++;
        } else if (w->links[l].is_used && sim_chance(w, k->mutes)) {
            sim_net_mute(w, l, (int)sim_draw(w, 2), true);
            w->mutes++;
        }
    }
    for (uint32_t e = 0; e < w->edge_count; e++) {
        if (sim_chance(w, k->twins)) {
            sim_net_dial(w, e);
        }
    }
    sim_past_faults(w);
    sim_clocks_faults(w);
    sim_keepers_faults(w);
    sim_after(w, 1000, SIM_FAULTS, 0, 0, 0, NULL);
}

static void run_event(struct sim_world *w, const struct sim_event *e)
{
    switch (e->kind) {
    case SIM_JOB: sim_node_job(w, (int)e->a, e->job, e->c); break;
    case SIM_WAKE: sim_node_wake(w, (int)e->a); break;
    case SIM_TICK: sim_node_tick(w, (int)e->a, e->c); break;
    case SIM_DELIVER: sim_net_deliver(w, e->a, e->b, e->c); break;
    case SIM_DOWN: sim_net_down(w, e->a, e->b, e->c); break;
    case SIM_DIAL: sim_net_dial(w, e->a); break;
    case SIM_WRITE:
        if (w->is_storm) {
            sim_work_write(w, (int)e->a);
            sim_keepers_work(w, (int)e->a);
            sim_after(w, 1 + sim_draw(w, 2000000 / w->knobs.writes), SIM_WRITE, e->a, 0,
                      0, NULL);
        }
        break;
    case SIM_RESTART:
        if (!w->nodes[e->a].is_up) {
            sim_node_open(w, (int)e->a);
        }
        break;
    case SIM_FAULTS: faults(w); break;
    }
}

static void run_until(struct sim_world *w,
                      uint64_t end,
                      bool (*is_done)(struct sim_world *w))
{
    while (w->event_count && w->events[0].at <= end) {
        struct sim_event e = take_event(w);

        w->now = e.at > w->now ? e.at : w->now;
        run_event(w, &e);
        w->steps++;
        for (int n = 0; n < (int)w->knobs.nodes; n++) {
            sim_node_check_disk(w, n);
        }
        if (w->steps % CHECK_EVERY == 0) {
            sim_check_now(w);
        }
        if (is_done && w->steps % CHECK_EVERY == 1 && is_done(w)) {
            return;
        }
        if (w->memory_max > MEMORY_MAX) {
            sim_fail(w, "a peer holds %zu bytes", w->memory_max);
        }
    }
    w->now = end;
}

static void storm(struct sim_world *w)
{
    w->is_storm = true;
    for (uint32_t n = 0; n < w->knobs.nodes; n++) {
        sim_after(w, sim_draw(w, 1000), SIM_WRITE, n, 0, 0, NULL);
    }
    sim_after(w, 500, SIM_FAULTS, 0, 0, 0, NULL);
    run_until(w, w->now + w->knobs.storm_ms, NULL);
    w->is_storm = false;
}

/* All faults end; what was sent before may still be on its way. */
static void calm(struct sim_world *w)
{
    sim_note(w, "calm");
    w->is_calm = true;
    for (int n = 0; n < (int)w->knobs.nodes; n++) {
        w->nodes[n].skew_ms = 0;
        if (!w->nodes[n].is_up) {
            sim_after(w, 10, SIM_RESTART, (uint32_t)n, 0, 0, NULL);
        } else {
            lia_test_disk_fault(&w->nodes[n].disks[w->nodes[n].disk], LIA_FAULT_NONE, 0,
                                false);
        }
    }
    for (uint32_t l = 0; l < SIM_LINKS; l++) {
        sim_net_mute(w, l, 0, false);
        sim_net_mute(w, l, 1, false);
        if (w->breakage == SIM_BREAK_QUIET && w->links[l].is_used) {
            sim_net_cut(w, l);
        }
    }
    run_until(w, w->now + CALM_MS, sim_check_equal);
    if (!sim_check_equal(w) && sim_clocks_pass(w)) {
        w->messages = 0; /* they were waiting */
        run_until(w, w->now + CALM_MS, sim_check_equal);
    }
    if (!sim_check_equal(w)) {
        sim_tell_unsettled(w);
        sim_fail(w, "stores differ %u s after all faults ended", CALM_MS / 1000);
    }
    if (w->messages > CALM_CHUNKS) {
        sim_fail(w, "%llu messages to heal", (unsigned long long)w->messages);
    }
    sim_check_now(w);
    sim_check_end(w);
    sim_clocks_count(w);
}

static void free_world(struct sim_world *w)
{
    for (int n = 0; n < (int)w->knobs.nodes; n++) {
        sim_node_close(w, n);
    }
    sim_net_deinit(w);
    sim_past_deinit(w);
    sim_clocks_deinit(w);
    sim_keepers_deinit(w);
    sim_oracle_deinit(w);
    lia_arena_deinit(&w->arena);
    free(w->events);
    free(w);
}

struct sim_outcome sim_run(uint64_t seed, enum sim_breakage breakage, bool is_traced)
{
    struct sim_world *w = calloc(1, sizeof(*w));
    struct sim_outcome outcome;

    LIA_ASSERT(w);
    w->events = calloc(SIM_EVENTS, sizeof(*w->events));
    LIA_ASSERT(w->events);
    w->seed = seed;
    w->breakage = breakage;
    w->is_traced = is_traced;
    w->rng = lia_rng(seed);
    w->now = 1000;
    lia_arena_init(&w->arena, &lia_mem_libc);
    draw_knobs(w);
    draw_edges(w);
    draw_narrows(w);
    sim_keepers_init(w);
    sim_past_init(w);
    sim_clocks_init(w);
    sim_oracle_init(w);
    sim_note(w,
             "%u nodes, topology %u, crashes %u, cuts %u, mutes %u, twins %u, normals "
             "%x, narrows %x",
             w->knobs.nodes, w->knobs.topology, w->knobs.crashes, w->knobs.cuts,
             w->knobs.mutes, w->knobs.twins, w->knobs.normals, w->knobs.narrows);
    for (int n = 0; n < (int)w->knobs.nodes; n++) {
        sim_node_open(w, n);
    }
    sim_work_start(w);
    for (uint32_t e = 0; e < w->edge_count; e++) {
        sim_after(w, sim_draw(w, 50), SIM_DIAL, e, 0, 0, NULL);
    }
    run_until(w, w->now + FILL_MS, NULL);
    if (!sim_check_equal(w)) { /* links and disks are slow */
        run_until(w, w->now + 4 * FILL_MS, sim_check_equal);
    }
    if (!sim_check_equal(w)) {
        sim_fail(w, "stores did not fill");
    }
    w->is_filled = true;
    storm(w);
    calm(w);
    outcome = (struct sim_outcome){.trace = w->trace,
                                   .crashes = w->crashes,
                                   .cuts = w->cuts,
                                   .mutes = w->mutes,
                                   .txns = w->txn_count,
                                   .steps = w->steps};
    memcpy(outcome.rare, w->rare, sizeof(outcome.rare));
    free_world(w);
    return outcome;
}
