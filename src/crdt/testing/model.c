/* SPDX-License-Identifier: Apache-2.0 */
#include "crdt/testing/model.h"

#include "base/error.h"

int model_rank_cmp(struct model_rank a, struct model_rank b)
{
    int order = lia_stamp_cmp(a.life, b.life);

    return order ? order : lia_stamp_cmp(a.stamp, b.stamp);
}

bool model_is_below(const char *a, const char *b)
{
    size_t n = strlen(b);

    return n == 0 ? a[0] != '\0' : strncmp(a, b, n) == 0 && a[n] == '/';
}

struct model_rank model_cover(const struct model_doc *d,
                              const char *path,
                              bool is_inclusive)
{
    struct model_rank cover = {{0, 0}, {0, 0}};

    for (size_t i = 0; i < d->count; i++) {
        const struct model_entry *e = &d->entries[i];
        bool is_above = model_is_below(path, e->path) ||
                        (is_inclusive && strcmp(path, e->path) == 0);

        if (e->kind == MODEL_VALUE && is_above && model_rank_cmp(e->rank, cover) > 0) {
            cover = e->rank;
        }
    }
    return cover;
}

struct model_entry *model_find(struct model_doc *d,
                               enum model_kind kind,
                               const char *path,
                               uint64_t actor)
{
    for (size_t i = 0; i < d->count; i++) {
        struct model_entry *e = &d->entries[i];

        if (e->kind == kind && strcmp(e->path, path) == 0 &&
            (kind != MODEL_SUM || e->rank.stamp.actor == actor)) {
            return e;
        }
    }
    return NULL;
}

void model_put(struct model_doc *d, const struct model_entry *e, bool is_local)
{
    struct model_entry *old = model_find(d, e->kind, e->path, e->rank.stamp.actor);

    if (!old) {
        LIA_ASSERT(d->count < MODEL_ENTRIES_MAX);
        d->entries[d->count++] = *e;
    } else if (is_local || model_rank_cmp(e->rank, old->rank) > 0) {
        *old = *e;
    }
}

void model_remove(struct model_doc *d, size_t index)
{
    d->entries[index] = d->entries[--d->count];
}

static bool is_covered(const struct model_doc *d, const struct model_entry *e)
{
    struct model_rank cover = model_cover(d, e->path, e->kind == MODEL_OPEN);

    return e->kind != MODEL_SUM && model_rank_cmp(e->rank, cover) < 0;
}

void model_normalize(struct model_doc *d)
{
    for (size_t i = d->count; i-- > 0;) {
        if (lia_stamp_cmp(d->entries[i].rank.life, d->deleted) <= 0) {
            model_remove(d, i);
        }
    }
    for (size_t i = d->count; i-- > 0;) {
        /* What covers is greater, so the order of dropping does not matter. */
        if (is_covered(d, &d->entries[i])) {
            model_remove(d, i);
        }
    }
    if (lia_stamp_cmp(d->created, d->deleted) <= 0) {
        d->created = LIA_STAMP_NONE;
        d->has_life = false;
    }
}

static void see(struct lia_vector_entry *v, size_t *count, struct lia_stamp s)
{
    size_t i = 0;

    while (i < *count && v[i].actor < s.actor) {
        i++;
    }
    if (i == *count || v[i].actor != s.actor) {
        LIA_ASSERT(*count < MODEL_ACTORS_MAX);
        memmove(&v[i + 1], &v[i], (*count - i) * sizeof(*v));
        v[i] = (struct lia_vector_entry){s.actor, 0};
        (*count)++;
    }
    if (v[i].hlc < s.hlc) {
        v[i].hlc = s.hlc;
    }
}

void model_see(struct model_doc *d, struct lia_stamp s)
{
    see(d->vector, &d->vector_count, s);
}

static void join(struct model_doc *d, const struct model_doc *s)
{
    for (size_t i = 0; i < s->count; i++) {
        model_put(d, &s->entries[i], false);
    }
    for (size_t i = 0; i < s->vector_count; i++) {
        model_see(d, (struct lia_stamp){s->vector[i].hlc, s->vector[i].actor});
    }
    if (lia_stamp_cmp(s->deleted, d->deleted) > 0) {
        d->deleted = s->deleted;
    }
    if (lia_stamp_cmp(s->created, d->created) > 0 ||
        (lia_stamp_cmp(s->created, d->created) == 0 && s->has_life)) {
        d->created = s->created;
        d->has_life = s->has_life;
        d->id = s->id;
    }
    model_normalize(d);
}

bool model_merge(struct model_doc *d, const struct model_doc *segment)
{
    if (!lia_vector_geq(model_vector(d), model_from(segment))) {
        return false;
    }
    join(d, segment);
    return true;
}

/* Keeps what is not within `from`. */
static void cut(struct model_doc *d)
{
    for (size_t i = d->count; i-- > 0;) {
        if (lia_vector_covers(model_from(d), d->entries[i].rank.stamp)) {
            model_remove(d, i);
        }
    }
    if (lia_vector_covers(model_from(d), d->created)) {
        d->has_life = false;
    }
}

void model_segment(const struct model_doc *d,
                   struct lia_vector from,
                   struct model_doc *out)
{
    *out = *d;
    out->from_count = 0;
    for (size_t i = 0; i < d->vector_count; i++) {
        uint64_t hlc = lia_vector_get(from, d->vector[i].actor);

        hlc = hlc < d->vector[i].hlc ? hlc : d->vector[i].hlc;
        if (hlc) {
            see(out->from, &out->from_count,
                (struct lia_stamp){hlc, d->vector[i].actor});
        }
    }
    cut(out);
}

bool model_compose(struct model_doc *first, const struct model_doc *second)
{
    if (!lia_vector_geq(model_vector(first), model_from(second))) {
        return false;
    }
    join(first, second);
    cut(first);
    return true;
}
