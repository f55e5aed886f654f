/* SPDX-License-Identifier: Apache-2.0 */
#include "crdt/mutant.h"
#include "db/internal.h"

/*
 * What a store knows of a collection beside its rows (crdt/keep.h), as it stands in the
 * tables `mark` (marks, evicted and kept, by names of their own) and `keep`.
 */

/* ---- reading ---- */

liana_status lia_keeping_brief(struct lia_conn *conn,
                               struct lia_db *db,
                               struct liana_str collection,
                               struct lia_keeping *out,
                               struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status =
        lia_conn_prepare(conn,
                         lia_str("SELECT whole, forgotten, forgotten_seq FROM keep "
                                 "WHERE collection = ?1"),
                         &stmt, err);

    if (status) {
        return status;
    }
    *out = (struct lia_keeping){.keep.is_keeper = db->identity.is_keeper,
                                .keep.is_whole = db->identity.is_keeper};
    lia_bind_str(stmt, 1, collection);
    status = lia_conn_step(conn, stmt, err);
    if (!status) {
        out->keep.is_whole = out->keep.is_keeper || lia_column_u64(stmt, 0);
        out->keep.forgotten = lia_column_u64(stmt, 1);
        out->forgotten_seq = lia_column_u64(stmt, 2);
    }
    lia_conn_done(conn, stmt);
    return status == LIANA_EEND ? LIANA_OK : status;
}

liana_status lia_keeping_read(struct lia_conn *conn,
                              struct lia_db *db,
                              struct lia_arena *arena,
                              struct liana_str collection,
                              struct lia_keeping *out,
                              struct liana_error *err)
{
    struct lia_name whole = lia_name_of(collection, lia_slice(NULL, 0));
    struct lia_name kept = lia_name_of_kept(collection);
    struct lia_name evicted = lia_name_of_evicted(collection);
    struct lia_keeping k;
    struct lia_vector published;
    liana_status status = lia_keeping_brief(conn, db, collection, &k, err);

    if (!status) {
        status =
            lia_kept_marks(conn, db, arena, lia_name_slice(&whole), &k.keep.marks, err);
    }
    if (!status) {
        status = lia_kept_vector(conn, db, arena, lia_name_slice(&evicted),
                                 &k.keep.evicted, err);
    }
    if (!status) {
        status =
            lia_kept_vector(conn, db, arena, lia_name_slice(&kept), &k.keep.kept, err);
    }
    if (!status) {
        status = lia_err_plain(err, lia_keep_publish(arena, &k.keep, &published));
    }
    if (!status) {
        status = lia_err_plain(
            err, lia_vector_join(arena, k.keep.kept, published, &k.keep.kept));
    }
    if (!status) {
        *out = k;
    }
    return status;
}

liana_status lia_db_keeping(struct lia_db *db,
                            struct lia_arena *arena,
                            struct liana_str collection,
                            struct lia_keeping *out,
                            struct liana_error *err)
{
    struct lia_conn *conn;
    liana_status status = lia_store_read_begin(db->store, &conn, err);

    if (status) {
        return status;
    }
    status = lia_keeping_read(conn, db, arena, collection, out, err);
    lia_store_read_end(db->store, conn);
    return status;
}

liana_status lia_txn_keeping(struct lia_txn *txn,
                             struct liana_str collection,
                             struct lia_keeping **out,
                             struct liana_error *err)
{
    struct lia_keeping *k = txn->keepings;
    struct liana_slice name;
    liana_status status;

    while (k && !lia_str_equal(k->collection, collection)) {
        k = k->next;
    }
    if (k) {
        *out = k;
        return LIANA_OK;
    }
    k = LIA_ARENA_NEW(&txn->arena, struct lia_keeping);
    if (!k || !lia_arena_copy(&txn->arena, lia_str_slice(collection), &name)) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    status = lia_keeping_read(txn->conn, txn->db, &txn->arena, collection, k, err);
    if (!status) {
        k->collection = lia_slice_str(name);
        k->next = txn->keepings;
        txn->keepings = k;
        *out = k;
    }
    return status;
}

/* ---- writing ---- */

/* What a row of `keep` gains. */
struct gain {
    bool is_whole;
    uint64_t forgotten;
    uint64_t forgotten_seq;
    uint64_t evictions;
    uint64_t looks;
};

static liana_status put_gain(struct lia_conn *conn,
                             struct liana_str collection,
                             struct gain gain,
                             struct liana_error *err)
{
    return lia_books_run(
        conn, err,
        "INSERT INTO keep "
        "(collection, whole, forgotten, forgotten_seq, evictions, looks) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE SET "
        "whole = max(whole, ?2), forgotten = max(forgotten, ?3), "
        "forgotten_seq = max(forgotten_seq, ?4), evictions = evictions + ?5, "
        "looks = looks + ?6",
        "tuuuuu", collection, (uint64_t)gain.is_whole, gain.forgotten,
        gain.forgotten_seq, gain.evictions, gain.looks);
}

liana_status lia_keep_put_taken(struct lia_txn *txn,
                                struct liana_str collection,
                                uint64_t forgotten,
                                struct liana_error *err)
{
    return put_gain(txn->conn, collection,
                    (struct gain){.is_whole = true, .forgotten = forgotten}, err);
}

liana_status lia_keep_put_evicted(struct lia_txn *txn,
                                  struct liana_str collection,
                                  struct lia_vector vector,
                                  struct liana_error *err)
{
    struct lia_name name = lia_name_of_evicted(collection);
    liana_status status = lia_marks_join(txn->conn, lia_name_slice(&name), vector, err);

    return status ? status
                  : put_gain(txn->conn, collection, (struct gain){.evictions = 1}, err);
}

liana_status lia_keep_put_forgotten(struct lia_txn *txn,
                                    struct liana_str collection,
                                    uint64_t forgotten,
                                    uint64_t seq,
                                    struct liana_error *err)
{
    return put_gain(txn->conn, collection,
                    (struct gain){.forgotten = LIA_MUTANT(209) ? 0 : forgotten,
                                  .forgotten_seq = seq},
                    err);
}

liana_status lia_keep_put_look(struct lia_conn *conn,
                               struct liana_str collection,
                               struct liana_error *err)
{
    return put_gain(conn, collection, (struct gain){.looks = 1}, err);
}

/* Before anybody can be told that it is further. */
liana_status lia_db_look_again(struct lia_db *db,
                               struct liana_slice peer,
                               struct liana_str collection,
                               bool is_forced,
                               bool *out_again,
                               struct liana_error *err)
{
    struct lia_conn *conn;
    bool is_again = false;
    liana_status status = lia_books_begin(db, &conn, err);

    if (status) {
        return status;
    }
    status = lia_books_run(conn, err,
                           "UPDATE token SET again = 1 WHERE peer = ?1 AND again = 0",
                           "s", peer);
    if (!status) {
        is_again = is_forced || sqlite3_changes(conn->sqlite) > 0;
    }
    if (!status && is_again) {
        status = lia_keep_put_look(conn, collection, err);
    }
    status = is_again ? lia_books_end_durable(db, status, err)
                      : lia_books_end(db, status, err);
    *out_again = !status && is_again;
    return status;
}

liana_status lia_keep_forgotten_of_all(struct lia_conn *conn,
                                       uint64_t *out,
                                       struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status =
        lia_conn_prepare(conn,
                         lia_str("SELECT coalesce(max(forgotten_seq), 0) FROM keep "
                                 "WHERE substr(collection, 1, 7) <> '_liana.'"),
                         &stmt, err);

    if (!status) {
        status = lia_conn_step(conn, stmt, err);
    }
    if (!status) {
        *out = lia_column_u64(stmt, 0);
    }
    lia_conn_done(conn, stmt);
    return status;
}

liana_status lia_keep_generation(struct lia_conn *conn,
                                 uint64_t *out,
                                 struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_conn_prepare(
        conn, lia_str("SELECT coalesce(sum(evictions + looks), 0) FROM keep"), &stmt,
        err);

    if (!status) {
        status = lia_conn_step(conn, stmt, err);
    }
    if (!status) {
        *out = lia_column_u64(stmt, 0);
    }
    lia_conn_done(conn, stmt);
    return status;
}

liana_status lia_db_generation(struct lia_db *db,
                               uint64_t *out,
                               struct liana_error *err)
{
    struct lia_conn *conn;
    liana_status status = lia_store_read_begin(db->store, &conn, err);

    if (status) {
        return status;
    }
    status = lia_keep_generation(conn, out, err);
    lia_store_read_end(db->store, conn);
    return status;
}

liana_status lia_db_is_whole(struct lia_db *db,
                             struct liana_str collection,
                             bool *out,
                             struct liana_error *err)
{
    struct lia_keeping keeping = {0};
    struct lia_conn *conn;
    liana_status status = lia_store_read_begin(db->store, &conn, err);

    if (status) {
        return status;
    }
    status = lia_keeping_brief(conn, db, collection, &keeping, err);
    lia_store_read_end(db->store, conn);
    *out = keeping.keep.is_whole;
    return status;
}

liana_status lia_db_has_evicted(struct lia_db *db, bool *out, struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    struct lia_conn *conn;
    liana_status status = lia_store_read_begin(db->store, &conn, err);

    if (status) {
        return status;
    }
    status = lia_conn_prepare(
        conn, lia_str("SELECT 1 FROM keep WHERE evictions > 0 LIMIT 1"), &stmt, err);
    if (!status) {
        status = lia_conn_step(conn, stmt, err);
    }
    lia_conn_done(conn, stmt);
    lia_store_read_end(db->store, conn);
    *out = status == LIANA_OK;
    return status == LIANA_EEND ? LIANA_OK : status;
}
