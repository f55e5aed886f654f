/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/key.h"
#include "db/internal.h"

liana_status lia_txn_get(struct lia_txn *txn,
                         const struct lia_collection *collection,
                         struct liana_slice key,
                         struct lia_doc *out,
                         struct liana_error *err)
{
    struct lia_row row = {0};
    liana_status status = lia_txn_enter(txn, false, err);

    if (status) {
        return status;
    }
    status =
        lia_row_get(txn->conn, lia_coll_of(collection), key, &txn->scratch, &row, err);
    if (!status) {
        *out = row.doc;
    }
    return lia_txn_leave(txn, status);
}

static bool is_same(struct lia_doc a, struct lia_doc b)
{
    return a.body.ptr == b.body.ptr && a.body.len == b.body.len &&
           a.clock.ptr == b.clock.ptr && a.clock.len == b.clock.len;
}

/* ---- DELETE, then INSERT, in one transaction: a replace of what was deleted ---- */

static liana_status keep_deleted(struct lia_txn *txn,
                                 const struct lia_coll *coll,
                                 struct liana_slice key,
                                 const struct lia_row *row,
                                 struct liana_error *err)
{
    txn->has_deleted = true;
    return lia_books_run(txn->conn, err,
                         "INSERT OR IGNORE INTO deleted "
                         "(collection, key, seq, body, clock) VALUES (?1, ?2, ?3, ?4, "
                         "?5)",
                         "ususs", (uint64_t)coll->pub.id, key, row->seq, row->doc.body,
                         row->doc.clock);
}

static liana_status find_deleted(struct lia_txn *txn,
                                 const struct lia_coll *coll,
                                 struct liana_slice key,
                                 struct lia_doc *out,
                                 struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_conn_prepare(
        txn->conn,
        lia_str("SELECT body, clock FROM deleted WHERE collection = ?1 AND key = ?2"),
        &stmt, err);

    if (status) {
        return status;
    }
    lia_bind_u64(stmt, 1, coll->pub.id);
    lia_bind_slice(stmt, 2, key);
    status = lia_conn_step(txn->conn, stmt, err);
    if (!status &&
        (!lia_arena_copy(&txn->scratch, lia_column_slice(stmt, 0), &out->body) ||
         !lia_arena_copy(&txn->scratch, lia_column_slice(stmt, 1), &out->clock))) {
        status = lia_err_plain(err, LIANA_ENOMEM);
    }
    lia_conn_done(txn->conn, stmt);
    return status;
}

/* Turns the INSERT that comes first into a REPLACE of what this transaction deleted. */
static liana_status revive(struct lia_txn *txn,
                           const struct lia_coll *coll,
                           struct liana_slice key,
                           const struct lia_op **ops,
                           size_t count,
                           struct lia_doc *doc,
                           struct liana_error *err)
{
    liana_status status = find_deleted(txn, coll, key, doc, err);
    struct lia_op *copy;

    if (status) {
        return status == LIANA_EEND ? LIANA_OK : status;
    }
    copy = lia_arena_array(&txn->scratch, count, sizeof(*copy));
    if (!copy) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    memcpy(copy, *ops, count * sizeof(*copy));
    copy[0].kind = LIA_OP_REPLACE;
    *ops = copy;
    return LIANA_OK;
}

/* ---- operations ---- */

/* What the law says of a clock that no writer of this store has made. ECLOCK: state.hlc
 * is never behind a stored document, unless the file was changed. */
static bool is_damage(liana_status status)
{
    return status == LIANA_ECORRUPT || status == LIANA_EVERSION ||
           status == LIANA_ECLOCK;
}

static liana_status apply(struct lia_txn *txn,
                          const struct lia_coll *coll,
                          struct liana_slice key,
                          const struct lia_op *ops,
                          size_t count,
                          struct lia_change *out,
                          struct liana_error *err)
{
    struct lia_row row = {0};
    struct lia_doc from;
    struct lia_doc after = {0};
    const struct lia_rules *rules = NULL;
    bool is_new = count && ops[0].kind == LIA_OP_INSERT;
    bool changed;
    liana_status status = lia_schema_rules(txn, coll->pub.name, &rules, err);

    if (!status) {
        status = lia_row_get(txn->conn, coll, key, &txn->scratch, &row, err);
    }
    if (!status) {
        status = lia_rules_prepare(rules, txn, row.doc, &ops, &count, err);
    }
    from = row.doc;
    if (!status && txn->has_deleted && row.seq == lia_txn_seq(txn) &&
        row.doc.body.len == 0 && count && ops[0].kind == LIA_OP_INSERT) {
        status = revive(txn, coll, key, &ops, count, &from, err);
    }
    if (!status) {
        status =
            lia_doc_apply(&txn->scratch, from, ops, count, txn->stamp, &after, err);
    }
    if (is_damage(status)) {
        return lia_row_damaged(coll, err);
    }
    if (!status) {
        status = lia_rules_check(rules, row.doc.body, after.body, is_new, err);
    }
    if (status) {
        return status;
    }
    changed = !is_same(after, row.doc);
    if (changed && row.doc.body.len && !after.body.len) {
        status = keep_deleted(txn, coll, key, &row, err);
    }
    if (!status && changed) {
        txn->is_own = true;
        status = lia_row_put(txn, coll, key, &row, after, err);
    }
    if (!status && out) {
        *out = (struct lia_change){changed, row.doc, after};
    }
    return status;
}

liana_status lia_txn_apply(struct lia_txn *txn,
                           const struct lia_collection *collection,
                           struct liana_slice key,
                           const struct lia_op *ops,
                           size_t count,
                           struct lia_change *out,
                           struct liana_error *err)
{
    liana_status status = lia_txn_enter(txn, true, err);

    return status ? status
                  : lia_txn_leave(txn, apply(txn, lia_coll_of(collection), key, ops,
                                             count, out, err));
}

static liana_status key_of_body(struct lia_txn *txn,
                                struct liana_slice body,
                                struct liana_slice *out,
                                struct liana_error *err)
{
    struct lia_value id = {0};
    struct lia_buf key;
    liana_status status;

    if (!lia_bson_find(body, lia_str("_id"), &id)) {
        return lia_err(err, LIANA_EID, "the document has no _id");
    }
    lia_buf_init(&key, txn->db->env->alloc);
    status = lia_key_of_id(id, &key, err);
    if (!status && !lia_arena_copy(&txn->scratch, lia_buf_slice(&key), out)) {
        status = lia_err_plain(err, LIANA_ENOMEM);
    }
    lia_buf_deinit(&key);
    return status;
}

liana_status lia_txn_insert(struct lia_txn *txn,
                            const struct lia_collection *collection,
                            struct liana_slice body,
                            struct lia_change *out,
                            struct liana_error *err)
{
    const struct lia_op insert = {.kind = LIA_OP_INSERT,
                                  .value = {LIA_BSON_DOCUMENT, body}};
    struct liana_slice key = {0};
    liana_status status = lia_txn_enter(txn, true, err);

    if (status) {
        return status;
    }
    status = lia_bson_check(body, txn->db->env->alloc, err);
    if (!status) {
        status = key_of_body(txn, body, &key, err);
    }
    if (!status) {
        status = apply(txn, lia_coll_of(collection), key, &insert, 1, out, err);
    }
    return lia_txn_leave(txn, status);
}
