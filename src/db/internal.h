/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_DB_INTERNAL_H
#define LIA_DB_INTERNAL_H
/*
 * db/internal - the inside of a db and of a transaction, shared by the files of src/db.
 *
 * Rules
 *   `state` and what registrations are in force change only with the writer held (a
 *   write transaction, or lia_books_begin); with `mutex` as well, because readers look
 *   at them with `mutex` alone. Lists that only the writer reads need no lock to be read
 *   by it.
 *   Lock order: writer, then `mutex` or `listen.mutex`, which are leaves.
 * Ownership: the db owns all of it but options.predicates and env.
 * Threads: as db/db.h says.
 */
#include "base/thread.h"
#include "db/conflicts.h"
#include "db/feed.h"
#include "db/renew.h"
#include "db/retain.h"
#include "db/schema.h"
#include "db/statements.h"

/* ---- collections ---- */

struct lia_coll {
    struct lia_collection pub; /* first: a pointer to one is a pointer to the other */
    struct lia_coll *next;
    char *text; /* name, table and statements, one block */
    size_t text_size;
    struct liana_str sql_get;     /* key -> seq, body, clock */
    struct liana_str sql_insert;  /* key, seq, body, clock */
    struct liana_str sql_update;  /* key, seq, body, clock */
    struct liana_str sql_walk;    /* seq, row, seq -> seq, row, key, body, clock */
    struct liana_str sql_delete;  /* key */
    struct liana_str sql_touch;   /* key, seq */
    struct liana_str sql_flagged; /* -> key, body, clock of what is clamped or cut */
};

static inline const struct lia_coll *lia_coll_of(const struct lia_collection *c)
{
    return (const struct lia_coll *)c;
}

/* LIANA_EINVAL for a name that no collection can have. */
liana_status lia_coll_check_name(struct liana_str name, struct liana_error *err);

LIANA_MUST_CHECK liana_status lia_coll_load(struct lia_db *db,
                                            struct lia_conn *conn,
                                            struct liana_error *err);
/* By name among those that are committed; NULL. */
const struct lia_coll *lia_coll_find(struct lia_db *db, struct liana_str name);
void lia_coll_free(const struct liana_allocator *a, struct lia_coll *coll);
/* The collection as a write transaction sees it, or NULL. */
const struct lia_coll *lia_coll_within(struct lia_txn *txn, struct liana_str name);
/* The same, and made if it is missing. */
LIANA_MUST_CHECK liana_status lia_coll_for_write(struct lia_txn *txn,
                                                 struct liana_str name,
                                                 const struct lia_coll **out,
                                                 struct liana_error *err);
/* One of the store's own, which no peer and no statement can write. */
LIANA_MUST_CHECK liana_status lia_coll_for_system(struct lia_txn *txn,
                                                  struct liana_str name,
                                                  const struct lia_coll **out,
                                                  struct liana_error *err);
bool lia_coll_is_system(struct liana_str name);
/* Frees a list. */
void lia_coll_free_all(const struct liana_allocator *a, struct lia_coll *first);
/* Puts a transaction's new collections where everybody finds them. */
void lia_coll_publish(struct lia_db *db, struct lia_coll *newest_first);
/* A snapshot may hold a collection that its writer, who has just committed it, is about to
 * publish: waits until all up to `id` are. */
void lia_coll_await(struct lia_db *db, uint32_t id);

/* ---- registrations ---- */

/* A peer that reads, as it has said since the db was opened. */
struct lia_registrant {
    struct lia_registrant *next;
    uint8_t peer[32];
    size_t peer_len;
    uint64_t passed; /* it holds everything up to here */
};

struct lia_reg {
    struct lia_reg *next;
    struct lia_registrant *registrants; /* under db->mutex */
    uint32_t refs;                      /* under db->mutex */
    uint64_t id;
    uint64_t floor_seq;              /* only with the writer held */
    struct lia_predicate *predicate; /* NULL: the whole collection */
    char *collection;                /* with the subscription hash behind it */
    size_t collection_len;
    struct liana_slice subscription;
    size_t size; /* of the block at `collection` */
};

/* A row of `registration`, borrowed. */
struct lia_reg_row {
    uint64_t id;
    uint64_t floor_seq;
    struct liana_slice subscription;
    struct liana_str collection;
    struct liana_slice query;
};

/* Compiles the query; not in force before lia_reg_add, which takes it. */
LIANA_MUST_CHECK liana_status lia_reg_new(struct lia_db *db,
                                          const struct lia_reg_row *row,
                                          struct lia_reg **out,
                                          struct liana_error *err);
void lia_reg_free(struct lia_db *db, struct lia_reg *reg);
void lia_reg_add(struct lia_db *db, struct lia_reg *reg);
void lia_reg_remove(struct lia_db *db, uint64_t id);
/* With its registrants and its log. */
LIANA_MUST_CHECK liana_status lia_reg_delete_row(struct lia_conn *conn,
                                                 uint64_t id,
                                                 struct liana_error *err);
LIANA_MUST_CHECK liana_status lia_reg_load(struct lia_db *db,
                                           struct lia_conn *conn,
                                           struct liana_error *err);
/* A reference, or NULL when there is no such registration. */
struct lia_reg *lia_reg_get(struct lia_db *db, uint64_t id);
void lia_reg_put(struct lia_db *db, struct lia_reg *reg);
/* An empty body matches only what has no predicate. LIANA_ENOMEM. */
LIANA_MUST_CHECK liana_status lia_reg_matches(struct lia_db *db,
                                              const struct lia_reg *reg,
                                              struct liana_slice body,
                                              bool *out);
bool lia_reg_is_of(const struct lia_reg *reg, const struct lia_coll *coll);
/* Logs the key for every registration that the change took it out of. */
LIANA_MUST_CHECK liana_status lia_reg_change(struct lia_txn *txn,
                                             const struct lia_coll *coll,
                                             struct liana_slice key,
                                             struct liana_slice before,
                                             struct liana_slice after,
                                             struct liana_error *err);

/* ---- registrants (registrants.c) ---- */

/* The peer registers, and holds everything up to `seq`. With the writer held. LIANA_ENOMEM. */
LIANA_MUST_CHECK liana_status lia_registrants_put(struct lia_db *db,
                                                  struct lia_reg *reg,
                                                  struct liana_slice peer,
                                                  uint64_t seq,
                                                  struct liana_error *err);
/* What the peer holds by what is known; 0: it has not registered. With the writer held. */
LIANA_MUST_CHECK liana_status lia_registrants_get(struct lia_db *db,
                                                  struct lia_conn *conn,
                                                  uint64_t registration,
                                                  struct liana_slice peer,
                                                  uint64_t *out,
                                                  struct liana_error *err);
void lia_registrants_free(struct lia_db *db, struct lia_reg *reg);
/* What all that read the collection hold; UINT64_MAX: nobody does. */
LIANA_MUST_CHECK liana_status lia_registrants_least(struct lia_txn *txn,
                                                    struct liana_str collection,
                                                    uint64_t *out,
                                                    struct liana_error *err);

/* ---- listeners ---- */

struct lia_event;

struct lia_listening {
    struct lia_mutex mutex;
    struct lia_listener *listeners;
    struct lia_event *oldest; /* waiting events, by commit */
    struct lia_event *newest;
    size_t bytes;
    uint64_t commit; /* the newest that was published */
    uint64_t seq;    /* of the newest that was published */
};

/* One changed document of a running transaction. */
struct lia_touched {
    struct lia_touched *older;
    const struct lia_coll *coll;
    struct liana_slice key;
    struct lia_vector before;
    struct liana_slice before_body;
    bool is_shown; /* it is to be sent once more, and has perhaps not changed */
};

/* What a transaction has to tell; empty while nobody listens. */
struct lia_story {
    bool is_told;
    bool wants_before_body;
    bool is_lost; /* too much to keep */
    size_t bytes;
    struct lia_touched *newest;
    size_t count;
    struct lia_batch_marks *marks; /* that this transaction moved */
    size_t marks_count;
};

void lia_listen_start(struct lia_db *db, struct lia_story *out);
/* Notes the first change of a document by this transaction, or (`is_shown`) that there may
 * be one: no event tells of it if there is none. */
LIANA_MUST_CHECK liana_status lia_listen_touch(struct lia_txn *txn,
                                               const struct lia_coll *coll,
                                               struct liana_slice key,
                                               struct lia_doc before,
                                               bool is_shown);
/* Makes the event; NULL when there is nothing to tell or it was lost. */
LIANA_MUST_CHECK liana_status lia_listen_make(struct lia_txn *txn,
                                              struct lia_event **out,
                                              struct liana_error *err);
void lia_listen_drop(struct lia_db *db, struct lia_event *event);
/* Cannot fail. Takes the event. `is_lost`: there was one, and it is not here.
 * `is_waited`: somebody waits until the commit is durable, and so makes it so. */
void lia_listen_publish(struct lia_db *db,
                        struct lia_store_mark mark,
                        struct lia_event *event,
                        bool is_lost,
                        bool is_waited);
/* Calls what wants to know that more is durable. */
void lia_listen_wake(void *ctx);

/* ---- the db ---- */

struct lia_state {
    uint64_t seq;
    uint64_t hlc; /* greatest issued or merged */
    uint64_t own; /* greatest issued by the actor */
};

/* What is in doubt (db/renew.h). More of them at once: the oldest are forgotten. */
#define LIA_DOUBTS_MAX 32

struct lia_doubts {
    struct lia_doubt items[LIA_DOUBTS_MAX];
    size_t count;
};

/* Where a round of retention stands. All 0: one begins. */
struct lia_retain_walk {
    uint32_t after; /* the collections up to this id are through */
    uint64_t hlc;   /* in the next one, what is not newer than (hlc, n) */
    uint64_t n;
    struct lia_retained passed; /* what of that has stayed */
    bool is_unmatched;          /* all are through; `n` is in the other queue */
    uint64_t due_ms;  /* when the first one of the rest is due; 0: not known */
    uint64_t waiting; /* documents that should go and may not yet */
};

struct lia_db {
    const struct lia_env *env;
    struct lia_store *store;
    const struct lia_predicates *predicates;
    struct lia_db_identity identity;
    char name[LIA_NAME_BYTES_MAX];
    size_t name_len;
    uint64_t epoch_row;
    uint64_t file; /* names the database's file; 0: not known */
    uint64_t time_floor_ms;
    uint64_t clock_ahead_ms;
    size_t conflicts_max;
    uint64_t tombstone_ttl_ms;
    uint64_t reader_wait_ms;

    struct lia_mutex mutex;
    struct lia_state state; /* and identity.epoch and .actor */
    struct lia_doubts doubts;
    bool must_mend;               /* a renewal is not done yet */
    bool has_left_rights;         /* to former actors: the store's, when confirmed */
    bool must_take;               /* they are */
    bool must_repair;             /* its own stamps are ahead of all clocks */
    uint64_t no_repair_until_ms;  /* it was tried: others hold them */
    uint64_t held_ms;             /* what is stamped up to then, others may hold */
    uint64_t held_noted_ms;       /* as the store has it */
    bool is_wall_right;           /* a peer's clock said so, against the own stamps */
    struct lia_coll *collections; /* newest first */
    struct lia_cond published;    /* more of them */
    struct lia_reg *registrations;
    size_t predicate_count;    /* registrations that have one */
    struct lia_reg *interests; /* newest first */
    uint64_t interest_last;
    uint64_t forget_cursor; /* where the queue was looked at last */
    struct lia_retain_walk retain_walk;
    struct lia_retention_stats retention;
    uint64_t peer_time_ms;   /* 0: no peer has told it */
    uint64_t peer_time_mono; /* when one did */
    uint64_t age_ms;         /* of the store, when it was opened... */
    uint64_t age_mono;       /* ...then */
    uint64_t age_noted_ms;   /* as the store has it; under the writer */
    uint64_t stages;         /* how many there were; under the writer */

    struct lia_listening listen;
    struct lia_statements statements;
};

LIANA_MUST_CHECK liana_status lia_listening_init(struct lia_listening *listen);
void lia_listening_deinit(struct lia_db *db);

/* ---- epochs ---- */

/* Who the store is after an opening or a renewal; in force with lia_epoch_publish. */
struct lia_epoch {
    uint64_t n;
    uint64_t epoch;
    uint64_t actor;
};

/* Writes the row of a new opening; `own` is the last stamp of the one before. */
LIANA_MUST_CHECK liana_status lia_epoch_begin(struct lia_db *db,
                                              struct lia_conn *conn,
                                              uint64_t actor,
                                              struct lia_epoch *out,
                                              struct liana_error *err);
/* After its commit, with the writer held. A new actor has no stamps yet. */
void lia_epoch_publish(struct lia_db *db, const struct lia_epoch *epoch);
/* Says that this open has ended in order. */
LIANA_MUST_CHECK liana_status lia_epoch_end(struct lia_db *db, struct liana_error *err);

/* How the opening before this one was left. */
struct lia_left {
    bool is_there;
    bool is_closed;
    uint64_t durability;
    uint64_t file;
};

LIANA_MUST_CHECK liana_status lia_epoch_left(struct lia_conn *conn,
                                             struct lia_left *out,
                                             struct liana_error *err);

void lia_openings_encode(struct lia_buf *out, const struct lia_seen *seen);
/* LIANA_ECORRUPT. */
LIANA_MUST_CHECK liana_status lia_openings_decode(struct liana_slice bytes,
                                                  struct lia_seen *out);

/* ---- other histories of this store (history.c) ---- */

/* What a comparison has found: `actor` has stamped in both beyond `beyond`; here, with
 * commits after `seq`. */
struct lia_fork {
    bool is_one;
    struct lia_doubt doubt;
    uint64_t seq;
};

LIANA_MUST_CHECK liana_status lia_history_compare(struct lia_conn *conn,
                                                  const struct lia_seen *other,
                                                  struct lia_fork *out,
                                                  struct liana_error *err);

/* Whether what a peer has seen last of this store is a part of its past. */
enum lia_confirmed {
    LIA_CONFIRMED_NOTHING, /* it knows no opening of ours */
    LIA_CONFIRMED_ONE,
    LIA_CONFIRMED_ANOTHER /* an opening went further than here */
};

LIANA_MUST_CHECK liana_status lia_history_confirm(struct lia_conn *conn,
                                                  const struct lia_seen *other,
                                                  enum lia_confirmed *out,
                                                  struct liana_error *err);

/* ---- other histories of a peer (peer_history.c) ---- */

/* What its actors have stamped that is no part of its past any more, as far as it was seen. */
LIANA_MUST_CHECK liana_status lia_peer_history(struct lia_conn *conn,
                                               struct liana_slice peer,
                                               const struct lia_seen *now,
                                               struct lia_doubts *out,
                                               struct liana_error *err);

/* ---- renewal (renew.c) ---- */

/* What is to be written down of one. */
struct lia_renewing {
    enum lia_renewal_reason reason;
    uint64_t actor;              /* the one before */
    const struct lia_fork *fork; /* NULL: nothing is in doubt */
    uint64_t at_ms;              /* 0: now */
};

LIANA_MUST_CHECK liana_status lia_renewal_put(struct lia_db *db,
                                              struct lia_conn *conn,
                                              const struct lia_renewing *what,
                                              struct liana_error *err);
/* Loads what is in doubt, and whether there is something to mend. */
LIANA_MUST_CHECK liana_status lia_doubts_load(struct lia_db *db,
                                              struct lia_conn *conn,
                                              struct liana_error *err);
/* A transaction of its own: renews if the fork is new, or reaches further back. */
LIANA_MUST_CHECK liana_status lia_renew(struct lia_db *db,
                                        enum lia_renewal_reason reason,
                                        const struct lia_fork *fork,
                                        bool *out_renewed,
                                        struct liana_error *err);

/* repair.c: stamps anew what nobody has said to hold, if that can be done; in any case
 * `must_repair` is false then. One transaction. */
LIANA_MUST_CHECK liana_status lia_repair(struct lia_db *db, struct liana_error *err);

uint64_t lia_new_actor(struct lia_db *db);

/* Renews the tags of a document, and counts the new one also where nothing is left of what
 * the old actor wrote beyond the stamp (and beyond `known`: that was counted before): others
 * whose marks say that they have it are told of the vector with it. */
LIANA_MUST_CHECK liana_status lia_retag(struct lia_arena *scratch,
                                        struct lia_doc doc,
                                        const struct lia_retag *how,
                                        uint64_t known,
                                        struct lia_doc *out,
                                        struct liana_error *err);

struct lia_doubts lia_doubts_of(struct lia_db *db);
/* What of the stamp may be believed. */
uint64_t lia_doubts_bound(const struct lia_doubts *doubts,
                          uint64_t actor,
                          uint64_t hlc);
/* The vector without what is in doubt, in the arena if that differs. */
LIANA_MUST_CHECK liana_status lia_doubts_lower(const struct lia_doubts *doubts,
                                               struct lia_arena *arena,
                                               struct lia_vector v,
                                               struct lia_vector *out);
static inline bool lia_doubts_touch(const struct lia_doubts *doubts,
                                    struct lia_vector v)
{
    for (size_t i = 0; i < doubts->count; i++) {
        if (lia_vector_get(v, doubts->items[i].actor) > doubts->items[i].beyond) {
            return true;
        }
    }
    return false;
}

/* ---- transactions ---- */

#define LIA_SAVEPOINTS_MAX 64

struct lia_savepoint {
    bool is_changed;
    bool is_own;
    struct lia_stamp stamp;
    uint64_t own;
    size_t touched_count;
    struct lia_coll *created;
};

struct lia_txn {
    struct lia_db *db;
    struct lia_conn *conn;
    struct lia_txn_options options;
    liana_status failed;              /* the transaction is void */
    struct lia_arena scratch;         /* of one call */
    struct lia_arena arena;           /* of the transaction */
    uint32_t collections_max;         /* read: the snapshot has ids up to here */
    struct lia_known_schema *schemas; /* what was read of `_liana.collections` */

    /* write only */
    struct lia_state state; /* as it will be after commit */
    struct lia_stamp stamp;
    struct lia_epoch epoch;   /* n 0: the store stays who it is */
    bool is_changed;          /* a document changed: the commit has a seq */
    bool is_own;              /* by an operation of ours */
    bool has_deleted;         /* table `deleted` is not empty */
    struct lia_coll *created; /* newest first */
    struct lia_story story;
    struct lia_keeping *keepings; /* those that were looked at; in the arena */
    size_t depth;
    struct lia_savepoint savepoints[LIA_SAVEPOINTS_MAX];
};

/* A transaction with the seq of the commit it will make. */
static inline uint64_t lia_txn_seq(const struct lia_txn *txn)
{
    return txn->db->state.seq + 1;
}

/* LIANA_OK while the transaction can be used; resets the scratch arena. */
LIANA_MUST_CHECK liana_status lia_txn_enter(struct lia_txn *txn,
                                            bool is_write,
                                            struct liana_error *err);
/* Notes a failure that voids the transaction; answers `status`. */
liana_status lia_txn_leave(struct lia_txn *txn, liana_status status);

/* ---- rows ---- */

struct lia_row {
    uint64_t seq; /* 0: there is none */
    struct lia_doc doc;
};

/* The row, its bytes in the arena. */
LIANA_MUST_CHECK liana_status lia_row_get(struct lia_conn *conn,
                                          const struct lia_coll *coll,
                                          struct liana_slice key,
                                          struct lia_arena *arena,
                                          struct lia_row *out,
                                          struct liana_error *err);

/* LIANA_ECORRUPT that names the collection, in place of what `err` says already. */
liana_status lia_row_damaged(const struct lia_coll *coll, struct liana_error *err);

/* lia_doc_info of a row, in the scratch arena. LIANA_ENOMEM, LIANA_ECORRUPT. */
LIANA_MUST_CHECK liana_status lia_row_info(struct lia_txn *txn,
                                           const struct lia_coll *coll,
                                           struct liana_slice clock,
                                           struct lia_doc_info *out,
                                           struct liana_error *err);

/* Writes the row and everything that follows from the change. */
LIANA_MUST_CHECK liana_status lia_row_put(struct lia_txn *txn,
                                          const struct lia_coll *coll,
                                          struct liana_slice key,
                                          const struct lia_row *before,
                                          struct lia_doc after,
                                          struct liana_error *err);

/* ---- schemas (db/schema.h) ---- */

/* The key of the document that declares a collection; in the arena. LIANA_ENOMEM. */
LIANA_MUST_CHECK liana_status lia_schema_key(struct lia_arena *arena,
                                             struct liana_str collection,
                                             struct liana_slice *out);
/* What the transaction has read may not hold any more. */
void lia_schema_forget(struct lia_txn *txn);

/* Takes the row out; `info` is its own. What must be remembered of it is. Of a living
 * document it is a change. LIANA_EMISUSE: it ends the actor, under which this transaction
 * has written. */
LIANA_MUST_CHECK liana_status lia_row_drop(struct lia_txn *txn,
                                           const struct lia_coll *coll,
                                           struct liana_slice key,
                                           const struct lia_row *row,
                                           const struct lia_doc_info *info,
                                           struct liana_error *err);

/* Everybody who reads from this store has been given it: only then does a rule drop it. */
LIANA_MUST_CHECK liana_status lia_row_is_passed(struct lia_txn *txn,
                                                struct lia_keeping *k,
                                                const struct lia_row *row,
                                                bool *out,
                                                struct liana_error *err);

/* LIANA_EKEEPER: this store evicts nothing. */
LIANA_MUST_CHECK liana_status lia_evict_check(struct lia_txn *txn,
                                              struct liana_str collection,
                                              struct liana_error *err);

/* The row gets the seq of the transaction: whoever reads the feed comes by it again. */
LIANA_MUST_CHECK liana_status lia_row_touch(struct lia_txn *txn,
                                            const struct lia_coll *coll,
                                            struct liana_slice key,
                                            struct liana_error *err);

/* rights.c: what the actor may spend of bounded counters goes to another one. `*out_any`:
 * there was something, and the transaction has written. */
LIANA_MUST_CHECK liana_status lia_rights_hand_over(struct lia_txn *txn,
                                                   uint64_t to,
                                                   bool *out_any,
                                                   struct liana_error *err);
/* What `from` may spend goes to the actor of the transaction. */
LIANA_MUST_CHECK liana_status lia_rights_take(struct lia_txn *txn,
                                              uint64_t from,
                                              bool *out_any,
                                              struct liana_error *err);

/* ---- rights of actors that have ended (reclaim.c) ---- */

/* What is known of an actor of another store, or of this one. */
struct lia_fate {
    bool is_used;  /* a store stamps with it, as far as was seen */
    bool is_ended; /* the store that stamped with it has another one */
    uint64_t last; /* the newest of its stamps that was told of; 0: none */
};

LIANA_MUST_CHECK liana_status lia_actor_fate(struct lia_conn *conn,
                                             uint64_t actor,
                                             struct lia_fate *out,
                                             struct liana_error *err);

/* Whether this store can know what the actor has spent in the collection. LIANA_EMISUSE says
 * why it cannot. */
LIANA_MUST_CHECK liana_status lia_reclaim_check(struct lia_txn *txn,
                                                struct liana_str collection,
                                                uint64_t actor,
                                                struct liana_error *err);

/* With `must_take`: a transaction of its own takes what former actors of this store left. */
LIANA_MUST_CHECK liana_status lia_rights_take_over(struct lia_db *db,
                                                   struct liana_error *err);

/* What a write needs to know of a declaration. */
struct lia_rules {
    const struct lia_schema *schema;
    const struct lia_shape *shapes; /* of its sets, registers and counters with a MIN */
    size_t shape_count;
};

bool lia_rules_have_bounded(const struct lia_rules *rules);

/* As lia_txn_schema. */
LIANA_MUST_CHECK liana_status lia_schema_rules(struct lia_txn *txn,
                                               struct liana_str collection,
                                               const struct lia_rules **out,
                                               struct liana_error *err);

/* Until lia_schema_drop, this is also declared of the collection, in this transaction.
 * LIANA_ESCHEMA: it is declared otherwise. */
LIANA_MUST_CHECK liana_status lia_schema_add(struct lia_txn *txn,
                                             struct liana_str collection,
                                             const struct lia_declared *declared,
                                             uint32_t count,
                                             struct liana_error *err);
void lia_schema_drop(struct lia_txn *txn);

/* Turns what was asked for into what the rules mean by it: `*ops` may be replaced by
 * others, in `scratch`. LIANA_ESCHEMA. */
LIANA_MUST_CHECK liana_status lia_rules_prepare(const struct lia_rules *rules,
                                                struct lia_txn *txn,
                                                struct lia_doc before,
                                                const struct lia_op **ops,
                                                size_t *count,
                                                struct liana_error *err);
/* What a write has changed is as declared; `is_new`: all of it is looked at. */
LIANA_MUST_CHECK liana_status lia_rules_check(const struct lia_rules *rules,
                                              struct liana_slice before,
                                              struct liana_slice after,
                                              bool is_new,
                                              struct liana_error *err);

/* ---- bookkeeping: small writes that change no document ---- */

LIANA_MUST_CHECK liana_status lia_books_begin(struct lia_db *db,
                                              struct lia_conn **out,
                                              struct liana_error *err);
/* Commits if `status` is LIANA_OK; answers the first failure. The writer stays until
 * lia_store_write_end, so that what is in memory can follow. */
LIANA_MUST_CHECK liana_status lia_books_commit(struct lia_db *db,
                                               liana_status status,
                                               struct liana_error *err);
/* Both in one. */
LIANA_MUST_CHECK liana_status lia_books_end(struct lia_db *db,
                                            liana_status status,
                                            struct liana_error *err);
/* And no loss of power undoes it. */
LIANA_MUST_CHECK liana_status lia_books_end_durable(struct lia_db *db,
                                                    liana_status status,
                                                    struct liana_error *err);

/* One statement with its parameters, run to its end: "sut" binds a slice, a uint64_t and
 * a text. */
LIANA_MUST_CHECK liana_status lia_books_run(struct lia_conn *conn,
                                            struct liana_error *err,
                                            const char *sql,
                                            const char *kinds,
                                            ...);

/* ---- time ---- */

/* Trusted time with `mutex` not held: lia_db_now's, or the best lower bound. */
uint64_t lia_db_wall(struct lia_db *db);

/* ---- age (clock.c) ---- */

/*
 * How long the store has lived, in milliseconds. What waits for days goes by it, not by a
 * clock that somebody sets: it goes on by itself while the store is open; of the time between
 * two openings at most a day counts, and none where the clock went back.
 */
uint64_t lia_db_age(const struct lia_db *db);
/* At the opening: the store was `age_ms` old when the clock showed `at_ms`. */
void lia_age_begin(struct lia_db *db, uint64_t age_ms, uint64_t at_ms);
/* Writes it down. */
LIANA_MUST_CHECK liana_status lia_age_put(struct lia_db *db,
                                          struct lia_conn *conn,
                                          struct liana_error *err);
/* The same, if it is an hour since. */
LIANA_MUST_CHECK liana_status lia_age_note(struct lia_txn *txn,
                                           struct liana_error *err);

/* ---- marks as a connection sees them (kept.c) ---- */

/* What stands under a name. */
LIANA_MUST_CHECK liana_status lia_kept_vector(struct lia_conn *conn,
                                              struct lia_db *db,
                                              struct lia_arena *arena,
                                              struct liana_slice name,
                                              struct lia_vector *out,
                                              struct liana_error *err);

/* The own entry included. */
LIANA_MUST_CHECK liana_status lia_kept_marks(struct lia_conn *conn,
                                             struct lia_db *db,
                                             struct lia_arena *arena,
                                             struct liana_slice subscription,
                                             struct lia_vector *out,
                                             struct liana_error *err);

/* Entry by entry the greater. */
LIANA_MUST_CHECK liana_status lia_marks_join(struct lia_conn *conn,
                                             struct liana_slice name,
                                             struct lia_vector vector,
                                             struct liana_error *err);

/* ---- what is known beside the rows (keep.c) ---- */

struct lia_name lia_name_of_evicted(struct liana_str collection);

/* Without the vectors. */
LIANA_MUST_CHECK liana_status lia_keeping_brief(struct lia_conn *conn,
                                                struct lia_db *db,
                                                struct liana_str collection,
                                                struct lia_keeping *out,
                                                struct liana_error *err);
LIANA_MUST_CHECK liana_status lia_keeping_read(struct lia_conn *conn,
                                               struct lia_db *db,
                                               struct lia_arena *arena,
                                               struct liana_str collection,
                                               struct lia_keeping *out,
                                               struct liana_error *err);
/* As the write transaction began, and with what it dropped since. */
LIANA_MUST_CHECK liana_status lia_txn_keeping(struct lia_txn *txn,
                                              struct liana_str collection,
                                              struct lia_keeping **out,
                                              struct liana_error *err);

/* The greatest forgotten_seq of all collections but Liana's own (`_liana....`). */
LIANA_MUST_CHECK liana_status lia_keep_forgotten_of_all(struct lia_conn *conn,
                                                        uint64_t *out,
                                                        struct liana_error *err);

/* Tokens that are under way are worth nothing. */
LIANA_MUST_CHECK liana_status lia_keep_put_look(struct lia_conn *conn,
                                                struct liana_str collection,
                                                struct liana_error *err);
LIANA_MUST_CHECK liana_status lia_keep_generation(struct lia_conn *conn,
                                                  uint64_t *out,
                                                  struct liana_error *err);

LIANA_MUST_CHECK liana_status lia_keep_put_taken(struct lia_txn *txn,
                                                 struct liana_str collection,
                                                 uint64_t forgotten,
                                                 struct liana_error *err);
LIANA_MUST_CHECK liana_status lia_keep_put_evicted(struct lia_txn *txn,
                                                   struct liana_str collection,
                                                   struct lia_vector vector,
                                                   struct liana_error *err);
LIANA_MUST_CHECK liana_status lia_keep_put_forgotten(struct lia_txn *txn,
                                                     struct liana_str collection,
                                                     uint64_t forgotten,
                                                     uint64_t seq,
                                                     struct liana_error *err);

/* What an actor that ends has written stays reflected, as what others wrote is (drop.c). */
LIANA_MUST_CHECK liana_status lia_marks_keep_of(struct lia_txn *txn,
                                                const struct lia_coll *first,
                                                struct lia_stamp last,
                                                struct liana_error *err);

/* ---- verdicts (verdict.c) ---- */

/* A document that is to be deleted again once the batch is merged. */
struct lia_verdict;

struct lia_verdicts {
    struct lia_txn *txn;
    struct lia_verdict *last;
};

/* What a peer offers, and what is held. */
struct lia_offered {
    struct lia_segment_info segment;
    struct lia_row row;
    enum lia_offer answer;
    enum lia_delete_mode mode; /* of the collection, as it is declared here */
    struct lia_stamp deleted;  /* with LIA_OFFER_BURY, where deletes win */
};

/* What to do with it: `answer`. */
LIANA_MUST_CHECK liana_status lia_verdict_judge(struct lia_verdicts *v,
                                                const struct lia_key *key,
                                                struct lia_offered *offered,
                                                struct liana_error *err);

/* What follows from its having been merged: a verdict is noted, and the peer is told of what
 * it lacks. */
LIANA_MUST_CHECK liana_status lia_verdict_follow(struct lia_verdicts *v,
                                                 struct liana_slice peer,
                                                 const struct lia_key *key,
                                                 const struct lia_offered *offered,
                                                 struct lia_doc merged,
                                                 const struct lia_doc_info *info,
                                                 struct liana_error *err);

/* Deletes what was noted, under a stamp that is newer than all that was merged. */
LIANA_MUST_CHECK liana_status lia_verdicts_give(struct lia_verdicts *v,
                                                struct liana_error *err);

/* Logs the key for what the peer (empty: anybody) has registered and the body is not in;
 * false: there is nothing such. */
LIANA_MUST_CHECK liana_status lia_reg_tell(struct lia_txn *txn,
                                           struct liana_slice peer,
                                           const struct lia_coll *coll,
                                           struct liana_slice key,
                                           struct liana_slice body,
                                           bool *out_told,
                                           struct liana_error *err);

/* ---- tombstones (forget.c) ---- */

/* The row of the key became a tombstone, or changed as one: it waits its time from now. */
LIANA_MUST_CHECK liana_status lia_forget_later(struct lia_txn *txn,
                                               const struct lia_coll *coll,
                                               struct liana_slice key,
                                               struct liana_error *err);

/* Looks at some of those that have waited long enough, from `*cursor` on. `out->next_ms`
 * stays when there is more to look at now. */
LIANA_MUST_CHECK liana_status lia_forget_some(struct lia_txn *txn,
                                              uint64_t *cursor,
                                              struct lia_upkeep *out,
                                              struct liana_error *err);

/* ---- retention (retain.c, interest.c) ---- */

/* The time that `ttl` goes by (retain_clock.c); 0: it is not known. */
LIANA_MUST_CHECK liana_status lia_retain_now(struct lia_txn *txn,
                                             uint64_t *out_ms,
                                             struct liana_error *err);
/* A piece of a round, from `*walk` on. `out->next_ms` stays when there is more to do now. */
LIANA_MUST_CHECK liana_status lia_retain_some(struct lia_txn *txn,
                                              struct lia_retain_walk *walk,
                                              struct lia_upkeep *out,
                                              struct liana_error *err);

/* The row is taken out of the store. */
LIANA_MUST_CHECK liana_status lia_retain_drop(struct lia_txn *txn,
                                              const struct lia_coll *coll,
                                              struct liana_slice key,
                                              struct liana_error *err);

/* Whether this store subscribes to the collection, and to this document of it. */
LIANA_MUST_CHECK liana_status lia_interest_wants(struct lia_db *db,
                                                 const struct lia_coll *coll,
                                                 struct liana_slice body,
                                                 bool *out_asked,
                                                 bool *out_wanted,
                                                 struct liana_error *err);
/* Notes the key where the change took it out of what this store subscribes to, and such
 * documents are to go. */
LIANA_MUST_CHECK liana_status lia_interest_change(struct lia_txn *txn,
                                                  const struct lia_coll *coll,
                                                  struct liana_slice key,
                                                  struct liana_slice before,
                                                  struct liana_slice after,
                                                  struct liana_error *err);
void lia_interests_free(struct lia_db *db);

#endif
