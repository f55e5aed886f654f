/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_LANG_SQL_H
#define LIA_LANG_SQL_H
/*
 * lang/sql - a statement as one SQLite query over the functions of db/sqlfn.h.
 *
 * A collection is a table with the columns `key` (the canonical key of _id) and `body` (BSON;
 * NULL for a tombstone).
 *
 * Values. In SQL a value is a blob: its type, then its payload. MISSING is NULL; an SQLite
 * integer (from count) is an int64. Every constant is evaluated here, once, and bound; no
 * text of the statement but quoted paths gets into the SQL.
 *
 * Conditions. A condition has four answers, SQL's WHERE three. So each is written in one of
 * two ways: as SQL that is true if it is TRUE, or true if it is FALSE (within NOT); neither
 * is ever negated. AND and OR become SQL's, so that the planner sees every part:
 *
 *     a.b >= 5 AND NOT (c = 'x')
 *     lia_key(body,'a.b')>=?1 AND lia_key(body,'a.b')<?2 AND lia_key(body,'c')<>?3 AND ...
 *
 * Comparisons of a path with a constant are comparisons of keys (codec/key.h), within the
 * constant's class; keys of _id are the column `key`. These are the forms that an index on
 * lia_key(body,'path') serves. Everything else goes through values.
 *
 * Where a wrong type is an error, SQL may meet it in a part that the evaluator did not need
 * to look at, and the other way round; without an error both have the same answer.
 *
 * Ownership: results are in the arena. Threads: any.
 */
#include "lang/eval.h"

struct lia_sql_bind {
    bool is_int;
    int64_t number;
    struct liana_slice bytes; /* ptr NULL: SQL's NULL */
};

struct lia_sql {
    struct liana_str text;
    const struct lia_sql_bind *binds; /* of ?1, ?2, ... */
    uint32_t bind_count;
};

/* Rows for a collection that does not exist, and the one empty document of system:dual. */
#define LIA_SQL_NO_ROWS "(SELECT NULL AS key, NULL AS body WHERE 0)"
#define LIA_SQL_DUAL    "(SELECT x'00' AS key, x'0500000000' AS body)"

struct lia_sql_options {
    struct liana_str from;     /* SQL: the table, trusted */
    struct liana_slice params; /* a checked document, or empty */
    bool is_lenient;
};

/* The rows of a SELECT: one column per column of the statement; `*` is the body. */
LIANA_MUST_CHECK liana_status lia_sql_select(struct lia_arena *arena,
                                             const struct lia_stmt *stmt,
                                             const struct lia_sql_options *options,
                                             struct lia_sql *out,
                                             struct liana_error *err);

/* The keys of the documents that an UPDATE, DELETE or EVICT is about, one column. */
LIANA_MUST_CHECK liana_status lia_sql_keys(struct lia_arena *arena,
                                           const struct lia_stmt *stmt,
                                           const struct lia_sql_options *options,
                                           struct lia_sql *out,
                                           struct liana_error *err);

/* ---- paths as text: 'a.b[0]', with \ before . [ and \ in names ---- */

void lia_path_print(struct lia_buf *out, const struct lia_steps *path);
/* In the arena. LIANA_EINVAL for what lia_path_print does not write; LIANA_ENOMEM. */
LIANA_MUST_CHECK liana_status lia_path_parse(struct lia_arena *arena,
                                             struct liana_str text,
                                             struct lia_steps *out);

/* ---- values as blobs ---- */

void lia_sql_value_add(struct lia_buf *out, struct lia_value v);
/* A blob that lia_sql_value_add made; an empty one is MISSING. */
struct lia_value lia_sql_value(struct liana_slice blob);

#endif
