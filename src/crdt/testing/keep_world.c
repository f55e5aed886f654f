/* SPDX-License-Identifier: Apache-2.0 */
#include "crdt/testing/keep_world.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/error.h"

void keep_fail(struct keep_world *w, const char *format, ...)
{
    va_list args;

    if (w->why[0]) {
        return;
    }
    va_start(args, format);
    LIA_ASSERT(vsnprintf(w->why, sizeof(w->why), format, args) > 0);
    va_end(args);
}

/* ---- sets and vectors ---- */

bool keep_set_has(const struct keep_set *set, size_t i)
{
    return set->bits[i / 64] >> (i % 64) & 1;
}

void keep_set_add(struct keep_set *set, size_t i)
{
    set->bits[i / 64] |= (uint64_t)1 << (i % 64);
}

void keep_set_join(struct keep_set *set, const struct keep_set *other)
{
    for (size_t i = 0; i < KEEP_COMMITS / 64; i++) {
        set->bits[i] |= other->bits[i];
    }
}

uint64_t keep_get(const struct keep_dense *v, struct lia_stamp s)
{
    return v->hlc[s.actor];
}

bool keep_covers(const struct keep_dense *a, const struct keep_dense *b)
{
    for (size_t i = 0; i < KEEP_ACTORS; i++) {
        if (a->hlc[i] < b->hlc[i]) {
            return false;
        }
    }
    return true;
}

void keep_join(struct keep_dense *v, const struct keep_dense *other)
{
    for (size_t i = 0; i < KEEP_ACTORS; i++) {
        if (v->hlc[i] < other->hlc[i]) {
            v->hlc[i] = other->hlc[i];
        }
    }
}

static struct lia_vector sparse(struct keep_world *w, const struct keep_dense *v)
{
    struct lia_vector_entry *entries =
        lia_arena_array(&w->arena, w->actor_count, sizeof(*entries));
    size_t count = 0;

    LIA_ASSERT(entries);
    for (size_t i = 0; i < w->actor_count; i++) {
        if (v->hlc[i]) {
            entries[count++] = (struct lia_vector_entry){i, v->hlc[i]};
        }
    }
    return (struct lia_vector){entries, count};
}

static void spread(struct keep_dense *v, struct lia_vector from)
{
    for (size_t i = 0; i < from.count; i++) {
        v->hlc[from.entries[i].actor] = from.entries[i].hlc;
    }
}

static struct lia_stamp later(struct lia_stamp a, struct lia_stamp b)
{
    return lia_stamp_cmp(a, b) >= 0 ? a : b;
}

/* ---- rows ---- */

bool keep_is_alive(const struct keep_row *row, size_t key)
{
    return row->is_held && (lia_stamp_cmp(row->created, row->deleted) > 0 ||
                            (keep_mode(key) == LIA_UPDATE_WINS &&
                             lia_stamp_cmp(row->updated, row->deleted) > 0));
}

bool keep_matches(const struct keep_row *row, size_t key)
{
    return keep_is_alive(row, key) && row->is_in_group;
}

void keep_reflect(struct keep_world *w, struct keep_row *row, size_t commit)
{
    struct lia_stamp stamp = w->commits[commit].stamp;

    row->is_held = true;
    keep_set_add(&row->reflects, commit);
    row->vector.hlc[stamp.actor] = stamp.hlc;
}

void keep_row_join(struct keep_row *row, const struct keep_row *other)
{
    int order = lia_stamp_cmp(other->value_life, row->value_life);

    order = order ? order : lia_stamp_cmp(other->value_stamp, row->value_stamp);
    order = order ? order : other->is_in_group - row->is_in_group; /* ADR 0022 */
    if (order > 0) {
        row->value_life = other->value_life;
        row->value_stamp = other->value_stamp;
        row->is_in_group = other->is_in_group;
    }
    order = lia_stamp_cmp(other->created, row->created);
    if (order > 0 ||
        (order == 0 && lia_stamp_cmp(other->created_tag, row->created_tag) > 0)) {
        row->created_tag = other->created_tag;
    }
    row->is_held = true;
    keep_set_join(&row->reflects, &other->reflects);
    keep_set_join(&row->renewed, &other->renewed);
    keep_join(&row->vector, &other->vector);
    row->created = later(row->created, other->created);
    row->deleted = later(row->deleted, other->deleted);
    row->updated = later(row->updated, other->updated);
}

void keep_changed(struct keep_store *s, size_t key, bool matched_before)
{
    struct keep_row *row = &s->rows[key];

    row->seq = ++s->seq;
    row->shown_to = 0;
    if (matched_before && !keep_matches(row, key)) {
        row->left_seq = row->seq;
    }
}

/* ---- what the product sees ---- */

struct lia_keep keep_of(struct keep_world *w, const struct keep_store *s)
{
    return (struct lia_keep){
        .marks = sparse(w, &s->marks),
        .evicted = sparse(w, &s->evicted),
        .kept = sparse(w, &s->kept),
        .forgotten = s->forgotten,
        .is_whole = s->role != KEEP_FILTERED,
        .is_keeper = s->role == KEEP_KEEPER,
    };
}

void keep_put(struct keep_store *s, const struct lia_keep *keep)
{
    spread(&s->marks, keep->marks);
    if (keep_is_in_doubt(s, &s->marks)) {
        s->marks.hlc[s->doubt.actor] = s->doubt.beyond;
    }
    spread(&s->evicted, keep->evicted);
    s->forgotten = keep->forgotten;
}

/* Nothing that is written takes the place of another write here: of each life all is left. */
bool keep_shows(const struct keep_world *w,
                const struct keep_row *row,
                size_t key,
                size_t commit)
{
    const struct keep_commit *c = &w->commits[commit];

    return c->key == key && keep_is_write(c) && keep_set_has(&row->reflects, commit) &&
           (keep_mode(key) == LIA_UPDATE_WINS ||
            lia_stamp_cmp(c->life, row->deleted) > 0);
}

static uint64_t oldest(const struct keep_world *w,
                       const struct keep_row *row,
                       size_t key)
{
    uint64_t least = row->created.hlc;

    if (row->deleted.hlc && row->deleted.hlc < least) {
        least = row->deleted.hlc;
    }
    for (size_t i = 0; i < w->commit_count; i++) {
        if (keep_shows(w, row, key, i) && w->commits[i].life.hlc < least) {
            least = w->commits[i].life.hlc;
        }
    }
    return least;
}

/* The newest tag that something of the row was given. */
static struct lia_stamp newest_tag(const struct keep_world *w,
                                   const struct keep_row *row,
                                   size_t key)
{
    struct lia_stamp newest = LIA_STAMP_NONE;

    for (size_t i = 0; i < w->commit_count; i++) {
        if (w->commits[i].key == key && w->commits[i].kind == KEEP_RETAG &&
            keep_set_has(&row->reflects, i)) {
            newest = later(newest, w->commits[i].stamp);
        }
    }
    return newest;
}

size_t keep_lives(const struct keep_world *w,
                  const struct keep_row *row,
                  size_t key,
                  struct lia_life out[KEEP_COMMITS])
{
    size_t count = 0;

    for (size_t i = 0; i < w->commit_count; i++) {
        const struct keep_commit *c = &w->commits[i];

        if (keep_shows(w, row, key, i) && c->kind == KEEP_INSERT &&
            lia_stamp_cmp(c->stamp, row->created)) {
            out[count].stamp = c->stamp;
            out[count++].tag =
                keep_set_has(&row->renewed, i) ? newest_tag(w, row, key) : c->stamp;
        }
    }
    return count;
}

struct lia_copy keep_copy(struct keep_world *w, const struct keep_row *row, size_t key)
{
    bool is_withdrawn = keep_mode(key) == LIA_UPDATE_WINS;

    return (struct lia_copy){
        .info = {.created = row->created,
                 .created_tag = row->created_tag,
                 .deleted = is_withdrawn ? LIA_STAMP_NONE : row->deleted,
                 .withdrawn = is_withdrawn ? row->deleted : LIA_STAMP_NONE,
                 .vector = sparse(w, &row->vector),
                 .oldest = oldest(w, row, key),
                 .exists = keep_is_alive(row, key)},
        .newest = later(row->created, row->updated),
    };
}

/* ---- stores ---- */

void keep_renew(struct keep_world *w, struct keep_store *s)
{
    if (w->actor_count == KEEP_ACTORS) {
        w->is_full = true;
        return;
    }
    MET(w, RENEW);
    s->actor = w->actor_count++;
    TELL(w, "    store %zu is actor %zu now\n", keep_index(w, s), (size_t)s->actor);
}

void keep_publish(struct keep_world *w, struct keep_store *s)
{
    struct lia_keep keep = keep_of(w, s);
    struct keep_dense published = {{0}};
    struct lia_vector v;

    LIA_ASSERT(lia_keep_publish(&w->arena, &keep, &v) == LIANA_OK);
    spread(&published, v);
    keep_join(&s->kept, &published);
}

size_t keep_commit(struct keep_world *w,
                   struct keep_store *s,
                   size_t key,
                   enum keep_kind kind)
{
    struct lia_stamp stamp = {++s->hlc, s->actor};
    size_t made = w->commit_count;
    bool is_doubtful =
        w->fall.is_one && s == &w->stores[w->fall.store] && s->actor == w->fall.actor;

    if (is_doubtful) {
        MET(w, FORK);
    }
    if (made + 1 == KEEP_COMMITS) {
        w->is_full = true; /* the last one is a place to write to */
    } else {
        w->commit_count++;
    }
    w->commits[made] = (struct keep_commit){
        .kind = kind,
        .key = key,
        .maker = keep_index(w, s),
        .stamp = stamp,
        .life = kind == KEEP_INSERT ? stamp : s->rows[key].created,
        .deletes = kind == KEEP_DELETE ? stamp : LIA_STAMP_NONE,
        .seen = s->rows[key].reflects,
        .is_doubtful = is_doubtful,
        .was_doubtful = is_doubtful,
    };
    s->marks.hlc[s->actor] = stamp.hlc;
    keep_reflect(w, &s->rows[key], made);
    return made;
}

/* One actor per key, of which no marks speak. */
size_t keep_seed(struct keep_world *w, struct keep_store *s, size_t key)
{
    struct lia_stamp stamp = {1, key};
    size_t made;

    MET(w, INITIAL);
    for (made = 0; made < w->commit_count; made++) {
        if (!lia_stamp_cmp(w->commits[made].stamp, stamp)) {
            w->commits[made].has_left |= !w->commits[made].is_lost;
            w->commits[made].is_lost = false;
            break;
        }
    }
    if (made == w->commit_count) {
        w->commits[made] = (struct keep_commit){.kind = KEEP_INSERT,
                                                .key = key,
                                                .maker = keep_index(w, s),
                                                .stamp = stamp,
                                                .life = stamp};
        w->commit_count++;
    }
    keep_reflect(w, &s->rows[key], made);
    return made;
}

/* ---- dropping ---- */

static void drop(struct keep_world *w,
                 struct keep_store *s,
                 size_t key,
                 const struct lia_keep *keep,
                 const struct lia_copy *copy)
{
    struct lia_keep after;

    LIA_ASSERT(lia_keep_drop(&w->arena, keep, &copy->info, &after) == LIANA_OK);
    keep_put(s, &after);
    if (!copy->info.exists && s->rows[key].seq > s->forgotten_seq) {
        s->forgotten_seq = s->rows[key].seq;
    }
    s->rows[key] = (struct keep_row){0};
    if (lia_keep_must_renew(copy->info.vector, s->actor)) {
        keep_renew(w, s);
    }
}

void keep_drop(struct keep_world *w, struct keep_store *s, size_t key, uint64_t age)
{
    struct lia_keep keep = keep_of(w, s);
    struct lia_copy copy = keep_copy(w, &s->rows[key], key);

    if (s->rows[key].is_held && lia_keep_may_forget(&keep, &copy.info, age, 1)) {
        MET(w, FORGET);
        TELL(w, "  store %zu forgets %zu\n", keep_index(w, s), key);
        drop(w, s, key, &keep, &copy);
    }
}

void keep_evict(struct keep_world *w, struct keep_store *s, size_t key, bool is_forced)
{
    struct lia_keep keep = keep_of(w, s);
    struct lia_copy copy = keep_copy(w, &s->rows[key], key);
    bool wants = s->role == KEEP_RETAINING || s->role == KEEP_KEEPER ||
                 (s->role == KEEP_FILTERED && !keep_matches(&s->rows[key], key));

    if (is_forced ||
        (wants && s->rows[key].is_held && lia_keep_may_evict(&keep, &copy.info))) {
        MET(w, EVICT);
        TELL(w, "  store %zu evicts %zu%s\n", keep_index(w, s), key,
             is_forced ? " by force" : "");
        drop(w, s, key, &keep, &copy);
    }
}
