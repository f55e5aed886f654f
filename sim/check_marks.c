/* SPDX-License-Identifier: Apache-2.0 */
#include "peer/internal.h"
#include "sim/check.h"
#include "sim/past.h"

static void check_mark(struct sim_world *w, int n, uint32_t c, struct lia_stamp mark)
{
    for (size_t i = 0; i < w->txn_count; i++) {
        const struct sim_txn *t = &w->txns[i];

        if (!t->is_certain || t->stamp.actor != mark.actor || t->stamp.hlc > mark.hlc ||
            sim_past_doubts(w, t->stamp)) {
            continue;
        }
        for (size_t d = 0; d < t->count; d++) {
            if (t->docs[d] >= sim_first(c) && t->docs[d] < sim_first(c + 1) &&
                !sim_holds(w, n, t->docs[d], t->stamp)) {
                sim_fail(w, "node %d: its marks claim document %u of node %d", n,
                         t->docs[d], t->node);
            }
        }
    }
}

void sim_check_marks(struct sim_world *w, int n)
{
    struct sim_node *node = &w->nodes[n];
    const uint64_t own = lia_db_identity(node->db).actor;
    struct lia_arena arena;

    lia_arena_init(&arena, &lia_mem_libc);
    for (uint32_t c = 0; c < SIM_NAMES; c++) {
        struct lia_name hash = lia_topic_name(
            (struct lia_topic){sim_collection(sim_first(c)), lia_slice(NULL, 0)});
        struct lia_vector marks;
        uint64_t sum = 0;

        if (lia_db_marks(node->db, &arena, lia_name_slice(&hash), &marks, NULL)) {
            sim_fail(w, "node %d: marks cannot be read", n);
        }
        for (size_t i = 0; i < marks.count; i++) {
            uint64_t hlc = marks.entries[i].hlc +
                           (w->breakage == SIM_BREAK_MARKS ? UINT64_C(1) << 32 : 0);

            check_mark(w, n, c, (struct lia_stamp){hlc, marks.entries[i].actor});
            /* Of one's own, a crash may take back what is not durable yet. */
            sum += marks.entries[i].actor == own ? 0 : hlc >> 16;
        }
        if (sum < node->marks_sum[c] && !w->past) {
            sim_fail(w, "node %d: its marks went back", n);
        }
        node->marks_sum[c] = sum;
    }
    lia_arena_deinit(&arena);
}
