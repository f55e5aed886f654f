/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_DB_DB_H
#define LIA_DB_DB_H
/*
 * db/db - collections and transactions of one store.
 *
 * A transaction is read-only (a snapshot, any number at a time) or read-write (one at a
 * time, others wait in order). A write transaction takes one stamp when it begins; every
 * document that it changes carries that stamp in its clock and the transaction's seq in
 * its row. seq counts the commits that changed a document: a commit is exactly the
 * documents of one seq (docs/adr/0011). What follows from commits (change feed, sync,
 * live queries) is in db/feed.h.
 *
 * Rules
 *   A document is named by its collection and its key: the canonical bytes of its _id
 *   (codec/key.h). A row without a body is a tombstone.
 *   Collections come into being with the first write to them. A name is 1 to
 *   LIA_NAME_BYTES_MAX bytes of UTF-8 without NUL and '$' and does not begin with
 *   "system:" (LIANA_EINVAL).
 *   What a merge here discards is a row of the local collection system:conflicts
 *   (docs/query.md); nobody else writes to it, and it is never sent.
 *   When an operation of a transaction fails because of its arguments (LIANA_EEXISTS,
 *   LIANA_ETYPE, ...) it has changed nothing and the transaction goes on. When it fails
 *   because of the disk or memory, the transaction is void: every further call answers
 *   the same status, and only rollback is left.
 *   Write transactions belong to a thread of control, not to a thread: a caller that
 *   holds one and begins another waits for itself (give a wait_ms).
 * Ownership: options are borrowed for the call, env until close. Documents handed out by
 * a transaction are valid until its next call. Handles are freed by close, commit and
 * rollback, whatever these answer.
 * Threads: a db may be used from any thread, a transaction from one at a time.
 */
#include "crdt/doc.h"
#include "store/store.h"

struct lia_db;
struct lia_txn;
struct lia_predicates; /* db/feed.h */

struct lia_db_options {
    struct lia_store_options store; /* on_connect is the db's own */
    /* 16 bytes; used when the store is made, compared afterwards (LIANA_EDATABASE).
     * Empty: any, and a random one for a new store. */
    struct liana_slice database;
    /* How subscriptions' queries are evaluated; NULL: lia_lang_predicates. Borrowed until
     * close. */
    const struct lia_predicates *predicates;
    /* Makes the store a keeper; one that is stays one (docs/adr/0024). */
    bool is_keeper;
    uint64_t tombstone_ttl_ms; /* 0: LIA_TOMBSTONE_TTL_MS */
    /* What a peer that reads from this store has not been given is dropped by no rule for so
     * long after it was last there. 0: LIA_READER_WAIT_MS */
    uint64_t reader_wait_ms;
    /* Names the database's file: another one is a copy or a backup. 0: the file system
     * is asked, and on another VFS nobody. */
    uint64_t file_identity;
    /* A clock that shows less than this (the date of the build) is wrong. */
    uint64_t time_floor_ms;
    /* What is stamped further ahead of trusted time is put aside. 0: LIA_CLOCK_AHEAD_MS */
    uint64_t clock_ahead_ms;
    size_t conflicts_max; /* rows of system:conflicts; 0: LIA_CONFLICTS_MAX */
};

#define LIA_CLOCK_AHEAD_MS ((uint64_t)10 * 60 * 1000)

#define LIA_CONFLICTS_MAX ((size_t)1000)

LIANA_MUST_CHECK liana_status lia_db_open(const struct lia_db_options *options,
                                          struct lia_db **out,
                                          struct liana_error *err);
LIANA_MUST_CHECK liana_status lia_db_close(struct lia_db *db, struct liana_error *err);

/* ---- who this store is ---- */

#define LIA_DATABASE_ID_BYTES 16

struct lia_db_identity {
    uint8_t database[LIA_DATABASE_ID_BYTES];
    uint64_t store; /* random, once per store */
    uint64_t epoch; /* random, new at every open and renewal (db/renew.h) */
    uint64_t actor; /* writes are stamped with it; new at a renewal */
    bool is_keeper; /* others may drop what it holds whole; for good */
};

struct lia_db_identity lia_db_identity(struct lia_db *db);

/* How other peers see this store; kept in it. Empty: none was given. Valid until the next
 * lia_db_set_name, which is called while nobody else looks. */
struct liana_str lia_db_name(const struct lia_db *db);
/* At most LIA_NAME_BYTES_MAX bytes; durable when it returns. */
LIANA_MUST_CHECK liana_status lia_db_set_name(struct lia_db *db,
                                              struct liana_str name,
                                              struct liana_error *err);

/* The store below: for head, durability, sync and backups. */
struct lia_store *lia_db_store(struct lia_db *db);

/* ---- collections ---- */

struct lia_collection {
    uint32_t id; /* from 1, never reused in a store */
    struct liana_str name;
    struct liana_str table; /* "c12": (key BLOB, seq INTEGER, body BLOB, clock BLOB) */
};

/* Valid until close. LIANA_ENOTFOUND. */
LIANA_MUST_CHECK liana_status lia_db_collection(struct lia_db *db,
                                                struct liana_str name,
                                                const struct lia_collection **out,
                                                struct liana_error *err);

/* All of them, by id; the array is in the arena. */
LIANA_MUST_CHECK liana_status lia_db_collections(struct lia_db *db,
                                                 struct lia_arena *arena,
                                                 const struct lia_collection ***out,
                                                 size_t *out_count);

/* Those whose table a read transaction sees. */
LIANA_MUST_CHECK liana_status lia_txn_collections(struct lia_txn *txn,
                                                  struct lia_arena *arena,
                                                  const struct lia_collection ***out,
                                                  size_t *out_count);

/* ---- transactions ---- */

enum lia_txn_kind { LIA_READ, LIA_WRITE };

struct lia_txn_options {
    enum lia_txn_kind kind;
    uint32_t wait_ms;               /* for the writer; LIANA_EBUSY when it is over */
    enum lia_durability durability; /* of this commit: LIA_FULL or LIA_NORMAL */
    uint64_t origin;                /* handed to listeners; 0: a local write */
};

/* What a transaction of the store's own durability looks like. */
struct lia_txn_options lia_txn_options(struct lia_db *db, enum lia_txn_kind kind);

LIANA_MUST_CHECK liana_status lia_txn_begin(struct lia_db *db,
                                            const struct lia_txn_options *options,
                                            struct lia_txn **out,
                                            struct liana_error *err);

/* seq 0: nothing was changed. `stamp` is {0, 0} then, and when nothing was written of
 * one's own (a batch of a peer). */
struct lia_commit {
    uint64_t seq;
    struct lia_stamp stamp;
};

/* Frees the transaction. On failure it is rolled back, except that a failed sync
 * (LIANA_EIO) leaves open whether the commit survives: the store takes no further
 * writes until it is opened again. Of a read transaction: ends it. `out` may be NULL. */
LIANA_MUST_CHECK liana_status lia_txn_commit(struct lia_txn *txn,
                                             struct lia_commit *out,
                                             struct liana_error *err);
/* Frees the transaction; NULL is allowed. */
void lia_txn_rollback(struct lia_txn *txn);

/* Savepoints nest: release and undo end the innermost one. At most 64 deep. */
LIANA_MUST_CHECK liana_status lia_txn_savepoint(struct lia_txn *txn,
                                                struct liana_error *err);
LIANA_MUST_CHECK liana_status lia_txn_release(struct lia_txn *txn,
                                              struct liana_error *err);
LIANA_MUST_CHECK liana_status lia_txn_undo(struct lia_txn *txn,
                                           struct liana_error *err);

struct lia_db *lia_txn_db(struct lia_txn *txn);
bool lia_txn_is_write(const struct lia_txn *txn);

/* The connection that sees this transaction: statements read through it. They never
 * write documents but by lia_txn_apply. Statements in use must be given back before
 * commit or rollback. */
struct lia_conn *lia_txn_conn(struct lia_txn *txn);

/* The stamp that this write transaction gives to what it writes. */
struct lia_stamp lia_txn_stamp(const struct lia_txn *txn);

/* As lia_db_collection, within the transaction; a write transaction makes a missing one
 * when `create` is set. */
LIANA_MUST_CHECK liana_status lia_txn_collection(struct lia_txn *txn,
                                                 struct liana_str name,
                                                 bool create,
                                                 const struct lia_collection **out,
                                                 struct liana_error *err);

/* The document of a key; an empty one (no clock) when there is no row. */
LIANA_MUST_CHECK liana_status lia_txn_get(struct lia_txn *txn,
                                          const struct lia_collection *collection,
                                          struct liana_slice key,
                                          struct lia_doc *out,
                                          struct liana_error *err);

struct lia_change {
    bool changed;
    struct lia_doc before;
    struct lia_doc after;
};

/* Applies operations to one document and writes the row. `out` may be NULL; what it
 * holds is valid until the next call with this transaction. Statuses of lia_doc_apply;
 * LIANA_EMISUSE in a read transaction. */
LIANA_MUST_CHECK liana_status lia_txn_apply(struct lia_txn *txn,
                                            const struct lia_collection *collection,
                                            struct liana_slice key,
                                            const struct lia_op *ops,
                                            size_t count,
                                            struct lia_change *out,
                                            struct liana_error *err);

/* Inserts a document under the key of its _id, which it must have (codec/key.h makes
 * one). The body is checked. LIANA_EEXISTS, LIANA_EID, LIANA_EBSON, LIANA_ETOOLARGE. */
LIANA_MUST_CHECK liana_status lia_txn_insert(struct lia_txn *txn,
                                             const struct lia_collection *collection,
                                             struct liana_slice body,
                                             struct lia_change *out,
                                             struct liana_error *err);

/* ---- dropping ---- */

/* Takes a living document out of this store, and nowhere else: kept ones (crdt/keep.h),
 * or, `is_forced`, any. `*out_evicted` false: it does not exist, or is not kept. What it
 * says of the store's own actor ends that actor: lia_txn_stamp is another one afterwards.
 * LIANA_EKEEPER: a keeper holds what it holds. LIANA_EMISUSE: the transaction wrote the
 * document, or it wrote something and would need a new actor. */
LIANA_MUST_CHECK liana_status lia_txn_evict(struct lia_txn *txn,
                                            const struct lia_collection *collection,
                                            struct liana_slice key,
                                            bool is_forced,
                                            bool *out_evicted,
                                            struct liana_error *err);

#define LIA_TOMBSTONE_TTL_MS ((uint64_t)30 * 24 * 60 * 60 * 1000)
/* A use of a registration is noted once a day (lia_db_register_ack). */
#define LIA_READER_WAIT_MS ((uint64_t)3 * 24 * 60 * 60 * 1000)

/* What is done by and by, a bounded piece of it in one transaction. */
struct lia_upkeep {
    size_t looked_at;   /* tombstones and documents */
    size_t passed_over; /* that are due, and not safe elsewhere yet */
    size_t forgotten;   /* tombstones */
    size_t evicted;     /* documents, by retention */
    uint64_t next_ms;   /* call again in so many milliseconds */
};

/* One piece: tombstones that are old and safe are forgotten, retention evicts. Something
 * that cannot be done yet costs a look every now and then. */
LIANA_MUST_CHECK liana_status lia_db_upkeep(struct lia_db *db,
                                            struct lia_upkeep *out,
                                            struct liana_error *err);

/* What retention has done. */
struct lia_retention_stats {
    uint64_t evicted; /* documents, since the store was opened */
    uint64_t waiting; /* that should go and could not when they were looked at last: no
                       * keeper has all of them, or this store wrote them today */
};

struct lia_retention_stats lia_db_retention_stats(struct lia_db *db);

/* This store subscribes to the collection (an empty query: to all of it), as long as it is
 * open or until `remove`: with on_unmatch = 'remove', what a change takes out of all such
 * queries is evicted. LIANA_EINVAL, and statuses of the predicates' compile. */
LIANA_MUST_CHECK liana_status lia_db_interest_add(struct lia_db *db,
                                                  struct liana_str collection,
                                                  struct liana_slice query,
                                                  uint64_t *out_id,
                                                  struct liana_error *err);
/* A number that is not there is allowed. */
void lia_db_interest_remove(struct lia_db *db, uint64_t id);

/* An INITIAL document: `insert` is merged under the stamp that its content has, so that it
 * is one write wherever it is made, older than all others (crdt/doc.h). What it loses to is
 * in system:conflicts, the first time. Statuses of lia_doc_apply and LIANA_ESCHEMA. */
LIANA_MUST_CHECK liana_status lia_txn_seed(struct lia_txn *txn,
                                           const struct lia_collection *collection,
                                           struct liana_slice key,
                                           const struct lia_op *insert,
                                           struct lia_change *out,
                                           struct liana_error *err);

/* ---- time ---- */

/* Trusted time in milliseconds since 1970, and whether it is known: the system's clock
 * unless that is behind `time_floor_ms` or the store's last commit. */
bool lia_db_now(struct lia_db *db, uint64_t *out_ms);

enum lia_time_source { LIA_TIME_UNKNOWN, LIA_TIME_SYSTEM, LIA_TIME_PEER };

/* As lia_db_now, and whose time it is. */
enum lia_time_source lia_db_time(struct lia_db *db, uint64_t *out_ms);

/* The time of an authenticated peer, 0 if it does not know it: taken when trusted time is
 * unknown. If it agrees with the system's clock, and the store has stamped later than both,
 * the store's stamps are wrong: lia_db_mend (db/renew.h) stamps anew, except what this peer
 * or one before it may hold. */
void lia_db_time_from_peer(struct lia_db *db, uint64_t peer_ms);

/* How far a peer's clock may go on, with time and beyond it, from when it was told until it is
 * told again or the session ends (sync/session.c): ten minutes of silence, what a session takes to notice
 * that it is dead, and five minutes by which a clock may be set unnoticed. */
#define LIA_CLOCK_TOLD_MS ((uint64_t)20 * 60 * 1000)

/* A peer whose clock is later than this may take what is stamped later than the store has
 * noted that others may hold: before anything is sent to it, lia_db_note_held. */
uint64_t lia_db_held_ms(struct lia_db *db);

/* Makes durable what peers' clocks have told; cheap when there is nothing new. */
LIANA_MUST_CHECK liana_status lia_db_note_held(struct lia_db *db,
                                               struct liana_error *err);

#endif
