/* SPDX-License-Identifier: Apache-2.0 */
#include "sim/check.h"
#include "sim/keepers.h"
#include "sim/oracle.h"
#include "sim/past.h"

void sim_check_integrity(struct sim_world *w, int n)
{
    struct lia_conn *conn;
    sqlite3_stmt *stmt;
    struct lia_txn_options options = lia_txn_options(w->nodes[n].db, LIA_READ);
    struct lia_txn *txn;

    LIA_ASSERT(!lia_txn_begin(w->nodes[n].db, &options, &txn, NULL));
    conn = lia_txn_conn(txn);
    LIA_ASSERT(!lia_conn_prepare(conn, lia_str("PRAGMA integrity_check"), &stmt, NULL));
    LIA_ASSERT(!lia_conn_step(conn, stmt, NULL));
    if (lia_slice_cmp(lia_str_slice(lia_column_str(stmt, 0)),
                      lia_str_slice(lia_str("ok"))) != 0) {
        sim_fail(w, "node %d: the database file is damaged", n);
    }
    lia_conn_done(conn, stmt);
    lia_txn_rollback(txn);
}

/* The first of it that is not forgotten tells. */
static bool has_any(const struct sim_world *w, int n, const struct sim_txn *t)
{
    for (size_t i = 0; i < t->count; i++) {
        if (sim_holds(w, n, t->docs[i], t->stamp)) {
            return true;
        }
    }
    return false;
}

/* A transaction whose commit failed has survived, or not: now it is known. If not, and its
 * actor goes on, later stamps say nothing of it. */
static void settle_open(struct sim_world *w, int n)
{
    const uint64_t actor = lia_db_identity(w->nodes[n].db).actor;

    for (size_t i = w->txn_count; i > 0; i--) {
        struct sim_txn *t = &w->txns[i - 1];

        if (t->is_open && t->node == n) {
            t->is_open = false;
            t->is_certain = w->past ? sim_past_survives(w, t) : has_any(w, n, t);
            t->is_void = !t->is_certain && t->stamp.actor == actor;
        }
    }
}

/* Deleted, forgotten and begun anew, before the commits that did it were seen. */
static bool is_begun_anew(const struct sim_world *w,
                          const struct sim_seen *seen,
                          const struct lia_doc_info *info)
{
    struct lia_stamp newest = info->exists ? info->created : info->deleted;

    return sim_has_keepers(w) && seen->is_dead &&
           !lia_vector_covers(sim_seen_vector(seen), newest);
}

void sim_check_reopened(struct sim_world *w, int n)
{
    struct lia_arena arena;
    struct lia_held *held;

    lia_arena_init(&arena, &lia_mem_libc);
    sim_check_integrity(w, n);
    held = sim_read_all(w, n, &arena);
    sim_restamp_reopened(w, n);
    for (uint32_t d = 0; d < SIM_DOCS; d++) {
        struct sim_seen *seen = &w->nodes[n].seen[d];
        /* Durable or not: of a log the beginning is left. */
        bool is_dropped =
            !held[d].seq && (sim_was_deleted(w, d) || sim_was_evicted(w, n, d));
        struct lia_doc_info info = {0};

        if (held[d].seq && lia_doc_info(&arena, held[d].doc.clock, &info)) {
            sim_fail(w, "node %d: document %u: a clock that is none", n, d);
        }
        if (sim_past_is_back(w, n)) {
            *seen = (struct sim_seen){.is_held = false};
        } else if (!is_dropped && !is_begun_anew(w, seen, &info) &&
                   !lia_vector_geq(info.vector, sim_seen_vector(seen))) {
            sim_fail(w, "node %d: document %u was acknowledged and is lost", n, d);
        }
        if (held[d].seq) {
            sim_check_bytes(w, n, d, info.vector, held[d].doc);
        }
        sim_remember(w, n, d, &info);
    }
    if (sim_past_is_back(w, n)) {
        sim_past_settle(w, n);
    } else {
        settle_open(w, n);
    }
    if (sim_is_normal(w, n)) {
        sim_forget_marks(w, n);
    }
    sim_oracle_reopened(w, n, held);
    lia_arena_deinit(&arena);
}
