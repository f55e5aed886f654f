/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/check.h"
#include "peer/internal.h"
#include "sim/clocks.h"
#include "sim/keepers.h"
#include "sim/oracle.h"
#include "sim/past.h"

/* ---- each commit ---- */

/* Nothing leaves a store before it is durable there. */
static void check_durable(struct sim_world *w, int n, uint32_t doc, struct lia_vector v)
{
    for (size_t i = w->checked; w->breakage != SIM_BREAK_UNDONE && i < w->txn_count;
         i++) {
        const struct sim_txn *t = &w->txns[i];

        for (size_t d = 0; t->is_open && t->node != n && d < t->count &&
                           !sim_past_doubts(w, t->stamp);
             d++) {
            if (t->docs[d] == doc && lia_vector_covers(v, t->stamp)) {
                sim_fail(w, "node %d: document %u left node %d before it was durable",
                         n, doc, t->node);
            }
        }
    }
}

static void count_rare(struct sim_world *w,
                       int n,
                       uint32_t doc,
                       const struct lia_doc_info *after,
                       bool is_verdict)
{
    const struct sim_node *node = &w->nodes[n];

    if (is_verdict && !after->exists) {
        sim_census(w, SIM_RARE_BURIED);
    }
    if (after->exists && !node->seen[doc].is_held && node->had[doc].is_held) {
        sim_census(w, SIM_RARE_BACK);
    }
}

static void check_change(struct sim_world *w,
                         int n,
                         struct lia_arena *arena,
                         const struct lia_commit_change *change,
                         bool is_verdict)
{
    const struct sim_seen *seen;
    struct lia_doc_info info;
    bool is_forgotten;
    bool is_evicted;
    uint32_t doc;

    if (sim_is_apart(change->collection->name)) {
        return;
    }
    doc = sim_doc_of(w, change->collection->name, change->key);
    seen = &w->nodes[n].seen[doc];
    is_forgotten = sim_has_keepers(w) && seen->is_dead && change->before.count == 0;
    is_evicted = sim_has_keepers(w) && change->after.clock.len == 0;
    if (lia_doc_info(arena, change->after.clock, &info)) {
        sim_fail(w, "node %d: document %u: a clock that is none", n, doc);
    }
    if (!is_forgotten && !lia_vector_equal(change->before, sim_seen_vector(seen))) {
        sim_fail(w, "node %d: document %u changed and no commit said so", n, doc);
    }
    if (w->breakage == SIM_BREAK_BACK && change->before.count) {
        info.vector.count = 0;
    }
    if (!is_evicted && !sim_is_ahead(w, lia_vector_max_hlc(change->before)) &&
        !lia_vector_geq(info.vector, change->before)) {
        sim_fail(w, "node %d: document %u went back", n, doc);
    }
    if (!is_evicted) {
        sim_check_bytes(w, n, doc, info.vector, change->after);
        sim_stock_check(w, n, doc, info.vector, change->after.body);
    }
    sim_oracle_shown(w, n, doc, info.vector, change->after);
    sim_clocks_check(w, n, doc, info.vector);
    check_durable(w, n, doc, info.vector);
    count_rare(w, n, doc, &info, is_verdict);
    sim_remember(w, n, doc, &info);
    sim_note(w, "node %d: document %u, %zu actors, hlc %llu", n, doc, info.vector.count,
             (unsigned long long)lia_vector_max_hlc(info.vector));
}

/* ---- whole transactions ---- */

bool sim_check_whole(struct sim_world *w, int n, const struct sim_txn *t)
{
    bool is_there = true;
    bool has_first = false;

    for (size_t i = 0; i < t->count; i++) {
        bool is_this = sim_holds(w, n, t->docs[i], t->stamp);

        if (!sim_gets_all(w, n, t->docs[i]) ||
            (!is_this && sim_may_lack(w, t->docs[i]))) {
            continue;
        }
        /* A store that is filled again is filled as it comes; a document that is put
         * aside takes with it what it says of earlier transactions. */
        if (has_first && is_this != is_there && !w->past && !w->clocks) {
            sim_fail(w, "node %d: transaction %llu of node %d is torn: document %u", n,
                     (unsigned long long)t->stamp.hlc, t->node, t->docs[i]);
        }
        is_there = is_this && (!has_first || is_there);
        has_first = true;
    }
    return is_there;
}

/* Documents that were written together are seen together, after each commit. Not promised
 * of the first fill. */
static void check_transactions(struct sim_world *w, int n)
{
    const uint32_t all = (1U << w->knobs.nodes) - 1;

    for (size_t i = w->checked; w->is_filled && i < w->txn_count; i++) {
        struct sim_txn *t = &w->txns[i];

        if (t->is_certain && !(t->whole >> n & 1) &&
            (sim_past_doubts(w, t->stamp) || sim_check_whole(w, n, t))) {
            t->whole |= 1U << n;
        }
    }
    while (w->checked < w->txn_count && !w->txns[w->checked].is_open &&
           (!w->txns[w->checked].is_certain || w->txns[w->checked].whole == all)) {
        w->checked++;
    }
}

/* What was not waited for is certain once it is durable. */
static void settle_durable(struct sim_world *w, int n, struct lia_stamp stamp)
{
    for (size_t i = w->txn_count; i > w->checked && stamp.hlc; i--) {
        struct sim_txn *t = &w->txns[i - 1];

        if (t->is_open && t->node == n && lia_stamp_cmp(t->stamp, stamp) == 0) {
            t->is_open = false;
            t->is_certain = true;
        }
    }
}

/* It wrote, and no app did. */
static bool is_verdict(const struct sim_world *w, struct lia_stamp stamp)
{
    for (size_t i = w->txn_count; i > 0 && stamp.hlc; i--) {
        if (lia_stamp_cmp(w->txns[i - 1].stamp, stamp) == 0) {
            return false;
        }
    }
    return sim_has_keepers(w) && stamp.hlc;
}

static void check_event(struct sim_world *w,
                        int n,
                        struct lia_arena *arena,
                        const struct lia_commit_event *event)
{
    sim_restamp_follow(w, n, event->stamp);
    for (size_t c = 0; c < event->change_count; c++) {
        check_change(w, n, arena, &event->changes[c], is_verdict(w, event->stamp));
    }
    settle_durable(w, n, event->stamp);
    check_transactions(w, n);
}

void sim_check_commits(struct sim_world *w, int n)
{
    struct lia_arena arena;
    struct lia_taken taken = {0};

    if (!w->nodes[n].is_up) {
        return;
    }
    sim_keepers_note_actor(w, n);
    lia_arena_init(&arena, &lia_mem_libc);
    do {
        lia_arena_reset(&arena);
        if (lia_db_take(w->nodes[n].listener, &arena, LIA_MIB, &taken)) {
            break;
        }
        if (taken.missed_upto) {
            sim_fail(w, "node %d: the checker missed commits", n);
        }
        for (size_t e = 0; e < taken.event_count; e++) {
            check_event(w, n, &arena, &taken.events[e]);
        }
    } while (taken.has_more);
    lia_arena_deinit(&arena);
}

/* ---- what holds at every moment ---- */

static void check_memory(struct sim_world *w, int n)
{
    struct lia_peer_report report;
    struct lia_arena arena;

    lia_arena_init(&arena, &lia_mem_libc);
    LIA_ASSERT(!lia_peer_report(w->nodes[n].peer, &arena, &report));
    if (report.memory_bytes > w->memory_max) {
        w->memory_max = report.memory_bytes;
    }
    lia_arena_deinit(&arena);
}

void sim_check_now(struct sim_world *w)
{
    for (int n = 0; n < (int)w->knobs.nodes; n++) {
        if (!w->nodes[n].is_up || w->nodes[n].is_failing) {
            continue;
        }
        check_memory(w, n);
        if (sim_is_durable(
                &w->nodes[n])) { /* else what came with marks is not seen yet */
            sim_check_marks(w, n);
            sim_kept_check_now(w, n);
        }
    }
}
