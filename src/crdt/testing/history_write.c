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

    if (!is_far) {
        return 0;
    }
    return world_below(w, 30) * (w->history->is_of_today ? units[world_below(w, 3)] : 1)
           << 16;
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
    const struct copy *c = &w->peers[peer].copies[key];
    struct op_maker maker = {.arena = &w->arena,
                             .rng = &w->rng,
                             .is_about_counters = h->is_about_counters,
                             .is_about_lives = h->is_about_lives,
                             .is_about_sets = h->is_about_sets,
                             .is_about_bounds = h->is_about_bounds,
                             .is_about_falls = h->is_about_falls,
                             .actor = w->peers[world_below(w, PEERS)].actor};

    /* One peer takes rights back, and only when it has seen all. */
    if (peer == 0 && w->retired_count[key]) {
        struct lia_stamp last = w->retired[key][world_below(w, w->retired_count[key])];

        maker.retired =
            lia_vector_covers(model_vector(&c->model), last) ? last.actor : 0;
    }
    return maker;
}

const char *world_transact(struct world *w, size_t peer, size_t key)
{
    static struct model_doc model;
    static struct model_doc before_delete;
    struct peer *p = &w->peers[peer];
    struct copy *c = &p->copies[key];
    struct lia_op ops[OPS_MAX];
    struct liana_str storage[OPS_MAX][3];
    size_t count = world_below(w, 3) ? 1 : 1 + world_below(w, OPS_MAX);
    struct lia_stamp stamp = {p->last + 1 + jump(w), p->actor};
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
        return NULL;
    }
    if (model.is_changed) {
        model_see(&model, stamp);
        p->last = stamp.hlc;
    } else if (!world_is_equal(doc, c->doc)) {
        return world_fail(w, "nothing was written and the document changed");
    }
    model_copy(&c->model, &model);
    c->doc = doc;
    return world_check(w, peer, key);
}
