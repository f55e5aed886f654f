/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A store whose clock was ahead (db/renew.h; docs/adr/0053): what it stamped beyond what
 * others accept, and nobody has said to hold, gets stamps of now, in its order.
 *
 *     kept <= B      limit        from[0] .. from[n - 1]       what the store has stamped
 *     ---------|-------|-------------|------------|
 *          first .. first + n - 1                               what that becomes
 *
 * One transaction, with a new actor and a new epoch.
 */
#include <stdlib.h>

#include "crdt/mutant.h"
#include "db/internal.h"
#include "db/renew.h"

struct repair {
    struct lia_txn *txn;
    uint64_t now_ms;
    uint64_t limit; /* what is at or before it stays */
    uint64_t held;  /* what is at or before it others may hold */
    uint64_t rest;  /* the newest of all that stays */
    struct lia_buf from;
    struct lia_restamp how;
};

/* ---- deciding ---- */

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* Ascending, each once. */
static void sort_stamps(struct lia_buf *from)
{
    uint64_t *all = (uint64_t *)(void *)from->ptr;
    size_t count = from->len / sizeof(*all);
    size_t kept = 0;

    if (count) {
        qsort(all, count, sizeof(*all), compare);
    }
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || all[i] != all[kept - 1]) {
            all[kept++] = all[i];
        }
    }
    from->len = kept * sizeof(*all);
}

/* Those that stay: a vector says only which is the newest. */
static void leave_out(struct repair *r)
{
    struct lia_restamp *how = &r->how;

    while (how->count && how->from[0] <= r->limit) {
        r->rest = how->from[0] > r->rest ? how->from[0] : r->rest;
        how->from++;
        how->count--;
    }
}

/* False: there is nothing to be stamped anew, or what stays is ahead itself. */
static bool plan(struct repair *r)
{
    struct lia_restamp *how = &r->how;

    sort_stamps(&r->from);
    how->from = (const uint64_t *)(const void *)r->from.ptr;
    how->count = r->from.len / sizeof(*how->from);
    leave_out(r);
    for (size_t i = 0; i < how->count && how->from[i] <= r->held; i++) {
        r->rest = how->from[i] > r->rest ? how->from[i] : r->rest;
    }
    how->first = lia_hlc_next(LIA_MUTANT(220) ? 0 : r->rest, r->now_ms);
    return how->count && r->rest <= r->limit && how->first + how->count < how->from[0];
}

/* ---- rows, one after the other: they may be written meanwhile ---- */

struct walk {
    const struct lia_coll *coll;
    uint64_t seq;
    uint64_t place;
    struct liana_slice key;
    struct lia_row row;
};

/* In the scratch arena. LIANA_EEND. */
static liana_status next_row(struct lia_txn *txn,
                             struct walk *w,
                             struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_conn_prepare(txn->conn, w->coll->sql_walk, &stmt, err);

    if (status) {
        return status;
    }
    lia_arena_reset(&txn->scratch);
    lia_bind_u64(stmt, 1, w->seq);
    lia_bind_u64(stmt, 2, w->place);
    lia_bind_u64(stmt, 3, txn->db->state.seq);
    status = lia_conn_step(txn->conn, stmt, err);
    if (!status) {
        w->seq = w->row.seq = lia_column_u64(stmt, 0);
        w->place = lia_column_u64(stmt, 1);
        if (!lia_arena_copy(&txn->scratch, lia_column_slice(stmt, 2), &w->key) ||
            !lia_arena_copy(&txn->scratch, lia_column_slice(stmt, 3),
                            &w->row.doc.body) ||
            !lia_arena_copy(&txn->scratch, lia_column_slice(stmt, 4),
                            &w->row.doc.clock)) {
            status = lia_err_plain(err, LIANA_ENOMEM);
        }
    }
    lia_conn_done(txn->conn, stmt);
    return status;
}

typedef liana_status (*row_fn)(struct repair *r,
                               const struct walk *w,
                               struct liana_error *err);

static liana_status each_row(struct repair *r, row_fn fn, struct liana_error *err)
{
    liana_status status = LIANA_OK;

    for (const struct lia_coll *c = r->txn->db->collections; c && !status;
         c = c->next) {
        struct walk w = {.coll = c};

        if (lia_coll_is_system(c->pub.name)) {
            continue; /* their rows are nobody's writes */
        }
        while (!status) {
            status = next_row(r->txn, &w, err);
            if (!status) {
                status = fn(r, &w, err);
            }
        }
        status = status == LIANA_EEND ? LIANA_OK : status;
    }
    return status;
}

/* ---- what there is ---- */

static void note_rest(struct repair *r, struct lia_vector v)
{
    for (size_t i = 0; i < v.count; i++) {
        const struct lia_vector_entry *e = &v.entries[i];

        if ((e->actor != r->how.actor || e->hlc <= r->limit) && e->hlc > r->rest) {
            r->rest = e->hlc;
        }
    }
}

static liana_status look_at(struct repair *r,
                            const struct walk *w,
                            struct liana_error *err)
{
    struct lia_arena *scratch = &r->txn->scratch;
    struct lia_doc_info info;
    liana_status status = lia_doc_info(scratch, w->row.doc.clock, &info);

    if (!status) {
        note_rest(r, info.vector);
        status = lia_vector_get(info.vector, r->how.actor) <= r->limit
                     ? LIANA_OK
                     : lia_doc_stamps(scratch, w->row.doc, r->how.actor,
                                      r->now_ms << 16, &r->from, err);
    }
    return status == LIANA_ECORRUPT || status == LIANA_EVERSION
               ? lia_row_damaged(w->coll, err)
               : lia_err_plain(err, status);
}

static liana_status read_forgotten(struct lia_conn *conn,
                                   uint64_t *out,
                                   struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_conn_prepare(
        conn, lia_str("SELECT coalesce(max(forgotten), 0) FROM keep"), &stmt, err);

    if (!status) {
        status = lia_conn_step(conn, stmt, err);
    }
    if (!status) {
        *out = lia_column_u64(stmt, 0);
    }
    lia_conn_done(conn, stmt);
    return status;
}

/* What somebody has said to hold of the actor. What is known to be kept does not count: if this
 * store is a keeper, that is what it has published itself. */
static liana_status read_marks(struct repair *r, uint64_t *out, struct liana_error *err)
{
    struct lia_txn *txn = r->txn;
    liana_status status = LIANA_OK;

    *out = 0;
    for (const struct lia_coll *c = txn->db->collections; c && !status; c = c->next) {
        struct lia_name whole = LIA_MUTANT(239)
                                    ? lia_name_of_kept(c->pub.name)
                                    : lia_name_of(c->pub.name, lia_slice(NULL, 0));
        struct lia_vector marks;
        uint64_t hlc;

        status = lia_kept_vector(txn->conn, txn->db, &txn->arena,
                                 lia_name_slice(&whole), &marks, err);
        hlc = status ? 0 : lia_vector_get(marks, r->how.actor);
        *out = hlc > *out ? hlc : *out;
    }
    return status;
}

static liana_status look(struct repair *r, struct liana_error *err)
{
    struct lia_conn *conn = r->txn->conn;
    uint64_t kept = 0;
    liana_status status = read_marks(r, &kept, err);

    if (status) {
        return status;
    }
    if (kept > r->limit) {
        r->rest = kept;
        return LIANA_OK; /* what others hold stays, and what came later comes after it */
    }
    status = read_forgotten(conn, &r->rest, err);
    r->rest = kept > r->rest ? kept : r->rest;
    return status ? status : each_row(r, look_at, err);
}

/* ---- doing ---- */

static liana_status restamp_row(struct repair *r,
                                const struct walk *w,
                                struct liana_error *err)
{
    struct lia_doc after;
    liana_status status =
        lia_doc_restamp(&r->txn->scratch, w->row.doc, &r->how, &after, err);

    return status || after.clock.ptr == w->row.doc.clock.ptr
               ? status
               : lia_row_put(r->txn, w->coll, w->key, &w->row, after, err);
}

/* The new actor stamps after all of it, and takes the rights of the old one, which writes no
 * more. */
static liana_status change_actor(struct repair *r, struct liana_error *err)
{
    struct lia_txn *txn = r->txn;
    const struct lia_stamp last = {r->how.first + r->how.count - 1, r->how.actor};
    bool has_taken = false;
    liana_status status;

    txn->stamp = (struct lia_stamp){last.hlc + 1, r->how.new_actor};
    status = lia_rights_take(txn, last.actor, &has_taken, err);
    return status ? status : lia_marks_keep_of(txn, txn->db->collections, last, err);
}

static liana_status restamp_all(struct repair *r, struct liana_error *err)
{
    struct lia_txn *txn = r->txn;
    struct lia_db *db = txn->db;
    const struct lia_renewing what = {
        .reason = LIA_RENEWED_CLOCK, .actor = r->how.actor, .at_ms = r->now_ms};
    liana_status status = lia_renewal_put(db, txn->conn, &what, err);

    if (!status) {
        status = lia_epoch_begin(db, txn->conn, r->how.new_actor, &txn->epoch, err);
    }
    if (!status) { /* who holds what was stamped before, and has not said so, is to send it */
        status = lia_books_run(txn->conn, err, "DELETE FROM token", "");
    }
    txn->state.hlc = r->rest;
    txn->is_own = true;
    if (!status) {
        status = each_row(r, restamp_row, err);
    }
    return status ? status : change_actor(r, err);
}

static liana_status repair_in(struct repair *r, bool *out_done, struct liana_error *err)
{
    liana_status status = look(r, err);

    *out_done = !status && plan(r);
    return *out_done ? restamp_all(r, err) : status;
}

/* What cannot be stamped anew stays so until the time of what stays comes. */
static void settle(struct lia_db *db, const struct repair *r, bool is_done)
{
    lia_mutex_lock(&db->mutex);
    db->must_repair = false;
    db->no_repair_until_ms = is_done ? 0 : lia_hlc_ms(r->rest) - db->clock_ahead_ms;
    lia_mutex_unlock(&db->mutex);
}

static liana_status repair(struct lia_db *db,
                           struct repair *r,
                           bool *out_done,
                           struct liana_error *err)
{
    const struct lia_txn_options options = {
        .kind = LIA_WRITE, .wait_ms = LIA_WAIT_FOREVER, .durability = LIA_FULL};
    liana_status status = lia_txn_begin(db, &options, &r->txn, err);

    if (status) {
        return status;
    }
    r->how.actor = r->txn->stamp.actor;
    r->how.new_actor = lia_new_actor(db);
    status = repair_in(r, out_done, err);
    if (status || !*out_done) {
        lia_txn_rollback(r->txn);
        return status;
    }
    return lia_txn_commit(r->txn, NULL, err);
}

static uint64_t held_until(struct lia_db *db)
{
    uint64_t held_ms;

    lia_mutex_lock(&db->mutex);
    held_ms = db->held_ms;
    lia_mutex_unlock(&db->mutex);
    return (held_ms << 16) | UINT16_MAX;
}

liana_status lia_repair(struct lia_db *db, struct liana_error *err)
{
    struct repair r = {.now_ms = lia_db_wall(db)};
    bool is_done = false;
    liana_status status;

    r.limit = (r.now_ms + db->clock_ahead_ms) << 16;
    r.held = LIA_MUTANT(219) ? 0 : held_until(db);
    lia_buf_init(&r.from, db->env->alloc);
    status = repair(db, &r, &is_done, err);
    if (!status) {
        settle(db, &r, is_done);
    }
    if (!status && is_done) {
        lia_log(db->env, LIA_LOG_WARN, "db",
                "this store's clock was ahead: %zu commits are stamped anew",
                r.how.count);
    } else if (!status) {
        lia_log(db->env, LIA_LOG_WARN, "db",
                "this store's clock was ahead, and others hold what it has stamped: "
                "new writes come after that");
    }
    lia_buf_deinit(&r.from);
    return status;
}
