/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/stores.h"

#include <stdio.h>

/* ---- ours ---- */

void bench_liana_open(struct bench_liana *out,
                      const struct lia_env *env,
                      const char *folder)
{
    *out = (struct bench_liana){
        .options = {.store = {.env = env, .path = folder, .create = true}}};
    BENCH_OK(lia_db_open(&out->options, &out->db, &err));
}

void bench_liana_close(struct bench_liana *liana)
{
    BENCH_OK(lia_db_close(liana->db, &err));
}

static struct lia_txn *begin(struct bench_liana *liana)
{
    const struct lia_txn_options options = lia_txn_options(liana->db, LIA_WRITE);
    struct lia_txn *txn = NULL;

    BENCH_OK(lia_txn_begin(liana->db, &options, &txn, &err));
    return txn;
}

void bench_liana_put(struct bench_liana *liana,
                     const struct bench_doc *docs,
                     size_t count)
{
    struct lia_txn *txn = begin(liana);
    const struct lia_collection *c = NULL;

    BENCH_OK(lia_txn_collection(txn, lia_str("c"), true, &c, &err));
    for (size_t i = 0; i < count; i++) {
        BENCH_OK(lia_txn_insert(txn, c, docs[i].bson, NULL, &err));
    }
    BENCH_OK(lia_txn_commit(txn, NULL, &err));
}

size_t bench_liana_select(struct bench_liana *liana, const char *statement)
{
    struct lia_result *result = NULL;
    struct liana_slice row;
    liana_status status;
    size_t rows = 0;

    BENCH_OK(lia_db_execute(liana->db, lia_str(statement), lia_slice(NULL, 0), NULL,
                            &result, &err));
    while ((status = lia_result_next(result, &row, NULL)) == LIANA_OK) {
        rows++;
    }
    if (status != LIANA_EEND) {
        bench_fail("%s: %s", statement, liana_status_name(status));
    }
    lia_result_free(result);
    return rows;
}

/* ---- SQLite ---- */

static void check(struct bench_sqlite *s, int code)
{
    if (code != SQLITE_OK && code != SQLITE_ROW && code != SQLITE_DONE) {
        bench_fail("SQLite: %s", sqlite3_errmsg(s->sqlite));
    }
}

static void exec(struct bench_sqlite *s, const char *sql)
{
    check(s, sqlite3_exec(s->sqlite, sql, NULL, NULL, NULL));
}

void bench_sqlite_open(struct bench_sqlite *out, const char *folder, const char *id)
{
    char text[BENCH_PATH_MAX + 32];

    *out = (struct bench_sqlite){0};
    snprintf(text, sizeof(text), "%s/plain.db", folder);
    check(out, sqlite3_open(text, &out->sqlite));
    exec(out,
         "PRAGMA page_size=4096; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL");
    snprintf(text, sizeof(text), "CREATE TABLE c (id %s PRIMARY KEY, doc TEXT)", id);
    exec(out, text);
    check(out,
          sqlite3_prepare_v2(out->sqlite, "INSERT INTO c (id, doc) VALUES (?1, ?2)", -1,
                             &out->insert, NULL));
}

void bench_sqlite_close(struct bench_sqlite *s)
{
    sqlite3_finalize(s->insert);
    check(s, sqlite3_close(s->sqlite));
}

static void bind_id(struct bench_sqlite *s, struct liana_slice id)
{
    if (id.len == sizeof(int32_t)) {
        const struct lia_value v = {LIA_BSON_INT32, id};

        check(s, sqlite3_bind_int(s->insert, 1, lia_value_int32(v)));
    } else {
        check(s, sqlite3_bind_text(s->insert, 1, (const char *)id.ptr, (int)id.len,
                                   SQLITE_STATIC));
    }
}

void bench_sqlite_insert(struct bench_sqlite *s,
                         const struct bench_doc *docs,
                         size_t count)
{
    exec(s, "BEGIN IMMEDIATE");
    for (size_t i = 0; i < count; i++) {
        bind_id(s, docs[i].id);
        check(s, sqlite3_bind_text(s->insert, 2, (const char *)docs[i].json.ptr,
                                   (int)docs[i].json.len, SQLITE_STATIC));
        check(s, sqlite3_step(s->insert));
        check(s, sqlite3_reset(s->insert));
    }
    exec(s, "COMMIT");
}

size_t bench_sqlite_select(struct bench_sqlite *s, const char *statement)
{
    sqlite3_stmt *stmt = NULL;
    size_t rows = 0;

    check(s, sqlite3_prepare_v2(s->sqlite, statement, -1, &stmt, NULL));
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        LIA_ASSERT(sqlite3_column_bytes(stmt, 0) > 0); /* the row is made */
        rows++;
    }
    check(s, sqlite3_finalize(stmt));
    return rows;
}
