/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_PEER_INTERNAL_H
#define LIA_PEER_INTERNAL_H
/*
 * peer/internal - what the files of a peer share.
 *
 *     peer.c      links, sessions and what they want done
 *     output.c    the queue of what the owner is to do
 *     known.c     what is remembered of other members
 *     wanted.c    subscriptions
 *     recent.c    recent commits, shared by all sessions
 *     report.c    status
 *     job.c       jobs: a session's request, or taking commits from the store
 *     job_out.c   the requests of a sender: feeds and documents
 *     job_in.c    the requests of a receiver: tokens, comparing, applying
 *
 * Rules: only job_*.c touch the store, and only job_*.c and job.c run on other threads;
 * they see their job and the db, never the peer. Ownership: everything belongs to the
 * peer. Threads: the owner's, but for jobs.
 */
#include "base/hash.h"
#include "peer/peer.h"
#include "sync/session.h"

/* ---- names in the store ---- */

/* Names a subscription in the store. */
struct lia_name lia_topic_name(struct lia_topic topic);

/* What commits that came from a peer are marked with; never 0. */
uint64_t lia_peer_origin(const uint8_t id[LIA_PEER_ID_BYTES]);

/* Rows that a page of the feed looks at, at most. */
#define LIA_FEED_ROWS ((size_t)2000)

/* ---- recent commits ---- */

struct lia_recent_change {
    struct liana_str collection;
    struct liana_slice key;
    struct liana_slice segment; /* from the vector before the commit */
    struct lia_vector vector;   /* after it */
    bool
        is_shown; /* also to who reflects it: not all of the collection is held, or it stands
                    * above what the peer may have forgotten */
};

struct lia_recent_commit {
    uint64_t seq;
    struct lia_stamp stamp; /* {0, 0}: nothing of our own */
    uint64_t origin;
    struct lia_recent_change *changes;
    size_t change_count;
    const struct lia_batch_marks *marks;
    size_t marks_count;
};

/* What was taken at once. */
struct lia_recent_chunk {
    struct lia_recent_chunk *next;
    struct lia_arena arena;
    struct lia_recent_commit *commits;
    size_t commit_count;
    uint64_t missed_upto; /* commits up to here were lost */
    bool has_evictions;   /* there may have been some */
    size_t bytes;
};

/* The commits after `base`, up to `head`, in order and without holes. */
struct lia_recent {
    struct lia_recent_chunk *first;
    struct lia_recent_chunk *last;
    uint64_t base;
    uint64_t head;
    size_t bytes;
    size_t bytes_max;
};

void lia_recent_deinit(struct lia_recent *recent);
void lia_recent_chunk_free(struct lia_recent_chunk *chunk);

/* Takes the chunk. Old ones give way. */
void lia_recent_add(struct lia_recent *recent, struct lia_recent_chunk *chunk);

/* Answers a FEED from recent commits, if they reach back far enough. False: they do not,
 * or a subscription has a query, or memory is out; the request is untouched. */
bool lia_recent_feed(const struct lia_recent *recent,
                     uint64_t origin,
                     bool is_keeper,
                     struct lia_request *request);

/* ---- jobs ---- */

struct lia_job {
    struct lia_job *next; /* the holder's */
    const struct liana_allocator *alloc;
    struct lia_db *db;
    uint64_t link;
    uint8_t remote[LIA_PEER_ID_BYTES];
    struct lia_request *request; /* NULL: takes commits */
    uint64_t
        reach; /* newest commit that was read: the result waits until it is durable */
    bool is_full;     /* a page with more behind it */
    uint64_t durable; /* newest durable commit when the job ended */
    /* Taking. */
    bool wants_sync;               /* everything is made durable first */
    bool is_waiting;               /* something is committed and not durable */
    struct liana_error sync_error; /* set when it could not */
    bool is_upkeep;                /* it takes nothing: LIA_JOB_WRITE */
    uint64_t next_ms;              /* before the next upkeep */
    uint64_t disowned;             /* an actor, or 0: upkeep begins with it */
    struct lia_listener *listener;
    bool wants_segments; /* somebody may be sent them */
    struct lia_recent_chunk *chunk;
    bool has_more;
};

liana_status lia_job_feed(struct lia_job *job, struct liana_error *err);
liana_status lia_job_docs(struct lia_job *job, struct liana_error *err);
liana_status lia_job_register(struct lia_job *job, struct liana_error *err);
liana_status lia_job_acked(struct lia_job *job, struct liana_error *err);
liana_status lia_job_unregister(struct lia_job *job, struct liana_error *err);
liana_status lia_job_greet(struct lia_job *job, struct liana_error *err);
liana_status lia_job_meet(struct lia_job *job, struct liana_error *err);
liana_status lia_job_tokens(struct lia_job *job, struct liana_error *err);
liana_status lia_job_compare(struct lia_job *job, struct liana_error *err);
liana_status lia_job_stage(struct lia_job *job, struct liana_error *err);
liana_status lia_job_apply(struct lia_job *job, struct liana_error *err);
liana_status lia_job_owed(struct lia_job *job, struct liana_error *err);
liana_status lia_job_lost(struct lia_job *job, struct liana_error *err);

/* ---- the peer ---- */

struct lia_output {
    struct lia_output *next;
    struct lia_peer_output what;
    size_t size;    /* of this allocation */
    bool is_silent; /* the owner knows: only its place in the queue is needed */
};

/* What is wanted under one topic, by one or more subscriptions. */
struct lia_want {
    struct lia_want *next;
    struct lia_arena arena;
    uint64_t id;
    struct lia_topic topic;
    size_t users;
    uint64_t have;
    uint64_t expected;
    bool is_up_to_date;
    uint8_t remote[LIA_PEER_ID_BYTES];
    uint64_t seq;
};

struct lia_user {
    struct lia_user *next;
    uint64_t id;
    struct lia_want *want;
};

/* One remote peer: of a member as long as what is known is kept, of a stranger as long
 * as it has a link. */
struct lia_remote {
    struct lia_remote *next;
    size_t links;
    bool is_member; /* has proved once that it may join */
    bool is_up;     /* the owner was told so */
    uint8_t id[LIA_PEER_ID_BYTES];
    char name[LIA_NAME_BYTES_MAX];
    size_t name_len;
    struct lia_session_stats past; /* of sessions that ended */
    uint64_t wire_in;              /* of links that are gone */
    uint64_t wire_out;
    uint64_t down_at; /* when the last session ended; 0: none has */
    uint64_t acked;
    uint64_t seen;
    int64_t clock_ahead_ms;
    struct liana_error error;
};

struct lia_peer_link {
    struct lia_peer_link *next;
    uint64_t id;
    struct lia_remote *remote;
    struct lia_session *session;
    struct lia_link info; /* address is in `address` */
    char *address;
    bool is_trusted; /* it has proved that it may join */
    bool is_greeted;
    bool is_closed;
    bool is_down;        /* the owner has said so */
    bool lost_output;    /* no memory for something to do: the session ends */
    bool wants_greeting; /* GREETED came; the step is finished first */
    bool has_verdict;
    struct liana_error verdict;
    struct lia_request *answered; /* without a job; to be handed in */
    struct lia_job *held;         /* done, but what they read is not durable yet */
    struct lia_output close;      /* there is always room to say it */
};

struct lia_peer {
    struct lia_peer_options options;
    const struct liana_allocator *alloc;
    struct lia_db_identity identity;
    char name[LIA_NAME_BYTES_MAX];
    struct lia_listener *listener;
    struct lia_recent recent;
    bool is_taking;
    bool take_again;
    uint64_t disowned;  /* our actor, of which a peer says that it is another's */
    bool is_upkeep_due; /* the next upkeep follows the one that is out */
    bool wants_sync;    /* the next taking syncs the store */
    uint64_t sync_at;   /* when it has to; UINT64_MAX: nothing waits */
    uint64_t synced_at; /* when it was asked to last */
    uint64_t durable;   /* newest commit known to be durable */
    uint64_t upkeep_at; /* UINT64_MAX: it is being done */
    /* Something was evicted: what the store reflects is no longer what recent commits say,
     * and the feed has to be read. */
    bool has_evicted;
    bool is_closing;
    uint64_t now;
    size_t jobs_out;
    uint64_t session_number;
    uint64_t subscription_number;
    struct lia_actions actions;
    struct lia_output *first;
    struct lia_output **last;
    struct lia_output *given; /* by the newest lia_peer_next */
    struct lia_peer_link *links;
    struct lia_known *known;
    struct lia_known own_known; /* when the owner gave none */
    struct lia_want *wants;
    struct lia_user *users;
};

/* ---- output.c ---- */

/* A new output behind the others, with room for `bytes` behind it; NULL: no memory. */
struct lia_output *lia_output_add(struct lia_peer *peer,
                                  enum lia_peer_output_kind kind,
                                  struct liana_slice bytes);
void lia_output_close(struct lia_peer *peer,
                      struct lia_peer_link *link,
                      const struct liana_error *why);
void lia_output_event(struct lia_peer *peer,
                      enum lia_peer_event_kind event,
                      const struct lia_peer_link *link,
                      const struct liana_error *error);
/* Takes the job; false: no memory, and it is freed. */
bool lia_output_job(struct lia_peer *peer, struct lia_job *job);
/* Frees the answers that would still have gone into the link's session. */
void lia_output_drop_waiting(struct lia_peer_link *link);
void lia_output_deinit(struct lia_peer *peer);

/* ---- known.c ---- */

/* The remote with this id, a stranger if it is new, for one link more. NULL: no memory. */
struct lia_remote *lia_known_get(struct lia_known *known,
                                 const uint8_t id[LIA_PEER_ID_BYTES]);
/* One link less. NULL is allowed. */
void lia_known_release(struct lia_known *known, struct lia_remote *remote);
struct lia_remote *lia_known_find(const struct lia_known *known,
                                  const uint8_t id[LIA_PEER_ID_BYTES]);

/* ---- peer.c ---- */

/* Steps a session, and again for what it was answered at once. */
void lia_link_step(struct lia_peer *peer,
                   struct lia_peer_link *link,
                   struct lia_event event);

/* ---- wanted.c ---- */

struct lia_want *lia_want_find(struct lia_peer *peer, uint64_t id);
/* Tells a new session all that is wanted. */
void lia_want_all(struct lia_peer *peer, struct lia_peer_link *link, uint64_t now_ms);
void lia_want_progress(struct lia_peer *peer,
                       const struct lia_peer_link *link,
                       const struct lia_action *action);
void lia_want_refused(struct lia_peer *peer,
                      const struct lia_peer_link *link,
                      const struct lia_action *action);
void lia_want_deinit(struct lia_peer *peer);

#endif
