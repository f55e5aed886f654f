/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "db/internal.h"

/*
 * One row per opening, and per renewal while open: what peers know this store by.
 */

#define EPOCHS_KEPT 1000

liana_status lia_epoch_begin(struct lia_db *db,
                             struct lia_conn *conn,
                             uint64_t actor,
                             struct lia_epoch *out,
                             struct liana_error *err)
{
    struct lia_epoch epoch = {.epoch = lia_env_random64(db->env), .actor = actor};
    liana_status status =
        lia_books_run(conn, err,
                      "INSERT INTO epoch (epoch, actor, seq, own, durability, "
                      "closed, file) VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6)",
                      "uuuuuu", epoch.epoch, actor, db->state.seq, db->state.own,
                      (uint64_t)lia_store_durability(db->store), db->file);

    if (!status) {
        epoch.n = (uint64_t)sqlite3_last_insert_rowid(conn->sqlite);
        status = lia_books_run(conn, err, "DELETE FROM epoch WHERE n <= ?1 - ?2", "uu",
                               epoch.n, (uint64_t)EPOCHS_KEPT);
    }
    if (!status && actor != db->identity.actor) {
        status = lia_books_run(conn, err, "UPDATE state SET actor = ?1, own = 0", "u",
                               actor);
    }
    if (!status) {
        *out = epoch;
    }
    return status;
}

void lia_epoch_publish(struct lia_db *db, const struct lia_epoch *epoch)
{
    lia_mutex_lock(&db->mutex);
    if (epoch->actor != db->identity.actor) {
        db->state.own = 0;
    }
    db->identity.actor = epoch->actor;
    db->identity.epoch = epoch->epoch;
    db->epoch_row = epoch->n;
    lia_mutex_unlock(&db->mutex);
}

liana_status lia_epoch_left(struct lia_conn *conn,
                            struct lia_left *out,
                            struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_conn_prepare(
        conn,
        lia_str("SELECT closed, durability, file FROM epoch ORDER BY n DESC LIMIT 1"),
        &stmt, err);

    *out = (struct lia_left){0};
    if (!status) {
        status = lia_conn_step(conn, stmt, err);
    }
    if (!status) {
        *out = (struct lia_left){true, lia_column_u64(stmt, 0), lia_column_u64(stmt, 1),
                                 lia_column_u64(stmt, 2)};
    }
    lia_conn_done(conn, stmt);
    return status == LIANA_EEND ? LIANA_OK : status;
}

static liana_status note_end(struct lia_db *db, struct liana_error *err)
{
    struct lia_conn *conn;
    liana_status status = lia_store_write_begin(db->store, 0, &conn, err);

    if (status) {
        return status;
    }
    status = lia_books_run(conn, err, "UPDATE epoch SET closed = 1 WHERE n = ?1", "u",
                           db->epoch_row);
    if (!status) {
        status = lia_age_put(db, conn, err);
    }
    return lia_books_end(db, status, err);
}

/* An end that is not noted looks like one that was cut short, which every store is ready
 * for: that there is no room for it, or that a tool holds the file, is no failure. */
liana_status lia_epoch_end(struct lia_db *db, struct liana_error *err)
{
    struct liana_error why = LIANA_ERROR_INIT;
    liana_status status = note_end(db, &why);

    if (status == LIANA_EFULL || status == LIANA_EBUSY) {
        lia_log(db->env, LIA_LOG_INFO, "db", "the end of this opening is not noted: %s",
                why.message);
        return LIANA_OK;
    }
    if (status && err && !err->status) {
        *err = why;
    }
    return status;
}

/* What an epoch reached stands in the row of the next one; the running one has reached
 * what is committed. */
static liana_status covers(struct lia_conn *conn,
                           uint64_t epoch,
                           uint64_t seq,
                           bool *out,
                           struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_conn_prepare(
        conn,
        lia_str("SELECT coalesce((SELECT seq FROM epoch WHERE n > e.n ORDER BY n LIMIT "
                "1), (SELECT seq FROM state)) FROM epoch e WHERE epoch = ?1"),
        &stmt, err);

    if (status) {
        return status;
    }
    lia_bind_u64(stmt, 1, epoch);
    status = lia_conn_step(conn, stmt, err);
    if (!status || status == LIANA_EEND) {
        *out = !status && seq <= lia_column_u64(stmt, 0);
        status = LIANA_OK;
    }
    lia_conn_done(conn, stmt);
    return status;
}

liana_status lia_db_epoch_covers(struct lia_db *db,
                                 uint64_t epoch,
                                 uint64_t seq,
                                 bool *out,
                                 struct liana_error *err)
{
    struct lia_conn *conn;
    liana_status status = lia_store_read_begin(db->store, &conn, err);

    if (status) {
        return status;
    }
    status = covers(conn, epoch, seq, out, err);
    lia_store_read_end(db->store, conn);
    return status;
}
