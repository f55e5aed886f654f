/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_STORE_STORE_H
#define LIA_STORE_STORE_H
/*
 * store/store - the SQLite database of one store folder: opening, locking, one writer,
 * many readers, durability.
 *
 *     FOLDER/store.db (-wal, -shm)   the database, docs/format/store.md
 *     FOLDER/store.lock              held exclusively while the store is open
 *
 * Rules
 *   Writer. One connection writes. Whoever has begun a write has it until commit or
 *   rollback; others wait in the order in which they came. Only this connection
 *   checkpoints the WAL, after a commit or at close; readers cannot.
 *   Durability. A commit is first put into the WAL and then, for LIA_FULL, waited for
 *   until a sync of the WAL that began after it has ended. One thread syncs for all
 *   that wait: concurrent commits share an fsync (docs/adr/0010). Nothing that is
 *   not durable may leave the store.
 *   Failure. After an I/O error, a failed sync or a corrupt page on the writer nothing
 *   is written any more until the store is opened again (LIANA_EIO, "... reopen");
 *   reading goes on. A full disk (LIANA_EFULL) is no such failure: the next write tries
 *   again.
 * Ownership: options are borrowed for the call, env until close. A connection is
 * borrowed between begin and end.
 * Threads: every function may be called from any thread, close when no other is inside.
 * Locks: one mutex, a leaf; nothing is called with it held.
 */
#include "base/env.h"
#include "store/conn.h"

enum lia_durability {
    LIA_FULL,   /* fsync before commit answers */
    LIA_NORMAL, /* in the WAL; synced by lia_store_sync, a checkpoint or close */
    LIA_MEMORY  /* never synced: for tests and caches; a whole store only */
};

struct lia_store_options {
    const struct lia_env *env;
    const char *path; /* the folder */
    const char *vfs;  /* name of an SQLite VFS; NULL: the system's */
    bool create;      /* make folder and database if there is none */
    enum lia_durability durability;
    uint32_t cache_kib; /* page cache of each connection; 0: SQLite's 2 MiB */
    /* Runs on every connection when it is made: SQL functions are registered here. */
    liana_status (*on_connect)(void *ctx, sqlite3 *sqlite);
    void *on_connect_ctx;
};

struct lia_store;

/* A file that is refused is left as it is, with its WAL. LIANA_ENOTFOUND (no store there
 * and `create` is not set), LIANA_EBUSY (open elsewhere), LIANA_EFOREIGN (the file is no store of ours), LIANA_EVERSION (another
 * format), LIANA_ECORRUPT, LIANA_EIO, LIANA_EFULL; the message names the file. */
LIANA_MUST_CHECK liana_status lia_store_open(const struct lia_store_options *options,
                                             struct lia_store **out,
                                             struct liana_error *err);

/* Makes everything durable, closes, unlocks and frees, also when it answers an error: then
 * the last commits that were not durable may be lost. A full disk is none: the checkpoint
 * that belongs to closing is left to the next opening. NULL is allowed. */
LIANA_MUST_CHECK liana_status lia_store_close(struct lia_store *store,
                                              struct liana_error *err);

/* The same, but leaves the files as they are: what is in the WAL stays there. NULL is
 * allowed. */
void lia_store_abandon(struct lia_store *store);

const char *lia_store_path(const struct lia_store *store);
enum lia_durability lia_store_durability(const struct lia_store *store);

/* Names the database's file as long as it is the same one (base/file.h); 0 on a VFS other
 * than the system's. */
LIANA_MUST_CHECK liana_status lia_store_file_identity(const struct lia_store *store,
                                                      uint64_t *out,
                                                      struct liana_error *err);

/* ---- writing ---- */

#define LIA_WAIT_FOREVER UINT32_MAX

/* Waits up to `wait_ms` for the writer (0: not at all) and begins. LIANA_EBUSY. */
LIANA_MUST_CHECK liana_status lia_store_write_begin(struct lia_store *store,
                                                    uint32_t wait_ms,
                                                    struct lia_conn **out,
                                                    struct liana_error *err);

/* A point in the order of commits. `commit` counts all of them since open, those that
 * are only bookkeeping included; `seq` is the newest that changed a document. */
struct lia_store_mark {
    uint64_t commit;
    uint64_t seq;
};

/* Commits; the writer stays with the caller, who lets it go with lia_store_write_end.
 * `seq` is the seq of this commit, or 0 for one that is only bookkeeping. Does not wait
 * for the disk: lia_store_wait_durable. On failure it is rolled back. */
LIANA_MUST_CHECK liana_status lia_store_write_commit(struct lia_store *store,
                                                     uint64_t seq,
                                                     struct lia_store_mark *out,
                                                     struct liana_error *err);

/* Rolls back what was begun and not committed, and gives the writer to the next. */
void lia_store_write_end(struct lia_store *store);

/* ---- durability ---- */

struct lia_store_head {
    struct lia_store_mark committed;
    struct lia_store_mark durable; /* what survives a power loss */
};

struct lia_store_head lia_store_head(struct lia_store *store);

/* Waits until a commit is durable, syncing if nobody else does. */
LIANA_MUST_CHECK liana_status lia_store_wait_durable(struct lia_store *store,
                                                     uint64_t commit,
                                                     struct liana_error *err);

/* Makes everything durable that is committed now. */
LIANA_MUST_CHECK liana_status lia_store_sync(struct lia_store *store,
                                             struct liana_error *err);

/* The seq that the newest commit has, told once after open by whoever keeps it. */
void lia_store_start_seq(struct lia_store *store, uint64_t seq);

/* Called on the thread that made `durable` move, after it moved, with no lock held; two
 * threads may call at once. Set before the first write. */
typedef void (*lia_store_durable_fn)(void *ctx);
void lia_store_on_durable(struct lia_store *store, lia_store_durable_fn fn, void *ctx);

/* ---- reading ---- */

/* A connection on a snapshot of what is committed now. */
LIANA_MUST_CHECK liana_status lia_store_read_begin(struct lia_store *store,
                                                   struct lia_conn **out,
                                                   struct liana_error *err);
void lia_store_read_end(struct lia_store *store, struct lia_conn *conn);

#endif
