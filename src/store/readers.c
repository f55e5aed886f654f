/* SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

/* Connections kept for the next reader: each has a page cache of its own. */
#define IDLE_MAX ((size_t)4)

static struct lia_conn *take_idle(struct lia_store *store)
{
    struct lia_conn *conn;

    lia_mutex_lock(&store->mutex);
    conn = store->idle;
    if (conn) {
        store->idle = conn->next_idle;
        store->idle_count--;
    }
    store->reading++;
    lia_mutex_unlock(&store->mutex);
    return conn;
}

/* False when there are enough. */
static bool put_idle(struct lia_store *store, struct lia_conn *conn)
{
    bool kept;

    lia_mutex_lock(&store->mutex);
    store->reading--;
    kept = conn && store->idle_count < IDLE_MAX;
    if (kept) {
        conn->next_idle = store->idle;
        store->idle = conn;
        store->idle_count++;
    }
    lia_mutex_unlock(&store->mutex);
    return kept;
}

static void drop(struct lia_store *store, struct lia_conn *conn)
{
    lia_conn_close(conn);
    lia_mem_free(store->env->alloc, conn, sizeof(*conn));
}

static liana_status connect(struct lia_store *store,
                            struct lia_conn **out,
                            struct liana_error *err)
{
    struct lia_conn *conn = lia_mem_alloc(store->env->alloc, sizeof(*conn));
    liana_status status;

    if (!conn) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    status = lia_conn_open(store, SQLITE_OPEN_READONLY, conn, err);
    if (status) {
        lia_mem_free(store->env->alloc, conn, sizeof(*conn));
        return status;
    }
    *out = conn;
    return LIANA_OK;
}

/* BEGIN alone takes no snapshot: the first read does. */
static liana_status start(struct lia_conn *conn, struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_conn_prepare(conn, lia_str("BEGIN"), &stmt, err);

    if (!status) {
        status = lia_conn_run(conn, stmt, err);
    }
    if (!status) {
        status = lia_conn_prepare(conn, lia_str("SELECT seq FROM state"), &stmt, err);
    }
    return status ? status : lia_conn_run(conn, stmt, err);
}

/* A reader only ever ends; nothing of it can be lost. */
static bool finish(struct lia_conn *conn)
{
    sqlite3_stmt *stmt = NULL;

    return sqlite3_get_autocommit(conn->sqlite) ||
           (lia_conn_prepare(conn, lia_str("ROLLBACK"), &stmt, NULL) == LIANA_OK &&
            lia_conn_run(conn, stmt, NULL) == LIANA_OK);
}

liana_status lia_store_read_begin(struct lia_store *store,
                                  struct lia_conn **out,
                                  struct liana_error *err)
{
    struct lia_conn *conn = take_idle(store);
    liana_status status = conn ? LIANA_OK : connect(store, &conn, err);

    if (!status) {
        status = start(conn, err);
    }
    if (!status) {
        *out = conn;
    } else if (conn) {
        lia_store_read_end(store, conn);
    } else {
        put_idle(store, NULL);
    }
    return status;
}

void lia_store_read_end(struct lia_store *store, struct lia_conn *conn)
{
    bool usable = finish(conn);

    if (!usable) {
        put_idle(store, NULL);
        drop(store, conn);
    } else if (!put_idle(store, conn)) {
        drop(store, conn);
    }
}

void lia_store_drop_readers(struct lia_store *store)
{
    LIA_ASSERT(store->reading == 0);
    while (store->idle) {
        struct lia_conn *conn = store->idle;

        store->idle = conn->next_idle;
        drop(store, conn);
    }
}
