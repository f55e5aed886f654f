/* SPDX-License-Identifier: Apache-2.0 */
#include "db/internal.h"

/*
 * How far the peers are that read from this store: what one of them has not been given yet
 * is not evicted by rule, or it would wait for it until it meets somebody else who has it,
 * and see parts of transactions (docs/adr/0024, "Relays").
 *
 * The newest answer is in memory: a row of `registrant` says what was so when the peer
 * registered, or was noted last. After a restart each is believed to be as far as its row
 * says until it comes back; and one that does not come for long is waited for no more.
 */

static struct lia_registrant *find(struct lia_reg *reg, struct liana_slice peer)
{
    struct lia_registrant *one = reg->registrants;

    while (one && !lia_slice_equal(lia_slice(one->peer, one->peer_len), peer)) {
        one = one->next;
    }
    return one;
}

static struct lia_registrant *find_or_add(struct lia_db *db,
                                          struct lia_reg *reg,
                                          struct liana_slice peer)
{
    struct lia_registrant *one = find(reg, peer);

    if (one) {
        return one;
    }
    one = lia_mem_zalloc(db->env->alloc, sizeof(*one));
    if (one) {
        memcpy(one->peer, peer.ptr, peer.len);
        one->peer_len = peer.len;
        one->next = reg->registrants;
        reg->registrants = one;
    }
    return one;
}

liana_status lia_registrants_put(struct lia_db *db,
                                 struct lia_reg *reg,
                                 struct liana_slice peer,
                                 uint64_t seq,
                                 struct liana_error *err)
{
    struct lia_registrant *one;

    lia_mutex_lock(&db->mutex);
    one = find_or_add(db, reg, peer);
    if (one) {
        one->passed = seq;
    }
    lia_mutex_unlock(&db->mutex);
    return one ? LIANA_OK : lia_err_plain(err, LIANA_ENOMEM);
}

void lia_db_passed(struct lia_db *db,
                   struct liana_slice peer,
                   uint64_t registration,
                   uint64_t seq)
{
    struct lia_reg *reg = lia_reg_get(db, registration);
    struct lia_registrant *one;

    if (!reg) {
        return;
    }
    lia_mutex_lock(&db->mutex);
    one = find(reg, peer);
    if (one && seq > one->passed) {
        one->passed = seq;
    }
    lia_mutex_unlock(&db->mutex);
    lia_reg_put(db, reg);
}

void lia_registrants_free(struct lia_db *db, struct lia_reg *reg)
{
    while (reg->registrants) {
        struct lia_registrant *next = reg->registrants->next;

        lia_mem_free(db->env->alloc, reg->registrants, sizeof(*reg->registrants));
        reg->registrants = next;
    }
}

/* How far it is, of which the row says `noted`. */
static uint64_t passed_by(struct lia_db *db,
                          uint64_t registration,
                          struct liana_slice peer,
                          uint64_t noted)
{
    struct lia_reg *reg = lia_reg_get(db, registration);
    const struct lia_registrant *one;
    uint64_t seq = noted;

    if (!reg) {
        return noted;
    }
    lia_mutex_lock(&db->mutex);
    one = find(reg, peer);
    if (one) {
        seq = one->passed;
    }
    lia_mutex_unlock(&db->mutex);
    lia_reg_put(db, reg);
    return seq;
}

liana_status lia_registrants_get(struct lia_db *db,
                                 struct lia_conn *conn,
                                 uint64_t registration,
                                 struct liana_slice peer,
                                 uint64_t *out,
                                 struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_conn_prepare(
        conn,
        lia_str("SELECT passed FROM registrant WHERE registration = ?1 AND peer = ?2"),
        &stmt, err);

    if (status) {
        return status;
    }
    lia_bind_u64(stmt, 1, registration);
    lia_bind_slice(stmt, 2, peer);
    status = lia_conn_step(conn, stmt, err);
    if (!status) {
        *out = passed_by(db, registration, peer, lia_column_u64(stmt, 0));
    }
    lia_conn_done(conn, stmt);
    return status == LIANA_EEND ? LIANA_OK : status;
}

static liana_status least_of(struct lia_txn *txn,
                             sqlite3_stmt *stmt,
                             uint64_t *least,
                             struct liana_error *err)
{
    liana_status status;

    for (;;) {
        uint64_t seq;

        status = lia_conn_step(txn->conn, stmt, err);
        if (status) {
            break;
        }
        seq = passed_by(txn->db, lia_column_u64(stmt, 0), lia_column_slice(stmt, 1),
                        lia_column_u64(stmt, 2));
        *least = seq < *least ? seq : *least;
    }
    return status == LIANA_EEND ? LIANA_OK : status;
}

liana_status lia_registrants_least(struct lia_txn *txn,
                                   struct liana_str collection,
                                   uint64_t *out,
                                   struct liana_error *err)
{
    const uint64_t now = lia_db_age(txn->db);
    const uint64_t wait = txn->db->reader_wait_ms;
    uint64_t least = UINT64_MAX;
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_conn_prepare(
        txn->conn,
        lia_str("SELECT t.registration, t.peer, t.passed FROM registration r "
                "JOIN registrant t ON t.registration = r.id "
                "WHERE r.collection = ?1 AND t.used_age_ms >= ?2"),
        &stmt, err);

    if (status) {
        return status;
    }
    lia_bind_str(stmt, 1, collection);
    lia_bind_u64(stmt, 2, now > wait ? now - wait : 0);
    status = least_of(txn, stmt, &least, err);
    lia_conn_done(txn->conn, stmt);
    if (!status) {
        *out = least;
    }
    return status;
}
