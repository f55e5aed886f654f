/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_SIM_CLOCKS_H
#define LIA_SIM_CLOCKS_H
/*
 * sim/clocks - runs in which clocks are wrong by more than peers mind (docs/clocks.md).
 *
 * Seeds from SIM_CLOCKS_FIRST on. Clocks fall behind by up to all the time since 1970, and run
 * ahead by up to years; later, or when all is quiet, they are set right. What is stamped
 * ahead is put aside by others, and gets other stamps when the clock is right again: checks
 * that go by stamps leave it out. What must hold: all stores are equal in the end,
 * nothing that was acknowledged is missing, and counters are the sum of all increments.
 *
 * One clock runs ahead at a time, of one store or of several that go by it, until they are
 * repaired. A store whose clock fell behind
 * what it has committed goes by its peers' time, and may take what is stamped ahead: that stays
 * as it is until its time comes. A store whose clock is always right takes nothing of it.
 *
 * Rules, ownership, threads: as sim/world.h.
 */
#include "sim/world.h"

#define SIM_CLOCKS_FIRST 3000000u

void sim_clocks_init(struct sim_world *w);
void sim_clocks_deinit(struct sim_world *w);
void sim_clocks_faults(struct sim_world *w);

/* Fails where a store takes what is ahead of a clock that has always been right. */
void sim_clocks_check(struct sim_world *w, int n, uint32_t doc, struct lia_vector v);

/* What is stamped later is ahead to the store, by its own clock. */
uint64_t sim_clock_limit(const struct sim_world *w, int node);
/* Its time has not come: it may get another stamp. */
bool sim_is_ahead(const struct sim_world *w, uint64_t hlc);

/* Clocks are right, and two stores hold what one of them stamped ahead: the time comes for
 * it. False: there is nothing such. */
bool sim_clocks_pass(struct sim_world *w);

/* What has happened to their stores, at the end. */
void sim_clocks_count(struct sim_world *w);

#endif
