/* SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

/* SQLite's own default: a WAL of 4 MiB. */
#define CHECKPOINT_PAGES 1000

static void join_queue(struct lia_store *store, struct lia_store_waiter *self)
{
    struct lia_store_waiter **end = &store->waiting;

    while (*end) {
        end = &(*end)->next;
    }
    self->next = NULL;
    *end = self;
}

static void leave_queue(struct lia_store *store, struct lia_store_waiter *self)
{
    struct lia_store_waiter **at = &store->waiting;

    while (*at != self) {
        at = &(*at)->next;
    }
    *at = self->next;
}

/* Waits in line with the mutex held; false when the time is over. */
static bool wait_turn(struct lia_store *store,
                      struct lia_store_waiter *self,
                      uint32_t wait_ms)
{
    struct lia_deadline deadline = lia_deadline_in(wait_ms);
    bool in_time = true;

    while (in_time && (store->is_writing || store->waiting != self)) {
        if (wait_ms == LIA_WAIT_FOREVER) {
            lia_cond_wait(&store->changed, &store->mutex);
        } else {
            in_time = lia_cond_wait_until(&store->changed, &store->mutex, &deadline);
        }
    }
    return !store->is_writing && store->waiting == self;
}

static bool take_writer(struct lia_store *store, uint32_t wait_ms)
{
    struct lia_store_waiter self;
    bool taken;

    lia_mutex_lock(&store->mutex);
    join_queue(store, &self);
    taken = wait_turn(store, &self, wait_ms);
    leave_queue(store, &self);
    if (taken) {
        store->is_writing = true;
    } else {
        lia_cond_broadcast(&store->changed); /* the one behind may be first now */
    }
    lia_mutex_unlock(&store->mutex);
    return taken;
}

static void give_writer(struct lia_store *store)
{
    lia_mutex_lock(&store->mutex);
    store->is_writing = false;
    lia_cond_broadcast(&store->changed);
    lia_mutex_unlock(&store->mutex);
}

static liana_status run(struct lia_conn *conn, const char *sql, struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_conn_prepare(conn, lia_str(sql), &stmt, err);

    return status ? status : lia_conn_run(conn, stmt, err);
}

liana_status lia_store_write_begin(struct lia_store *store,
                                   uint32_t wait_ms,
                                   struct lia_conn **out,
                                   struct liana_error *err)
{
    liana_status status;

    if (!take_writer(store, wait_ms)) {
        return lia_err(err, LIANA_EBUSY, "%s: another transaction is writing",
                       store->file);
    }
    status = lia_store_failed(store, err);
    if (!status) {
        status = run(&store->writer, "BEGIN IMMEDIATE", err);
    }
    if (status) {
        give_writer(store);
        return status;
    }
    *out = &store->writer;
    return LIANA_OK;
}

/* What it writes is in the WAL as well, so a checkpoint that does not come through is
 * tried again after the next commit; the one that failed closes the store. */
static void checkpoint(struct lia_store *store)
{
    int code;

    if (store->wal_pages < CHECKPOINT_PAGES) {
        return;
    }
    code = sqlite3_wal_checkpoint_v2(store->writer.sqlite, "main",
                                     SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    store->wal_pages = 0;
    if (code) {
        LIA_IGNORE(lia_conn_error(&store->writer, code, NULL)); /* see above */
    }
}

static void undo(struct lia_store *store)
{
    if (!sqlite3_get_autocommit(store->writer.sqlite)) {
        LIA_IGNORE(run(&store->writer, "ROLLBACK", NULL));
        /* an error here is an I/O error, which closes the store */
    }
}

liana_status lia_store_write_commit(struct lia_store *store,
                                    uint64_t seq,
                                    struct lia_store_mark *out,
                                    struct liana_error *err)
{
    liana_status status = run(&store->writer, "COMMIT", err);

    if (status) {
        undo(store);
        return status;
    }
    lia_store_committed(store, seq, out);
    return LIANA_OK;
}

/* The checkpoint waits for the disk: by now whoever reads what was committed need not wait, too,
 * for what its writer publishes of it. */
void lia_store_write_end(struct lia_store *store)
{
    undo(store);
    checkpoint(store);
    give_writer(store);
}
