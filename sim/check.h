/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_SIM_CHECK_H
#define LIA_SIM_CHECK_H
/*
 * sim/check - what the files of checks share.
 *
 *     seen.c         what each node was seen to hold, by its commits; its documents
 *     check.c        each commit, and what holds at every moment
 *     check_marks.c  what marks say is so
 *     check_store.c  a store that was opened again
 *     check_end.c    when all is quiet
 *     check_stock.c  counters are sums
 *     check_kept.c   the same where some keep what others drop
 *
 * Rules: a check reads; what it learns it writes into sim_node.seen, sim_txn and
 * sim_world.states and nowhere else. A check that fails ends the process (sim_fail).
 * Ownership, threads: as sim/world.h.
 */
#include "sim/world.h"

/* ---- seen.c ---- */

uint32_t sim_doc_of(struct sim_world *w,
                    struct liana_str collection,
                    struct liana_slice key);
/* What is local, and declarations: nothing of what apps write. */
bool sim_is_apart(struct liana_str collection);
struct lia_vector sim_seen_vector(const struct sim_seen *seen);
/* What the node holds of a document now: nothing, if the vector is empty. */
void sim_remember(struct sim_world *w,
                  int n,
                  uint32_t doc,
                  const struct lia_doc_info *info);
/* What the node holds of the document, or held before it evicted it, has seen the stamp. */
bool sim_holds(const struct sim_world *w, int n, uint32_t doc, struct lia_stamp stamp);
/* The node gets every change of the document. */
bool sim_gets_all(const struct sim_world *w, int n, uint32_t doc);
/* Equal vectors are equal bytes, wherever and whenever. */
void sim_check_bytes(struct sim_world *w,
                     int n,
                     uint32_t doc,
                     struct lia_vector v,
                     struct lia_doc d);
/* All documents, as they are stored now. */
struct lia_held *sim_read_all(struct sim_world *w, int n, struct lia_arena *arena);

/* ---- check.c ---- */

/* True when the transaction is at the node, whole. */
bool sim_check_whole(struct sim_world *w, int n, const struct sim_txn *t);

/* ---- check_marks.c ---- */

void sim_check_marks(struct sim_world *w, int n);
/* A crash may have taken back what was not durable. */
void sim_forget_marks(struct sim_world *w, int n);

/* ---- check_end.c ---- */

/* All that is committed there is durable, and so was seen. */
bool sim_is_durable(const struct sim_node *node);
/* A narrow node subscribes to sales like this one. */
bool sim_is_wanted(struct liana_slice body);
bool sim_is_same(const struct lia_held *a, const struct lia_held *b);

/* ---- check_stock.c ---- */

/* Of what a store holds of any document. */
void sim_stock_check(struct sim_world *w,
                     int n,
                     uint32_t doc,
                     struct lia_vector vector,
                     struct liana_slice body);
/* When all is quiet. */
void sim_stock_check_end(struct sim_world *w, const struct lia_held *held);

/* ---- check_store.c ---- */

void sim_check_integrity(struct sim_world *w, int n);

#endif
