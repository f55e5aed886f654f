/* SPDX-License-Identifier: Apache-2.0 */
#include "crdt/mutant.h"
#include "db/internal.h"

/* What is only told, not needed, is kept this long. */
#define RENEWALS_KEPT 100

uint64_t lia_new_actor(struct lia_db *db)
{
    uint64_t actor;

    do {
        actor = lia_env_random64(db->env);
    } while (actor == 0 || actor == db->identity.actor);
    return actor;
}

/* ---- what is in doubt ---- */

struct lia_doubts lia_doubts_of(struct lia_db *db)
{
    struct lia_doubts doubts;

    lia_mutex_lock(&db->mutex);
    doubts = db->doubts;
    lia_mutex_unlock(&db->mutex);
    return doubts;
}

liana_status lia_doubts_lower(const struct lia_doubts *doubts,
                              struct lia_arena *arena,
                              struct lia_vector v,
                              struct lia_vector *out)
{
    struct lia_vector_entry *entries;
    size_t count = 0;

    *out = v;
    if (!lia_doubts_touch(doubts, v)) {
        return LIANA_OK;
    }
    entries = lia_arena_array(arena, v.count, sizeof(*entries));
    if (!entries) {
        return LIANA_ENOMEM;
    }
    for (size_t i = 0; i < v.count; i++) {
        entries[count] = v.entries[i];
        entries[count].hlc =
            lia_doubts_bound(doubts, v.entries[i].actor, v.entries[i].hlc);
        count += entries[count].hlc > 0;
    }
    *out = (struct lia_vector){entries, count};
    return LIANA_OK;
}

uint64_t lia_doubts_bound(const struct lia_doubts *doubts, uint64_t actor, uint64_t hlc)
{
    for (size_t i = 0; i < doubts->count; i++) {
        if (doubts->items[i].actor == actor && hlc > doubts->items[i].beyond) {
            hlc = doubts->items[i].beyond;
        }
    }
    return hlc;
}

static liana_status read_doubts(struct lia_conn *conn,
                                struct lia_doubts *out,
                                struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_conn_prepare(
        conn,
        lia_str("SELECT actor, min(beyond) FROM renewal WHERE beyond IS NOT NULL "
                "GROUP BY actor ORDER BY max(n) DESC"),
        &stmt, err);

    *out = (struct lia_doubts){.count = 0};
    while (!status && out->count < LIA_DOUBTS_MAX) {
        status = lia_conn_step(conn, stmt, err);
        if (!status) {
            out->items[out->count++] =
                (struct lia_doubt){lia_column_u64(stmt, 0), lia_column_u64(stmt, 1)};
        }
    }
    lia_conn_done(conn, stmt);
    return status == LIANA_EEND ? LIANA_OK : status;
}

/* The oldest renewal that is not mended yet: LIANA_EEND if all are. */
struct mending {
    uint64_t n;
    uint64_t upto;
    struct lia_doubt doubt;
    struct lia_feed_at at;
};

static liana_status next_mending(struct lia_conn *conn,
                                 struct mending *out,
                                 struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_conn_prepare(
        conn,
        lia_str("SELECT n, upto, actor, beyond, seq, collection, place FROM renewal "
                "WHERE seq <= upto AND beyond IS NOT NULL ORDER BY n LIMIT 1"),
        &stmt, err);

    if (!status) {
        status = lia_conn_step(conn, stmt, err);
    }
    if (!status) {
        *out = (struct mending){
            .n = lia_column_u64(stmt, 0),
            .upto = lia_column_u64(stmt, 1),
            .doubt = {lia_column_u64(stmt, 2), lia_column_u64(stmt, 3)},
            .at = {lia_column_u64(stmt, 4), (uint32_t)lia_column_u64(stmt, 5),
                   lia_column_u64(stmt, 6)}};
    }
    lia_conn_done(conn, stmt);
    return status;
}

/* What is in memory of all that. */
struct known {
    struct lia_doubts doubts;
    bool must_mend;
    bool has_left_rights;
};

static liana_status read_left(struct lia_conn *conn, bool *out, struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_conn_prepare(
        conn, lia_str("SELECT EXISTS (SELECT 1 FROM renewal WHERE rights)"), &stmt,
        err);

    if (!status) {
        status = lia_conn_step(conn, stmt, err);
    }
    *out = !status && lia_column_u64(stmt, 0);
    lia_conn_done(conn, stmt);
    return status;
}

static liana_status read_known(struct lia_conn *conn,
                               struct known *out,
                               struct liana_error *err)
{
    struct mending mending;
    liana_status status = read_doubts(conn, &out->doubts, err);
    liana_status more = status ? status : next_mending(conn, &mending, err);

    out->must_mend = more == LIANA_OK;
    return more && more != LIANA_EEND ? more
                                      : read_left(conn, &out->has_left_rights, err);
}

static void publish_known(struct lia_db *db, const struct known *known)
{
    lia_mutex_lock(&db->mutex);
    db->doubts = known->doubts;
    db->must_mend = known->must_mend;
    db->has_left_rights = known->has_left_rights;
    db->must_take = db->must_take && known->has_left_rights;
    lia_mutex_unlock(&db->mutex);
}

liana_status lia_doubts_load(struct lia_db *db,
                             struct lia_conn *conn,
                             struct liana_error *err)
{
    struct known known;
    liana_status status = read_known(conn, &known, err);

    if (!status) {
        publish_known(db, &known);
    }
    return status;
}

/* ---- a renewal ---- */

/* Nobody else has gone on from what this store was. */
static bool is_one_history(enum lia_renewal_reason reason)
{
    return reason == LIA_RENEWED_UNCLEAN || reason == LIA_RENEWED_CLOCK;
}

liana_status lia_renewal_put(struct lia_db *db,
                             struct lia_conn *conn,
                             const struct lia_renewing *what,
                             struct liana_error *err)
{
    const struct lia_fork *fork = what->fork;
    liana_status status = lia_books_run(
        conn, err,
        "INSERT INTO renewal (at_ms, reason, actor, beyond, upto, seq, collection, "
        "place, rights) VALUES (?1, ?2, ?3, NULL, 0, 0, 0, 0, ?4)",
        "uuuu", what->at_ms ? what->at_ms : lia_db_wall(db), (uint64_t)what->reason,
        what->actor, (uint64_t)(what->reason == LIA_RENEWED_UNCLEAN));

    if (!status && !is_one_history(what->reason)) {
        status =
            lia_books_run(conn, err, "UPDATE renewal SET rights = 0 WHERE rights", "");
    }
    if (!status && fork) {
        status = lia_books_run(conn, err,
                               "UPDATE renewal SET actor = ?1, beyond = ?2, upto = ?3, "
                               "seq = ?4 WHERE n = last_insert_rowid()",
                               "uuuu", fork->doubt.actor, fork->doubt.beyond,
                               db->state.seq, fork->seq + 1);
    }
    return status ? status
                  : lia_books_run(conn, err,
                                  "DELETE FROM renewal WHERE beyond IS NULL AND "
                                  "n <= last_insert_rowid() - ?1",
                                  "u", (uint64_t)RENEWALS_KEPT);
}

/* What rests on the doubtful: that something of the actor is held here, and that others
 * have sent all that they had. */
static liana_status take_back(struct lia_conn *conn,
                              struct lia_doubt doubt,
                              struct liana_error *err)
{
    liana_status status =
        LIA_MUTANT(222) ? LIANA_OK : lia_books_run(conn, err, "DELETE FROM token", "");

    if (!status) {
        status = lia_books_run(conn, err,
                               "UPDATE mark SET hlc = ?2 WHERE actor = ?1 AND hlc > ?2",
                               "uu", doubt.actor, doubt.beyond);
    }
    if (!status) {
        status = lia_books_run(
            conn, err, "UPDATE offer SET hlc = ?2 WHERE actor = ?1 AND hlc > ?2", "uu",
            doubt.actor, doubt.beyond);
    }
    return status ? status
                  : lia_books_run(conn, err, "DELETE FROM mark WHERE hlc = 0", "");
}

static liana_status write_renewal(struct lia_db *db,
                                  struct lia_conn *conn,
                                  enum lia_renewal_reason reason,
                                  const struct lia_fork *fork,
                                  struct lia_epoch *out,
                                  struct liana_error *err)
{
    const struct lia_renewing what = {
        .reason = reason, .actor = db->identity.actor, .fork = fork};
    bool is_current = fork->doubt.actor == db->identity.actor && !LIA_MUTANT(221);
    liana_status status = lia_epoch_begin(
        db, conn, is_current ? lia_new_actor(db) : db->identity.actor, out, err);

    if (!status) {
        status = lia_renewal_put(db, conn, &what, err);
    }
    return status ? status : take_back(conn, fork->doubt, err);
}

/* Whether it is known already: then everything has been done. */
static bool is_known(const struct lia_db *db, const struct lia_fork *fork)
{
    for (size_t i = 0; i < db->doubts.count; i++) {
        if (db->doubts.items[i].actor == fork->doubt.actor &&
            db->doubts.items[i].beyond <= fork->doubt.beyond) {
            return true;
        }
    }
    return false;
}

static void log_renewal(const struct lia_db *db, enum lia_renewal_reason reason)
{
    lia_log(db->env, LIA_LOG_WARN, "db", "%s: it takes a new identity for its writes",
            reason == LIA_RENEWED_HISTORY
                ? "this store was copied or put back"
                : "another store writes under this one's name");
}

liana_status lia_renew(struct lia_db *db,
                       enum lia_renewal_reason reason,
                       const struct lia_fork *fork,
                       bool *out_renewed,
                       struct liana_error *err)
{
    struct lia_store_mark mark;
    struct lia_epoch epoch;
    struct known known;
    struct lia_conn *conn;
    liana_status status = lia_books_begin(db, &conn, err);

    *out_renewed = false;
    if (status) {
        return status;
    }
    if (is_known(db, fork)) {
        lia_store_write_end(db->store);
        return LIANA_OK;
    }
    status = write_renewal(db, conn, reason, fork, &epoch, err);
    if (!status) {
        status = read_known(conn, &known, err);
    }
    if (!status) {
        status = lia_store_write_commit(db->store, 0, &mark, err);
    }
    if (status) {
        lia_store_write_end(db->store);
        return status;
    }
    publish_known(db, &known);
    lia_epoch_publish(db, &epoch);
    lia_store_write_end(db->store);
    log_renewal(db, reason);
    *out_renewed = true;
    return lia_store_wait_durable(db->store, mark.commit, err);
}

liana_status lia_db_judge(struct lia_db *db,
                          const struct lia_seen *seen,
                          bool *out_renewed,
                          struct liana_error *err)
{
    struct lia_fork fork;
    struct lia_conn *conn;
    liana_status status = lia_store_read_begin(db->store, &conn, err);

    *out_renewed = false;
    if (status) {
        return status;
    }
    status = lia_history_compare(conn, seen, &fork, err);
    lia_store_read_end(db->store, conn);
    return status || !fork.is_one
               ? status
               : lia_renew(db, LIA_RENEWED_HISTORY, &fork, out_renewed, err);
}

liana_status lia_db_disown(struct lia_db *db, uint64_t actor, struct liana_error *err)
{
    const struct lia_fork fork = {.is_one = true, .doubt = {.actor = actor}};
    bool renewed;

    return lia_db_identity(db).actor == actor
               ? lia_renew(db, LIA_RENEWED_STAMP, &fork, &renewed, err)
               : LIANA_OK;
}

/* ---- mending ---- */

liana_status lia_retag(struct lia_arena *scratch,
                       struct lia_doc doc,
                       const struct lia_retag *how,
                       uint64_t known,
                       struct lia_doc *out,
                       struct liana_error *err)
{
    uint64_t beyond = known > how->beyond ? known : how->beyond;
    struct lia_doc_info info;
    liana_status status = lia_doc_retag(scratch, doc, how, out, err);

    if (status || out->clock.ptr != doc.clock.ptr) {
        return status;
    }
    status = lia_err_plain(err, lia_doc_info(scratch, doc.clock, &info));
    return status || lia_vector_get(info.vector, how->actor) <= beyond
               ? status
               : lia_doc_count(scratch, doc, how->tag, out, err);
}

static liana_status mend_item(struct lia_txn *txn,
                              const struct lia_feed_item *item,
                              const struct lia_retag *how,
                              struct liana_error *err)
{
    const struct lia_coll *coll = lia_coll_of(item->collection);
    struct lia_doc after;
    struct lia_row row;
    liana_status status;

    lia_arena_reset(&txn->scratch);
    status = lia_row_get(txn->conn, coll, item->key, &txn->scratch, &row, err);
    if (status || row.seq == 0) {
        return status;
    }
    status = lia_retag(&txn->scratch, row.doc, how, 0, &after, err);
    if (status == LIANA_ECORRUPT || status == LIANA_EVERSION) {
        return lia_row_damaged(coll, err);
    }
    if (status || after.clock.ptr == row.doc.clock.ptr || LIA_MUTANT(223)) {
        return status;
    }
    txn->is_own = true;
    return lia_row_put(txn, coll, item->key, &row, after, err);
}

static liana_status mend_in(struct lia_txn *txn,
                            const struct mending *m,
                            const struct lia_feed_page *page,
                            struct liana_error *err)
{
    const struct lia_retag how = {m->doubt.actor, m->doubt.beyond, txn->stamp};
    liana_status status = LIANA_OK;

    for (size_t i = 0; i < page->item_count && !status; i++) {
        status = mend_item(txn, &page->items[i], &how, err);
    }
    return status ? status
                  : lia_books_run(txn->conn, err,
                                  "UPDATE renewal SET seq = ?2, collection = ?3, "
                                  "place = ?4 WHERE n = ?1",
                                  "uuuu", m->n, page->next.seq,
                                  (uint64_t)page->next.collection, page->next.row);
}

static liana_status mend_page(struct lia_db *db,
                              const struct mending *m,
                              const struct lia_feed_page *page,
                              struct liana_error *err)
{
    struct lia_txn_options options = lia_txn_options(db, LIA_WRITE);
    struct lia_txn *txn;
    liana_status status = lia_txn_begin(db, &options, &txn, err);

    if (status) {
        return status;
    }
    status = mend_in(txn, m, page, err);
    if (status) {
        lia_txn_rollback(txn);
        return status;
    }
    return lia_txn_commit(txn, NULL, err);
}

/* LIANA_EEND: there is nothing left. */
static liana_status find_page(struct lia_db *db,
                              struct lia_arena *arena,
                              size_t bytes_max,
                              struct mending *out,
                              struct lia_feed_page *page,
                              struct liana_error *err)
{
    const struct lia_interest everything = {.after_seq = 0};
    struct lia_feed_query query = {.interests = &everything,
                                   .interest_count = 1,
                                   .bytes_max = bytes_max,
                                   .rows_max = 1000};
    struct lia_conn *conn;
    liana_status status = lia_store_read_begin(db->store, &conn, err);

    if (status) {
        return status;
    }
    status = next_mending(conn, out, err);
    lia_store_read_end(db->store, conn);
    query.from = out->at;
    return status ? status : lia_db_feed(db, arena, &query, page, err);
}

static liana_status reload(struct lia_db *db, struct liana_error *err)
{
    struct lia_conn *conn;
    liana_status status = lia_books_begin(db, &conn, err);

    if (status) {
        return status;
    }
    status = lia_doubts_load(db, conn, err);
    lia_store_write_end(db->store);
    return status;
}

bool lia_db_must_mend(struct lia_db *db)
{
    bool must;

    lia_mutex_lock(&db->mutex);
    must = db->must_mend || db->must_repair || db->must_take ||
           db->held_ms > db->held_noted_ms;
    lia_mutex_unlock(&db->mutex);
    return must;
}

static bool must_repair(struct lia_db *db)
{
    bool must;

    lia_mutex_lock(&db->mutex);
    must = db->must_repair;
    lia_mutex_unlock(&db->mutex);
    return must;
}

static bool must_take(struct lia_db *db)
{
    bool must;

    lia_mutex_lock(&db->mutex);
    must = db->must_take;
    lia_mutex_unlock(&db->mutex);
    return must;
}

liana_status lia_db_mend(struct lia_db *db,
                         size_t bytes_max,
                         bool *out_more,
                         struct liana_error *err)
{
    struct lia_feed_page page;
    struct mending mending;
    struct lia_arena arena;
    liana_status status;

    *out_more = false;
    if (!lia_db_must_mend(db)) {
        return LIANA_OK;
    }
    status = lia_db_note_held(db, err);
    if (status) {
        return status;
    }
    if (must_repair(db)) {
        *out_more = true;
        return lia_repair(db, err);
    }
    if (must_take(db)) {
        *out_more = true;
        return lia_rights_take_over(db, err);
    }
    lia_arena_init(&arena, db->env->alloc);
    status = find_page(db, &arena, bytes_max, &mending, &page, err);
    if (!status) {
        status = mend_page(db, &mending, &page, err);
    }
    lia_arena_deinit(&arena);
    if (status == LIANA_EEND) {
        return reload(db, err);
    }
    *out_more = !status;
    return status;
}

/* ---- what happened ---- */

static liana_status list_renewals(struct lia_conn *conn,
                                  size_t max,
                                  struct lia_buf *out,
                                  struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_conn_prepare(
        conn,
        lia_str("SELECT at_ms, reason, actor, beyond IS NOT NULL AND seq <= upto "
                "FROM renewal ORDER BY n DESC LIMIT ?1"),
        &stmt, err);

    if (!status) {
        lia_bind_u64(stmt, 1, max < INT32_MAX ? max : INT32_MAX);
    }
    while (!status) {
        status = lia_conn_step(conn, stmt, err);
        if (!status) {
            const struct lia_renewal r = {
                lia_column_u64(stmt, 0),
                (enum lia_renewal_reason)lia_column_u64(stmt, 1),
                lia_column_u64(stmt, 2), lia_column_u64(stmt, 3)};

            lia_buf_bytes(out, &r, sizeof(r));
        }
    }
    lia_conn_done(conn, stmt);
    return status == LIANA_EEND ? lia_err_plain(err, out->status) : status;
}

liana_status lia_db_renewals(struct lia_db *db,
                             struct lia_arena *arena,
                             size_t max,
                             const struct lia_renewal **out,
                             size_t *out_count,
                             struct liana_error *err)
{
    struct liana_slice copy = {0};
    struct lia_conn *conn;
    struct lia_buf rows;
    liana_status status = lia_store_read_begin(db->store, &conn, err);

    if (status) {
        return status;
    }
    lia_buf_init(&rows, db->env->alloc);
    status = list_renewals(conn, max, &rows, err);
    lia_store_read_end(db->store, conn);
    if (!status && !lia_arena_copy(arena, lia_buf_slice(&rows), &copy)) {
        status = lia_err_plain(err, LIANA_ENOMEM);
    }
    if (!status) {
        *out = (const struct lia_renewal *)(const void *)copy.ptr;
        *out_count = rows.len / sizeof(**out);
    }
    lia_buf_deinit(&rows);
    return status;
}
