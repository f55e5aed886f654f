/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIANA_DB_H
#define LIANA_DB_H
/*
 * liana/db - a store: opening it, running statements, transactions.
 *
 * A store is a folder: the database file, its identity key (mode 0600), blobs, and while
 * somebody holds it open, `lock` and, if asked for, `control.sock`. One process at a
 * time opens a store; any number attach to it through the control socket and get the
 * same handle. Reads and writes never wait for a network.
 *
 * Rules: see liana/liana.h. Statements are those of docs/query.md; parameters are the
 * fields of one BSON document (`:name` takes field `name`), an empty slice for none.
 *
 * Ownership: close a liana_db last: open transactions, results and feeds keep it busy
 * (LIANA_EBUSY). Threads: a liana_db any; the others one at a time.
 */
#include "liana/error.h"
#include "liana/types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct liana_db liana_db;
typedef struct liana_txn liana_txn;
typedef struct liana_result liana_result;

/* What a commit waits for. FULL: the disk has it (fsync). NORMAL: a power loss may take
 * the last commits back, in order; a killed process loses nothing. Nothing is sent to
 * peers before it is durable. DEFAULT is the store's: FULL unless opened otherwise. */
enum {
    LIANA_DURABILITY_DEFAULT = 0,
    LIANA_DURABILITY_FULL = 1,
    LIANA_DURABILITY_NORMAL = 2
};

/* Who may join the database. NONE: the store does not sync. OPEN: anybody who can reach
 * it; for development only. SHARED_KEY: whoever holds the same 32 bytes. */
enum { LIANA_TRUST_NONE = 0, LIANA_TRUST_OPEN = 1, LIANA_TRUST_SHARED_KEY = 2 };

#define LIANA_SHARED_KEY_BYTES 32

enum {
    LIANA_OPEN_CREATE = 1,    /* make the store if the folder is missing or empty */
    LIANA_OPEN_EXCLUSIVE = 2, /* with CREATE: LIANA_EEXISTS if there is a store */
    LIANA_OPEN_SERVE = 4,     /* serve control.sock, so that others can attach */
    /* A keeper: other stores learn what this one holds of the collections that it
     * subscribes to whole, and may rely on it. Kept in the store: a keeper stays one. */
    LIANA_OPEN_KEEPER = 8
};

enum {
    LIANA_LOG_ERROR = 0,
    LIANA_LOG_WARN = 1,
    LIANA_LOG_INFO = 2,
    LIANA_LOG_DEBUG = 3
};

/* One event, one line, no newline at its end; both ended by NUL and valid for the call.
 * May be called from any thread of the library; must not call into it. */
typedef void (*liana_log_fn)(void *ctx,
                             int32_t level,
                             const char *part,
                             const char *text);

struct liana_open_options {
    uint32_t version; /* 1 */
    uint32_t flags;   /* LIANA_OPEN_..., or-ed */

    /* What peers share. 32 hexadecimal digits are the 128-bit id itself; any other text
     * of 1 to 120 bytes is a name and the id is its hash. A new store without one gets a
     * random id. For a store that exists: empty, or the same as at its creation
     * (LIANA_EDATABASE). */
    struct liana_str database;

    /* How other peers see this one: UTF-8, at most 120 bytes. It is kept in the store
     * until another one is given. Empty: the one that is kept, else the folder's name. */
    struct liana_str name;

    int32_t durability; /* LIANA_DURABILITY_...: what the store's commits wait for */
    int32_t trust;      /* LIANA_TRUST_... */
    /* With SHARED_KEY: 32 bytes, or the text that liana_shared_key_new makes, blanks
     * around it allowed. Copied. */
    struct liana_slice shared_key;

    /* NULL: the C library's memory. The struct is copied; its function and ctx are
     * kept until close and are called from every thread that works for this store. */
    const struct liana_allocator *allocator;

    liana_log_fn log; /* NULL: no log. Kept until close, with its ctx */
    void *log_ctx;
    int32_t log_level; /* events above it are not made */

    /* How long a deleted document is remembered at least, in milliseconds, and afterwards
     * until a keeper knows of the delete. 0: 30 days. */
    uint64_t tombstone_ttl_ms;

    /* Changes of peers that are stamped further ahead of the time here are put aside until
     * their time comes (docs/clocks.md), in milliseconds. 0: 10 minutes. */
    uint64_t clock_max_ahead_ms;

    /* How many rows system:conflicts keeps, the newest: 1 to 1,000,000; 0: 1,000. While
     * this process holds the store. */
    uint32_t conflicts_max;
};

#define LIANA_OPEN_OPTIONS_INIT                                                        \
    {                                                                                  \
        1, 0, {0, 0}, {0, 0}, LIANA_DURABILITY_DEFAULT, LIANA_TRUST_NONE, {0, 0}, 0,   \
            0, 0, LIANA_LOG_WARN, 0, 0, 0                                              \
    }

/* Opens the store in folder `path`. LIANA_ENOTFOUND (no store, no CREATE), LIANA_EEXISTS,
 * LIANA_EBUSY (open elsewhere: attach instead), LIANA_EFOREIGN (not a store of ours),
 * LIANA_EVERSION (a format of another release), LIANA_ECORRUPT, LIANA_EDATABASE,
 * LIANA_EIO, LIANA_EFULL, LIANA_EREADONLY. */
LIANA_API LIANA_MUST_CHECK liana_status
liana_open(struct liana_str path,
           const struct liana_open_options *options,
           liana_db **out,
           struct liana_error *err);

/* A new shared key as one word of text, to be kept where only its owner can read it.
 * LIANA_EINTERNAL: the system has no randomness. */
LIANA_API LIANA_MUST_CHECK liana_status liana_shared_key_new(liana_bytes **out,
                                                             struct liana_error *err);

/* A handle on a store that another process (or another handle of this one) holds open
 * and serves. Every function of the API works on it, unless its comment says otherwise.
 * A connection that breaks fails all later calls with LIANA_ECLOSED: close and attach
 * again. Whether a change that was under way then has been made, only the store knows. LIANA_ENOTFOUND (nobody serves it), LIANA_EDENIED (the socket belongs to
 * another user), LIANA_EVERSION. */
LIANA_API LIANA_MUST_CHECK liana_status liana_attach(struct liana_str path,
                                                     liana_db **out,
                                                     struct liana_error *err);

/* Stops syncing, ends the subscriptions of this handle and closes it. LIANA_EBUSY while
 * a transaction, result or feed of it is open: nothing is closed then. Any other answer
 * means that it is closed; a failure says what could not be finished. */
LIANA_API liana_status liana_close(liana_db *db, struct liana_error *err);

/* ---- statements ---- */

/* Runs one statement in a transaction of its own. A statement that writes is whole and
 * committed when the call returns; a SELECT reads one snapshot and produces its rows as
 * they are asked for. `out` may be NULL for a statement whose result is of no interest.
 * LIANA_ESYNTAX (the message has line and column), LIANA_EPARAM, LIANA_ETYPE,
 * LIANA_EEXISTS (INSERT of an _id that is there), LIANA_EBSON (params), LIANA_EID,
 * LIANA_EDUPFIELD, LIANA_ETOOLARGE, LIANA_EFULL, LIANA_EIO, LIANA_ECLOCK. */
LIANA_API LIANA_MUST_CHECK liana_status liana_execute(liana_db *db,
                                                      struct liana_str statement,
                                                      struct liana_slice params,
                                                      liana_result **out,
                                                      struct liana_error *err);

/* Moves to the next row: `*row` is a BSON document, valid until the next call on this
 * result. LIANA_EEND behind the last one; a statement without rows ends at once. A read
 * that fails half-way (LIANA_ETYPE in an expression, LIANA_EIO) fails every later call. */
LIANA_API LIANA_MUST_CHECK liana_status liana_result_next(liana_result *result,
                                                          struct liana_slice *row,
                                                          struct liana_error *err);

/* How many documents the statement inserted, changed, deleted or evicted. */
LIANA_API uint64_t liana_result_mutations(const liana_result *result);

/* How many documents an EVICT matched and left: no keeper is known to hold them as they are, or a peer
 * that reads from this store has not been given them. They can go later, or by FORCE. */
LIANA_API uint64_t liana_result_waiting(const liana_result *result);

/* The store's sequence number behind this statement's commit; 0 for a SELECT, for a
 * statement inside a transaction, and if nothing changed. */
LIANA_API uint64_t liana_result_seq(const liana_result *result);

/* Also ends the snapshot: an unfinished result keeps the log from being checkpointed. */
LIANA_API void liana_result_free(liana_result *result);

/* ---- transactions ---- */

struct liana_txn_options {
    uint32_t version;   /* 1 */
    bool read_only;     /* a snapshot; a statement that writes is LIANA_EMISUSE */
    int32_t durability; /* of its commit */
    int32_t timeout_ms; /* how long to wait for another writer; < 0: for ever */
};

#define LIANA_TXN_OPTIONS_INIT                                                         \
    {                                                                                  \
        1, false, LIANA_DURABILITY_DEFAULT, -1                                         \
    }

/* Begins a transaction. There is one writer at a time in a store: a second one waits
 * (LIANA_EBUSY after timeout_ms). What it writes carries one stamp and becomes visible
 * together, here and at peers. A transaction that is left open for long keeps every other
 * writer and the sync of incoming changes waiting. */
LIANA_API LIANA_MUST_CHECK liana_status
liana_begin(liana_db *db,
            const struct liana_txn_options *options,
            liana_txn **out,
            struct liana_error *err);

/* As liana_execute, inside the transaction; sees its own writes. A statement that fails
 * has changed nothing and the transaction goes on; after LIANA_EIO, LIANA_EFULL,
 * LIANA_ENOMEM or LIANA_ECORRUPT it can only be rolled back: every call answers that. */
LIANA_API LIANA_MUST_CHECK liana_status liana_txn_execute(liana_txn *txn,
                                                          struct liana_str statement,
                                                          struct liana_slice params,
                                                          liana_result **out,
                                                          struct liana_error *err);

/* Commits and frees `txn`, also on failure: then nothing of it is there. Results of it
 * that are still open end: their next answers LIANA_ECANCELED; they are still to be
 * freed. `*out_seq` (may be NULL): as liana_result_seq. */
LIANA_API LIANA_MUST_CHECK liana_status liana_commit(liana_txn *txn,
                                                     uint64_t *out_seq,
                                                     struct liana_error *err);

/* Undoes and frees it; results as with commit. NULL is allowed. */
LIANA_API void liana_rollback(liana_txn *txn);

/* Does a bounded piece of what a store does by and by: evicts what declared retention says
 * (CREATE COLLECTION ... WITH), forgets old deletes. A store that syncs does so by itself;
 * one that never does is asked to by its app. `*out_next_ms`: call it again in so many
 * milliseconds, 0: there is more to do now. It waits for the writer: not with a write
 * transaction of one's own open. LIANA_EMISUSE: an attached handle; whoever holds the store
 * does it. */
LIANA_API LIANA_MUST_CHECK liana_status liana_upkeep(liana_db *db,
                                                     uint64_t *out_next_ms,
                                                     struct liana_error *err);

#ifdef __cplusplus
}
#endif
#endif
