/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stores write by themselves. It is written down when it shows: nobody asked for it.
 *
 *     rights      those that its former actors had left, taken over by a store that has
 *                 ended uncleanly or stamped anew (docs/adr/0054); those of its own, handed on by
 *                 one that evicts and goes on as another actor
 *     verdicts    a delete again, of what came back after a delete was forgotten
 *                 (docs/adr/0024): somebody has to have deleted it
 */
#include "crdt/testing/ops.h"
#include "db/renew.h"
#include "sim/keepers.h"
#include "sim/oracle.h"

/* The newest write of an actor to a document that is written down, up to `hlc`. */
static uint64_t newest_of(const struct sim_world *w,
                          uint32_t doc,
                          uint64_t actor,
                          uint64_t hlc)
{
    uint64_t newest = 0;

    for (size_t i = 0; i < w->oracle->count; i++) {
        const struct sim_write *x = &w->oracle->writes[i];

        if (x->doc == doc && (x->stamp.actor == actor || x->tag.actor == actor) &&
            x->stamp.hlc <= hlc && x->stamp.hlc > newest) {
            newest = x->stamp.hlc;
        }
    }
    return newest;
}

/* What the actor could still take is gone here, and only that. */
static bool take_from(struct sim_world *w,
                      struct model_doc *state,
                      uint64_t from,
                      struct lia_stamp stamp,
                      struct lia_doc held)
{
    static const struct liana_str n = {"n", 1};
    const struct lia_op op = {.kind = LIA_OP_RECLAIM, .path = {&n, 1}, .actor = from};
    const struct sim_meant nothing = {.shape_count = 0};
    struct lia_bounded_info info;

    return model_rights(state, "n", from, NULL) > 0 &&
           !lia_doc_bounded(&w->arena, held, op.path, from, &info, NULL) &&
           info.rights == 0 && !sim_oracle_mean(state, &nothing, &op, 1, stamp);
}

/* What is written down of the vector. */
static struct lia_vector before_it(struct sim_world *w,
                                   uint32_t doc,
                                   struct lia_vector vector)
{
    struct lia_vector_entry *entries =
        lia_arena_array(&w->arena, vector.count, sizeof(*entries));
    size_t count = 0;

    LIA_ASSERT(entries);
    for (size_t i = 0; i < vector.count; i++) {
        entries[count] = vector.entries[i];
        entries[count].hlc =
            newest_of(w, doc, entries[count].actor, entries[count].hlc);
        count += entries[count].hlc > 0;
    }
    return (struct lia_vector){entries, count};
}

/* It was there before what is going on. */
static struct sim_write *put_down(struct sim_world *w,
                                  int node,
                                  uint32_t doc,
                                  const struct model_doc *state,
                                  struct lia_vector seen,
                                  struct lia_stamp stamp)
{
    struct sim_oracle *o = w->oracle;
    struct sim_write made = *sim_oracle_write(w, node, doc, state, seen, stamp);
    struct sim_write *place = &o->writes[o->pending];

    made.is_upkeep = true;
    made.is_pending = false;
    memmove(place + 1, place, (o->count - 1 - o->pending) * sizeof(*place));
    *place = made;
    o->pending++;
    return place;
}

/* ---- rights ---- */

/* A store takes over what former actors of its own had left: after an unclean end, and when it
 * has stamped anew (docs/adr/0054). */
static bool take_over(struct sim_world *w,
                      int node,
                      struct model_doc *state,
                      struct lia_stamp stamp,
                      struct lia_doc held)
{
    const struct lia_renewal *renewals;
    size_t count = 0;
    bool has_taken = false;

    LIA_ASSERT(
        !lia_db_renewals(w->nodes[node].db, &w->arena, 100, &renewals, &count, NULL));
    for (size_t i = count; i-- > 0;) {
        bool may_take = renewals[i].reason == LIA_RENEWED_UNCLEAN ||
                        renewals[i].reason == LIA_RENEWED_CLOCK;

        has_taken = (may_take && take_from(w, state, renewals[i].actor, stamp, held)) ||
                    has_taken;
    }
    if (has_taken) {
        sim_census(w, SIM_RARE_TAKEN);
    }
    return has_taken;
}

/* Who evicts what it has written goes on as another actor, and hands on what it could take. */
static bool hand_on(struct sim_world *w,
                    int node,
                    struct model_doc *state,
                    struct lia_stamp stamp)
{
    static const struct liana_str n = {"n", 1};
    const struct sim_meant nothing = {.shape_count = 0};
    struct lia_scratch scratch;
    int64_t left = model_rights(state, "n", stamp.actor, NULL);
    const struct lia_op op = {.kind = LIA_OP_TRANSFER,
                              .path = {&n, 1},
                              .value = lia_value_of_int64(left, &scratch),
                              .actor = sim_successor(w, node, stamp.actor)};

    return op.actor && !sim_oracle_mean(state, &nothing, &op, 1, stamp);
}

static void note_rights(struct sim_world *w,
                        int node,
                        uint32_t doc,
                        struct lia_stamp stamp,
                        struct lia_vector vector,
                        struct lia_doc held)
{
    static struct model_doc state;
    struct lia_vector seen = before_it(w, doc, vector);

    sim_oracle_state(w, node, doc, seen, &state);
    if (take_over(w, node, &state, stamp, held) || hand_on(w, node, &state, stamp)) {
        model_see(&state, stamp);
        put_down(w, node, doc, &state, seen, stamp);
    }
}

/* ---- verdicts ---- */

/* Somebody deleted what the verdict reaches. */
static bool was_deleted(const struct sim_world *w,
                        uint32_t doc,
                        struct lia_stamp effect)
{
    for (size_t i = 0; i < w->oracle->count; i++) {
        const struct sim_write *x = &w->oracle->writes[i];

        if (x->doc == doc && x->is_delete && lia_stamp_is_none(x->effect) &&
            lia_stamp_cmp(x->stamp, effect) >= 0) {
            return true;
        }
    }
    return false;
}

/* A delete that the document has, and what has come of its writes has not. */
static struct lia_op verdict_of(const struct model_doc *state,
                                const struct lia_doc_info *info)
{
    bool is_hard = lia_stamp_cmp(info->deleted, state->deleted) > 0 ||
                   lia_stamp_is_none(info->withdrawn);

    return (struct lia_op){.kind = LIA_OP_DELETE,
                           .mode = is_hard ? LIA_DELETE_WINS : LIA_UPDATE_WINS,
                           .effect = is_hard ? info->deleted : info->withdrawn};
}

/* False: it is something else. */
static bool note_verdict(struct sim_world *w,
                         int node,
                         uint32_t doc,
                         struct lia_stamp stamp,
                         struct lia_vector vector,
                         struct lia_doc held)
{
    static struct model_doc state;
    struct sim_meant meant = {.shape_count = 0};
    struct lia_vector seen = before_it(w, doc, vector);
    struct lia_doc_info info;
    struct lia_op op;

    if (!sim_has_keepers(w)) {
        return false;
    }
    LIA_ASSERT(!lia_doc_info(&w->arena, held.clock, &info));
    sim_oracle_state(w, node, doc, seen, &state);
    if (sim_is_seats(doc) && lia_stamp_cmp(info.deleted, state.deleted) <= 0) {
        return false;
    }
    op = verdict_of(&state, &info);
    meant.mode = op.mode;
    if (lia_stamp_is_none(op.effect) || !was_deleted(w, doc, op.effect) ||
        sim_oracle_mean(&state, &meant, &op, 1, stamp)) {
        sim_oracle_tell(w, doc);
        sim_fail(w, "node %d: document %u: a verdict on what nobody deleted", node,
                 doc);
    }
    model_see(&state, stamp);
    put_down(w, node, doc, &state, seen, stamp)->effect = op.effect;
    return true;
}

/* The oldest stamp of the vector, after `after`, that is not written down. */
static struct lia_stamp next_unknown(const struct sim_world *w,
                                     uint32_t doc,
                                     struct lia_vector vector,
                                     struct lia_stamp after)
{
    struct lia_stamp next = LIA_STAMP_NONE;

    for (size_t i = 0; i < vector.count; i++) {
        struct lia_stamp s = {vector.entries[i].hlc, vector.entries[i].actor};

        if (lia_stamp_cmp(s, after) > 0 && newest_of(w, doc, s.actor, s.hlc) != s.hlc &&
            (lia_stamp_is_none(next) || lia_stamp_cmp(s, next) < 0)) {
            next = s;
        }
    }
    return next;
}

void sim_oracle_note_upkeep(struct sim_world *w,
                            int node,
                            uint32_t doc,
                            struct lia_vector vector,
                            struct lia_doc held)
{
    struct lia_stamp stamp = next_unknown(w, doc, vector, LIA_STAMP_NONE);

    while (!lia_stamp_is_none(stamp)) {
        if (!note_verdict(w, node, doc, stamp, vector, held) && sim_is_seats(doc)) {
            note_rights(w, node, doc, stamp, vector, held);
        }
        stamp = next_unknown(w, doc, vector, stamp);
    }
}
