/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_STORE_INTERNAL_H
#define LIA_STORE_INTERNAL_H
/*
 * store/internal - the inside of a store, shared by the files of src/store alone.
 *
 * Rules: fields below `mutex` are read and written with it held; nothing else is called
 * with it held but the condition's own functions. `writer` is used by whoever has
 * `is_writing`. `wal` is set at open and only synced afterwards, by one thread at a time
 * (`is_syncing`).
 * Ownership: the store owns everything here but env. Threads: as store/store.h says.
 */
#include "base/thread.h"
#include "store/store.h"

/* A file held exclusively through the VFS, so that every platform and the simulator
 * lock alike. */
struct lia_store_lock {
    const struct liana_allocator *alloc;
    sqlite3_file *file; /* NULL: not held */
    size_t file_size;
    char *path; /* SQLite's xOpen keeps it */
    size_t path_size;
};

struct lia_store_waiter {
    struct lia_store_waiter *next;
};

struct lia_store {
    const struct lia_env *env;
    char *folder;
    char *file; /* of the database, in SQLite's full form */
    char *vfs;  /* NULL: the default */
    enum lia_durability durability;
    uint32_t cache_kib;
    liana_status (*on_connect)(void *ctx, sqlite3 *sqlite);
    void *on_connect_ctx;
    struct lia_store_lock lock;
    struct lia_conn writer;
    sqlite3_file *wal;
    int wal_pages; /* after the last commit; set by SQLite's hook on the writer */
    lia_store_durable_fn on_durable;
    void *on_durable_ctx;

    struct lia_mutex mutex;
    struct lia_cond changed; /* the writer is free, or a sync has ended */
    bool is_writing;
    struct lia_store_waiter *waiting; /* for the writer, first come first */
    bool is_syncing;
    struct lia_store_mark committed;
    struct lia_store_mark durable;
    struct liana_error failure; /* status 0: none */
    struct lia_conn *idle;      /* readers */
    size_t idle_count;
    size_t reading; /* readers handed out */
};

#define LIA_STORE_APPLICATION_ID 0x4c49414e /* "LIAN" */
#define LIA_STORE_FORMAT         10

/* ---- conn.c ---- */

LIANA_MUST_CHECK liana_status lia_conn_open(struct lia_store *store,
                                            int flags,
                                            struct lia_conn *out,
                                            struct liana_error *err);
/* Finalizes the statements and closes; a conn that was never opened is allowed. */
void lia_conn_close(struct lia_conn *conn);

/* ---- status.c ---- */

liana_status lia_sqlite_status(int code);

/* ---- lock.c ---- */

LIANA_MUST_CHECK liana_status lia_store_lock(struct lia_store_lock *lock,
                                             const struct lia_env *env,
                                             const char *vfs,
                                             const char *folder,
                                             struct liana_error *err);
void lia_store_unlock(struct lia_store_lock *lock);

/* ---- format.c ---- */

/* Refuses what is no store of this format; makes the tables in a blank file. */
LIANA_MUST_CHECK liana_status lia_store_format(struct lia_store *store,
                                               bool create,
                                               struct liana_error *err);

/* ---- durable.c ---- */

/* Closes the store for writing, with the first reason. */
void lia_store_fail(struct lia_store *store, const struct liana_error *why);

/* LIANA_OK, or LIANA_EIO with the reason, if the store is closed for writing. */
liana_status lia_store_failed(struct lia_store *store, struct liana_error *err);

/* A commit has ended; in a store that never syncs it is as durable as it will be. */
void lia_store_committed(struct lia_store *store,
                         uint64_t seq,
                         struct lia_store_mark *out);

/* ---- readers.c ---- */

void lia_store_drop_readers(struct lia_store *store);

#endif
