/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_LANG_LEXER_H
#define LIA_LANG_LEXER_H
/*
 * lang/lexer - a statement's text as tokens (lexer.re, made by re2c).
 *
 * Rules: the text ends with a NUL at `end` that is not part of it. A token is a piece of
 * the text; escapes and quotes are taken away later, by lang/literal. `:name` is a
 * parameter unless a name or a string stands before it, where the colon separates
 * (`default:stock`, `{'a':b}`). Behind a dot every word is a name.
 * Ownership: tokens point into the text. Threads: any; a lexer belongs to one.
 */
#include "base/slice.h"

struct lia_token {
    int kind; /* LIA_TK_..., 0 at the end */
    uint32_t offset;
    struct liana_str text;
};

enum {
    LIA_LEX_BAD_CHAR = -1,
    LIA_LEX_OPEN_STRING = -2,
    LIA_LEX_OPEN_NAME = -3,
    LIA_LEX_OPEN_COMMENT = -4,
    LIA_LEX_BAD_NUMBER = -5
};

struct lia_lexer {
    const char *text;
    const char *at;
    const char *end;
    int before; /* kind of the token before */
};

/* The next token; its kind is one of LIA_LEX_... where the text is no token. */
struct lia_token lia_lexer_next(struct lia_lexer *lexer);

/* "SELECT", "','", "a name": for messages. `later` is set for a word that belongs to a
 * statement which does not exist yet. Static. */
const char *lia_token_name(int kind, bool *later);

/* The kind of a keyword, 0 for another word; any case. */
int lia_keyword(struct liana_str word);

#endif
