/* SPDX-License-Identifier: Apache-2.0 */
#include "db/internal.h"

/* Calls `each` for every key with its row, on one snapshot. */
typedef liana_status (*each_fn)(void *ctx,
                                size_t index,
                                const struct lia_row *row,
                                struct liana_error *err);

static liana_status get_row(struct lia_db *db,
                            struct lia_conn *conn,
                            const struct lia_key *key,
                            uint32_t ids,
                            struct lia_arena *arena,
                            struct lia_row *out,
                            struct liana_error *err)
{
    const struct lia_coll *coll = lia_coll_find(db, key->collection);

    *out = (struct lia_row){0};
    return coll && coll->pub.id <= ids
               ? lia_row_get(conn, coll, key->key, arena, out, err)
               : LIANA_OK;
}

static liana_status read_ids(struct lia_db *db,
                             struct lia_conn *conn,
                             uint32_t *out,
                             struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status =
        lia_conn_prepare(conn, lia_str("SELECT max(id) FROM collection"), &stmt, err);

    if (!status) {
        status = lia_conn_step(conn, stmt, err);
    }
    if (!status) {
        *out = (uint32_t)lia_column_u64(stmt, 0);
        lia_coll_await(db, *out);
    }
    lia_conn_done(conn, stmt);
    return status;
}

static liana_status each_key(struct lia_db *db,
                             struct lia_arena *arena,
                             const struct lia_key *keys,
                             size_t count,
                             each_fn each,
                             void *ctx,
                             struct liana_error *err)
{
    struct lia_conn *conn;
    struct lia_row row;
    uint32_t ids = 0;
    liana_status status = lia_store_read_begin(db->store, &conn, err);

    if (status) {
        return status;
    }
    status = read_ids(db, conn, &ids, err);
    for (size_t i = 0; i < count && !status; i++) {
        status = get_row(db, conn, &keys[i], ids, arena, &row, err);
        if (!status) {
            status = each(ctx, i, &row, err);
        }
    }
    lia_store_read_end(db->store, conn);
    return status;
}

static liana_status put_doc(void *ctx,
                            size_t index,
                            const struct lia_row *row,
                            struct liana_error *err)
{
    struct lia_held *out = ctx;

    (void)err;
    out[index] = (struct lia_held){row->seq, row->doc};
    return LIANA_OK;
}

liana_status lia_db_docs(struct lia_db *db,
                         struct lia_arena *arena,
                         const struct lia_key *keys,
                         size_t count,
                         struct lia_held *out,
                         struct liana_error *err)
{
    return each_key(db, arena, keys, count, put_doc, out, err);
}

/* Bodies of documents that only their heads are asked of do not stay in the arena. */
struct heads {
    const struct lia_key *keys;
    struct lia_doc_head *out;
    struct lia_arena *arena;
    struct lia_arena *rows;
    struct lia_doubts doubts;
};

static liana_status put_head(void *ctx,
                             size_t index,
                             const struct lia_row *row,
                             struct liana_error *err)
{
    const struct heads *heads = ctx;
    struct lia_doc_head head = {.is_held = row->seq != 0};
    struct liana_slice clock = {0};
    struct lia_doc_info info;
    liana_status status = LIANA_OK;

    if (head.is_held) {
        if (!lia_arena_copy(heads->arena, row->doc.clock, &clock)) {
            return lia_err_plain(err, LIANA_ENOMEM);
        }
        status = lia_doc_info(heads->arena, clock, &info);
        if (!status) {
            status = lia_doc_digest(heads->keys[index].key, clock, head.digest);
        }
        if (!status) {
            head.exists = info.exists;
            head.is_doubted = lia_doubts_touch(&heads->doubts, info.vector);
            status = lia_doubts_lower(&heads->doubts, heads->arena, info.vector,
                                      &head.vector);
        }
    }
    lia_arena_reset(heads->rows);
    heads->out[index] = head;
    return lia_err_plain(err, status);
}

liana_status lia_db_heads(struct lia_db *db,
                          struct lia_arena *arena,
                          const struct lia_key *keys,
                          size_t count,
                          struct lia_doc_head *out,
                          struct liana_error *err)
{
    struct lia_arena rows;
    struct heads heads = {keys, out, arena, &rows, lia_doubts_of(db)};
    liana_status status;

    lia_arena_init(&rows, db->env->alloc);
    status = each_key(db, &rows, keys, count, put_head, &heads, err);
    lia_arena_deinit(&rows);
    return status;
}
