/* SPDX-License-Identifier: Apache-2.0 */
#include "db/internal.h"

/*
 * How far time has passed for `ttl`. A clock that was set to 2060 makes everything old: a
 * jump of more than a week is believed when the clock has stood behind it for a day. Who
 * comes out of a drawer waits that day. A clock that is set back takes the time with it.
 * Kept in the store, so that a restart believes no more.
 */
#define JUMP_MS    ((uint64_t)7 * 24 * 60 * 60 * 1000)
#define BELIEVE_MS ((uint64_t)24 * 60 * 60 * 1000)
#define WRITE_MS   ((uint64_t)60 * 60 * 1000) /* flash wears */

struct passed {
    uint64_t aged_ms; /* how far; 0: nobody has looked yet */
    uint64_t jump_ms; /* where the clock has jumped to; 0: it has not */
};

static liana_status read_passed(struct lia_conn *conn,
                                struct passed *out,
                                struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_conn_prepare(
        conn, lia_str("SELECT aged_ms, jump_ms FROM retain_clock"), &stmt, err);

    *out = (struct passed){0};
    if (status) {
        return status;
    }
    status = lia_conn_step(conn, stmt, err);
    if (!status) {
        *out = (struct passed){lia_column_u64(stmt, 0), lia_column_u64(stmt, 1)};
    }
    lia_conn_done(conn, stmt);
    return status == LIANA_EEND ? LIANA_OK : status;
}

static struct passed pass(struct passed p, uint64_t now_ms)
{
    const bool has_stood =
        p.jump_ms && now_ms >= p.jump_ms && now_ms - p.jump_ms >= BELIEVE_MS;

    if (!p.aged_ms || now_ms <= p.aged_ms + JUMP_MS || has_stood) {
        return (struct passed){now_ms, 0};
    }
    if (!p.jump_ms || now_ms < p.jump_ms) {
        p.jump_ms = now_ms;
    }
    return p;
}

liana_status lia_retain_now(struct lia_txn *txn,
                            uint64_t *out_ms,
                            struct liana_error *err)
{
    struct passed before;
    struct passed after;
    uint64_t now;
    liana_status status;

    if (!lia_db_now(txn->db, &now)) {
        *out_ms = 0;
        return LIANA_OK;
    }
    status = read_passed(txn->conn, &before, err);
    if (status) {
        return status;
    }
    after = pass(before, now);
    *out_ms = after.aged_ms;
    return after.jump_ms == before.jump_ms && after.aged_ms >= before.aged_ms &&
                   after.aged_ms - before.aged_ms < WRITE_MS
               ? LIANA_OK
               : lia_books_run(txn->conn, err,
                               "INSERT OR REPLACE INTO retain_clock "
                               "(id, aged_ms, jump_ms) SELECT 1, ?1, ?2 "
                               "WHERE EXISTS (SELECT 1 FROM retention)",
                               "uu", after.aged_ms, after.jump_ms);
}
