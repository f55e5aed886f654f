/* SPDX-License-Identifier: Apache-2.0 */
#include "store/conn.h"

#include <string.h>

#include "store/internal.h"

struct lia_conn_slot {
    sqlite3_stmt *stmt; /* NULL: empty */
    size_t len;         /* of its text: most texts begin alike and differ in length */
    uint64_t used;
    bool is_busy;
};

/* Another process may look into the file with a tool of its own: wait for it. */
#define BUSY_MS 2000

static const char PRAGMAS[] = "PRAGMA temp_store=MEMORY;"
                              "PRAGMA trusted_schema=OFF;"
                              "PRAGMA wal_autocheckpoint=0;";

static liana_status configure(struct lia_conn *conn, struct liana_error *err)
{
    struct lia_store *store = conn->store;
    char cache[48];
    liana_status status;

    sqlite3_extended_result_codes(conn->sqlite, 1);
    sqlite3_busy_timeout(conn->sqlite, BUSY_MS);
    sqlite3_db_config(conn->sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    sqlite3_db_config(conn->sqlite, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    status = lia_conn_exec(conn, PRAGMAS, err);
    if (!status && store->cache_kib) {
        sqlite3_snprintf(sizeof(cache), cache, "PRAGMA cache_size=-%u",
                         store->cache_kib);
        status = lia_conn_exec(conn, cache, err);
    }
    if (!status && store->on_connect) {
        status = store->on_connect(store->on_connect_ctx, conn->sqlite);
        if (status) {
            status =
                lia_err(err, status, "%s: functions cannot be registered", store->file);
        }
    }
    return status;
}

liana_status lia_conn_open(struct lia_store *store,
                           int flags,
                           struct lia_conn *out,
                           struct liana_error *err)
{
    liana_status status;
    int code;

    *out = (struct lia_conn){.store = store};
    out->slots =
        lia_mem_zalloc(store->env->alloc, LIA_CONN_STATEMENTS * sizeof(*out->slots));
    if (!out->slots) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    code = sqlite3_open_v2(store->file, &out->sqlite, flags | SQLITE_OPEN_NOMUTEX,
                           store->vfs);
    status = code ? lia_conn_error(out, code, err) : configure(out, err);
    if (status) {
        lia_conn_close(out);
    }
    return status;
}

void lia_conn_close(struct lia_conn *conn)
{
    for (size_t i = 0; conn->slots && i < LIA_CONN_STATEMENTS; i++) {
        LIA_ASSERT(!conn->slots[i].is_busy);
        sqlite3_finalize(conn->slots[i].stmt);
    }
    if (conn->sqlite) {
        LIA_ASSERT(sqlite3_close(conn->sqlite) == SQLITE_OK);
    }
    if (conn->slots) {
        lia_mem_free(conn->store->env->alloc, conn->slots,
                     LIA_CONN_STATEMENTS * sizeof(*conn->slots));
    }
    conn->sqlite = NULL;
    conn->slots = NULL;
}

static bool has_text(const struct lia_conn_slot *slot, struct liana_str sql)
{
    return slot->stmt && slot->len == sql.len &&
           memcmp(sqlite3_sql(slot->stmt), sql.ptr, sql.len) == 0;
}

/* The slot that holds the text, or NULL and the slot to put it in: an empty one, or the
 * one unused for longest. */
static struct lia_conn_slot *find_slot(struct lia_conn *conn,
                                       struct liana_str sql,
                                       struct lia_conn_slot **out_free)
{
    struct lia_conn_slot *oldest = NULL;

    for (size_t i = 0; i < LIA_CONN_STATEMENTS; i++) {
        struct lia_conn_slot *slot = &conn->slots[i];

        if (slot->is_busy) {
            continue;
        }
        if (has_text(slot, sql)) {
            return slot;
        }
        if (!oldest || slot->used < oldest->used) {
            oldest = slot;
        }
    }
    *out_free = oldest;
    return NULL;
}

liana_status lia_conn_prepare(struct lia_conn *conn,
                              struct liana_str sql,
                              sqlite3_stmt **out,
                              struct liana_error *err)
{
    struct lia_conn_slot *empty = NULL;
    struct lia_conn_slot *slot = find_slot(conn, sql, &empty);
    sqlite3_stmt *stmt;
    int code;

    if (!slot) {
        code = sqlite3_prepare_v3(conn->sqlite, sql.ptr, (int)sql.len,
                                  empty ? SQLITE_PREPARE_PERSISTENT : 0, &stmt, NULL);
        if ((code & 0xff) == SQLITE_ERROR) {
            return lia_err_sub(err, LIANA_ESYNTAX, code, "%s",
                               sqlite3_errmsg(conn->sqlite));
        }
        if (code || !stmt) {
            return lia_conn_error(conn, code ? code : SQLITE_MISUSE, err);
        }
        if (!empty) {
            *out = stmt; /* all slots are in use: it lives until lia_conn_done */
            return LIANA_OK;
        }
        sqlite3_finalize(empty->stmt);
        slot = empty;
        slot->stmt = stmt;
        slot->len = sql.len;
    }
    slot->is_busy = true;
    slot->used = ++conn->clock;
    *out = slot->stmt;
    return LIANA_OK;
}

void lia_conn_done(struct lia_conn *conn, sqlite3_stmt *stmt)
{
    if (!stmt) {
        return;
    }
    for (size_t i = 0; i < LIA_CONN_STATEMENTS; i++) {
        if (conn->slots[i].stmt == stmt) {
            sqlite3_reset(stmt);
            sqlite3_clear_bindings(stmt);
            conn->slots[i].is_busy = false;
            return;
        }
    }
    sqlite3_finalize(stmt);
}

liana_status lia_conn_step(struct lia_conn *conn,
                           sqlite3_stmt *stmt,
                           struct liana_error *err)
{
    int code = sqlite3_step(stmt);

    if (code == SQLITE_ROW) {
        return LIANA_OK;
    }
    return code == SQLITE_DONE ? LIANA_EEND : lia_conn_error(conn, code, err);
}

liana_status lia_conn_run(struct lia_conn *conn,
                          sqlite3_stmt *stmt,
                          struct liana_error *err)
{
    liana_status status;

    do {
        status = lia_conn_step(conn, stmt, err);
    } while (!status);
    lia_conn_done(conn, stmt);
    return status == LIANA_EEND ? LIANA_OK : status;
}

liana_status lia_conn_exec(struct lia_conn *conn,
                           const char *sql,
                           struct liana_error *err)
{
    int code = sqlite3_exec(conn->sqlite, sql, NULL, NULL, NULL);

    return code ? lia_conn_error(conn, code, err) : LIANA_OK;
}

static bool closes_the_store(int code)
{
    switch (lia_sqlite_status(code)) {
    case LIANA_EIO:
    case LIANA_ECORRUPT:
    case LIANA_EFOREIGN: return true;
    default: return false;
    }
}

liana_status lia_conn_error(struct lia_conn *conn, int code, struct liana_error *err)
{
    struct lia_store *store = conn->store;
    struct liana_error why = LIANA_ERROR_INIT;
    const char *text = conn->sqlite && sqlite3_extended_errcode(conn->sqlite) == code
                           ? sqlite3_errmsg(conn->sqlite)
                           : sqlite3_errstr(code);

    LIA_IGNORE(lia_err_sub(&why, lia_sqlite_status(code), code, "%s: %s", store->file,
                           text)); /* only fills `why` */
    if (conn == &store->writer && closes_the_store(code)) {
        lia_store_fail(store, &why);
    }
    if (err && !err->status) {
        *err = why;
    }
    return why.status;
}

void lia_bind_slice(sqlite3_stmt *stmt, int at, struct liana_slice bytes)
{
    if (bytes.len) {
        sqlite3_bind_blob64(stmt, at, bytes.ptr, bytes.len, SQLITE_STATIC);
    } else {
        sqlite3_bind_zeroblob(stmt, at, 0);
    }
}

void lia_bind_str(sqlite3_stmt *stmt, int at, struct liana_str text)
{
    sqlite3_bind_text64(stmt, at, text.len ? text.ptr : "", text.len, SQLITE_STATIC,
                        SQLITE_UTF8);
}

void lia_bind_u64(sqlite3_stmt *stmt, int at, uint64_t v)
{
    sqlite3_bind_int64(stmt, at, (sqlite3_int64)v);
}

void lia_bind_null(sqlite3_stmt *stmt, int at)
{
    sqlite3_bind_null(stmt, at);
}

struct liana_slice lia_column_slice(sqlite3_stmt *stmt, int at)
{
    const void *ptr = sqlite3_column_blob(stmt, at);

    return (struct liana_slice){ptr, (size_t)sqlite3_column_bytes(stmt, at)};
}

struct liana_str lia_column_str(sqlite3_stmt *stmt, int at)
{
    const unsigned char *ptr = sqlite3_column_text(stmt, at);

    return (struct liana_str){(const char *)ptr,
                              (size_t)sqlite3_column_bytes(stmt, at)};
}

uint64_t lia_column_u64(sqlite3_stmt *stmt, int at)
{
    return (uint64_t)sqlite3_column_int64(stmt, at);
}
