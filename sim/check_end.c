/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "crdt/testing/ops.h"
#include "sim/check.h"
#include "sim/keepers.h"
#include "sim/oracle.h"
#include "sim/past.h"

bool sim_is_durable(const struct sim_node *node)
{
    struct lia_store_head head = lia_store_head(lia_db_store(node->db));

    return head.durable.seq == head.committed.seq;
}

bool sim_is_wanted(struct liana_slice body)
{
    struct lia_value till;

    return body.len && lia_bson_find(body, lia_str("till"), &till) &&
           lia_value_int64(till) < SIM_TILL_MAX;
}

bool sim_is_same(const struct lia_held *a, const struct lia_held *b)
{
    return lia_slice_cmp(a->doc.body, b->doc.body) == 0 &&
           lia_slice_cmp(a->doc.clock, b->doc.clock) == 0;
}

/* A narrow node holds what it subscribed to, as it is, and knows of everything that has left
 * that. */
static bool is_as_subscribed(const struct lia_held *mine, const struct lia_held *whole)
{
    return sim_is_wanted(whole->doc.body) ? sim_is_same(mine, whole)
                                          : !sim_is_wanted(mine->doc.body);
}

static bool are_narrow_settled(struct sim_world *w)
{
    struct lia_held *whole = NULL;
    struct lia_arena arena;
    bool answer = true;

    lia_arena_init(&arena, &lia_mem_libc);
    for (int n = 1; n < (int)w->knobs.nodes && answer; n++) {
        struct lia_held *mine;

        if (!sim_is_narrow(w, n)) {
            continue;
        }
        whole = whole ? whole : sim_read_all(w, 0, &arena);
        mine = sim_read_all(w, n, &arena);
        for (uint32_t d = 0; d < SIM_SALES && answer; d++) {
            answer = is_as_subscribed(&mine[d], &whole[d]);
        }
    }
    lia_arena_deinit(&arena);
    return answer;
}

static bool are_equal(struct sim_world *w)
{
    for (int n = 0; n < (int)w->knobs.nodes; n++) {
        for (uint32_t d = 0; d < SIM_DOCS; d++) {
            if (sim_gets_all(w, n, d) &&
                !lia_vector_equal(sim_seen_vector(&w->nodes[n].seen[d]),
                                  sim_seen_vector(&w->nodes[0].seen[d]))) {
                w->unsettled[0] = n;
                w->unsettled[1] = (int)d;
                return false;
            }
        }
    }
    return true;
}

/* Until another history is found out equal vectors prove nothing. */
static bool are_same(struct sim_world *w)
{
    struct lia_held *first;
    struct lia_arena arena;
    bool answer = true;

    lia_arena_init(&arena, &lia_mem_libc);
    first = sim_read_all(w, 0, &arena);
    for (int n = 1; n < (int)w->knobs.nodes && answer; n++) {
        const struct lia_held *held = sim_read_all(w, n, &arena);

        for (uint32_t d = 0; d < SIM_DOCS && answer; d++) {
            answer = sim_is_same(&held[d], &first[d]);
            if (!answer) {
                w->unsettled[0] = n;
                w->unsettled[1] = (int)d;
            }
        }
    }
    lia_arena_deinit(&arena);
    return answer;
}

bool sim_check_equal(struct sim_world *w)
{
    for (int n = 0; n < (int)w->knobs.nodes; n++) {
        if (!w->nodes[n].is_up || !sim_is_durable(&w->nodes[n])) {
            return false;
        }
    }
    return sim_oracle_is_settled(w) &&
           (sim_has_keepers(w)
                ? sim_kept_is_settled(w)
                : are_equal(w) && are_narrow_settled(w) && (!w->past || are_same(w)));
}

static void tell_held(struct sim_world *w, int n, const struct lia_held *held)
{
    struct lia_doc_info info;

    LIA_ASSERT(!lia_doc_info(&w->arena, held->doc.clock, &info));
    printf("node %d: seq %llu, life %llu, deleted %llu, withdrawn %llu ", n,
           (unsigned long long)held->seq, (unsigned long long)info.created.hlc,
           (unsigned long long)info.deleted.hlc,
           (unsigned long long)info.withdrawn.hlc);
    op_tell_document(held->doc.body);
    for (size_t i = 0; i < info.vector.count; i++) {
        printf("    %016llx %llu\n", (unsigned long long)info.vector.entries[i].actor,
               (unsigned long long)info.vector.entries[i].hlc);
    }
}

void sim_tell_unsettled(struct sim_world *w)
{
    sim_note(w, "node %d: document %d is not settled", w->unsettled[0],
             w->unsettled[1]);
    for (int n = 0; n < (int)w->knobs.nodes && w->is_traced; n++) {
        if (w->nodes[n].is_up) {
            tell_held(w, n, &sim_read_all(w, n, &w->arena)[w->unsettled[1]]);
        }
    }
}

/* Of what is in doubt vectors prove nothing: it is there, or what came later of it. */
static void check_there(struct sim_world *w,
                        int n,
                        const struct sim_txn *t,
                        const struct lia_held *held)
{
    for (size_t i = 0; i < t->count; i++) {
        if ((!held[t->docs[i]].seq && !sim_may_lack(w, t->docs[i]) &&
             !sim_was_evicted(w, n, t->docs[i])) ||
            w->breakage == SIM_BREAK_GONE) {
            sim_fail(w, "node %d: document %u of node %d is gone", n, t->docs[i],
                     t->node);
        }
    }
}

/* Puts a till that is subscribed to where another was. */
static void alter_till(struct lia_arena *arena, struct lia_held *held)
{
    struct liana_slice body;
    struct lia_value till;

    if (!held->doc.body.len || sim_is_wanted(held->doc.body) ||
        !lia_arena_copy(arena, held->doc.body, &body) ||
        !lia_bson_find(body, lia_str("till"), &till)) {
        return;
    }
    *(uint8_t *)(uintptr_t)till.data.ptr = 1;
    held->doc.body = body;
}

static void check_same(struct sim_world *w,
                       struct lia_arena *arena,
                       int n,
                       struct lia_held *held,
                       const struct lia_held *first)
{
    for (uint32_t d = 0; d < SIM_DOCS; d++) {
        if (sim_gets_all(w, n, d) && !sim_is_same(&held[d], &first[d])) {
            sim_fail(w, "document %u: node %d and node 0 differ", d, n);
        }
        if (!sim_gets_all(w, n, d) && w->breakage == SIM_BREAK_STAYS) {
            alter_till(arena, &held[d]);
        }
        if (!sim_gets_all(w, n, d) && !is_as_subscribed(&held[d], &first[d])) {
            sim_fail(w, "document %u: node %d: is not what it subscribed to", d, n);
        }
    }
}

static void check_present(struct sim_world *w, int n, const struct lia_held *held)
{
    for (size_t i = 0; i < w->txn_count; i++) {
        if (w->txns[i].is_certain && sim_past_doubts(w, w->txns[i].stamp)) {
            check_there(w, n, &w->txns[i], held);
        } else if (w->txns[i].is_certain && w->txns[i].count &&
                   !sim_check_whole(w, n, &w->txns[i])) {
            sim_fail(w, "node %d: an acknowledged transaction is missing", n);
        }
    }
}

void sim_check_end(struct sim_world *w)
{
    struct lia_arena arena;
    struct lia_held *first;

    lia_arena_init(&arena, &lia_mem_libc);
    sim_past_recount(w);
    first = sim_read_all(w, 0, &arena);
    if (w->breakage == SIM_BREAK_BYTES) {
        struct liana_slice body;

        LIA_ASSERT(lia_arena_copy(&arena, first[SIM_SALES].doc.body, &body));
        *(uint8_t *)(uintptr_t)(body.ptr + body.len - 3) ^= 1;
        first[SIM_SALES].doc.body = body;
    }
    for (int n = 0; n < (int)w->knobs.nodes; n++) {
        struct lia_held *held = sim_read_all(w, n, &arena);

        sim_check_integrity(w, n);
        if (!sim_has_keepers(w)) {
            check_same(w, &arena, n, held, first);
        }
        check_present(w, n, held);
    }
    sim_kept_check_end(w);
    sim_stock_check_end(w, first);
    sim_oracle_end(w, first);
    lia_arena_deinit(&arena);
}
