/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>

#include "db/internal.h"

liana_status lia_books_begin(struct lia_db *db,
                             struct lia_conn **out,
                             struct liana_error *err)
{
    return lia_store_write_begin(db->store, LIA_WAIT_FOREVER, out, err);
}

liana_status lia_books_commit(struct lia_db *db,
                              liana_status status,
                              struct liana_error *err)
{
    struct lia_store_mark mark;

    return status ? status : lia_store_write_commit(db->store, 0, &mark, err);
}

liana_status lia_books_end(struct lia_db *db,
                           liana_status status,
                           struct liana_error *err)
{
    status = lia_books_commit(db, status, err);
    lia_store_write_end(db->store);
    return status;
}

liana_status lia_books_end_durable(struct lia_db *db,
                                   liana_status status,
                                   struct liana_error *err)
{
    struct lia_store_mark mark = {0};

    if (!status) {
        status = lia_store_write_commit(db->store, 0, &mark, err);
    }
    lia_store_write_end(db->store);
    return status ? status : lia_store_wait_durable(db->store, mark.commit, err);
}

liana_status lia_books_run(struct lia_conn *conn,
                           struct liana_error *err,
                           const char *sql,
                           const char *kinds,
                           ...)
{
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_conn_prepare(conn, lia_str(sql), &stmt, err);
    va_list args;

    if (status) {
        return status;
    }
    va_start(args, kinds);
    for (int at = 1; kinds[at - 1]; at++) {
        switch (kinds[at - 1]) {
        case 's': lia_bind_slice(stmt, at, va_arg(args, struct liana_slice)); break;
        case 't': lia_bind_str(stmt, at, va_arg(args, struct liana_str)); break;
        default: lia_bind_u64(stmt, at, va_arg(args, uint64_t)); break;
        }
    }
    va_end(args);
    return lia_conn_run(conn, stmt, err);
}
