/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes to bounded counters.
 */
#include "crdt/bounded.h"
#include "crdt/clock.h"
#include "crdt/op.h"

static liana_status no_counter(struct lia_writer *w,
                               struct lia_path path,
                               const char *what)
{
    char text[LIA_PATH_TEXT];

    return lia_err(w->work->err, LIANA_ETYPE, "%s %s", lia_path_text(path, text), what);
}

liana_status lia_op_check_unbounded(struct lia_writer *w,
                                    struct lia_path path,
                                    const struct lia_node *node)
{
    return node->view.shown == LIA_SHOWN_BOUNDED
               ? no_counter(w, path,
                            "is a bounded counter: it ends with its document, or with "
                            "an assignment above it")
               : LIANA_OK;
}

/* An amount of whole numbers. */
static liana_status read_amount(struct lia_writer *w,
                                const struct lia_op *op,
                                int64_t *out)
{
    switch (op->value.type) {
    case LIA_BSON_INT32: *out = lia_value_int32(op->value); return LIANA_OK;
    case LIA_BSON_INT64: *out = lia_value_int64(op->value); return LIANA_OK;
    default: return no_counter(w, op->path, "counts whole numbers of at most 64 bits");
    }
}

static struct lia_share_write written(struct lia_writer *w, const struct lia_node *node)
{
    return (struct lia_share_write){w->stamp, w->state->created, lia_op_birth(w, node)};
}

/* Of the function that has written, with the path. */
static liana_status done(struct lia_writer *w,
                         const struct lia_op *op,
                         const struct lia_node *node,
                         int64_t amount,
                         liana_status status)
{
    char text[LIA_PATH_TEXT];
    lia_int128 rights;

    switch (status) {
    case LIANA_OK: w->is_changed = true; return LIANA_OK;
    case LIANA_ERIGHTS:
        rights = lia_bounded_rights(node->bounded, w->stamp.actor);
        return lia_err(w->work->err, status, "%s: %lld asked for, %lld are left here",
                       lia_path_text(op->path, text), (long long)amount,
                       (long long)rights);
    case LIANA_ERANGE:
        return lia_err(w->work->err, status, "%s: a total beyond 64 bits",
                       lia_path_text(op->path, text));
    default: return lia_err_plain(w->work->err, status);
    }
}

liana_status lia_op_begin_bounded(struct lia_writer *w,
                                  const struct lia_op *op,
                                  struct lia_node *node,
                                  struct lia_birth birth)
{
    const struct lia_share_write by = {w->stamp, w->state->created, birth};
    int64_t value = 0;
    liana_status status = read_amount(w, op, &value);

    if (!status && value < op->bound) {
        status = lia_err(w->work->err, LIANA_EINVAL,
                         "a bounded counter cannot begin below its bound");
    }
    return status ? status
                  : done(w, op, node, value,
                         lia_bounded_create(w->work, node, &by, value, op->bound));
}

liana_status lia_op_bound(struct lia_writer *w, const struct lia_op *op)
{
    struct lia_node *node;
    struct lia_rank cover;
    liana_status status = lia_op_reach(w, op->path, &node, &cover);

    if (!status && node->view.shown != LIA_SHOWN_NOTHING) {
        status = no_counter(w, op->path, "shows something already");
    }
    return status ? status : lia_op_begin_bounded(w, op, node, lia_op_birth(w, node));
}

liana_status lia_op_increment_bounded(struct lia_writer *w,
                                      const struct lia_op *op,
                                      struct lia_node *node)
{
    struct lia_share_write by = written(w, node);
    int64_t amount = 0;
    liana_status status = read_amount(w, op, &amount);

    if (status || amount == 0) {
        return status;
    }
    if (amount > 0) {
        status = lia_bounded_grant(w->work, node, &by, amount);
    } else if (amount == INT64_MIN) {
        status = LIANA_ERANGE;
    } else {
        amount = -amount;
        status = lia_bounded_spend(w->work, node, &by, amount);
    }
    return done(w, op, node, amount, status);
}

/* The counter that rights are moved in. */
static liana_status find_counter(struct lia_writer *w,
                                 const struct lia_op *op,
                                 struct lia_node **out)
{
    liana_status status = lia_op_find(w, op->path, out);

    if (!status && (!*out || (*out)->view.shown != LIA_SHOWN_BOUNDED)) {
        status = no_counter(w, op->path, "is no bounded counter");
    }
    if (!status && op->actor == w->stamp.actor) {
        status = lia_err(w->work->err, LIANA_EINVAL, "the actor's own rights");
    }
    return status;
}

liana_status lia_op_transfer(struct lia_writer *w, const struct lia_op *op)
{
    struct lia_node *node;
    struct lia_share_write by;
    int64_t amount;
    liana_status status = find_counter(w, op, &node);

    if (!status) {
        status = read_amount(w, op, &amount);
    }
    if (!status && amount <= 0) {
        status = lia_err(w->work->err, LIANA_EINVAL, "a transfer of nothing");
    }
    if (status) {
        return status;
    }
    by = written(w, node);
    return done(w, op, node, amount,
                lia_bounded_give(w->work, node, &by, amount, op->actor));
}

liana_status lia_op_reclaim(struct lia_writer *w, const struct lia_op *op)
{
    struct lia_node *node;
    struct lia_share_write by;
    liana_status status = find_counter(w, op, &node);

    if (status || lia_bounded_rights(node->bounded, op->actor) <= 0) {
        return status;
    }
    by = written(w, node);
    return done(w, op, node, 0, lia_bounded_take(w->work, node, &by, op->actor));
}

/* ---- asking ---- */

static int64_t clamp(lia_int128 n)
{
    return n > INT64_MAX ? INT64_MAX : n < INT64_MIN ? INT64_MIN : (int64_t)n;
}

/* The counter that the path of a document shows. */
static liana_status find_shown(struct lia_writer *reader,
                               struct lia_doc doc,
                               struct lia_path path,
                               const struct lia_bounded **out)
{
    struct lia_node *node = NULL;
    liana_status status = lia_doc_read(reader->work, doc, reader->state);

    if (!status) {
        status = lia_op_find(reader, path, &node);
    }
    if (!status && (!node || reader->state->is_hidden)) {
        status = lia_err_plain(reader->work->err, LIANA_ENOTFOUND);
    }
    if (!status && node->view.shown != LIA_SHOWN_BOUNDED) {
        status = no_counter(reader, path, "is no bounded counter");
    }
    if (!status) {
        *out = node->bounded;
    }
    return status;
}

liana_status lia_doc_bounded(struct lia_arena *arena,
                             struct lia_doc doc,
                             struct lia_path path,
                             uint64_t actor,
                             struct lia_bounded_info *out,
                             struct liana_error *err)
{
    struct lia_work work = {.arena = arena, .err = err};
    struct lia_state state;
    struct lia_writer reader = {.work = &work, .state = &state};
    const struct lia_bounded *bounded = NULL;
    liana_status status = find_shown(&reader, doc, path, &bounded);

    if (!status) {
        *out = (struct lia_bounded_info){clamp(lia_bounded_value(bounded)),
                                         clamp(lia_bounded_bound(bounded)),
                                         clamp(lia_bounded_rights(bounded, actor))};
    }
    return status;
}

liana_status lia_doc_rights(struct lia_arena *arena,
                            struct lia_doc doc,
                            struct lia_path path,
                            const struct lia_rights **out,
                            size_t *out_count,
                            struct liana_error *err)
{
    struct lia_work work = {.arena = arena, .err = err};
    struct lia_state state;
    struct lia_writer reader = {.work = &work, .state = &state};
    const struct lia_bounded *bounded = NULL;
    const uint64_t *actors;
    struct lia_rights *rights;
    size_t actor_count = 0;
    size_t count = 0;
    liana_status status = find_shown(&reader, doc, path, &bounded);

    if (status) {
        return status;
    }
    actors = lia_bounded_actors(arena, bounded, &actor_count);
    rights = actors ? lia_arena_array(arena, actor_count, sizeof(*rights)) : NULL;
    if (!rights) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    for (size_t i = 0; i < actor_count; i++) {
        rights[count] = (struct lia_rights){
            actors[i], clamp(lia_bounded_rights(bounded, actors[i]))};
        count += rights[count].amount != 0;
    }
    *out = rights;
    *out_count = count;
    return LIANA_OK;
}
