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

/* ---- between the files op*.c ---- */

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
LIANA_MUST_CHECK liana_status lia_op_restart(struct lia_writer *w,
                                             const struct lia_op *op);

LIANA_MUST_CHECK liana_status lia_op_add(struct lia_writer *w, const struct lia_op *op);
LIANA_MUST_CHECK liana_status lia_op_remove(struct lia_writer *w,
                                            const struct lia_op *op);

/* Answers "out of memory", or what the work's status says. */
liana_status lia_op_failed(struct lia_writer *w);

/* The smallest birth left at or below the node, else that of a path that appears now. */
struct lia_birth lia_op_birth(struct lia_writer *w, const struct lia_node *node);

/* Takes away what is at the node and below, for a write there or above; sums stay, and
 * what was seen of them. A value of the kind, with the sums that it saw. */
bool lia_op_clear(struct lia_writer *w, struct lia_node *node);
bool lia_op_put(struct lia_writer *w,
                struct lia_node *node,
                enum lia_value_kind kind,
                struct lia_birth birth);

/* "object", "array" and so on: what the node shows, for messages. */
const char *lia_shown_name(const struct lia_node *node);

/* ---- op_bounded.c ---- */

LIANA_MUST_CHECK liana_status lia_op_bound(struct lia_writer *w,
                                           const struct lia_op *op);
LIANA_MUST_CHECK liana_status lia_op_transfer(struct lia_writer *w,
                                              const struct lia_op *op);
LIANA_MUST_CHECK liana_status lia_op_reclaim(struct lia_writer *w,
                                             const struct lia_op *op);

/* A counter of the operation's value and bound begins at a node that has nothing. */
LIANA_MUST_CHECK liana_status lia_op_begin_bounded(struct lia_writer *w,
                                                   const struct lia_op *op,
                                                   struct lia_node *node,
                                                   struct lia_birth birth);

/* INCREMENT of a node that shows a bounded counter. */
LIANA_MUST_CHECK liana_status lia_op_increment_bounded(struct lia_writer *w,
                                                       const struct lia_op *op,
                                                       struct lia_node *node);

/* LIANA_ETYPE when the node shows a bounded counter, which nothing is assigned to. */
LIANA_MUST_CHECK liana_status lia_op_check_unbounded(struct lia_writer *w,
                                                     struct lia_path path,
                                                     const struct lia_node *node);

/* ---- op_shape.c ---- */

/* The shape that the operation asks for at the path; NULL: none. */
const struct lia_shape *lia_op_shape(const struct lia_op *op, struct lia_path path);

/* Gives the runs that were written at `map`, the node of the operation's path or the
 * root, the shapes that are asked for below it. LIANA_ETYPE, LIANA_ENOMEM. */
LIANA_MUST_CHECK liana_status lia_op_reshape(struct lia_writer *w,
                                             const struct lia_op *op,
                                             struct lia_node *map);

/* ---- op_set.c ---- */

/* SET of a set at the node: additions and removals; LIANA_ETYPE if it is no array. */
LIANA_MUST_CHECK liana_status lia_op_set_array(struct lia_writer *w,
                                               const struct lia_op *op,
                                               struct lia_node *node);

/* The elements of an array, into a node that has nothing else. */
LIANA_MUST_CHECK liana_status lia_op_fill_set(struct lia_writer *w,
                                              struct lia_path path,
                                              struct lia_node *node,
                                              struct lia_value array,
                                              struct lia_birth birth);

/* The root and all below become the document's fields, `id` left out. */
LIANA_MUST_CHECK liana_status lia_op_replace_root(struct lia_writer *w,
                                                  const struct lia_op *op);

/* The document's fields as children of an empty root. */
LIANA_MUST_CHECK liana_status lia_op_fill_root(struct lia_writer *w,
                                               const struct lia_op *op);

#endif
