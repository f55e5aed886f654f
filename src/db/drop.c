/* SPDX-License-Identifier: Apache-2.0 */
#include "crdt/mutant.h"
#include "db/internal.h"

/*
 * Taking a row out of the store (crdt/keep.h, "dropping"): what may be dropped, what is
 * remembered of it, and the renewal of the actor that goes with it (docs/adr/0024,
 * "Renewal").
 */

/* ---- a new actor ---- */

liana_status lia_marks_keep_of(struct lia_txn *txn,
                               const struct lia_coll *first,
                               struct lia_stamp last,
                               struct liana_error *err)
{
    const struct lia_vector_entry entry = {last.actor, last.hlc};
    liana_status status = LIANA_OK;

    for (const struct lia_coll *c = first; c && !status; c = c->next) {
        struct lia_name whole = lia_name_of(c->pub.name, lia_slice(NULL, 0));

        status = lia_marks_join(txn->conn, lia_name_slice(&whole),
                                (struct lia_vector){&entry, 1}, err);
    }
    return status;
}

/* What it may still spend of bounded counters goes to the next one, which stamps later. */
static liana_status renew_actor(struct lia_txn *txn, struct liana_error *err)
{
    const uint64_t next = lia_new_actor(txn->db);
    struct lia_stamp last = {txn->state.own, txn->stamp.actor};
    bool has_given = false;
    liana_status status = lia_rights_hand_over(txn, next, &has_given, err);

    if (has_given) {
        last.hlc = txn->stamp.hlc++;
        txn->is_own = true;
        txn->is_changed = true;
    }
    if (status) {
        return status;
    }
    txn->stamp.actor = next;
    txn->state.own = 0;
    txn->keepings = NULL; /* the own entry stands in their marks */
    if (last.hlc) {
        status = lia_marks_keep_of(txn, txn->db->collections, last, err);
    }
    if (!status && last.hlc) {
        status = lia_marks_keep_of(txn, txn->created, last, err);
    }
    if (!status) {
        status = lia_books_run(txn->conn, err, "UPDATE state SET actor = ?1, own = 0",
                               "u", txn->stamp.actor);
    }
    return status ? status
                  : lia_books_run(txn->conn, err,
                                  "UPDATE epoch SET actor = ?1 WHERE n = ?2", "uu",
                                  txn->stamp.actor, txn->db->epoch_row);
}

/* ---- one row ---- */

static liana_status remember(struct lia_txn *txn,
                             const struct lia_coll *coll,
                             const struct lia_row *row,
                             const struct lia_doc_info *info,
                             struct liana_error *err)
{
    struct lia_keeping *k;
    struct lia_keep after;
    liana_status status = lia_txn_keeping(txn, coll->pub.name, &k, err);

    if (!status) {
        status = lia_err_plain(err, lia_keep_drop(&txn->arena, &k->keep, info, &after));
    }
    if (status) {
        return status;
    }
    k->keep = after;
    if (info->exists && !LIA_MUTANT(202)) {
        return lia_keep_put_evicted(txn, coll->pub.name, info->vector, err);
    }
    k->forgotten_seq = row->seq > k->forgotten_seq ? row->seq : k->forgotten_seq;
    return lia_keep_put_forgotten(txn, coll->pub.name, after.forgotten, row->seq, err);
}

static liana_status delete_row(struct lia_txn *txn,
                               const struct lia_coll *coll,
                               struct liana_slice key,
                               struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_conn_prepare(txn->conn, coll->sql_delete, &stmt, err);

    if (status) {
        return status;
    }
    lia_bind_slice(stmt, 1, key);
    return lia_conn_run(txn->conn, stmt, err);
}

liana_status lia_row_drop(struct lia_txn *txn,
                          const struct lia_coll *coll,
                          struct liana_slice key,
                          const struct lia_row *row,
                          const struct lia_doc_info *info,
                          struct liana_error *err)
{
    bool must_renew =
        lia_keep_must_renew(info->vector, txn->stamp.actor) && !LIA_MUTANT(204);
    liana_status status;

    if (must_renew && txn->is_own) {
        return lia_err(err, LIANA_EMISUSE,
                       "what this store wrote is evicted before other writes of a "
                       "transaction, or in one of its own");
    }
    status = remember(txn, coll, row, info, err);
    if (!status) {
        status = delete_row(txn, coll, key, err);
    }
    if (!status && info->exists) {
        status = lia_retain_drop(txn, coll, key, err);
    }
    if (!status && must_renew) {
        status = renew_actor(txn, err);
    }
    if (!status && info->exists) {
        if (txn->story.is_told && row->seq != lia_txn_seq(txn)) {
            status =
                lia_err_plain(err, lia_listen_touch(txn, coll, key, row->doc, false));
        }
        txn->is_changed = true;
    }
    return status;
}

/* ---- EVICT ---- */

liana_status lia_evict_check(struct lia_txn *txn,
                             struct liana_str collection,
                             struct liana_error *err)
{
    return txn->db->identity.is_keeper
               ? lia_err(err, LIANA_EKEEPER,
                         "%.*s: this store is a keeper: others drop what it holds",
                         LIA_STR_ARG(collection))
               : LIANA_OK;
}

liana_status lia_row_is_passed(struct lia_txn *txn,
                               struct lia_keeping *k,
                               const struct lia_row *row,
                               bool *out,
                               struct liana_error *err)
{
    liana_status status = LIANA_OK;

    if (!k->is_passed_known) {
        status = lia_registrants_least(txn, k->collection, &k->passed_seq, err);
        k->is_passed_known = !status;
    }
    *out = !status && (row->seq <= k->passed_seq || LIA_MUTANT(203));
    return status;
}

static liana_status check_evict(struct lia_txn *txn,
                                const struct lia_coll *coll,
                                const struct lia_row *row,
                                const struct lia_doc_info *info,
                                bool is_forced,
                                bool *out,
                                struct liana_error *err)
{
    struct lia_keeping *k;
    bool may = is_forced;
    liana_status status;

    if (row->seq == lia_txn_seq(txn)) {
        return lia_err(err, LIANA_EMISUSE,
                       "%.*s: a document is not evicted by the transaction that wrote "
                       "it",
                       LIA_STR_ARG(coll->pub.name));
    }
    status = lia_txn_keeping(txn, coll->pub.name, &k, err);
    if (!status && !is_forced && lia_keep_may_evict(&k->keep, info)) {
        status = lia_row_is_passed(txn, k, row, &may, err);
    }
    *out = !status && may;
    return status;
}

liana_status lia_txn_evict(struct lia_txn *txn,
                           const struct lia_collection *collection,
                           struct liana_slice key,
                           bool is_forced,
                           bool *out_evicted,
                           struct liana_error *err)
{
    const struct lia_coll *coll = lia_coll_of(collection);
    struct lia_row row = {0};
    struct lia_doc_info info;
    bool may = false;
    liana_status status = lia_txn_enter(txn, true, err);

    if (status) {
        return status;
    }
    status = lia_evict_check(txn, coll->pub.name, err);
    if (!status) {
        status = lia_row_get(txn->conn, coll, key, &txn->scratch, &row, err);
    }
    if (!status) {
        status = lia_row_info(txn, coll, row.doc.clock, &info, err);
    }
    if (!status && row.seq && info.exists) {
        status = check_evict(txn, coll, &row, &info, is_forced, &may, err);
    }
    if (!status && may) {
        status = lia_row_drop(txn, coll, key, &row, &info, err);
    }
    if (!status) {
        *out_evicted = may;
    }
    return lia_txn_leave(txn, status);
}
