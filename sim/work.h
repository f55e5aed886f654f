/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_SIM_WORK_H
#define LIA_SIM_WORK_H
/*
 * sim/work - between the files of what apps do.
 *
 *     work.c        transactions; sales and stock
 *     work_desk.c   the desk and the seats: all that can be written (sim/oracle.h)
 *
 * Ownership, threads: as sim/world.h.
 */
#include "sim/world.h"

/* A transaction of an app, and what it was promised. */
struct sim_work {
    int node;
    struct lia_txn *txn;
    struct sim_txn *log;
    liana_status status; /* of the disk, or memory: it is void */
};

/* The field that the life with this number has. */
#define SIM_LIFE_NAME 16
const char *sim_life_name(uint32_t number, char out[SIM_LIFE_NAME]);

/* Writes to a few documents of the desk and the seats. */
void sim_work_desk(struct sim_world *w, int node, struct sim_work *x);
/* Declares something, in a transaction of its own. */
void sim_work_declare(struct sim_world *w, int node, const char *statement);
/* Another declaration of the desk. */
void sim_work_redeclare(struct sim_world *w, int node);

#endif
