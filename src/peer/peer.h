/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_PEER_PEER_H
#define LIA_PEER_PEER_H
/*
 * peer/peer - one store taking part in a mesh: joins db, trust and the sessions of sync.
 *
 * A peer has no thread, no clock and no socket. Its owner (a node with threads and
 * libuv, or the simulator) tells it what happens on links, and takes from it what is to
 * be done:
 *
 *     owner                                     peer
 *       lia_peer_link_up / bytes / down   -->     sessions step
 *       lia_peer_tick                     -->     keep-alive, retries
 *       lia_peer_wake (after a commit)    -->     new commits are fanned out
 *       lia_peer_job_done                 -->     results of reading and writing
 *       lia_peer_next  <--  SEND, CLOSE, JOB, EVENT, in the order in which they arose
 *
 *     lia_peer_link_up(peer, &link, now);
 *     while (lia_peer_next(peer, &out)) { ... }   after every call into the peer
 *
 * Everything that touches the store is a job: lia_job_run may run on any thread and
 * waits for locks and disks there; lia_peer_job_done hands it back. Jobs that write are
 * run in the order in which they were handed out, one at a time; jobs that read may run
 * side by side with them and with each other.
 *
 * Rules
 *   `now_ms` is monotonic, never goes back, and is the only time that the peer knows.
 *   lia_peer_next is called until it answers false after each call; what it gave is
 *   valid until the next call of any function with this peer.
 *   A link is one ordered, reliable, authenticated and encrypted byte stream to a peer
 *   whose id is known (TLS certificate). Its name is a number that the owner chooses and
 *   does not use twice. After lia_peer_link_down or a CLOSE output nothing more is said
 *   about it by either side.
 *   Links to one peer beyond the first: both ends keep the same one, the others are
 *   closed with LIANA_EEXISTS, and no data is lost by it. UP and DOWN are told of the
 *   first and the last of them.
 *   A link whose other end has not proved that it may join costs one session and is
 *   forgotten with it; the owner bounds their number and their time.
 * Ownership: options are copied, except env, db, auth and known, which are borrowed until
 * lia_peer_free. Bytes given are borrowed for the call.
 * Threads: one (the owner's) for everything but lia_job_run and the `wake` callback.
 */
#include "db/feed.h"

#define LIA_PEER_ID_BYTES       16
#define LIA_LINK_EXPORTER_BYTES 32
#define LIA_PROOF_BYTES_MAX     64

struct lia_peer;
struct lia_job;

/* ---- links ---- */

struct lia_link {
    uint64_t id;
    bool is_dialer; /* this side made the link */
    uint8_t remote[LIA_PEER_ID_BYTES];
    /* TLS exporter of the link, label "liana shared key"; zero where there is no TLS. */
    uint8_t exporter[LIA_LINK_EXPORTER_BYTES];
    struct liana_str address; /* for status and messages; copied */
};

/* How a link's peer proves that it may join (trust gives one). Called on the owner's
 * thread; must not block. */
struct lia_peer_auth {
    void *ctx;
    /* Our proof for this link, at most LIA_PROOF_BYTES_MAX bytes. */
    liana_status (*prove)(void *ctx,
                          const struct lia_link *link,
                          const uint8_t self[LIA_PEER_ID_BYTES],
                          uint8_t out[LIA_PROOF_BYTES_MAX],
                          size_t *out_len);
    /* LIANA_EAUTH with a message if the other side's proof is not what it must be. */
    liana_status (*verify)(void *ctx,
                           const struct lia_link *link,
                           const uint8_t self[LIA_PEER_ID_BYTES],
                           struct liana_slice proof,
                           struct liana_error *err);
};

/* ---- a peer's life ---- */

struct lia_remote;

/* What is remembered of other members, from one peer of a store to the next one: their
 * names, counters, and how far each has got. The owner's memory; one peer at a time. */
struct lia_known {
    const struct liana_allocator *alloc;
    struct lia_remote *first;
    size_t away_count; /* members without a link: at most LIA_KNOWN_AWAY_MAX */
};

void lia_known_init(struct lia_known *known, const struct liana_allocator *a);
void lia_known_deinit(struct lia_known *known);

struct lia_peer_options {
    const struct lia_env *env; /* memory, randomness, log; its clocks are not used */
    struct lia_db *db;
    struct lia_known *known;          /* NULL: forgotten with the peer */
    const struct lia_peer_auth *auth; /* NULL: open mode, the proof is empty */
    uint8_t id[LIA_PEER_ID_BYTES];
    struct liana_str name; /* at most LIA_NAME_BYTES_MAX */
    /* From any thread, with no lock held: call lia_peer_wake on the owner's thread. */
    void (*wake)(void *ctx);
    void *wake_ctx;

    /* Limits; 0 means the default. */
    size_t sessions_max;    /* 64 members; the link of one more is answered with BUSY */
    size_t window_bytes;    /* 1 MiB; received and not yet worked off, per session */
    size_t batch_bytes_max; /* LIA_BATCH_BYTES_MAX; larger batches are staged */
    size_t
        recent_bytes_max;  /* 4 MiB; commits kept for fan-out, shared by all sessions */
    uint32_t keepalive_ms; /* 20,000; silence after which a link is asked */
    uint32_t timeout_ms;   /* 60,000; silence after which it is closed */
    uint32_t idle_ms; /* 30,000; silence after which compression state is dropped */
};

LIANA_MUST_CHECK liana_status lia_peer_new(const struct lia_peer_options *options,
                                           struct lia_peer **out,
                                           struct liana_error *err);

/* Says goodbye on every link and takes no new ones. When lia_peer_next has given all its
 * outputs and every job is done, lia_peer_is_closed is true. */
void lia_peer_close(struct lia_peer *peer);
bool lia_peer_is_closed(const struct lia_peer *peer);

/* NULL is allowed. At any time; jobs that are out must have been done or dropped
 * (lia_job_free) before. */
void lia_peer_free(struct lia_peer *peer);

/* ---- what happened ---- */

/* Out of memory is the only failure of these; the link is then closed by the peer. */
void lia_peer_link_up(struct lia_peer *peer,
                      const struct lia_link *info,
                      uint64_t now_ms);
void lia_peer_link_bytes(struct lia_peer *peer,
                         uint64_t id,
                         struct liana_slice bytes,
                         uint64_t now_ms);
/* `reason` LIANA_OK: the other side closed it in order. */
void lia_peer_link_down(struct lia_peer *peer,
                        uint64_t id,
                        liana_status reason,
                        uint64_t now_ms);

/* Says goodbye on it and closes it: a CLOSE output follows. */
void lia_peer_link_close(struct lia_peer *peer, uint64_t id, uint64_t now_ms);

struct lia_link_facts {
    bool is_member;      /* its other end has proved that it may join */
    bool has_session;    /* ... and greeted us: its end is the peer's, told by DOWN */
    uint64_t payload_in; /* bytes of segments */
    uint64_t payload_out;
};

/* Of a link, also while its CLOSE output is the newest one given; false: there is none. */
bool lia_peer_link_facts(const struct lia_peer *peer,
                         uint64_t id,
                         struct lia_link_facts *out);

/* What a link to `remote` that is gone has cost below the peer, as its owner counted it,
 * for the status; a peer that was never a member is passed over. */
void lia_peer_link_cost(struct lia_peer *peer,
                        const uint8_t remote[LIA_PEER_ID_BYTES],
                        uint64_t wire_in,
                        uint64_t wire_out);

void lia_peer_wake(struct lia_peer *peer, uint64_t now_ms);

/* The time at which lia_peer_tick must be called; UINT64_MAX: no need. */
uint64_t lia_peer_deadline(const struct lia_peer *peer);
void lia_peer_tick(struct lia_peer *peer, uint64_t now_ms);

/* ---- jobs ---- */

enum lia_job_kind { LIA_JOB_READ, LIA_JOB_WRITE };

enum lia_job_kind lia_job_kind(const struct lia_job *job);

/* A pointer that is its holder's while it has the job: a queue needs no memory. */
struct lia_job **lia_job_next(struct lia_job *job);

/* Does the work, on any thread; never fails: the outcome is in the job. */
void lia_job_run(struct lia_job *job);

/* Hands a job back that has run; takes it. */
void lia_peer_job_done(struct lia_peer *peer, struct lia_job *job, uint64_t now_ms);

/* Instead, at the end of the peer's life: a job that will not be handed back. */
void lia_job_free(struct lia_job *job);

/* ---- what to do ---- */

enum lia_peer_output_kind {
    LIA_PEER_SEND,  /* bytes to `link`, behind those given before */
    LIA_PEER_CLOSE, /* end `link` after what was sent; `error` says why (OK: in order) */
    LIA_PEER_JOB,   /* run `job` and hand it back */
    LIA_PEER_EVENT  /* for the app */
};

enum lia_peer_event_kind {
    LIA_PEER_UP,         /* a session with `remote` began; `away_ms` */
    LIA_PEER_DOWN,       /* it ended; `error`, with LIANA_OK if one side said goodbye */
    LIA_PEER_UP_TO_DATE, /* `subscription` has all that `remote` had at `seq` */
    LIA_PEER_REFUSED     /* a document of `remote` is on the owed list; `error` */
};

struct lia_peer_output {
    enum lia_peer_output_kind kind;
    enum lia_peer_event_kind event;
    uint64_t link;
    struct liana_slice bytes;
    struct lia_job *job;
    uint64_t subscription;
    uint64_t seq;
    uint8_t remote[LIA_PEER_ID_BYTES];
    struct liana_str name; /* of an event's remote; valid as long as this output */
    uint64_t away_ms;      /* since its last session ended; 0: this is the first one */
    struct liana_error error;
};

/* The next thing to do; false when there is nothing (more). */
bool lia_peer_next(struct lia_peer *peer, struct lia_peer_output *out);

/* ---- subscriptions ---- */

/* What this peer wants to hold, asked for on every session from now on. `query` is what
 * lia_db_options.predicates compiles, empty for the whole collection. Several
 * subscriptions to the same thing share one feed. LIANA_ELIMIT, LIANA_EINVAL. */
LIANA_MUST_CHECK liana_status lia_peer_subscribe(struct lia_peer *peer,
                                                 struct liana_str collection,
                                                 struct liana_slice query,
                                                 uint64_t now_ms,
                                                 uint64_t *out_id,
                                                 struct liana_error *err);
/* LIANA_ENOTFOUND. What was received stays. */
LIANA_MUST_CHECK liana_status lia_peer_unsubscribe(struct lia_peer *peer,
                                                   uint64_t id,
                                                   uint64_t now_ms,
                                                   struct liana_error *err);

/* ---- status ---- */

/* Of one remote peer that was a member once; counters are sums over all its sessions, for
 * as long as what is known is kept. */
struct lia_peer_status {
    uint8_t remote[LIA_PEER_ID_BYTES];
    struct liana_str name;
    bool is_connected;
    uint64_t link;  /* while connected */
    uint64_t acked; /* our seq up to which it has durably what it subscribed to */
    uint64_t seen;  /* its seq up to which we have durably what we subscribed to */
    uint64_t docs_in;
    uint64_t docs_out;
    uint64_t wire_in; /* of links that are gone: lia_peer_link_cost */
    uint64_t wire_out;
    uint64_t payload_in; /* bytes of segments */
    uint64_t payload_out;
    uint64_t last_contact_ms;
    int64_t clock_ahead_ms; /* of the clock here, when it was met last; 0 too if one of
                               * them does not know the time */
    struct liana_error error; /* why the last session ended; status 0: by a goodbye */
};

struct lia_subscription_status {
    uint64_t id;
    struct liana_str collection;
    struct liana_slice query;
    uint64_t have;     /* documents received since it was made */
    uint64_t expected; /* as far as its senders said */
    bool is_up_to_date;
    uint8_t remote[LIA_PEER_ID_BYTES]; /* of which peer */
    uint64_t seq;                      /* and as of which of its seqs */
};

struct lia_peer_report {
    struct lia_peer_status *peers; /* the caller may complete them */
    size_t peer_count;
    const struct lia_subscription_status *subscriptions;
    size_t subscription_count;
    size_t session_count;
    size_t memory_bytes; /* held by sessions, batches and recent commits */
};

/* Everything above, in the arena. LIANA_ENOMEM. */
LIANA_MUST_CHECK liana_status lia_peer_report(struct lia_peer *peer,
                                              struct lia_arena *arena,
                                              struct lia_peer_report *out);

/* The peers of the report of a store that has no peer object now. */
LIANA_MUST_CHECK liana_status lia_known_report(const struct lia_known *known,
                                               struct lia_arena *arena,
                                               struct lia_peer_report *out);

#endif
