/* SPDX-License-Identifier: Apache-2.0 */
/* How segments come from peer to peer: straight, or through a relay. */
#include <stdio.h>

#include "base/error.h"
#include "crdt/testing/ops.h"
#include "crdt/testing/world.h"

static const char *check_segment(struct world *w,
                                 struct liana_slice segment,
                                 const struct model_doc *model)
{
    struct lia_reader r = lia_reader(segment);

    LIA_IGNORE(lia_reader_prefixed(&r).len); /* the clock; the body follows */
    return world_check_body(w, model, lia_reader_bytes(&r, lia_reader_left(&r)));
}

static void note_meeting(struct world *w,
                         const struct model_doc *held,
                         const struct model_doc *segment)
{
    struct lia_vector a = model_vector(held);
    struct lia_vector b = model_vector(segment);

    if (!lia_vector_geq(a, b) && !lia_vector_geq(b, a)) {
        w->met |= MET(CONCURRENT);
    }
    if (segment->from_count && !lia_vector_geq(model_from(segment), a)) {
        w->met |= MET(PARTIAL);
    }
}

/* What a clock that is ahead would be, too. */
static void note_time(struct peer *p, uint64_t hlc)
{
    p->now.last = hlc > p->now.last ? hlc : p->now.last;
    p->ahead_from = p->ahead_from && hlc > p->ahead_from ? hlc : p->ahead_from;
}

static const char *receive(struct world *w,
                           size_t peer,
                           size_t key,
                           struct liana_slice segment,
                           const struct model_doc *model)
{
    static struct model_doc before;
    static struct losses losses;
    const struct lia_watch watch = {.lost = world_note_loser, .ctx = &losses};
    struct peer *p = &w->peers[peer];
    struct copy *c = &p->now.copies[key];
    struct liana_error err = LIANA_ERROR_INIT;
    liana_status expected;
    liana_status got;

    if (world_has_doubts(w, peer)) {
        return world_heal(w, peer, key, segment, model);
    }
    model_copy(&before, &c->model);
    expected = model_merge(&c->model, model) ? LIANA_OK : LIANA_EGAP;
    if (!lia_stamp_is_none(c->model.created) && !c->model.has_life) {
        /* Only a store that fell back has vectors that promise a life it has not. */
        model_copy(&c->model, &before);
        expected = w->history->is_about_falls ? LIANA_EPROTOCOL : expected;
    }
    note_meeting(w, &before, model);
    losses.count = 0;
    got = lia_doc_merge_watched(&w->arena, c->doc, segment, &watch, &c->doc, &err);

    if (got != expected) {
        return world_fail(w, got && got != LIANA_EGAP ? err.message
                                                      : "merges or does not");
    }
    w->met |= (got == LIANA_EGAP ? MET(GAP) : 0) | (losses.count ? MET(LOSS) : 0);
    if (got == LIANA_EPROTOCOL) {
        return NULL;
    }
    if (!got) {
        note_time(p, lia_vector_max_hlc(model_vector(model)));
    }
    if (!got && !w->history->is_about_falls &&
        world_check_losses(w, &before, model, &c->model, &losses)) {
        return w->why;
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

const char *world_pull(struct world *w, size_t to, size_t from, size_t key)
{
    static struct model_doc model;
    struct copy *source = &w->peers[from].now.copies[key];
    struct lia_vector since =
        world_clamp(w, to, choose_from(w, &w->peers[to].now.copies[key].model));
    struct liana_slice segment;
    const char *why;

    if (source->doc.clock.len == 0 || w->peers[from].ahead_from) {
        return NULL; /* the guard refuses what is too late */
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
const char *world_begin_with(struct world *w, size_t peer, size_t key)
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
    w->met |= MET(INITIAL);
    return receive(w, peer, key, segment, &model);
}

/* The second may continue a life that the first promises and does not have, where a store
 * fell back between them. */
static liana_status compose_model(struct world *w,
                                  struct model_doc *first,
                                  const struct model_doc *second)
{
    if (!model_compose(first, second)) {
        return LIANA_EGAP;
    }
    return w->has_fallen && !lia_stamp_is_none(first->created) && !first->has_life &&
                   !lia_vector_covers(model_from(first), first->life_tag)
               ? LIANA_EPROTOCOL
               : LIANA_OK;
}

const char *world_load_relay(struct world *w, size_t peer, size_t key)
{
    static struct model_doc model;
    struct copy *source = &w->peers[peer].now.copies[key];
    struct relay *relay = &w->relays[key];
    struct lia_vector since = {NULL, 0};
    struct liana_slice segment;
    struct liana_slice composed;
    liana_status status = LIANA_EGAP;
    liana_status expected;

    if (source->doc.clock.len == 0 || w->peers[peer].ahead_from) {
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
        expected = compose_model(w, &relay->model, &model);
        status =
            lia_segment_compose(&w->arena, relay->segment, segment, &composed, NULL);
        if (status != expected) {
            return world_fail(w, "composes or does not");
        }
    }
    if (status) {
        model_copy(&relay->model, &model);
    }
    w->met |= status ? 0 : MET(COMPOSE);
    relay->segment = status ? segment : composed;
    return check_segment(w, relay->segment, &relay->model);
}

const char *world_read_relay(struct world *w, size_t peer, size_t key)
{
    if (w->relays[key].segment.len == 0) {
        return NULL;
    }
    if (w->is_told) {
        printf("  peer %zu takes document %zu from the relay\n", peer, key);
    }
    w->met |= MET(RELAY);
    return receive(w, peer, key, w->relays[key].segment, &w->relays[key].model);
}
