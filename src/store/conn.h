/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_STORE_CONN_H
#define LIA_STORE_CONN_H
/*
 * store/conn - one SQLite connection with its cache of prepared statements.
 *
 * Rules: a statement that lia_conn_prepare gives is reset and has no bindings; it goes
 * back with lia_conn_done before the transaction ends. The same text may be in use
 * twice: the second user gets a statement of its own. Nobody outside src/store begins,
 * commits or changes a pragma on a connection.
 * Ownership: statements belong to the connection; `sqlite` is borrowed.
 * Threads: one at a time; whoever holds the transaction holds the connection.
 */
#include <sqlite3.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/slice.h"

struct lia_store;
struct lia_conn_slot;

struct lia_conn {
    sqlite3 *sqlite;
    struct lia_store *store;
    struct lia_conn_slot *slots; /* the cache, LIA_CONN_STATEMENTS long */
    uint64_t clock;              /* counts uses, for the cache */
    struct lia_conn *next_idle;
};

#define LIA_CONN_STATEMENTS ((size_t)64)

/* A statement for one SQL text, from the cache if it is there. A text that does not
 * compile is LIANA_ESYNTAX with SQLite's words. */
LIANA_MUST_CHECK liana_status lia_conn_prepare(struct lia_conn *conn,
                                               struct liana_str sql,
                                               sqlite3_stmt **out,
                                               struct liana_error *err);

/* Gives a statement back; NULL is allowed. Values read from it are gone. */
void lia_conn_done(struct lia_conn *conn, sqlite3_stmt *stmt);

/* One step: LIANA_OK with a row, LIANA_EEND when there is none (more). */
LIANA_MUST_CHECK liana_status lia_conn_step(struct lia_conn *conn,
                                            sqlite3_stmt *stmt,
                                            struct liana_error *err);

/* Runs a statement that gives no rows, to its end, and gives it back. */
LIANA_MUST_CHECK liana_status lia_conn_run(struct lia_conn *conn,
                                           sqlite3_stmt *stmt,
                                           struct liana_error *err);

/* Runs fixed text without parameters: pragmas, schema. */
LIANA_MUST_CHECK liana_status lia_conn_exec(struct lia_conn *conn,
                                            const char *sql,
                                            struct liana_error *err);

/* The typed status of what SQLite said last on this connection: the extended code is
 * err->subcode, the message names the file. An I/O error or a corrupt page on the
 * writer closes the store for writing (store/store.h). */
LIANA_MUST_CHECK liana_status lia_conn_error(struct lia_conn *conn,
                                             int code,
                                             struct liana_error *err);

/* Binding borrows: the bytes stay until the statement is given back. Parameters count
 * from 1. A failure (too large, no memory) shows at the next step. */
void lia_bind_slice(sqlite3_stmt *stmt, int at, struct liana_slice bytes);
void lia_bind_str(sqlite3_stmt *stmt, int at, struct liana_str text);
/* Unsigned 64-bit numbers are stored as SQLite's signed ones, bit for bit. */
void lia_bind_u64(sqlite3_stmt *stmt, int at, uint64_t v);
void lia_bind_null(sqlite3_stmt *stmt, int at);

/* Columns count from 0; a slice is valid until the next step or lia_conn_done. */
struct liana_slice lia_column_slice(sqlite3_stmt *stmt, int at);
struct liana_str lia_column_str(sqlite3_stmt *stmt, int at);
uint64_t lia_column_u64(sqlite3_stmt *stmt, int at);

#endif
