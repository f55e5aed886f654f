/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_LANG_TESTING_GOLDEN_H
#define LIA_LANG_TESTING_GOLDEN_H
/*
 * lang/testing/golden - the cases of tests/golden/query/expr_*.txt (its README.md has their
 * form).
 *
 * Ownership: a case is valid during the callback. Threads: one.
 */
#include "lang/ast.h"

struct lia_golden_case {
    const char *place; /* "expr_logic.txt:12" */
    const char *text;  /* of the expression */
    const struct lia_expr *expr;
    struct liana_slice doc;
    const char *result; /* canonical text, or "error LIANA_..." */
};

typedef void (*lia_golden_fn)(void *ctx, const struct lia_golden_case *c);

/* Calls `fn` for each case; answers how many there were. A file that is malformed fails the
 * test. */
size_t lia_golden_walk(lia_golden_fn fn, void *ctx);

/* Fails the test unless the outcome is that of the case. */
void lia_golden_check(const struct lia_golden_case *c,
                      const char *how,
                      liana_status status,
                      struct lia_value value);

#endif
