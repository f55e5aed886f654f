/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_LANG_PARSE_H
#define LIA_LANG_PARSE_H
/*
 * lang/parse - from a statement's text to its tree.
 *
 * Rules: the text is UTF-8 of at most LIA_STATEMENT_MAX bytes (LIANA_ETOOLARGE), nested at
 * most LIA_DEPTH_MAX deep (LIANA_EDEPTH), with at most LIA_TERMS_MAX nodes
 * (LIANA_ELIMIT). Everything that can be known without data is checked here: names of
 * functions and their number of arguments, where aggregates may stand, paths that are
 * assigned twice. Errors are LIANA_ESYNTAX unless said otherwise, and the message begins
 * with "line 3, column 14: ". Columns count characters.
 * Ownership: the tree is in the arena and independent of `text`. Threads: any.
 */
#include "lang/ast.h"

LIANA_MUST_CHECK liana_status lia_lang_parse(struct lia_arena *arena,
                                             struct liana_str text,
                                             struct lia_stmt **out,
                                             struct liana_error *err);

/* An expression alone. */
LIANA_MUST_CHECK liana_status lia_lang_parse_expr(struct lia_arena *arena,
                                                  struct liana_str text,
                                                  struct lia_expr **out,
                                                  struct liana_error *err);

#endif
