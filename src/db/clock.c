/* SPDX-License-Identifier: Apache-2.0 */
#include "crdt/mutant.h"
#include "db/internal.h"

/* The earliest that it can be: nobody built this library, or committed here, later. A
 * stamp may be ahead of its writer's clock by what the guard lets through. */
static uint64_t earliest_ms(const struct lia_db *db)
{
    uint64_t last_ms = lia_hlc_ms(db->state.hlc);
    uint64_t commit_ms =
        last_ms > db->clock_ahead_ms ? last_ms - db->clock_ahead_ms : 0;

    return commit_ms > db->time_floor_ms && !db->is_wall_right ? commit_ms
                                                               : db->time_floor_ms;
}

static uint64_t mono(const struct lia_db *db)
{
    return db->env->mono_ms(db->env->ctx);
}

/* A peer's time goes on by itself: a clock that is wrong may be set, and still be wrong. */
enum lia_time_source lia_db_time(struct lia_db *db, uint64_t *out_ms)
{
    enum lia_time_source source = LIA_TIME_SYSTEM;
    uint64_t wall = db->env->wall_ms(db->env->ctx);
    uint64_t earliest;

    lia_mutex_lock(&db->mutex);
    earliest = earliest_ms(db);
    if (wall < earliest && db->peer_time_ms) {
        source = LIA_TIME_PEER;
        wall = db->peer_time_ms + mono(db) - db->peer_time_mono;
    }
    lia_mutex_unlock(&db->mutex);
    *out_ms = wall >= earliest ? wall : earliest;
    return wall >= earliest ? source : LIA_TIME_UNKNOWN;
}

bool lia_db_now(struct lia_db *db, uint64_t *out_ms)
{
    return lia_db_time(db, out_ms) != LIA_TIME_UNKNOWN;
}

uint64_t lia_db_wall(struct lia_db *db)
{
    uint64_t ms;

    LIA_IGNORE(lia_db_now(db, &ms)); /* unknown: it is the least that it can be */
    return ms;
}

static bool is_ahead(const struct lia_db *db, uint64_t ms)
{
    return lia_hlc_ms(db->state.hlc) > ms + db->clock_ahead_ms;
}

/* What the store has stamped is evidence against its clock; two clocks that agree are
 * stronger: what it has stamped was ahead (docs/adr/0053). */
static void weigh(struct lia_db *db, uint64_t wall, uint64_t peer_ms)
{
    uint64_t early = wall < peer_ms ? wall : peer_ms;
    uint64_t late = wall < peer_ms ? peer_ms : wall;

    if (late - early <= db->clock_ahead_ms && early >= db->time_floor_ms &&
        is_ahead(db, late)) {
        db->is_wall_right = true;
        db->must_repair = lia_hlc_ms(db->state.own) > late + db->clock_ahead_ms &&
                          late >= db->no_repair_until_ms;
    }
}

/* It is noted ahead of time, and so seldom. */
#define HELD_AHEAD_MS ((uint64_t)60 * 60 * 1000)

/* A peer puts aside what is too far ahead of its clock, as it has told it. One that does not
 * know the time takes it from us. */
static void note_held(struct lia_db *db, uint64_t wall, uint64_t peer_ms)
{
    uint64_t own_ms = lia_hlc_ms(db->state.hlc);
    uint64_t clock_ms = peer_ms ? peer_ms : wall > own_ms ? wall : own_ms;
    uint64_t latest_ms = clock_ms + LIA_CLOCK_TOLD_MS + db->clock_ahead_ms;

    if (latest_ms > db->held_ms) {
        db->held_ms = latest_ms + HELD_AHEAD_MS;
    }
}

uint64_t lia_db_held_ms(struct lia_db *db)
{
    const uint64_t beyond_ms = LIA_CLOCK_TOLD_MS + db->clock_ahead_ms;
    uint64_t noted_ms;

    lia_mutex_lock(&db->mutex);
    noted_ms = db->held_noted_ms;
    lia_mutex_unlock(&db->mutex);
    return noted_ms > beyond_ms ? noted_ms - beyond_ms : 0;
}

void lia_db_time_from_peer(struct lia_db *db, uint64_t peer_ms)
{
    uint64_t wall = db->env->wall_ms(db->env->ctx);

    lia_mutex_lock(&db->mutex);
    note_held(db, wall, peer_ms);
    if (peer_ms) {
        weigh(db, wall, peer_ms);
    }
    if (!db->peer_time_ms && wall < earliest_ms(db) && peer_ms > wall) {
        db->peer_time_ms = peer_ms;
        db->peer_time_mono = mono(db);
    }
    lia_mutex_unlock(&db->mutex);
}

static uint64_t to_note(struct lia_db *db)
{
    uint64_t held_ms;

    lia_mutex_lock(&db->mutex);
    held_ms = db->held_ms > db->held_noted_ms ? db->held_ms : 0;
    lia_mutex_unlock(&db->mutex);
    return held_ms;
}

liana_status lia_db_note_held(struct lia_db *db, struct liana_error *err)
{
    uint64_t held_ms = to_note(db);
    struct lia_conn *conn;
    liana_status status = held_ms ? lia_books_begin(db, &conn, err) : LIANA_OK;

    if (status || held_ms == 0) {
        return status;
    }
    status = lia_books_run(conn, err, "UPDATE state SET held_ms = ?1", "u", held_ms);
    status = lia_books_end_durable(db, status, err);
    if (!status) {
        lia_mutex_lock(&db->mutex);
        db->held_noted_ms = held_ms;
        lia_mutex_unlock(&db->mutex);
    }
    return status;
}

/* ---- age ---- */

/* So much is believed of the time during which the store was closed. */
#define CLOSED_MS_MAX ((uint64_t)24 * 60 * 60 * 1000)
#define NOTE_AGE_MS   ((uint64_t)60 * 60 * 1000) /* flash wears */

void lia_age_begin(struct lia_db *db, uint64_t age_ms, uint64_t at_ms)
{
    const uint64_t wall = db->env->wall_ms(db->env->ctx);
    const uint64_t closed_ms = wall > at_ms ? wall - at_ms : 0;

    db->age_ms = age_ms + (closed_ms < CLOSED_MS_MAX ? closed_ms : CLOSED_MS_MAX);
    db->age_mono = mono(db);
    db->age_noted_ms = db->age_ms;
}

uint64_t lia_db_age(const struct lia_db *db)
{
    if (LIA_MUTANT(240)) {
        return db->env->wall_ms(db->env->ctx);
    }
    return db->age_ms + mono(db) - db->age_mono;
}

liana_status lia_age_put(struct lia_db *db,
                         struct lia_conn *conn,
                         struct liana_error *err)
{
    return lia_books_run(conn, err, "UPDATE state SET age_ms = ?1, age_at_ms = ?2",
                         "uu", lia_db_age(db), db->env->wall_ms(db->env->ctx));
}

liana_status lia_age_note(struct lia_txn *txn, struct liana_error *err)
{
    struct lia_db *db = txn->db;
    const uint64_t age_ms = lia_db_age(db);

    if (age_ms - db->age_noted_ms < NOTE_AGE_MS) {
        return LIANA_OK;
    }
    db->age_noted_ms = age_ms; /* lost with the transaction: an hour later again */
    return lia_age_put(db, txn->conn, err);
}
