/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CRDT_BOUNDED_H
#define LIA_CRDT_BOUNDED_H
/*
 * crdt/bounded - a counter that never falls below its bound, without asking anybody.
 *
 * The Bounded Counter of Balegas et al., "Extending Eventually Consistent Cloud Databases
 * for Enforcing Numeric Invariants", SRDS 2015, section III. What lies between value and
 * bound is divided into rights; who spends uses up rights of its own, who has none asks
 * for a transfer. Their matrix R and vector U are kept by rows: an actor's share is what
 * it has granted itself (R[i][i]), spent (U[i]) and given to each other actor (R[i][j]),
 * and nobody else writes it, so that the newer share of an actor is the join of two.
 *
 * A counter begins with a *creation*, and every share belongs to one. Two creations at
 * one path add up, bounds and all. All shares of a creation have its fate: a value that
 * covers the creation, or a delete of its life, ends them together; if some stayed, what
 * they were given by the others would be missing.
 *
 * Beyond the paper: rights die with their actor. Who has retired it takes back what it
 * had left (`taken`), once, when all that it has written is known.
 *
 * Rules: shares are by (creation, actor), actors in lists ascending, amounts above 0 and
 * within int64. Ownership: the arena's. Threads: one.
 */
#include "crdt/state.h"

struct lia_grant {
    uint64_t actor;
    int64_t amount;
};

struct lia_grants {
    struct lia_grant *entries;
    size_t count;
};

struct lia_share {
    struct lia_stamp creation;
    struct lia_rank rank; /* of the actor's newest write; its life is the creation's */
    struct lia_birth birth;
    int64_t bound; /* in the share of who created it, else 0 */
    int64_t granted;
    int64_t spent;
    struct lia_grants given; /* to other actors */
    struct lia_grants taken; /* from actors that were retired */
};

struct lia_bounded {
    struct lia_share *shares;
    size_t count;
};

/* What a peer may spend and what is shown; the second may be wider than an int64. */
lia_int128 lia_bounded_rights(const struct lia_bounded *bounded, uint64_t actor);
lia_int128 lia_bounded_value(const struct lia_bounded *bounded);
lia_int128 lia_bounded_bound(const struct lia_bounded *bounded);

/* Who has or had rights: ascending, each once, in the arena; NULL: out of memory. */
const uint64_t *lia_bounded_actors(struct lia_arena *arena,
                                   const struct lia_bounded *bounded,
                                   size_t *out_count);

/* ---- local writes: amounts are above 0 ---- */

/* What is written, by whom: the share's rank and, where it is new, its birth. */
struct lia_share_write {
    struct lia_stamp stamp;
    struct lia_stamp life; /* of a creation */
    struct lia_birth birth;
};

/* LIANA_ERANGE: beyond int64; LIANA_ENOMEM. */
LIANA_MUST_CHECK liana_status lia_bounded_create(struct lia_work *work,
                                                 struct lia_node *node,
                                                 const struct lia_share_write *by,
                                                 int64_t value,
                                                 int64_t bound);
LIANA_MUST_CHECK liana_status lia_bounded_grant(struct lia_work *work,
                                                struct lia_node *node,
                                                const struct lia_share_write *by,
                                                int64_t amount);

/* Uses up rights of the actor, those of the oldest creation first: they are spent, or
 * given to `to`. LIANA_ERIGHTS when it has less than that. */
LIANA_MUST_CHECK liana_status lia_bounded_spend(struct lia_work *work,
                                                struct lia_node *node,
                                                const struct lia_share_write *by,
                                                int64_t amount);
LIANA_MUST_CHECK liana_status lia_bounded_give(struct lia_work *work,
                                               struct lia_node *node,
                                               const struct lia_share_write *by,
                                               int64_t amount,
                                               uint64_t to);

/* Takes all rights that `from` has left. */
LIANA_MUST_CHECK liana_status lia_bounded_take(struct lia_work *work,
                                               struct lia_node *node,
                                               const struct lia_share_write *by,
                                               uint64_t from);

/* ---- the law ---- */

bool lia_bounded_join(struct lia_work *work,
                      struct lia_node *a,
                      const struct lia_node *b);

/* For lia_node_each. */
void lia_bounded_each(struct lia_node *node,
                      const struct lia_trail *trail,
                      lia_entry_fn keep,
                      void *ctx);

#endif
