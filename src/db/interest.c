/* SPDX-License-Identifier: Apache-2.0 */
#include "db/internal.h"

/*
 * What this store itself subscribes to, and the documents that a change takes out of all of
 * it: where `on_unmatch = 'remove'` is declared they are noted, and evicted when they may be
 * (retain.c). Only a change does that: what never matched, and what is there when nobody
 * subscribes, stays.
 */

liana_status lia_db_interest_add(struct lia_db *db,
                                 struct liana_str collection,
                                 struct liana_slice query,
                                 uint64_t *out_id,
                                 struct liana_error *err)
{
    const struct lia_reg_row row = {.collection = collection, .query = query};
    struct lia_reg *reg;
    liana_status status = lia_coll_check_name(collection, err);

    if (!status) {
        status = lia_reg_new(db, &row, &reg, err);
    }
    if (status) {
        return status;
    }
    lia_mutex_lock(&db->mutex);
    reg->id = ++db->interest_last;
    reg->next = db->interests;
    db->interests = reg;
    *out_id = reg->id;
    lia_mutex_unlock(&db->mutex);
    return LIANA_OK;
}

void lia_db_interest_remove(struct lia_db *db, uint64_t id)
{
    struct lia_reg **at = &db->interests;
    struct lia_reg *reg;

    lia_mutex_lock(&db->mutex);
    while (*at && (*at)->id != id) {
        at = &(*at)->next;
    }
    reg = *at;
    if (reg) {
        *at = reg->next;
    }
    lia_mutex_unlock(&db->mutex);
    lia_reg_put(db, reg);
}

void lia_interests_free(struct lia_db *db)
{
    while (db->interests) {
        struct lia_reg *reg = db->interests;

        db->interests = reg->next;
        lia_reg_put(db, reg);
    }
}

/* The newest one of the collection that is older than `id`; a reference, or NULL. */
static struct lia_reg *next_of(struct lia_db *db,
                               const struct lia_coll *coll,
                               uint64_t id)
{
    struct lia_reg *reg;

    lia_mutex_lock(&db->mutex);
    for (reg = db->interests; reg && (reg->id >= id || !lia_reg_is_of(reg, coll));
         reg = reg->next) {
    }
    if (reg) {
        reg->refs++;
    }
    lia_mutex_unlock(&db->mutex);
    return reg;
}

liana_status lia_interest_wants(struct lia_db *db,
                                const struct lia_coll *coll,
                                struct liana_slice body,
                                bool *out_asked,
                                bool *out_wanted,
                                struct liana_error *err)
{
    struct lia_reg *reg = next_of(db, coll, UINT64_MAX);
    liana_status status = LIANA_OK;

    *out_asked = reg != NULL;
    *out_wanted = false;
    while (reg && !status && !*out_wanted) {
        uint64_t id = reg->id;

        status = lia_err_plain(err, lia_reg_matches(db, reg, body, out_wanted));
        lia_reg_put(db, reg);
        reg = status || *out_wanted ? NULL : next_of(db, coll, id);
    }
    return status;
}

liana_status lia_interest_change(struct lia_txn *txn,
                                 const struct lia_coll *coll,
                                 struct liana_slice key,
                                 struct liana_slice before,
                                 struct liana_slice after,
                                 struct liana_error *err)
{
    const struct lia_schema *schema;
    bool has_come = before.len == 0 && !txn->is_own;
    bool is_asked = false;
    bool was_wanted = has_come;
    bool is_wanted = true;
    liana_status status;

    if (after.len == 0 || (before.len == 0 && !has_come)) {
        return LIANA_OK;
    }
    status = lia_txn_schema(txn, coll->pub.name, &schema, err);
    if (status || schema->options.on_unmatch != LIA_UNMATCHED_GO) {
        return status;
    }
    if (!has_come) {
        status = lia_interest_wants(txn->db, coll, before, &is_asked, &was_wanted, err);
    }
    if (!status && was_wanted) {
        status = lia_interest_wants(txn->db, coll, after, &is_asked, &is_wanted, err);
    }
    return status || !was_wanted || is_wanted || (has_come && !is_asked)
               ? status
               : lia_books_run(txn->conn, err,
                               "INSERT OR IGNORE INTO unmatched (collection, key) "
                               "VALUES (?1, ?2)",
                               "us", (uint64_t)coll->pub.id, key);
}
