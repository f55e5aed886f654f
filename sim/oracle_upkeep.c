/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stores write by themselves. It is written down when it shows: nobody asked for it.
 *
 *     rights      those that its former actors had left, taken over by a store that has
 *                 ended uncleanly (docs/adr/0054)
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

        if (x->doc == doc && x->stamp.actor == actor && x->stamp.hlc <= hlc &&
            x->stamp.hlc > newest) {
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

/* The vector without the newest stamp of the actor. */
static struct lia_vector before_it(struct sim_world *w,
                                   uint32_t doc,
                                   struct lia_vector vector,
                                   struct lia_stamp stamp)
{
    struct lia_vector_entry *entries =
        lia_arena_array(&w->arena, vector.count, sizeof(*entries));
    size_t count = 0;

    LIA_ASSERT(entries);
    for (size_t i = 0; i < vector.count; i++) {
        entries[count] = vector.entries[i];
        if (entries[count].actor == stamp.actor) {
            entries[count].hlc = newest_of(w, doc, stamp.actor, stamp.hlc);
        }
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

/* A store that has ended uncleanly takes over what its former actors had left
 * (docs/adr/0054): such a write shows when it is there. */
static void note_taken(struct sim_world *w,
                       int node,
                       uint32_t doc,
                       struct lia_vector vector,
                       struct lia_doc held)
{
    static struct model_doc state;
    struct lia_db *db = w->nodes[node].db;
    struct lia_stamp stamp = {0, lia_db_identity(db).actor};
    const struct lia_renewal *renewals;
    struct lia_vector seen;
    size_t count = 0;
    bool has_taken = false;

    stamp.hlc = lia_vector_get(vector, stamp.actor);
    if (newest_of(w, doc, stamp.actor, stamp.hlc) == stamp.hlc) {
        return;
    }
    seen = before_it(w, doc, vector, stamp);
    sim_oracle_state(w, node, doc, seen, &state);
    LIA_ASSERT(!lia_db_renewals(db, &w->arena, 100, &renewals, &count, NULL));
    for (size_t i = count; i-- > 0;) {
        has_taken = (renewals[i].reason == LIA_RENEWED_UNCLEAN &&
                     take_from(w, &state, renewals[i].actor, stamp, held)) ||
                    has_taken;
    }
    if (has_taken) {
        model_see(&state, stamp);
        put_down(w, node, doc, &state, seen, stamp);
        sim_census(w, SIM_RARE_TAKEN);
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

static void note_verdict(struct sim_world *w,
                         int node,
                         uint32_t doc,
                         struct lia_stamp stamp,
                         struct lia_vector vector,
                         struct lia_doc held)
{
    static struct model_doc state;
    const struct sim_meant nothing = {.shape_count = 0};
    struct lia_vector seen = before_it(w, doc, vector, stamp);
    struct lia_doc_info info;
    struct lia_op op;

    LIA_ASSERT(!lia_doc_info(&w->arena, held.clock, &info));
    sim_oracle_state(w, node, doc, seen, &state);
    op = verdict_of(&state, &info);
    if (lia_stamp_is_none(op.effect) || !was_deleted(w, doc, op.effect) ||
        sim_oracle_mean(&state, &nothing, &op, 1, stamp)) {
        sim_oracle_tell(w, doc);
        sim_fail(w, "node %d: document %u: a verdict on what nobody deleted", node,
                 doc);
    }
    model_see(&state, stamp);
    put_down(w, node, doc, &state, seen, stamp)->effect = op.effect;
}

static void note_verdicts(struct sim_world *w,
                          int node,
                          uint32_t doc,
                          struct lia_vector vector,
                          struct lia_doc held)
{
    for (size_t i = 0; i < vector.count; i++) {
        struct lia_stamp stamp = {vector.entries[i].hlc, vector.entries[i].actor};

        if (newest_of(w, doc, stamp.actor, stamp.hlc) != stamp.hlc) {
            note_verdict(w, node, doc, stamp, vector, held);
        }
    }
}

void sim_oracle_note_upkeep(struct sim_world *w,
                            int node,
                            uint32_t doc,
                            struct lia_vector vector,
                            struct lia_doc held)
{
    if (sim_is_seats(doc)) {
        note_taken(w, node, doc, vector, held);
    } else if (sim_has_keepers(w)) {
        note_verdicts(w, node, doc, vector, held);
    }
}
