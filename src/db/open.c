/* SPDX-License-Identifier: Apache-2.0 */
#include "db/internal.h"
#include "db/sqlfn.h"

/* ---- the row that says who this store is ---- */

static liana_status check_database(struct lia_db *db,
                                   struct liana_slice wanted,
                                   struct liana_error *err)
{
    struct liana_slice own = lia_slice(db->identity.database, LIA_DATABASE_ID_BYTES);

    return wanted.len == 0 || lia_slice_equal(own, wanted)
               ? LIANA_OK
               : lia_err(err, LIANA_EDATABASE, "%s belongs to another database",
                         lia_store_path(db->store));
}

static void keep_name(struct lia_db *db, struct liana_str name)
{
    if (name.len > 0) {
        memcpy(db->name, name.ptr, name.len);
    }
    db->name_len = name.len;
}

static liana_status read_columns(struct lia_db *db, sqlite3_stmt *stmt)
{
    struct liana_slice database = lia_column_slice(stmt, 0);
    struct liana_slice name = lia_column_slice(stmt, 6);

    if (database.len != LIA_DATABASE_ID_BYTES || name.len > sizeof(db->name)) {
        return LIANA_ECORRUPT;
    }
    keep_name(db, lia_slice_str(name));
    memcpy(db->identity.database, database.ptr, database.len);
    db->identity.store = lia_column_u64(stmt, 1);
    db->identity.actor = lia_column_u64(stmt, 2);
    db->state = (struct lia_state){lia_column_u64(stmt, 3), lia_column_u64(stmt, 4),
                                   lia_column_u64(stmt, 5)};
    db->identity.is_keeper = lia_column_u64(stmt, 7);
    db->held_ms = db->held_noted_ms = lia_column_u64(stmt, 8);
    lia_age_begin(db, lia_column_u64(stmt, 9), lia_column_u64(stmt, 10));
    return LIANA_OK;
}

/* LIANA_EEND in a new store. */
static liana_status read_state(struct lia_db *db,
                               struct lia_conn *conn,
                               struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_conn_prepare(
        conn,
        lia_str("SELECT database, store, actor, seq, hlc, own, name, keeper, held_ms, "
                "age_ms, age_at_ms FROM state"),
        &stmt, err);

    if (!status) {
        status = lia_conn_step(conn, stmt, err);
    }
    if (!status) {
        status = read_columns(db, stmt);
        if (status) {
            status = lia_err(err, status, "%s: its identity is damaged",
                             lia_store_path(db->store));
        }
    }
    lia_conn_done(conn, stmt);
    return status;
}

static liana_status make_state(struct lia_db *db,
                               struct lia_conn *conn,
                               struct liana_slice database,
                               struct liana_error *err)
{
    const struct lia_env *env = db->env;

    if (database.len) {
        memcpy(db->identity.database, database.ptr, LIA_DATABASE_ID_BYTES);
    } else {
        env->random(env->ctx, db->identity.database, LIA_DATABASE_ID_BYTES);
    }
    db->identity.store = lia_env_random64(env);
    lia_age_begin(db, 0, UINT64_MAX);
    return lia_books_run(conn, err,
                         "INSERT INTO state (id, database, store, actor, seq, hlc, "
                         "own, name, keeper, held_ms, age_ms, age_at_ms) "
                         "VALUES (1, ?1, ?2, 0, 0, 0, 0, '', 0, 0, 0, 0)",
                         "su", lia_slice(db->identity.database, LIA_DATABASE_ID_BYTES),
                         db->identity.store);
}

static enum lia_renewal_reason reason_to_renew(const struct lia_db *db,
                                               const struct lia_left *left)
{
    if (left->file && db->file && left->file != db->file) {
        return LIA_RENEWED_FILE;
    }
    return left->is_there && !left->is_closed && left->durability != LIA_FULL
               ? LIA_RENEWED_UNCLEAN
               : 0;
}

/* A copy, and a store that may have lost what it has stamped, begin as somebody else.
 * What they hold nobody doubts: a copy was equal, and what was lost was never sent. */
static liana_status choose_actor(struct lia_db *db,
                                 struct lia_conn *conn,
                                 uint64_t *out,
                                 struct liana_error *err)
{
    struct lia_renewing renewing = {.actor = db->identity.actor};
    struct lia_left left;
    liana_status status;

    if (!renewing.actor || lia_store_durability(db->store) == LIA_MEMORY) {
        *out = lia_new_actor(db);
        return LIANA_OK;
    }
    *out = renewing.actor;
    status = lia_epoch_left(conn, &left, err);
    if (status) {
        return status;
    }
    renewing.reason = reason_to_renew(db, &left);
    if (renewing.reason) {
        *out = lia_new_actor(db);
        status = lia_renewal_put(db, conn, &renewing, err);
    }
    return status;
}

/* Others will have dropped what it holds: there is no way back. */
static liana_status become_keeper(struct lia_db *db,
                                  struct lia_conn *conn,
                                  struct liana_error *err)
{
    db->identity.is_keeper = true;
    return lia_books_run(conn, err, "UPDATE state SET keeper = 1", "");
}

/* ---- opening ---- */

static liana_status load(struct lia_db *db,
                         struct lia_conn *conn,
                         const struct lia_db_options *options,
                         struct lia_epoch *epoch,
                         struct liana_error *err)
{
    uint64_t actor = 0;
    liana_status status = read_state(db, conn, err);

    if (status == LIANA_EEND) {
        status = make_state(db, conn, options->database, err);
    } else if (!status) {
        status = check_database(db, options->database, err);
    }
    if (!status) {
        status = choose_actor(db, conn, &actor, err);
    }
    if (!status && options->is_keeper) {
        status = become_keeper(db, conn, err);
    }
    if (!status) {
        status = lia_epoch_begin(db, conn, actor, epoch, err);
    }
    if (!status) {
        status = lia_age_put(db, conn, err);
    }
    if (!status) {
        status = lia_doubts_load(db, conn, err);
    }
    if (!status) {
        status = lia_books_run(conn, err, "DELETE FROM stage", "");
    }
    if (!status) {
        status = lia_coll_load(db, conn, err);
    }
    return status ? status : lia_reg_load(db, conn, err);
}

/* Everything that was recovered is made durable with the epoch, before anything of it
 * can leave the store. */
static liana_status begin_epoch(struct lia_db *db,
                                const struct lia_db_options *options,
                                struct liana_error *err)
{
    struct lia_store_mark mark = {0};
    struct lia_epoch epoch = {0};
    struct lia_conn *conn;
    liana_status status = lia_books_begin(db, &conn, err);

    if (status) {
        return status;
    }
    status = load(db, conn, options, &epoch, err);
    if (!status) {
        lia_store_start_seq(db->store, db->state.seq);
        status = lia_store_write_commit(db->store, db->state.seq, &mark, err);
    }
    lia_store_write_end(db->store);
    if (!status) {
        status = lia_store_wait_durable(db->store, mark.commit, err);
    }
    if (!status) {
        lia_epoch_publish(db, &epoch);
        db->listen.commit = mark.commit;
        db->listen.seq = mark.seq;
        lia_store_on_durable(db->store, lia_listen_wake, db);
    }
    return status;
}

static liana_status init(struct lia_db *db, const struct lia_db_options *options)
{
    liana_status status = lia_mutex_init(&db->mutex);

    if (status) {
        return status;
    }
    status = lia_cond_init(&db->published);
    if (status) {
        goto no_cond;
    }
    status = lia_listening_init(&db->listen);
    if (status) {
        goto no_listening;
    }
    status = lia_statements_init(&db->statements, db->env->alloc);
    if (status) {
        goto no_statements;
    }
    db->predicates = options->predicates ? options->predicates : &lia_lang_predicates;
    db->time_floor_ms = options->time_floor_ms;
    db->clock_ahead_ms =
        options->clock_ahead_ms ? options->clock_ahead_ms : LIA_CLOCK_AHEAD_MS;
    db->file = options->file_identity;
    db->conflicts_max =
        options->conflicts_max ? options->conflicts_max : LIA_CONFLICTS_MAX;
    db->reader_wait_ms =
        options->reader_wait_ms ? options->reader_wait_ms : LIA_READER_WAIT_MS;
    db->tombstone_ttl_ms =
        options->tombstone_ttl_ms ? options->tombstone_ttl_ms : LIA_TOMBSTONE_TTL_MS;
    return LIANA_OK;
no_statements:
    lia_listening_deinit(db);
no_listening:
    lia_cond_deinit(&db->published);
no_cond:
    lia_mutex_deinit(&db->mutex);
    return status;
}

static void free_regs(struct lia_db *db)
{
    lia_interests_free(db);
    while (db->registrations) {
        struct lia_reg *reg = db->registrations;

        db->registrations = reg->next;
        lia_reg_put(db, reg);
    }
}

/* With the store closed. */
static void deinit(struct lia_db *db)
{
    free_regs(db);
    lia_statements_deinit(&db->statements);
    lia_listening_deinit(db);
    lia_cond_deinit(&db->published);
    lia_mutex_deinit(&db->mutex);
    lia_coll_free_all(db->env->alloc, db->collections);
    lia_mem_free(db->env->alloc, db, sizeof(*db));
}

/* Every connection can run statements (db/exec.h). */
static liana_status register_functions(void *ctx, sqlite3 *sqlite)
{
    const struct lia_db *db = ctx;

    return lia_sqlfn_register(sqlite, db->env->alloc);
}

liana_status lia_db_open(const struct lia_db_options *options,
                         struct lia_db **out,
                         struct liana_error *err)
{
    const struct lia_env *env = options->store.env;
    struct lia_db *db;
    struct lia_store_options store;
    liana_status status;

    if (options->database.len && options->database.len != LIA_DATABASE_ID_BYTES) {
        return lia_err(err, LIANA_EINVAL, "a database id has %d bytes",
                       LIA_DATABASE_ID_BYTES);
    }
    db = lia_mem_zalloc(env->alloc, sizeof(*db));
    if (!db) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    db->env = env;
    status = init(db, options);
    if (status) {
        lia_mem_free(env->alloc, db, sizeof(*db));
        return lia_err_plain(err, status);
    }
    store = options->store;
    store.on_connect = register_functions;
    store.on_connect_ctx = db;
    status = lia_store_open(&store, &db->store, err);
    if (!status && !db->file) {
        status = lia_store_file_identity(db->store, &db->file, err);
    }
    if (!status) {
        status = begin_epoch(db, options, err);
    }
    if (status) {
        lia_store_abandon(db->store);
        deinit(db);
        return status;
    }
    *out = db;
    return LIANA_OK;
}

liana_status lia_db_close(struct lia_db *db, struct liana_error *err)
{
    liana_status ended;
    liana_status closed;

    if (!db) {
        return LIANA_OK;
    }
    ended = lia_epoch_end(db, err);
    closed = lia_store_close(db->store, err);
    deinit(db);
    return ended ? ended : closed;
}

/* ---- what it is ---- */

struct lia_db_identity lia_db_identity(struct lia_db *db)
{
    struct lia_db_identity identity;

    lia_mutex_lock(&db->mutex);
    identity = db->identity;
    lia_mutex_unlock(&db->mutex);
    return identity;
}

struct liana_str lia_db_name(const struct lia_db *db)
{
    return (struct liana_str){db->name, db->name_len};
}

liana_status lia_db_set_name(struct lia_db *db,
                             struct liana_str name,
                             struct liana_error *err)
{
    struct lia_conn *conn;
    liana_status status;

    if (name.len > sizeof(db->name)) {
        return lia_err(err, LIANA_EINVAL, "the name is longer than %d bytes",
                       LIA_NAME_BYTES_MAX);
    }
    status = lia_books_begin(db, &conn, err);
    if (status) {
        return status;
    }
    status = lia_books_run(conn, err, "UPDATE state SET name = ?1", "t", name);
    status = lia_books_end_durable(db, status, err);
    if (!status) {
        keep_name(db, name);
    }
    return status;
}

struct lia_store *lia_db_store(struct lia_db *db)
{
    return db->store;
}
