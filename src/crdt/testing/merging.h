/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CRDT_TESTING_MERGING_H
#define LIA_CRDT_TESTING_MERGING_H
/*
 * crdt/testing/merging - the table of docs/merging.md: every pair of operations that two
 * peers do without having seen each other's, with either of them the older.
 *
 * Each pair is run over several routes: directly both ways, through a third peer in both
 * orders, through a relay that composes segments it does not open. All must give the same
 * bytes; if they do not, the table says so and the test fails.
 *
 * Ownership: none. Threads: one.
 */
#include "base/buf.h"
#include "crdt/doc.h"

/* Appends the table, in Markdown. False: a pair came out in different ways. */
bool merging_table(struct lia_buf *out);

/* The operation meets all others in the table. */
bool merging_has(enum lia_op_kind kind);

#endif
