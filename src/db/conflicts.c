/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdio.h>

#include "codec/key.h"
#include "codec/key_id.h"
#include "db/internal.h"

/*
 * system:conflicts: what merges have discarded here (docs/query.md). A collection like
 * others, so that it is read, paged and followed like others, but local: rows have a body
 * and no clock, and no peer can name it. Rows are numbered; the oldest give way.
 */

#define NAME "system:conflicts"

/* A larger value is not kept, only its size is. */
#define VALUE_BYTES_MAX ((size_t)64 * 1024)

struct lia_lost {
    struct lia_lost *next;
    struct lia_loser what; /* path and value are in the arena */
    size_t bytes;          /* of the value */
};

struct liana_str lia_conflicts_name(void)
{
    return lia_str(NAME);
}

/* ---- noting ---- */

static bool copy_path(struct lia_arena *arena,
                      struct lia_path from,
                      struct lia_path *out)
{
    struct liana_str *names = lia_arena_array(arena, from.count, sizeof(*names));

    for (size_t i = 0; names && i < from.count; i++) {
        struct liana_slice name;

        if (!lia_arena_copy(arena, lia_str_slice(from.names[i]), &name)) {
            return false;
        }
        names[i] = lia_slice_str(name);
    }
    *out = (struct lia_path){names, from.count};
    return names != NULL;
}

static void note(void *ctx, const struct lia_loser *loser)
{
    struct lia_losers *losers = ctx;
    struct lia_lost *lost;

    if (losers->count >= losers->max || losers->is_out_of_memory) {
        return;
    }
    lost = LIA_ARENA_NEW(losers->arena, struct lia_lost);
    losers->is_out_of_memory = true;
    if (!lost || !copy_path(losers->arena, loser->path, &lost->what.path)) {
        return;
    }
    lost->what.stamp = loser->stamp;
    lost->what.winner = loser->winner;
    lost->what.value.type = loser->value.type;
    lost->bytes = loser->value.data.len;
    if (lost->bytes <= VALUE_BYTES_MAX &&
        !lia_arena_copy(losers->arena, loser->value.data, &lost->what.value.data)) {
        return;
    }
    losers->is_out_of_memory = false;
    *losers->last = lost;
    losers->last = &lost->next;
    losers->count++;
}

struct lia_watch lia_losers_watch(struct lia_losers *losers,
                                  struct lia_db *db,
                                  struct lia_arena *arena)
{
    *losers = (struct lia_losers){
        .arena = arena, .max = db->conflicts_max, .last = &losers->first};
    return (struct lia_watch){note, losers};
}

/* ---- a row ---- */

static void add_stamp(struct lia_buf *out, const char *name, struct lia_stamp stamp)
{
    size_t mark = lia_bson_begin_in(out, LIA_BSON_DOCUMENT, lia_str(name));
    char actor[17];

    snprintf(actor, sizeof(actor), "%016" PRIx64, stamp.actor);
    lia_bson_add_date(out, lia_str("at"), (int64_t)lia_hlc_ms(stamp.hlc));
    lia_bson_add_int64(out, lia_str("hlc"), (int64_t)stamp.hlc);
    lia_bson_add_str(out, lia_str("author"), lia_str(actor));
    lia_bson_end(out, mark);
}

static void add_path(struct lia_buf *out, struct lia_path path)
{
    size_t mark = lia_bson_begin_in(out, LIA_BSON_ARRAY, lia_str("path"));

    for (size_t i = 0; i < path.count; i++) {
        char digits[12];

        lia_bson_add_str(out, lia_bson_index_name((uint32_t)i, digits), path.names[i]);
    }
    lia_bson_end(out, mark);
}

static void add_value(struct lia_buf *out, const struct lia_lost *lost)
{
    if (lost->what.value.type == LIA_BSON_END) {
        lia_bson_add_bool(out, lia_str("removed"), true);
    } else if (lost->bytes <= VALUE_BYTES_MAX) {
        lia_bson_add(out, lia_str("value"), lost->what.value);
    } else {
        lia_bson_add_int64(out, lia_str("bytes"), (int64_t)lost->bytes);
    }
}

/* The _id as the document shows it; of a tombstone, a value equal to it. */
static liana_status add_document(struct lia_buf *out,
                                 const struct lia_lost_of *of,
                                 struct liana_error *err)
{
    struct lia_value id = {0};
    struct lia_buf made;
    liana_status status = LIANA_OK;

    lia_buf_init(&made, out->alloc);
    if (!lia_bson_find(of->body, lia_str("_id"), &id)) {
        status = lia_key_id(of->key, &made, err);
        if (!status && !lia_bson_find(lia_buf_slice(&made), lia_str("_id"), &id)) {
            status = lia_err_plain(err, made.status ? made.status : LIANA_ECORRUPT);
        }
    }
    if (!status) {
        lia_bson_add(out, lia_str("document"), id);
    }
    lia_buf_deinit(&made);
    return status;
}

static liana_status make_body(struct lia_buf *out,
                              uint64_t number,
                              const struct lia_lost_of *of,
                              const struct lia_lost *lost,
                              struct liana_error *err)
{
    size_t mark = lia_bson_begin(out);
    liana_status status;

    lia_bson_add_int64(out, lia_str("_id"), (int64_t)number);
    lia_bson_add_str(out, lia_str("collection"), of->collection);
    status = add_document(out, of, err);
    add_path(out, lost->what.path);
    add_value(out, lost);
    add_stamp(out, "lost", lost->what.stamp);
    add_stamp(out, "kept", lost->what.winner);
    lia_bson_end(out, mark);
    return status ? status : lia_err_plain(err, out->status);
}

/* ---- the collection ---- */

static liana_status last_number(struct lia_txn *txn,
                                const struct lia_coll *coll,
                                uint64_t *out,
                                struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    char sql[64];
    liana_status status;

    snprintf(sql, sizeof(sql), "SELECT max(rowid) FROM c%u", coll->pub.id);
    status = lia_conn_prepare(txn->conn, lia_str(sql), &stmt, err);
    if (!status) {
        status = lia_conn_step(txn->conn, stmt, err);
    }
    if (!status) {
        *out = lia_column_u64(stmt, 0);
    }
    lia_conn_done(txn->conn, stmt);
    return status;
}

static liana_status put_row(struct lia_txn *txn,
                            const struct lia_coll *coll,
                            uint64_t number,
                            struct liana_slice body,
                            struct liana_error *err)
{
    const struct lia_row none = {0};
    struct lia_scratch scratch;
    struct lia_buf key;
    liana_status status;

    lia_buf_init(&key, txn->db->env->alloc);
    status = lia_key_of_id(lia_value_of_int64((int64_t)number, &scratch), &key, err);
    if (!status) {
        status = lia_row_put(txn, coll, lia_buf_slice(&key), &none,
                             (struct lia_doc){.body = body}, err);
    }
    lia_buf_deinit(&key);
    return status;
}

static liana_status put_all(struct lia_txn *txn,
                            const struct lia_coll *coll,
                            const struct lia_lost_of *of,
                            const struct lia_losers *losers,
                            struct liana_error *err)
{
    struct lia_buf body;
    uint64_t number = 0;
    liana_status status = last_number(txn, coll, &number, err);

    lia_buf_init(&body, txn->db->env->alloc);
    for (const struct lia_lost *l = losers->first; l && !status; l = l->next) {
        lia_buf_reset(&body);
        status = make_body(&body, ++number, of, l, err);
        if (!status) {
            status = put_row(txn, coll, number, lia_buf_slice(&body), err);
        }
    }
    lia_buf_deinit(&body);
    return status;
}

static liana_status drop_oldest(struct lia_txn *txn,
                                const struct lia_coll *coll,
                                struct liana_error *err)
{
    char sql[128];

    snprintf(sql, sizeof(sql),
             "DELETE FROM c%u WHERE rowid <= (SELECT max(rowid) FROM c%u) - ?1",
             coll->pub.id, coll->pub.id);
    return lia_books_run(txn->conn, err, sql, "u", (uint64_t)txn->db->conflicts_max);
}

liana_status lia_conflicts_put(struct lia_txn *txn,
                               const struct lia_lost_of *of,
                               const struct lia_losers *losers,
                               struct liana_error *err)
{
    const struct lia_coll *coll = NULL;
    liana_status status;

    if (losers->is_out_of_memory) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    if (!losers->first) {
        return LIANA_OK;
    }
    status = lia_coll_for_system(txn, lia_conflicts_name(), &coll, err);
    if (!status) {
        status = put_all(txn, coll, of, losers, err);
    }
    return status ? status : drop_oldest(txn, coll, err);
}
