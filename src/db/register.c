/* SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "crdt/mutant.h"
#include "db/internal.h"

/*
 * Which peer has registered what, and how far each is. A registrant's `acked` says from
 * where on it may hold what leaves: it holds everything up to there, or began from nothing
 * when that was the newest commit. The log of a registration reaches back to the least of
 * its registrants; that is its floor.
 */

#define DAY_MS      ((uint64_t)24 * 60 * 60 * 1000)
#define UNUSED_MS   (LIA_REGISTRATION_DAYS * DAY_MS)
#define REMEMBER_MS ((uint64_t)60 * 60 * 1000) /* how exactly `used_age_ms` is kept */

static struct lia_reg *find(struct lia_db *db, struct liana_slice subscription)
{
    struct lia_reg *reg = db->registrations;

    while (reg && !lia_slice_equal(reg->subscription, subscription)) {
        reg = reg->next;
    }
    return reg;
}

static struct lia_reg *find_id(struct lia_db *db, uint64_t id)
{
    struct lia_reg *reg = db->registrations;

    while (reg && reg->id != id) {
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
            status = lia_reg_delete_row(conn, id, err);
            dropped->ids[dropped->count++] = id;
        }
    }
    return status == LIANA_EEND ? LIANA_OK : status;
}

static void forget_dropped(struct lia_db *db, const struct dropped *dropped)
{
    for (size_t i = 0; i < dropped->count; i++) {
        lia_reg_remove(db, dropped->ids[i]);
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
        conn, err, "DELETE FROM registrant WHERE used_age_ms < ?1", "u", oldest);

    if (!status && count_regs(db) >= LIA_REGISTRATIONS_MAX) {
        status = lia_books_run(
            conn, err,
            "DELETE FROM registrant WHERE registration = (SELECT registration FROM "
            "registrant GROUP BY registration ORDER BY max(used_age_ms) LIMIT 1)",
            "");
    }
    return status ? status : delete_unused(conn, dropped, err);
}

static liana_status add_row(struct lia_conn *conn,
                            const struct lia_subscription *sub,
                            uint64_t floor_seq,
                            struct lia_reg_row *out,
                            struct liana_error *err)
{
    liana_status status = lia_books_run(
        conn, err,
        "INSERT INTO registration (subscription, collection, query, floor) "
        "VALUES (?1, ?2, ?3, ?4)",
        "stsu", sub->hash, sub->collection, sub->query, floor_seq);

    *out = (struct lia_reg_row){(uint64_t)sqlite3_last_insert_rowid(conn->sqlite),
                                floor_seq, sub->hash, sub->collection, sub->query};
    return status;
}

/* What left before is logged, or the peer holds nothing that could have left. */
static bool can_resume(const struct lia_reg *reg, uint64_t after_seq)
{
    return after_seq && (!reg->predicate || after_seq >= reg->floor_seq);
}

/* How far a peer is. */
struct place {
    uint64_t acked;  /* what left later it may hold */
    uint64_t passed; /* what came up to here it was given; 0: it begins from nothing */
};

static struct place place_of(const struct lia_db *db,
                             const struct lia_subscription *sub,
                             bool is_resumed)
{
    return (struct place){is_resumed ? sub->after_seq : db->state.seq,
                          is_resumed && !sub->is_again ? sub->after_seq : 0};
}

/* Of what it has put aside nobody knows more than what it said to hold before. */
static liana_status lower_place(struct lia_db *db,
                                struct lia_conn *conn,
                                uint64_t registration,
                                struct liana_slice peer,
                                struct place *at,
                                struct liana_error *err)
{
    uint64_t before = 0;
    liana_status status =
        lia_registrants_get(db, conn, registration, peer, &before, err);

    at->passed = before < at->passed ? before : at->passed;
    return status;
}

/* A peer that resumes may be behind what it has acknowledged: its store was put back. */
static liana_status note_peer(struct lia_conn *conn,
                              uint64_t registration,
                              struct liana_slice peer,
                              const struct place *at,
                              uint64_t now_ms,
                              struct liana_error *err)
{
    return lia_books_run(conn, err,
                         "INSERT INTO registrant "
                         "(registration, peer, acked, used_age_ms, passed) "
                         "VALUES (?1, ?2, ?3, ?4, ?6) ON CONFLICT DO UPDATE SET "
                         "acked = excluded.acked, used_age_ms = excluded.used_age_ms, "
                         "passed = excluded.passed "
                         "WHERE used_age_ms < ?5 OR acked > excluded.acked OR "
                         "passed > excluded.passed OR excluded.passed = 0",
                         "usuuuu", registration, peer, at->acked, now_ms,
                         now_ms > REMEMBER_MS ? now_ms - REMEMBER_MS : 0, at->passed);
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
    struct lia_reg_row row;
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
        status = lia_reg_new(db, &row, out_added, err);
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
    uint64_t now_ms = lia_db_age(db);
    struct dropped dropped = {.count = 0};
    struct lia_reg *added = NULL;
    struct lia_reg *reg = NULL;
    struct lia_registration registration = {0};
    struct place at = {0};
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
        registration = (struct lia_registration){reg->id, reg->floor_seq,
                                                 can_resume(reg, sub->after_seq)};
        at = place_of(db, sub, registration.is_resumed);
        status = sub->awaits && !LIA_MUTANT(235)
                     ? lower_place(db, conn, reg->id, peer, &at, err)
                     : LIANA_OK;
    }
    if (!status) {
        status = note_peer(conn, reg->id, peer, &at, now_ms, err);
    }
    if (!status) {
        status = lia_registrants_put(db, reg, peer, at.passed, err);
    }
    status = lia_books_commit(db, status, err);
    if (!status) {
        *out = registration;
        forget_dropped(db, &dropped);
        if (added) {
            lia_reg_add(db, added);
        }
    } else if (added) {
        lia_reg_free(db, added);
    }
    lia_store_write_end(db->store);
    return status;
}

static liana_status unknown(uint64_t id, struct liana_error *err)
{
    return lia_err(err, LIANA_ENOTFOUND, "there is no registration %llu",
                   (unsigned long long)id);
}

/* ---- acknowledgements ---- */

static liana_status read_least(struct lia_conn *conn,
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

/* Raises the floor to what every registrant holds, where that is more. */
static liana_status trim(struct lia_conn *conn,
                         const struct lia_reg *reg,
                         uint64_t *out_floor,
                         struct liana_error *err)
{
    uint64_t least = 0;
    liana_status status = read_least(conn, reg->id, &least, err);

    *out_floor = reg->floor_seq;
    if (status || least <= reg->floor_seq) {
        return status;
    }
    *out_floor = least;
    status = lia_books_run(conn, err,
                           "DELETE FROM departed WHERE registration = ?1 AND seq <= ?2",
                           "uu", reg->id, least);
    return status ? status
                  : lia_books_run(conn, err,
                                  "UPDATE registration SET floor = ?2 WHERE id = ?1",
                                  "uu", reg->id, least);
}

static liana_status note_ack(struct lia_db *db,
                             struct lia_conn *conn,
                             uint64_t id,
                             struct liana_slice peer,
                             uint64_t seq,
                             struct liana_error *err)
{
    liana_status status = lia_books_run(conn, err,
                                        "UPDATE registrant SET acked = max(acked, ?3), "
                                        "passed = max(passed, ?3), used_age_ms = ?4 "
                                        "WHERE registration = ?1 AND peer = ?2",
                                        "usuu", id, peer, seq, lia_db_age(db));

    return status || sqlite3_changes(conn->sqlite) ? status : unknown(id, err);
}

liana_status lia_db_register_ack(struct lia_db *db,
                                 struct liana_slice peer,
                                 uint64_t registration,
                                 uint64_t seq,
                                 struct liana_error *err)
{
    struct lia_reg *reg = NULL;
    uint64_t floor_seq = 0;
    struct lia_conn *conn;
    liana_status status = lia_books_begin(db, &conn, err);

    if (status) {
        return status;
    }
    status = note_ack(db, conn, registration, peer, seq, err);
    if (!status) {
        reg = find_id(db, registration);
        status = reg ? trim(conn, reg, &floor_seq, err) : unknown(registration, err);
    }
    status = lia_books_commit(db, status, err);
    if (!status) {
        LIA_ASSERT(reg);
        reg->floor_seq = floor_seq;
    }
    lia_store_write_end(db->store);
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
