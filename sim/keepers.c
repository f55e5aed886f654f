/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/keepers.h"

#include <stdlib.h>

#include "sim/check.h"

#define TTL_MS_MIN     800u
#define TTL_MS_MAX     6000u
#define AWAY_MS_MAX    9000u
#define READER_WAIT_MS 2000u
#define SUCCESSIONS    4096
#define STORM_MS_MORE  8000u /* tombstones must grow old in it */

/* A store went on as another actor: it evicted, or forgot, what it had written itself. */
struct succession {
    int node;
    uint64_t from;
    uint64_t to;
};

struct sim_keepers {
    unsigned keepers;   /* bit n: node n is one */
    unsigned evictions; /* per write of a node that is none, in 1,000 */
    unsigned forced;    /* of these, in 1,000 */
    unsigned absences;  /* per second and node, in 1,000 */
    uint64_t ttl_ms;
    uint64_t away_until[SIM_NODES];
    bool is_evicted[SIM_NODES][SIM_DOCS];
    bool is_forced_out[SIM_DOCS];
    uint64_t actors[SIM_NODES];
    struct succession successions[SUCCESSIONS];
    size_t succession_count;
};

/* ---- what a seed turns on ---- */

/* Node 0, against which the others are compared, and mostly others; never all. */
static unsigned draw_keepers(struct sim_world *w)
{
    unsigned keepers = 1;

    for (unsigned n = 1; n < w->knobs.nodes; n++) {
        keepers |= sim_chance(w, 400) ? 1U << n : 0;
    }
    if (keepers == 1 && sim_chance(w, 700)) {
        keepers |= 1U << (w->knobs.nodes - 1);
    }
    return keepers == (1U << w->knobs.nodes) - 1 ? keepers & ~2U : keepers;
}

void sim_keepers_init(struct sim_world *w)
{
    struct sim_keepers *k;

    if (!sim_seed_has_keepers(w->seed)) {
        return;
    }
    k = calloc(1, sizeof(*k));
    LIA_ASSERT(k);
    w->keepers = k;
    k->keepers = draw_keepers(w);
    k->evictions = sim_chance(w, 800) ? 1 + (unsigned)sim_draw(w, 400) : 0;
    k->forced = sim_chance(w, 850) ? (unsigned)sim_draw(w, 400) : 0;
    k->absences = sim_chance(w, 700) ? (unsigned)sim_draw(w, 150) : 0;
    k->ttl_ms = TTL_MS_MIN + sim_draw(w, TTL_MS_MAX - TTL_MS_MIN);
    w->knobs.narrows &= ~k->keepers;
    w->knobs.storm_ms += STORM_MS_MORE;
    w->knobs.batch_bytes = 0; /* a batch that is too large may part transactions */
    sim_note(w, "keepers %x, evictions %u, forced %u, absences %u, tombstones %llu ms",
             k->keepers, k->evictions, k->forced, k->absences,
             (unsigned long long)k->ttl_ms);
}

void sim_keepers_deinit(struct sim_world *w)
{
    free(w->keepers);
}

bool sim_has_keepers(const struct sim_world *w)
{
    return w->keepers;
}

bool sim_is_keeper(const struct sim_world *w, int n)
{
    return w->keepers && (w->keepers->keepers >> n & 1);
}

/* Who evicts waits for who reads from it, for days; without, not for who is away, so that
 * what was deleted and forgotten comes back with them. */
uint64_t sim_reader_wait_ms(const struct sim_world *w)
{
    return w->keepers && !w->keepers->evictions ? READER_WAIT_MS : 0;
}

uint64_t sim_tombstone_ttl_ms(const struct sim_world *w)
{
    return w->keepers ? w->keepers->ttl_ms : 0;
}

bool sim_is_forced_out(const struct sim_world *w, uint32_t doc)
{
    return w->keepers && w->keepers->is_forced_out[doc];
}

bool sim_was_evicted(const struct sim_world *w, int n, uint32_t doc)
{
    return w->keepers && w->keepers->is_evicted[n][doc];
}

uint64_t sim_successor(const struct sim_world *w, int node, uint64_t actor)
{
    for (size_t i = w->keepers ? w->keepers->succession_count : 0; i-- > 0;) {
        const struct succession *s = &w->keepers->successions[i];

        if (s->node == node && s->from == actor) {
            return s->to;
        }
    }
    return 0;
}

void sim_keepers_note_actor(struct sim_world *w, int n)
{
    struct sim_keepers *k = w->keepers;
    uint64_t actor = lia_db_identity(w->nodes[n].db).actor;

    if (k && actor != k->actors[n]) {
        LIA_ASSERT(k->succession_count < SUCCESSIONS);
        k->successions[k->succession_count++] =
            (struct succession){n, k->actors[n], actor};
        k->actors[n] = actor;
    }
}

bool sim_was_deleted(const struct sim_world *w, uint32_t doc)
{
    return w->keepers && w->deletes[doc] > 0;
}

bool sim_may_lack(const struct sim_world *w, uint32_t doc)
{
    return sim_was_deleted(w, doc) || sim_is_forced_out(w, doc);
}

void sim_census(struct sim_world *w, enum sim_rarity what)
{
    w->rare[what]++;
}

/* ---- evicting ---- */

/* Whatever happens to the other copies. */
static bool is_at_a_keeper(const struct sim_world *w, int n, uint32_t doc)
{
    const struct sim_seen *mine = &w->nodes[n].seen[doc];

    if (!sim_is_durable(&w->nodes[n])) {
        return false; /* what is evicted is not seen yet */
    }
    for (int k = 0; k < (int)w->knobs.nodes; k++) {
        if (sim_is_keeper(w, k) &&
            lia_vector_geq(sim_seen_vector(&w->nodes[k].seen[doc]),
                           sim_seen_vector(mine))) {
            return true;
        }
    }
    return false;
}

/* Who drops by force what others have not been given yet keeps it from them, and was told so
 * (docs/adr/0024): here only leaves do. */
static bool is_leaf(const struct sim_world *w, int n)
{
    unsigned links = 0;

    for (uint32_t e = 0; e < w->edge_count; e++) {
        links += w->edges[e].nodes[0] == n || w->edges[e].nodes[1] == n;
    }
    return links == 1;
}

static void evict_one(struct sim_world *w, int n, struct lia_txn *txn, uint32_t doc)
{
    const struct lia_collection *collection;
    bool is_forced = is_leaf(w, n) && sim_chance(w, w->keepers->forced);
    bool is_safe = is_at_a_keeper(w, n, doc);
    bool is_evicted = false;
    liana_status status =
        lia_txn_collection(txn, sim_collection(doc), false, &collection, NULL);

    if (!status) {
        status = lia_txn_evict(txn, collection, sim_key(w, doc), is_forced, &is_evicted,
                               NULL);
    }
    w->nodes[n].is_failing = w->nodes[n].is_failing || status == LIANA_EIO;
    if (is_evicted) {
        sim_census(w, is_forced ? SIM_RARE_FORCED : SIM_RARE_EVICTED);
        w->keepers->is_evicted[n][doc] = true;
        w->keepers->is_forced_out[doc] |= is_forced && !is_safe;
    }
    sim_note(w, "node %d: document %u: %s%s", n, doc, is_evicted ? "evicted" : "stays",
             is_forced ? " by force" : "");
}

void sim_keepers_work(struct sim_world *w, int n)
{
    struct lia_txn_options options;
    struct lia_txn *txn;

    if (!w->keepers || sim_is_keeper(w, n) || !w->nodes[n].is_up ||
        !sim_chance(w, w->keepers->evictions)) {
        return;
    }
    options = lia_txn_options(w->nodes[n].db, LIA_WRITE);
    options.wait_ms = 0;
    if (lia_txn_begin(w->nodes[n].db, &options, &txn, NULL)) {
        return;
    }
    for (uint64_t i = 1 + sim_draw(w, 8); i > 0; i--) {
        evict_one(w, n, txn,
                  sim_chance(w, 800)
                      ? (uint32_t)sim_draw(w, w->sales)
                      : sim_first(1) + (uint32_t)sim_draw(w, SIM_STOCK + SIM_DESK));
    }
    if (lia_txn_commit(txn, NULL, NULL)) {
        w->nodes[n].is_failing = true;
    }
    sim_check_commits(w, n);
    sim_node_outputs(w, n);
}

/* ---- absences ---- */

bool sim_is_away(const struct sim_world *w, int n)
{
    return w->keepers && !w->is_calm && w->now < w->keepers->away_until[n];
}

void sim_keepers_faults(struct sim_world *w)
{
    for (int n = 0; w->keepers && n < (int)w->knobs.nodes; n++) {
        if (!sim_is_away(w, n) && sim_chance(w, w->keepers->absences)) {
            w->keepers->away_until[n] =
                w->now + w->keepers->ttl_ms + sim_draw(w, AWAY_MS_MAX);
            sim_note(w, "node %d: away until %llu", n,
                     (unsigned long long)w->keepers->away_until[n]);
            sim_net_part_node(w, n);
            sim_census(w, SIM_RARE_AWAY);
        }
    }
}
