/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_LANG_REGEXP_H
#define LIA_LANG_REGEXP_H
/*
 * lang/regexp - regular expressions by PCRE2, compiled once per pattern.
 *
 * Rules: Perl-compatible, of code points, unanchored. Strings are valid UTF-8. Matching ends
 * after a number of steps: LIANA_ELIMIT. A cache keeps the patterns used last; what it
 * answers is what it would answer empty.
 * Ownership: a cache owns what it keeps and copies what it is given. Threads: a cache belongs
 * to one at a time; without one (NULL) any.
 */
#include "base/error.h"
#include "base/mem.h"

struct lia_regexps;

#define LIA_REGEXPS_MAX      16
#define LIA_REGEXP_BYTES_MAX 1024 /* longer ones are compiled every time */

/* Empty; NULL when out of memory. */
struct lia_regexps *lia_regexps_new(const struct liana_allocator *allocator);

/* NULL is allowed. */
void lia_regexps_free(struct lia_regexps *cache);

/* How many patterns were compiled to be kept, since it is there. */
uint64_t lia_regexps_compiled(const struct lia_regexps *cache);

/* Flags: i ignore case, c mind it, m ^ and $ at lines, s dot takes a newline, x blanks in the
 * pattern are ignored. LIANA_ESYNTAX for a pattern or flag that is none; LIANA_ELIMIT when
 * matching takes too many steps. `cache` may be NULL. */
LIANA_MUST_CHECK liana_status lia_regexp_match(struct lia_regexps *cache,
                                               struct liana_str s,
                                               struct liana_str pattern,
                                               struct liana_str flags,
                                               bool *out,
                                               char message[static 128]);

#endif
