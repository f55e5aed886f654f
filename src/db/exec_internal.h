/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_DB_EXEC_INTERNAL_H
#define LIA_DB_EXEC_INTERNAL_H
/*
 * db/exec_internal - what the exec*.c files share: a result, and the statement that fills it.
 *
 * Ownership: a result owns its arena and buffers, and the transaction if `owns_txn`.
 * Threads: as db/exec.h says.
 */
#include "db/exec.h"
#include "db/internal.h"
#include "lang/sql.h"

struct lia_result {
    const struct liana_allocator *alloc;
    struct lia_arena arena; /* parameters, SQL */
    struct lia_statement *statement;
    const struct lia_stmt *stmt; /* its tree */
    struct liana_slice params;
    bool is_lenient;
    bool wants_ids;
    struct lia_regexps
        *regexps; /* of a statement that evaluates for many; NULL: none */

    struct lia_txn *txn; /* NULL: ended */
    bool owns_txn;
    bool has_savepoint;
    sqlite3_stmt *rows;  /* NULL: no rows (any more) */
    bool has_single_row; /* it is in `row` */
    struct lia_buf row;

    struct lia_buf ids; /* a BSON array that is not closed yet */
    size_t ids_mark;
    uint64_t mutations;
    uint64_t waiting; /* matched an EVICT and stayed */
    uint64_t seq;
    struct liana_error failed;
};

/* Evaluates with values in `arena`. */
struct lia_eval lia_exec_eval(const struct lia_result *r,
                              struct lia_arena *arena,
                              struct liana_error *err);

/* A DELETE or EVICT of rows of system:conflicts: they are acknowledged. */
bool lia_exec_is_conflicts(const struct lia_stmt *stmt);

/* The collection of the statement; NULL when there is none and `create` is not set. */
LIANA_MUST_CHECK liana_status lia_exec_collection(struct lia_result *r,
                                                  bool create,
                                                  const struct lia_collection **out,
                                                  struct liana_error *err);

/* Before the first change, of `count` at most; making a collection is one. */
LIANA_MUST_CHECK liana_status lia_exec_will_change(struct lia_result *r,
                                                   size_t count,
                                                   struct liana_error *err);

/* Counts a changed document. */
LIANA_MUST_CHECK liana_status lia_exec_changed(struct lia_result *r,
                                               struct liana_slice body,
                                               struct liana_error *err);

/* Prepares and binds; the statement is to be given back with lia_conn_done. */
LIANA_MUST_CHECK liana_status lia_exec_prepare_sql(struct lia_result *r,
                                                   const struct lia_sql *sql,
                                                   sqlite3_stmt **out,
                                                   struct liana_error *err);

/* As lia_conn_step; what our SQL functions found wrong has its own status. */
LIANA_MUST_CHECK liana_status lia_exec_step(struct lia_result *r,
                                            sqlite3_stmt *stmt,
                                            struct liana_error *err);

/* One per kind of statement. */
LIANA_MUST_CHECK liana_status lia_exec_select(struct lia_result *r,
                                              struct liana_error *err);
LIANA_MUST_CHECK liana_status lia_exec_insert(struct lia_result *r,
                                              struct liana_error *err);
LIANA_MUST_CHECK liana_status lia_exec_update(struct lia_result *r,
                                              struct liana_error *err);
LIANA_MUST_CHECK liana_status lia_exec_create(struct lia_result *r,
                                              struct liana_error *err);
LIANA_MUST_CHECK liana_status lia_exec_alter(struct lia_result *r,
                                             struct liana_error *err);
LIANA_MUST_CHECK liana_status lia_exec_drop(struct lia_result *r,
                                            struct liana_error *err);
LIANA_MUST_CHECK liana_status lia_exec_explain(struct lia_result *r,
                                               struct liana_error *err);

/* The table of the `system:` collection that a SELECT reads, or a stand-in. LIANA_ENOTFOUND. */
LIANA_MUST_CHECK liana_status lia_exec_system(struct lia_result *r,
                                              struct liana_str *out,
                                              struct liana_error *err);

/* The names of an assigned path, in the arena. LIANA_ENOMEM. */
LIANA_MUST_CHECK liana_status lia_exec_path(struct lia_arena *arena,
                                            const struct lia_expr *path,
                                            struct lia_path *out);

/* An assignment cannot take the value: LIANA_ETYPE. */
liana_status lia_exec_bad_value(const struct lia_assign *assign,
                                struct lia_value v,
                                const char *wanted,
                                struct liana_error *err);

/* ---- rights in bounded counters (exec_rights.c) ---- */

/* Whom rights are moved from or to: an int64, or its 16 hexadecimal digits. */
LIANA_MUST_CHECK liana_status lia_exec_actor(const struct lia_eval *cx,
                                             const struct lia_assign *assign,
                                             const struct lia_expr *expr,
                                             struct liana_slice body,
                                             uint64_t *out);

/* What RECLAIM means for a document as it is: up to two operations, none where the actor has
 * nothing left. LIANA_EMISUSE: it may not be taken back here. */
LIANA_MUST_CHECK liana_status lia_exec_reclaim(struct lia_result *r,
                                               struct lia_arena *work,
                                               const struct lia_assign *assign,
                                               struct lia_doc doc,
                                               struct lia_op *out,
                                               size_t *out_count,
                                               struct liana_error *err);

/* The next row of a SELECT. */
LIANA_MUST_CHECK liana_status lia_exec_row(struct lia_result *r,
                                           struct liana_slice *row,
                                           struct liana_error *err);

#endif
