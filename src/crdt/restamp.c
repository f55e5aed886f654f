/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The repair of a store whose clock was ahead (design page 10, "Stamps"; docs/adr/0025).
 *
 * Everything that an entry names may be a stamp of it: ranks, lives, births, starts of
 * sums, removals, creations. All move together and none past another, so that what is
 * shown, and the order of all that is kept in order, stay as they are.
 */
#include <stdlib.h>

#include "base/error.h"
#include "crdt/bounded.h"
#include "crdt/clock.h"
#include "crdt/set.h"

/* Calls for every stamp of the state; tags are told apart. */
struct visit {
    void (*stamp)(void *ctx, struct lia_stamp *s, bool is_tag);
    void *ctx;
    struct lia_work *work;
};

static void visit_stamp(const struct visit *v, struct lia_stamp *s)
{
    v->stamp(v->ctx, s, false);
}

static void visit_rank(const struct visit *v, struct lia_rank *rank)
{
    visit_stamp(v, &rank->life);
    visit_stamp(v, &rank->stamp);
    v->stamp(v->ctx, &rank->tag, true);
}

/* What was seen is shared with the bytes that were read. */
static void visit_seen(const struct visit *v, struct lia_node *node)
{
    struct lia_seen *seen =
        lia_arena_array(v->work->arena, node->seen_count, sizeof(*seen));

    if (!seen) {
        v->work->status = LIANA_ENOMEM;
        return;
    }
    for (size_t i = 0; i < node->seen_count; i++) {
        seen[i] = node->seen[i];
        visit_stamp(v, &seen[i].start);
    }
    node->seen = seen;
}

static void visit_set(const struct visit *v, struct lia_set *set)
{
    visit_rank(v, &set->open_rank);
    visit_stamp(v, &set->open_birth.stamp);
    for (size_t i = 0; i < set->count; i++) {
        struct lia_element *e = &set->elements[i];

        for (size_t j = 0; j < e->slot_count; j++) {
            visit_rank(v, &e->slots[j].rank);
            visit_stamp(v, &e->slots[j].birth.stamp);
            visit_stamp(v, &e->slots[j].removed);
        }
    }
}

static void visit_own(const struct visit *v, struct lia_node *node)
{
    visit_rank(v, &node->rank);
    visit_stamp(v, &node->birth.stamp);
    visit_rank(v, &node->open_rank);
    visit_stamp(v, &node->open_birth.stamp);
    for (size_t i = 0; i < node->cell_count; i++) {
        visit_stamp(v, &node->cells[i].start);
        visit_rank(v, &node->cells[i].rank);
        visit_stamp(v, &node->cells[i].birth.stamp);
    }
    for (size_t i = 0; node->bounded && i < node->bounded->count; i++) {
        visit_stamp(v, &node->bounded->shares[i].creation);
        visit_rank(v, &node->bounded->shares[i].rank);
        visit_stamp(v, &node->bounded->shares[i].birth.stamp);
    }
    if (node->seen_count) {
        visit_seen(v, node);
    }
    if (node->set) {
        visit_set(v, node->set);
    }
}

/* As deep as documents are. */
static void visit_node(const struct visit *v, struct lia_node *node)
{
    visit_own(v, node);
    for (struct lia_piece *p = node->children; p; p = p->next) {
        if (p->node) {
            visit_node(v, p->node);
        } else {
            visit_rank(v, &p->rank);
            visit_stamp(v, &p->birth.stamp);
        }
    }
}

static void visit_state(const struct visit *v, struct lia_state *state)
{
    visit_stamp(v, &state->created);
    visit_stamp(v, &state->deleted);
    visit_stamp(v, &state->withdrawn);
    v->stamp(v->ctx, &state->created_tag, true);
    v->stamp(v->ctx, &state->deleted_tag, true);
    v->stamp(v->ctx, &state->withdrawn_tag, true);
    visit_node(v, &state->root);
}

/* ---- which stamps there are ---- */

struct listing {
    uint64_t actor;
    uint64_t beyond;
    struct lia_buf *out;
};

static void list_stamp(void *ctx, struct lia_stamp *s, bool is_tag)
{
    const struct listing *l = ctx;

    (void)is_tag;
    if (s->actor == l->actor && s->hlc > l->beyond) {
        lia_buf_bytes(l->out, &s->hlc, sizeof(s->hlc));
    }
}

liana_status lia_doc_stamps(struct lia_arena *arena,
                            struct lia_doc doc,
                            uint64_t actor,
                            uint64_t beyond,
                            struct lia_buf *out,
                            struct liana_error *err)
{
    struct lia_work work = {.arena = arena, .err = err};
    struct listing listing = {actor, beyond, out};
    const struct visit visit = {list_stamp, &listing, &work};
    struct lia_stamp newest = {0, actor};
    struct lia_state state;
    liana_status status = lia_doc_read(&work, doc, &state);

    if (status) {
        return status;
    }
    visit_state(&visit, &state);
    newest.hlc = lia_vector_get(state.vector, actor);
    list_stamp(&listing, &newest, false); /* nothing may be left of that write */
    return lia_err_plain(err, work.status ? work.status : out->status);
}

/* ---- other stamps for them ---- */

struct restamping {
    const struct lia_restamp *how;
    bool is_changed;
    bool is_unknown; /* a stamp that is to go, and to nowhere */
};

static int compare_hlcs(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static uint64_t map_hlc(struct restamping *r, uint64_t hlc)
{
    const struct lia_restamp *how = r->how;
    const uint64_t *found =
        bsearch(&hlc, how->from, how->count, sizeof(hlc), compare_hlcs);

    if (!found) {
        r->is_unknown = true;
        return hlc;
    }
    r->is_changed = true;
    return how->first + (uint64_t)(found - how->from);
}

static bool is_concerned(const struct lia_restamp *how, struct lia_stamp s)
{
    return how->count && s.actor == how->actor && s.hlc >= how->from[0];
}

static void map_stamp(void *ctx, struct lia_stamp *s, bool is_tag)
{
    struct restamping *r = ctx;

    if (is_concerned(r->how, *s)) {
        s->hlc = map_hlc(r, s->hlc);
        s->actor = is_tag && !LIA_MUTANT(22) ? r->how->new_actor : s->actor;
    }
}

/* Both actors up to there: the old one because entries name its stamps, the new one because
 * vectors count it. */
static liana_status map_vector(struct lia_work *work,
                               struct restamping *r,
                               struct lia_vector *v)
{
    struct lia_stamp newest = {lia_vector_get(*v, r->how->actor), r->how->actor};
    struct lia_vector_entry *entries;

    if (!is_concerned(r->how, newest)) {
        return LIANA_OK;
    }
    entries = lia_arena_array(work->arena, v->count, sizeof(*entries));
    if (!entries) {
        return LIANA_ENOMEM;
    }
    newest.hlc = map_hlc(r, newest.hlc);
    for (size_t i = 0; i < v->count; i++) {
        entries[i] = v->entries[i];
        if (entries[i].actor == newest.actor) {
            entries[i].hlc = newest.hlc;
        } else if (entries[i].hlc >= r->how->first) {
            return LIANA_ECLOCK;
        }
    }
    newest.actor = r->how->new_actor;
    return lia_vector_with(work->arena, (struct lia_vector){entries, v->count}, newest,
                           v);
}

liana_status lia_doc_restamp(struct lia_arena *arena,
                             struct lia_doc doc,
                             const struct lia_restamp *how,
                             struct lia_doc *out,
                             struct liana_error *err)
{
    struct lia_work work = {.arena = arena, .err = err};
    struct restamping restamping = {how, false, false};
    const struct visit visit = {map_stamp, &restamping, &work};
    struct lia_state state;
    liana_status status = lia_doc_read(&work, doc, &state);

    if (status) {
        return status;
    }
    status = map_vector(&work, &restamping, &state.vector);
    if (status) {
        return lia_err_plain(err, status);
    }
    visit_state(&visit, &state);
    if (restamping.is_unknown) {
        return lia_err(err, LIANA_EMISUSE, "a stamp to be replaced is not listed");
    }
    if (!restamping.is_changed) {
        *out = doc;
        return LIANA_OK;
    }
    return lia_err_plain(err, work.status ? work.status
                                          : lia_clock_write(&work, &state, out));
}
