/* SPDX-License-Identifier: Apache-2.0 */
#include "db/internal.h"

struct lia_txn_options lia_txn_options(struct lia_db *db, enum lia_txn_kind kind)
{
    return (struct lia_txn_options){
        .kind = kind,
        .wait_ms = LIA_WAIT_FOREVER,
        .durability = lia_store_durability(db->store),
    };
}

static liana_status begin_read(struct lia_txn *txn, struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_store_read_begin(txn->db->store, &txn->conn, err);

    if (status) {
        return status;
    }
    status = lia_conn_prepare(txn->conn, lia_str("SELECT max(id) FROM collection"),
                              &stmt, err);
    if (!status) {
        status = lia_conn_step(txn->conn, stmt, err);
    }
    if (!status) {
        txn->collections_max = (uint32_t)lia_column_u64(stmt, 0);
    }
    lia_conn_done(txn->conn, stmt);
    if (status) {
        lia_store_read_end(txn->db->store, txn->conn);
    }
    return status;
}

/* The stamp is taken here and not at commit: until this transaction ends nobody else can
 * take one (docs/adr/0011). */
static liana_status begin_write(struct lia_txn *txn, struct liana_error *err)
{
    struct lia_db *db = txn->db;
    liana_status status =
        lia_store_write_begin(db->store, txn->options.wait_ms, &txn->conn, err);

    if (status) {
        return status;
    }
    txn->state = db->state;
    txn->stamp = (struct lia_stamp){lia_hlc_next(db->state.hlc, lia_db_wall(db)),
                                    db->identity.actor};
    lia_listen_start(db, &txn->story);
    return LIANA_OK;
}

static void free_txn(struct lia_txn *txn)
{
    const struct liana_allocator *a = txn->db->env->alloc;

    lia_coll_free_all(a, txn->created);
    lia_arena_deinit(&txn->scratch);
    lia_arena_deinit(&txn->arena);
    lia_mem_free(a, txn, sizeof(*txn));
}

liana_status lia_txn_begin(struct lia_db *db,
                           const struct lia_txn_options *options,
                           struct lia_txn **out,
                           struct liana_error *err)
{
    struct lia_txn *txn = lia_mem_zalloc(db->env->alloc, sizeof(*txn));
    liana_status status;

    if (!txn) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    txn->db = db;
    txn->options = *options;
    lia_arena_init(&txn->scratch, db->env->alloc);
    lia_arena_init(&txn->arena, db->env->alloc);
    status = options->kind == LIA_WRITE ? begin_write(txn, err) : begin_read(txn, err);
    if (status) {
        free_txn(txn);
        return status;
    }
    *out = txn;
    return LIANA_OK;
}

liana_status lia_txn_enter(struct lia_txn *txn, bool is_write, struct liana_error *err)
{
    if (txn->failed) {
        return lia_err(err, txn->failed, "the transaction has failed before: %s",
                       liana_status_text(txn->failed));
    }
    if (is_write && txn->options.kind != LIA_WRITE) {
        return lia_err(err, LIANA_EMISUSE, "the transaction is read-only");
    }
    if (sqlite3_get_autocommit(txn->conn->sqlite)) {
        /* SQLite itself rolls back after some errors, whichever statement met them. */
        txn->failed = LIANA_EIO;
        return lia_err(err, txn->failed, "the transaction was rolled back");
    }
    lia_arena_reset(&txn->scratch);
    return LIANA_OK;
}

liana_status lia_txn_leave(struct lia_txn *txn, liana_status status)
{
    if (status == LIANA_EBSON) {
        return status; /* bytes of the caller's, not of the store's */
    }
    switch (liana_status_category(status)) {
    case LIANA_CATEGORY_OK:
    case LIANA_CATEGORY_USAGE:
    case LIANA_CATEGORY_EXPECTED:
    case LIANA_CATEGORY_PROTOCOL: break;
    case LIANA_CATEGORY_RESOURCE:
        txn->failed = status == LIANA_ENOMEM ? status : txn->failed;
        break;
    default: txn->failed = status; break;
    }
    return status;
}

static void end(struct lia_txn *txn)
{
    if (txn->options.kind == LIA_WRITE) {
        lia_store_write_end(txn->db->store);
    } else {
        lia_store_read_end(txn->db->store, txn->conn);
    }
    free_txn(txn);
}

void lia_txn_rollback(struct lia_txn *txn)
{
    if (txn) {
        end(txn);
    }
}

static liana_status save_state(struct lia_txn *txn, struct liana_error *err)
{
    if (txn->has_deleted) {
        liana_status status = lia_books_run(txn->conn, err, "DELETE FROM deleted", "");

        if (status) {
            return status;
        }
    }
    if (txn->is_changed) {
        txn->state.seq++;
    }
    if (txn->is_own) {
        txn->state.own = txn->stamp.hlc;
        txn->state.hlc =
            txn->stamp.hlc > txn->state.hlc ? txn->stamp.hlc : txn->state.hlc;
    }
    return txn->is_changed
               ? lia_books_run(txn->conn, err,
                               "UPDATE state SET seq = ?1, hlc = ?2, own = ?3", "uuu",
                               txn->state.seq, txn->state.hlc, txn->state.own)
               : LIANA_OK;
}

/* After COMMIT, before the next writer: what the others see changes in commit order. */
static void publish(struct lia_txn *txn,
                    struct lia_store_mark mark,
                    struct lia_event *event)
{
    struct lia_db *db = txn->db;

    if (txn->epoch.n) {
        lia_epoch_publish(db, &txn->epoch);
    }
    lia_mutex_lock(&db->mutex);
    db->state = txn->state;
    db->identity.actor = txn->stamp.actor;
    lia_mutex_unlock(&db->mutex);
    if (txn->created) {
        lia_coll_publish(db, txn->created);
        txn->created = NULL;
    }
    if (txn->is_changed || txn->story.marks_count) {
        lia_listen_publish(db, mark, event, !event && txn->is_changed,
                           txn->options.durability == LIA_FULL);
    }
}

static liana_status commit_write(struct lia_txn *txn,
                                 struct lia_commit *out,
                                 struct liana_error *err)
{
    struct lia_db *db = txn->db;
    bool waits = txn->options.durability == LIA_FULL;
    struct lia_store_mark mark = {0};
    struct lia_commit commit = {0};
    struct lia_event *event = NULL;
    liana_status status = lia_txn_enter(txn, true, err);

    if (!status) {
        status = save_state(txn, err);
    }
    if (!status) {
        status = lia_listen_make(txn, &event, err);
    }
    if (!status) {
        status = lia_store_write_commit(db->store, txn->is_changed ? txn->state.seq : 0,
                                        &mark, err);
    }
    if (status) {
        lia_listen_drop(db, event);
        end(txn);
        return status;
    }
    publish(txn, mark, event);
    if (txn->is_changed) {
        commit.seq = txn->state.seq;
        commit.stamp = txn->is_own ? txn->stamp : LIA_STAMP_NONE;
    }
    end(txn);
    status = waits ? lia_store_wait_durable(db->store, mark.commit, err) : LIANA_OK;
    if (!status && out) {
        *out = commit;
    }
    return status;
}

liana_status lia_txn_commit(struct lia_txn *txn,
                            struct lia_commit *out,
                            struct liana_error *err)
{
    if (txn->options.kind == LIA_WRITE) {
        return commit_write(txn, out, err);
    }
    if (out) {
        *out = (struct lia_commit){0};
    }
    end(txn);
    return LIANA_OK;
}

/* ---- savepoints ---- */

static liana_status run(struct lia_txn *txn, const char *sql, struct liana_error *err)
{
    return lia_txn_leave(txn, lia_books_run(txn->conn, err, sql, ""));
}

liana_status lia_txn_savepoint(struct lia_txn *txn, struct liana_error *err)
{
    liana_status status = lia_txn_enter(txn, true, err);

    if (!status && txn->depth == LIA_SAVEPOINTS_MAX) {
        status = lia_err(err, LIANA_ELIMIT, "more than %d savepoints within each other",
                         LIA_SAVEPOINTS_MAX);
    }
    if (!status) {
        status = run(txn, "SAVEPOINT s", err);
    }
    if (!status) {
        txn->savepoints[txn->depth++] =
            (struct lia_savepoint){.is_changed = txn->is_changed,
                                   .is_own = txn->is_own,
                                   .stamp = txn->stamp,
                                   .own = txn->state.own,
                                   .touched_count = txn->story.count,
                                   .created = txn->created};
    }
    return status;
}

static liana_status enter_savepoint(struct lia_txn *txn, struct liana_error *err)
{
    liana_status status = lia_txn_enter(txn, true, err);

    return status || txn->depth ? status
                                : lia_err(err, LIANA_EMISUSE, "there is no savepoint");
}

liana_status lia_txn_release(struct lia_txn *txn, struct liana_error *err)
{
    liana_status status = enter_savepoint(txn, err);

    if (!status) {
        status = run(txn, "RELEASE s", err);
    }
    if (!status) {
        txn->depth--;
    }
    return status;
}

/* Rows have their old seq again, so documents touched since are forgotten with them. */
static void forget_since(struct lia_txn *txn, const struct lia_savepoint *point)
{
    while (txn->created != point->created) {
        struct lia_coll *coll = txn->created;

        txn->created = coll->next;
        lia_coll_free(txn->db->env->alloc, coll);
    }
    while (txn->story.count > point->touched_count) {
        txn->story.newest = txn->story.newest->older;
        txn->story.count--;
    }
    lia_schema_forget(txn);
    txn->is_changed = point->is_changed;
    txn->is_own = point->is_own;
    txn->stamp = point->stamp;
    txn->state.own = point->own;
    txn->keepings = NULL;
}

liana_status lia_txn_undo(struct lia_txn *txn, struct liana_error *err)
{
    liana_status status = enter_savepoint(txn, err);

    if (!status) {
        status = run(txn, "ROLLBACK TO s", err);
    }
    if (!status) {
        status = run(txn, "RELEASE s", err);
    }
    if (!status) {
        forget_since(txn, &txn->savepoints[--txn->depth]);
    }
    return status;
}

/* ---- what it is ---- */

struct lia_db *lia_txn_db(struct lia_txn *txn)
{
    return txn->db;
}

bool lia_txn_is_write(const struct lia_txn *txn)
{
    return txn->options.kind == LIA_WRITE;
}

struct lia_conn *lia_txn_conn(struct lia_txn *txn)
{
    return txn->conn;
}

struct lia_stamp lia_txn_stamp(const struct lia_txn *txn)
{
    return txn->stamp;
}
