/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a merge takes from sight is told: an entry that one side showed and the other had
 * not seen, and that the joined document does not show.
 */
#include <stdio.h>

#include "base/error.h"
#include "crdt/testing/world.h"

/* ---- what is told ---- */

void world_note_loser(void *ctx, const struct lia_loser *loser)
{
    struct losses *losses = ctx;
    struct loss *loss = &losses->all[losses->count];
    size_t len = 0;

    LIA_ASSERT(losses->count < LOSSES_MAX);
    for (size_t i = 0; i < loser->path.count; i++) {
        struct liana_str name = loser->path.names[i];

        LIA_ASSERT(len + name.len + 2 <= MODEL_PATH_MAX);
        if (i) {
            loss->path[len++] = '/';
        }
        memcpy(loss->path + len, name.ptr, name.len);
        len += name.len;
    }
    loss->path[len] = '\0';
    loss->stamp = loser->stamp;
    losses->count++;
}

/* A value is told with all that is below it where a run of fields goes. */
static bool is_told(const struct losses *losses, const struct model_entry *e)
{
    for (size_t i = 0; i < losses->count; i++) {
        const struct loss *loss = &losses->all[i];

        if (lia_stamp_cmp(loss->stamp, e->rank.stamp) == 0 &&
            (strcmp(loss->path, e->path) == 0 || model_is_below(e->path, loss->path))) {
            return true;
        }
    }
    return false;
}

/* ---- what is shown ---- */

/* The maps above the path are. */
static bool is_reached(const struct model_doc *d, const char *path)
{
    struct lia_scratch scratch;
    struct lia_value leaf;
    char above[MODEL_PATH_MAX];

    for (size_t i = 0; path[i]; i++) {
        if (path[i] == '/') {
            memcpy(above, path, i);
            above[i] = '\0';
            if (model_show(d, above, &scratch, &leaf) != MODEL_SHOWS_MAP) {
                return false;
            }
        }
    }
    return model_exists(d);
}

static const struct model_entry *value_at(const struct model_doc *d, const char *path)
{
    for (size_t i = 0; i < d->count; i++) {
        if (d->entries[i].kind == MODEL_VALUE && !strcmp(d->entries[i].path, path)) {
            return &d->entries[i];
        }
    }
    return NULL;
}

/* The value beside the sum has seen all of it. */
static bool is_seen(const struct model_doc *d, const struct model_entry *sum)
{
    const struct model_entry *value = value_at(d, sum->path);

    for (size_t i = 0; value && i < value->seen_count; i++) {
        const struct model_seen *seen = &value->seen[i];
        int order = lia_stamp_cmp(sum->start, seen->start);

        if (seen->actor == sum->rank.stamp.actor &&
            (order < 0 || (order == 0 && model_sum_cmp(sum->sum, seen->sum) == 0))) {
            return true;
        }
    }
    return false;
}

/* What is shown would be another number without the sum. */
static bool adds_up(const struct model_doc *d, const struct model_entry *sum)
{
    const struct model_entry *value = value_at(d, sum->path);
    bool is_other =
        value && value->value == MODEL_LEAF && !lia_value_is_number(value->leaf);

    return !is_other && !is_seen(d, sum);
}

static bool is_shown(const struct model_doc *d, const struct model_entry *e)
{
    struct lia_scratch scratch;
    struct lia_value leaf;
    enum model_shown shown = model_show(d, e->path, &scratch, &leaf);

    if (!is_reached(d, e->path)) {
        return false;
    }
    switch (e->kind) {
    case MODEL_VALUE: return shown == MODEL_SHOWS_LEAF && e->value == MODEL_LEAF;
    case MODEL_ADDED: return shown == MODEL_SHOWS_SET && model_has(d, e->path, e->leaf);
    case MODEL_SHARE: return shown == MODEL_SHOWS_BOUNDED;
    case MODEL_SUM: return shown == MODEL_SHOWS_LEAF && adds_up(d, e);
    default: return false;
    }
}

/* Something else was assigned to the same path, and is the same. */
static bool is_said_again(const struct model_doc *d, const struct model_entry *e)
{
    const struct model_entry *value = value_at(d, e->path);

    return e->kind == MODEL_VALUE && value && value->value == MODEL_LEAF &&
           lia_value_equal(value->leaf, e->leaf);
}

/* The entry, or a later total or addition of its actor, is shown, or was seen by what is. */
static bool is_kept(const struct model_doc *d, const struct model_entry *e)
{
    for (size_t i = 0; i < d->count; i++) {
        const struct model_entry *other = &d->entries[i];
        bool is_same = other->kind == e->kind && !strcmp(other->path, e->path) &&
                       other->rank.stamp.actor == e->rank.stamp.actor;

        if (is_same && (e->kind != MODEL_VALUE ||
                        lia_stamp_cmp(other->rank.stamp, e->rank.stamp) == 0)) {
            return is_shown(d, other) || (e->kind == MODEL_SUM && is_seen(d, other));
        }
    }
    return false;
}

/* What had come back above a delete over which updates win, and goes with the update that
 * brought it: its own side knew that delete. */
static bool is_gone_again(const struct model_doc *one, const struct model_doc *joined)
{
    return !model_exists(joined) && !lia_stamp_is_none(joined->created) &&
           lia_stamp_cmp(one->withdrawn, joined->withdrawn) == 0;
}

/* What `one` showed and `other` had not seen. */
static const char *check_side(struct world *w,
                              const struct model_doc *one,
                              const struct model_doc *other,
                              const struct model_doc *joined,
                              const struct losses *losses)
{
    for (size_t i = 0; i < one->count && !is_gone_again(one, joined); i++) {
        const struct model_entry *e = &one->entries[i];

        if (!lia_vector_covers(model_vector(other), e->tag) && is_shown(one, e) &&
            !is_kept(joined, e) && !is_said_again(joined, e) && !is_told(losses, e)) {
            if (w->is_told) {
                printf("    out of sight: %s, kind %d, stamp (%lu, %lu)\n", e->path,
                       (int)e->kind, (unsigned long)e->rank.stamp.hlc,
                       (unsigned long)e->rank.stamp.actor);
            }
            return world_fail(w, "a write is out of sight and not told");
        }
    }
    return NULL;
}

const char *world_check_losses(struct world *w,
                               const struct model_doc *before,
                               const struct model_doc *segment,
                               const struct model_doc *joined,
                               const struct losses *losses)
{
    const char *why = check_side(w, before, segment, joined, losses);

    if (!why && segment->from_count == 0) {
        why = check_side(w, segment, before, joined, losses);
    }
    return why;
}
