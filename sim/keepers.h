/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_SIM_KEEPERS_H
#define LIA_SIM_KEEPERS_H
/*
 * sim/keepers - runs in which some nodes keep what others drop (docs/adr/0024).
 *
 * Seeds from SIM_KEEPERS_FIRST on. Some nodes are keepers, mostly several that know nothing
 * of each other but what they sync; the others evict what is kept, and by force what is not,
 * anywhere in the mesh; leaves may hold a part of the sales by a query. Everybody forgets
 * tombstones after a second or so, and nodes are away for longer than that, and write.
 * Nodes then differ in what they hold, and other things must hold than equality:
 *
 *   1  what was created, and not deleted by a delete that is later, is alive at every
 *      keeper, the same there and wherever it is held, when all is quiet;
 *   2  what a delete has seen is alive nowhere, when all is quiet, nor is any part of it shown
 *      where the document was begun anew;
 *   3  marks, what is believed to be kept and what is known to be forgotten only grow;
 *   4  what a node believes to be kept is at a keeper, at every moment;
 *   5  who does not evict misses nothing, whoever evicts on the way; who does has once had
 *      what it lacks.
 *
 * Not expected of what was dropped by force while no keeper had it.
 *
 * Rules, ownership, threads: as sim/world.h.
 */
#include "sim/world.h"

#define SIM_KEEPERS_FIRST 2000000u
#define SIM_KEEPERS_LAST  3000000u /* others begin */
/* From here on clocks are wrong as well. */
#define SIM_KEEPERS_CLOCKS 4000000u

static inline bool sim_seed_has_keepers(uint64_t seed)
{
    return (seed >= SIM_KEEPERS_FIRST && seed < SIM_KEEPERS_LAST) ||
           seed >= SIM_KEEPERS_CLOCKS;
}

/* Decides what the seed turns on; to be called when edges and narrow nodes are known. */
void sim_keepers_init(struct sim_world *w);
void sim_keepers_deinit(struct sim_world *w);

bool sim_has_keepers(const struct sim_world *w);
bool sim_is_keeper(const struct sim_world *w, int node);
uint64_t sim_reader_wait_ms(const struct sim_world *w);
uint64_t sim_tombstone_ttl_ms(const struct sim_world *w);

/* A node may evict something. */
void sim_keepers_work(struct sim_world *w, int node);
/* A node may leave for a while. */
void sim_keepers_faults(struct sim_world *w);
/* It has no links until it is back. */
bool sim_is_away(const struct sim_world *w, int node);

/* ---- what was seen (keepers.c) ---- */

/* Some of the document was dropped that no keeper had. */
bool sim_is_forced_out(const struct sim_world *w, uint32_t doc);
/* An eviction of the document there was committed, durable or not. */
bool sim_was_evicted(const struct sim_world *w, int node, uint32_t doc);
/* Something was committed there. */
void sim_keepers_note_actor(struct sim_world *w, int node);
/* Who the store of the node was after that actor; 0: it still is. */
uint64_t sim_successor(const struct sim_world *w, int node, uint64_t actor);
/* A delete of the document was committed, durable or not. */
bool sim_was_deleted(const struct sim_world *w, uint32_t doc);
/* A node may never get a change of it: it was forgotten, or dropped, before it came. */
bool sim_may_lack(const struct sim_world *w, uint32_t doc);

void sim_census(struct sim_world *w, enum sim_rarity what);

/* ---- what must hold (check_kept.c) ---- */

void sim_kept_check_now(struct sim_world *w, int node);
/* In place of equality. */
bool sim_kept_is_settled(struct sim_world *w);
void sim_kept_check_end(struct sim_world *w);

#endif
