/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When all is quiet: what has become of every entry of every acknowledged write.
 *
 *     visible      the document shows it, or counts it
 *     superseded   by a write that had seen it: at its path, above it, or a DELETE; or
 *                  by a newer one that says the same
 *     listed       in system:conflicts of some store: it lost to a write that had not
 *                  seen it
 *
 * Anything else is lost in silence.
 */
#include "sim/check.h"
#include "sim/keepers.h"
#include "sim/oracle.h"
#include "sim/past.h"

/* Of all documents so far, and the one that it is about. */
struct account {
    struct sim_world *w;
    const struct sim_rows *rows;
    struct model_doc state;
    bool is_split;
    struct liana_slice body;
    uint64_t visible;
    uint64_t superseded;
    uint64_t listed;
};

/* ---- visible ---- */

/* The maps above the path are shown. */
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

static bool is_number_shown(const struct model_doc *d, const char *path)
{
    struct lia_scratch scratch;
    struct lia_value leaf;

    return model_show(d, path, &scratch, &leaf) == MODEL_SHOWS_LEAF &&
           lia_value_is_number(leaf);
}

static bool is_visible(const struct model_doc *d, const struct model_entry *e)
{
    const struct model_entry *left = NULL;
    struct lia_scratch scratch;
    struct lia_value leaf;
    enum model_shown shown = model_show(d, e->path, &scratch, &leaf);

    for (size_t i = 0; i < d->count && !left; i++) {
        const struct model_entry *other = &d->entries[i];

        left = other->kind == e->kind && strcmp(other->path, e->path) == 0 &&
                       lia_stamp_cmp(other->rank.stamp, e->rank.stamp) == 0
                   ? other
                   : NULL;
    }
    if (!left || !is_reached(d, e->path)) {
        return false;
    }
    switch (e->kind) {
    case MODEL_VALUE: return shown == MODEL_SHOWS_LEAF;
    case MODEL_ADDED: return shown == MODEL_SHOWS_SET && model_has(d, e->path, e->leaf);
    case MODEL_SHARE: return shown == MODEL_SHOWS_BOUNDED;
    default: return is_number_shown(d, e->path);
    }
}

/* ---- superseded ---- */

static bool is_same_sum(const struct model_entry *a, const struct model_entry *b)
{
    return a->kind == b->kind && a->rank.stamp.actor == b->rank.stamp.actor &&
           strcmp(a->path, b->path) == 0 && lia_stamp_cmp(a->start, b->start) == 0;
}

static bool is_same_element(const struct model_entry *a, const struct model_entry *b)
{
    return strcmp(a->path, b->path) == 0 && lia_value_equal(a->leaf, b->leaf);
}

/* An entry of a write that had seen `e`. */
static bool takes_over(const struct model_entry *by, const struct model_entry *e)
{
    switch (by->kind) {
    case MODEL_VALUE:
        return strcmp(by->path, e->path) == 0 || model_is_below(e->path, by->path);
    case MODEL_SUM:
    case MODEL_SHARE: return is_same_sum(by, e);
    case MODEL_ADDED:
        return e->kind == MODEL_ADDED && is_same_element(by, e) &&
               by->rank.stamp.actor == e->rank.stamp.actor;
    case MODEL_TAKEN: return e->kind == MODEL_ADDED && is_same_element(by, e);
    default: return false;
    }
}

/* Of two that say the same, without having seen each other, the newer stands for both. */
static bool says_the_same(const struct model_entry *by, const struct model_entry *e)
{
    return by->kind == MODEL_VALUE && e->kind == MODEL_VALUE &&
           by->value == MODEL_LEAF && strcmp(by->path, e->path) == 0 &&
           by->leaf.type == e->leaf.type && lia_value_equal(by->leaf, e->leaf) &&
           model_rank_cmp(by->rank, e->rank) > 0;
}

/* A seed is older than everything: a DELETE need not have seen it. What is written and
 * deleted in one transaction is ended by that. A verdict stands for a delete of long ago. */
static bool ends(const struct sim_write *by, const struct sim_write *x)
{
    return by->is_delete && lia_stamp_is_none(by->effect) &&
           (by == x || x->is_seed || lia_vector_covers(by->seen, x->stamp));
}

static bool supersedes(const struct sim_write *by,
                       const struct sim_write *x,
                       const struct model_entry *e)
{
    bool had_seen = lia_vector_covers(by->seen, x->stamp);

    if (had_seen && by->is_unclear) {
        return true;
    }
    if (by == x) { /* an increment, and then an assignment, in one transaction */
        had_seen = e->kind == MODEL_SUM;
    }
    for (size_t i = 0; i < by->entries->count; i++) {
        const struct model_entry *other = &by->entries->entries[i];

        if (had_seen && takes_over(other, e) &&
            (by != x || other->kind == MODEL_VALUE)) {
            return true;
        }
        if (by != x && says_the_same(other, e)) {
            return true;
        }
    }
    return ends(by, x);
}

static const struct sim_write *superseder(const struct sim_world *w,
                                          const struct sim_write *x,
                                          const struct model_entry *e)
{
    for (size_t i = 0; i < w->oracle->count; i++) {
        const struct sim_write *by = &w->oracle->writes[i];

        if (by->doc == x->doc &&
            (sim_write_is_alive(w, by) || sim_oracle_is_split(w, x->doc)) &&
            supersedes(by, x, e)) {
            return by;
        }
    }
    return NULL;
}

/* ---- the account ---- */

/* An increment by nothing, or several that come to nothing: the total of its actor is what
 * it was (docs/adr/0026: of a sum is told what was added to it). */
static bool adds_nothing(const struct sim_world *w,
                         const struct sim_write *x,
                         const struct model_entry *e)
{
    struct model_sum before = model_sum_add(e->sum, model_sum_negate(e->sum));

    for (const struct sim_write *y = w->oracle->writes; y < x; y++) {
        for (size_t i = 0;
             y->doc == x->doc && sim_write_is_alive(w, y) && i < y->entries->count;
             i++) {
            if (is_same_sum(&y->entries->entries[i], e)) {
                before = y->entries->entries[i].sum;
            }
        }
    }
    return model_sum_cmp(before, e->sum) == 0;
}

/* What somebody would miss. Removals are seen in what others show. */
static bool is_data(const struct sim_world *w,
                    const struct sim_write *x,
                    const struct model_entry *e)
{
    switch (e->kind) {
    case MODEL_VALUE: return e->value == MODEL_LEAF;
    case MODEL_ADDED:
    case MODEL_SHARE: return true;
    case MODEL_SUM: return !adds_nothing(w, x, e);
    default: return false;
    }
}

static void account_for(struct account *a,
                        const struct sim_write *x,
                        const struct model_entry *e)
{
    struct sim_world *w = a->w;

    if (a->is_split ? sim_split_shows(a->body, e) : is_visible(&a->state, e)) {
        a->visible++;
    } else if (superseder(w, x, e)) {
        a->superseded++;
    } else if (sim_rows_list(a->rows, x, e)) {
        a->listed++;
    } else {
        sim_oracle_tell(w, x->doc);
        sim_fail(w,
                 "document %u: what node %d wrote at '%s' (hlc %llu, actor %016llx) is "
                 "lost in silence",
                 x->doc, x->node, e->path, (unsigned long long)x->stamp.hlc,
                 (unsigned long long)x->stamp.actor);
    }
}

/* The life that it belongs to was deleted, and that may be forgotten; or it was dropped by
 * force. */
static bool may_be_over(const struct sim_world *w, const struct sim_write *x)
{
    for (size_t i = 0; i < w->oracle->count && sim_has_keepers(w); i++) {
        const struct sim_write *by = &w->oracle->writes[i];

        if (by->doc == x->doc && by->is_delete && sim_write_is_alive(w, by) &&
            lia_stamp_cmp(by->stamp, x->life) >= 0) {
            return true;
        }
    }
    return false;
}

static void account_for_write(struct account *a, const struct sim_write *x)
{
    bool is_there = lia_vector_covers(model_vector(&a->state), x->tag);

    /* Of two histories under one name something may be lost (docs/recovery.md). */
    if (a->is_split &&
        (x->is_seed || x->is_unclear || sim_past_doubts(a->w, x->stamp))) {
        return;
    }
    /* What a store wrote by itself, and lost with its power, nobody misses. */
    if (sim_is_forced_out(a->w, x->doc) ||
        ((x->is_upkeep || (x->is_seed && a->w->past)) && !is_there)) {
        return;
    }
    if (!is_there && !may_be_over(a->w, x)) {
        sim_oracle_tell(a->w, x->doc);
        sim_fail(a->w, "document %u: a write of node %d was acknowledged and is lost",
                 x->doc, x->node);
    }
    for (size_t e = 0; e < x->entries->count; e++) {
        if (is_data(a->w, x, &x->entries->entries[e])) {
            account_for(a, x, &x->entries->entries[e]);
        }
    }
}

static void account_for_document(struct account *a, uint32_t doc, struct lia_doc held)
{
    struct sim_world *w = a->w;
    struct lia_doc_info info;

    LIA_ASSERT(!lia_doc_info(&w->arena, held.clock, &info));
    sim_oracle_state(w, 0, doc, info.vector, &a->state);
    a->is_split = sim_oracle_is_split(w, doc);
    a->body = w->breakage == SIM_BREAK_SPLIT ? lia_slice(NULL, 0) : held.body;
    for (size_t i = 0; i < w->oracle->count; i++) {
        const struct sim_write *x = &w->oracle->writes[i];

        if (x->doc == doc && sim_write_is_alive(w, x) &&
            (!x->is_seed || x->is_certain)) {
            account_for_write(a, x);
        }
    }
}

/* They show what the law says. */
static void check_bodies(struct sim_world *w, const struct lia_held *held)
{
    static struct model_doc state;

    for (uint32_t d = 0; d < SIM_DOCS; d++) {
        struct lia_doc_info info;

        if (sim_is_watched(d) && !sim_oracle_is_split(w, d)) {
            LIA_ASSERT(!lia_doc_info(&w->arena, held[d].doc.clock, &info));
            sim_oracle_state(w, 0, d, info.vector, &state);
            sim_oracle_check(w, 0, d, &state, info.vector, held[d].doc.body);
        }
    }
}

void sim_oracle_end(struct sim_world *w, const struct lia_held *held)
{
    static struct account a;
    struct lia_arena arena;

    if (!w->oracle || sim_is_lawless(w)) {
        return;
    }
    check_bodies(w, held);
    lia_arena_init(&arena, &lia_mem_libc);
    a = (struct account){.w = w, .rows = sim_rows_read(w, &arena)};
    for (uint32_t d = 0; d < SIM_DOCS; d++) {
        if (sim_is_watched(d)) {
            account_for_document(&a, d, held[d].doc);
        }
    }
    sim_note(w, "writes: %llu visible, %llu superseded, %llu listed",
             (unsigned long long)a.visible, (unsigned long long)a.superseded,
             (unsigned long long)a.listed);
    lia_arena_deinit(&arena);
}
