/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CRDT_SET_H
#define LIA_CRDT_SET_H
/*
 * crdt/set - a set of values at a path (design page 10, "Sets"): additions win.
 *
 * An element is an exact BSON value, type and bytes. Of each actor it keeps one slot: the
 * newest addition, and the stamp of the newest removal that saw that very addition. The
 * element is in the set while a slot without a removal is left. A removal that saw an
 * older addition says nothing about a newer one, so two registers are one.
 *
 * Rules: elements are in the order that the set is shown in (lia_element_cmp), each once;
 * slots are by actor and at least one. A removed addition is still an inside entry of its
 * path, of the rank of the addition: what takes nothing away from a value beside it.
 * Ownership: the arena's; values are borrowed. Threads: one.
 */
#include "crdt/state.h"

struct lia_slot {
    struct lia_rank rank; /* of the addition; its tag is that of what came last */
    struct lia_birth birth;
    struct lia_stamp removed; /* none: the addition stands */
};

struct lia_element {
    struct lia_value value;
    struct lia_slot *slots;
    size_t slot_count;
};

struct lia_set {
    bool is_open; /* open(set): an empty one was written */
    struct lia_rank open_rank;
    struct lia_birth open_birth;
    struct lia_element *elements;
    size_t count;
};

/* BSON order, then type, then bytes. */
int lia_element_cmp(struct lia_value a, struct lia_value b);

/* An addition of it stands. */
bool lia_element_is_in(const struct lia_element *element);

/* NULL when it has never been heard of. */
struct lia_element *lia_set_find(const struct lia_set *set, struct lia_value value);

/* The tag that a slot has when no repair has renewed it. */
static inline struct lia_stamp lia_slot_stamp(const struct lia_slot *slot)
{
    return lia_stamp_is_none(slot->removed) ? slot->rank.stamp : slot->removed;
}

/* ---- local writes ---- */

/* The node's set, made if need be. */
struct lia_set *lia_set_of(struct lia_work *work, struct lia_node *node);

bool lia_set_add(struct lia_work *work,
                 struct lia_set *set,
                 struct lia_value value,
                 struct lia_rank rank,
                 struct lia_birth birth);

/* Every addition that stands is removed. */
void lia_element_remove(struct lia_element *element, struct lia_stamp stamp);

/* ---- the law ---- */

bool lia_set_join(struct lia_work *work, struct lia_node *a, const struct lia_node *b);

/* For lia_node_each. */
void lia_set_each(struct lia_node *node,
                  const struct lia_trail *trail,
                  lia_entry_fn keep,
                  void *ctx);

/* The payload of the array that shows it. */
size_t lia_set_size(const struct lia_set *set);
uint8_t *lia_set_write(uint8_t *at, const struct lia_set *set);

#endif
