/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_SYNC_SESSION_H
#define LIA_SYNC_SESSION_H
/*
 * sync/session - one conversation between two peers, as a pure state machine.
 *
 *            OPEN                  proof accepted            HELLO accepted
 *     NEW ----------> PROVING ----------------> GREETING ----------------> ACTIVE
 *      |  send PROOF           send HELLO,                 feeds run         |
 *      |                       SUBSCRIBE ...                                 |
 *      +------------------ fault, BYE, CLOSE, DOWN --> CLOSED <--------------+
 *
 * In ACTIVE both directions are alike and independent. What we subscribed to arrives in
 * feeds (infeed.c), what the peer subscribed to leaves in feeds (outfeed.c); a feed is
 * all subscriptions of one priority. One feed, seen from its sender:
 *
 *     READ a page --> SEND it (credit) --> WAIT for WANTs, answer them --> end of batch?
 *       ^  ^                                                               | no    | yes
 *       |  +---------------------------------------------------------------+       v
 *       +------------------------- something beyond -------------------- MARKS, BATCH
 *
 * and from its receiver:
 *
 *     COLLECT SEGMENTs, compare HAVEs --BATCH--> APPLY --committed--> ACK
 *       ^ (stage what is too large)                |  ^
 *       |                                      gaps|  |all answered
 *       +-- goes on meanwhile                      v  |
 *                                               ASK, REPAIR
 *
 * A batch ends where the sender's store was in one commit: after exact commits, or where
 * a walk reached the newest one. Only a subscription that is filled for the first time
 * is cut anywhere. So what a transaction wrote becomes visible together.
 *
 * Rules
 *   A step reads the session, the event and nothing else; it makes actions, in order.
 *   An invariant of the whole session is asserted after each step.
 *   LIA_ACTION_CLOSE is the last action of a session, and comes once; after it events
 *   are ignored, and requests that are still out are freed by whoever has them.
 *   Memory is bounded: what the peer may send is limited by credit and by the limits of
 *   wire/messages.def; what we send is limited by the peer's credit.
 * Ownership: options and topics are copied. Payloads of actions live in the arena of the
 * lia_actions and are valid until the next step; a request belongs to who takes it from
 * its action, and comes back with LIA_EVENT_RESULT.
 * Threads: one.
 */
#include "sync/storage.h"

struct lia_session;

struct lia_session_options {
    const struct liana_allocator *alloc;
    uint8_t database[LIA_WIRE_ID_BYTES];
    uint8_t self[LIA_WIRE_ID_BYTES];
    uint8_t remote[LIA_WIRE_ID_BYTES]; /* as the link has proven it */
    struct liana_str name;
    uint64_t number; /* counts sessions of this store's epoch, from 1 */
    size_t window_bytes;
    size_t batch_bytes_max; /* asked of the peer: it cuts there, if it may */
    size_t stage_bytes;     /* more of an unfinished batch is put aside in storage */
    uint32_t keepalive_ms;
    uint32_t timeout_ms;
    uint32_t idle_ms;
};

#define LIA_SESSION_WINDOW_MIN ((size_t)128 * 1024)

enum lia_event_kind {
    LIA_EVENT_OPEN,        /* the link is up; `bytes`: our proof */
    LIA_EVENT_BYTES,       /* `bytes` came */
    LIA_EVENT_VERDICT,     /* of LIA_ACTION_VERIFY; `error` */
    LIA_EVENT_RESULT,      /* `request` was carried out; the session takes it */
    LIA_EVENT_HEAD,        /* our store's newest durable commit is `seq` */
    LIA_EVENT_TICK,        /* time passed; see lia_session_deadline */
    LIA_EVENT_SUBSCRIBE,   /* `subscription` is wanted from now on */
    LIA_EVENT_UNSUBSCRIBE, /* `subscription.id` no longer */
    LIA_EVENT_STALE,       /* tokens may be worth nothing: lia_token_item.generation */
    LIA_EVENT_CLOSE,       /* say goodbye with `error`; LIANA_EBUSY: no room */
    LIA_EVENT_DOWN         /* the link is gone; `error` */
};

struct lia_wanted {
    uint64_t id; /* the owner's */
    struct lia_topic topic;
    uint8_t priority;
};

struct lia_event {
    enum lia_event_kind kind;
    uint64_t now_ms;
    uint64_t clock_ms; /* our store's trusted time; 0: not known */
    struct liana_slice bytes;
    struct lia_request *request;
    uint64_t seq;
    struct lia_wanted subscription;
    struct liana_error error;
};

enum lia_action_kind {
    LIA_ACTION_SEND,     /* `bytes` to the link */
    LIA_ACTION_VERIFY,   /* is `bytes` the peer's proof? answer with VERDICT */
    LIA_ACTION_REQUEST,  /* carry out `request`; answer with RESULT */
    LIA_ACTION_GREETED,  /* the session is ACTIVE; lia_session_remote is known */
    LIA_ACTION_CLOCK,    /* the peer told its clock again: lia_session_remote */
    LIA_ACTION_PROGRESS, /* subscription `id` holds `count` more documents; `seq`, and
                            `is_head`: nothing was beyond it */
    LIA_ACTION_EXPECTED, /* about `count` documents will come for subscription `id` */
    LIA_ACTION_ACKED,    /* the peer has durably what it wants of us up to `seq` */
    LIA_ACTION_PASSED, /* and of its subscription, registered here as `id`, up to `seq` */
    LIA_ACTION_REFUSED, /* subscription `id` or a document of it was refused: `error` */
    LIA_ACTION_CLOSE    /* end the link; `error` */
};

struct lia_action {
    struct lia_action *next;
    enum lia_action_kind kind;
    struct liana_slice bytes;
    struct lia_request *request;
    uint64_t id;
    uint64_t count;
    uint64_t seq;
    bool is_head;
    struct liana_error error;
};

struct lia_actions {
    struct lia_arena arena;
    struct lia_action *first;
    struct lia_action **last;
};

void lia_actions_init(struct lia_actions *actions, const struct liana_allocator *a);
void lia_actions_reset(struct lia_actions *actions);
/* Frees requests that nobody took (action->request not set to NULL). */
void lia_actions_deinit(struct lia_actions *actions);

LIANA_MUST_CHECK liana_status lia_session_new(const struct lia_session_options *options,
                                              struct lia_session **out);
void lia_session_free(struct lia_session *session); /* NULL is allowed */

/* Advances the session; the actions are added to `out`. LIANA_ENOMEM: there was not even
 * memory to say goodbye; the session is closed and no action says so. */
LIANA_MUST_CHECK liana_status lia_session_step(struct lia_session *session,
                                               const struct lia_event *event,
                                               struct lia_actions *out);

/* When LIA_EVENT_TICK is due. */
uint64_t lia_session_deadline(const struct lia_session *session);

enum lia_session_state {
    LIA_SESSION_NEW,
    LIA_SESSION_PROVING,
    LIA_SESSION_GREETING,
    LIA_SESSION_ACTIVE,
    LIA_SESSION_CLOSED
};

enum lia_session_state lia_session_state(const struct lia_session *session);

/* What the peer said of itself; zero before GREETED. */
struct lia_session_remote {
    uint64_t epoch;
    uint64_t number;
    uint64_t clock_ms;
    struct liana_str name; /* valid as long as the session */
};

struct lia_session_remote lia_session_remote(const struct lia_session *session);
/* The peer has ended it because another store stamps as this one does. */
bool lia_session_is_disowned(const struct lia_session *session);
uint64_t lia_session_number(const struct lia_session *session);

struct lia_session_stats {
    uint64_t docs_in;
    uint64_t docs_out;
    uint64_t wire_in;
    uint64_t wire_out;
    uint64_t payload_in;
    uint64_t payload_out;
    uint64_t frames_in;
    uint64_t frames_out;
    uint64_t last_heard_ms;
};

struct lia_session_stats lia_session_stats(const struct lia_session *session);

/* Bytes that the session holds, compression included. */
size_t lia_session_memory(const struct lia_session *session);

#endif
