/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store that falls back to a copy of itself and does not know: it stamps again where it
 * has stamped, until it meets who knows what it has lost (docs/adr/0012, 0025).
 *
 * Until then vectors and marks say of its actor what is not so, and nothing is promised of
 * the commits in doubt: those that were lost to it, and those made since. What it holds of
 * them when it finds out, or takes later, is counted anew, and safe from then on.
 */
#include <stdio.h>

#include "base/error.h"
#include "crdt/testing/keep_world.h"

void keep_forget_shown(struct keep_world *w, size_t store)
{
    for (size_t i = 0; i < w->store_count; i++) {
        for (size_t key = 0; key < KEEP_KEYS; key++) {
            w->stores[i].rows[key].shown_to &= ~(1U << store);
        }
    }
}

void keep_lose_commits(struct keep_world *w, size_t store)
{
    const struct keep_store *now = &w->stores[store];
    const struct keep_store *then = &w->saved[store];

    for (size_t i = 0; i < w->commit_count; i++) {
        struct keep_commit *c = &w->commits[i];
        bool was_there = keep_set_has(&then->rows[c->key].reflects, i) ||
                         keep_get(&then->marks, c->stamp) >= c->stamp.hlc;
        bool is_here =
            !keep_is_initial(c->stamp) || keep_set_has(&now->rows[c->key].reflects, i);

        c->is_lost |= c->maker == store && !c->has_left && !was_there && is_here;
    }
}

/* ---- falling ---- */

static void doubt_commits(struct keep_world *w)
{
    for (size_t i = 0; i < w->commit_count; i++) {
        struct keep_commit *c = &w->commits[i];

        if (c->stamp.actor == w->fall.actor && c->stamp.hlc > w->fall.beyond) {
            c->is_doubtful = c->was_doubtful = true;
        }
    }
}

void keep_fall_back(struct keep_world *w, size_t store)
{
    struct keep_store *s = &w->stores[store];
    const struct keep_store *then = &w->saved[store];

    if (!then->epoch || s->role == KEEP_KEEPER || w->has_lost) {
        return;
    }
    TELL(w, "  store %zu falls back\n", store);
    MET(w, FALL);
    w->has_lost = w->has_fallen = true;
    keep_lose_commits(w, store);
    w->fall = (struct keep_fall){true, store, then->actor, then->marks.hlc[then->actor],
                                 s->witnesses};
    doubt_commits(w);
    *s = *then;
    s->epoch = ++w->epoch_count;
    keep_forget_shown(w, store);
}

/* ---- finding out ---- */

bool keep_is_in_doubt(const struct keep_store *s, const struct keep_dense *vector)
{
    return s->doubt.is_one && vector->hlc[s->doubt.actor] > s->doubt.beyond;
}

/* Counts anew what the row has of the actor in doubt, and is counted under its stamps. */
static bool renew_tags(struct keep_world *w, struct keep_store *s, size_t key)
{
    struct keep_row *row = &s->rows[key];
    bool is_any = false;

    for (size_t i = 0; i < w->commit_count; i++) {
        struct keep_commit *c = &w->commits[i];

        if (keep_set_has(&row->reflects, i) && !keep_set_has(&row->renewed, i) &&
            c->stamp.actor == s->doubt.actor && c->stamp.hlc > s->doubt.beyond) {
            keep_set_add(&row->renewed, i);
            c->is_doubtful = false;
            is_any = true;
        }
    }
    return is_any;
}

bool keep_retag(struct keep_world *w, struct keep_store *s, size_t key)
{
    struct keep_row *row = &s->rows[key];
    size_t made;

    if (!s->doubt.is_one || !renew_tags(w, s, key)) {
        return false;
    }
    MET(w, RETAG);
    made = keep_commit(w, s, key, KEEP_RETAG);
    if (row->created_tag.actor == s->doubt.actor &&
        row->created_tag.hlc > s->doubt.beyond) {
        row->created_tag = w->commits[made].stamp;
    }
    TELL(w, "    store %zu counts %zu anew as %zu:%zu\n", keep_index(w, s), key,
         (size_t)w->commits[made].stamp.actor, (size_t)w->commits[made].stamp.hlc);
    return true;
}

static void find_out(struct keep_world *w, uint64_t beyond)
{
    struct keep_store *s = &w->stores[w->fall.store];

    TELL(w, "    store %zu finds out\n", w->fall.store);
    w->fall.is_one = false;
    w->touched |= 1U << w->fall.store;
    s->doubt = (struct keep_doubt){true, w->fall.actor, beyond};
    if (s->actor == w->fall.actor) {
        keep_renew(w, s);
    }
    s->epoch = ++w->epoch_count;
    keep_forget_shown(w, w->fall.store);
    memset(s->tokens, 0, sizeof(s->tokens));
    if (keep_is_in_doubt(s, &s->marks)) {
        s->marks.hlc[s->doubt.actor] = beyond;
    }
    for (size_t key = 0; key < KEEP_KEYS; key++) {
        if (keep_retag(w, s, key)) {
            keep_changed(s, key, false);
        }
    }
}

void keep_greet(struct keep_world *w, size_t a, size_t b)
{
    bool is_met = w->fall.is_one && (a == w->fall.store || b == w->fall.store);
    size_t other = a == w->fall.store ? b : a;

    if (is_met && w->fall.witnesses >> other & 1) {
        find_out(w, w->fall.beyond);
    }
    w->stores[a].witnesses |= 1U << b;
    w->stores[b].witnesses |= 1U << a;
}

bool keep_disowns(struct keep_world *w,
                  struct keep_store *s,
                  const struct keep_dense *told)
{
    bool is_strange = w->fall.is_one && s == &w->stores[w->fall.store] &&
                      s->actor == w->fall.actor &&
                      told->hlc[s->actor] > s->marks.hlc[s->actor];

    if (is_strange) {
        find_out(w, 0);
    }
    return is_strange;
}
