/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_SYNC_INTERNAL_H
#define LIA_SYNC_INTERNAL_H
/*
 * sync/internal - what the files of the session share.
 *
 *     session.c   life cycle, dispatch of events and messages, timers
 *     output.c    actions, frames, credit
 *     greet.c     PROOF, HELLO, and our subscriptions
 *     infeed.c    what the peer sends: comparing, collecting
 *     inapply.c   complete batches: queue, applying, acknowledging
 *     repair.c    ASK: gaps and owed documents
 *     outfeed.c   what we send: reading, batches
 *     outdocs.c   the frames of a page and of answers
 *     outsub.c    the peer's subscriptions
 *
 * Rules: handlers answer a status; anything but OK ends the session with it. Sending and
 * making actions cannot fail: it is sticky in session->failure.
 * Ownership: everything belongs to the session, from its allocator. Threads: one.
 */
#include "sync/session.h"
#include "sync/stream.h"
#include "wire/frames.h"

/* A test build may be given a number and then breaks one rule: session_test must notice
 * (testing/mutants). In the product this is false and costs nothing. */
#ifdef LIA_MUTANT_NUMBER
#    define LIA_MUTANT(n) ((n) == LIA_MUTANT_NUMBER)
#else
#    define LIA_MUTANT(n) false
#endif

/* ---- limits of a session ---- */

#define LIA_PAGE_BYTES         ((size_t)256 * 1024) /* asked of storage at a time */
#define LIA_UNACKED_MAX        64u /* batches that the peer has not acknowledged... */
#define LIA_UNACKED_SPARE      8u /* ...of which the last are for answers to its ASKs */
#define LIA_HAVES_MAX          64u /* HAVEs that are not answered, each way... */
#define LIA_HAVES_FEED_MAX     16u /* ...and on one feed */
#define LIA_ASKS_MAX           64u /* ASKs that are not answered, each way */
#define LIA_REPAIRS_MAX        5u  /* rounds before a batch is given up */
#define LIA_COALESCE_BYTES_MAX ((size_t)4 * 1024 * 1024) /* batches in one APPLY */
#define LIA_HAVE_ITEMS         ((size_t)256)             /* in one HAVE that we send */
#define LIA_HAVE_BYTES         ((size_t)16 * 1024)
#define LIA_LAZY_MS            1000u /* before a batch without documents is told or kept */
#define LIA_NOTE_SEQS          256u /* storage hears of an ACK after so many commits... */
#define LIA_NOTE_MS            (24u * 60 * 60 * 1000) /* ...or so long */
#define LIA_OWED_MS            60000u /* before owed documents are asked for again */
#define LIA_HANDSHAKE_BYTES    ((size_t)16 * 1024) /* unread, before the peer is known */

#define LIA_NEVER UINT64_MAX

/* ---- vectors that are kept ---- */

struct lia_kept_vector {
    struct lia_vector_entry *entries;
    size_t count;
};

static inline struct lia_vector lia_kept(const struct lia_kept_vector *kept)
{
    return (struct lia_vector){kept->entries, kept->count};
}

/* The maximum of both. LIANA_ENOMEM. */
LIANA_MUST_CHECK liana_status lia_kept_join(const struct liana_allocator *a,
                                            struct lia_kept_vector *kept,
                                            struct lia_vector v);
void lia_kept_deinit(const struct liana_allocator *a, struct lia_kept_vector *kept);

/* Flags of SUBSCRIBE. */
#define LIA_SUBSCRIBE_UNMARKED 1u
#define LIA_SUBSCRIBE_MORE     2u
#define LIA_SUBSCRIBE_AGAIN    4u
#define LIA_SUBSCRIBE_AWAITS   8u

/* Kinds of ACK. */
#define LIA_ACK_AWAITS 0u
#define LIA_ACK_HELD   1u

/* ---- our subscriptions ---- */

enum lia_insub_state {
    LIA_INSUB_NEW,
    LIA_INSUB_LOOKUP, /* its token is being looked up */
    LIA_INSUB_ASKED,  /* SUBSCRIBE was sent */
    LIA_INSUB_ENDED   /* what still comes is dropped */
};

struct lia_insub {
    struct lia_insub *next;
    struct lia_arena arena;
    enum lia_insub_state state;
    uint64_t id;
    uint64_t number;
    uint8_t priority;
    struct lia_topic topic;
    bool wants_again; /* storage may know better now where it stands */
    bool is_looking;  /* its token is being looked up once more */
    unsigned
        unanswered; /* SUBSCRIBEs: until the last is, what comes was sent for another */
    uint64_t generation; /* of the token in the last */
};

/* Documents that were asked for. The answers belong to the batch in which they come. */
struct lia_ask {
    struct lia_ask *next;
    uint64_t number;
    uint64_t sub;
    size_t remaining;
    bool is_repair;
    uint8_t priority;
};

struct lia_infeed {
    struct lia_incoming *open;  /* being collected */
    struct lia_incoming *queue; /* complete, oldest first */
    struct lia_incoming **queue_last;
    struct lia_incoming
        *lazy; /* without documents: kept with the next, or after a while */
    uint64_t lazy_since;
    struct lia_incoming *staging; /* the rest of what is being put aside */
    bool is_applying;
    struct lia_request *repairing; /* an APPLY that waits for answers... */
    uint64_t repaired_at;          /* ...which ended with this batch; 0: not yet */
    unsigned repairs;
    uint64_t last_number; /* of a BATCH */
    uint64_t acked;
    bool awaits; /* the last ACK said that not all of it is held */
    /* A document in pieces. */
    struct lia_buf piece;
    struct lia_buf piece_key;
    uint64_t piece_sub;
    uint64_t piece_ask;
    bool has_piece;
};

/* ---- the peer's subscriptions ---- */

/* A batch that was sent. */
struct lia_unacked {
    uint64_t number;
    uint64_t seq;
};

enum lia_outsub_state { LIA_OUTSUB_REGISTERING, LIA_OUTSUB_ACTIVE, LIA_OUTSUB_ENDED };

struct lia_outsub {
    struct lia_outsub *next;
    struct lia_arena arena;
    enum lia_outsub_state state;
    uint64_t number;
    uint8_t priority;
    struct lia_topic topic;
    bool is_unmarked;
    bool is_filling; /* the newest commit was not reached yet, from 0 */
    bool is_exact;   /* what the peer was sent is a state that our store was in */
    bool is_new;     /* nothing was read for it yet */
    bool is_member;  /* of the batch that is open */
    uint64_t registration;
    uint64_t position;                /* the peer was sent everything up to here */
    struct lia_unacked noting;        /* storage hears of it; number 0: of none */
    struct lia_unacked sent[2];       /* the oldest not acknowledged, and the newest */
    uint64_t noted_seq;               /* storage has heard of... */
    uint64_t noted_at;                /* ...then */
    struct lia_kept_vector marks;     /* what the peer reflects, once all is applied */
    struct lia_kept_vector new_marks; /* of the open batch */
    struct lia_kept_vector kept;      /* what the peer knows that keepers hold... */
    struct lia_kept_vector new_kept;  /* ...and what the open batch adds */
    struct lia_kept_vector evicted;   /* there */
    uint64_t forgotten;               /* there */
    uint64_t told_forgotten;          /* what is forgotten here: told... */
    uint64_t new_forgotten;           /* ...and to be told */
    uint64_t forgotten_seq;           /* here, as its registration said */
};

/* DOCS results being sent, oldest first. */
struct lia_answers {
    struct lia_request *first;
    size_t at;     /* the document */
    size_t offset; /* into its bytes */
};

struct lia_outfeed {
    bool is_reading;          /* a FEED request is out */
    struct lia_request *page; /* is being sent */
    size_t page_at;
    size_t page_offset; /* into the document's bytes */
    size_t told_at;     /* where the last WANT was found in it */
    struct lia_answers wants;
    struct lia_answers asks;
    size_t haves_open; /* HAVEs that are not settled */
    size_t wants_open; /* of these, those whose documents are being read */
    /* The open batch. */
    bool is_open;
    bool is_whole; /* it may end here */
    bool is_exact; /* and what was sent is then a state that our store was in */
    bool is_head;
    bool
        has_lost; /* what it announced was dropped since: another page says what that means */
    uint64_t after;
    uint64_t upto;
    uint64_t must_reach; /* an answer in it is this new */
    struct lia_cursor cursor;
    size_t docs;
    size_t bytes;
    uint64_t silent_since; /* whole, and there was nothing to send */
    bool head_told;        /* the newest BATCH said head, and nothing came since */
    bool highest_next;     /* which of the subscriptions behind is served next */
    uint64_t number;
    struct lia_unacked unacked[LIA_UNACKED_MAX];
    size_t unacked_count;
    struct lia_unacked acked; /* the newest that is durable there */
};

/* ---- the session ---- */

struct lia_session {
    struct lia_session_options options;
    struct lia_arena arena; /* strings for the whole life */
    enum lia_session_state state;
    liana_status failure;     /* of this step */
    struct liana_error error; /* its words */
    bool out_is_packed; /* our HELLO was sent: everything behind it is compressed */
    bool in_is_packed;
    bool wants_pong;
    bool has_greet;
    bool is_verifying;
    bool is_trusted;
    bool is_owing;    /* an OWED request is out... */
    bool has_aside;   /* ...since when something may have been put aside */
    bool more_follow; /* the last SUBSCRIBE said so */

    /* This step. */
    struct lia_actions *actions;
    struct lia_request *result; /* freed at its end, unless a handler kept it */
    uint64_t now;

    /* Bytes. */
    struct lia_stream stream;
    struct lia_frames frames;
    struct lia_buf out; /* frames of this step */
    struct lia_arena decoding;
    struct lia_session_stats stats;
    uint64_t last_data; /* when something other than PING and PONG passed */
    uint64_t pinged_at; /* 0: no PING is open */
    uint64_t clock_ms;  /* of our store, at this event */
    uint64_t clock_at;  /* when the peer told its own */
    uint64_t told_ms;   /* what it goes by of our clock since the greeting, at... */
    uint64_t told_at;

    /* Greeting. */
    struct lia_greet_request greet;
    struct lia_wire_hello
        hello;               /* the peer's; its name is in the arena, lists are gone */
    struct lia_history peer; /* out of its HELLO */
    bool is_disowned;        /* said the peer's BYE */
    bool is_meeting;         /* a MEET request is out: frames wait */
    uint64_t head;           /* our newest durable commit */

    /* Credit: bytes of data frames. */
    uint64_t credit;   /* we may send */
    uint64_t granted;  /* the peer may send */
    uint64_t consumed; /* came since the last CREDIT */
    size_t pending;    /* bytes of complete batches that are not applied yet */

    struct lia_insub *insubs;
    uint64_t insub_number;
    size_t comparing; /* COMPARE requests that are out */
    struct lia_ask *asks;
    uint64_t ask_number;
    uint64_t owed_at; /* when owed documents are asked for; LIA_NEVER */

    struct lia_outsub *outsubs;
    size_t outsub_count;
    size_t registering;
    uint64_t have_number;
    size_t answering; /* DOCS requests that are out */

    struct lia_infeed in[LIA_WIRE_PRIORITIES];
    struct lia_outfeed feeds[LIA_WIRE_PRIORITIES];
};

/* ---- output.c ---- */

/* Remembers the first failure of the step. */
void lia_session_fail(struct lia_session *s, liana_status status);

/* NULL when out of memory, which is then the step's failure. */
struct lia_action *lia_session_act(struct lia_session *s, enum lia_action_kind kind);

/* Hands a request out; takes it. NULL (no memory) fails the step. */
void lia_session_request(struct lia_session *s, struct lia_request *request);
struct lia_request *lia_session_new_request(struct lia_session *s,
                                            enum lia_request_kind kind);

void lia_session_send(struct lia_session *s, const struct lia_msg *msg);

/* The latest time that our clock can show now, by what the peer was told of it. */
uint64_t lia_session_clock_max(const struct lia_session *s);

/* The frames of this step become one SEND. */
void lia_session_flush(struct lia_session *s);

/* The peer's data was worked off: it gets credit for it. */
void lia_session_give_credit(struct lia_session *s);

/* A status that came over the wire; LIANA_EPROTOCOL if it cannot be one. */
static inline liana_status lia_status_from_wire(int64_t status)
{
    return status > 0 || status < -1000 ? LIANA_EPROTOCOL : (liana_status)status;
}

/* ---- greet.c ---- */

void lia_greet_open(struct lia_session *s, struct liana_slice proof);
liana_status lia_greet_verdict(struct lia_session *s,
                               const struct liana_error *verdict);
liana_status lia_greet_result(struct lia_session *s, struct lia_request *request);
liana_status lia_on_proof(struct lia_session *s, const struct lia_msg *m);
liana_status lia_on_hello(struct lia_session *s, const struct lia_msg *m);
liana_status lia_meet_result(struct lia_session *s, struct lia_request *request);
liana_status lia_on_subscribed(struct lia_session *s, const struct lia_msg *m);
liana_status lia_insub_add(struct lia_session *s, const struct lia_wanted *wanted);
void lia_insub_lookup(struct lia_session *s);
void lia_insub_remove(struct lia_session *s, uint64_t id);
/* Tokens may have become stale: they are looked up, and asked for again. */
void lia_insub_again(struct lia_session *s);
liana_status lia_insub_tokens(struct lia_session *s, struct lia_request *request);
struct lia_insub *lia_insub_find(struct lia_session *s, uint64_t number);
void lia_insub_free(struct lia_session *s, struct lia_insub *sub);

/* ---- infeed.c ---- */

liana_status lia_on_have(struct lia_session *s, const struct lia_msg *m);
liana_status lia_on_segment(struct lia_session *s, const struct lia_msg *m);
liana_status lia_on_absent(struct lia_session *s, const struct lia_msg *m);
liana_status lia_on_marks(struct lia_session *s, const struct lia_msg *m);
liana_status lia_on_batch(struct lia_session *s, const struct lia_msg *m);
liana_status lia_infeed_compared(struct lia_session *s, struct lia_request *request);

/* ---- inapply.c ---- */

/* Nothing that came is awaited any more: what was acknowledged is held. */
void lia_infeed_held(struct lia_session *s);
/* The open batch has ended. */
void lia_infeed_complete(struct lia_session *s, uint8_t priority);
/* Puts what there is of the open batch aside, if it is much. */
liana_status lia_infeed_stage(struct lia_session *s, uint8_t priority);
/* Takes the queue's batches up to this one; NULL while one of them is being put aside. */
struct lia_incoming *lia_infeed_take(struct lia_infeed *feed, uint64_t number);
/* Takes the batches. */
void lia_apply_add(struct lia_apply_request *apply, struct lia_incoming *batches);
liana_status lia_infeed_result(struct lia_session *s, struct lia_request *request);
void lia_infeed_tick(struct lia_session *s);
uint64_t lia_infeed_deadline(const struct lia_session *s);
void lia_infeed_deinit(struct lia_session *s);
size_t lia_infeed_memory(const struct lia_session *s);

/* ---- repair.c ---- */

liana_status lia_repair_gaps(struct lia_session *s, struct lia_request *apply);
struct lia_ask *lia_ask_find(struct lia_session *s, uint64_t number);
void lia_ask_answered(struct lia_session *s, struct lia_ask *ask);
/* A batch was completed: if all that was asked for has come, its APPLY waits for no more. */
void lia_repair_note(struct lia_session *s, uint8_t priority, uint64_t number);
/* Applies the whole again, with all batches up to the one that brought the last answer. */
void lia_repair_go_on(struct lia_session *s, uint8_t priority);
LIANA_MUST_CHECK liana_status lia_ask_absent(struct lia_session *s,
                                             const struct lia_ask *ask,
                                             const struct lia_insub *sub,
                                             struct liana_slice key);
/* What the peer has told us does not hold any more: the session ends, and it is told anew. */
LIANA_MUST_CHECK liana_status lia_begin_again(struct lia_session *s);
liana_status lia_ask_lost_result(struct lia_session *s, struct lia_request *request);
void lia_ask_owed(struct lia_session *s);
liana_status lia_ask_owed_result(struct lia_session *s, struct lia_request *request);
void lia_asks_deinit(struct lia_session *s);

/* ---- outsub.c ---- */

liana_status lia_on_subscribe(struct lia_session *s, const struct lia_msg *m);
liana_status lia_on_unsubscribe(struct lia_session *s, const struct lia_msg *m);
liana_status lia_outsub_result(struct lia_session *s, struct lia_request *request);
struct lia_outsub *lia_outsub_find(struct lia_session *s, uint64_t number);
/* Registers it again, to be filled from nothing. */
void lia_outsub_restart(struct lia_session *s, struct lia_outsub *sub);
/* Registers it again, where it stands. */
void lia_outsub_renew(struct lia_session *s, struct lia_outsub *sub);
/* The batch (number, position) of it was sent; all before `number` are durable there. */
void lia_outsub_sent(struct lia_session *s, struct lia_outsub *sub, uint64_t number);
void lia_outsub_acked(struct lia_session *s,
                      uint8_t priority,
                      uint64_t number,
                      bool is_held);
/* Frees those that ended and that nothing refers to. */
void lia_outsub_sweep(struct lia_session *s);
void lia_outsub_deinit(struct lia_session *s);

/* ---- outfeed.c ---- */

/* Does what can be done now, on every feed. */
void lia_outfeed_pump(struct lia_session *s);
/* A document that was announced in the open batch is not held any more. */
void lia_outfeed_lost(struct lia_session *s, uint8_t priority);
liana_status lia_outfeed_result(struct lia_session *s, struct lia_request *request);
liana_status lia_on_ack(struct lia_session *s, const struct lia_msg *m);
uint64_t lia_outfeed_deadline(const struct lia_session *s);
void lia_outfeed_deinit(struct lia_session *s);

/* ---- outdocs.c ---- */

liana_status lia_on_want(struct lia_session *s, const struct lia_msg *m);
liana_status lia_on_ask(struct lia_session *s, const struct lia_msg *m);
liana_status lia_outdocs_result(struct lia_session *s, struct lia_request *request);
/* The peer has asked for documents of it, and waits for a batch with them. */
bool lia_outsub_is_asked(const struct lia_session *s, const struct lia_outsub *sub);
/* Sends what is ready. False: credit is used up. */
bool lia_outdocs_send(struct lia_session *s, struct lia_outfeed *feed);
void lia_outdocs_deinit(struct lia_outfeed *feed);

#endif
