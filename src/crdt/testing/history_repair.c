/* SPDX-License-Identifier: Apache-2.0 */
/* Stores that fall back to a copy of themselves, write on, and find out. */
#include <stdio.h>

#include "base/error.h"
#include "crdt/testing/ops.h"
#include "crdt/testing/world.h"

static void copy_store(struct store *to, const struct store *from)
{
    to->actor = from->actor;
    to->last = from->last;
    to->doubt_count = from->doubt_count;
    memcpy(to->doubts, from->doubts, sizeof(to->doubts));
    for (size_t key = 0; key < KEYS; key++) {
        to->copies[key].doc = from->copies[key].doc;
        model_copy(&to->copies[key].model, &from->copies[key].model);
    }
}

/* It has stamped since the copy was made. */
static bool loses_writes(const struct peer *p)
{
    for (size_t key = 0; key < KEYS; key++) {
        if (lia_vector_get(model_vector(&p->now.copies[key].model), p->saved.actor) >
            p->saved.last) {
            return true;
        }
    }
    return false;
}

const char *world_fall_back(struct world *w, size_t peer)
{
    struct peer *p = &w->peers[peer];
    bool saves;

    if (p->ahead_from) {
        return NULL; /* one accident at a time */
    }
    saves = !p->saved.actor || (!p->is_fallen && world_below(w, 3) == 0);

    if (!saves && p->falls == FALLS_MAX) {
        return NULL;
    }
    if (w->is_told) {
        printf("  peer %zu %s\n", peer, saves ? "is saved" : "falls back");
    }
    if (saves) {
        copy_store(&p->saved, &p->now);
        return NULL;
    }
    w->met |= MET(FALL) | (loses_writes(p) ? MET(LOST_HISTORY) : 0) |
              (p->falls ? MET(SECOND_FALL) : 0);
    copy_store(&p->now, &p->saved);
    p->falls++;
    p->is_fallen = true;
    w->has_fallen = true;
    return NULL;
}

/* In doubt are stamps of two histories. What one of them says of itself is lost, or is
 * what the store holds. */
static const char *retag(struct world *w, size_t peer, size_t key)
{
    struct store *s = &w->peers[peer].now;
    struct copy *c = &s->copies[key];
    const struct lia_retag *how = &s->doubts[s->doubt_count - 1];
    struct lia_doc before = c->doc;
    bool is_changed;

    if (before.clock.len == 0) {
        return NULL;
    }
    is_changed = model_retag(&c->model, how);
    if (lia_doc_retag(&w->arena, before, how, &c->doc, NULL)) {
        return world_fail(w, "tags are not renewed");
    }
    if (!lia_slice_equal(before.body, c->doc.body) ||
        lia_slice_equal(before.clock, c->doc.clock) == is_changed) {
        return world_fail(w, "new tags change what is shown, or nothing");
    }
    return world_check(w, peer, key);
}

const char *world_find_out(struct world *w, size_t peer)
{
    struct peer *p = &w->peers[peer];
    struct store *s = &p->now;
    const char *why = NULL;

    if (!p->is_fallen) {
        return NULL;
    }
    if (w->is_told) {
        printf("  peer %zu finds out\n", peer);
    }
    p->is_fallen = false;
    if (s->actor == p->saved.actor) {
        s->actor = ++w->actors;
    }
    s->doubts[s->doubt_count++] =
        (struct lia_retag){p->saved.actor, p->saved.last, {++s->last, s->actor}};
    for (size_t key = 0; key < KEYS && !why; key++) {
        why = retag(w, peer, key);
    }
    return why;
}

struct lia_vector world_clamp(struct world *w, size_t peer, struct lia_vector known)
{
    const struct store *s = &w->peers[peer].now;
    struct lia_vector_entry *entries =
        lia_arena_array(&w->arena, known.count, sizeof(*entries));
    size_t count = 0;

    LIA_ASSERT(entries);
    for (size_t i = 0; i < known.count; i++) {
        struct lia_vector_entry e = known.entries[i];

        for (size_t j = 0; j < s->doubt_count; j++) {
            if (e.actor == s->doubts[j].actor && e.hlc > s->doubts[j].beyond) {
                e.hlc = s->doubts[j].beyond;
            }
        }
        if (e.hlc) {
            entries[count++] = e;
        }
    }
    return (struct lia_vector){entries, count};
}

/* One doubt is the heal's own; more are renewed one after the other. */
static liana_status heal(struct world *w,
                         struct store *s,
                         size_t key,
                         struct liana_slice segment)
{
    struct lia_doc *doc = &s->copies[key].doc;
    liana_status status =
        lia_doc_heal(&w->arena, *doc, segment, &s->doubts[0], doc, NULL);

    for (size_t i = 1; i < s->doubt_count && !status; i++) {
        status = lia_doc_retag(&w->arena, *doc, &s->doubts[i], doc, NULL);
    }
    return status;
}

static liana_status heal_model(struct store *s,
                               struct model_doc *d,
                               const struct model_doc *segment)
{
    static struct model_doc before;

    if (!lia_vector_geq(model_vector(d), model_from(segment))) {
        return LIANA_EGAP;
    }
    model_copy(&before, d);
    model_unite(d, segment);
    if (!lia_stamp_is_none(d->created) && !d->has_life) {
        model_copy(d, &before);
        return LIANA_EPROTOCOL; /* promised by a store that has not found out */
    }
    for (size_t i = 0; i < s->doubt_count; i++) {
        LIA_IGNORE(model_retag(d, &s->doubts[i])); /* there may be nothing */
    }
    return LIANA_OK;
}

const char *world_heal(struct world *w,
                       size_t peer,
                       size_t key,
                       struct liana_slice segment,
                       const struct model_doc *model)
{
    struct store *s = &w->peers[peer].now;
    struct copy *c = &s->copies[key];
    uint64_t newest = lia_vector_max_hlc(model_vector(model));
    liana_status expected;

    s->last = 1 + (newest > s->last ? newest : s->last);
    for (size_t i = 0; i < s->doubt_count; i++) {
        s->doubts[i].tag = (struct lia_stamp){s->last, s->actor};
    }
    c->model.arena = &w->arena;
    expected = heal_model(s, &c->model, model);
    if (heal(w, s, key, segment) != expected) {
        return world_fail(w, "heals or does not");
    }
    w->met |= expected ? 0 : MET(HEAL);
    return world_check(w, peer, key);
}
