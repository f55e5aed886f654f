/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CRDT_OP_H
#define LIA_CRDT_OP_H
/*
 * crdt/op - local operations on a state: what an app's write becomes as entries.
 *
 * A local write is newer than everything in the document, but for what the same
 * transaction has written before: that has its very stamp, and equal rank does not
 * cover. So a write takes away what is below it itself, and the net effect of a
 * transaction is what remains.
 *
 * Rules: the view of the state need not be fresh; afterwards it is not.
 * Ownership: values stay borrowed in the state. Threads: one.
 */
#include "crdt/doc.h"
#include "crdt/state.h"

struct lia_writer {
    struct lia_work *work;
    struct lia_state *state;
    struct lia_stamp stamp;
    uint64_t next_index;            /* of a birth in this transaction */
    struct lia_state before_delete; /* by an operation of this call */
    bool has_before_delete;
    bool is_changed;
};

/* The writer of one call. */
struct lia_writer lia_writer(struct lia_work *work,
                             struct lia_state *state,
                             struct lia_stamp stamp);

/* LIANA_EEXISTS, LIANA_ENOTFOUND, LIANA_ETYPE, LIANA_EID, LIANA_EINVAL, LIANA_EDEPTH,
 * LIANA_EMISUSE, LIANA_ENOMEM. */
LIANA_MUST_CHECK liana_status lia_op_apply(struct lia_writer *w,
                                           const struct lia_op *op);

/* ---- between op.c and op_value.c ---- */

/* The rank of what is written now. */
struct lia_rank lia_writer_rank(const struct lia_writer *w);

/* "a.b.c" for messages, cut when it is long. */
#define LIA_PATH_TEXT 96
const char *lia_path_text(struct lia_path path, char text[LIA_PATH_TEXT]);

/* The node of the path, made if need be, its view fresh, and the greatest rank of the
 * values above it. LIANA_ETYPE when the path leads through what is no map. */
LIANA_MUST_CHECK liana_status lia_op_reach(struct lia_writer *w,
                                           struct lia_path path,
                                           struct lia_node **out,
                                           struct lia_rank *out_cover);

/* The node of the path, its view fresh; NULL when the path shows nothing. */
LIANA_MUST_CHECK liana_status lia_op_find(struct lia_writer *w,
                                          struct lia_path path,
                                          struct lia_node **out);

LIANA_MUST_CHECK liana_status lia_op_set(struct lia_writer *w, const struct lia_op *op);
LIANA_MUST_CHECK liana_status lia_op_unset(struct lia_writer *w,
                                           const struct lia_op *op);
LIANA_MUST_CHECK liana_status lia_op_increment(struct lia_writer *w,
                                               const struct lia_op *op);

/* The root and all below become the document's fields, `id` left out. */
LIANA_MUST_CHECK liana_status lia_op_replace_root(struct lia_writer *w,
                                                  struct liana_slice doc);

/* The document's fields as children of an empty root. */
LIANA_MUST_CHECK liana_status lia_op_fill_root(struct lia_writer *w,
                                               struct liana_slice doc);

#endif
