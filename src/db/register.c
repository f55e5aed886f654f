/* SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "db/internal.h"

#define DAY_MS      ((uint64_t)24 * 60 * 60 * 1000)
#define UNUSED_MS   (LIA_REGISTRATION_DAYS * DAY_MS)
#define REMEMBER_MS ((uint64_t)60 * 60 * 1000) /* how exactly `used_ms` is kept */
#define TRIM_SEQS   ((uint64_t)256)            /* the log is trimmed in steps of this */

/* ---- in memory ---- */

static void free_reg(struct lia_db *db, struct lia_reg *reg)
{
    if (reg->predicate) {
        db->predicates->free(db->predicates->ctx, reg->predicate);
    }
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
        free_reg(db, reg);
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

/* What stands in a row of `registration`, borrowed. */
struct row {
    uint64_t id;
    uint64_t floor_seq;
    struct liana_slice subscription;
    struct liana_str collection;
    struct liana_slice query;
};

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

static liana_status new_reg(struct lia_db *db,
                            const struct row *row,
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
        free_reg(db, reg);
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    status = compile(db, row->query, &reg->predicate, err);
    if (status) {
        free_reg(db, reg);
        return status;
    }
    memcpy(reg->collection, row->collection.ptr, row->collection.len);
    memcpy(reg->collection + row->collection.len, row->subscription.ptr,
           row->subscription.len);
    reg->subscription =
        lia_slice(reg->collection + row->collection.len, row->subscription.len);
    *out = reg;
    return LIANA_OK;
}

static void add_reg(struct lia_db *db, struct lia_reg *reg)
{
    lia_mutex_lock(&db->mutex);
    reg->next = db->registrations;
    db->registrations = reg;
    db->predicate_count += reg->predicate != NULL;
    lia_mutex_unlock(&db->mutex);
}

static void remove_reg(struct lia_db *db, uint64_t id)
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

static liana_status delete_row(struct lia_conn *conn,
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
                             const struct row *row,
                             struct liana_error *err)
{
    struct liana_error why = LIANA_ERROR_INIT;
    struct lia_reg *reg = NULL;
    liana_status status = row->subscription.len && row->collection.len
                              ? new_reg(db, row, &reg, &why)
                              : lia_err_plain(&why, LIANA_ECORRUPT);

    if (!status) {
        add_reg(db, reg);
        return LIANA_OK;
    }
    if (status == LIANA_ENOMEM) {
        return lia_err_plain(err, status);
    }
    lia_log(db->env, LIA_LOG_WARN, "db", "a registration of %.*s is dropped: %s",
            LIA_STR_ARG(row->collection), why.message);
    return delete_row(conn, row->id, err);
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
            struct row row = {lia_column_u64(stmt, 0), lia_column_u64(stmt, 1),
                              lia_column_slice(stmt, 2), lia_column_str(stmt, 3),
                              lia_column_slice(stmt, 4)};

            status = load_row(db, conn, &row, err);
        }
    }
    lia_conn_done(conn, stmt);
    return status == LIANA_EEND ? LIANA_OK : status;
}

/* ---- per commit ---- */

static bool is_of(const struct lia_reg *reg, const struct lia_coll *coll)
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
    *out = was_in && !is_in;
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

        if (r->predicate && is_of(r, coll)) {
            status = lia_err_plain(err, leaves(db, r, before, after, &is_departure));
        }
        if (!status && is_departure) {
            status = log_departure(txn, r->id, key, err);
        }
    }
    return status;
}

/* ---- registering ---- */

static struct lia_reg *find(struct lia_db *db, struct liana_slice subscription)
{
    struct lia_reg *reg = db->registrations;

    while (reg && !lia_slice_equal(reg->subscription, subscription)) {
        reg = reg->next;
    }
    return reg;
}

/* Registrations without a peer that still uses them, one by one. */
static liana_status next_unused(struct lia_conn *conn,
                                uint64_t *out,
                                struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_conn_prepare(
        conn,
        lia_str("SELECT id FROM registration r WHERE NOT EXISTS "
                "(SELECT 1 FROM registrant WHERE registration = r.id) LIMIT 1"),
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

struct dropped {
    uint64_t ids[LIA_REGISTRATIONS_MAX];
    size_t count;
};

static liana_status delete_unused(struct lia_conn *conn,
                                  struct dropped *dropped,
                                  struct liana_error *err)
{
    liana_status status = LIANA_OK;
    uint64_t id = 0;

    while (!status && dropped->count < LIA_REGISTRATIONS_MAX) {
        status = next_unused(conn, &id, err);
        if (!status) {
            status = delete_row(conn, id, err);
            dropped->ids[dropped->count++] = id;
        }
    }
    return status == LIANA_EEND ? LIANA_OK : status;
}

static void forget_dropped(struct lia_db *db, const struct dropped *dropped)
{
    for (size_t i = 0; i < dropped->count; i++) {
        remove_reg(db, dropped->ids[i]);
    }
}

static uint64_t count_regs(const struct lia_db *db)
{
    uint64_t n = 0;

    for (const struct lia_reg *r = db->registrations; r; r = r->next) {
        n++;
    }
    return n;
}

/* Old ones go; and, when there are too many, the one whose last use is longest ago. */
static liana_status make_room(struct lia_db *db,
                              struct lia_conn *conn,
                              uint64_t now_ms,
                              struct dropped *dropped,
                              struct liana_error *err)
{
    uint64_t oldest = now_ms > UNUSED_MS ? now_ms - UNUSED_MS : 0;
    liana_status status = lia_books_run(
        conn, err, "DELETE FROM registrant WHERE used_ms < ?1", "u", oldest);

    if (!status && count_regs(db) >= LIA_REGISTRATIONS_MAX) {
        status = lia_books_run(
            conn, err,
            "DELETE FROM registrant WHERE registration = (SELECT registration FROM "
            "registrant GROUP BY registration ORDER BY max(used_ms) LIMIT 1)",
            "");
    }
    return status ? status : delete_unused(conn, dropped, err);
}

static liana_status add_row(struct lia_conn *conn,
                            const struct lia_subscription *sub,
                            uint64_t floor_seq,
                            struct row *out,
                            struct liana_error *err)
{
    liana_status status = lia_books_run(
        conn, err,
        "INSERT INTO registration (subscription, collection, query, floor) "
        "VALUES (?1, ?2, ?3, ?4)",
        "stsu", sub->hash, sub->collection, sub->query, floor_seq);

    *out = (struct row){(uint64_t)sqlite3_last_insert_rowid(conn->sqlite), floor_seq,
                        sub->hash, sub->collection, sub->query};
    return status;
}

static liana_status note_use(struct lia_conn *conn,
                             uint64_t id,
                             struct liana_slice peer,
                             uint64_t seq,
                             uint64_t now_ms,
                             struct liana_error *err)
{
    return lia_books_run(
        conn, err,
        "INSERT INTO registrant (registration, peer, acked, used_ms) "
        "VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET used_ms = excluded.used_ms "
        "WHERE used_ms < ?5",
        "usuuu", id, peer, seq, now_ms,
        now_ms > REMEMBER_MS ? now_ms - REMEMBER_MS : 0);
}

static liana_status check_subscription(const struct lia_subscription *sub,
                                       struct liana_slice peer,
                                       struct liana_error *err)
{
    if (sub->hash.len == 0 || sub->hash.len > 32 || peer.len == 0 || peer.len > 32) {
        return lia_err(err, LIANA_EINVAL,
                       "a subscription and a peer are named by 1 to 32 bytes");
    }
    return lia_coll_check_name(sub->collection, err);
}

/* With the writer: finds the registration or makes its row. A new one is not in force
 * before the commit. */
static liana_status find_or_add(struct lia_db *db,
                                struct lia_conn *conn,
                                const struct lia_subscription *sub,
                                uint64_t now_ms,
                                struct dropped *dropped,
                                struct lia_reg **out_added,
                                struct lia_reg **out,
                                struct liana_error *err)
{
    struct row row;
    liana_status status;

    *out = find(db, sub->hash);
    if (*out) {
        return LIANA_OK;
    }
    status = make_room(db, conn, now_ms, dropped, err);
    if (!status) {
        status = add_row(conn, sub, db->state.seq, &row, err);
    }
    if (!status) {
        status = new_reg(db, &row, out_added, err);
    }
    *out = *out_added;
    return status;
}

liana_status lia_db_register(struct lia_db *db,
                             struct liana_slice peer,
                             const struct lia_subscription *sub,
                             struct lia_registration *out,
                             struct liana_error *err)
{
    uint64_t now_ms = lia_db_wall(db);
    struct dropped dropped = {.count = 0};
    struct lia_reg *added = NULL;
    struct lia_reg *reg = NULL;
    struct lia_conn *conn;
    liana_status status = check_subscription(sub, peer, err);

    if (!status) {
        status = lia_books_begin(db, &conn, err);
    }
    if (status) {
        return status;
    }
    status = find_or_add(db, conn, sub, now_ms, &dropped, &added, &reg, err);
    if (!status) {
        status = note_use(conn, reg->id, peer, reg->floor_seq, now_ms, err);
    }
    status = lia_books_commit(db, status, err);
    if (!status) {
        LIA_ASSERT(reg);
        *out = (struct lia_registration){reg->id, reg->floor_seq};
        forget_dropped(db, &dropped);
        if (added) {
            add_reg(db, added);
        }
    } else if (added) {
        free_reg(db, added);
    }
    lia_store_write_end(db->store);
    return status;
}

static liana_status unknown(uint64_t id, struct liana_error *err)
{
    return lia_err(err, LIANA_ENOTFOUND, "there is no registration %llu",
                   (unsigned long long)id);
}

static liana_status read_acked(struct lia_conn *conn,
                               uint64_t id,
                               uint64_t *out,
                               struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_conn_prepare(
        conn, lia_str("SELECT min(acked) FROM registrant WHERE registration = ?1"),
        &stmt, err);

    if (!status) {
        lia_bind_u64(stmt, 1, id);
        status = lia_conn_step(conn, stmt, err);
    }
    if (!status) {
        *out = lia_column_u64(stmt, 0);
    }
    lia_conn_done(conn, stmt);
    return status;
}

static liana_status trim(struct lia_conn *conn,
                         uint64_t id,
                         uint64_t *out_floor,
                         struct liana_error *err)
{
    liana_status status = read_acked(conn, id, out_floor, err);

    if (!status) {
        status = lia_books_run(
            conn, err, "DELETE FROM departed WHERE registration = ?1 AND seq <= ?2",
            "uu", id, *out_floor);
    }
    return status ? status
                  : lia_books_run(conn, err,
                                  "UPDATE registration SET floor = ?2 WHERE id = ?1",
                                  "uu", id, *out_floor);
}

static void set_floor(struct lia_db *db, struct lia_reg *reg, uint64_t floor_seq)
{
    lia_mutex_lock(&db->mutex);
    reg->floor_seq = floor_seq;
    lia_mutex_unlock(&db->mutex);
}

static liana_status note_ack(struct lia_db *db,
                             struct lia_reg *reg,
                             struct liana_slice peer,
                             uint64_t seq,
                             struct liana_error *err)
{
    uint64_t floor_seq = 0;
    struct lia_conn *conn;
    liana_status status = lia_books_begin(db, &conn, err);

    if (status) {
        return status;
    }
    status = lia_books_run(conn, err,
                           "UPDATE registrant SET acked = ?3 "
                           "WHERE registration = ?1 AND peer = ?2 AND acked < ?3",
                           "usu", reg->id, peer, seq);
    if (!status) {
        status = trim(conn, reg->id, &floor_seq, err);
    }
    status = lia_books_commit(db, status, err);
    if (!status) {
        set_floor(db, reg, floor_seq);
    }
    lia_store_write_end(db->store);
    return status;
}

/* Trimming the log is all that an acknowledgement is for: it can wait. */
liana_status lia_db_register_ack(struct lia_db *db,
                                 struct liana_slice peer,
                                 uint64_t registration,
                                 uint64_t seq,
                                 struct liana_error *err)
{
    struct lia_reg *reg = lia_reg_get(db, registration);
    liana_status status = LIANA_OK;
    bool is_worth_it;

    if (!reg) {
        return unknown(registration, err);
    }
    lia_mutex_lock(&db->mutex);
    is_worth_it = reg->predicate && seq >= reg->floor_seq + TRIM_SEQS;
    lia_mutex_unlock(&db->mutex);
    if (is_worth_it) {
        status = note_ack(db, reg, peer, seq, err);
    }
    lia_reg_put(db, reg);
    return status;
}

liana_status lia_db_unregister(struct lia_db *db,
                               struct liana_slice peer,
                               uint64_t registration,
                               struct liana_error *err)
{
    struct dropped dropped = {.count = 0};
    struct lia_conn *conn;
    liana_status status = lia_books_begin(db, &conn, err);

    if (status) {
        return status;
    }
    status = lia_books_run(
        conn, err, "DELETE FROM registrant WHERE registration = ?1 AND peer = ?2", "us",
        registration, peer);
    if (!status && sqlite3_changes(conn->sqlite) == 0) {
        status = unknown(registration, err);
    }
    if (!status) {
        status = delete_unused(conn, &dropped, err);
    }
    status = lia_books_commit(db, status, err);
    if (!status) {
        forget_dropped(db, &dropped);
    }
    lia_store_write_end(db->store);
    return status;
}
