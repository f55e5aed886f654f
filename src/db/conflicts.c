/* SPDX-License-Identifier: Apache-2.0 */
#include "db/conflicts.h"

#include "crdt/mutant.h"

#include <stdio.h>

#include "codec/key.h"
#include "db/internal.h"
#include "lang/value.h"

#define NAME "system:conflicts"

struct liana_str lia_conflicts_name(void)
{
    return lia_str(NAME);
}

/* ---- noting ---- */

/* As many names as there is room for. */
static bool copy_path(struct lia_notes *notes,
                      struct lia_path from,
                      struct lia_note *out)
{
    struct liana_str *names = lia_arena_array(notes->arena, from.count, sizeof(*names));
    size_t left = LIA_NOTED_PATH_MAX;
    size_t count = 0;

    while (names && count < from.count && from.names[count].len <= left) {
        struct liana_slice name;

        if (!lia_arena_copy(notes->arena, lia_str_slice(from.names[count]), &name)) {
            return false;
        }
        left -= name.len;
        names[count++] = lia_slice_str(name);
    }
    out->path = (struct lia_path){names, count};
    out->is_path_cut = count < from.count;
    return names != NULL;
}

static bool fill(struct lia_notes *notes,
                 struct lia_path path,
                 struct lia_value value,
                 struct lia_note *out)
{
    out->value.type = value.type;
    out->bytes = value.data.len;
    return copy_path(notes, path, out) &&
           (out->bytes > LIA_NOTED_VALUE_MAX ||
            lia_arena_copy(notes->arena, value.data, &out->value.data));
}

/* NULL: it is not noted. */
static struct lia_note *add(struct lia_notes *notes,
                            struct lia_path path,
                            struct lia_value value)
{
    struct lia_note *note;

    if (notes->is_out_of_memory) {
        return NULL;
    }
    if (notes->count >= notes->max) {
        notes->passed_over++;
        return NULL;
    }
    note = LIA_ARENA_NEW(notes->arena, struct lia_note);
    if (!note || !fill(notes, path, value, note)) {
        notes->is_out_of_memory = true;
        return NULL;
    }
    *notes->last = note;
    notes->last = &note->next;
    notes->count++;
    return note;
}

static void note_loser(void *ctx, const struct lia_loser *loser)
{
    struct lia_note *note = add(ctx, loser->path, loser->value);

    if (note) {
        note->lost = loser->stamp;
        note->kept = loser->winner;
    }
}

void lia_notes_breach(struct lia_notes *notes, const struct lia_breach *breach)
{
    const struct lia_declared *d = breach->declared;
    struct lia_note *note =
        add(notes, (struct lia_path){d->names, d->count}, breach->value);

    if (note) {
        note->is_breach = true;
        note->breach = *breach;
        note->breach.value = note->value;
    }
}

struct lia_watch lia_notes_init(struct lia_notes *out,
                                struct lia_db *db,
                                struct lia_arena *arena)
{
    *out = (struct lia_notes){
        .arena = arena, .max = db->conflicts_max, .last = &out->first};
    return (struct lia_watch){.lost = note_loser, .ctx = out};
}

/* ---- numbers ---- */

/* LIANA_EEND: there was no row yet. */
static liana_status read_counts(struct lia_conn *conn,
                                struct lia_conflict_counts *out,
                                struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_conn_prepare(
        conn, lia_str("SELECT last, dropped FROM conflict"), &stmt, err);

    if (!status) {
        status = lia_conn_step(conn, stmt, err);
    }
    if (!status) {
        out->last = lia_column_u64(stmt, 0);
        out->dropped = lia_column_u64(stmt, 1);
    }
    lia_conn_done(conn, stmt);
    return status == LIANA_EEND ? LIANA_OK : status;
}

/* Of a row's number; in order of numbers. */
static liana_status key_of(struct lia_buf *out,
                           uint64_t number,
                           struct liana_error *err)
{
    struct lia_scratch scratch;

    return lia_key_of_id(lia_value_of_int64((int64_t)number, &scratch), out, err);
}

/* ---- the collection ---- */

static liana_status put_row(struct lia_txn *txn,
                            const struct lia_coll *coll,
                            uint64_t number,
                            struct liana_slice body,
                            struct liana_error *err)
{
    const struct lia_row none = {0};
    struct lia_buf key;
    liana_status status;

    lia_buf_init(&key, txn->db->env->alloc);
    status = key_of(&key, number, err);
    if (!status) {
        status = lia_row_put(txn, coll, lia_buf_slice(&key), &none,
                             (struct lia_doc){.body = body}, err);
    }
    lia_buf_deinit(&key);
    return status;
}

static liana_status put_all(struct lia_txn *txn,
                            const struct lia_coll *coll,
                            const struct lia_noted_of *of,
                            const struct lia_notes *notes,
                            uint64_t *number,
                            struct liana_error *err)
{
    struct lia_buf body;
    liana_status status = LIANA_OK;

    lia_buf_init(&body, txn->db->env->alloc);
    for (const struct lia_note *n = notes->first; n && !status; n = n->next) {
        lia_buf_reset(&body);
        status = lia_conflict_row(&body, ++*number, of, n, err);
        if (!status) {
            status = put_row(txn, coll, *number, lia_buf_slice(&body), err);
        }
    }
    lia_buf_deinit(&body);
    return status;
}

/* Those that nobody has removed are counted. */
static liana_status drop_upto(struct lia_txn *txn,
                              const struct lia_coll *coll,
                              uint64_t number,
                              struct lia_conflict_counts *counts,
                              struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    struct lia_buf key;
    char sql[96];
    liana_status status;

    lia_buf_init(&key, txn->db->env->alloc);
    status = key_of(&key, number, err);
    snprintf(sql, sizeof(sql), "SELECT count(body) FROM c%u WHERE key <= ?1",
             coll->pub.id);
    if (!status) {
        status = lia_conn_prepare(txn->conn, lia_str(sql), &stmt, err);
    }
    if (!status) {
        lia_bind_slice(stmt, 1, lia_buf_slice(&key));
        status = lia_conn_step(txn->conn, stmt, err);
    }
    if (!status) {
        counts->dropped += lia_column_u64(stmt, 0);
    }
    lia_conn_done(txn->conn, stmt);
    snprintf(sql, sizeof(sql), "DELETE FROM c%u WHERE key <= ?1", coll->pub.id);
    if (!status) {
        status = lia_books_run(txn->conn, err, sql, "s", lia_buf_slice(&key));
    }
    lia_buf_deinit(&key);
    return status;
}

liana_status lia_conflicts_put(struct lia_txn *txn,
                               const struct lia_noted_of *of,
                               const struct lia_notes *notes,
                               struct liana_error *err)
{
    const size_t max = txn->db->conflicts_max;
    struct lia_conflict_counts counts = {0};
    const struct lia_coll *coll = NULL;
    liana_status status;

    if (notes->is_out_of_memory) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    if (!notes->first || LIA_MUTANT(215)) {
        return LIANA_OK;
    }
    status = read_counts(txn->conn, &counts, err);
    if (!status) {
        status = lia_coll_for_system(txn, lia_conflicts_name(), &coll, err);
    }
    if (!status) {
        status = put_all(txn, coll, of, notes, &counts.last, err);
    }
    if (!status && counts.last > max && !LIA_MUTANT(216)) {
        status = drop_upto(txn, coll, counts.last - max, &counts, err);
    }
    counts.dropped += notes->passed_over;
    return status ? status
                  : lia_books_run(txn->conn, err,
                                  "INSERT OR REPLACE INTO conflict (id, last, dropped) "
                                  "VALUES (1, ?1, ?2)",
                                  "uu", counts.last, counts.dropped);
}

liana_status lia_conflicts_remove(struct lia_txn *txn,
                                  struct liana_slice key,
                                  bool is_told,
                                  bool *out,
                                  struct liana_error *err)
{
    const struct lia_coll *coll = lia_coll_within(txn, lia_conflicts_name());
    const struct lia_doc nothing = {0};
    struct lia_row row = {0};
    liana_status status = lia_txn_enter(txn, true, err);

    if (!status && coll) {
        status = lia_row_get(txn->conn, coll, key, &txn->scratch, &row, err);
    }
    *out = !status && row.doc.body.len > 0;
    if (*out && is_told) {
        status = lia_row_put(txn, coll, key, &row, nothing, err);
    } else if (*out) {
        sqlite3_stmt *stmt = NULL;

        status = lia_conn_prepare(txn->conn, coll->sql_delete, &stmt, err);
        if (!status) {
            lia_bind_slice(stmt, 1, key);
            status = lia_conn_run(txn->conn, stmt, err);
        }
        txn->is_changed = true;
    }
    return lia_txn_leave(txn, status);
}

liana_status lia_conflicts_count(struct lia_txn *txn,
                                 struct lia_conflict_counts *out,
                                 struct liana_error *err)
{
    const struct lia_collection *coll = NULL;
    struct lia_conflict_counts counts = {0};
    sqlite3_stmt *stmt = NULL;
    char sql[64];
    liana_status status =
        lia_txn_collection(txn, lia_conflicts_name(), false, &coll, NULL);

    if (status == LIANA_ENOTFOUND) {
        *out = counts;
        return LIANA_OK;
    }
    status = lia_err_plain(err, status);
    if (!status) {
        status = read_counts(txn->conn, &counts, err);
    }
    if (!status) {
        snprintf(sql, sizeof(sql), "SELECT count(body) FROM c%u", coll->id);
        status = lia_conn_prepare(txn->conn, lia_str(sql), &stmt, err);
    }
    if (!status) {
        status = lia_conn_step(txn->conn, stmt, err);
    }
    if (!status) {
        counts.kept = lia_column_u64(stmt, 0);
        *out = counts;
    }
    lia_conn_done(txn->conn, stmt);
    return status;
}
