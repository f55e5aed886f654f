/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/check.h"
#include "sim/keepers.h"
#include "sim/work.h"

/* ---- what became of a document ---- */

struct fate {
    struct lia_stamp created; /* the newest life that surely began */
    struct lia_stamp deleted; /* the newest delete, durable or not */
    struct lia_stamp ended;   /* what a delete, surely committed, had seen */
};

static struct lia_stamp later(struct lia_stamp a, struct lia_stamp b)
{
    return lia_stamp_cmp(a, b) >= 0 ? a : b;
}

static struct fate fate_of(const struct sim_world *w, uint32_t doc)
{
    struct fate f = {LIA_STAMP_NONE, LIA_STAMP_NONE, LIA_STAMP_NONE};

    for (size_t i = 0; i < w->txn_count; i++) {
        const struct sim_txn *t = &w->txns[i];

        for (size_t n = 0; n < t->count; n++) {
            if (t->docs[n] != doc) {
                continue;
            }
            if (t->kinds[n] == LIA_OP_DELETE) {
                f.deleted = later(f.deleted, t->stamp);
            }
            if (t->kinds[n] == LIA_OP_DELETE && t->is_certain) {
                f.ended = (struct lia_stamp){t->seen[n].entries[0].hlc,
                                             t->seen[n].entries[0].actor};
            }
            if (t->kinds[n] == LIA_OP_INSERT && t->is_certain) {
                f.created = later(f.created, t->stamp);
            }
        }
    }
    return f;
}

/* ---- what is kept ---- */

static bool was_at_a_keeper(const struct sim_world *w,
                            uint32_t doc,
                            struct lia_stamp stamp)
{
    for (int k = 0; k < (int)w->knobs.nodes; k++) {
        if (sim_is_keeper(w, k) && sim_holds(w, k, doc, stamp)) {
            return true;
        }
    }
    return false;
}

static void check_kept_of(struct sim_world *w, int n, uint32_t c, struct lia_stamp kept)
{
    for (size_t i = 0; i < w->txn_count; i++) {
        const struct sim_txn *t = &w->txns[i];

        if (!t->is_certain || t->stamp.actor != kept.actor || t->stamp.hlc > kept.hlc) {
            continue;
        }
        for (size_t d = 0; d < t->count; d++) {
            if (t->docs[d] >= sim_first(c) && t->docs[d] < sim_first(c + 1) &&
                !was_at_a_keeper(w, t->docs[d], t->stamp) &&
                !sim_was_deleted(w, t->docs[d])) {
                sim_fail(w, "node %d: believes that document %u of node %d is kept", n,
                         t->docs[d], t->node);
            }
        }
    }
}

void sim_kept_check_now(struct sim_world *w, int n)
{
    struct lia_arena arena;

    lia_arena_init(&arena, &lia_mem_libc);
    for (uint32_t c = 0; sim_has_keepers(w) && c < SIM_NAMES; c++) {
        struct lia_keeping k;

        if (lia_db_keeping(w->nodes[n].db, &arena, sim_collection(sim_first(c)), &k,
                           NULL)) {
            sim_fail(w, "node %d: what is kept cannot be read", n);
        }
        for (size_t i = 0; i < k.keep.kept.count; i++) {
            const struct lia_vector_entry *e = &k.keep.kept.entries[i];
            uint64_t more = w->breakage == SIM_BREAK_KEPT ? UINT64_C(1) << 32 : 0;

            check_kept_of(w, n, c, (struct lia_stamp){e->hlc + more, e->actor});
        }
    }
    lia_arena_deinit(&arena);
}

/* ---- quiet ---- */

static bool lives(const struct lia_held *held)
{
    return held->doc.body.len > 0;
}

/* It has had the newest of it, and dropped it. */
static bool had_all(struct sim_world *w,
                    int n,
                    uint32_t doc,
                    const struct lia_held *kept)
{
    struct lia_doc_info info;
    struct lia_arena arena;
    bool answer;

    lia_arena_init(&arena, &lia_mem_libc);
    answer = !lia_doc_info(&arena, kept->doc.clock, &info) &&
             lia_vector_geq(sim_seen_vector(&w->nodes[n].had[doc]), info.vector);
    lia_arena_deinit(&arena);
    return answer;
}

/* Who began it anew after the delete was forgotten knows less of it than who still knows the
 * delete: the clocks differ, not what they show. */
static bool is_alike(const struct sim_world *w,
                     uint32_t doc,
                     const struct lia_held *a,
                     const struct lia_held *b)
{
    return sim_was_deleted(w, doc) ? lia_slice_cmp(a->doc.body, b->doc.body) == 0
                                   : sim_is_same(a, b);
}

/* What is alive at the first keeper is so at all, the same; others that want it have it, or
 * have had it. What is not alive there lives nowhere. */
static bool is_as_kept(struct sim_world *w,
                       int n,
                       uint32_t doc,
                       const struct lia_held *held,
                       const struct lia_held *kept)
{
    bool is_wanted = sim_gets_all(w, n, doc) || sim_is_wanted(kept->doc.body);

    if (!lives(held)) {
        return !lives(kept) || !is_wanted ||
               (!held->seq && !sim_is_keeper(w, n) && had_all(w, n, doc, kept));
    }
    if (!sim_gets_all(w, n, doc) && !sim_is_wanted(held->doc.body)) {
        return !is_wanted;
    }
    return lives(kept) && is_wanted && is_alike(w, doc, held, kept);
}

bool sim_kept_is_settled(struct sim_world *w)
{
    struct lia_arena arena;
    struct lia_held *kept;
    bool answer = true;

    lia_arena_init(&arena, &lia_mem_libc);
    kept = sim_read_all(w, 0, &arena);
    for (int n = 1; n < (int)w->knobs.nodes && answer; n++) {
        struct lia_held *held = sim_read_all(w, n, &arena);

        for (uint32_t d = 0; d < SIM_DOCS && answer; d++) {
            answer = is_as_kept(w, n, d, &held[d], &kept[d]);
            w->unsettled[0] = n;
            w->unsettled[1] = (int)d;
        }
    }
    lia_arena_deinit(&arena);
    return answer;
}

/* As if it had gone wrong. */
static void damage(struct sim_world *w,
                   const struct fate *f,
                   struct lia_held *held,
                   struct lia_doc_info *info)
{
    static const uint8_t body[] = {15,  0, 0, 0, 16, 't', 'i', 'l',
                                   'l', 0, 1, 0, 0,  0,   0};

    if (w->breakage == SIM_BREAK_LOST && lia_stamp_is_none(f->deleted)) {
        held->doc.body.len = 0;
    }
    if (w->breakage == SIM_BREAK_ZOMBIE && !lia_stamp_is_none(f->ended)) {
        held->doc.body = lia_slice(body, sizeof(body));
        info->created = f->ended;
    }
}

/* A delete that was surely made had seen the life. */
static bool is_ended(const struct sim_world *w, uint32_t doc, struct lia_stamp life)
{
    for (size_t i = 0; i < w->txn_count; i++) {
        const struct sim_txn *t = &w->txns[i];

        for (size_t d = 0; d < t->count && t->is_certain; d++) {
            if (t->docs[d] == doc && t->kinds[d] == LIA_OP_DELETE &&
                lia_vector_covers(t->seen[d], life)) {
                return true;
            }
        }
    }
    return false;
}

/* Nothing is shown of such a life, also where the document was begun anew. */
static void check_remains(struct sim_world *w,
                          int n,
                          uint32_t doc,
                          struct liana_slice body)
{
    char name[SIM_LIFE_NAME];
    struct lia_value v;

    for (size_t i = 0; i < w->txn_count; i++) {
        const struct sim_txn *t = &w->txns[i];

        for (size_t d = 0; d < t->count; d++) {
            if (t->docs[d] == doc && t->begun[d] &&
                lia_bson_find(body, lia_str(sim_life_name(t->begun[d], name)), &v) &&
                is_ended(w, doc, t->stamp)) {
                sim_fail(w, "document %u: node %d shows of it what was deleted", doc,
                         n);
            }
        }
    }
}

/* A delete as well: nobody took it yet, because of a clock, and it was dropped by force with
 * what was begun anew after it. */
static bool may_have_gone(const struct sim_world *w, uint32_t doc)
{
    return w->clocks && sim_is_forced_out(w, doc);
}

static void check_doc(struct sim_world *w, int n, uint32_t doc, struct lia_held *held)
{
    const struct fate f = fate_of(w, doc);
    struct lia_arena arena;
    struct lia_doc_info info;

    lia_arena_init(&arena, &lia_mem_libc);
    LIA_ASSERT(!lia_doc_info(&arena, held->doc.clock, &info));
    damage(w, &f, held, &info);
    /* Of what is not in its query a narrow node hears no more. */
    if (lives(held) && !may_have_gone(w, doc) &&
        (sim_gets_all(w, n, doc) || sim_is_wanted(held->doc.body))) {
        if (is_ended(w, doc, info.created)) {
            sim_fail(w, "document %u: was deleted and lives at node %d", doc, n);
        }
        check_remains(w, n, doc, held->doc.body);
    }
    if (sim_is_keeper(w, n) && !lives(held) && !sim_is_forced_out(w, doc) &&
        lia_stamp_cmp(f.created, f.deleted) > 0) {
        sim_fail(w, "document %u: nobody deleted it, and keeper %d has it not", doc, n);
    }
    if (w->nodes[n].seen[doc].is_dead && !held->seq) {
        sim_census(w, SIM_RARE_FORGOTTEN);
    }
    lia_arena_deinit(&arena);
}

void sim_kept_check_end(struct sim_world *w)
{
    struct lia_arena arena;

    lia_arena_init(&arena, &lia_mem_libc);
    for (int n = 0; sim_has_keepers(w) && n < (int)w->knobs.nodes; n++) {
        struct lia_held *held = sim_read_all(w, n, &arena);

        for (uint32_t d = 0; d < sim_first(2); d++) { /* the rest is the oracle's */
            check_doc(w, n, d, &held[d]);
        }
    }
    lia_arena_deinit(&arena);
}
