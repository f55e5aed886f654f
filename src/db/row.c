/* SPDX-License-Identifier: Apache-2.0 */
#include "db/internal.h"

liana_status lia_row_get(struct lia_conn *conn,
                         const struct lia_coll *coll,
                         struct liana_slice key,
                         struct lia_arena *arena,
                         struct lia_row *out,
                         struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    struct lia_row row = {0};
    liana_status status = lia_conn_prepare(conn, coll->sql_get, &stmt, err);

    if (status) {
        return status;
    }
    lia_bind_slice(stmt, 1, key);
    status = lia_conn_step(conn, stmt, err);
    if (!status) {
        row.seq = lia_column_u64(stmt, 0);
        if (!lia_arena_copy(arena, lia_column_slice(stmt, 1), &row.doc.body) ||
            !lia_arena_copy(arena, lia_column_slice(stmt, 2), &row.doc.clock)) {
            status = lia_err_plain(err, LIANA_ENOMEM);
        }
    } else if (status == LIANA_EEND) {
        status = LIANA_OK;
    }
    lia_conn_done(conn, stmt);
    if (!status) {
        *out = row;
    }
    return status;
}

liana_status lia_row_damaged(const struct lia_coll *coll, struct liana_error *err)
{
    if (err) {
        *err = (struct liana_error)LIANA_ERROR_INIT;
    }
    return lia_err(err, LIANA_ECORRUPT, "%.*s: a stored document is damaged",
                   LIA_STR_ARG(coll->pub.name));
}

liana_status lia_row_info(struct lia_txn *txn,
                          const struct lia_coll *coll,
                          struct liana_slice clock,
                          struct lia_doc_info *out,
                          struct liana_error *err)
{
    liana_status status = lia_doc_info(&txn->scratch, clock, out);

    return !status || status == LIANA_ENOMEM ? lia_err_plain(err, status)
                                             : lia_row_damaged(coll, err);
}

static liana_status write_row(struct lia_txn *txn,
                              const struct lia_coll *coll,
                              struct liana_slice key,
                              bool is_new,
                              struct lia_doc doc,
                              struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_conn_prepare(
        txn->conn, is_new ? coll->sql_insert : coll->sql_update, &stmt, err);

    if (status) {
        return status;
    }
    lia_bind_slice(stmt, 1, key);
    lia_bind_u64(stmt, 2, lia_txn_seq(txn));
    if (doc.body.len) {
        lia_bind_slice(stmt, 3, doc.body);
    } else {
        lia_bind_null(stmt, 3);
    }
    lia_bind_slice(stmt, 4, doc.clock);
    return lia_conn_run(txn->conn, stmt, err);
}

liana_status lia_row_put(struct lia_txn *txn,
                         const struct lia_coll *coll,
                         struct liana_slice key,
                         const struct lia_row *before,
                         struct lia_doc after,
                         struct liana_error *err)
{
    liana_status status = write_row(txn, coll, key, before->seq == 0, after, err);

    if (lia_str_equal(coll->pub.name, lia_str(LIA_COLLECTIONS))) {
        lia_schema_forget(txn);
    }
    if (!status) {
        status = lia_reg_change(txn, coll, key, before->doc.body, after.body, err);
    }
    if (!status) {
        status = lia_interest_change(txn, coll, key, before->doc.body, after.body, err);
    }
    if (!status && after.body.len == 0 && !lia_coll_is_system(coll->pub.name)) {
        status = lia_forget_later(txn, coll, key, err);
    }
    if (!status && txn->story.is_told && before->seq != lia_txn_seq(txn) &&
        !lia_coll_is_system(coll->pub.name)) {
        status =
            lia_err_plain(err, lia_listen_touch(txn, coll, key, before->doc, false));
    }
    txn->is_changed = true;
    return status;
}

static liana_status write_seq(struct lia_txn *txn,
                              const struct lia_coll *coll,
                              struct liana_slice key,
                              struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_conn_prepare(txn->conn, coll->sql_touch, &stmt, err);

    if (status) {
        return status;
    }
    lia_bind_slice(stmt, 1, key);
    lia_bind_u64(stmt, 2, lia_txn_seq(txn));
    txn->is_changed = true;
    return lia_conn_run(txn->conn, stmt, err);
}

/* It may still be changed: what it was is noted now, because the row will seem to have been
 * written by this transaction already. */
liana_status lia_row_touch(struct lia_txn *txn,
                           const struct lia_coll *coll,
                           struct liana_slice key,
                           struct liana_error *err)
{
    struct lia_row row;
    liana_status status = lia_row_get(txn->conn, coll, key, &txn->scratch, &row, err);

    if (status || row.seq == 0 || row.seq == lia_txn_seq(txn)) {
        return status;
    }
    status = write_seq(txn, coll, key, err);
    if (!status && row.doc.body.len == 0) {
        status = lia_forget_later(txn, coll, key, err);
    }
    if (!status && txn->story.is_told) {
        status = lia_err_plain(err, lia_listen_touch(txn, coll, key, row.doc, true));
    }
    return status;
}
