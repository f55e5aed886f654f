/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/oracle.h"

#include <stdlib.h>

#include "crdt/testing/ops.h"
#include "db/renew.h"
#include "db/schema.h"
#include "sim/check.h"
#include "sim/keepers.h"

void sim_oracle_init(struct sim_world *w)
{
    /* There is damage that something else is to notice. */
    if (w->breakage != SIM_BREAK_UNDONE && w->breakage != SIM_BREAK_AHEAD) {
        w->oracle = calloc(1, sizeof(*w->oracle));
        LIA_ASSERT(w->oracle);
    }
}

void sim_oracle_deinit(struct sim_world *w)
{
    free(w->oracle);
}

bool sim_write_is_alive(const struct sim_world *w, const struct sim_write *x)
{
    const struct sim_txn *t = &w->txns[x->txn];

    return x->is_pending || x->is_seed || x->is_upkeep || t->is_certain || t->is_open;
}

/* It may be in some copy. What a store has lost by being put back others may still have. */
static bool may_be_seen(const struct sim_world *w, const struct sim_write *x)
{
    return sim_write_is_alive(w, x) || (w->past && !w->txns[x->txn].is_void);
}

/* Stock is checked by adding up (check_end.c). */
bool sim_is_watched(uint32_t doc)
{
    return doc < sim_first(1) || doc >= sim_first(2);
}

/* ---- what a copy has to show ---- */

/* Takes up the writes that the vector names. */
static void catch_up(struct sim_world *w,
                     struct model_doc *state,
                     uint32_t doc,
                     struct lia_vector vector)
{
    const struct sim_oracle *o = w->oracle;

    if (lia_vector_equal(model_vector(state), vector)) {
        return;
    }
    if (!lia_vector_geq(vector, model_vector(state))) { /* dropped, and it began anew */
        struct lia_arena *arena = state->arena;

        model_clear(state);
        state->arena = arena;
    }
    for (size_t i = 0; i < o->count; i++) {
        const struct sim_write *x = &o->writes[i];

        if (x->doc == doc && lia_vector_covers(vector, x->tag) &&
            !lia_vector_covers(model_vector(state), x->tag) && may_be_seen(w, x)) {
            model_unite(state, x->entries);
        }
    }
}

bool sim_is_lawless(const struct sim_world *w)
{
    return w->breakage == SIM_BREAK_RIGHTS;
}

void sim_oracle_check(struct sim_world *w,
                      int node,
                      uint32_t doc,
                      const struct model_doc *state,
                      struct lia_vector vector,
                      struct liana_slice body)
{
    struct lia_buf expected;

    /* What is undone was seen by others: another check is there for that. */
    if (sim_is_lawless(w) || w->breakage == SIM_BREAK_UNDONE ||
        sim_oracle_is_split(w, doc)) {
        return;
    }
    if (!lia_vector_equal(model_vector(state), vector)) {
        if (sim_oracle_splits(w, doc)) {
            return;
        }
        sim_oracle_tell_seen(w, doc, vector, model_vector(state));
        sim_fail(w, "node %d: document %u has seen what nobody wrote", node, doc);
    }
    lia_buf_init(&expected, &lia_mem_libc);
    model_body(state, &expected);
    if (lia_slice_cmp(lia_buf_slice(&expected), body) != 0) {
        if (!w->breakage) {
            op_tell_document(body);
            op_tell_document(lia_buf_slice(&expected));
            sim_oracle_tell(w, doc);
        }
        sim_fail(w, "node %d: document %u is not what was written", node, doc);
    }
    lia_buf_deinit(&expected);
}

/* NULL: it is not looked at closely. */
static struct model_doc *state_of(struct sim_world *w, int node, uint32_t doc)
{
    return doc < sim_first(2) ? NULL : &w->oracle->states[node][doc - sim_first(2)];
}

void sim_oracle_state(struct sim_world *w,
                      int node,
                      uint32_t doc,
                      struct lia_vector vector,
                      struct model_doc *state)
{
    const struct model_doc *known = state_of(w, node, doc);

    if (known) {
        model_copy(state, known);
    } else {
        model_clear(state);
    }
    state->arena = &w->arena;
    catch_up(w, state, doc, vector);
}

/* ---- what an operation means ---- */

/* What is declared here and now, as shapes of operations. */
static size_t read_shapes(const struct lia_schema *schema, struct lia_shape *shapes)
{
    size_t count = 0;

    for (uint32_t i = 0; i < schema->path_count; i++) {
        const struct lia_declared *d = &schema->paths[i];
        struct lia_shape shape = {.path = {d->names, d->count}, .bound = d->min};

        switch (d->type->kind) {
        case LIA_KIND_SET: shape.kind = LIA_SHAPE_SET; break;
        case LIA_KIND_REGISTER: shape.kind = LIA_SHAPE_REGISTER; break;
        case LIA_KIND_COUNTER: shape.kind = LIA_SHAPE_BOUNDED; break;
        default: continue;
        }
        LIA_ASSERT(count < SIM_SHAPES_MAX);
        shapes[count++] = shape;
    }
    return count;
}

static liana_status read_declared(struct lia_txn *txn,
                                  uint32_t doc,
                                  struct sim_meant *out)
{
    const struct lia_schema *schema = NULL;
    liana_status status = lia_txn_schema(txn, sim_collection(doc), &schema, NULL);

    if (!status) {
        out->shape_count = read_shapes(schema, out->shapes);
        out->mode = schema->options.deletes == LIA_UPDATES_WIN ? LIA_UPDATE_WINS
                                                               : LIA_DELETE_WINS;
    }
    return status;
}

liana_status sim_oracle_mean(struct model_doc *state,
                             const struct sim_meant *meant,
                             const struct lia_op *ops,
                             size_t count,
                             struct lia_stamp stamp)
{
    static struct model_doc before_delete;
    liana_status status = LIANA_OK;

    state->is_changed = false;
    for (size_t i = 0; i < count && !status; i++) {
        struct lia_op op = ops[i];

        op.shapes = meant->shapes;
        op.shape_count = meant->shape_count;
        op.mode = meant->mode;
        status = model_apply(state, &before_delete, &op, stamp);
    }
    return status;
}

/* ---- writing down ---- */

static struct lia_vector keep_vector(struct sim_world *w, struct lia_vector v)
{
    struct lia_vector_entry *entries =
        lia_arena_array(&w->arena, v.count + 1, sizeof(*entries));

    LIA_ASSERT(entries);
    if (v.count) {
        memcpy(entries, v.entries, v.count * sizeof(*entries));
    }
    return (struct lia_vector){entries, v.count};
}

static struct model_doc *keep_model(struct sim_world *w, const struct model_doc *d)
{
    struct model_doc *kept =
        lia_arena_alloc(&w->arena, offsetof(struct model_doc, entries) +
                                       (d->count + 1) * sizeof(d->entries[0]));

    LIA_ASSERT(kept);
    model_copy(kept, d);
    return kept;
}

/* Their values outlive the call. */
static const struct lia_op *keep_ops(struct sim_world *w,
                                     const struct lia_op *ops,
                                     size_t count)
{
    struct lia_op *kept = lia_arena_array(&w->arena, count, sizeof(*kept));

    LIA_ASSERT(kept);
    memcpy(kept, ops, count * sizeof(*kept));
    for (size_t i = 0; i < count; i++) {
        LIA_ASSERT(lia_arena_copy(&w->arena, ops[i].value.data, &kept[i].value.data));
    }
    return kept;
}

struct sim_write *sim_oracle_write(struct sim_world *w,
                                   int node,
                                   uint32_t doc,
                                   const struct model_doc *state,
                                   struct lia_vector seen,
                                   struct lia_stamp stamp)
{
    static struct model_doc own;
    struct sim_oracle *o = w->oracle;
    struct sim_write *x = &o->writes[o->count++];

    LIA_ASSERT(o->count <= SIM_WRITES);
    model_segment(state, seen, &own);
    *x = (struct sim_write){.doc = doc,
                            .node = node,
                            .is_pending = true,
                            .stamp = stamp,
                            .tag = stamp,
                            .seen = keep_vector(w, seen),
                            .entries = keep_model(w, &own)};
    x->is_delete = lia_stamp_cmp(own.deleted_tag, stamp) == 0 ||
                   lia_stamp_cmp(own.withdrawn_tag, stamp) == 0;
    x->is_creation = own.has_life;
    return x;
}

/* The newest creation among what it had seen, or its own. */
static struct lia_stamp life_of(const struct sim_world *w, const struct sim_write *x)
{
    struct lia_stamp life = x->is_creation ? x->stamp : LIA_STAMP_NONE;

    for (size_t i = 0; i < w->oracle->count; i++) {
        const struct sim_write *c = &w->oracle->writes[i];

        if (c->doc == x->doc && c->is_creation && sim_write_is_alive(w, c) &&
            lia_vector_covers(x->seen, c->stamp) && lia_stamp_cmp(c->stamp, life) > 0) {
            life = c->stamp;
        }
    }
    return life;
}

void sim_oracle_shown(struct sim_world *w,
                      int node,
                      uint32_t doc,
                      struct lia_vector vector,
                      struct lia_doc held)
{
    struct model_doc *state;

    if (!w->oracle || !sim_is_watched(doc) || sim_oracle_is_split(w, doc)) {
        return;
    }
    sim_oracle_note_upkeep(w, node, doc, vector, held);
    if (doc < sim_first(2)) {
        return;
    }
    state = state_of(w, node, doc);
    catch_up(w, state, doc, vector);
    sim_oracle_check(w, node, doc, state, vector, held.body);
    if (!sim_oracle_is_split(w, doc)) {
        sim_seats_shown(w, node, doc, vector, held.body);
    }
}

bool sim_oracle_exists(const struct sim_world *w, int node, uint32_t doc)
{
    const struct sim_seen *seen = &w->nodes[node].seen[doc];

    return sim_oracle_is_split(w, doc)
               ? seen->is_held && !seen->is_dead
               : model_exists(&w->oracle->states[node][doc - sim_first(2)]);
}

void sim_oracle_reopened(struct sim_world *w, int node, const struct lia_held *held)
{
    struct lia_arena arena;

    if (!w->oracle) {
        return;
    }
    lia_arena_init(&arena, &lia_mem_libc);
    for (uint32_t d = sim_first(2); d < SIM_DOCS; d++) {
        struct lia_doc_info info = {0};

        model_clear(state_of(w, node, d));
        LIA_ASSERT(!lia_doc_info(&arena, held[d].doc.clock, &info));
        sim_oracle_shown(w, node, d, info.vector, held[d].doc);
    }
    lia_arena_deinit(&arena);
}

/* ---- asking ---- */

/* What the app of a node finds, in the store and in the model. */
struct found {
    const struct lia_collection *collection;
    struct lia_vector vector;
    struct sim_meant meant;
};

static liana_status find(struct sim_world *w,
                         int node,
                         struct lia_txn *txn,
                         uint32_t doc,
                         struct model_doc *state,
                         struct found *out)
{
    struct lia_doc before;
    struct lia_doc_info info;
    liana_status status =
        lia_txn_collection(txn, sim_collection(doc), true, &out->collection, NULL);

    if (!status) {
        status = lia_txn_get(txn, out->collection, sim_key(w, doc), &before, NULL);
    }
    if (status) {
        return status;
    }
    LIA_ASSERT(!lia_doc_info(&w->arena, before.clock, &info));
    out->vector = keep_vector(w, info.vector);
    if (!sim_oracle_is_split(w, doc)) {
        sim_oracle_note_upkeep(w, node, doc, out->vector, before);
    }
    sim_oracle_state(w, node, doc, out->vector, state);
    sim_oracle_check(w, node, doc, state, out->vector, before.body);
    return read_declared(txn, doc, &out->meant);
}

static bool is_of_the_disk(liana_status status)
{
    return status == LIANA_EIO || status == LIANA_ENOMEM || status == LIANA_EFULL;
}

/* Behind the oracle's back. */
static void damage(struct sim_world *w,
                   struct lia_txn *txn,
                   uint32_t doc,
                   const struct found *found)
{
    static const struct liana_str b = {"b", 1};
    struct lia_scratch scratch;
    const struct lia_op op = {
        .kind = LIA_OP_SET, .path = {&b, 1}, .value = lia_value_of_int64(-1, &scratch)};

    if (w->breakage == SIM_BREAK_FORGED ||
        (w->breakage == SIM_BREAK_SALES && doc < sim_first(1))) {
        LIA_IGNORE(lia_txn_apply(txn, found->collection, sim_key(w, doc), &op, 1, NULL,
                                 NULL)); /* it is damage */
    }
    w->oracle->count -= w->breakage == SIM_BREAK_HIDDEN;
}

liana_status sim_oracle_apply(struct sim_world *w,
                              int node,
                              struct lia_txn *txn,
                              uint32_t doc,
                              const struct lia_op *ops,
                              size_t count,
                              int64_t amount,
                              struct lia_change *out)
{
    static struct model_doc state;
    const struct lia_op *kept = keep_ops(w, ops, count);
    struct lia_stamp stamp = lia_txn_stamp(txn);
    struct lia_change change = {0};
    struct found found;
    liana_status expected;
    bool is_split;
    liana_status status = find(w, node, txn, doc, &state, &found);

    *out = change;
    if (status) {
        return status;
    }
    expected = w->breakage == SIM_BREAK_ANSWER
                   ? LIANA_ERANGE
                   : sim_oracle_mean(&state, &found.meant, kept, count, stamp);
    status = lia_txn_apply(txn, found.collection, sim_key(w, doc), ops, count, &change,
                           NULL);
    if (is_of_the_disk(status) || status == LIANA_ESCHEMA) {
        return status;
    }
    is_split = sim_oracle_is_split(w, doc);
    if (!is_split && !sim_is_lawless(w) &&
        (status != expected || (!status && change.changed != state.is_changed))) {
        sim_fail(w, "node %d: document %u: %s, where the law says %s", node, doc,
                 liana_status_name(status), liana_status_name(expected));
    }
    if (!status && change.changed) {
        struct sim_write *x;

        model_see(&state, stamp);
        x = sim_oracle_write(w, node, doc, &state, found.vector, stamp);
        x->amount = amount;
        x->life = life_of(w, x);
        x->is_unclear = is_split && (expected || !state.is_changed);
        damage(w, txn, doc, &found);
    }
    *out = change;
    return status;
}

liana_status sim_oracle_seed(struct sim_world *w,
                             int node,
                             struct lia_txn *txn,
                             uint32_t doc,
                             const struct lia_op *insert)
{
    static struct model_doc state;
    const struct lia_vector nothing = {NULL, 0};
    struct lia_op op = *insert;
    struct lia_stamp stamp;
    struct lia_doc made;
    struct found found;
    liana_status status = find(w, node, txn, doc, &state, &found);

    if (!status) {
        status =
            lia_txn_seed(txn, found.collection, sim_key(w, doc), insert, NULL, NULL);
    }
    if (status || sim_oracle_is_split(w, doc)) {
        return status;
    }
    op.shapes = found.meant.shapes;
    op.shape_count = found.meant.shape_count;
    LIA_ASSERT(
        !lia_doc_initial(&w->arena, sim_collection(doc), &op, &made, &stamp, NULL));
    model_clear(&state);
    state.arena = &w->arena;
    LIA_ASSERT(!sim_oracle_mean(&state, &found.meant, insert, 1, stamp));
    model_see(&state, stamp);
    sim_oracle_write(w, node, doc, &state, nothing, stamp)->is_seed = true;
    return LIANA_OK;
}

void sim_oracle_commit(struct sim_world *w, size_t txn, liana_status status)
{
    struct sim_oracle *o = w->oracle;

    if (!o) {
        return;
    }
    if (!w->txns[txn].is_certain && !w->txns[txn].is_open) {
        while (o->count > o->pending && !o->writes[o->count - 1].is_seed) {
            o->count--;
        }
    }
    for (size_t i = o->pending; i < o->count; i++) {
        struct sim_write *x = &o->writes[i];

        x->is_pending = false;
        x->txn = txn;
        x->is_certain = x->is_seed && !status && !sim_is_normal(w, x->node);
        if (sim_is_seats(x->doc) && !sim_oracle_is_split(w, x->doc)) {
            sim_seats_written(w, x->doc);
        }
    }
    o->pending = o->count;
}
