/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/error.h"
#include "crdt/keep.h"
#include "crdt/testing/ops.h"
#include "crdt/testing/world.h"

/* ---- transactions ---- */

/* As a database does it that applies statement by statement. */
static liana_status apply_one_by_one(struct world *w,
                                     struct lia_doc *doc,
                                     const struct lia_op *ops,
                                     size_t count,
                                     struct lia_stamp stamp)
{
    struct lia_doc before_delete = *doc;
    struct lia_doc now = *doc;

    for (size_t i = 0; i < count; i++) {
        struct lia_op op = ops[i];
        struct lia_doc next;
        liana_status status = lia_doc_apply(&w->arena, now, &op, 1, stamp, &next, NULL);

        if (status == LIANA_EMISUSE) {
            op.kind = LIA_OP_REPLACE;
            status =
                lia_doc_apply(&w->arena, before_delete, &op, 1, stamp, &next, NULL);
        }
        if (status) {
            return status;
        }
        if (op.kind == LIA_OP_DELETE && now.body.len) {
            before_delete = now;
        }
        now = next;
    }
    *doc = now;
    return LIANA_OK;
}

/* Clocks differ; where lives meet, what counts is which of them is ahead. Among small
 * numbers jumps are small, so that the order changes often; those of today are of
 * milliseconds, hours and years. */
static uint64_t jump(struct world *w)
{
    static const uint64_t units[] = {1, 3600 * 1000, UINT64_C(31536000) * 1000};
    bool is_far = world_below(w, w->history->is_about_lives ? 2 : 4) == 0;

    if (!is_far) {
        return 0;
    }
    return world_below(w, 30) * (w->history->is_of_today ? units[world_below(w, 3)] : 1)
           << 16;
}

/* A verdict is about some life, or all that was written up to some time. */
static struct lia_stamp some_stamp(struct world *w, const struct model_doc *model)
{
    if (model->count == 0 || world_below(w, 2)) {
        return model->created;
    }
    return model->entries[world_below(w, model->count)].rank.stamp;
}

static struct op_maker op_maker(struct world *w, size_t peer, size_t key)
{
    const struct history *h = w->history;
    const struct copy *c = &w->peers[peer].copies[key];
    struct op_maker maker = {.arena = &w->arena,
                             .rng = &w->rng,
                             .is_about_counters = h->is_about_counters,
                             .is_about_lives = h->is_about_lives,
                             .is_about_sets = h->is_about_sets,
                             .is_about_bounds = h->is_about_bounds,
                             .is_about_falls = h->is_about_falls,
                             .actor = w->peers[world_below(w, PEERS)].actor};

    /* One peer takes rights back, and only when it has seen all. */
    if (peer == 0 && w->retired_count[key]) {
        struct lia_stamp last = w->retired[key][world_below(w, w->retired_count[key])];

        maker.retired =
            lia_vector_covers(model_vector(&c->model), last) ? last.actor : 0;
    }
    return maker;
}

static const char *transact(struct world *w, size_t peer, size_t key)
{
    static struct model_doc model;
    static struct model_doc before_delete;
    struct peer *p = &w->peers[peer];
    struct copy *c = &p->copies[key];
    struct lia_op ops[OPS_MAX];
    struct liana_str storage[OPS_MAX][3];
    size_t count = world_below(w, 3) ? 1 : 1 + world_below(w, OPS_MAX);
    struct lia_stamp stamp = {p->last + 1 + jump(w), p->actor};
    struct lia_doc doc = c->doc;
    liana_status expected = LIANA_OK;
    liana_status got;
    struct op_maker maker = op_maker(w, peer, key);

    maker.verdict = count == 1 ? some_stamp(w, &c->model) : LIA_STAMP_NONE;
    model_copy(&model, &c->model);
    model.arena = &w->arena;
    model.is_changed = false;
    if (w->is_told) {
        printf("  peer %zu, document %zu, stamp (%lu, %lu)\n", peer, key,
               (unsigned long)stamp.hlc, (unsigned long)stamp.actor);
    }
    for (size_t i = 0; i < count; i++) {
        ops[i] = op_random(&maker, model_exists(&model), storage[i]);
        if (w->is_told) {
            op_tell(&ops[i]);
        }
        if (!expected) {
            expected = model_apply(&model, &before_delete, &ops[i], stamp);
        }
    }
    if (world_below(w, 2)) {
        got = lia_doc_apply(&w->arena, c->doc, ops, count, stamp, &doc, NULL);
    } else {
        got = apply_one_by_one(w, &doc, ops, count, stamp);
    }
    if (got != expected) {
        return world_fail(w, "another status than the model's");
    }
    if (got) {
        return NULL;
    }
    if (model.is_changed) {
        model_see(&model, stamp);
        p->last = stamp.hlc;
    } else if (!world_is_equal(doc, c->doc)) {
        return world_fail(w, "nothing was written and the document changed");
    }
    model_copy(&c->model, &model);
    c->doc = doc;
    return world_check(w, peer, key);
}

/* ---- segments ---- */

static const char *check_segment(struct world *w,
                                 struct liana_slice segment,
                                 const struct model_doc *model)
{
    struct lia_reader r = lia_reader(segment);

    LIA_IGNORE(lia_reader_prefixed(&r).len); /* the clock; the body follows */
    return world_check_body(w, model, lia_reader_bytes(&r, lia_reader_left(&r)));
}

static const char *receive(struct world *w,
                           size_t peer,
                           size_t key,
                           struct liana_slice segment,
                           const struct model_doc *model)
{
    static struct model_doc before;
    struct peer *p = &w->peers[peer];
    struct copy *c = &p->copies[key];
    struct liana_error err = LIANA_ERROR_INIT;
    liana_status expected;
    liana_status got;

    if (peer == FALLING && w->fall.is_found_out) {
        return world_heal(w, key, segment, model);
    }
    model_copy(&before, &c->model);
    expected = model_merge(&c->model, model) ? LIANA_OK : LIANA_EGAP;
    if (!lia_stamp_is_none(c->model.created) && !c->model.has_life) {
        /* Only a store that fell back has vectors that promise a life it has not. */
        model_copy(&c->model, &before);
        expected = w->history->is_about_falls ? LIANA_EPROTOCOL : expected;
    }
    got = lia_doc_merge(&w->arena, c->doc, segment, &c->doc, &err);

    if (got != expected) {
        return world_fail(w, got && got != LIANA_EGAP ? err.message
                                                      : "merges or does not");
    }
    if (got == LIANA_EPROTOCOL) {
        return NULL;
    }
    if (!got && lia_vector_max_hlc(model_vector(model)) > p->last) {
        p->last = lia_vector_max_hlc(model_vector(model));
    }
    return world_check(w, peer, key);
}

/* Something at or below the vector. */
static struct lia_vector random_from(struct world *w, struct lia_vector v)
{
    struct lia_vector_entry *entries =
        lia_arena_array(&w->arena, v.count, sizeof(*entries));
    size_t count = 0;

    LIA_ASSERT(entries);
    for (size_t i = 0; i < v.count; i++) {
        if (world_below(w, 4)) {
            entries[count] = v.entries[i];
            entries[count].hlc -=
                world_below(w, 4) ? 0 : world_below(w, v.entries[i].hlc);
            count++;
        }
    }
    return (struct lia_vector){entries, count};
}

static struct lia_vector choose_from(struct world *w, const struct model_doc *receiver)
{
    switch (world_below(w, 6)) {
    case 0: return (struct lia_vector){NULL, 0};
    case 1: return random_from(w, model_vector(receiver));
    default: return model_vector(receiver);
    }
}

static const char *pull(struct world *w, size_t to, size_t from, size_t key)
{
    static struct model_doc model;
    struct copy *source = &w->peers[from].copies[key];
    struct lia_vector since =
        world_clamp(w, to, choose_from(w, &w->peers[to].copies[key].model));
    struct liana_slice segment;
    const char *why;

    if (source->doc.clock.len == 0) {
        return NULL;
    }
    if (w->is_told) {
        printf("  peer %zu pulls document %zu from peer %zu\n", to, key, from);
    }
    model_segment(&source->model, since, &model);
    if (lia_doc_segment(&w->arena, source->doc, since, &segment)) {
        return world_fail(w, "no segment");
    }
    why = check_segment(w, segment, &model);
    return why ? why : receive(w, to, key, segment, &model);
}

/* One of a few documents that every device begins with. */
static const char *begin_with(struct world *w, size_t peer, size_t key)
{
    static struct model_doc model;
    static struct model_doc before_delete;
    struct lia_rng rng = lia_rng(world_below(w, 4));
    struct op_maker maker = {.arena = &w->arena, .rng = &rng};
    struct lia_op op = op_initial(&maker);
    struct lia_stamp stamp;
    struct liana_slice segment;
    struct lia_doc doc;

    if (w->is_told) {
        printf("  peer %zu, document %zu, initial\n", peer, key);
        op_tell(&op);
    }
    if (lia_doc_initial(&w->arena, lia_str("c"), &op, &doc, &stamp, NULL) ||
        lia_doc_segment(&w->arena, doc, (struct lia_vector){NULL, 0}, &segment)) {
        return world_fail(w, "no initial document");
    }
    model_clear(&model);
    model.arena = &w->arena;
    if (model_apply(&model, &before_delete, &op, stamp)) {
        return world_fail(w, "the model has no initial document");
    }
    model_see(&model, stamp);
    return receive(w, peer, key, segment, &model);
}

static const char *load_relay(struct world *w, size_t peer, size_t key)
{
    static struct model_doc model;
    struct copy *source = &w->peers[peer].copies[key];
    struct relay *relay = &w->relays[key];
    struct lia_vector since = {NULL, 0};
    struct liana_slice segment;
    struct liana_slice composed;
    liana_status status = LIANA_EGAP;
    bool fits = false;

    if (source->doc.clock.len == 0) {
        return NULL;
    }
    if (w->is_told) {
        printf("  the relay takes document %zu from peer %zu\n", key, peer);
    }
    if (relay->segment.len && world_below(w, 3)) {
        since = random_from(w, model_vector(&relay->model));
    } else if (world_below(w, 2)) {
        since = random_from(w, model_vector(&source->model));
    }
    model_segment(&source->model, since, &model);
    if (lia_doc_segment(&w->arena, source->doc, since, &segment)) {
        return world_fail(w, "no segment");
    }
    if (relay->segment.len) {
        fits = model_compose(&relay->model, &model);
        status =
            lia_segment_compose(&w->arena, relay->segment, segment, &composed, NULL);
        if (status != (fits ? LIANA_OK : LIANA_EGAP)) {
            return world_fail(w, "composes or does not");
        }
    }
    if (!fits) {
        model_copy(&relay->model, &model);
    }
    relay->segment = fits ? composed : segment;
    return check_segment(w, relay->segment, &relay->model);
}

static const char *read_relay(struct world *w, size_t peer, size_t key)
{
    if (w->relays[key].segment.len == 0) {
        return NULL;
    }
    if (w->is_told) {
        printf("  peer %zu takes document %zu from the relay\n", peer, key);
    }
    if (peer == FALLING && w->fall.is_found_out) {
        return NULL; /* it asks for what it lacks, and nobody answers from a relay */
    }
    return receive(w, peer, key, w->relays[key].segment, &w->relays[key].model);
}

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
        return transact(w, peer, key);
    }
    if (kind < 52) {
        return begin_with(w, peer, key);
    }
    if (kind < 82) {
        return pull(w, peer, (peer + 1 + world_below(w, PEERS - 1)) % PEERS, key);
    }
    if (w->history->is_about_falls && kind < 92) {
        return kind < 88 ? world_fall_back(w) : world_find_out(w);
    }
    if (w->history->is_about_falls) {
        return kind < 96 ? load_relay(w, peer, key) : read_relay(w, peer, key);
    }
    if (kind < 88) {
        return load_relay(w, peer, key);
    }
    if (kind < 93) {
        return read_relay(w, peer, key);
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
                      : pull(w, (i + 1) % PEERS, i % PEERS, key);
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
            why = pull(w, FALLING, i, key);
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
