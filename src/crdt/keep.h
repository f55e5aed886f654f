/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CRDT_KEEP_H
#define LIA_CRDT_KEEP_H
/*
 * crdt/keep - what a store may drop, and what it still knows of what it dropped.
 *
 * The rules of keepers, marks, verdicts, forgetting and eviction (design page 10,
 * "Forgetting"; docs/adr/0024 with the histories that shaped them). A store knows, per
 * collection:
 *
 *   marks      actor -> hlc. For every write of that actor up to there, above `evicted`:
 *              it is in the copy held here, or its life is deleted.
 *   evicted    the join of the vectors of the living copies that were dropped here. Below
 *              it the marks say "was here once" and no more.
 *   kept       the join of what keepers have published: safe without this store.
 *   forgotten  the greatest delete among the tombstones forgotten here, or by those whose
 *              marks were taken. Of older lives, absence says nothing to a sender.
 *
 * and decides by them alone. No clock, no list of members, no list of holders. Checked
 * by keep_laws_test.c over random histories of several keepers: nothing is lost, nothing
 * deleted returns, those at rest agree, marks are true.
 *
 * Rules: a vector that holds an INITIAL stamp is within no marks: seeds are never
 * dropped by rule, nor are their tombstones.
 * Ownership: borrowed for the call; results in the arena, or parts of the arguments.
 * Threads: any. No state, no clock, no I/O.
 */
#include "crdt/doc.h"

/* INITIAL documents have stamps up to this (design page 10). */
#define LIA_HLC_INITIAL_MAX ((uint64_t)1 << 16)

struct lia_keep {
    struct lia_vector marks;
    struct lia_vector evicted;
    struct lia_vector kept;
    uint64_t forgotten;
    bool is_whole;  /* the collection is held without a predicate */
    bool is_keeper; /* others drop what it keeps: it evicts nothing, for good */
};

/* A copy that is offered or held. */
struct lia_copy {
    struct lia_doc_info info;
    struct lia_stamp newest; /* the greater of its life and of its newest update */
};

/* ---- dropping ---- */

/* Every commit of the copy is within the marks of some keeper. */
bool lia_keep_is_kept(const struct lia_keep *keep, struct lia_vector vector);

/* A living copy may be evicted by a rule (retention, on_unmatch, quota, EVICT). */
bool lia_keep_may_evict(const struct lia_keep *keep, const struct lia_doc_info *info);

/* A tombstone that came `age_ms` ago may be forgotten. */
bool lia_keep_may_forget(const struct lia_keep *keep,
                         const struct lia_doc_info *info,
                         uint64_t age_ms,
                         uint64_t ttl_ms);

/* Dropping any copy whose vector names the store's actor ends that actor, in the same
 * transaction: the next commit of the document here would claim the earlier ones. */
bool lia_keep_must_renew(struct lia_vector vector, uint64_t actor);

/* What `keep` is after the copy was dropped. LIANA_ENOMEM. */
LIANA_MUST_CHECK liana_status lia_keep_drop(struct lia_arena *arena,
                                            const struct lia_keep *keep,
                                            const struct lia_doc_info *info,
                                            struct lia_keep *out);

/* ---- receiving ---- */

enum lia_offer {
    LIA_OFFER_TAKE,   /* merge it */
    LIA_OFFER_REFUSE, /* it was here, and was evicted: not again without news */
    LIA_OFFER_BURY    /* it was here, and is deleted: merge it and delete it */
};

/* What to do with a copy offered by a peer. `held` has an empty vector when there is no
 * row. With LIA_OFFER_BURY, `*out_deleted` is the stamp that the delete takes effect at
 * (it is committed under a new stamp, like every write): no newer than the delete that
 * was forgotten, so that no life is voided which that one spared. */
enum lia_offer lia_keep_judge(const struct lia_keep *keep,
                              const struct lia_copy *held,
                              const struct lia_copy *offered,
                              enum lia_delete_mode mode,
                              struct lia_stamp *out_deleted);

/* What a copy that was taken has left of lives before its own, where deletes win: the
 * greatest of these lives that was here and is deleted, or none. `held`: the vector before the
 * merge. The merged copy is deleted at that stamp, which spares the life that was begun
 * anew. */
struct lia_stamp lia_keep_remains(const struct lia_keep *keep,
                                  struct lia_vector held,
                                  const struct lia_life *lives,
                                  size_t count);

/* ---- marks ---- */

/* What the holder of `keep` may tell a receiver with these marks: what was evicted here
 * must have been there. LIANA_ENOMEM. */
LIANA_MUST_CHECK liana_status lia_keep_claim(struct lia_arena *arena,
                                             const struct lia_keep *keep,
                                             struct lia_vector receiver,
                                             struct lia_vector *out);

/* What a keeper publishes; nothing for others. LIANA_ENOMEM. */
LIANA_MUST_CHECK liana_status lia_keep_publish(struct lia_arena *arena,
                                               const struct lia_keep *keep,
                                               struct lia_vector *out);

/* Takes in a sender's claim, once all that it sent is applied. LIANA_ENOMEM. */
LIANA_MUST_CHECK liana_status lia_keep_take(struct lia_arena *arena,
                                            const struct lia_keep *keep,
                                            struct lia_vector claim,
                                            uint64_t sender_forgotten,
                                            struct lia_keep *out);

/* ---- sending ---- */

/* What it shows was begun anew: it stands above what is left of other lives, or beside a delete of
 * theirs. The receiver may have forgotten that, also since it has said what it forgot, and have
 * begun it anew: nothing that it says of itself tells that it holds the rest. */
bool lia_keep_has_remains(const struct lia_doc_info *info);

/* The sender need not offer this copy to a receiver that knows `receiver` (marks,
 * evicted, forgotten). */
bool lia_keep_may_skip(const struct lia_keep *receiver,
                       const struct lia_doc_info *info);

/* A receiver whose token says `token_seq` has seen every tombstone forgotten here, the
 * newest of which had `forgotten_seq`. If not, its copy must be looked at again: the
 * store drops its own token for that peer. */
static inline bool lia_keep_may_resume(uint64_t token_seq, uint64_t forgotten_seq)
{
    return token_seq >= forgotten_seq;
}

#endif
