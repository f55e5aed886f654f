/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must hold, said by the commits themselves.
 *
 * At any time: a vector names what its copy reflects; marks are true; marks only grow
 * (they are joined, so this is by construction); what keepers published is in keepers.
 * At rest: nothing is lost, no zombie, no split.
 */
#include "crdt/testing/keep_world.h"

/* A delete voids the life. Verdicts count too where asked for. */
static bool is_void(const struct keep_world *w,
                    size_t key,
                    struct lia_stamp life,
                    bool by_verdicts)
{
    for (size_t i = 0; i < w->commit_count; i++) {
        const struct keep_commit *c = &w->commits[i];
        bool counts =
            c->kind == KEEP_DELETE || (by_verdicts && c->kind == KEEP_VERDICT);

        if (c->key == key && counts && !c->is_lost &&
            lia_stamp_cmp(c->deletes, life) >= 0) {
            return true;
        }
    }
    return false;
}

/* A verdict says no more than a delete did, but where updates win, or where false marks
 * were the reason: that one takes older lives with it. */
static bool may_be_by_verdict(const struct keep_world *w, size_t key)
{
    return keep_mode(key) == LIA_UPDATE_WINS || w->spoilt >> key & 1;
}

/* Nothing is promised of it: it is on no disk, or its stamp is of two histories. */
static bool is_excused(const struct keep_commit *c)
{
    return c->is_lost || c->is_doubtful;
}

/* The same of the life that it writes to. */
static bool is_excused_with_life(const struct keep_world *w,
                                 const struct keep_commit *c)
{
    bool is_excused_life = false;

    for (size_t i = 0; i < w->commit_count; i++) {
        is_excused_life |= w->commits[i].key == c->key && w->commits[i].is_doubtful &&
                           !lia_stamp_cmp(w->commits[i].stamp, c->life);
    }
    return is_excused(c) || is_excused_life;
}

/* ---- at any time ---- */

static void check_mark(struct keep_world *w, size_t store, size_t commit)
{
    const struct keep_store *s = &w->stores[store];
    const struct keep_commit *c = &w->commits[commit];
    const struct keep_row *row = &s->rows[c->key];
    bool is_claimed = keep_get(&s->marks, c->stamp) >= c->stamp.hlc &&
                      keep_get(&s->evicted, c->stamp) < c->stamp.hlc;

    if (is_claimed && keep_is_write(c) && !keep_set_has(&row->reflects, commit) &&
        !is_void(w, c->key, c->life, may_be_by_verdict(w, c->key))) {
        keep_fail(w, "a mark of store %zu is false: %zu:%zu of %zu was never here",
                  store, (size_t)c->stamp.actor, (size_t)c->stamp.hlc, c->key);
    }
}

/* Others drop what is kept. */
static void check_kept(struct keep_world *w, size_t store, size_t commit)
{
    const struct keep_commit *c = &w->commits[commit];

    if (keep_get(&w->stores[store].kept, c->stamp) < c->stamp.hlc ||
        !keep_is_write(c)) {
        return;
    }
    for (size_t i = 0; i < w->store_count; i++) {
        if (w->stores[i].role == KEEP_KEEPER &&
            keep_set_has(&w->stores[i].rows[c->key].reflects, commit)) {
            return;
        }
    }
    if (!is_void(w, c->key, c->life, may_be_by_verdict(w, c->key))) {
        keep_fail(w, "store %zu: %zu:%zu of %zu is kept, and no keeper has it", store,
                  (size_t)c->stamp.actor, (size_t)c->stamp.hlc, c->key);
    }
}

void keep_check(struct keep_world *w, size_t store)
{
    const struct keep_store *s = &w->stores[store];

    for (size_t i = 0; i < w->commit_count; i++) {
        const struct keep_commit *c = &w->commits[i];
        const struct keep_row *row = &s->rows[c->key];
        bool is_named = keep_get(&row->vector, c->stamp) >= c->stamp.hlc;

        if (c->is_lost || c->was_doubtful) {
            continue;
        }
        if (is_named != keep_set_has(&row->reflects, i)) {
            keep_fail(w, "store %zu: the vector of %zu is not what it reflects", store,
                      c->key);
        }
        check_mark(w, store, i);
        check_kept(w, store, i);
    }
}

/* ---- at rest ---- */

/* What the law says of all commits together. */
static bool should_live(const struct keep_world *w, size_t key)
{
    struct keep_row all = {.is_held = true};

    for (size_t i = 0; i < w->commit_count; i++) {
        const struct keep_commit *c = &w->commits[i];

        if (c->key == key && !c->is_lost && c->kind != KEEP_VERDICT &&
            (c->kind == KEEP_DELETE || !is_excused_with_life(w, c))) {
            keep_row_join(
                &all, &(struct keep_row){
                          .created = c->kind == KEEP_INSERT ? c->stamp : LIA_STAMP_NONE,
                          .updated = c->kind == KEEP_UPDATE ? c->stamp : LIA_STAMP_NONE,
                          .deleted = c->deletes});
        }
    }
    return keep_is_alive(&all, key);
}

/* Equal in what is shown: a copy made anew may lack commits of void lives. */
static bool is_same(const struct keep_world *w,
                    size_t key,
                    const struct keep_row *a,
                    const struct keep_row *b)
{
    for (size_t i = 0; i < w->commit_count; i++) {
        const struct keep_commit *c = &w->commits[i];

        if (!is_excused(c) && keep_shows(w, a, key, i) != keep_shows(w, b, key, i)) {
            return false;
        }
    }
    return a->is_in_group == b->is_in_group &&
           (keep_mode(key) == LIA_UPDATE_WINS ||
            lia_stamp_cmp(a->created, b->created) == 0);
}

static void check_lost(struct keep_world *w, size_t key, const struct keep_row *keeper)
{
    if (!should_live(w, key) || w->spoilt >> key & 1) {
        return;
    }
    if (!keep_is_alive(keeper, key)) {
        keep_fail(w, "lost: %zu", key);
    }
    for (size_t i = 0; i < w->commit_count; i++) {
        const struct keep_commit *c = &w->commits[i];

        if (c->key == key && keep_is_write(c) && !is_excused_with_life(w, c) &&
            !is_void(w, key, c->life, false) && !keep_set_has(&keeper->reflects, i)) {
            keep_fail(w, "lost: the write %zu:%zu to %zu", (size_t)c->stamp.actor,
                      (size_t)c->stamp.hlc, key);
        }
    }
}

/* `delete wins`: some delete knew the creation. `update wins`: one delete knew all. */
static bool was_deleted(const struct keep_world *w,
                        size_t key,
                        const struct keep_row *row,
                        const struct keep_commit *by,
                        size_t by_index)
{
    bool knew_life = false;
    bool knew_all = true;

    if (by->key != key || by->kind != KEEP_DELETE || by->is_lost || by->was_doubtful) {
        return false;
    }
    for (size_t i = 0; i < w->commit_count; i++) {
        bool knew = keep_set_has(&by->seen, i) || i == by_index;

        if (keep_set_has(&row->reflects, i)) {
            knew_all &= knew;
            knew_life |= knew && !lia_stamp_cmp(w->commits[i].stamp, row->created);
        }
    }
    return keep_mode(key) == LIA_UPDATE_WINS ? knew_all : knew_life;
}

/* What was counted anew looks new to who has seen it deleted: it is rather kept than lost. */
static bool was_doubtful(const struct keep_world *w, const struct keep_row *row)
{
    for (size_t i = 0; i < w->commit_count; i++) {
        if (w->commits[i].was_doubtful && keep_set_has(&row->reflects, i)) {
            return true;
        }
    }
    return false;
}

/* Some delete knew the life that the write belongs to. */
static bool was_ended(const struct keep_world *w, const struct keep_commit *c)
{
    for (size_t i = 0; i < w->commit_count; i++) {
        const struct keep_commit *by = &w->commits[i];

        for (size_t k = 0; k < w->commit_count && by->key == c->key &&
                           by->kind == KEEP_DELETE && !by->is_lost && !by->was_doubtful;
             k++) {
            if (keep_set_has(&by->seen, k) &&
                !lia_stamp_cmp(w->commits[k].stamp, c->life)) {
                return true;
            }
        }
    }
    return false;
}

/* Nor does a part of it live, under a life that was begun anew. */
static void check_remains(struct keep_world *w,
                          size_t store,
                          size_t key,
                          const struct keep_row *row)
{
    for (size_t i = 0; i < w->commit_count && keep_mode(key) == LIA_DELETE_WINS; i++) {
        if (keep_shows(w, row, key, i) && was_ended(w, &w->commits[i])) {
            keep_fail(w, "store %zu shows of %zu what was deleted", store, key);
        }
    }
}

static void check_zombie(struct keep_world *w, size_t store, size_t key)
{
    const struct keep_store *s = &w->stores[store];
    const struct keep_row *row = &s->rows[key];
    bool is_seen =
        (s->role == KEEP_FILTERED ? keep_matches(row, key) : keep_is_alive(row, key)) &&
        !was_doubtful(w, row);

    for (size_t i = 0; i < w->commit_count && is_seen && !should_live(w, key); i++) {
        if (was_deleted(w, key, row, &w->commits[i], i)) {
            keep_fail(w, "zombie: %zu at store %zu", key, store);
        }
    }
    if (is_seen) {
        check_remains(w, store, key, row);
    }
}

static bool has_evicted(const struct keep_store *s)
{
    for (size_t i = 0; i < KEEP_ACTORS; i++) {
        if (s->evicted.hlc[i]) {
            return true;
        }
    }
    return false;
}

static void check_split(struct keep_world *w,
                        size_t store,
                        size_t key,
                        const struct keep_row *keeper)
{
    const struct keep_store *s = &w->stores[store];
    const struct keep_row *row = &s->rows[key];
    bool is_filtered = s->role == KEEP_FILTERED;
    bool may_miss = !is_filtered && (s->role == KEEP_RETAINING || has_evicted(s));
    bool has = is_filtered ? keep_matches(row, key) : keep_is_alive(row, key);
    bool should = is_filtered ? keep_matches(keeper, key) : keep_is_alive(keeper, key);

    if ((has != should && !(may_miss && !has)) ||
        (has && !is_same(w, key, row, keeper))) {
        keep_fail(w, "split: %zu at store %zu", key, store);
    }
}

static bool holds_doubtful(const struct keep_world *w, size_t key)
{
    for (size_t i = 0; i < w->commit_count; i++) {
        for (size_t j = 0; j < w->store_count && w->commits[i].is_doubtful; j++) {
            if (keep_set_has(&w->stores[j].rows[key].reflects, i)) {
                return true;
            }
        }
    }
    return false;
}

/* A store that fell back and found out has met everybody, and counted anew what it was
 * shown (one that nobody could tell has collided with nothing). Behind a
 * predicate that is not all: what else it had written stays in doubt, and where it is
 * (docs/adr/0025). */
static bool is_left_in_doubt(struct keep_world *w, size_t key)
{
    bool is_in_doubt = !w->fall.is_one && holds_doubtful(w, key);

    if (is_in_doubt && w->stores[w->fall.store].role != KEEP_FILTERED) {
        keep_fail(w, "left in doubt: %zu", key);
    }
    return is_in_doubt;
}

void keep_check_rest(struct keep_world *w)
{
    for (size_t key = 0; key < KEEP_KEYS; key++) {
        const struct keep_row *keeper = &w->stores[0].rows[key];

        if (is_left_in_doubt(w, key)) {
            continue;
        }

        check_lost(w, key, keeper);
        for (size_t store = 0; store < w->store_count; store++) {
            check_zombie(w, store, key);
            check_split(w, store, key, keeper);
        }
    }
}
