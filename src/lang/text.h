/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_LANG_TEXT_H
#define LIA_LANG_TEXT_H
/*
 * lang/text - strings as characters: lengths, case, LIKE.
 *
 * Rules: strings are valid UTF-8 (values have been checked); a character is a code point.
 * Case is Unicode's simple mapping, one code point to one, in no locale.
 * Ownership: none taken. Threads: any. No state.
 */
#include "base/buf.h"

/* The code point at `at` (before `end`), and how many bytes it has. */
uint32_t lia_text_char(const char *at, const char *end, size_t *len);

size_t lia_text_count(struct liana_str s);

/* What is left behind `n` characters; empty if there are not so many. */
struct liana_str lia_text_skip(struct liana_str s, size_t n);

/* The first `n` characters. */
struct liana_str lia_text_first(struct liana_str s, size_t n);

/* Where `needle` first stands, in bytes; SIZE_MAX if nowhere. An empty one stands at 0. */
size_t lia_text_find(struct liana_str s, struct liana_str needle);

void lia_text_lower(struct lia_buf *out, struct liana_str s);
void lia_text_upper(struct lia_buf *out, struct liana_str s);

/* LIKE: % is any characters, _ is one; `escape` (0: none) takes the meaning from the next.
 * False also if the pattern ends with the escape character. */
bool lia_text_like(struct liana_str s,
                   struct liana_str pattern,
                   uint32_t escape,
                   bool ignores_case);

#endif
