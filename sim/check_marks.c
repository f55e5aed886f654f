/* SPDX-License-Identifier: Apache-2.0 */
#include "peer/internal.h"
#include "sim/check.h"
#include "sim/keepers.h"
#include "sim/past.h"

static void check_mark(struct sim_world *w, int n, uint32_t c, struct lia_stamp mark)
{
    for (size_t i = 0; w->breakage != SIM_BREAK_TORN && i < w->txn_count; i++) {
        const struct sim_txn *t = &w->txns[i];

        if (!t->is_certain || t->stamp.actor != mark.actor || t->stamp.hlc > mark.hlc ||
            sim_past_doubts(w, t->stamp)) {
            continue;
        }
        for (size_t d = 0; d < t->count; d++) {
            if (t->docs[d] >= sim_first(c) && t->docs[d] < sim_first(c + 1) &&
                !sim_holds(w, n, t->docs[d], t->stamp) &&
                !sim_may_lack(w, t->docs[d])) {
                sim_fail(w, "node %d: its marks claim document %u of node %d", n,
                         t->docs[d], t->node);
            }
        }
    }
}

void sim_forget_marks(struct sim_world *w, int n)
{
    for (uint32_t c = 0; c < SIM_NAMES; c++) {
        w->nodes[n].known[c].count = 0;
    }
}

/* Of one's own actor, a crash may take back what is not durable yet. */
static void check_growth(struct sim_world *w,
                         int n,
                         uint32_t c,
                         struct lia_vector marks)
{
    struct sim_known *known = &w->nodes[n].known[c];
    const uint64_t own = lia_db_identity(w->nodes[n].db).actor;

    if (marks.count > SIM_MARKS) {
        sim_fail(w, "node %d: marks of %zu actors", n, marks.count);
    }
    for (size_t i = 0; i < known->count && !w->past; i++) {
        const struct lia_vector_entry *e = &known->marks[i];

        if (e->actor != own && lia_vector_get(marks, e->actor) < e->hlc) {
            sim_fail(w, "node %d: its marks went back", n);
        }
    }
    known->count = 0;
    for (size_t i = 0; i < marks.count; i++) {
        if (marks.entries[i].actor != own) {
            known->marks[known->count++] = marks.entries[i];
        }
    }
}

void sim_check_marks(struct sim_world *w, int n)
{
    struct lia_arena arena;

    lia_arena_init(&arena, &lia_mem_libc);
    for (uint32_t c = 0; c < SIM_NAMES; c++) {
        struct lia_name hash = lia_topic_name(
            (struct lia_topic){sim_collection(sim_first(c)), lia_slice(NULL, 0)});
        struct lia_vector marks;

        if (lia_db_marks(w->nodes[n].db, &arena, lia_name_slice(&hash), &marks, NULL)) {
            sim_fail(w, "node %d: marks cannot be read", n);
        }
        for (size_t i = 0; i < marks.count; i++) {
            uint64_t more = w->breakage == SIM_BREAK_MARKS ? UINT64_C(1) << 32 : 0;

            check_mark(w, n, c,
                       (struct lia_stamp){marks.entries[i].hlc + more,
                                          marks.entries[i].actor});
        }
        check_growth(w, n, c, marks);
    }
    lia_arena_deinit(&arena);
}
