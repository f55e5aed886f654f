/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_DB_FEED_H
#define LIA_DB_FEED_H
/*
 * db/feed - everything that follows commits: change feed, sync's reading and applying,
 * registrations, tokens, marks, listeners.
 *
 * seq is the position: a reader that keeps its last `upto` resumes exactly there. A row
 * carries the seq of its newest change only, so the feed gives each document once, in
 * its newest state, at the place of its newest commit; commit boundaries are where seq
 * changes.
 *
 * Rules
 *   Only durable commits may leave the store (design page 40, V6). A page is read from
 *   all that its snapshot holds, and may be shown to anybody when the store is durable up to
 *   the snapshot's head, also if it ends before (docs/adr/0041); listeners hear of a commit once it is durable.
 *   A page ends at a commit boundary unless `is_cut`; a token may only name `upto`.
 *   What a receiver keeps (documents, token, marks, owed list) moves in one local
 *   transaction: lia_db_apply.
 *   Peers and subscriptions are named by opaque bytes (1 to 32 of them), which the caller
 *   chooses.
 * Ownership: inputs are borrowed for the call; results live in the caller's arena.
 * Threads: any; each call is a snapshot or a transaction of its own.
 */
#include "crdt/keep.h"
#include "db/db.h"

/* ---- predicates ---- */

/* How the query of a subscription is evaluated without SQLite. The query's bytes are
 * stored with the registration and compiled again at open. `match` is pure but for memory
 * and is called from any thread; a query that cannot be evaluated on a document does not
 * match it. `body` is never empty. */
struct lia_predicate;
struct lia_predicates {
    void *ctx;
    liana_status (*compile)(void *ctx,
                            const struct liana_allocator *a,
                            struct liana_slice query,
                            struct lia_predicate **out,
                            struct liana_error *err);
    void (*free)(void *ctx, struct lia_predicate *predicate);
    liana_status (*match)(void *ctx,
                          const struct lia_predicate *predicate,
                          struct liana_slice body,
                          bool *out);
};

/* Queries in the text of the query language (lang/subscription.h). */
extern const struct lia_predicates lia_lang_predicates;

/* ---- names of subscriptions ---- */

/* Where marks and tokens are known by the name of what they are of. */
struct lia_name {
    uint8_t bytes[16];
};

static inline struct liana_slice lia_name_slice(const struct lia_name *name)
{
    return lia_slice(name->bytes, sizeof(name->bytes));
}

/* Of a subscription: equal for equal collection and query. An empty query: the whole
 * collection. */
struct lia_name lia_name_of(struct liana_str collection, struct liana_slice query);
/* Of what keepers hold of a collection. */
struct lia_name lia_name_of_kept(struct liana_str collection);

/* ---- what is known of a collection beside its rows ---- */

struct lia_keeping {
    struct lia_keeping *next; /* the transaction's own */
    struct liana_str collection;
    struct lia_keep keep;   /* `kept` with what this store publishes itself */
    uint64_t forgotten_seq; /* the greatest that a tombstone had which was forgotten */
    bool is_passed_known;   /* of a transaction that evicts: */
    uint64_t passed_seq;    /* what all peers that read from this store hold */
};

/* `out->collection` is not set. */
LIANA_MUST_CHECK liana_status lia_db_keeping(struct lia_db *db,
                                             struct lia_arena *arena,
                                             struct liana_str collection,
                                             struct lia_keeping *out,
                                             struct liana_error *err);

/* The store forgot a tombstone that the peer may not have seen: what the peer holds is looked
 * at again, from nothing; under all its subscriptions, because they go on together. Tokens
 * that are on their way are not taken. `is_forced`: also where no token has been kept yet.
 * `*out_again` false: it is already so, or there is none. Durable when it returns. */
LIANA_MUST_CHECK liana_status lia_db_look_again(struct lia_db *db,
                                                struct liana_slice peer,
                                                struct liana_str collection,
                                                bool is_forced,
                                                bool *out_again,
                                                struct liana_error *err);

/* It grows when tokens that were read before are worth nothing: something was evicted, or is
 * to be looked at again. */
LIANA_MUST_CHECK liana_status lia_db_generation(struct lia_db *db,
                                                uint64_t *out,
                                                struct liana_error *err);

/* The collection is held without a predicate (crdt/keep.h). */
LIANA_MUST_CHECK liana_status lia_db_is_whole(struct lia_db *db,
                                              struct liana_str collection,
                                              bool *out,
                                              struct liana_error *err);

/* Something was evicted here, ever. */
LIANA_MUST_CHECK liana_status lia_db_has_evicted(struct lia_db *db,
                                                 bool *out,
                                                 struct liana_error *err);

/* ---- registrations: what peers subscribe to here ---- */

/* What a peer wants to hold. An empty query means the whole collection, tombstones
 * included. */
struct lia_subscription {
    struct liana_slice hash; /* names it; equal for equal collection and query */
    struct liana_str collection;
    struct liana_slice query; /* for lia_predicates.compile */
    uint64_t after_seq;       /* the peer has everything up to here; 0: nothing */
    /* It is shown everything once more all the same: what left after `after_seq` it has not
     * heard of. */
    bool is_again;
    /* It has put something aside that it was given up to there, or is only being given it: what is
     * known of how far it is does not grow by `after_seq`. */
    bool awaits;
};

struct lia_registration {
    uint64_t id;
    uint64_t floor_seq; /* keys that left after it are logged */
    /* What left after after_seq is told; false: the peer begins from nothing. */
    bool is_resumed;
};

#define LIA_REGISTRATIONS_MAX ((size_t)1000)
#define LIA_REGISTRATION_DAYS 30

/* How many rows of the collection, tombstones too, have changed after `seq`. */
LIANA_MUST_CHECK liana_status lia_db_count_after(struct lia_db *db,
                                                 struct liana_str collection,
                                                 uint64_t seq,
                                                 uint64_t *out,
                                                 struct liana_error *err);

/* Makes the registration of (subscription, peer) or finds it and marks it used. One
 * predicate is evaluated once per commit however many peers have registered it. From
 * then on, each commit that takes a key out of the subscription logs (registration, key,
 * seq). A peer cannot resume from before the floor. The least recently used one gives way
 * when there are too many, and those unused for LIA_REGISTRATION_DAYS. Statuses of
 * `compile`. */
LIANA_MUST_CHECK liana_status lia_db_register(struct lia_db *db,
                                              struct liana_slice peer,
                                              const struct lia_subscription *sub,
                                              struct lia_registration *out,
                                              struct liana_error *err);

/* The peer holds everything up to `seq` durably, its token of that included: what was
 * logged before is forgotten once every peer of the registration is that far. It is a use
 * of the registration, too, also with 0. Costs a small transaction: call it now and then, at least once
 * a day. LIANA_ENOTFOUND. */
LIANA_MUST_CHECK liana_status lia_db_register_ack(struct lia_db *db,
                                                  struct liana_slice peer,
                                                  uint64_t registration,
                                                  uint64_t seq,
                                                  struct liana_error *err);

/* The same of a peer that has registered since the db was opened, without a transaction, as
 * often as it moves: what is beyond it is dropped by no rule. Gone when the db is closed. */
void lia_db_passed(struct lia_db *db,
                   struct liana_slice peer,
                   uint64_t registration,
                   uint64_t seq);

/* The peer no longer wants it. LIANA_ENOTFOUND. */
LIANA_MUST_CHECK liana_status lia_db_unregister(struct lia_db *db,
                                                struct liana_slice peer,
                                                uint64_t registration,
                                                struct liana_error *err);

/* ---- the feed ---- */

/* One thing that the reader follows. */
struct lia_interest {
    uint64_t registration; /* of lia_db_register, by `peer`; or 0: */
    struct liana_slice peer;
    struct liana_str collection; /* all changes of it; empty: of every collection */
    uint64_t after_seq;          /* this reader has everything up to here */
    bool wants_marks;            /* page.marks of it; registrations only. With it: */
    struct lia_vector reflects;  /* the reader's own marks */
};

/* Within a commit: rows of `seq` are ordered by (collection id, row). {seq, 0, 0} is
 * before its first row. */
struct lia_feed_at {
    uint64_t seq;
    uint32_t collection;
    uint64_t row;
};

struct lia_feed_query {
    const struct lia_interest *interests;
    size_t interest_count;
    struct lia_feed_at from; /* zero, or `next` of the page before */
    size_t bytes_max;        /* of bodies and clocks; one item may be more */
    size_t rows_max;         /* rows looked at; 0: no limit */
};

enum lia_feed_kind {
    LIA_FEED_MATCHES, /* belongs to the interest now */
    LIA_FEED_LEFT /* the reader may hold it from when it belonged to the interest; the
                         document is as it is now: changed, or a tombstone */
};

struct lia_feed_hit {
    uint32_t interest; /* index into the query's */
    enum lia_feed_kind kind;
};

struct lia_feed_item {
    uint64_t seq;
    const struct lia_collection *collection;
    struct liana_slice key;
    struct lia_doc doc;
    const struct lia_feed_hit *hits; /* at least one */
    size_t hit_count;
};

struct lia_feed_marks {
    uint32_t interest;
    struct lia_vector marks; /* none behind a predicate */
    struct lia_vector kept;  /* what keepers hold, this store included if it is one */
    uint64_t forgotten;      /* of the collection */
};

/* Of the collection of an interest, on the page's snapshot; of one that follows every
 * collection, of all but Liana's own (`_liana....`). */
struct lia_feed_facts {
    bool
        is_whole; /* it is held without a predicate (crdt/keep.h); of registrations only */
    /* The greatest that a tombstone had which was forgotten: a reader that had not come as
     * far by then is not told of that delete any more. */
    uint64_t forgotten_seq;
};

struct lia_feed_page {
    const struct lia_feed_facts *facts; /* per interest */
    const struct lia_feed_item *items;  /* by seq, collection, row */
    size_t item_count;
    uint64_t upto; /* every interest has everything up to here */
    uint64_t head; /* newest commit of this snapshot: what waits until it is durable */
    bool is_cut;   /* `next` is inside a commit */
    struct lia_feed_at next; /* where the next page begins */
    /* The store's marks, own entry included: exactly what `upto` reflects. Only when
     * upto == head. */
    const struct lia_feed_marks *marks;
    size_t marks_count;
};

/* Changes that concern the interests, on one snapshot. LIANA_ENOTFOUND: a registration is
 * gone, or the peer is none of its registrants any more. */
LIANA_MUST_CHECK liana_status lia_db_feed(struct lia_db *db,
                                          struct lia_arena *arena,
                                          const struct lia_feed_query *query,
                                          struct lia_feed_page *out,
                                          struct liana_error *err);

/* ---- single documents ---- */

struct lia_key {
    struct liana_str collection;
    struct liana_slice key;
};

struct lia_held {
    uint64_t seq; /* 0: no row, and nothing else is set. May not be durable yet */
    struct lia_doc doc;
};

/* The documents of `count` keys, on one snapshot; `out` has room for `count`. */
LIANA_MUST_CHECK liana_status lia_db_docs(struct lia_db *db,
                                          struct lia_arena *arena,
                                          const struct lia_key *keys,
                                          size_t count,
                                          struct lia_held *out,
                                          struct liana_error *err);

struct lia_doc_head {
    bool is_held; /* there is a row; otherwise nothing else is set */
    bool exists;  /* it is no tombstone */
    /* Something of it is in doubt (db/renew.h): what another has is wanted even if the
     * digests are equal, from `vector`, which leaves it out. */
    bool is_doubted;
    uint8_t digest[LIA_DIGEST_BYTES];
    struct lia_vector vector;
};

/* Digests and vectors without bodies: the receiver's side of HAVE. */
LIANA_MUST_CHECK liana_status lia_db_heads(struct lia_db *db,
                                           struct lia_arena *arena,
                                           const struct lia_key *keys,
                                           size_t count,
                                           struct lia_doc_head *out,
                                           struct liana_error *err);

/* ---- applying what a peer sent ---- */

struct lia_batch_item {
    struct lia_key key;
    struct liana_slice segment;
    struct liana_slice
        subscription; /* it came under; for the owed list. May be empty */
    bool is_answer;   /* it was asked for because it is owed, and read since */
};

/* "Of this sender and subscription I have everything up to seq." */
struct lia_token {
    struct liana_slice peer;
    struct liana_slice subscription;
    uint64_t epoch;             /* of the sender */
    struct liana_slice context; /* grant and routing versions; compared by the caller */
    uint64_t seq;
    bool is_again; /* read: the sender is to begin from nothing all the same */
    bool awaits;   /* read: lia_db_awaits of the subscription */
    /* As it was when the subscription was asked for. If it has grown since, no token of the
     * batch is kept: what the sender left out it may have to send now. */
    uint64_t generation;
};

/* What a sender knows of a collection. */
struct lia_batch_keep {
    struct liana_str collection;
    bool is_whole;          /* it comes with the marks of the whole collection: */
    uint64_t forgotten;     /* and this belongs to them */
    struct lia_vector kept; /* what keepers hold */
};

struct lia_batch_marks {
    struct liana_slice subscription;
    struct lia_vector marks;
};

/* One opening of a store, as its history has it (db/renew.h). */
struct lia_opening {
    uint64_t n; /* counts the openings of this history, from 1 */
    uint64_t epoch;
    uint64_t actor; /* that stamped from then on */
    uint64_t own;   /* the last stamp of the opening before, of its actor; 0: none */
};

/* Of all openings these are told: the newest, and some of those before it. */
#define LIA_OPENINGS_TOLD 5

/* What was last seen of a peer itself: HELLO tells it back (rollback and clones). */
struct lia_seen {
    uint64_t epoch;
    uint64_t seq;
    struct lia_stamp stamp;
    struct lia_opening openings[LIA_OPENINGS_TOLD]; /* newest first: that of `epoch` */
    size_t opening_count;
};

/* Staged documents that are not applied after all. */
struct lia_batch_void {
    struct liana_slice subscription;
    struct liana_slice key; /* empty: all of the subscription */
};

struct lia_batch {
    struct liana_slice peer; /* the sender */
    uint64_t origin;         /* handed to listeners */
    uint64_t
        clock_max_ms; /* what is ahead of this is put aside also where the clock here is
                            * later: the sender was told another one. 0: it was told */
    const struct lia_batch_item *items;
    size_t item_count;
    const uint64_t *stages; /* of lia_db_stage: their items come before these */
    size_t stage_count;
    const struct lia_batch_void *voids;
    size_t void_count;
    const struct lia_token *tokens;
    size_t token_count;
    const struct lia_batch_marks *marks;
    size_t marks_count;
    const struct lia_batch_keep *keeps;
    size_t keep_count;
    const struct lia_seen *seen; /* may be NULL */
};

enum lia_apply_kind {
    LIA_APPLY_APPLIED,
    LIA_APPLY_UNCHANGED, /* held already */
    LIA_APPLY_GAP,       /* `vector` is what is held: fetch the segment from there */
    LIA_APPLY_OWED       /* `reason` says why; it is on the owed list */
};

struct lia_apply_result {
    enum lia_apply_kind kind;
    struct lia_key key;
    liana_status reason;      /* LIANA_ECLOCK, LIANA_ETOOLARGE */
    uint64_t ahead_ms;        /* ECLOCK: of trusted time */
    struct lia_vector vector; /* GAP only */
    /* It was owed, and its sender no longer has all of that: as after lia_db_owed_lost. */
    bool is_lost;
};

struct lia_applied {
    bool is_committed; /* false: there were gaps and nothing was changed */
    struct lia_commit commit;
    bool awaits;   /* lia_db_awaits of the sender, once it is committed */
    bool has_lost; /* of an item, staged or not, lia_apply_result.is_lost */
    /* Not committed: the gaps, of stage and items. Committed: one per item of the call,
     * in order; of staged items only the owed ones, after them. */
    const struct lia_apply_result *results;
    size_t result_count;
};

/* A living copy whose life the marks say was here and is deleted is merged and deleted
 * again by a commit of this store; one that was evicted here and brings nothing new is
 * left alone and counts as held (crdt/keep.h).
 * Merges a batch, stores tokens, marks, what is kept, owed list and `seen`, in one transaction. With a
 * gap anywhere it changes nothing and reports all gaps: the caller fetches repairs and
 * applies the whole again (a repair may stand before or after what it repairs). Marks are
 * taken at once, or, while the sender owes something of their subscription, as soon as it
 * no longer does: that is, when what is held reaches what was owed, whoever sent it.
 * LIANA_EPROTOCOL: an item is malformed (named in the message); nothing was changed. */
LIANA_MUST_CHECK liana_status lia_db_apply(struct lia_db *db,
                                           struct lia_arena *arena,
                                           const struct lia_batch *batch,
                                           enum lia_durability durability,
                                           struct lia_applied *out,
                                           struct liana_error *err);

/* Puts items aside in the store, to be applied later with others: for batches above
 * LIA_BATCH_BYTES_MAX. `*stage` is 0 for a new stage and names it afterwards. Stages do
 * not survive a restart. */
LIANA_MUST_CHECK liana_status lia_db_stage(struct lia_db *db,
                                           uint64_t *stage,
                                           const struct lia_batch_item *items,
                                           size_t count,
                                           struct liana_error *err);
LIANA_MUST_CHECK liana_status lia_db_stage_drop(struct lia_db *db,
                                                uint64_t stage,
                                                struct liana_error *err);

/* ---- what the receiver keeps ---- */

/* LIANA_ENOTFOUND. Slices of `out` are in the arena. */
LIANA_MUST_CHECK liana_status lia_db_token(struct lia_db *db,
                                           struct lia_arena *arena,
                                           struct liana_slice peer,
                                           struct liana_slice subscription,
                                           struct lia_token *out,
                                           struct liana_error *err);
LIANA_MUST_CHECK liana_status lia_db_token_drop(struct lia_db *db,
                                                struct liana_slice peer,
                                                struct liana_slice subscription,
                                                struct liana_error *err);

/* Marks of a subscription, and the own entry, the last stamp, durable or not. An unknown
 * subscription has no others. */
LIANA_MUST_CHECK liana_status lia_db_marks(struct lia_db *db,
                                           struct lia_arena *arena,
                                           struct liana_slice subscription,
                                           struct lia_vector *out,
                                           struct liana_error *err);

struct lia_owed {
    struct liana_slice peer;
    struct liana_slice subscription;
    struct lia_key key;
    liana_status reason;
    uint64_t since_ms;
    uint64_t due_ms; /* when it is no longer too far ahead; 0: that is not why */
};

/* What is owed by a peer (empty: by any) and is due by then (UINT64_MAX: everything), at
 * most `max`; oldest first. */
LIANA_MUST_CHECK liana_status lia_db_owed(struct lia_db *db,
                                          struct lia_arena *arena,
                                          struct liana_slice peer,
                                          uint64_t due_ms,
                                          size_t max,
                                          const struct lia_owed **out,
                                          size_t *out_count,
                                          struct liana_error *err);

/* Something that the peer has sent under the subscription (empty: under any) is put aside
 * and awaited: the peer is to keep it. That is so for as long as this store itself keeps what
 * others have not been given (`reader_wait_ms`), and again when what was stamped ahead has come
 * due, until it is here: a peer does not keep for years what one wrong clock has stamped. */
LIANA_MUST_CHECK liana_status lia_db_awaits(struct lia_db *db,
                                            struct liana_slice peer,
                                            struct liana_slice subscription,
                                            bool *out,
                                            struct liana_error *err);

/* The peer does not hold what it owes any more. It is owed no more; what the peer has said to be held
 * here of the subscription and that waits is forgotten, and so are its tokens: what there is
 * is to be told anew. Durable. */
LIANA_MUST_CHECK liana_status lia_db_owed_lost(struct lia_db *db,
                                               struct liana_slice peer,
                                               struct liana_slice subscription,
                                               const struct lia_key *key,
                                               struct liana_error *err);

/* LIANA_ENOTFOUND: never met. */
LIANA_MUST_CHECK liana_status lia_db_seen(struct lia_db *db,
                                          struct liana_slice peer,
                                          struct lia_seen *out,
                                          struct liana_error *err);

/* Another peer than this one has stamped with the actor. */
LIANA_MUST_CHECK liana_status lia_db_seen_elsewhere(struct lia_db *db,
                                                    struct liana_slice peer,
                                                    uint64_t actor,
                                                    bool *out,
                                                    struct liana_error *err);

/* A position of an earlier open of this store is valid: the epoch is known and `seq` is
 * not beyond what it reached. */
LIANA_MUST_CHECK liana_status lia_db_epoch_covers(struct lia_db *db,
                                                  uint64_t epoch,
                                                  uint64_t seq,
                                                  bool *out,
                                                  struct liana_error *err);

/* ---- listening to commits ---- */

struct lia_commit_change {
    const struct lia_collection *collection;
    struct liana_slice key;
    struct lia_vector before; /* the vector before the commit: deltas start there */
    struct liana_slice before_body; /* if the listener wants it; empty: did not exist */
    struct lia_doc
        after; /* without a clock: it was evicted here, and deleted nowhere */
};

struct lia_commit_event {
    uint64_t seq;
    struct lia_stamp stamp; /* {0, 0}: nothing of one's own (a batch) */
    uint64_t origin;
    const struct lia_commit_change *changes;
    size_t change_count;
    /* Marks that the commit moved, as they are after it, but for the own entry. */
    const struct lia_batch_marks *marks;
    size_t marks_count;
};

struct lia_listener;

struct lia_listener_options {
    /* Something can be taken, or was committed and nobody waits until it is durable: who
     * wants it has the store synced. Called from the thread that made a commit durable, or
     * that commits; two threads may not be in it at once. Must not block or call into the
     * db. May be called for nothing. */
    void (*wake)(void *ctx);
    void *ctx;
    bool wants_before_body;
    bool is_wake_only; /* takes nothing: no event is made or kept for it */
};

/* Memory for all commits that wait to be taken. */
#define LIA_LISTEN_BYTES_MAX (8 * LIA_MIB)

/*
 * Listens to commits after `*out_seq`, the newest one at this moment.
 *
 * Every commit that a document or a mark changed in, and that ends after this call returns,
 * reaches the listener once and in order, as soon as it is durable: as an event, or, where
 * its changes were not kept (too much waited, or the transaction had begun before anybody
 * listened), as part of `missed_upto`. It does not matter when the transaction began. A
 * commit that ends while this call runs is either at or before `*out_seq` or reaches the
 * listener; a snapshot taken after this call has everything up to `*out_seq` and may have
 * what still comes.
 */
LIANA_MUST_CHECK liana_status lia_db_listen(struct lia_db *db,
                                            const struct lia_listener_options *options,
                                            struct lia_listener **out,
                                            uint64_t *out_seq,
                                            struct liana_error *err);
/* `wake` does not run any more when this returns, and never again; a commit that is on its
 * way makes no difference. Not from within `wake`. NULL is allowed. */
void lia_db_unlisten(struct lia_listener *listener);

struct lia_taken {
    const struct lia_commit_event
        *events; /* durable ones, in order, without holes... */
    size_t event_count;
    /* ...unless this is set: commits up to here were not kept (too much waited); walk
     * the feed to it first. 0: none were lost. Events are after it. */
    uint64_t missed_upto;
    bool has_more;
};

/* Takes durable commits, copied into the arena, until about `bytes_max`. */
LIANA_MUST_CHECK liana_status lia_db_take(struct lia_listener *listener,
                                          struct lia_arena *arena,
                                          size_t bytes_max,
                                          struct lia_taken *out);

#endif
