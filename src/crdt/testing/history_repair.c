/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/error.h"
#include "crdt/testing/ops.h"
#include "crdt/testing/world.h"

static void copy_all(struct copy *to, const struct copy *from)
{
    for (size_t key = 0; key < KEYS; key++) {
        to[key].doc = from[key].doc;
        model_copy(&to[key].model, &from[key].model);
    }
}

/* The first time a copy is made; the second time it is put back, with its clock. */
const char *world_fall_back(struct world *w)
{
    struct peer *p = &w->peers[FALLING];
    struct fall *fall = &w->fall;

    if (fall->has_fallen) {
        return NULL;
    }
    if (w->is_told) {
        printf("  peer %d %s\n", FALLING, fall->is_saved ? "falls back" : "is saved");
    }
    if (!fall->is_saved) {
        copy_all(fall->copies, p->copies);
        fall->last = p->last;
        fall->is_saved = true;
        return NULL;
    }
    copy_all(p->copies, fall->copies);
    p->last = fall->last;
    fall->has_fallen = true;
    return NULL;
}

static const char *retag(struct world *w, size_t key)
{
    struct copy *c = &w->peers[FALLING].copies[key];
    struct lia_doc before = c->doc;
    bool is_changed;

    if (before.clock.len == 0) {
        return NULL;
    }
    is_changed = model_retag(&c->model, &w->fall.how);
    if (lia_doc_retag(&w->arena, before, &w->fall.how, &c->doc, NULL)) {
        return world_fail(w, "tags are not renewed");
    }
    if (!lia_slice_equal(before.body, c->doc.body) ||
        lia_slice_equal(before.clock, c->doc.clock) == is_changed) {
        return world_fail(w, "new tags change what is shown, or nothing");
    }
    return world_check(w, FALLING, key);
}

const char *world_find_out(struct world *w)
{
    struct peer *p = &w->peers[FALLING];
    struct fall *fall = &w->fall;
    const char *why = NULL;

    if (!fall->has_fallen || fall->is_found_out) {
        return NULL;
    }
    if (w->is_told) {
        printf("  peer %d finds out\n", FALLING);
    }
    fall->is_found_out = true;
    fall->how.actor = p->actor;
    fall->how.beyond = fall->last;
    p->actor = ++w->actors;
    fall->how.tag = (struct lia_stamp){++p->last, p->actor};
    for (size_t key = 0; key < KEYS && !why; key++) {
        why = retag(w, key);
    }
    return why;
}

struct lia_vector world_clamp(struct world *w, size_t peer, struct lia_vector known)
{
    struct lia_vector_entry *entries;
    size_t count = 0;

    if (peer != FALLING || !w->fall.is_found_out) {
        return known;
    }
    entries = lia_arena_array(&w->arena, known.count, sizeof(*entries));
    LIA_ASSERT(entries);
    for (size_t i = 0; i < known.count; i++) {
        struct lia_vector_entry e = known.entries[i];

        if (e.actor == w->fall.how.actor && e.hlc > w->fall.how.beyond) {
            e.hlc = w->fall.how.beyond;
        }
        if (e.hlc) {
            entries[count++] = e;
        }
    }
    return (struct lia_vector){entries, count};
}

const char *world_heal(struct world *w,
                       size_t key,
                       struct liana_slice segment,
                       const struct model_doc *model)
{
    struct peer *p = &w->peers[FALLING];
    struct copy *c = &p->copies[key];
    uint64_t newest = lia_vector_max_hlc(model_vector(model));
    bool is_gap = !lia_vector_geq(model_vector(&c->model), model_from(model));
    liana_status status;

    p->last = newest > p->last ? newest : p->last;
    w->fall.how.tag.hlc = ++p->last;
    if (!is_gap) {
        c->model.arena = &w->arena;
        model_unite(&c->model, model);
        LIA_IGNORE(model_retag(&c->model, &w->fall.how)); /* there may be nothing */
    }
    status = lia_doc_heal(&w->arena, c->doc, segment, &w->fall.how, &c->doc, NULL);
    if (status != (is_gap ? LIANA_EGAP : LIANA_OK)) {
        return world_fail(w, "heals or does not");
    }
    return world_check(w, FALLING, key);
}
