/* SPDX-License-Identifier: Apache-2.0 */
/* Operations on bounded counters. */
#include "base/error.h"
#include "crdt/testing/model_op.h"

static bool is_whole(struct lia_value v, int64_t *out)
{
    switch (v.type) {
    case LIA_BSON_INT32: *out = lia_value_int32(v); return true;
    case LIA_BSON_INT64: *out = lia_value_int64(v); return true;
    default: return false;
    }
}

/* The writer's share in a creation, begun if need be. */
static struct model_entry own_share(struct model_writer *w,
                                    const char *path,
                                    const struct model_entry *of)
{
    struct model_entry e = model_entry_new(w, MODEL_SHARE, path, false);
    const struct model_entry *old;

    e.start = of->start;
    e.rank.life = of->rank.life;
    old = model_find(w->d, &e);
    if (old) {
        struct lia_stamp stamp = e.rank.stamp;

        e = *old;
        e.rank.stamp = stamp;
        e.tag = stamp;
    }
    return e;
}

static void add_grant(struct model_writer *w,
                      struct model_entry *e,
                      uint64_t from,
                      uint64_t to,
                      int64_t amount)
{
    struct model_grant *grants =
        lia_arena_array(w->d->arena, e->grant_count + 1, sizeof(*grants));

    LIA_ASSERT(grants);
    for (size_t i = 0; i < e->grant_count; i++) {
        grants[i] = e->grants[i];
    }
    grants[e->grant_count++] = (struct model_grant){from, to, amount};
    e->grants = grants;
}

/* The oldest creation in the counter after this one. */
static const struct model_entry *next_creation(const struct model_doc *d,
                                               const char *path,
                                               struct lia_stamp after)
{
    const struct model_entry *next = NULL;

    for (size_t i = 0; i < d->count; i++) {
        const struct model_entry *e = &d->entries[i];

        if (e->kind == MODEL_SHARE && strcmp(e->path, path) == 0 &&
            lia_stamp_cmp(e->start, after) > 0 &&
            (!next || lia_stamp_cmp(e->start, next->start) < 0)) {
            next = e;
        }
    }
    return next;
}

/* Takes rights from `from`, of the oldest creation first: to another actor, or spent. */
static void use(struct model_writer *w,
                const char *path,
                uint64_t from,
                const uint64_t *to,
                int64_t amount)
{
    const struct model_entry *of = next_creation(w->d, path, LIA_STAMP_NONE);

    while (of && amount) {
        struct lia_stamp creation = of->start;
        int64_t rights = model_rights(w->d, path, from, &creation);
        int64_t part = rights < amount ? rights : amount;
        struct model_entry e = own_share(w, path, of);

        if (part > 0) {
            e.spent += to ? 0 : part;
            if (to) {
                add_grant(w, &e, from, *to, part);
            }
            model_put(w->d, &e, true);
            amount -= part;
        }
        of = next_creation(w->d, path, creation);
    }
}

liana_status model_increment_bounded(struct model_writer *w,
                                     const char *path,
                                     struct lia_value v,
                                     bool *out_changed)
{
    int64_t amount;
    struct model_entry e;

    if (!is_whole(v, &amount)) {
        return LIANA_ETYPE;
    }
    if (amount > 0) {
        e = own_share(w, path, next_creation(w->d, path, LIA_STAMP_NONE));
        e.granted += amount;
        model_put(w->d, &e, true);
    } else if (model_rights(w->d, path, w->stamp.actor, NULL) < -amount) {
        return LIANA_ERIGHTS;
    } else {
        use(w, path, w->stamp.actor, NULL, -amount);
    }
    *out_changed = amount != 0;
    return LIANA_OK;
}

liana_status model_begin_bounded(struct model_writer *w,
                                 struct model_entry e,
                                 struct lia_value v,
                                 int64_t bound)
{
    int64_t amount;

    if (!is_whole(v, &amount)) {
        return LIANA_ETYPE;
    }
    if (amount < bound) {
        return LIANA_EINVAL;
    }
    e.kind = MODEL_SHARE;
    e.start = w->stamp;
    e.bound = bound;
    e.granted = amount - bound;
    model_put(w->d, &e, true);
    return LIANA_OK;
}

liana_status model_bound(struct model_writer *w,
                         const struct lia_op *op,
                         const char *path)
{
    struct lia_scratch scratch;
    struct lia_value leaf;

    if (model_show(w->d, path, &scratch, &leaf) != MODEL_NOTHING) {
        return LIANA_ETYPE;
    }
    return model_begin_bounded(w, model_entry_new(w, MODEL_SHARE, path, false),
                               op->value, op->bound);
}

liana_status model_move(struct model_writer *w,
                        const struct lia_op *op,
                        const char *path,
                        bool *out_changed)
{
    struct lia_scratch scratch;
    struct lia_value leaf;
    bool is_transfer = op->kind == LIA_OP_TRANSFER;
    uint64_t from = is_transfer ? w->stamp.actor : op->actor;
    uint64_t to = is_transfer ? op->actor : w->stamp.actor;
    int64_t amount =
        is_transfer ? lia_value_int32(op->value) : model_rights(w->d, path, from, NULL);

    if (model_show(w->d, path, &scratch, &leaf) != MODEL_SHOWS_BOUNDED) {
        return LIANA_ETYPE;
    }
    if (from == to || (is_transfer && amount <= 0)) {
        return LIANA_EINVAL;
    }
    if (model_rights(w->d, path, from, NULL) < amount) {
        return LIANA_ERIGHTS;
    }
    *out_changed = amount > 0;
    use(w, path, from, &to, amount);
    return LIANA_OK;
}
