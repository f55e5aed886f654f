/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "db/internal.h"

/* One row of a query with up to two blob parameters, on a snapshot of its own. `read`
 * takes the columns. */
struct ask {
    const char *sql;
    struct liana_slice first;
    struct liana_slice second;
    liana_status (*read)(sqlite3_stmt *stmt, void *out);
    void *out;
    const char *what; /* for LIANA_ENOTFOUND */
};

static liana_status ask_on(struct lia_conn *conn,
                           const struct ask *ask,
                           struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_conn_prepare(conn, lia_str(ask->sql), &stmt, err);

    if (status) {
        return status;
    }
    for (int at = 1; at <= sqlite3_bind_parameter_count(stmt); at++) {
        lia_bind_slice(stmt, at, at == 1 ? ask->first : ask->second);
    }
    status = lia_conn_step(conn, stmt, err);
    if (status == LIANA_EEND) {
        status = lia_err(err, LIANA_ENOTFOUND, "there is no %s", ask->what);
    } else if (!status) {
        status = lia_err_plain(err, ask->read(stmt, ask->out));
    }
    lia_conn_done(conn, stmt);
    return status;
}

static liana_status ask(struct lia_db *db,
                        const struct ask *question,
                        struct liana_error *err)
{
    struct lia_conn *conn;
    liana_status status = lia_store_read_begin(db->store, &conn, err);

    if (status) {
        return status;
    }
    status = ask_on(conn, question, err);
    lia_store_read_end(db->store, conn);
    return status;
}

/* ---- tokens ---- */

struct token_out {
    struct lia_arena *arena;
    struct lia_token *token;
};

static liana_status read_token(sqlite3_stmt *stmt, void *out)
{
    const struct token_out *to = out;

    to->token->epoch = lia_column_u64(stmt, 0);
    to->token->seq = lia_column_u64(stmt, 2);
    to->token->is_again = lia_column_u64(stmt, 3);
    return lia_arena_copy(to->arena, lia_column_slice(stmt, 1), &to->token->context)
               ? LIANA_OK
               : LIANA_ENOMEM;
}

liana_status lia_db_token(struct lia_db *db,
                          struct lia_arena *arena,
                          struct liana_slice peer,
                          struct liana_slice subscription,
                          struct lia_token *out,
                          struct liana_error *err)
{
    struct lia_token token = {0};
    struct token_out to = {arena, &token};
    const struct ask question = {"SELECT epoch, context, seq, again FROM token "
                                 "WHERE peer = ?1 AND subscription = ?2",
                                 peer,
                                 subscription,
                                 read_token,
                                 &to,
                                 "token"};
    liana_status status = ask(db, &question, err);

    if (!status) {
        status = lia_db_awaits(db, peer, subscription, &token.awaits, err);
    }
    if (!status && (!lia_arena_copy(arena, peer, &token.peer) ||
                    !lia_arena_copy(arena, subscription, &token.subscription))) {
        status = lia_err_plain(err, LIANA_ENOMEM);
    }
    if (!status) {
        *out = token;
    }
    return status;
}

liana_status lia_db_token_drop(struct lia_db *db,
                               struct liana_slice peer,
                               struct liana_slice subscription,
                               struct liana_error *err)
{
    struct lia_conn *conn;
    liana_status status = lia_books_begin(db, &conn, err);

    if (status) {
        return status;
    }
    status = lia_books_run(conn, err,
                           "DELETE FROM token WHERE peer = ?1 AND subscription = ?2",
                           "ss", peer, subscription);
    return lia_books_end(db, status, err);
}

/* ---- peers ---- */

static liana_status read_seen(sqlite3_stmt *stmt, void *out)
{
    struct lia_seen seen = {
        .epoch = lia_column_u64(stmt, 0),
        .seq = lia_column_u64(stmt, 1),
        .stamp = {lia_column_u64(stmt, 2), lia_column_u64(stmt, 3)}};
    liana_status status = lia_openings_decode(lia_column_slice(stmt, 4), &seen);

    if (!status) {
        *(struct lia_seen *)out = seen;
    }
    return status;
}

liana_status lia_db_seen(struct lia_db *db,
                         struct liana_slice peer,
                         struct lia_seen *out,
                         struct liana_error *err)
{
    const struct ask question = {
        .sql = "SELECT epoch, seq, hlc, actor, openings FROM seen WHERE peer = ?1 "
               "ORDER BY n DESC LIMIT 1",
        .first = peer,
        .read = read_seen,
        .out = out,
        .what = "such peer"};

    return ask(db, &question, err);
}

static liana_status seen_elsewhere(struct lia_conn *conn,
                                   struct liana_slice peer,
                                   uint64_t actor,
                                   bool *out,
                                   struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status =
        lia_conn_prepare(conn,
                         lia_str("SELECT EXISTS (SELECT 1 FROM seen WHERE actor = ?1 "
                                 "AND peer <> ?2)"),
                         &stmt, err);

    if (status) {
        return status;
    }
    lia_bind_u64(stmt, 1, actor);
    lia_bind_slice(stmt, 2, peer);
    status = lia_conn_step(conn, stmt, err);
    if (!status) {
        *out = lia_column_u64(stmt, 0);
    }
    lia_conn_done(conn, stmt);
    return status;
}

liana_status lia_db_seen_elsewhere(struct lia_db *db,
                                   struct liana_slice peer,
                                   uint64_t actor,
                                   bool *out,
                                   struct liana_error *err)
{
    struct lia_conn *conn;
    liana_status status = lia_store_read_begin(db->store, &conn, err);

    if (status) {
        return status;
    }
    status = seen_elsewhere(conn, peer, actor, out, err);
    lia_store_read_end(db->store, conn);
    return status;
}

/* ---- marks ---- */

static liana_status read_marks(struct lia_conn *conn,
                               sqlite3_stmt *stmt,
                               struct lia_buf *out,
                               struct liana_error *err)
{
    liana_status status;

    for (;;) {
        struct lia_vector_entry entry;

        status = lia_conn_step(conn, stmt, err);
        if (status) {
            break;
        }
        entry =
            (struct lia_vector_entry){lia_column_u64(stmt, 0), lia_column_u64(stmt, 1)};
        lia_buf_bytes(out, &entry, sizeof(entry));
    }
    return status == LIANA_EEND ? lia_err_plain(err, out->status) : status;
}

static int by_actor(const void *a, const void *b)
{
    uint64_t x = ((const struct lia_vector_entry *)a)->actor;
    uint64_t y = ((const struct lia_vector_entry *)b)->actor;

    return (x > y) - (x < y);
}

/* SQLite orders actors as signed numbers, a vector as unsigned ones. */
static liana_status make_vector(struct lia_arena *arena,
                                struct liana_slice entries,
                                struct lia_vector *out)
{
    size_t count = entries.len / sizeof(struct lia_vector_entry);
    struct lia_vector_entry *all = lia_arena_array(arena, count, sizeof(*all));

    if (!all) {
        return LIANA_ENOMEM;
    }
    if (count) {
        memcpy(all, entries.ptr, entries.len);
        qsort(all, count, sizeof(*all), by_actor);
    }
    *out = (struct lia_vector){all, count};
    return LIANA_OK;
}

static liana_status read_own(sqlite3_stmt *stmt, void *out)
{
    *(struct lia_stamp *)out =
        (struct lia_stamp){lia_column_u64(stmt, 0), lia_column_u64(stmt, 1)};
    return LIANA_OK;
}

liana_status lia_kept_vector(struct lia_conn *conn,
                             struct lia_db *db,
                             struct lia_arena *arena,
                             struct liana_slice name,
                             struct lia_vector *out,
                             struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    struct lia_buf entries;
    liana_status status = lia_conn_prepare(
        conn, lia_str("SELECT actor, hlc FROM mark WHERE subscription = ?1"), &stmt,
        err);

    if (status) {
        return status;
    }
    lia_buf_init(&entries, db->env->alloc);
    lia_bind_slice(stmt, 1, name);
    status = read_marks(conn, stmt, &entries, err);
    lia_conn_done(conn, stmt);
    if (!status) {
        status = lia_err_plain(err, make_vector(arena, lia_buf_slice(&entries), out));
    }
    lia_buf_deinit(&entries);
    return status;
}

liana_status lia_kept_marks(struct lia_conn *conn,
                            struct lia_db *db,
                            struct lia_arena *arena,
                            struct liana_slice subscription,
                            struct lia_vector *out,
                            struct liana_error *err)
{
    struct lia_stamp own = LIA_STAMP_NONE;
    const struct ask question = {.sql = "SELECT own, actor FROM state",
                                 .read = read_own,
                                 .out = &own,
                                 .what = "state"};
    struct lia_vector vector = {0};
    liana_status status = ask_on(conn, &question, err);

    if (!status) {
        status = lia_kept_vector(conn, db, arena, subscription, &vector, err);
    }
    if (!status && own.hlc) {
        status = lia_err_plain(err, lia_vector_with(arena, vector, own, &vector));
    }
    if (!status) {
        *out = vector;
    }
    return status;
}

liana_status lia_db_marks(struct lia_db *db,
                          struct lia_arena *arena,
                          struct liana_slice subscription,
                          struct lia_vector *out,
                          struct liana_error *err)
{
    struct lia_conn *conn;
    liana_status status = lia_store_read_begin(db->store, &conn, err);

    if (status) {
        return status;
    }
    status = lia_kept_marks(conn, db, arena, subscription, out, err);
    lia_store_read_end(db->store, conn);
    return status;
}
