/* SPDX-License-Identifier: Apache-2.0 */
#include "db/apply.h"

#include "crdt/mutant.h"

/*
 * A mark says that every commit of an actor up to a stamp is held. While a sender still
 * owes a document of the subscription, what it says of its marks may not be true here: it
 * is kept aside as an offer, and becomes a mark when nothing is owed by that sender any
 * more. What another sender says does not wait for this one.
 */

static liana_status is_waiting(struct lia_conn *conn,
                               struct liana_slice peer,
                               struct liana_slice subscription,
                               bool *out,
                               struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_conn_prepare(
        conn,
        lia_str("SELECT 1 FROM owed WHERE peer = ?1 AND subscription IN (?2, x'') "
                "LIMIT 1"),
        &stmt, err);

    if (status) {
        return status;
    }
    lia_bind_slice(stmt, 1, peer);
    lia_bind_slice(stmt, 2, subscription);
    status = lia_conn_step(conn, stmt, err);
    lia_conn_done(conn, stmt);
    *out = status == LIANA_OK && !LIA_MUTANT(210);
    return status == LIANA_EEND ? LIANA_OK : status;
}

static liana_status put_mark(struct lia_conn *conn,
                             struct liana_slice subscription,
                             struct lia_vector_entry entry,
                             struct liana_error *err)
{
    return lia_books_run(conn, err,
                         "INSERT INTO mark (subscription, actor, hlc) "
                         "VALUES (?1, ?2, ?3) "
                         "ON CONFLICT DO UPDATE SET hlc = max(hlc, excluded.hlc)",
                         "suu", subscription, entry.actor, entry.hlc);
}

liana_status lia_marks_join(struct lia_conn *conn,
                            struct liana_slice name,
                            struct lia_vector vector,
                            struct liana_error *err)
{
    liana_status status = LIANA_OK;

    for (size_t i = 0; i < vector.count && !status; i++) {
        status = put_mark(conn, name, vector.entries[i], err);
    }
    return status;
}

static liana_status put_offer(struct lia_conn *conn,
                              struct liana_slice peer,
                              struct liana_slice subscription,
                              struct lia_vector_entry entry,
                              struct liana_error *err)
{
    return lia_books_run(conn, err,
                         "INSERT INTO offer (subscription, peer, actor, hlc) "
                         "VALUES (?1, ?2, ?3, ?4) "
                         "ON CONFLICT DO UPDATE SET hlc = max(hlc, excluded.hlc)",
                         "ssuu", subscription, peer, entry.actor, entry.hlc);
}

/* What is in doubt (db/renew.h) is not believed of marks. */
static liana_status check_mark(const struct lia_applying *a,
                               struct lia_vector_entry *entry,
                               struct liana_error *err)
{
    const struct lia_txn *txn = a->txn;

    if (entry->hlc > INT64_MAX) {
        return lia_err(err, LIANA_EPROTOCOL, "a mark is beyond all time");
    }
    if (entry->actor == txn->stamp.actor && entry->hlc > txn->state.own) {
        return lia_err_plain(err, LIANA_ERENEWED);
    }
    entry->hlc = lia_doubts_bound(&txn->db->doubts, entry->actor, entry->hlc);
    return LIANA_OK;
}

/* Of somebody whose clock is ahead no mark is believed: what is put aside may wait under another
 * subscription, and be stamped anew, as the same actor's; a mark that was cut to what the guard
 * lets through would say of those stamps that they are held (docs/adr/0053). What is said of our
 * own commits counts: it is what must not be. */
static bool is_believed(const struct lia_applying *a, struct lia_vector_entry said)
{
    return said.actor == a->txn->stamp.actor || LIA_MUTANT(232) ||
           said.hlc <= lia_hlc_next(0, a->latest_ms);
}

static void tell(struct lia_txn *txn,
                 struct liana_slice subscription,
                 struct lia_vector v)
{
    txn->story.marks[txn->story.marks_count++] =
        (struct lia_batch_marks){subscription, v};
}

static liana_status put_marks(struct lia_applying *a,
                              const struct lia_batch_marks *marks,
                              struct liana_error *err)
{
    struct lia_conn *conn = a->txn->conn;
    struct liana_slice peer = a->batch->peer;
    struct lia_vector_entry *believed =
        lia_arena_array(&a->txn->arena, marks->marks.count, sizeof(*believed));
    size_t count = 0;
    bool waits = false;
    liana_status status = believed || marks->marks.count == 0
                              ? is_waiting(conn, peer, marks->subscription, &waits, err)
                              : lia_err_plain(err, LIANA_ENOMEM);

    for (size_t i = 0; i < marks->marks.count && !status; i++) {
        struct lia_vector_entry entry = marks->marks.entries[i];

        status = check_mark(a, &entry, err);
        if (status || entry.hlc == 0 || !(waits || is_believed(a, entry))) {
            continue;
        }
        believed[count++] = entry;
        status = waits ? put_offer(conn, peer, marks->subscription, entry, err)
                       : put_mark(conn, marks->subscription, entry, err);
    }
    if (!status && !waits && count) {
        tell(a->txn, marks->subscription, (struct lia_vector){believed, count});
    }
    return status;
}

#define FREED                                                                          \
    "NOT EXISTS (SELECT 1 FROM owed WHERE peer = offer.peer AND "                      \
    "subscription IN (offer.subscription, x''))"

static liana_status count_freed(struct lia_conn *conn,
                                size_t *out,
                                struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_conn_prepare(
        conn, lia_str("SELECT count(DISTINCT subscription) FROM offer WHERE " FREED),
        &stmt, err);

    if (!status) {
        status = lia_conn_step(conn, stmt, err);
    }
    if (!status) {
        *out = (size_t)lia_column_u64(stmt, 0);
    }
    lia_conn_done(conn, stmt);
    return status;
}

static liana_status list_freed(struct lia_txn *txn, struct liana_error *err)
{
    static const char LIST[] = "SELECT DISTINCT subscription FROM offer WHERE " FREED;
    sqlite3_stmt *stmt = NULL;
    struct liana_slice subscription;
    liana_status status = lia_conn_prepare(txn->conn, lia_str(LIST), &stmt, err);

    while (!status) {
        status = lia_conn_step(txn->conn, stmt, err);
        if (!status &&
            !lia_arena_copy(&txn->arena, lia_column_slice(stmt, 0), &subscription)) {
            status = lia_err_plain(err, LIANA_ENOMEM);
        }
        if (!status) {
            tell(txn, subscription, (struct lia_vector){0});
        }
    }
    lia_conn_done(txn->conn, stmt);
    return status == LIANA_EEND ? LIANA_OK : status;
}

static liana_status free_marks(struct lia_applying *a, struct liana_error *err)
{
    struct lia_txn *txn = a->txn;
    liana_status status = list_freed(txn, err);

    if (!status) {
        status = lia_books_run(txn->conn, err,
                               "INSERT INTO mark (subscription, actor, hlc) "
                               "SELECT subscription, actor, max(hlc) FROM offer "
                               "WHERE (actor = ?1 OR hlc <= ?2) AND " FREED
                               " GROUP BY subscription, actor "
                               "ON CONFLICT DO UPDATE SET hlc = max(hlc, excluded.hlc)",
                               "uu", txn->stamp.actor, lia_hlc_next(0, a->latest_ms));
    }
    if (!status) {
        status = lia_books_run(txn->conn, err, "DELETE FROM offer WHERE " FREED, "");
    }
    for (size_t i = 0; i < txn->story.marks_count && !status; i++) {
        struct lia_batch_marks *freed = &txn->story.marks[i];

        status = lia_kept_marks(txn->conn, txn->db, &txn->arena, freed->subscription,
                                &freed->marks, err);
    }
    return status;
}

/* True whatever is owed here. */
static liana_status put_keep(struct lia_applying *a,
                             const struct lia_batch_keep *keep,
                             struct liana_error *err)
{
    struct lia_txn *txn = a->txn;
    struct lia_name *name = LIA_ARENA_NEW(&txn->arena, struct lia_name);
    struct lia_vector kept = {0};
    liana_status status = name ? LIANA_OK : lia_err_plain(err, LIANA_ENOMEM);

    for (size_t i = 0; i < keep->kept.count && !status; i++) {
        struct lia_vector_entry entry = keep->kept.entries[i];

        status = check_mark(a, &entry, err);
    }
    if (!status) {
        status = lia_err_plain(
            err, lia_doubts_lower(&txn->db->doubts, &txn->arena, keep->kept, &kept));
    }
    if (!status && keep->forgotten > LIA_HLC_MAX) {
        status = lia_err(err, LIANA_EPROTOCOL, "a delete is beyond all time");
    }
    if (!status && (keep->is_whole || LIA_MUTANT(225))) {
        status = lia_keep_put_taken(txn, keep->collection, keep->forgotten, err);
    }
    if (!status && keep->kept.count) {
        *name = lia_name_of_kept(keep->collection);
        status = lia_marks_join(txn->conn, lia_name_slice(name), kept, err);
        tell(txn, lia_name_slice(name), kept);
    }
    return status;
}

liana_status lia_marks_put(struct lia_applying *a, struct liana_error *err)
{
    struct lia_txn *txn = a->txn;
    const struct lia_batch *batch = a->batch;
    size_t count = batch->marks_count + batch->keep_count;
    size_t freed = 0;
    liana_status status = a->was_paid ? count_freed(txn->conn, &freed, err) : LIANA_OK;

    if (status) {
        return status;
    }
    txn->story.marks =
        lia_arena_array(&txn->arena, count + freed, sizeof(*txn->story.marks));
    if (!txn->story.marks) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    if (freed) {
        status = free_marks(a, err);
    }
    for (size_t i = 0; i < batch->marks_count && !status; i++) {
        status = put_marks(a, &batch->marks[i], err);
    }
    for (size_t i = 0; i < batch->keep_count && !status; i++) {
        status = put_keep(a, &batch->keeps[i], err);
    }
    return status;
}
