/* SPDX-License-Identifier: Apache-2.0 */
#include "crdt/mutant.h"
#include "db/internal.h"

/*
 * Tombstones wait in a queue, in the order in which they came: an entry is (row, seq), and
 * holds as long as the row has that seq and is a tombstone. A piece of work looks at a few
 * entries that have waited long enough, from where the last one ended; what may not be
 * forgotten yet is passed over and looked at again in the next round. So the cost is that of
 * the entries looked at, however many tombstones there are, and a commit pays one row for
 * each document that it deletes.
 */

#define LOOKS        ((size_t)64) /* entries in one piece */
#define RETRY_MS_MIN ((uint64_t)1000)
#define RETRY_MS_MAX ((uint64_t)10 * 60 * 1000)

liana_status lia_forget_later(struct lia_txn *txn,
                              const struct lia_coll *coll,
                              struct liana_slice key,
                              struct liana_error *err)
{
    return lia_books_run(txn->conn, err,
                         "INSERT INTO tombstone (collection, key, seq, age_ms) "
                         "VALUES (?1, ?2, ?3, ?4)",
                         "usuu", (uint64_t)coll->pub.id, key, lia_txn_seq(txn),
                         lia_db_age(txn->db));
}

struct entry {
    uint64_t n;
    uint32_t collection;
    struct liana_slice key;
    uint64_t seq;
    uint64_t age_ms; /* of the store, when it came */
};

static liana_status read_entry(struct lia_conn *conn,
                               sqlite3_stmt *stmt,
                               struct lia_arena *arena,
                               struct entry *out,
                               struct liana_error *err)
{
    liana_status status = lia_conn_step(conn, stmt, err);

    if (status) {
        return status;
    }
    *out = (struct entry){.n = lia_column_u64(stmt, 0),
                          .collection = (uint32_t)lia_column_u64(stmt, 1),
                          .seq = lia_column_u64(stmt, 3),
                          .age_ms = lia_column_u64(stmt, 4)};
    return lia_arena_copy(arena, lia_column_slice(stmt, 2), &out->key)
               ? LIANA_OK
               : lia_err_plain(err, LIANA_ENOMEM);
}

/* The entries after `n`, in the arena. */
static liana_status read_entries(struct lia_conn *conn,
                                 struct lia_arena *arena,
                                 uint64_t n,
                                 struct entry *out,
                                 size_t *out_count,
                                 struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    size_t count = 0;
    liana_status status =
        lia_conn_prepare(conn,
                         lia_str("SELECT n, collection, key, seq, age_ms "
                                 "FROM tombstone WHERE n > ?1 ORDER BY n LIMIT ?2"),
                         &stmt, err);

    if (status) {
        return status;
    }
    lia_bind_u64(stmt, 1, n);
    lia_bind_u64(stmt, 2, LOOKS);
    while (!status && count < LOOKS) {
        status = read_entry(conn, stmt, arena, &out[count], err);
        count += !status;
    }
    lia_conn_done(conn, stmt);
    *out_count = count;
    return status == LIANA_EEND ? LIANA_OK : status;
}

static const struct lia_coll *coll_of(struct lia_txn *txn, uint32_t id)
{
    const struct lia_coll *coll = txn->db->collections;

    while (coll && coll->pub.id != id) {
        coll = coll->next;
    }
    return coll;
}

static liana_status forget(struct lia_txn *txn,
                           const struct lia_coll *coll,
                           const struct entry *entry,
                           const struct lia_row *row,
                           bool *out_forgotten,
                           struct liana_error *err)
{
    struct lia_keeping *keeping;
    struct lia_doc_info info;
    bool is_passed = false;
    liana_status status = lia_txn_keeping(txn, coll->pub.name, &keeping, err);

    if (!status) {
        status = lia_row_info(txn, coll, row->doc.clock, &info, err);
    }
    if (!status) {
        status = lia_row_is_passed(txn, keeping, row, &is_passed, err);
    }
    *out_forgotten =
        !status && is_passed &&
        (LIA_MUTANT(207) ||
         lia_keep_may_forget(&keeping->keep, &info, txn->db->tombstone_ttl_ms,
                             txn->db->tombstone_ttl_ms));
    return *out_forgotten ? lia_row_drop(txn, coll, entry->key, row, &info, err)
                          : status;
}

/* `*out_done`: the entry has no more to say. */
static liana_status look_at(struct lia_txn *txn,
                            const struct entry *entry,
                            bool *out_done,
                            bool *out_forgotten,
                            struct liana_error *err)
{
    const struct lia_coll *coll = coll_of(txn, entry->collection);
    struct lia_row row = {0};
    liana_status status = LIANA_OK;

    lia_arena_reset(&txn->scratch);
    if (coll) {
        status = lia_row_get(txn->conn, coll, entry->key, &txn->scratch, &row, err);
    }
    if (!status && coll && row.seq == entry->seq && row.doc.body.len == 0) {
        status = forget(txn, coll, entry, &row, out_forgotten, err);
        *out_done = *out_forgotten;
    } else {
        *out_done = true;
    }
    return status;
}

/* More may come, or what was passed over become safe elsewhere. */
static uint64_t retry_after(uint64_t ttl)
{
    uint64_t ms = ttl / 4;

    return ms < RETRY_MS_MIN ? RETRY_MS_MIN : ms > RETRY_MS_MAX ? RETRY_MS_MAX : ms;
}

static liana_status end_entry(struct lia_txn *txn, uint64_t n, struct liana_error *err)
{
    return lia_books_run(txn->conn, err, "DELETE FROM tombstone WHERE n = ?1", "u", n);
}

liana_status lia_forget_some(struct lia_txn *txn,
                             uint64_t *cursor,
                             struct lia_upkeep *out,
                             struct liana_error *err)
{
    const uint64_t now = lia_db_age(txn->db);
    const uint64_t ttl = txn->db->tombstone_ttl_ms;
    struct entry *entries = lia_arena_array(&txn->arena, LOOKS, sizeof(*entries));
    uint64_t at = *cursor;
    size_t count = 0;
    size_t i = 0;
    liana_status status =
        entries ? read_entries(txn->conn, &txn->arena, at, entries, &count, err)
                : lia_err_plain(err, LIANA_ENOMEM);

    for (; i < count && !status && (now >= entries[i].age_ms + ttl || LIA_MUTANT(208));
         i++) {
        bool is_done = false;
        bool is_forgotten = false;

        status = look_at(txn, &entries[i], &is_done, &is_forgotten, err);
        if (!status && is_done) {
            status = end_entry(txn, entries[i].n, err);
        }
        at = entries[i].n;
        out->forgotten += is_forgotten;
        out->passed_over += !is_done;
        out->looked_at++;
    }
    if (status || i == LOOKS) {
        *cursor = status ? *cursor : at;
        return status;
    }
    *cursor = 0; /* the round is over */
    out->next_ms = retry_after(ttl);
    if (i < count && entries[i].age_ms + ttl - now < out->next_ms) {
        out->next_ms = entries[i].age_ms + ttl - now;
    }
    return LIANA_OK;
}
