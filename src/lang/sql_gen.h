/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_LANG_SQL_GEN_H
#define LIA_LANG_SQL_GEN_H
/*
 * lang/sql_gen - what the files share that write SQL: sql_value.c values, sql_condition.c
 * conditions, sql.c clauses and statements.
 *
 * Rules: text only grows. The first failure stays in `status`, or in the buffers; whoever
 * writes goes on and the end looks at it once.
 * Ownership: everything is in the arena but the two buffers. Threads: one.
 */
#include "lang/sql.h"

struct lia_gen {
    struct lia_arena *arena;
    struct liana_error *err;
    const struct lia_sql_options *options;
    const struct lia_stmt *stmt;
    struct lia_buf text;
    struct lia_buf scratch; /* empty between calls */
    struct lia_sql_bind *binds;
    uint32_t bind_count;
    uint32_t bind_cap;
    liana_status status;
    bool is_grouped; /* what GROUP BY names is shown once per group */
};

/* SQL, trusted. */
void lia_gen_put(struct lia_gen *g, const char *text);

/* The statement is not made; the first failure counts. */
void lia_gen_fail(struct lia_gen *g, liana_status status);

/* fn(body,'a.b') */
void lia_gen_on_path(struct lia_gen *g, const char *fn, const struct lia_expr *path);

/* "name(", of a function that exists twice, strict and lenient. */
void lia_gen_fn_name(struct lia_gen *g, const char *name);

/* ---- constants: each writes one ?n ---- */

/* What is in `scratch`, which is empty afterwards. */
void lia_gen_bind_scratch(struct lia_gen *g);
void lia_gen_bind_value(struct lia_gen *g, struct lia_value v);
void lia_gen_bind_key(struct lia_gen *g, struct lia_value v);
void lia_gen_bind_int(struct lia_gen *g, int64_t n);

/* Evaluates a constant. False if it has to be left to SQL: it fails, and that must only
 * matter if it is needed. Lack of memory or of a parameter fails the generation. */
bool lia_gen_evaluate(struct lia_gen *g,
                      const struct lia_expr *e,
                      struct lia_value *out);

/* ---- expressions ---- */

/* The value of an expression. */
void lia_gen_value(struct lia_gen *g, const struct lia_expr *e);

/* SQL that is true exactly where `e` is TRUE (`wanted`) or FALSE. */
void lia_gen_condition(struct lia_gen *g, const struct lia_expr *e, bool wanted);

/* Whether something can be asked of the key of a path: there is one, and a group shows
 * values only. */
bool lia_gen_has_key(const struct lia_gen *g, const struct lia_expr *e);

#endif
