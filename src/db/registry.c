/* SPDX-License-Identifier: Apache-2.0 */
#include "crdt/mutant.h"
#include "db/internal.h"

/*
 * The registrations that are in force, in memory, and what each commit logs for them.
 */

/* ---- in memory ---- */

void lia_reg_free(struct lia_db *db, struct lia_reg *reg)
{
    if (reg->predicate) {
        db->predicates->free(db->predicates->ctx, reg->predicate);
    }
    lia_registrants_free(db, reg);
    lia_mem_free(db->env->alloc, reg->collection, reg->size);
    lia_mem_free(db->env->alloc, reg, sizeof(*reg));
}

struct lia_reg *lia_reg_get(struct lia_db *db, uint64_t id)
{
    struct lia_reg *reg;

    lia_mutex_lock(&db->mutex);
    for (reg = db->registrations; reg && reg->id != id; reg = reg->next) {
    }
    if (reg) {
        reg->refs++;
    }
    lia_mutex_unlock(&db->mutex);
    return reg;
}

void lia_reg_put(struct lia_db *db, struct lia_reg *reg)
{
    bool is_last;

    if (!reg) {
        return;
    }
    lia_mutex_lock(&db->mutex);
    is_last = --reg->refs == 0;
    lia_mutex_unlock(&db->mutex);
    if (is_last) {
        lia_reg_free(db, reg);
    }
}

liana_status lia_reg_matches(struct lia_db *db,
                             const struct lia_reg *reg,
                             struct liana_slice body,
                             bool *out)
{
    if (reg->predicate && body.len) {
        return db->predicates->match(db->predicates->ctx, reg->predicate, body, out);
    }
    *out = !reg->predicate;
    return LIANA_OK;
}

static liana_status compile(struct lia_db *db,
                            struct liana_slice query,
                            struct lia_predicate **out,
                            struct liana_error *err)
{
    *out = NULL;
    if (query.len == 0) {
        return LIANA_OK;
    }
    return db->predicates->compile(db->predicates->ctx, db->env->alloc, query, out,
                                   err);
}

liana_status lia_reg_new(struct lia_db *db,
                         const struct lia_reg_row *row,
                         struct lia_reg **out,
                         struct liana_error *err)
{
    const struct liana_allocator *a = db->env->alloc;
    struct lia_reg *reg;
    liana_status status;

    reg = lia_mem_zalloc(a, sizeof(*reg));
    if (!reg) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    reg->id = row->id;
    reg->floor_seq = row->floor_seq;
    reg->refs = 1;
    reg->size = row->collection.len + row->subscription.len;
    reg->collection_len = row->collection.len;
    reg->collection = lia_mem_alloc(a, reg->size);
    if (!reg->collection) {
        lia_reg_free(db, reg);
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    status = compile(db, row->query, &reg->predicate, err);
    if (status) {
        lia_reg_free(db, reg);
        return status;
    }
    memcpy(reg->collection, row->collection.ptr, row->collection.len);
    if (row->subscription.len) {
        memcpy(reg->collection + row->collection.len, row->subscription.ptr,
               row->subscription.len);
    }
    reg->subscription =
        lia_slice(reg->collection + row->collection.len, row->subscription.len);
    *out = reg;
    return LIANA_OK;
}

void lia_reg_add(struct lia_db *db, struct lia_reg *reg)
{
    lia_mutex_lock(&db->mutex);
    reg->next = db->registrations;
    db->registrations = reg;
    db->predicate_count += reg->predicate != NULL;
    lia_mutex_unlock(&db->mutex);
}

void lia_reg_remove(struct lia_db *db, uint64_t id)
{
    struct lia_reg **at = &db->registrations;
    struct lia_reg *reg;

    lia_mutex_lock(&db->mutex);
    while (*at && (*at)->id != id) {
        at = &(*at)->next;
    }
    reg = *at;
    if (reg) {
        *at = reg->next;
        db->predicate_count -= reg->predicate != NULL;
    }
    lia_mutex_unlock(&db->mutex);
    lia_reg_put(db, reg);
}

/* ---- at open ---- */

liana_status lia_reg_delete_row(struct lia_conn *conn,
                                uint64_t id,
                                struct liana_error *err)
{
    liana_status status =
        lia_books_run(conn, err, "DELETE FROM registration WHERE id = ?1", "u", id);

    if (!status) {
        status = lia_books_run(
            conn, err, "DELETE FROM registrant WHERE registration = ?1", "u", id);
    }
    return status
               ? status
               : lia_books_run(conn, err,
                               "DELETE FROM departed WHERE registration = ?1", "u", id);
}

/* A query that this library no longer understands cannot be followed: whoever
 * registered it starts anew. */
static liana_status load_row(struct lia_db *db,
                             struct lia_conn *conn,
                             const struct lia_reg_row *row,
                             struct liana_error *err)
{
    struct liana_error why = LIANA_ERROR_INIT;
    struct lia_reg *reg = NULL;
    liana_status status = row->subscription.len && row->collection.len
                              ? lia_reg_new(db, row, &reg, &why)
                              : lia_err_plain(&why, LIANA_ECORRUPT);

    if (!status) {
        lia_reg_add(db, reg);
        return LIANA_OK;
    }
    if (status == LIANA_ENOMEM) {
        return lia_err_plain(err, status);
    }
    lia_log(db->env, LIA_LOG_WARN, "db", "a registration of %.*s is dropped: %s",
            LIA_STR_ARG(row->collection), why.message);
    return lia_reg_delete_row(conn, row->id, err);
}

liana_status lia_reg_load(struct lia_db *db,
                          struct lia_conn *conn,
                          struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_conn_prepare(
        conn,
        lia_str("SELECT id, floor, subscription, collection, query FROM registration"),
        &stmt, err);

    while (!status) {
        status = lia_conn_step(conn, stmt, err);
        if (!status) {
            struct lia_reg_row row = {lia_column_u64(stmt, 0), lia_column_u64(stmt, 1),
                                      lia_column_slice(stmt, 2),
                                      lia_column_str(stmt, 3),
                                      lia_column_slice(stmt, 4)};

            status = load_row(db, conn, &row, err);
        }
    }
    lia_conn_done(conn, stmt);
    return status == LIANA_EEND ? LIANA_OK : status;
}

/* ---- per commit ---- */

bool lia_reg_is_of(const struct lia_reg *reg, const struct lia_coll *coll)
{
    return reg->collection_len == coll->pub.name.len &&
           memcmp(reg->collection, coll->pub.name.ptr, reg->collection_len) == 0;
}

static liana_status log_departure(struct lia_txn *txn,
                                  uint64_t id,
                                  struct liana_slice key,
                                  struct liana_error *err)
{
    return lia_books_run(txn->conn, err,
                         "INSERT INTO departed (registration, key, seq) "
                         "VALUES (?1, ?2, ?3) "
                         "ON CONFLICT DO UPDATE SET seq = excluded.seq",
                         "usu", id, key, lia_txn_seq(txn));
}

static liana_status leaves(struct lia_db *db,
                           const struct lia_reg *reg,
                           struct liana_slice before,
                           struct liana_slice after,
                           bool *out)
{
    bool was_in = false;
    bool is_in = false;
    liana_status status = lia_reg_matches(db, reg, before, &was_in);

    if (!status && was_in) {
        status = lia_reg_matches(db, reg, after, &is_in);
    }
    *out = was_in && !is_in && !LIA_MUTANT(224);
    return status;
}

liana_status lia_reg_change(struct lia_txn *txn,
                            const struct lia_coll *coll,
                            struct liana_slice key,
                            struct liana_slice before,
                            struct liana_slice after,
                            struct liana_error *err)
{
    struct lia_db *db = txn->db;
    liana_status status = LIANA_OK;

    if (db->predicate_count == 0 || before.len == 0) {
        return LIANA_OK;
    }
    for (const struct lia_reg *r = db->registrations; r && !status; r = r->next) {
        bool is_departure = false;

        if (r->predicate && lia_reg_is_of(r, coll)) {
            status = lia_err_plain(err, leaves(db, r, before, after, &is_departure));
        }
        if (!status && is_departure) {
            status = log_departure(txn, r->id, key, err);
        }
    }
    return status;
}

static liana_status is_registrant(struct lia_conn *conn,
                                  uint64_t id,
                                  struct liana_slice peer,
                                  bool *out,
                                  struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_conn_prepare(
        conn, lia_str("SELECT 1 FROM registrant WHERE registration = ?1 AND peer = ?2"),
        &stmt, err);

    if (status) {
        return status;
    }
    lia_bind_u64(stmt, 1, id);
    lia_bind_slice(stmt, 2, peer);
    status = lia_conn_step(conn, stmt, err);
    lia_conn_done(conn, stmt);
    *out = status == LIANA_OK;
    return status == LIANA_EEND ? LIANA_OK : status;
}

liana_status lia_reg_tell(struct lia_txn *txn,
                          struct liana_slice peer,
                          const struct lia_coll *coll,
                          struct liana_slice key,
                          struct liana_slice body,
                          bool *out_told,
                          struct liana_error *err)
{
    struct lia_db *db = txn->db;
    liana_status status = LIANA_OK;

    *out_told = false;
    if (db->predicate_count == 0) {
        return LIANA_OK;
    }
    for (const struct lia_reg *r = db->registrations; r && !status; r = r->next) {
        bool is_in = true;
        bool is_its = false;

        if (r->predicate && lia_reg_is_of(r, coll)) {
            status = lia_err_plain(err, lia_reg_matches(db, r, body, &is_in));
        }
        if (!status && !is_in && peer.len) {
            status = is_registrant(txn->conn, r->id, peer, &is_its, err);
        } else if (!is_in) {
            is_its = true;
        }
        if (!status && is_its) {
            *out_told = true;
            status = log_departure(txn, r->id, key, err);
        }
    }
    return status;
}
