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

void model_clear(struct model_doc *d)
{
    memset(d, 0, offsetof(struct model_doc, entries));
}

void model_copy(struct model_doc *to, const struct model_doc *from)
{
    memcpy(to, from,
           offsetof(struct model_doc, entries) +
               from->count * sizeof(from->entries[0]));
}

static bool is_of_actor(enum model_kind kind)
{
    return kind == MODEL_SUM || kind == MODEL_ADDED || kind == MODEL_TAKEN ||
           kind == MODEL_SHARE;
}

static bool is_of_element(enum model_kind kind)
{
    return kind == MODEL_ADDED || kind == MODEL_TAKEN;
}

static bool is_same_place(const struct model_entry *a, const struct model_entry *b)
{
    return a->kind == b->kind && strcmp(a->path, b->path) == 0 &&
           (!is_of_actor(a->kind) || a->rank.stamp.actor == b->rank.stamp.actor) &&
           (!is_of_element(a->kind) || lia_value_equal(a->leaf, b->leaf)) &&
           (a->kind != MODEL_SHARE || lia_stamp_cmp(a->start, b->start) == 0);
}

struct model_entry *model_find(struct model_doc *d, const struct model_entry *like)
{
    for (size_t i = 0; i < d->count; i++) {
        if (is_same_place(&d->entries[i], like)) {
            return &d->entries[i];
        }
    }
    return NULL;
}

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

static int compare_seen(const struct model_entry *a, const struct model_entry *b)
{
    int order = compare_numbers(a->seen_count, b->seen_count);

    for (size_t i = 0; i < a->seen_count && order == 0; i++) {
        order = compare_numbers(a->seen[i].actor, b->seen[i].actor);
        order = order ? order : lia_stamp_cmp(a->seen[i].start, b->seen[i].start);
        order = order ? order : model_sum_cmp(a->seen[i].sum, b->seen[i].sum);
    }
    return order;
}

static int compare_leaves(const struct model_entry *a, const struct model_entry *b)
{
    int order;

    if (a->kind != MODEL_VALUE) {
        return 0;
    }
    order = (int)a->value - (int)b->value;
    if (order == 0 && a->value == MODEL_LEAF) {
        order = (int)a->leaf.type - (int)b->leaf.type;
        order = order ? order : lia_slice_cmp(a->leaf.data, b->leaf.data);
    }
    return order ? order : compare_seen(a, b);
}

/* A rolled-back store may break the bound, and all that is asked of histories with both is
 * that peers agree; there are none. */
static int compare_shares(const struct model_entry *a, const struct model_entry *b)
{
    return (a->spent > b->spent) - (a->spent < b->spent);
}

/* After the rank: what no honest history needs, and a store that was rolled back does. */
static int compare(const struct model_entry *a, const struct model_entry *b)
{
    int order = model_rank_cmp(a->rank, b->rank);

    order = order ? order : compare_leaves(a, b);
    if (order == 0 && a->kind == MODEL_SUM) {
        order = lia_stamp_cmp(a->start, b->start);
        order = order ? order : model_sum_cmp(a->sum, b->sum);
    }
    if (order == 0 && a->kind == MODEL_SHARE) {
        order = compare_shares(a, b);
    }
    order = order ? order : lia_stamp_cmp(a->removed, b->removed);
    order = order ? order : lia_stamp_cmp(a->tag, b->tag);
    order = order ? order : lia_stamp_cmp(a->birth, b->birth);
    return order ? order : compare_numbers(a->birth_index, b->birth_index);
}

void model_put(struct model_doc *d, const struct model_entry *e, bool is_local)
{
    struct model_entry *old = model_find(d, e);

    if (!old) {
        LIA_ASSERT(d->count < MODEL_ENTRIES_MAX);
        d->entries[d->count++] = *e;
    } else if (is_local || compare(e, old) > 0) {
        *old = *e;
    }
}

void model_remove(struct model_doc *d, size_t index)
{
    d->entries[index] = d->entries[--d->count];
}

static bool is_covered(const struct model_doc *d, const struct model_entry *e)
{
    bool is_inclusive = e->kind != MODEL_VALUE;
    struct model_rank rank = e->rank;

    if (e->kind == MODEL_SHARE) {
        rank.stamp = e->start;
    }
    return e->kind != MODEL_SUM &&
           model_rank_cmp(rank, model_cover(d, e->path, is_inclusive)) < 0;
}

/* An addition that a removal saw, or a removal that saw an older addition only. */
static bool is_settled(struct model_doc *d, const struct model_entry *e)
{
    struct model_entry like = *e;
    const struct model_entry *other;

    if (!is_of_element(e->kind)) {
        return false;
    }
    like.kind = e->kind == MODEL_ADDED ? MODEL_TAKEN : MODEL_ADDED;
    other = model_find(d, &like);
    return other && model_rank_cmp(e->rank, other->rank) < (e->kind == MODEL_ADDED);
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
        if (is_covered(d, &d->entries[i]) || is_settled(d, &d->entries[i])) {
            model_remove(d, i);
        }
    }
    if (lia_stamp_cmp(d->created, d->deleted) <= 0) {
        d->created = LIA_STAMP_NONE;
        d->life_tag = LIA_STAMP_NONE;
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

static int compare_ids(const struct model_doc *a, const struct model_doc *b)
{
    int order = (int)a->has_life - (int)b->has_life;

    if (order == 0 && a->has_life) {
        order = (int)a->id.type - (int)b->id.type;
        order = order ? order : lia_slice_cmp(a->id.data, b->id.data);
    }
    return order;
}

static void unite_lives(struct model_doc *d, const struct model_doc *s)
{
    int order = lia_stamp_cmp(d->created, s->created);

    if (order == 0 && lia_stamp_cmp(d->life_tag, s->life_tag) < 0) {
        d->life_tag = s->life_tag;
    }
    if (order < 0 || (order == 0 && compare_ids(d, s) < 0)) {
        d->life_tag = order ? s->life_tag : d->life_tag;
        d->created = s->created;
        d->has_life = s->has_life;
        d->id = s->id;
    }
}

static void unite_deletes(struct lia_stamp *a,
                          struct lia_stamp *a_tag,
                          struct lia_stamp b,
                          struct lia_stamp b_tag)
{
    int order = lia_stamp_cmp(b, *a);

    order = order ? order : lia_stamp_cmp(b_tag, *a_tag);
    *a = order > 0 ? b : *a;
    *a_tag = order > 0 ? b_tag : *a_tag;
}

void model_unite(struct model_doc *d, const struct model_doc *s)
{
    for (size_t i = 0; i < s->count; i++) {
        model_put(d, &s->entries[i], false);
    }
    for (size_t i = 0; i < s->vector_count; i++) {
        model_see(d, (struct lia_stamp){s->vector[i].hlc, s->vector[i].actor});
    }
    unite_deletes(&d->deleted, &d->deleted_tag, s->deleted, s->deleted_tag);
    unite_deletes(&d->withdrawn, &d->withdrawn_tag, s->withdrawn, s->withdrawn_tag);
    unite_lives(d, s);
    model_normalize(d);
}

bool model_exists(const struct model_doc *d)
{
    bool is_newer = lia_stamp_cmp(d->created, d->withdrawn) > 0;

    for (size_t i = 0; i < d->count; i++) {
        const struct model_entry *e = &d->entries[i];

        is_newer = is_newer ||
                   lia_stamp_cmp(e->kind == MODEL_TAKEN ? e->removed : e->rank.stamp,
                                 d->withdrawn) > 0;
    }
    return !lia_stamp_is_none(d->created) && is_newer;
}

bool model_merge(struct model_doc *d, const struct model_doc *segment)
{
    if (!lia_vector_geq(model_vector(d), model_from(segment))) {
        return false;
    }
    if (!lia_vector_geq(model_vector(d), model_vector(segment))) {
        model_unite(d, segment);
    }
    return true;
}

static bool retag(struct lia_stamp *tag, const struct lia_retag *how)
{
    if (tag->actor != how->actor || tag->hlc <= how->beyond) {
        return false;
    }
    *tag = how->tag;
    return true;
}

bool model_retag(struct model_doc *d, const struct lia_retag *how)
{
    bool is_changed = retag(&d->life_tag, how);

    is_changed = retag(&d->deleted_tag, how) || is_changed;
    is_changed = retag(&d->withdrawn_tag, how) || is_changed;
    for (size_t i = 0; i < d->count; i++) {
        is_changed = retag(&d->entries[i].tag, how) || is_changed;
    }
    if (is_changed) {
        model_see(d, how->tag);
    }
    return is_changed;
}

bool model_restamp_stamp(struct lia_stamp *s, const struct lia_restamp *how)
{
    size_t i = 0;

    while (i < how->count && how->from[i] <= s->hlc) {
        i++;
    }
    if (i == 0 || s->actor != how->actor) {
        return false;
    }
    s->hlc = how->first + i - 1;
    return true;
}

static void restamp_tag(struct lia_stamp *tag, const struct lia_restamp *how)
{
    tag->actor = model_restamp_stamp(tag, how) ? how->new_actor : tag->actor;
}

static void restamp_entry(struct model_doc *d,
                          struct model_entry *e,
                          const struct lia_restamp *how)
{
    struct model_seen *seen = lia_arena_array(d->arena, e->seen_count, sizeof(*seen));

    LIA_ASSERT(seen);
    (void)model_restamp_stamp(&e->rank.life, how);
    (void)model_restamp_stamp(&e->rank.stamp, how);
    restamp_tag(&e->tag, how);
    (void)model_restamp_stamp(&e->removed, how);
    (void)model_restamp_stamp(&e->birth, how);
    (void)model_restamp_stamp(&e->start, how);
    for (size_t i = 0; i < e->seen_count; i++) {
        seen[i] = e->seen[i];
        (void)model_restamp_stamp(&seen[i].start, how);
    }
    e->seen = seen;
}

void model_restamp(struct model_doc *d, const struct lia_restamp *how)
{
    (void)model_restamp_stamp(&d->created, how);
    (void)model_restamp_stamp(&d->deleted, how);
    (void)model_restamp_stamp(&d->withdrawn, how);
    restamp_tag(&d->life_tag, how);
    restamp_tag(&d->deleted_tag, how);
    restamp_tag(&d->withdrawn_tag, how);
    for (size_t i = 0; i < d->count; i++) {
        restamp_entry(d, &d->entries[i], how);
    }
    for (size_t i = 0; i < d->vector_count; i++) {
        struct lia_stamp s = {d->vector[i].hlc, d->vector[i].actor};

        if (model_restamp_stamp(&s, how)) {
            d->vector[i].hlc = s.hlc;
            model_see(d, (struct lia_stamp){s.hlc, how->new_actor});
            break;
        }
    }
}

/* Keeps what is not within `from`. */
static void cut(struct model_doc *d)
{
    for (size_t i = d->count; i-- > 0;) {
        if (lia_vector_covers(model_from(d), d->entries[i].tag)) {
            model_remove(d, i);
        }
    }
    if (lia_vector_covers(model_from(d), d->life_tag)) {
        d->has_life = false;
    }
}

void model_segment(const struct model_doc *d,
                   struct lia_vector from,
                   struct model_doc *out)
{
    model_copy(out, d);
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
    model_unite(first, second);
    cut(first);
    return true;
}
