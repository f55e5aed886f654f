/* SPDX-License-Identifier: Apache-2.0 */
#include "crdt/testing/keep_history.h"

#include <stdio.h>

#include "base/error.h"
#include "crdt/testing/keep_world.h"

/* ---- accidents ---- */

static void lose_token(struct keep_store *s, size_t from)
{
    s->tokens[from].epoch = 0;
    for (size_t key = 0; key < KEEP_KEYS; key++) {
        s->rows[key].shown_to &= ~(1U << from);
    }
}

/* An older state of a plain store comes back, and it knows (design page 10, "Rollback").
 * What a keeper alone had and loses, others have dropped: that is not made good. */
static void roll_back(struct keep_world *w, size_t store)
{
    struct keep_store *s = &w->stores[store];
    uint64_t hlc = s->hlc;

    if (!w->saved[store].epoch || s->role == KEEP_KEEPER || w->has_lost) {
        return;
    }
    TELL(w, "  store %zu rolls back\n", store);
    MET(w, ROLL_BACK);
    w->has_lost = true;
    keep_lose_commits(w, store);
    *s = w->saved[store];
    s->hlc = hlc;
    s->epoch = ++w->epoch_count;
    keep_forget_shown(w, store);
    keep_renew(w, s);
}

static void clone(struct keep_world *w, size_t store)
{
    size_t made = w->store_count;
    struct keep_store *s = &w->stores[made];

    if (made == KEEP_STORES) {
        return;
    }
    TELL(w, "  store %zu is cloned as %zu\n", store, made);
    MET(w, CLONE);
    w->touched |= 1U << made;
    w->store_count++;
    w->stores[store].witnesses |= 1U << made; /* its openings tell */
    *s = w->stores[store];
    s->epoch = ++w->epoch_count;
    w->saved[made].epoch = 0;
    keep_forget_shown(w, made);
    keep_renew(w, s);
    for (size_t i = 0; i < made; i++) {
        w->links[made][i] = w->links[i][made] = keep_below(w, 2);
    }
    for (size_t i = 0; i < w->commit_count; i++) {
        w->commits[i].has_left |= keep_set_has(&s->rows[w->commits[i].key].reflects, i);
    }
}

/* EVICT ... FORCE. */
static void force(struct keep_world *w, size_t store, size_t key)
{
    struct keep_store *s = &w->stores[store];

    if (!keep_is_alive(&s->rows[key], key) || s->role == KEEP_KEEPER ||
        s->role == KEEP_FILTERED || w->has_lost) {
        return;
    }
    w->has_lost = true;
    for (size_t i = 0; i < w->commit_count; i++) {
        struct keep_commit *c = &w->commits[i];

        c->is_lost |= keep_set_has(&s->rows[key].reflects, i) && !c->has_left;
    }
    MET(w, FORCE);
    keep_evict(w, s, key, true);
}

static void become_keeper(struct keep_world *w, struct keep_store *s)
{
    if (s->role == KEEP_PLAIN || s->role == KEEP_RETAINING) {
        TELL(w, "  store %zu becomes a keeper\n", keep_index(w, s));
        MET(w, BECOME);
        s->role = KEEP_KEEPER;
        w->saved[keep_index(w, s)].epoch = 0;
    }
}

/* ---- steps ---- */

static void meet(struct keep_world *w, size_t store)
{
    size_t other = keep_below(w, w->store_count);
    size_t rows_max = keep_below(w, 3);

    if (other != store && w->links[store][other]) {
        if (rows_max) {
            MET(w, PART);
        }
        TELL(w, "  store %zu pulls from %zu%s\n", other, store,
             rows_max ? ", in part" : "");
        keep_greet(w, store, other);
        keep_meet(w, store, other, rows_max ? rows_max : KEEP_KEYS);
    }
}

static void save(struct keep_world *w, size_t store)
{
    w->saved[store] = w->stores[store];
    w->stores[store].witnesses = 0;
}

static void fall_or_save(struct keep_world *w, size_t store)
{
    if (w->saved[store].epoch && keep_below(w, 4)) {
        keep_fall_back(w, store);
    } else {
        save(w, store);
    }
}

/* A store that is to fall, and has not found out, writes more. */
static size_t choose_store(struct keep_world *w)
{
    bool is_chosen = w->is_about_falls && keep_below(w, 3) == 0;

    return !is_chosen       ? keep_below(w, w->store_count)
           : w->fall.is_one ? w->fall.store
                            : w->store_count - 1;
}

static void step(struct keep_world *w, uint64_t seed)
{
    size_t store;
    size_t key;
    uint64_t kind;
    struct keep_store *s;

    w->rng = lia_rng(seed);
    store = choose_store(w);
    key = w->is_about_one ? w->key : keep_below(w, KEEP_KEYS);
    kind = keep_below(w, 200);
    s = &w->stores[store];
    w->touched = 1U << store;
    if (w->is_about_falls && kind >= 190) {
        fall_or_save(w, store);
        return;
    }
    if (keep_below(w, 10) == 0) {
        MET(w, JUMP);
        s->hlc += keep_below(w, 20);
    }
    if (kind < 28) {
        keep_insert(w, s, key, key == KEEP_SEEDED_KEY && keep_below(w, 2),
                    keep_below(w, 4));
    } else if (kind < 48) {
        keep_update(w, s, key, keep_below(w, 3));
    } else if (kind < 66) {
        keep_delete(w, s, key);
    } else if (kind < 88) {
        keep_drop(w, s, key, keep_below(w, 10));
    } else if (kind < 102) {
        keep_evict(w, s, key, false);
    } else if (kind < 106) {
        MET(w, TOKEN);
        lose_token(s, keep_below(w, w->store_count));
    } else if (kind < 110) {
        save(w, store);
    } else if (kind < 111) {
        force(w, store, key);
    } else if (kind < 112) {
        if (keep_below(w, 2)) {
            roll_back(w, store);
        } else {
            keep_fall_back(w, store);
        }
    } else if (kind < 115) {
        become_keeper(w, s);
    } else if (kind < 116) {
        clone(w, store);
    } else {
        meet(w, store);
    }
    keep_publish(w, s);
}

static void check_touched(struct keep_world *w)
{
    for (size_t i = 0; i < w->store_count && !w->why[0]; i++) {
        if (w->touched >> i & 1) {
            keep_check(w, i);
        }
    }
    w->touched = 0;
    lia_arena_reset(&w->arena);
}

/* ---- histories ---- */

static enum keep_role random_role(struct keep_world *w)
{
    static const enum keep_role ROLES[] = {
        KEEP_KEEPER, KEEP_KEEPER,    KEEP_KEEPER,    KEEP_PLAIN,    KEEP_PLAIN,
        KEEP_PLAIN,  KEEP_RETAINING, KEEP_RETAINING, KEEP_FILTERED, KEEP_FILTERED};

    return ROLES[keep_below(w, 10)];
}

static void begin(struct keep_world *w, const struct keep_history *h)
{
    static const char *const NAMES[] = {"a keeper", "plain", "with retention",
                                        "with a predicate"};
    uint64_t density;

    w->rng = lia_rng(h->shape);
    w->store_count = 3 + keep_below(w, KEEP_STORES - 3);
    w->actor_count = KEEP_KEYS; /* those of INITIAL documents */
    w->epoch_count = w->store_count;
    w->is_about_one = keep_below(w, 2);
    w->key = keep_below(w, KEEP_KEYS);
    w->is_about_falls = keep_below(w, 4) == 0;
    density = 40 + 20 * keep_below(w, 4);
    for (size_t i = 0; i < w->store_count; i++) {
        w->stores[i].role = i ? random_role(w) : KEEP_KEEPER;
        w->stores[i].actor = w->actor_count++;
        w->stores[i].hlc = LIA_HLC_INITIAL_MAX;
        w->stores[i].epoch = i + 1;
        TELL(w, "  store %zu is %s\n", i, NAMES[w->stores[i].role]);
        for (size_t j = 0; j < i; j++) {
            w->links[i][j] = w->links[j][i] = keep_below(w, 100) < density;
        }
    }
}

/* A chain of those that hold everything; a store that fell back must meet everybody; the others hang on one of them. */
static void join_links(struct keep_world *w)
{
    size_t last = 0;

    for (size_t i = 0; i < w->store_count && w->has_fallen; i++) {
        w->links[i][w->fall.store] = w->links[w->fall.store][i] = i != w->fall.store;
    }

    for (size_t i = 1; i < w->store_count; i++) {
        bool holds_all =
            w->stores[i].role == KEEP_KEEPER || w->stores[i].role == KEEP_PLAIN;

        w->links[i][last] = w->links[last][i] = true;
        for (size_t k = 0; k < KEEP_ACTORS; k++) {
            holds_all &= !w->stores[i].evicted.hlc[k];
        }
        last = holds_all ? i : last;
    }
}

static void settle(struct keep_world *w)
{
    join_links(w);
    TELL(w, "  all meet\n");
    for (size_t round = 0; round < 10; round++) {
        for (size_t from = 0; from < w->store_count; from++) {
            for (size_t to = 0; to < w->store_count && !w->why[0]; to++) {
                if (from != to && w->links[from][to]) {
                    keep_greet(w, from, to);
                    keep_meet(w, from, to, KEEP_KEYS);
                    check_touched(w);
                }
            }
        }
    }
    if (!w->why[0] && !w->is_full) {
        keep_check_rest(w);
    }
}

static void note_roles(struct keep_world *w)
{
    size_t keepers = 0;

    for (size_t i = 0; i < w->store_count; i++) {
        keepers += w->stores[i].role == KEEP_KEEPER;
    }
    if (keepers > 1) {
        MET(w, KEEPERS);
    }
    if (w->has_fallen && !w->fall.is_one) {
        MET(w, FIND_OUT);
    }
}

struct census *keep_history_census(void)
{
    static const struct census_kind kinds[] = {
#define KIND(name, min, what) {what, min},
        KEEP_KINDS(KIND)
#undef KIND
    };
    static struct census census = {kinds, KEEP_HISTORY_KIND_COUNT, 0, {0}};

    return &census;
}

const char *keep_history_run(const struct keep_history *h, bool is_told)
{
    static struct keep_world w;
    static char result[sizeof(w.why)];

    memset(&w, 0, sizeof(w));
    lia_arena_init(&w.arena, &lia_mem_libc);
    w.is_told = is_told;
    begin(&w, h);
    for (size_t i = 0; i < h->count && !w.why[0] && !w.is_full; i++) {
        step(&w, h->steps[i]);
        check_touched(&w);
    }
    note_roles(&w);
    if (!w.why[0] && !w.is_full) {
        settle(&w);
    }
    if (!w.why[0]) {
        census_add(keep_history_census(), w.met);
    }
    lia_arena_deinit(&w.arena);
    memcpy(result, w.why, sizeof(result));
    return result[0] ? result : NULL;
}

struct keep_history keep_history_random(uint64_t seed)
{
    struct lia_rng rng = lia_rng(seed);
    struct keep_history h = {.shape = lia_rng_next(&rng),
                             .count = 20 + lia_rng_below(&rng, KEEP_STEPS_MAX - 20)};

    for (size_t i = 0; i < h.count; i++) {
        h.steps[i] = lia_rng_next(&rng);
    }
    return h;
}

struct keep_history keep_history_shrink(struct keep_history h)
{
    for (size_t size = h.count / 2; size > 0; size /= 2) {
        for (size_t start = 0; start + size <= h.count;) {
            struct keep_history less = h;

            memmove(&less.steps[start], &less.steps[start + size],
                    (h.count - start - size) * sizeof(h.steps[0]));
            less.count -= size;
            if (keep_history_run(&less, false)) {
                h = less;
            } else {
                start++;
            }
        }
    }
    return h;
}
