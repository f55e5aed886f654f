/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_SIM_PAST_H
#define LIA_SIM_PAST_H
/*
 * sim/past - stores that are put back to what they were, or become copies of another.
 *
 * Seeds from SIM_PAST_FIRST on. In the storm disks are copied now and then; a crash may
 * then leave a node with an older copy of its own disk, or (SIM_PAST_COPIES) of another's. What its
 * actor has written since the copy, here and there, is in doubt: vectors say of it what
 * is not so until it is found out, so checks that rest on vectors leave it out, and what
 * must hold is: everything that somebody still has is everywhere in the end, all stores
 * are equal, and counters are right, but for what is not promised: a counter that one
 * actor has incremented in both histories.
 *
 * Rules, ownership, threads: as sim/world.h.
 */
#include "sim/world.h"

#define SIM_PAST_FIRST 1000000u
/* From here on a node may also get the disk of another one. */
#define SIM_PAST_COPIES 1500000u
#define SIM_PAST_LAST   2000000u /* others begin */

void sim_past_init(struct sim_world *w);
void sim_past_deinit(struct sim_world *w);

/* Copies disks, and puts copies in the place of others. */
void sim_past_faults(struct sim_world *w);

/* The node came up with an older or another store: what it has is taken as it is. */
bool sim_past_is_back(const struct sim_world *w, int node);
/* Its documents have been looked at: what was lost is no longer expected, and what came
 * back with its disk is. */
void sim_past_settle(struct sim_world *w, int node);
/* Somebody has it: a disk that is down counts, its copies do not. */
bool sim_past_survives(const struct sim_world *w, const struct sim_txn *t);

/* What was on its way when its store was put back has arrived after all. */
void sim_past_recount(struct sim_world *w);

/* Of what is written under the stamp vectors may say what is not so. */
bool sim_past_doubts(const struct sim_world *w, struct lia_stamp stamp);
/* The actor's store was put back or copied, found out or not: peers may tell of its writes
 * as if they had not been seen (docs/adr/0026). */
bool sim_past_fell(const struct sim_world *w, uint64_t actor);
/* False: what the counter shows is not promised. */
bool sim_past_counts(const struct sim_world *w, uint32_t doc);

#endif
