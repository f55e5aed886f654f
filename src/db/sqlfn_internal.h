/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_DB_SQLFN_INTERNAL_H
#define LIA_DB_SQLFN_INTERNAL_H
/*
 * db/sqlfn_internal - what the sqlfn_*.c files share: values in and out of SQLite.
 *
 * Ownership: arguments are SQLite's, for the call. Threads: as the connection.
 */
#include "db/sqlfn.h"
#include "lang/sql.h"

/* One per connection. */
struct lia_sqlfn {
    struct lia_arena
        arena; /* for one call at a time: SQLite evaluates arguments first */
    struct lia_regexps *regexps;
    struct liana_error err;
    struct lia_sqlfn_entry *entries;
    size_t entry_count;
    const struct liana_allocator *allocator;
};

/* The user data of one SQL function. */
struct lia_sqlfn_entry {
    struct lia_sqlfn *shared;
    const struct lia_fn *fn; /* NULL for those without a row in functions.def */
    bool is_lenient;
};

typedef void (*lia_sqlfn_scalar)(sqlite3_context *ctx, int argc, sqlite3_value **argv);

/* An argument; integers are put into `scratch`. */
struct lia_value lia_sqlfn_value(sqlite3_value *v, struct lia_scratch *scratch);

void lia_sqlfn_result(sqlite3_context *ctx, struct lia_value v);
void lia_sqlfn_fail(sqlite3_context *ctx, liana_status status, const char *message);

/* A fresh call of the function that `ctx` is about. */
struct lia_call lia_sqlfn_call(sqlite3_context *ctx, const char *name);

/* sqlfn_access.c, sqlfn_aggregate.c: they register what they define. SQLite's codes. */
int lia_sqlfn_register_access(sqlite3 *sqlite, struct lia_sqlfn_entry entries[2]);
int lia_sqlfn_register_aggregates(sqlite3 *sqlite, struct lia_sqlfn_entry entries[2]);

#define LIA_SQLFN_FLAGS (SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS)

#endif
