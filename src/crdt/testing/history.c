/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/error.h"
#include "crdt/keep.h"
#include "crdt/testing/ops.h"
#include "crdt/testing/world.h"

void world_retire(struct world *w, struct peer *p, uint64_t new_actor)
{
    for (size_t key = 0; key < KEYS; key++) {
        uint64_t hlc =
            lia_vector_get(model_vector(&p->now.copies[key].model), p->now.actor);

        if (hlc) {
            w->retired[key][w->retired_count[key]++] =
                (struct lia_stamp){hlc, p->now.actor};
        }
    }
    p->now.actor = new_actor;
}

/* A copy that another peer covers may be evicted; its actor is renewed. */
static const char *evict(struct world *w, size_t peer, size_t key)
{
    struct peer *p = &w->peers[peer];
    struct copy *c = &p->now.copies[key];

    for (size_t i = 0; i < PEERS; i++) {
        const struct model_doc *other = &w->peers[i].now.copies[key].model;

        if (i == peer || (w->history->is_about_bounds && peer == 0) ||
            c->doc.clock.len == 0 || p->ahead_from ||
            !lia_vector_geq(model_vector(other), model_vector(&c->model))) {
            continue;
        }
        if (w->is_told) {
            printf("  peer %zu evicts document %zu\n", peer, key);
        }
        w->met |= MET(EVICT);
        if (lia_keep_must_renew(model_vector(&c->model), p->now.actor)) {
            w->met |= MET(RENEW);
            w->evicted[key] |= 1U << peer;
            world_retire(w, p, ++w->actors);
        }
        model_clear(&c->model);
        c->doc = (struct lia_doc){{NULL, 0}, {NULL, 0}};
        return NULL;
    }
    return NULL;
}

/* ---- histories ---- */

#define TODAY (UINT64_C(1700000000000) << 16)

/* Mostly of one peer: a copy, writes, and the fall, in this order. */
static const char *step_of_falls(struct world *w)
{
    size_t peer = world_below(w, 4) == 0 ? world_below(w, FALLERS) : 0;

    return world_below(w, 5) ? world_fall_back(w, peer) : world_find_out(w, peer);
}

/* Where one peer is special, in that it falls back or has the rights, it does more. */
static size_t choose_peer(struct world *w)
{
    bool is_about_one = w->history->is_about_falls || w->history->is_about_bounds;

    return is_about_one && world_below(w, 3) == 0 ? 0 : world_below(w, PEERS);
}

static const char *step(struct world *w, uint64_t seed)
{
    size_t peer;
    size_t key;
    uint64_t kind;

    w->rng = lia_rng(seed);
    peer = choose_peer(w);
    key =
        w->history->is_about_lives || w->history->count < 20 ? 0 : world_below(w, KEYS);
    kind = world_below(w, 100);
    if (w->history->is_about_falls && world_below(w, 5) == 0) {
        return step_of_falls(w);
    }
    if (w->history->is_about_clocks && world_below(w, 8) == 0) {
        return world_below(w, 2) ? world_run_ahead(w, peer)
                                 : world_repair_clock(w, peer);
    }
    if (w->history->is_about_bounds && world_below(w, 8) == 0) {
        return evict(w, peer, key);
    }
    if (kind < 50) {
        return world_transact(w, peer, key);
    }
    if (kind < 52) {
        return world_begin_with(w, peer, key);
    }
    if (kind < 82) {
        return world_pull(w, peer, (peer + 1 + world_below(w, PEERS - 1)) % PEERS, key);
    }
    if (kind < 88) {
        return world_load_relay(w, peer, key);
    }
    if (kind < 93) {
        return world_read_relay(w, peer, key);
    }
    return kind < 96 ? evict(w, peer, key) : world_check_algebra(w, key);
}

/* There is nothing to pull. */
static bool is_ahead(const struct world *w, size_t peer, size_t other, size_t key)
{
    return lia_vector_geq(model_vector(&w->peers[peer].now.copies[key].model),
                          model_vector(&w->peers[other].now.copies[key].model));
}

/* Everybody pulls from the one before, often enough to hear of all. */
static const char *pull_around(struct world *w, size_t rounds)
{
    const char *why = NULL;

    for (size_t i = 0; i < rounds * PEERS && !why; i++) {
        for (size_t key = 0; key < KEYS && !why; key++) {
            why = is_ahead(w, (i + 1) % PEERS, i % PEERS, key)
                      ? NULL
                      : world_pull(w, (i + 1) % PEERS, i % PEERS, key);
        }
    }
    return why;
}

/* Stores that fell back meet everybody: only with them do lost writes come back. */
static const char *repair(struct world *w)
{
    const char *why = NULL;

    for (size_t i = 0; i < FALLERS && !why; i++) {
        why = world_find_out(w, i);
    }
    for (size_t i = 0; i < FALLERS * PEERS && !why; i++) {
        size_t to = i / PEERS;
        size_t from = i % PEERS;

        for (size_t key = 0; key < KEYS && !why && to != from; key++) {
            why = world_has_doubts(w, to) ? world_pull(w, to, from, key) : NULL;
        }
    }
    return why;
}

/* What one store renews lets another one merge what it could not. */
static const char *repair_all(struct world *w)
{
    const char *why = NULL;

    for (size_t i = 0; i < FALLERS && !why; i++) {
        why = repair(w);
        why = why ? why : pull_around(w, 2);
    }
    return why;
}

static const char *settle(struct world *w)
{
    static struct model_doc all[KEYS];
    const char *why = NULL;

    w->rng = lia_rng(0);
    for (size_t i = 0; i < PEERS && !why; i++) {
        why = world_repair_clock(w, i);
    }
    for (size_t key = 0; key < KEYS; key++) {
        model_clear(&all[key]);
        all[key].arena = &w->arena;
        for (size_t i = 0; i < PEERS; i++) {
            model_unite(&all[key], &w->peers[i].now.copies[key].model);
        }
    }
    why = why || !w->has_fallen ? why : repair_all(w);
    why = why ? why : pull_around(w, 2);
    return why ? why : world_check_settled(w, all);
}

/* Peer 0 writes, and most of the others have it. */
static const char *start(struct world *w)
{
    const char *why = NULL;

    w->rng = lia_rng(w->history->start);
    for (size_t i = 0; i < 3 && !why; i++) {
        why = world_transact(w, 0, 0);
    }
    for (size_t i = 1; i < PEERS && !why; i++) {
        why = world_below(w, 4) ? world_pull(w, i, 0, 0) : NULL;
    }
    return why;
}

/* Without the space for entries that are not there. */
static void clear(struct world *w)
{
    w->actors = 0;
    w->met = 0;
    w->has_fallen = false;
    w->why[0] = '\0';
    for (size_t key = 0; key < KEYS; key++) {
        w->relays[key].segment = (struct liana_slice){NULL, 0};
        w->retired_count[key] = 0;
        w->writers[key] = 0;
        w->evicted[key] = 0;
    }
    for (size_t i = 0; i < PEERS; i++) {
        struct peer *p = &w->peers[i];

        p->falls = 0;
        p->is_fallen = false;
        p->ahead_from = 0;
        p->saved.actor = 0;
        p->now.doubt_count = 0;
        p->now.actor = ++w->actors;
        p->now.last = w->history->is_of_today ? TODAY : 0;
        for (size_t key = 0; key < KEYS; key++) {
            p->now.copies[key].doc = (struct lia_doc){{NULL, 0}, {NULL, 0}};
            model_clear(&p->now.copies[key].model);
        }
    }
}

struct census *history_census(void)
{
    static const struct census_kind kinds[] = {
#define KIND(name, min, what) {what, min},
        HISTORY_KINDS(KIND)
#undef KIND
    };
    static struct census census = {kinds, HISTORY_KIND_COUNT, 0, {0}};

    return &census;
}

const char *history_run(const struct history *h, bool is_told)
{
    static struct world w;
    static char result[sizeof(w.why)];
    const char *why = NULL;

    w.is_told = is_told;
    w.history = h;
    clear(&w);
    lia_arena_init(&w.arena, &lia_mem_libc);
    if (h->start) {
        why = start(&w);
    }
    for (size_t i = 0; i < h->count && !why; i++) {
        why = step(&w, h->steps[i]);
    }
    if (!why) {
        why = settle(&w);
    }
    lia_arena_deinit(&w.arena);
    if (!why) {
        census_add(history_census(), w.met);
    }
    memcpy(result, w.why, sizeof(result));
    return why ? result : NULL;
}

struct history history_random(uint64_t seed)
{
    struct lia_rng rng = lia_rng(seed);
    struct history h = {.count = lia_rng_chance(&rng, 90)
                                     ? 4 + lia_rng_below(&rng, 12)
                                     : 20 + lia_rng_below(&rng, HISTORY_STEPS_MAX - 26),
                        .start = lia_rng_chance(&rng, 80) ? lia_rng_next(&rng) : 0,
                        .is_about_counters = lia_rng_chance(&rng, 40),
                        .is_about_lives = lia_rng_chance(&rng, 40),
                        .is_about_sets = lia_rng_chance(&rng, 40),
                        .is_about_bounds = lia_rng_chance(&rng, 20),
                        .is_about_falls = lia_rng_chance(&rng, 25),
                        .is_about_clocks = lia_rng_chance(&rng, 15),
                        .is_of_today = lia_rng_chance(&rng, 50)};

    h.is_about_bounds = h.is_about_bounds && !h.is_about_falls;
    h.count += h.is_about_falls || h.is_about_bounds ? 6 : 0;

    for (size_t i = 0; i < h.count; i++) {
        h.steps[i] = lia_rng_next(&rng);
    }
    return h;
}

static struct history without(const struct history *h, size_t start, size_t count)
{
    struct history less = *h;

    memmove(&less.steps[start], &less.steps[start + count],
            (h->count - start - count) * sizeof(less.steps[0]));
    less.count -= count;
    return less;
}

struct history history_shrink(struct history h)
{
    struct history bare = h;

    bare.start = 0;
    if (history_run(&bare, false)) {
        h = bare;
    }
    for (size_t size = h.count / 2; size > 0; size /= 2) {
        for (size_t start = 0; start + size <= h.count;) {
            struct history less = without(&h, start, size);

            if (history_run(&less, false)) {
                h = less;
            } else {
                start++;
            }
        }
    }
    return h;
}
