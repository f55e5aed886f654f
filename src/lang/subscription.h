/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_LANG_SUBSCRIPTION_H
#define LIA_LANG_SUBSCRIPTION_H
/*
 * lang/subscription - the queries that both ends of a subscription evaluate.
 *
 * Rules: `SELECT * FROM c [WHERE p]`. There is no function of a clock, of chance or of the
 * platform in the language, so `p` gives the same answer everywhere. It is evaluated
 * leniently: where it cannot be evaluated the document does not match, at both ends alike.
 * Ownership: results are in the arena and independent of the inputs.
 * Threads: any; a parsed subscription may be matched by several at once.
 */
#include "lang/eval.h"

struct lia_subscription_query {
    struct liana_str collection;
    struct lia_expr *where; /* NULL: every document. Has no parameters left */
    /* Equal for equal queries, however they were spelled; parses to the same query
     * without parameters. This is what is hashed, stored and sent. */
    struct liana_str canonical;
};

/* Parses and checks; the values of parameters become part of the query. LIANA_ESYNTAX for
 * another statement, LIANA_EPARAM, and what lia_lang_parse answers. */
LIANA_MUST_CHECK liana_status
lia_lang_check_subscription(struct lia_arena *arena,
                            struct liana_str text,
                            struct liana_slice params,
                            struct lia_subscription_query *out,
                            struct liana_error *err);

/* The predicate asks regular expressions, which are better not compiled for each document. */
bool lia_subscription_has_patterns(const struct lia_subscription_query *query);

/* Whether a checked document matches. Takes scratch memory from `a`; false also when there is
 * none, so that `*out_of_memory` tells (it may be NULL). `regexps` may be NULL. */
bool lia_subscription_matches(const struct lia_subscription_query *query,
                              const struct liana_allocator *a,
                              struct lia_regexps *regexps,
                              struct liana_slice doc,
                              bool *out_of_memory);

#endif
