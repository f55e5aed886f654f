/* SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <inttypes.h>

static const char *const TABLES[] = {
#define LIA_TABLE(text) text,
#include "store/schema.def"
#undef LIA_TABLE
};

/* What is prepared here is ours and compiles, so it is the file that SQLite objects to. */
static liana_status prepare(struct lia_conn *conn,
                            const char *sql,
                            sqlite3_stmt **out,
                            struct liana_error *err)
{
    struct liana_error why = LIANA_ERROR_INIT;
    liana_status status = lia_conn_prepare(conn, lia_str(sql), out, &why);

    if (status == LIANA_ESYNTAX) {
        return lia_err_sub(err, LIANA_ECORRUPT, why.subcode, "%s: %s",
                           conn->store->file, why.message);
    }
    return status ? lia_err_sub(err, status, why.subcode, "%s", why.message) : LIANA_OK;
}

static liana_status read_number(struct lia_conn *conn,
                                const char *sql,
                                int64_t *out,
                                struct liana_error *err)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status = prepare(conn, sql, &stmt, err);

    if (!status) {
        status = lia_conn_step(conn, stmt, err);
    }
    if (!status) {
        *out = sqlite3_column_int64(stmt, 0);
    }
    lia_conn_done(conn, stmt);
    return status;
}

/* Nothing was ever put in: an empty file, or one whose first opening was cut short. */
static liana_status is_blank(struct lia_conn *conn, bool *out, struct liana_error *err)
{
    int64_t tables = 0;
    liana_status status =
        read_number(conn, "SELECT count(*) FROM sqlite_schema", &tables, err);

    if (!status) {
        *out = tables == 0;
    }
    return status;
}

/* Later statements rely on the tables: what SQLite says when one is not as it was made
 * would not name the damage. */
static liana_status check_tables(struct lia_conn *conn, struct liana_error *err)
{
    static const char FIND[] = "SELECT 1 FROM sqlite_schema WHERE sql = ?1";
    sqlite3_stmt *stmt = NULL;
    liana_status status = prepare(conn, FIND, &stmt, err);

    for (size_t i = 0; !status && i < sizeof(TABLES) / sizeof(TABLES[0]); i++) {
        lia_bind_str(stmt, 1, lia_str(TABLES[i]));
        status = lia_conn_step(conn, stmt, err);
        if (status == LIANA_EEND) {
            status = lia_err(err, LIANA_ECORRUPT, "%s: its tables are damaged",
                             conn->store->file);
        }
        sqlite3_reset(stmt);
    }
    lia_conn_done(conn, stmt);
    return status;
}

static liana_status make_tables(struct lia_conn *conn, struct liana_error *err)
{
    char pragmas[96];
    liana_status status = lia_conn_exec(conn, "BEGIN IMMEDIATE", err);

    for (size_t i = 0; !status && i < sizeof(TABLES) / sizeof(TABLES[0]); i++) {
        status = lia_conn_exec(conn, TABLES[i], err);
    }
    sqlite3_snprintf(sizeof(pragmas), pragmas,
                     "PRAGMA application_id=%d; PRAGMA user_version=%d; COMMIT",
                     LIA_STORE_APPLICATION_ID, LIA_STORE_FORMAT);
    return status ? status : lia_conn_exec(conn, pragmas, err);
}

liana_status lia_store_format(struct lia_store *store,
                              bool create,
                              struct liana_error *err)
{
    struct lia_conn *conn = &store->writer;
    int64_t application = 0;
    int64_t version = 0;
    bool blank = false;
    liana_status status = read_number(conn, "PRAGMA application_id", &application, err);

    if (!status) {
        status = read_number(conn, "PRAGMA user_version", &version, err);
    }
    if (!status && application == 0) {
        status = is_blank(conn, &blank, err);
    }
    if (status) {
        return status;
    }
    if (blank && version == 0) {
        return create ? make_tables(conn, err)
                      : lia_err(err, LIANA_ENOTFOUND, "%s: no store was made here yet",
                                store->file);
    }
    if (application != LIA_STORE_APPLICATION_ID) {
        return lia_err(err, LIANA_EFOREIGN, "%s: an SQLite file, but not a Liana store",
                       store->file);
    }
    if (version != LIA_STORE_FORMAT) {
        return lia_err(err, LIANA_EVERSION,
                       "%s: store format %" PRId64 "; this library reads format %d",
                       store->file, version, LIA_STORE_FORMAT);
    }
    return check_tables(conn, err);
}
