/* SPDX-License-Identifier: Apache-2.0 */
#include "db/trouble.h"

#include "db/internal.h"

static liana_status count_row(struct lia_txn *txn,
                              const struct lia_coll *coll,
                              struct liana_slice clock,
                              struct lia_trouble *out,
                              struct liana_error *err)
{
    struct lia_doc_info info;

    lia_arena_reset(&txn->scratch);
    if (lia_doc_info(&txn->scratch, clock, &info)) {
        return lia_row_damaged(coll, err);
    }
    out->too_large += info.is_cut;
    out->clamped += info.is_clamped;
    return LIANA_OK;
}

static liana_status count_flagged(struct lia_txn *txn,
                                  const struct lia_coll *coll,
                                  struct lia_trouble *out,
                                  struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_conn_prepare(txn->conn, coll->sql_flagged, &stmt, err);

    while (!status) {
        status = lia_conn_step(txn->conn, stmt, err);
        if (!status) {
            status = count_row(txn, coll, lia_column_slice(stmt, 2), out, err);
        }
    }
    lia_conn_done(txn->conn, stmt);
    return status == LIANA_EEND ? LIANA_OK : status;
}

static liana_status count_owed(struct lia_conn *conn,
                               uint64_t *out,
                               struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status =
        lia_conn_prepare(conn, lia_str("SELECT count(*) FROM owed"), &stmt, err);

    if (!status) {
        status = lia_conn_step(conn, stmt, err);
    }
    if (!status) {
        *out = lia_column_u64(stmt, 0);
    }
    lia_conn_done(conn, stmt);
    return status;
}

liana_status lia_txn_trouble(struct lia_txn *txn,
                             struct lia_trouble *out,
                             struct liana_error *err)
{
    struct lia_trouble trouble = {0};
    const struct lia_collection **all = NULL;
    struct lia_arena work;
    size_t count = 0;
    liana_status status = lia_conflicts_count(txn, &trouble.conflicts, err);

    lia_arena_init(&work, txn->db->env->alloc);
    if (!status) {
        status = lia_err_plain(err, lia_txn_collections(txn, &work, &all, &count));
    }
    for (size_t i = 0; i < count && !status; i++) {
        status = count_flagged(txn, lia_coll_of(all[i]), &trouble, err);
    }
    if (!status) {
        status = count_owed(txn->conn, &trouble.owed, err);
    }
    lia_arena_deinit(&work);
    if (!status) {
        *out = trouble;
    }
    return lia_txn_leave(txn, status);
}
