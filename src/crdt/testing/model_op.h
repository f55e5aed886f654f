/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CRDT_TESTING_MODEL_OP_H
#define LIA_CRDT_TESTING_MODEL_OP_H
/*
 * crdt/testing/model_op - between the files model_op*.c: what an operation does to the
 * model's entries.
 *
 * Rules: statuses are those of lia_doc_apply. `*out_changed` is set to false where nothing
 * came of it. Ownership: as in model.h. Threads: one.
 */
#include "crdt/testing/model.h"

struct model_writer {
    struct model_doc *d;
    struct lia_stamp stamp;
};

/* An entry of this transaction, with the birth left at its path or a new one. */
struct model_entry model_entry_new(struct model_writer *w,
                                   enum model_kind kind,
                                   const char *path,
                                   bool is_new);

/* ---- model_op_set.c ---- */

void model_add_element(struct model_writer *w,
                       struct model_entry e,
                       struct lia_value element);
void model_remove_element(struct model_writer *w,
                          const char *path,
                          struct lia_value element);

/* What is written as a set at a path that has nothing else. */
void model_put_elements(struct model_writer *w,
                        struct model_entry e,
                        struct lia_value array);

/* The set holds what the array holds; true if that was not so before. */
bool model_assign_elements(struct model_writer *w,
                           const char *path,
                           struct lia_value array);

/* ---- model_op_bounded.c ---- */

liana_status model_increment_bounded(struct model_writer *w,
                                     const char *path,
                                     struct lia_value v,
                                     bool *out_changed);
/* The counter begins as the entry, which has its path and birth. */
liana_status model_begin_bounded(struct model_writer *w,
                                 struct model_entry e,
                                 struct lia_value v,
                                 int64_t bound);
liana_status model_bound(struct model_writer *w,
                         const struct lia_op *op,
                         const char *path);
/* What a bounded counter lets be moved between actors: nothing, or to or from `actor`. */
liana_status model_move(struct model_writer *w,
                        const struct lia_op *op,
                        const char *path,
                        bool *out_changed);

#endif
