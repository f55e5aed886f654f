/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_LANG_PRINT_H
#define LIA_LANG_PRINT_H
/*
 * lang/print - expressions as canonical text.
 *
 * Rules: equal trees print alike, whatever their spelling was; what is printed parses back
 * to an expression of the same values, which prints the same again. The document itself is
 * printed as LIA_CANONICAL_ALIAS: a statement around it has to give that alias.
 * Ownership: none taken. Threads: any.
 */
#include "lang/ast.h"

#define LIA_CANONICAL_ALIAS "`$`"

void lia_expr_print(struct lia_buf *out, const struct lia_expr *e);

/* A name in backticks. */
void lia_name_print(struct lia_buf *out, struct liana_str name);

#endif
