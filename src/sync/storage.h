/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_SYNC_STORAGE_H
#define LIA_SYNC_STORAGE_H
/*
 * sync/storage - what a session asks of the store below it.
 *
 * A session never calls a store. It hands out requests (session.h, LIA_ACTION_REQUEST);
 * whoever owns it has each of them carried out, on any thread, inline or later, and
 * gives it back with LIA_EVENT_RESULT. A request carries its arguments and has room for
 * its results, all in its own arena, so it can travel between threads.
 *
 *     GREET       who this store is now, and what it has seen of the peer
 *     MEET        what the peer has seen of this store, and its time: is all well?
 *     TOKENS      where the local subscriptions stand with this peer
 *     REGISTER    a subscription of the peer: where its feed begins
 *     ACKED       how far the peer durably is with it
 *     UNREGISTER  it ended
 *     FEED        the next piece of the peer's feed
 *     DOCS        single documents that the peer wants
 *     COMPARE     which of the documents that the peer has differ from ours
 *     STAGE       a part of a large batch is put aside
 *     APPLY       batches of the peer, with tokens and marks, in one transaction
 *     OWED        documents that could not be applied before
 *     LOST        one of them is gone where it came from: it is owed no more
 *
 * Rules
 *   APPLY and STAGE are carried out in the order in which they were handed out.
 *   What FEED and DOCS give is durable in the store when it is given back (design page 40,
 *   V6; docs/adr/0041). What APPLY answers as committed is durable.
 *   `status` is the outcome of the whole request; on failure the results are untouched.
 * Ownership: the session makes a request, the owner has it while it is carried out; who
 * has it may free it. Inputs may point outside of the arena only where said.
 * Threads: one at a time.
 */
#include "base/error.h"
#include "crdt/stamp.h"
#include "wire/message.h"

enum lia_request_kind {
    LIA_REQUEST_GREET,
    LIA_REQUEST_MEET,
    LIA_REQUEST_TOKENS,
    LIA_REQUEST_REGISTER,
    LIA_REQUEST_ACKED,
    LIA_REQUEST_UNREGISTER,
    LIA_REQUEST_FEED,
    LIA_REQUEST_DOCS,
    LIA_REQUEST_COMPARE,
    LIA_REQUEST_STAGE,
    LIA_REQUEST_APPLY,
    LIA_REQUEST_OWED,
    LIA_REQUEST_LOST
};

/* A subscription as storage knows it. */
struct lia_topic {
    struct liana_str collection;
    struct liana_slice query; /* empty: the whole collection */
};

/* ---- GREET ---- */

/* A store's history as far as it is told: HELLO. */
struct lia_history {
    uint64_t epoch; /* 0: nothing is known */
    uint64_t seq;   /* newest commit that is known of the epoch */
    uint64_t actor;
    uint64_t hlc; /* newest stamp of the actor that is known */
    struct lia_wire_opening openings[LIA_WIRE_OPENINGS];
    size_t opening_count;
};

struct lia_greet_request {
    struct lia_history own;  /* durable */
    uint64_t clock_ms;       /* 0: not known */
    uint64_t held_ms;        /* a peer with a later clock is to be met */
    struct lia_history seen; /* of the peer */
};

/* ---- MEET ---- */

/* Before anything is exchanged. Afterwards the store may be somebody else: the session
 * ends, and the next one is its own. */
struct lia_meet_request {
    struct lia_history seen; /* what the peer has seen of this store */
    struct lia_history peer; /* what the peer is, if it may be a copy; else all zero */
    uint64_t actor;          /* of the peer; 0: met before */
    uint64_t clock_ms;       /* the peer's; 0: not known */
    /* out */
    bool is_renewed;
    bool is_copy; /* another peer has stamped as this one does */
};

/* ---- TOKENS ---- */

struct lia_token_item {
    uint64_t number; /* of the session's subscription */
    struct lia_topic topic;
    /* out */
    uint64_t epoch; /* 0: no token */
    uint64_t seq;
    bool is_again;    /* the feed is to begin from nothing all the same */
    bool is_unmarked; /* documents are held that the marks do not cover */
    bool awaits;      /* something that came before `seq` is put aside and awaited */
    struct lia_vector marks;
    struct lia_vector evicted; /* below it marks say no more than "was here" */
    uint64_t forgotten;
    uint64_t generation; /* of the store: goes back with the tokens of batches */
};

struct lia_tokens_request {
    struct lia_token_item *items;
    size_t count;
};

/* ---- REGISTER, ACKED, UNREGISTER ---- */

struct lia_register_request {
    uint64_t number; /* the peer's */
    struct lia_topic topic;
    uint64_t epoch; /* the peer's token; 0: none */
    uint64_t seq;
    bool is_again;   /* it begins from nothing all the same */
    bool awaits;     /* of what came before `seq` it may not hold everything */
    bool is_renewed; /* the feed goes on at `seq`, past what was forgotten meanwhile */
    bool is_own;     /* the peer has not asked for it */
    /* out; `status`: why it is refused */
    uint64_t registration;
    bool is_resumed; /* the feed can go on at `seq` */
    uint64_t start;  /* there, else 0 */
    uint64_t expected;
    uint64_t forgotten_seq; /* of the collection */
    /* Tombstones were forgotten that the peer may not have, or it may hold what left its
     * query: what it holds is looked at again, and our tokens of it are gone. */
    bool looks_again;
};

/* Now and then, for storage's own housekeeping: nothing depends on it. */
struct lia_acked_request {
    uint64_t registration;
    uint64_t seq; /* everything up to here is held durably there, its token included; 0:
                   * no more is known, but it is there */
};

struct lia_unregister_request {
    uint64_t registration;
};

/* ---- FEED ---- */

/* A place in the feed that only storage understands; zero: where `after` says. */
struct lia_cursor {
    uint64_t a;
    uint64_t b;
    uint64_t c;
};

struct lia_feed_interest {
    uint64_t number; /* the peer's subscription */
    uint64_t registration;
    struct lia_topic topic;
    struct lia_vector marks;   /* what the peer reflects... */
    struct lia_vector evicted; /* ...above this */
    uint64_t forgotten;        /* of lives up to there its marks say nothing */
    bool is_unmarked;          /* it may hold more than that */
    uint64_t forgotten_seq;    /* as its registration said */
};

enum lia_found_kind {
    LIA_FOUND_SEGMENT, /* `data`: what the peer cannot have */
    LIA_FOUND_HAVE     /* `digest`: the peer may have it */
};

struct lia_found {
    enum lia_found_kind kind;
    uint32_t interest; /* index */
    struct liana_slice key;
    struct liana_slice data;
    uint8_t digest[LIA_WIRE_ID_BYTES];
    struct lia_vector vector; /* behind `digest` */
};

struct lia_feed_marks_out {
    uint32_t interest;
    /* Complete, or only entries that have moved. */
    struct lia_vector marks;
    struct lia_vector kept; /* what keepers hold of the collection */
    uint64_t forgotten;     /* of the collection */
};

struct lia_feed_request {
    uint8_t priority;
    struct lia_feed_interest *interests;
    size_t interest_count;
    uint64_t after;
    struct lia_cursor from;
    uint64_t until;    /* an exact answer ends here at the latest */
    bool may_be_exact; /* the peer's copy is the one of `after` */
    size_t bytes_max;
    /* out */
    struct lia_found *found;
    size_t found_count;
    uint64_t upto; /* everything up to here has been given */
    bool is_exact; /* commit by commit: the peer's copy is that of `upto` afterwards */
    bool is_cut;   /* more of the commit after `upto` follows at `next` */
    bool is_head;  /* nothing was beyond `upto` */
    struct lia_cursor next;
    const struct lia_feed_marks_out *marks; /* of `upto` */
    size_t marks_count;
    /* A tombstone behind `after` was forgotten since the registration: nothing is given,
     * it has to be made again. */
    bool is_outdated;
};

/* ---- DOCS ---- */

struct lia_doc_wanted {
    struct liana_slice key;
    struct lia_vector vector;
    /* out */
    bool is_held;
    uint64_t seq;
    struct lia_vector held;  /* empty: nothing */
    struct liana_slice data; /* the segment from `vector` */
};

struct lia_docs_request {
    uint64_t number; /* the peer's subscription */
    uint64_t ask;    /* of its ASK; 0: it answered a HAVE */
    uint8_t priority;
    struct lia_topic topic;
    struct lia_doc_wanted *items;
    size_t count;
};

/* ---- COMPARE ---- */

struct lia_compare_item {
    struct liana_slice key;
    uint8_t digest[LIA_WIRE_ID_BYTES];
    /* out */
    bool differs;
    struct lia_vector vector;
};

struct lia_compare_request {
    uint64_t number; /* of the session's subscription */
    uint64_t have;   /* the peer's HAVE */
    struct lia_topic topic;
    struct lia_compare_item *items;
    size_t count;
};

/* ---- STAGE, APPLY ---- */

struct lia_topic_number {
    struct lia_topic_number *next;
    uint64_t number; /* of the session's subscription */
    struct lia_topic topic;
};

struct lia_incoming_item {
    struct lia_incoming_item *next;
    const struct lia_topic_number *topic;
    struct liana_slice key;
    struct liana_slice data;
    bool is_void;   /* the sender took it back: not applied */
    bool is_answer; /* to an ASK for what was owed */
};

/* A document that was put aside, and that the sender took back. */
struct lia_incoming_void {
    struct lia_incoming_void *next;
    const struct lia_topic_number *topic;
    struct liana_slice key; /* empty: all of the topic */
};

struct lia_incoming_marks {
    struct lia_incoming_marks *next;
    const struct lia_topic_number *topic;
    struct lia_vector marks;
    struct lia_vector kept; /* of the topic's collection */
    uint64_t forgotten;
};

struct lia_incoming_token {
    struct lia_incoming_token *next;
    const struct lia_topic_number *topic;
    uint64_t generation;
};

/* One batch of a feed, as it arrived. It stands for itself: the session may be gone
 * before it is applied. */
struct lia_incoming {
    struct lia_incoming *next;
    struct lia_arena arena;
    struct lia_topic_number *topics;
    struct lia_incoming_item *items;
    struct lia_incoming_item **last;
    size_t item_count;
    size_t bytes;
    uint64_t stage;                  /* earlier items are put aside there; 0: none */
    bool awaits_stage;               /* they are being put aside now */
    struct lia_incoming_void *voids; /* of what is put aside */
    struct lia_incoming_marks *marks;
    struct lia_incoming_token *tokens;
    uint64_t number;
    uint64_t seq;
    bool is_head;
};

struct lia_incoming *lia_incoming_new(const struct liana_allocator *a);
void lia_incoming_free(struct lia_incoming *batch); /* NULL is allowed */

/* The batch's own copy of a topic; NULL when out of memory. */
const struct lia_topic_number *lia_incoming_topic(struct lia_incoming *batch,
                                                  uint64_t number,
                                                  struct lia_topic topic);

/* Adds a document, copied; `topic` is the batch's own. LIANA_ENOMEM. */
LIANA_MUST_CHECK liana_status lia_incoming_add(struct lia_incoming *batch,
                                               const struct lia_topic_number *topic,
                                               struct liana_slice key,
                                               struct liana_slice data,
                                               bool is_answer);

/* What the batch has of the document is not applied; an empty key means all of the topic,
 * with its token and marks.
 * LIANA_ENOMEM. */
LIANA_MUST_CHECK liana_status lia_incoming_cancel(struct lia_incoming *batch,
                                                  uint64_t number,
                                                  struct liana_slice key);

struct lia_stage_request {
    struct lia_incoming *batch; /* its items are staged; `stage` is in and out */
    uint8_t priority;
};

struct lia_gap {
    const struct lia_topic_number *topic;
    struct liana_slice key;
    struct lia_vector vector; /* what is held */
};

struct lia_refusal {
    struct liana_slice key;
    liana_status reason; /* it is on the owed list */
    uint64_t ahead_ms;   /* ECLOCK: of this store's time */
};

struct lia_apply_request {
    struct lia_history peer;      /* as it is known with these batches */
    uint64_t clock_max_ms;        /* lia_batch.clock_max_ms */
    struct lia_incoming *batches; /* applied in order, as one */
    size_t bytes;
    uint8_t priority;
    /* out */
    bool is_committed; /* false: there are gaps, nothing was changed */
    size_t applied;    /* documents that brought something new */
    bool awaits;   /* of what the peer has sent something is put aside and awaited */
    bool has_lost; /* what it owed it no longer has: as after LOST */
    const struct lia_gap *gaps;
    size_t gap_count;
    const struct lia_refusal *refusals;
    size_t refusal_count;
};

/* ---- OWED ---- */

struct lia_owed_item {
    uint64_t number; /* of the session's subscription */
    struct liana_slice key;
    struct lia_vector vector;
};

struct lia_owed_request {
    struct lia_topic_number *topics;
    /* out */
    struct lia_owed_item *items; /* those that may be applied by now */
    size_t count;
    bool has_more; /* not yet */
    bool awaits;   /* as in APPLY */
};

/* ---- LOST ---- */

/* With what the sender has said of the subscription and that waits for it, and with its tokens:
 * it begins again. */
struct lia_lost_request {
    struct lia_topic topic;
    struct liana_slice key;
};

struct lia_request {
    struct lia_request *next; /* for who has it */
    enum lia_request_kind kind;
    struct lia_arena arena;
    liana_status status;
    struct liana_error error;
    union {
        struct lia_greet_request greet;
        struct lia_meet_request meet;
        struct lia_tokens_request tokens;
        struct lia_register_request registering;
        struct lia_acked_request acked;
        struct lia_unregister_request unregister;
        struct lia_feed_request feed;
        struct lia_docs_request docs;
        struct lia_compare_request compare;
        struct lia_stage_request stage;
        struct lia_apply_request apply;
        struct lia_owed_request owed;
        struct lia_lost_request lost;
    };
};

/* Zeroed; NULL when out of memory. */
struct lia_request *lia_request_new(const struct liana_allocator *a,
                                    enum lia_request_kind kind);
void lia_request_free(struct lia_request *request); /* NULL is allowed */

/* It changes the store: MEET, REGISTER, ACKED, UNREGISTER, STAGE, APPLY and LOST. */
bool lia_request_is_write(const struct lia_request *request);

/* A copy of a vector in an arena. */
LIANA_MUST_CHECK liana_status lia_vector_copy(struct lia_arena *arena,
                                              struct lia_vector from,
                                              struct lia_vector *out);

/* A copy of a topic in an arena. */
LIANA_MUST_CHECK liana_status lia_topic_copy(struct lia_arena *arena,
                                             struct lia_topic from,
                                             struct lia_topic *out);

#endif
