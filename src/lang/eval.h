/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_LANG_EVAL_H
#define LIA_LANG_EVAL_H
/*
 * lang/eval - the value of an expression over one document, without SQLite.
 *
 * This is what the language means: SQL made by lang/sql must give the same answers, and
 * eval_sql_test.c compares the two over generated documents and expressions.
 *
 * Rules: operands are evaluated from left to right; AND, OR and CASE do not evaluate what
 * can no longer change the answer. A wrong type is LIANA_ETYPE (a wrong number
 * LIANA_ERANGE) or, if `is_lenient`, MISSING: lenient evaluation fails only for lack of
 * memory or of a parameter (LIANA_EPARAM).
 * Ownership: results are in the arena or point into the tree, the document or the
 * parameters. Threads: an eval belongs to one; trees are shared.
 */
#include "lang/ast.h"

struct lia_regexps;

struct lia_eval {
    struct lia_arena *arena;
    struct liana_slice params; /* a checked document, or empty */
    bool is_lenient;
    struct liana_error *err;
    struct lia_regexps *regexps; /* patterns compiled before; NULL: none are kept */
};

/* `doc` is a checked document; empty for a constant expression. */
LIANA_MUST_CHECK liana_status lia_eval(const struct lia_eval *cx,
                                       const struct lia_expr *e,
                                       struct liana_slice doc,
                                       struct lia_value *out);

/* Whether the expression is TRUE. LIANA_ETYPE for a value that is no boolean, null or
 * MISSING, unless lenient. NULL is an expression that is TRUE. */
LIANA_MUST_CHECK liana_status lia_eval_is_true(const struct lia_eval *cx,
                                               const struct lia_expr *e,
                                               struct liana_slice doc,
                                               bool *out);

/* What stands at a path; MISSING if nothing does. A name steps into an object only, an
 * index into an array only. No steps: the document. */
struct lia_value lia_path_get(struct liana_slice doc, const struct lia_steps *path);

#endif
