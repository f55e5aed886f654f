/* SPDX-License-Identifier: Apache-2.0 */
/* What a peer of a history writes. */
#include <stdio.h>

#include "base/error.h"
#include "crdt/testing/ops.h"
#include "crdt/testing/world.h"

/* As a database does it that applies statement by statement. */
static liana_status apply_one_by_one(struct world *w,
                                     struct lia_doc *doc,
                                     const struct lia_op *ops,
                                     size_t count,
                                     struct lia_stamp stamp)
{
    struct lia_doc before_delete = *doc;
    struct lia_doc now = *doc;

    for (size_t i = 0; i < count; i++) {
        struct lia_op op = ops[i];
        struct lia_doc next;
        liana_status status = lia_doc_apply(&w->arena, now, &op, 1, stamp, &next, NULL);

        if (status == LIANA_EMISUSE) {
            op.kind = LIA_OP_REPLACE;
            status =
                lia_doc_apply(&w->arena, before_delete, &op, 1, stamp, &next, NULL);
        }
        if (status) {
            return status;
        }
        if (op.kind == LIA_OP_DELETE && now.body.len) {
            before_delete = now;
        }
        now = next;
    }
    *doc = now;
    return LIANA_OK;
}

/* Clocks differ; where lives meet, what counts is which of them is ahead. Among small
 * numbers jumps are small, so that the order changes often; those of today are of
 * milliseconds, hours and years. */
static uint64_t jump(struct world *w)
{
    static const uint64_t units[] = {1, 3600 * 1000, UINT64_C(31536000) * 1000};
    bool is_far = world_below(w, w->history->is_about_lives ? 2 : 4) == 0;

    uint64_t ms;

    if (!is_far) {
        return 0;
    }
    ms = world_below(w, 30) * (w->history->is_of_today ? units[world_below(w, 3)] : 1);
    w->met |= MET(JUMP) | (ms > 24 * units[1] ? MET(FAR_JUMP) : 0);
    return ms << 16;
}

/* A verdict is about some life, or all that was written up to some time. */
static struct lia_stamp some_stamp(struct world *w, const struct model_doc *model)
{
    if (model->count == 0 || world_below(w, 2)) {
        return model->created;
    }
    return model->entries[world_below(w, model->count)].rank.stamp;
}

static struct op_maker op_maker(struct world *w, size_t peer, size_t key)
{
    const struct history *h = w->history;
    const struct copy *c = &w->peers[peer].now.copies[key];
    struct op_maker maker = {.arena = &w->arena,
                             .rng = &w->rng,
                             .is_about_counters = h->is_about_counters,
                             .is_about_lives = h->is_about_lives,
                             .is_about_sets = h->is_about_sets,
                             .is_about_bounds = h->is_about_bounds,
                             .is_about_falls = h->is_about_falls,
                             .actor = w->peers[world_below(w, PEERS)].now.actor};

    /* One peer takes rights back, and only when it has seen all. */
    if (peer == 0 && w->retired_count[key]) {
        struct lia_stamp last = w->retired[key][world_below(w, w->retired_count[key])];

        maker.retired =
            lia_vector_covers(model_vector(&c->model), last) ? last.actor : 0;
    }
    return maker;
}

static uint64_t kinds_of(const struct lia_op *op)
{
    static const uint64_t kinds[] = {
        [LIA_OP_INCREMENT] = MET(INCREMENT), [LIA_OP_RESTART] = MET(RESTART),
        [LIA_OP_ADD] = MET(ELEMENT),         [LIA_OP_REMOVE] = MET(ELEMENT),
        [LIA_OP_BOUND] = MET(BOUND),         [LIA_OP_TRANSFER] = MET(TRANSFER),
        [LIA_OP_RECLAIM] = MET(RECLAIM),     [LIA_OP_DELETE] = MET(DELETE)};
    uint64_t met = kinds[op->kind] | (op->shape_count ? MET(SHAPE) : 0);

    for (size_t i = 0; i < op->shape_count; i++) {
        met |= op->shapes[i].kind == LIA_SHAPE_BOUNDED ? MET(BOUND) : 0;
    }
    if (op->kind == LIA_OP_DELETE) {
        met = op->mode == LIA_UPDATE_WINS ? MET(WITHDRAW) : MET(DELETE);
        met |= lia_stamp_is_none(op->effect) ? 0 : MET(VERDICT);
    }
    return met;
}

/* What a transaction that was written was about. */
static void note_write(struct world *w,
                       size_t peer,
                       size_t key,
                       const struct lia_op *ops,
                       size_t count)
{
    const struct peer *p = &w->peers[peer];
    const struct model_doc *before = &p->now.copies[key].model;

    for (size_t i = 0; i < count; i++) {
        w->met |= kinds_of(&ops[i]);
        if (ops[i].kind == LIA_OP_INSERT && before->vector_count) {
            w->met |= MET(INSERT_AGAIN);
        }
    }
    w->writers[key] |= 1U << peer;
    if (__builtin_popcount(w->writers[key]) >= 3) {
        w->met |= MET(THREE_WRITERS);
    }
    if (p->is_fallen && p->now.actor == p->saved.actor) {
        w->met |= MET(FORK);
    }
    if (w->evicted[key] >> peer & 1) {
        w->met |= MET(WRITE_ANEW);
    }
}

const char *world_transact(struct world *w, size_t peer, size_t key)
{
    static struct model_doc model;
    static struct model_doc before_delete;
    struct peer *p = &w->peers[peer];
    struct copy *c = &p->now.copies[key];
    struct lia_op ops[OPS_MAX];
    struct liana_str storage[OPS_MAX][3];
    size_t count = world_below(w, 3) ? 1 : 1 + world_below(w, OPS_MAX);
    struct lia_stamp stamp = {p->now.last + 1 + jump(w), p->now.actor};
    struct lia_doc doc = c->doc;
    liana_status expected = LIANA_OK;
    liana_status got;
    struct op_maker maker = op_maker(w, peer, key);

    maker.verdict = count == 1 ? some_stamp(w, &c->model) : LIA_STAMP_NONE;
    model_copy(&model, &c->model);
    model.arena = &w->arena;
    model.is_changed = false;
    if (w->is_told) {
        printf("  peer %zu, document %zu, stamp (%lu, %lu)\n", peer, key,
               (unsigned long)stamp.hlc, (unsigned long)stamp.actor);
    }
    for (size_t i = 0; i < count; i++) {
        ops[i] = op_random(&maker, model_exists(&model), storage[i]);
        if (w->is_told) {
            op_tell(&ops[i]);
        }
        if (!expected) {
            expected = model_apply(&model, &before_delete, &ops[i], stamp);
        }
    }
    if (world_below(w, 2)) {
        got = lia_doc_apply(&w->arena, c->doc, ops, count, stamp, &doc, NULL);
    } else {
        got = apply_one_by_one(w, &doc, ops, count, stamp);
    }
    if (got != expected) {
        return world_fail(w, "another status than the model's");
    }
    if (got) {
        w->met |= got == LIANA_ERIGHTS ? MET(NO_RIGHTS) : 0;
        return NULL;
    }
    if (model.is_changed) {
        note_write(w, peer, key, ops, count);
        model_see(&model, stamp);
        p->now.last = stamp.hlc;
    } else if (!world_is_equal(doc, c->doc)) {
        return world_fail(w, "nothing was written and the document changed");
    }
    model_copy(&c->model, &model);
    c->doc = doc;
    return world_check(w, peer, key);
}
