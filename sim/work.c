/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/work.h"

#include <stdio.h>

#include "sim/keepers.h"
#include "sim/oracle.h"

static struct lia_vector vector_of(struct sim_world *w, struct lia_doc doc)
{
    struct lia_doc_info info;

    LIA_ASSERT(!lia_doc_info(&w->arena, doc.clock, &info));
    return info.vector;
}

/* Notes the document if the operation changed something. */
static void put(struct sim_world *w,
                struct sim_work *x,
                uint32_t doc,
                const struct lia_op *op,
                int64_t amount)
{
    const struct lia_collection *collection;
    struct lia_change change = {0};

    if (x->status) {
        return;
    }
    x->status =
        lia_txn_collection(x->txn, sim_collection(doc), true, &collection, NULL);
    if (!x->status && w->oracle && sim_is_watched(doc)) {
        x->status = sim_oracle_apply(w, x->node, x->txn, doc, op, 1, 0, &change);
    } else if (!x->status && op->kind == LIA_OP_INSERT) {
        x->status = lia_txn_insert(x->txn, collection, op->value.data, &change, NULL);
    } else if (!x->status) {
        x->status =
            lia_txn_apply(x->txn, collection, sim_key(w, doc), op, 1, &change, NULL);
    }
    if (!x->status && change.changed) {
        x->log->docs[x->log->count] = doc;
        x->log->kinds[x->log->count] = op->kind;
        if (op->kind == LIA_OP_DELETE) {
            x->log->seen[x->log->count] = vector_of(w, change.before);
            w->deletes[doc]++;
        }
        x->log->amounts[x->log->count++] = amount;
    }
}

const char *sim_life_name(uint32_t number, char out[SIM_LIFE_NAME])
{
    snprintf(out, SIM_LIFE_NAME, "l%u", (unsigned)number);
    return out;
}

/* Where sales are deleted and begun anew, each life has a field that no other has. */
static void add_life(struct sim_world *w,
                     struct sim_work *x,
                     uint32_t doc,
                     struct lia_buf *buf)
{
    char name[SIM_LIFE_NAME];

    if (sim_has_keepers(w) && doc < sim_first(1)) {
        x->log->begun[x->log->count] = ++w->lives;
        lia_bson_add_null(buf, lia_str(sim_life_name(w->lives, name)));
    }
}

static void insert(struct sim_world *w,
                   struct sim_work *x,
                   uint32_t doc,
                   const char *field,
                   int64_t v)
{
    struct lia_op op = {.kind = LIA_OP_INSERT};
    struct lia_buf buf;
    size_t mark;

    lia_buf_init(&buf, &lia_mem_libc);
    mark = lia_bson_begin(&buf);
    lia_bson_add_int32(&buf, lia_str("_id"), (int32_t)doc);
    lia_bson_add_str(&buf, lia_str("text"),
                     lia_str("WHITE HANGING HEART T-LIGHT HOLDER"));
    lia_bson_add_int64(&buf, lia_str(field), v);
    add_life(w, x, doc, &buf);
    lia_bson_end(&buf, mark);
    op.value = (struct lia_value){LIA_BSON_DOCUMENT, lia_buf_slice(&buf)};
    put(w, x, doc, &op, 0);
    lia_buf_deinit(&buf);
}

static void modify(struct sim_world *w,
                   struct sim_work *x,
                   uint32_t doc,
                   enum lia_op_kind kind,
                   const char *field,
                   int64_t v)
{
    struct liana_str name = lia_str(field);
    struct lia_scratch scratch;
    struct lia_op op = {
        .kind = kind, .path = {&name, 1}, .value = lia_value_of_int64(v, &scratch)};

    put(w, x, doc, &op, kind == LIA_OP_INCREMENT ? v : 0);
}

static bool holds(struct sim_world *w, int node, uint32_t doc)
{
    return w->nodes[node].seen[doc].is_held;
}

/* It fails only when the disk does. */
static liana_status commit(struct sim_world *w, int node, struct sim_work *x)
{
    liana_status status = x->status;

    x->log->stamp = lia_txn_stamp(x->txn);
    x->log->node = node;
    if (status) {
        lia_txn_rollback(x->txn);
    } else {
        status = lia_txn_commit(x->txn, NULL, NULL);
    }
    x->log->is_certain = status == LIANA_OK && !sim_is_normal(w, node);
    x->log->is_open = status == LIANA_OK && x->log->count && sim_is_normal(w, node);
    if (status && status != LIANA_ENOTFOUND && status != LIANA_EEXISTS) {
        x->log->is_open = true;
        w->nodes[node].is_failing = true;
    }
    return status;
}

static bool begin(struct sim_world *w, int node, struct sim_work *x)
{
    struct lia_txn_options options = lia_txn_options(w->nodes[node].db, LIA_WRITE);
    liana_status status;

    LIA_ASSERT(w->txn_count < SIM_TXNS);
    *x = (struct sim_work){.node = node, .log = &w->txns[w->txn_count]};
    *x->log = (struct sim_txn){0};
    options.wait_ms = 0;
    status = lia_txn_begin(w->nodes[node].db, &options, &x->txn, NULL);
    w->nodes[node].is_failing = w->nodes[node].is_failing || status == LIANA_EIO;
    return status == LIANA_OK;
}

static void finish(struct sim_world *w, int node, struct sim_work *x)
{
    liana_status status = commit(w, node, x);

    sim_oracle_commit(w, w->txn_count, status);
    if (x->log->is_certain || x->log->is_open) {
        w->txn_count++;
    }
    sim_note(w, "node %d: wrote %zu documents, %s", node, x->log->count,
             liana_status_name(status));
    sim_check_commits(w, node);
    sim_node_outputs(w, node);
}

/* The back office inserts the catalogue. */
void sim_work_start(struct sim_world *w)
{
    int office = (int)w->knobs.nodes - 1;

    if (w->oracle) {
        sim_work_declare(w, office, "CREATE COLLECTION desk (s SET, r REGISTER)");
        sim_work_declare(w, office, "CREATE COLLECTION seats (n COUNTER MIN 2)");
    }
    for (uint32_t i = 0; i < SIM_STOCK; i++) {
        struct sim_work x;

        LIA_ASSERT(begin(w, office, &x));
        insert(w, &x, SIM_SALES + i, "onHand", SIM_ON_HAND);
        finish(w, office, &x);
    }
}

static bool is_gone(struct sim_world *w, int node, uint32_t doc)
{
    return sim_was_deleted(w, doc) &&
           (!holds(w, node, doc) || w->nodes[node].seen[doc].is_dead);
}

static void sell(struct sim_world *w, int node, struct sim_work *x)
{
    uint32_t old = (uint32_t)sim_draw(w, w->sales);

    if (is_gone(w, node, old) && sim_chance(w, 300)) {
        insert(w, x, old, "till", node);
    } else if (w->sales == 0 || (w->sales < SIM_SALES && sim_chance(w, 600))) {
        insert(w, x, w->sales++, "till", node);
    } else if (holds(w, node, old)) {
        int64_t till = (int64_t)sim_draw(w, 100);

        modify(w, x, old, sim_chance(w, 700) ? LIA_OP_SET : LIA_OP_DELETE, "till",
               till);
    }
}

static void serve(struct sim_world *w, int node)
{
    struct sim_work x;

    if (sim_chance(w, 40)) {
        sim_work_redeclare(w, node);
    } else if (begin(w, node, &x)) {
        sim_work_desk(w, node, &x);
        finish(w, node, &x);
    }
}

void sim_work_write(struct sim_world *w, int node)
{
    uint64_t lines = sim_draw(w, SIM_TOUCH);
    struct sim_work x;

    if (!w->nodes[node].is_up || w->txn_count + 2 >= SIM_TXNS ||
        !holds(w, node, SIM_SALES)) {
        return;
    }
    if (w->oracle && sim_chance(w, 500)) {
        serve(w, node);
        return;
    }
    if (!begin(w, node, &x)) {
        return;
    }
    sell(w, node, &x);
    if (w->breakage == SIM_BREAK_TORN && x.log->count) {
        struct lia_stamp stamp = lia_txn_stamp(x.txn);

        LIA_IGNORE(lia_txn_commit(x.txn, NULL, NULL)); /* it is damage anyway */
        LIA_ASSERT(!lia_txn_begin(w->nodes[node].db,
                                  &(struct lia_txn_options){.kind = LIA_WRITE}, &x.txn,
                                  NULL));
        (void)stamp;
    }
    for (uint64_t i = 0; i < lines; i++) {
        int64_t sold = 1 + (int64_t)sim_draw(w, 9);

        modify(w, &x, SIM_SALES + (uint32_t)sim_draw(w, SIM_STOCK), LIA_OP_INCREMENT,
               "onHand", -sold);
        if (w->breakage == SIM_BREAK_TWICE && x.log->count) {
            x.log->amounts[x.log->count - 1] *= 2;
        }
    }
    finish(w, node, &x);
}
