/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/error.h"
#include "crdt/keep.h"
#include "crdt/testing/ops.h"
#include "crdt/testing/world.h"

/* The peer's actor writes no more, in any document. */
static void retire(struct world *w, struct peer *p)
{
    for (size_t key = 0; key < KEYS; key++) {
        uint64_t hlc = lia_vector_get(model_vector(&p->copies[key].model), p->actor);

        if (hlc) {
            w->retired[key][w->retired_count[key]++] =
                (struct lia_stamp){hlc, p->actor};
        }
    }
    p->actor = ++w->actors;
}

/* A copy that another peer covers may be evicted; its actor is renewed. */
static const char *evict(struct world *w, size_t peer, size_t key)
{
    struct peer *p = &w->peers[peer];
    struct copy *c = &p->copies[key];

    for (size_t i = 0; i < PEERS; i++) {
        const struct model_doc *other = &w->peers[i].copies[key].model;

        if (i == peer || (w->history->is_about_bounds && peer == 0) ||
            c->doc.clock.len == 0 ||
            !lia_vector_geq(model_vector(other), model_vector(&c->model))) {
            continue;
        }
        if (w->is_told) {
            printf("  peer %zu evicts document %zu\n", peer, key);
        }
        if (lia_keep_must_renew(model_vector(&c->model), p->actor)) {
            retire(w, p);
        }
        model_clear(&c->model);
        c->doc = (struct lia_doc){{NULL, 0}, {NULL, 0}};
        return NULL;
    }
    return NULL;
}

/* ---- histories ---- */

#define TODAY (UINT64_C(1700000000000) << 16)

static const char *step(struct world *w, uint64_t seed)
{
    size_t peer;
    size_t key;
    uint64_t kind;

    w->rng = lia_rng(seed);
    peer = world_below(w, PEERS);
    key =
        w->history->is_about_lives || w->history->count < 20 ? 0 : world_below(w, KEYS);
    kind = world_below(w, 100);
    if (kind < 50) {
        return world_transact(w, peer, key);
    }
    if (kind < 52) {
        return world_begin_with(w, peer, key);
    }
    if (kind < 82) {
        return world_pull(w, peer, (peer + 1 + world_below(w, PEERS - 1)) % PEERS, key);
    }
    if (w->history->is_about_falls && kind < 92) {
        return kind < 88 ? world_fall_back(w) : world_find_out(w);
    }
    if (w->history->is_about_falls) {
        return kind < 96 ? world_load_relay(w, peer, key)
                         : world_read_relay(w, peer, key);
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
    return lia_vector_geq(model_vector(&w->peers[peer].copies[key].model),
                          model_vector(&w->peers[other].copies[key].model));
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

/* The store that fell back meets everybody: only with it do lost writes come back. */
static const char *repair(struct world *w)
{
    const char *why = world_find_out(w);

    for (size_t i = 0; i < PEERS && !why; i++) {
        for (size_t key = 0; key < KEYS && !why && i != FALLING; key++) {
            why = world_pull(w, FALLING, i, key);
        }
    }
    return why;
}

static const char *settle(struct world *w)
{
    static struct model_doc all[KEYS];
    const char *why = NULL;

    w->rng = lia_rng(0);
    for (size_t key = 0; key < KEYS; key++) {
        model_clear(&all[key]);
        all[key].arena = &w->arena;
        for (size_t i = 0; i < PEERS; i++) {
            model_unite(&all[key], &w->peers[i].copies[key].model);
        }
    }
    if (w->fall.has_fallen) {
        why = repair(w);
    }
    why = why ? why : pull_around(w, w->fall.has_fallen ? 4 : 2);
    return why ? why : world_check_settled(w, all);
}

/* Without the space for entries that are not there. */
static void clear(struct world *w)
{
    w->actors = 0;
    w->fall.is_saved = false;
    w->fall.has_fallen = false;
    w->fall.is_found_out = false;
    w->why[0] = '\0';
    for (size_t key = 0; key < KEYS; key++) {
        w->relays[key].segment = (struct liana_slice){NULL, 0};
        w->retired_count[key] = 0;
        for (size_t i = 0; i < PEERS; i++) {
            struct peer *p = &w->peers[i];

            p->last = w->history->is_of_today ? TODAY : 0;
            p->copies[key].doc = (struct lia_doc){{NULL, 0}, {NULL, 0}};
            model_clear(&p->copies[key].model);
        }
    }
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
    for (size_t i = 0; i < PEERS; i++) {
        w.peers[i].actor = ++w.actors;
    }
    for (size_t i = 0; i < h->count && !why; i++) {
        why = step(&w, h->steps[i]);
    }
    if (!why) {
        why = settle(&w);
    }
    lia_arena_deinit(&w.arena);
    memcpy(result, w.why, sizeof(result));
    return why ? result : NULL;
}

struct history history_random(uint64_t seed)
{
    struct lia_rng rng = lia_rng(seed);
    struct history h = {.count = lia_rng_chance(&rng, 90)
                                     ? 4 + lia_rng_below(&rng, 12)
                                     : 20 + lia_rng_below(&rng, HISTORY_STEPS_MAX - 20),
                        .is_about_counters = lia_rng_chance(&rng, 40),
                        .is_about_lives = lia_rng_chance(&rng, 40),
                        .is_about_sets = lia_rng_chance(&rng, 40),
                        .is_about_bounds = lia_rng_chance(&rng, 20),
                        .is_about_falls = lia_rng_chance(&rng, 15),
                        .is_of_today = lia_rng_chance(&rng, 50)};

    h.is_about_bounds = h.is_about_bounds && !h.is_about_falls;

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
