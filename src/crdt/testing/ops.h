/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CRDT_TESTING_OPS_H
#define LIA_CRDT_TESTING_OPS_H
/*
 * crdt/testing/ops - random operations for histories, and telling what they are.
 *
 * Rules: few names, few values, shallow documents, so that operations meet.
 * Ownership: values live in the arena. Threads: one.
 */
#include "base/testing/random.h"
#include "crdt/doc.h"

struct op_maker {
    struct lia_arena *arena;
    struct lia_rng *rng;
    bool is_about_counters;
    bool is_about_lives;
    bool is_about_sets;
    bool is_about_bounds;
    bool is_about_falls;
    uint64_t actor;           /* that rights may go to */
    struct lia_stamp verdict; /* what a DELETE may take effect at; none: its stamp */
    uint64_t retired;         /* whose rights may be taken back; 0: nobody's */
};

/* `names` are the path's, the caller's to keep. */
struct lia_op op_random(struct op_maker *m, bool exists, struct liana_str names[3]);

/* An INSERT of which little but the generator's seed decides. */
struct lia_op op_initial(struct op_maker *m);

void op_tell(const struct lia_op *op);
void op_tell_document(struct liana_slice doc);

#endif
