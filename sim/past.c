/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/past.h"

#include "db/renew.h"
#include "sim/clocks.h"
#include "sim/keepers.h"
#include "sim/oracle.h"

#include <stdio.h>
#include <stdlib.h>

#define DOUBTS_MAX 32
#define FALLS_MAX  256

/* From this stamp and this transaction on two histories go their ways. */
struct doubt {
    uint64_t actor;
    uint64_t beyond;
    size_t txn;
};

struct sim_past {
    struct lia_test_disk kept[SIM_NODES];
    uint64_t actors[SIM_NODES]; /* that stamped when it was kept */
    bool is_kept[SIM_NODES];
    bool is_back[SIM_NODES];
    bool is_copy[SIM_NODES];       /* of another store, under whose name it went on */
    uint64_t came_from[SIM_NODES]; /* the actor of the disk that was put in */
    int fallen;                    /* the last that it happened to, or -1 */
    uint64_t fell[FALLS_MAX];      /* actors of stores that were put back or copied */
    size_t fell_count;
    struct doubt doubts[DOUBTS_MAX];
    size_t doubt_count;
    unsigned chance;
};

void sim_past_init(struct sim_world *w)
{
    if (w->seed >= SIM_PAST_FIRST && w->seed < SIM_PAST_LAST) {
        w->past = calloc(1, sizeof(*w->past));
        LIA_ASSERT(w->past);
        w->past->fallen = -1;
        w->past->chance = 50 + (unsigned)sim_draw(w, 200);
        w->knobs.narrows = 0;
    }
}

void sim_past_deinit(struct sim_world *w)
{
    for (int n = 0; w->past && n < SIM_NODES; n++) {
        if (w->past->is_kept[n]) {
            lia_test_disk_deinit(&w->past->kept[n]);
        }
    }
    free(w->past);
}

/* ---- copying disks ---- */

static void keep(struct sim_world *w, int n)
{
    struct sim_past *past = w->past;
    struct sim_node *node = &w->nodes[n];
    char name[32];

    if (past->is_kept[n]) {
        lia_test_disk_deinit(&past->kept[n]);
    }
    snprintf(name, sizeof(name), "sim-kept-%d", n);
    lia_test_disk_crash(&node->disks[node->disk], &w->rng, &past->kept[n], name);
    past->is_kept[n] = true;
    past->actors[n] = lia_db_identity(node->db).actor;
    sim_note(w, "node %d: its disk is copied", n);
}

/* What it has written under the name of another store it alone can count anew, and others
 * may hold it behind marks that the other store has spread: it must not vanish (docs/adr/0012). */
static bool is_needed(const struct sim_world *w, int n)
{
    const struct sim_past *past = w->past;

    for (size_t i = 0; past->is_copy[n] && i < w->txn_count; i++) {
        const struct sim_txn *t = &w->txns[i];

        if (t->node == n && t->stamp.actor == past->came_from[n]) {
            return true;
        }
    }
    return false;
}

/* Who goes back while others do not know yet that somebody else did may take with it all
 * that is known of the lost history; and who becomes a copy of another before it has found
 * out itself takes with it who could: that is not promised (docs/adr/0012). */
static bool may_go_back(const struct sim_world *w, int n, int from)
{
    const struct sim_past *past = w->past;
    int f = past->fallen;

    if (is_needed(w, n)) {
        return false;
    }
    return f < 0 || (f == n && from == n) ||
           (w->nodes[f].is_up && !past->is_back[f] &&
            lia_db_identity(w->nodes[f].db).actor != past->came_from[f] &&
            !lia_db_must_mend(w->nodes[f].db));
}

static void put_back(struct sim_world *w, int n)
{
    struct sim_past *past = w->past;
    int from = w->seed < SIM_PAST_COPIES || sim_chance(w, 600)
                   ? n
                   : (int)sim_draw(w, w->knobs.nodes);

    if (!past->is_kept[from] || past->doubt_count == DOUBTS_MAX ||
        !may_go_back(w, n, from)) {
        return;
    }
    sim_note(w, "node %d: gets the old disk of node %d", n, from);
    if (w->oracle) {
        sim_rows_lose(w, n);
    }
    LIA_ASSERT(past->fell_count + 2 <= FALLS_MAX);
    past->fell[past->fell_count++] = lia_db_identity(w->nodes[n].db).actor;
    past->fell[past->fell_count++] = past->actors[from];
    sim_node_crash_to(w, n, &past->kept[from]);
    past->is_back[n] = true;
    past->fallen = n;
    past->is_copy[n] =
        from != n || (past->is_copy[n] && past->actors[n] == past->came_from[n]);
    past->came_from[n] = past->actors[from];
    w->crashes++;
    sim_after(w, 1 + sim_draw(w, 3000), SIM_RESTART, (uint32_t)n, 0, 0, NULL);
}

void sim_past_faults(struct sim_world *w)
{
    for (int n = 0; w->past && n < (int)w->knobs.nodes; n++) {
        if (!w->nodes[n].is_up || w->nodes[n].is_failing) {
            continue;
        }
        if (sim_chance(w, w->past->chance)) {
            keep(w, n);
        } else if (sim_chance(w, w->past->chance / 2)) {
            put_back(w, n);
        }
    }
}

/* ---- what is left of it ---- */

bool sim_past_is_back(const struct sim_world *w, int node)
{
    return w->past && w->past->is_back[node];
}

static bool has(const struct sim_world *w, int n, const struct sim_txn *t)
{
    for (size_t i = 0; i < t->count; i++) {
        const struct sim_seen *seen = &w->nodes[n].seen[t->docs[i]];

        if (!lia_vector_covers((struct lia_vector){seen->entries, seen->count},
                               t->stamp)) {
            return false;
        }
    }
    return true;
}

bool sim_past_survives(const struct sim_world *w, const struct sim_txn *t)
{
    for (int n = 0; n < (int)w->knobs.nodes; n++) {
        if (has(w, n, t)) {
            return true;
        }
    }
    return false;
}

static void add_doubt(struct sim_world *w, int n)
{
    struct sim_past *past = w->past;
    uint64_t actor = lia_db_identity(w->nodes[n].db).actor;
    struct lia_vector own;
    struct lia_arena arena;

    if (actor != past->came_from[n]) {
        return; /* the store has noticed by itself */
    }
    lia_arena_init(&arena, &lia_mem_libc);
    LIA_ASSERT(!lia_db_marks(w->nodes[n].db, &arena, lia_slice("own", 3), &own, NULL));
    past->doubts[past->doubt_count++] =
        (struct doubt){actor, lia_vector_get(own, actor), w->txn_count};
    lia_arena_deinit(&arena);
}

void sim_past_settle(struct sim_world *w, int node)
{
    w->past->is_back[node] = false;
    add_doubt(w, node);
    for (size_t i = 0; i < w->txn_count; i++) {
        struct sim_txn *t = &w->txns[i];

        /* A copy may hold what was not durable at its original, and what everybody else
         * has lost. */
        if (!t->is_open || t->node == node || has(w, node, t)) {
            t->is_open = false;
            t->is_certain = !t->is_void && sim_past_survives(w, t);
        }
        t->whole &= ~(1U << node);
    }
    w->checked = 0;
}

void sim_past_recount(struct sim_world *w)
{
    for (size_t i = 0; w->past && i < w->txn_count; i++) {
        struct sim_txn *t = &w->txns[i];

        t->is_certain =
            t->is_certain || (!t->is_open && !t->is_void && sim_past_survives(w, t));
    }
}

bool sim_past_doubts(const struct sim_world *w, struct lia_stamp stamp)
{
    if (sim_is_ahead(w, stamp.hlc)) {
        return true;
    }
    for (size_t i = 0; w->past && i < w->past->doubt_count; i++) {
        if (w->past->doubts[i].actor == stamp.actor &&
            stamp.hlc > w->past->doubts[i].beyond) {
            return true;
        }
    }
    return false;
}

bool sim_past_fell(const struct sim_world *w, uint64_t actor)
{
    for (size_t i = 0; w->past && i < w->past->fell_count; i++) {
        if (w->past->fell[i] == actor) {
            return true;
        }
    }
    return false;
}

static bool increments(const struct sim_txn *t, uint32_t doc)
{
    for (size_t i = 0; i < t->count; i++) {
        if (t->docs[i] == doc) {
            return true;
        }
    }
    return false;
}

bool sim_past_counts(const struct sim_world *w, uint32_t doc)
{
    for (size_t i = 0; w->past && i < w->txn_count; i++) {
        if (sim_past_doubts(w, w->txns[i].stamp) && increments(&w->txns[i], doc)) {
            return false;
        }
    }
    return true;
}
