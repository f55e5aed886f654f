/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "store/internal.h"

/* A WAL that one large transaction has blown up is cut back to this when it starts again. */
#define WAL_BYTES_KEPT "67108864"

/* A C string of our own: the text with its NUL. */
static char *copy_text(const struct lia_env *env, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = lia_mem_alloc(env->alloc, size);

    return copy ? memcpy(copy, text, size) : NULL;
}

static void free_text(const struct lia_env *env, char *text)
{
    lia_mem_free(env->alloc, text, text ? strlen(text) + 1 : 0);
}

static char *join_text(const struct lia_env *env, const char *folder, const char *name)
{
    struct lia_buf path;
    char *copy;

    lia_buf_init(&path, env->alloc);
    lia_path_join(&path, folder, name);
    copy = path.status ? NULL : copy_text(env, (const char *)path.ptr);
    lia_buf_deinit(&path);
    return copy;
}

static liana_status new_store(const struct lia_store_options *options,
                              struct lia_store **out)
{
    const struct lia_env *env = options->env;
    struct lia_store *store = lia_mem_zalloc(env->alloc, sizeof(*store));

    if (!store) {
        return LIANA_ENOMEM;
    }
    store->env = env;
    store->durability = options->durability;
    store->cache_kib = options->cache_kib;
    store->on_connect = options->on_connect;
    store->on_connect_ctx = options->on_connect_ctx;
    store->lock.alloc = env->alloc;
    store->folder = copy_text(env, options->path);
    store->file = join_text(env, options->path, "store.db");
    store->vfs = options->vfs ? copy_text(env, options->vfs) : NULL;
    if (!store->folder || !store->file || (options->vfs && !store->vfs)) {
        goto out;
    }
    if (lia_mutex_init(&store->mutex)) {
        goto out;
    }
    if (lia_cond_init(&store->changed)) {
        lia_mutex_deinit(&store->mutex);
        goto out;
    }
    *out = store;
    return LIANA_OK;
out:
    free_text(env, store->folder);
    free_text(env, store->file);
    free_text(env, store->vfs);
    lia_mem_free(env->alloc, store, sizeof(*store));
    return LIANA_ENOMEM;
}

static void free_store(struct lia_store *store)
{
    const struct lia_env *env = store->env;

    lia_store_drop_readers(store);
    lia_conn_close(&store->writer);
    lia_store_unlock(&store->lock);
    lia_cond_deinit(&store->changed);
    lia_mutex_deinit(&store->mutex);
    free_text(env, store->folder);
    free_text(env, store->file);
    free_text(env, store->vfs);
    lia_mem_free(env->alloc, store, sizeof(*store));
}

/* An empty WAL was made by looking at the file and goes again; one that holds something
 * stays as it is. */
void lia_store_abandon(struct lia_store *store)
{
    sqlite3_file *wal = NULL;
    sqlite3_int64 bytes = 0;

    if (!store) {
        return;
    }
    lia_store_drop_readers(store);
    if (store->writer.sqlite &&
        sqlite3_file_control(store->writer.sqlite, "main", SQLITE_FCNTL_JOURNAL_POINTER,
                             &wal) == SQLITE_OK &&
        wal && wal->pMethods && wal->pMethods->xFileSize(wal, &bytes) == SQLITE_OK &&
        bytes == 0) {
        sqlite3_db_config(store->writer.sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0,
                          NULL);
    }
    free_store(store);
}

static int on_commit(void *ctx, sqlite3 *sqlite, const char *name, int pages)
{
    (void)sqlite;
    (void)name;
    ((struct lia_store *)ctx)->wal_pages = pages;
    return SQLITE_OK;
}

static liana_status use_wal(struct lia_conn *conn, struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status =
        lia_conn_prepare(conn, lia_str("PRAGMA journal_mode=WAL"), &stmt, err);

    if (!status) {
        status = lia_conn_step(conn, stmt, err);
    }
    if (!status && !lia_str_equal(lia_column_str(stmt, 0), lia_str("wal"))) {
        status = lia_err(err, LIANA_EIO, "%s: this file system does not allow a WAL",
                         conn->store->file);
    }
    lia_conn_done(conn, stmt);
    return status;
}

/* See docs/adr/0010: who does not keep the bytes beside a write needs SQLite's padding. */
static const char *synchronous(const struct lia_store *store)
{
    sqlite3_file *file = NULL;

    if (store->durability == LIA_MEMORY) {
        return "PRAGMA synchronous=OFF";
    }
    if (sqlite3_file_control(store->writer.sqlite, "main", SQLITE_FCNTL_FILE_POINTER,
                             &file) == SQLITE_OK &&
        file && file->pMethods &&
        !(file->pMethods->xDeviceCharacteristics(file) &
          SQLITE_IOCAP_POWERSAFE_OVERWRITE)) {
        return "PRAGMA synchronous=FULL";
    }
    return "PRAGMA synchronous=NORMAL";
}

/* The WAL's file stays the same until the connection closes. */
static liana_status find_wal(struct lia_store *store, struct liana_error *err)
{
    int code = sqlite3_file_control(store->writer.sqlite, "main",
                                    SQLITE_FCNTL_JOURNAL_POINTER, &store->wal);

    if (code || !store->wal || !store->wal->pMethods) {
        return lia_conn_error(&store->writer, code ? code : SQLITE_CANTOPEN, err);
    }
    return LIANA_OK;
}

static liana_status open_writer(struct lia_store *store,
                                bool create,
                                struct liana_error *err)
{
    struct lia_conn *conn = &store->writer;
    int flags = SQLITE_OPEN_READWRITE | (create ? SQLITE_OPEN_CREATE : 0);
    liana_status status = lia_conn_open(store, flags, conn, err);

    if (!status && sqlite3_db_readonly(conn->sqlite, "main") == 1) {
        status = lia_err(err, LIANA_EREADONLY, "%s cannot be written", store->file);
    }
    if (!status) {
        status = lia_store_format(store, create, err);
    }
    if (!status) {
        status = use_wal(conn, err);
    }
    if (!status) {
        status = lia_conn_exec(conn, synchronous(store), err);
    }
    if (!status) {
        status = lia_conn_exec(conn, "PRAGMA journal_size_limit=" WAL_BYTES_KEPT, err);
    }
    if (!status) { /* the WAL is opened by the first transaction */
        status = lia_conn_exec(conn, "BEGIN IMMEDIATE; COMMIT", err);
    }
    if (!status) {
        status = find_wal(store, err);
    }
    if (!status) {
        sqlite3_wal_hook(conn->sqlite, on_commit, store);
    }
    return status;
}

static liana_status look_for_file(const struct lia_store *store,
                                  struct liana_error *err)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(store->vfs);
    int is_there = 0;
    int code =
        vfs ? vfs->xAccess(vfs, store->file, SQLITE_ACCESS_EXISTS, &is_there) : 0;

    if (code) {
        return lia_err_sub(err, lia_sqlite_status(code), code, "%s: %s", store->file,
                           sqlite3_errstr(code));
    }
    return is_there ? LIANA_OK
                    : lia_err(err, LIANA_ENOTFOUND, "%s: there is no store here",
                              store->file);
}

liana_status lia_store_open(const struct lia_store_options *options,
                            struct lia_store **out,
                            struct liana_error *err)
{
    struct lia_store *store = NULL;
    liana_status status = new_store(options, &store);

    if (status) {
        return lia_err_plain(err, status);
    }
    if (!options->create) {
        status = look_for_file(store, err);
    } else if (!options->vfs) {
        status = lia_dir_make(options->path, err);
    }
    if (!status) {
        status =
            lia_store_lock(&store->lock, store->env, store->vfs, store->folder, err);
    }
    if (!status) {
        status = open_writer(store, options->create, err);
    }
    if (status) {
        lia_store_abandon(store);
        return status;
    }
    *out = store;
    return LIANA_OK;
}

/* The WAL is empty afterwards, and its file goes with the connection. */
static liana_status checkpoint_all(struct lia_store *store, struct liana_error *err)
{
    sqlite3 *sqlite = store->writer.sqlite;
    int code = sqlite3_wal_checkpoint_v2(sqlite, "main", SQLITE_CHECKPOINT_TRUNCATE,
                                         NULL, NULL);

    if (code) {
        return lia_conn_error(&store->writer, code, err);
    }
    sqlite3_db_config(sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    return LIANA_OK;
}

/* A checkpoint puts nothing in safety that a sync of the WAL does not: where there is no
 * room for it, or somebody reads the file with a tool of his own, the WAL stays beside the
 * database until the next opening. A failed store leaves its WAL as it is. */
static liana_status put_in_safety(struct lia_store *store, struct liana_error *err)
{
    struct liana_error why = LIANA_ERROR_INIT;
    liana_status status = lia_store_failed(store, err);

    if (status) {
        return status;
    }
    status = checkpoint_all(store, &why);
    if (status == LIANA_EFULL || status == LIANA_EBUSY) {
        lia_log(store->env, LIA_LOG_INFO, "store", "the WAL is kept: %s", why.message);
        return lia_store_sync(store, err);
    }
    if (status && err && !err->status) {
        *err = why;
    }
    return status;
}

liana_status lia_store_close(struct lia_store *store, struct liana_error *err)
{
    liana_status status;

    if (!store) {
        return LIANA_OK;
    }
    LIA_ASSERT(!store->is_writing); /* a transaction outlives its store */
    lia_store_drop_readers(store);
    status = put_in_safety(store, err);
    free_store(store);
    return status;
}

const char *lia_store_path(const struct lia_store *store)
{
    return store->folder;
}

enum lia_durability lia_store_durability(const struct lia_store *store)
{
    return store->durability;
}

liana_status lia_store_file_identity(const struct lia_store *store,
                                     uint64_t *out,
                                     struct liana_error *err)
{
    *out = 0;
    return store->vfs ? LIANA_OK : lia_file_identity(store->file, out, err);
}
