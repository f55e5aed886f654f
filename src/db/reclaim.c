/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rights in bounded counters that an actor had left when it ended (docs/adr/0054). What it has
 * spent is known to who holds all that it wrote; that nobody writes as it any more,
 *
 *     after an unclean end   the store knows itself: what was lost was never sent. A disk that was
 *                            put back looks the same, so a peer has to confirm it;
 *     otherwise              people know. A keeper is told by a statement (RECLAIM), and holds it
 *                            against what it has seen.
 */
#include <inttypes.h>

#include "crdt/mutant.h"
#include "db/internal.h"
#include "db/renew.h"

/* ---- what is known of an actor ---- */

/* What one peer has told: that it began to stamp with another one. */
static void note_end(const struct lia_seen *seen, uint64_t actor, struct lia_fate *fate)
{
    for (size_t i = 1; i < seen->opening_count; i++) {
        const struct lia_opening *next = &seen->openings[i - 1];

        if (seen->openings[i].actor != actor || next->actor == actor) {
            continue;
        }
        fate->is_ended = true;
        if (next->n == seen->openings[i].n + 1 && next->own > fate->last) {
            fate->last = next->own;
        }
    }
}

static liana_status note(sqlite3_stmt *stmt, uint64_t actor, struct lia_fate *fate)
{
    bool is_newest = lia_column_u64(stmt, 3);
    struct lia_seen seen;
    liana_status status = lia_openings_decode(lia_column_slice(stmt, 2), &seen);

    if (status) {
        return status;
    }
    note_end(&seen, actor, fate);
    if (lia_column_u64(stmt, 1) == actor) {
        uint64_t hlc = lia_column_u64(stmt, 0);

        fate->is_used = fate->is_used || is_newest;
        fate->is_ended = fate->is_ended || !is_newest;
        fate->last = hlc > fate->last ? hlc : fate->last;
    }
    return LIANA_OK;
}

static liana_status note_own(struct lia_conn *conn,
                             uint64_t actor,
                             struct lia_fate *fate,
                             struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_conn_prepare(
        conn,
        lia_str("SELECT actor = ?1, EXISTS (SELECT 1 FROM epoch WHERE actor = ?1) OR "
                "EXISTS (SELECT 1 FROM renewal WHERE actor = ?1) FROM state"),
        &stmt, err);

    if (!status) {
        lia_bind_u64(stmt, 1, actor);
        status = lia_conn_step(conn, stmt, err);
    }
    if (!status) {
        bool is_own = lia_column_u64(stmt, 0);

        fate->is_used = fate->is_used || is_own;
        fate->is_ended = fate->is_ended || (!is_own && lia_column_u64(stmt, 1));
    }
    lia_conn_done(conn, stmt);
    return status;
}

liana_status lia_actor_fate(struct lia_conn *conn,
                            uint64_t actor,
                            struct lia_fate *out,
                            struct liana_error *err)
{
    struct lia_fate fate = {0};
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_conn_prepare(
        conn,
        lia_str("SELECT hlc, actor, openings, "
                "n = (SELECT max(n) FROM seen WHERE peer = s.peer) FROM seen s"),
        &stmt, err);

    while (!status) {
        status = lia_conn_step(conn, stmt, err);
        if (!status) {
            status = lia_err_plain(err, note(stmt, actor, &fate));
        }
    }
    lia_conn_done(conn, stmt);
    status = status == LIANA_EEND ? note_own(conn, actor, &fate, err) : status;
    *out = fate;
    return status;
}

/* ---- by a statement ---- */

static liana_status refuse(struct liana_error *err, uint64_t actor, const char *why)
{
    return lia_err(err, LIANA_EMISUSE,
                   "rights of actor %016" PRIx64 " are not taken back: %s (FORCE takes "
                   "them all the same)",
                   actor, why);
}

liana_status lia_reclaim_check(struct lia_txn *txn,
                               struct liana_str collection,
                               uint64_t actor,
                               struct liana_error *err)
{
    struct lia_keeping *keeping;
    struct lia_fate fate;
    liana_status status = lia_txn_keeping(txn, collection, &keeping, err);

    if (!status) {
        status = lia_actor_fate(txn->conn, actor, &fate, err);
    }
    if (status) {
        return status;
    }
    if (!keeping->keep.is_keeper) {
        return refuse(err, actor, "only a keeper holds all that it has spent");
    }
    if ((fate.is_used || !fate.is_ended) && !LIA_MUTANT(226)) {
        return refuse(err, actor, "it has not ended, as far as is known here");
    }
    return lia_vector_get(keeping->keep.marks, actor) < fate.last && !LIA_MUTANT(227)
               ? refuse(err, actor, "not all that it has written is here yet")
               : LIANA_OK;
}

/* ---- after an unclean end ---- */

static liana_status ask_history(struct lia_db *db,
                                const struct lia_seen *seen,
                                enum lia_confirmed *out,
                                struct liana_error *err)
{
    struct lia_conn *conn;
    liana_status status = lia_store_read_begin(db->store, &conn, err);

    if (status) {
        return status;
    }
    status = lia_history_confirm(conn, seen, out, err);
    lia_store_read_end(db->store, conn);
    return status;
}

/* The store is a disk that was put back: what its former actors have spent is not known. */
static liana_status leave(struct lia_db *db, struct liana_error *err)
{
    struct lia_conn *conn;
    liana_status status = lia_books_begin(db, &conn, err);

    if (status) {
        return status;
    }
    status = lia_books_run(conn, err, "UPDATE renewal SET rights = 0 WHERE rights", "");
    return lia_books_end_durable(db, status, err);
}

static void settle(struct lia_db *db, bool has_left, bool must_take)
{
    lia_mutex_lock(&db->mutex);
    db->has_left_rights = db->has_left_rights && has_left;
    db->must_take = db->has_left_rights && must_take;
    lia_mutex_unlock(&db->mutex);
}

liana_status lia_db_confirm(struct lia_db *db,
                            const struct lia_seen *seen,
                            struct liana_error *err)
{
    enum lia_confirmed confirmed;
    bool has_left;
    bool is_one;
    liana_status status;

    lia_mutex_lock(&db->mutex);
    has_left = db->has_left_rights && !db->must_take;
    lia_mutex_unlock(&db->mutex);
    if (!has_left) {
        return LIANA_OK;
    }
    status = ask_history(db, seen, &confirmed, err);
    if (status || confirmed == LIA_CONFIRMED_NOTHING) {
        return status;
    }
    is_one = confirmed == LIA_CONFIRMED_ONE || LIA_MUTANT(228);
    status = is_one ? LIANA_OK : leave(db, err);
    if (!status) {
        settle(db, is_one, is_one);
    }
    return status;
}

/* LIANA_EEND: nothing is left. */
static liana_status next_left(struct lia_conn *conn,
                              uint64_t *out,
                              struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_conn_prepare(
        conn, lia_str("SELECT actor FROM renewal WHERE rights LIMIT 1"), &stmt, err);

    if (!status) {
        status = lia_conn_step(conn, stmt, err);
    }
    if (!status) {
        *out = lia_column_u64(stmt, 0);
    }
    lia_conn_done(conn, stmt);
    return status;
}

static liana_status take_all(struct lia_txn *txn, struct liana_error *err)
{
    liana_status status = LIANA_OK;

    while (!status) {
        uint64_t actor = 0;
        bool has_taken = false;

        status = next_left(txn->conn, &actor, err);
        if (!status) {
            status = lia_rights_take(txn, actor, &has_taken, err);
        }
        if (!status) {
            txn->is_own = txn->is_own || has_taken;
            status = lia_books_run(txn->conn, err,
                                   "UPDATE renewal SET rights = 0 WHERE actor = ?1",
                                   "u", actor);
        }
    }
    return status == LIANA_EEND ? LIANA_OK : status;
}

static liana_status take_over(struct lia_db *db, struct liana_error *err)
{
    struct lia_txn_options options = lia_txn_options(db, LIA_WRITE);
    struct lia_txn *txn;
    liana_status status = lia_txn_begin(db, &options, &txn, err);

    if (status) {
        return status;
    }
    status = take_all(txn, err);
    if (status) {
        lia_txn_rollback(txn);
        return status;
    }
    return lia_txn_commit(txn, NULL, err);
}

/* What fails is tried again when the next peer confirms it. */
liana_status lia_rights_take_over(struct lia_db *db, struct liana_error *err)
{
    liana_status status = take_over(db, err);

    settle(db, status != LIANA_OK, false);
    return status;
}
