/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The owed list: documents that a peer has sent and that could not be applied. They stay on
 * it until what is held reaches what was owed, whoever sends it.
 */
#include "db/apply.h"

#include "crdt/mutant.h"

/* The sender's opening; 0: not known. */
static uint64_t epoch_of(const struct lia_batch *batch)
{
    return batch->seen ? batch->seen->epoch : 0;
}

/* What is owed of a document by the sender of the batch. */
struct entry {
    uint64_t n; /* 0: nothing is */
    liana_status reason;
    uint64_t epoch;
    struct lia_vector vector; /* in the scratch arena */
};

static liana_status decode(struct lia_arena *scratch,
                           struct liana_slice bytes,
                           struct lia_vector *out)
{
    struct liana_slice copy;
    struct lia_reader r;

    if (!lia_arena_copy(scratch, bytes, &copy)) {
        return LIANA_ENOMEM;
    }
    r = lia_reader(copy);
    return lia_vector_decode(scratch, &r, out);
}

static liana_status find_entry(struct lia_applying *a,
                               const struct lia_batch_item *item,
                               struct entry *out,
                               struct liana_error *err)
{
    struct lia_conn *conn = a->txn->conn;
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_conn_prepare(
        conn,
        lia_str("SELECT n, reason, epoch, vector FROM owed WHERE peer = ?1 AND "
                "subscription = ?2 AND collection = ?3 AND key = ?4"),
        &stmt, err);

    *out = (struct entry){0};
    if (status) {
        return status;
    }
    lia_bind_slice(stmt, 1, a->batch->peer);
    lia_bind_slice(stmt, 2, item->subscription);
    lia_bind_str(stmt, 3, item->key.collection);
    lia_bind_slice(stmt, 4, item->key.key);
    status = lia_conn_step(conn, stmt, err);
    if (!status) {
        *out = (struct entry){.n = lia_column_u64(stmt, 0),
                              .reason = (liana_status)sqlite3_column_int64(stmt, 1),
                              .epoch = lia_column_u64(stmt, 2)};
        status = lia_err_plain(
            err, decode(&a->txn->scratch, lia_column_slice(stmt, 3), &out->vector));
    }
    lia_conn_done(conn, stmt);
    return status == LIANA_EEND ? LIANA_OK : status;
}

static liana_status drop_offers(struct lia_conn *conn,
                                struct liana_slice peer,
                                struct liana_slice subscription,
                                struct liana_error *err)
{
    return lia_books_run(conn, err,
                         "DELETE FROM offer WHERE peer = ?1 AND subscription = ?2",
                         "ss", peer, subscription);
}

/* What is to be reached: all that its sender has ever had of it, or else what has waited for it
 * would be believed without what the sender has dropped meanwhile. In another epoch it may have
 * stamped it anew: then that is it, and what it has said before does not count. */
static liana_status add_up(struct lia_applying *a,
                           const struct lia_batch_item *item,
                           const struct entry *before,
                           struct lia_vector *to,
                           struct liana_error *err)
{
    if (before->n == 0 || lia_vector_geq(*to, before->vector) || LIA_MUTANT(236)) {
        return LIANA_OK;
    }
    if (before->reason == LIANA_ECLOCK && before->epoch != epoch_of(a->batch)) {
        return drop_offers(a->txn->conn, a->batch->peer, item->subscription, err);
    }
    return lia_err_plain(err,
                         lia_vector_join(&a->txn->scratch, *to, before->vector, to));
}

static liana_status put(struct lia_applying *a,
                        const struct lia_batch_item *item,
                        struct lia_vector to,
                        const struct lia_apply_result *result,
                        uint64_t due_ms,
                        struct liana_error *err)
{
    struct lia_buf vector;
    liana_status status;

    lia_buf_init(&vector, a->db->env->alloc);
    lia_vector_encode(&vector, to);
    status = lia_err_plain(err, vector.status);
    if (!status) {
        status = lia_books_run(
            a->txn->conn, err,
            "INSERT INTO owed (peer, subscription, collection, key, "
            "vector, reason, epoch, since_ms, due_ms, age_ms) "
            "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) "
            "ON CONFLICT DO UPDATE SET reason = excluded.reason, "
            "vector = excluded.vector, epoch = excluded.epoch, "
            "due_ms = excluded.due_ms",
            "sstssuuuuu", a->batch->peer, item->subscription, item->key.collection,
            item->key.key, lia_buf_slice(&vector), (uint64_t)(int64_t)result->reason,
            epoch_of(a->batch), lia_db_wall(a->db), due_ms, lia_db_age(a->db));
    }
    lia_buf_deinit(&vector);
    return status;
}

static liana_status owe(struct lia_applying *a,
                        const struct lia_batch_item *item,
                        const struct entry *before,
                        struct lia_vector to,
                        liana_status reason,
                        struct lia_apply_result *out,
                        struct liana_error *err)
{
    const uint64_t newest_ms = lia_hlc_ms(lia_vector_max_hlc(to));
    const bool is_ahead = reason == LIANA_ECLOCK && newest_ms > a->latest_ms;
    const uint64_t due_ms = is_ahead ? newest_ms - a->db->clock_ahead_ms : 0;
    const uint64_t clock_ms = a->latest_ms - a->db->clock_ahead_ms;
    liana_status status = add_up(a, item, before, &to, err);

    *out = (struct lia_apply_result){.kind = LIA_APPLY_OWED,
                                     .reason = reason,
                                     .ahead_ms = is_ahead ? newest_ms - clock_ms : 0};
    a->has_owed = true;
    return status ? status : put(a, item, to, out, due_ms, err);
}

liana_status lia_owe(struct lia_applying *a,
                     const struct lia_batch_item *item,
                     struct lia_vector to,
                     liana_status reason,
                     struct lia_apply_result *out,
                     struct liana_error *err)
{
    struct entry before;
    liana_status status = find_entry(a, item, &before, err);

    return status ? status : owe(a, item, &before, to, reason, out, err);
}

liana_status lia_owe_more(struct lia_applying *a,
                          const struct lia_batch_item *item,
                          struct lia_vector to,
                          struct lia_apply_result *out,
                          struct liana_error *err)
{
    struct entry before;
    liana_status status = find_entry(a, item, &before, err);

    if (status || before.n == 0) {
        return status ? status : LIANA_EEND;
    }
    return owe(a, item, &before, to, before.reason, out, err);
}

/* ---- what is gone where it came from ---- */

static liana_status lose(struct lia_conn *conn,
                         struct liana_slice peer,
                         struct liana_slice subscription,
                         const struct lia_key *key,
                         struct liana_error *err)
{
    liana_status status =
        lia_books_run(conn, err,
                      "DELETE FROM owed WHERE peer = ?1 AND subscription = ?2 "
                      "AND collection = ?3 AND key = ?4",
                      "ssts", peer, subscription, key->collection, key->key);

    if (!status) {
        status = drop_offers(conn, peer, subscription, err);
    }
    if (!status) {
        status =
            lia_books_run(conn, err, "DELETE FROM token WHERE peer = ?1", "s", peer);
    }
    if (!status && !LIA_MUTANT(234)) { /* a batch of that peer may wait to be applied */
        status = lia_keep_put_look(conn, key->collection, err);
    }
    return status;
}

liana_status lia_db_owed_lost(struct lia_db *db,
                              struct liana_slice peer,
                              struct liana_slice subscription,
                              const struct lia_key *key,
                              struct liana_error *err)
{
    struct lia_conn *conn;
    liana_status status = lia_books_begin(db, &conn, err);

    if (status) {
        return status;
    }
    return lia_books_end_durable(db, lose(conn, peer, subscription, key, err), err);
}

liana_status lia_owed_answered(struct lia_applying *a,
                               const struct lia_batch_item *item,
                               struct lia_vector to,
                               struct lia_apply_result *out,
                               struct liana_error *err)
{
    struct entry owed;
    liana_status status = find_entry(a, item, &owed, err);

    if (status || owed.n == 0 || lia_vector_geq(to, owed.vector) || LIA_MUTANT(237)) {
        return status;
    }
    out->is_lost = true;
    return lose(a->txn->conn, a->batch->peer, item->subscription, &item->key, err);
}

/* ---- paying ---- */

/* Whether what is held now reaches what is owed, whoever owes it. What was refused because
 * its stamps were ahead its sender may have stamped anew since (docs/adr/0053), and is in
 * another epoch then: what comes from it now is all that it has, and what it has offered before
 * does not count. */
static liana_status is_paid(struct lia_arena *scratch,
                            struct lia_vector held,
                            struct liana_slice owed,
                            bool *out)
{
    struct lia_reader r = lia_reader(owed);
    struct lia_vector v;
    liana_status status = lia_vector_decode(scratch, &r, &v);

    if (!status) {
        *out = lia_vector_geq(held, v);
    }
    return status;
}

static liana_status pay_each(struct lia_applying *a,
                             sqlite3_stmt *stmt,
                             struct lia_vector held,
                             struct liana_error *err)
{
    struct lia_conn *conn = a->txn->conn;
    const bool is_renewed = lia_column_u64(stmt, 2);
    bool is_reached = false;
    liana_status status = lia_err_plain(
        err, is_paid(&a->txn->scratch, held, lia_column_slice(stmt, 1), &is_reached));

    is_reached = is_reached || LIA_MUTANT(212);
    if (status || !(is_reached || is_renewed)) {
        return status;
    }
    a->was_paid = true;
    if (!is_reached && !LIA_MUTANT(238)) {
        status = drop_offers(conn, a->batch->peer, lia_column_slice(stmt, 3), err);
    }
    return status ? status
                  : lia_books_run(conn, err, "DELETE FROM owed WHERE n = ?1", "u",
                                  lia_column_u64(stmt, 0));
}

liana_status lia_owed_pay(struct lia_applying *a,
                          const struct lia_key *key,
                          struct lia_vector held,
                          struct liana_error *err)
{
    struct lia_conn *conn = a->txn->conn;
    sqlite3_stmt *stmt = NULL;
    liana_status status;

    if (!a->has_owed || LIA_MUTANT(213)) {
        return LIANA_OK;
    }
    status = lia_conn_prepare(
        conn,
        lia_str("SELECT n, vector, peer = ?3 AND reason = ?4 AND epoch <> ?5, "
                "subscription FROM owed WHERE collection = ?1 AND key = ?2"),
        &stmt, err);
    if (status) {
        return status;
    }
    lia_bind_str(stmt, 1, key->collection);
    lia_bind_slice(stmt, 2, key->key);
    lia_bind_slice(stmt, 3, a->batch->peer);
    lia_bind_u64(stmt, 4, (uint64_t)(int64_t)LIANA_ECLOCK);
    lia_bind_u64(stmt, 5, epoch_of(a->batch));
    while (!status) {
        status = lia_conn_step(conn, stmt, err);
        if (!status) {
            status = pay_each(a, stmt, held, err);
        }
    }
    lia_conn_done(conn, stmt);
    return status == LIANA_EEND ? LIANA_OK : status;
}

/* ---- what is awaited ---- */

liana_status lia_awaits(struct lia_conn *conn,
                        struct lia_db *db,
                        struct liana_slice peer,
                        struct liana_slice subscription,
                        bool *out,
                        struct liana_error *err)
{
    const uint64_t age_ms = lia_db_age(db);
    const uint64_t wait_ms = db->reader_wait_ms;
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_conn_prepare(
        conn,
        lia_str("SELECT 1 FROM owed WHERE peer = ?1 AND "
                "(?2 = x'' OR subscription IN (?2, x'')) AND "
                "(age_ms >= ?3 OR (due_ms > 0 AND due_ms <= ?4)) LIMIT 1"),
        &stmt, err);

    if (status) {
        return status;
    }
    lia_bind_slice(stmt, 1, peer);
    lia_bind_slice(stmt, 2, subscription);
    lia_bind_u64(stmt, 3, age_ms > wait_ms ? age_ms - wait_ms : 0);
    lia_bind_u64(stmt, 4, lia_db_wall(db));
    status = lia_conn_step(conn, stmt, err);
    lia_conn_done(conn, stmt);
    *out = status == LIANA_OK;
    return status == LIANA_EEND ? LIANA_OK : status;
}

liana_status lia_db_awaits(struct lia_db *db,
                           struct liana_slice peer,
                           struct liana_slice subscription,
                           bool *out,
                           struct liana_error *err)
{
    struct lia_conn *conn;
    liana_status status = lia_store_read_begin(db->store, &conn, err);

    if (status) {
        return status;
    }
    status = lia_awaits(conn, db, peer, subscription, out, err);
    lia_store_read_end(db->store, conn);
    return status;
}

/* ---- owed ---- */

static liana_status read_owed(sqlite3_stmt *stmt,
                              struct lia_arena *arena,
                              struct lia_owed *out)
{
    struct liana_slice collection = {0};

    if (!lia_arena_copy(arena, lia_column_slice(stmt, 0), &out->peer) ||
        !lia_arena_copy(arena, lia_column_slice(stmt, 1), &out->subscription) ||
        !lia_arena_copy(arena, lia_str_slice(lia_column_str(stmt, 2)), &collection) ||
        !lia_arena_copy(arena, lia_column_slice(stmt, 3), &out->key.key)) {
        return LIANA_ENOMEM;
    }
    out->key.collection = lia_slice_str(collection);
    out->reason = (liana_status)sqlite3_column_int64(stmt, 4);
    out->since_ms = lia_column_u64(stmt, 5);
    out->due_ms = lia_column_u64(stmt, 6);
    return LIANA_OK;
}

static liana_status list_owed(struct lia_conn *conn,
                              sqlite3_stmt *stmt,
                              struct lia_arena *arena,
                              struct lia_buf *out,
                              struct liana_error *err)
{
    liana_status status;

    for (;;) {
        struct lia_owed owed = {0};

        status = lia_conn_step(conn, stmt, err);
        if (!status) {
            status = lia_err_plain(err, read_owed(stmt, arena, &owed));
        }
        if (status) {
            break;
        }
        lia_buf_bytes(out, &owed, sizeof(owed));
    }
    return status == LIANA_EEND ? lia_err_plain(err, out->status) : status;
}

static liana_status owed_on(struct lia_conn *conn,
                            struct lia_arena *arena,
                            struct liana_slice peer,
                            uint64_t due_ms,
                            size_t max,
                            struct lia_buf *out,
                            struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_conn_prepare(
        conn,
        lia_str("SELECT peer, subscription, collection, key, reason, since_ms, due_ms "
                "FROM owed WHERE (?1 = x'' OR peer = ?1) AND due_ms <= ?2 "
                "ORDER BY n LIMIT ?3"),
        &stmt, err);

    if (status) {
        return status;
    }
    lia_bind_slice(stmt, 1, peer);
    lia_bind_u64(stmt, 2, due_ms < INT64_MAX ? due_ms : INT64_MAX);
    lia_bind_u64(stmt, 3, max < INT32_MAX ? max : INT32_MAX);
    status = list_owed(conn, stmt, arena, out, err);
    lia_conn_done(conn, stmt);
    return status;
}

liana_status lia_db_owed(struct lia_db *db,
                         struct lia_arena *arena,
                         struct liana_slice peer,
                         uint64_t due_ms,
                         size_t max,
                         const struct lia_owed **out,
                         size_t *out_count,
                         struct liana_error *err)
{
    struct liana_slice copy;
    struct lia_conn *conn;
    struct lia_buf rows;
    liana_status status = lia_store_read_begin(db->store, &conn, err);

    if (status) {
        return status;
    }
    lia_buf_init(&rows, db->env->alloc);
    status = owed_on(conn, arena, peer, due_ms, max, &rows, err);
    lia_store_read_end(db->store, conn);
    if (!status && !lia_arena_copy(arena, lia_buf_slice(&rows), &copy)) {
        status = lia_err_plain(err, LIANA_ENOMEM);
    }
    if (!status) {
        *out = (const struct lia_owed *)(const void *)copy.ptr;
        *out_count = rows.len / sizeof(**out);
    }
    lia_buf_deinit(&rows);
    return status;
}
