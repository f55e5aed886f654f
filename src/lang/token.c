/* SPDX-License-Identifier: Apache-2.0 */
#include "lang/grammar.h"
#include "lang/lexer.h"

struct word {
    const char *text;
    int kind;
    bool later;
};

static const struct word keywords[] = {
#define LIA_KEYWORD(word) {#word, LIA_TK_##word, false},
#define LIA_LATER(word)   {#word, LIA_TK_##word, true},
#include "lang/keywords.def"
#undef LIA_KEYWORD
#undef LIA_LATER
};

#define KEYWORDS (sizeof(keywords) / sizeof(keywords[0]))

static const struct word symbols[] = {
    {"a name", LIA_TK_NAME, false},
    {"a string", LIA_TK_STRING, false},
    {"a whole number", LIA_TK_INTEGER, false},
    {"a number", LIA_TK_FLOAT, false},
    {"a :parameter", LIA_TK_PARAM, false},
    {"'='", LIA_TK_EQ, false},
    {"'!='", LIA_TK_NE, false},
    {"'<='", LIA_TK_LE, false},
    {"'<'", LIA_TK_LT, false},
    {"'>='", LIA_TK_GE, false},
    {"'>'", LIA_TK_GT, false},
    {"'<<'", LIA_TK_SHL, false},
    {"'>>'", LIA_TK_SHR, false},
    {"'||'", LIA_TK_CONCAT, false},
    {"'+'", LIA_TK_PLUS, false},
    {"'-'", LIA_TK_MINUS, false},
    {"'*'", LIA_TK_STAR, false},
    {"'/'", LIA_TK_SLASH, false},
    {"'%'", LIA_TK_PERCENT, false},
    {"'('", LIA_TK_LP, false},
    {"')'", LIA_TK_RP, false},
    {"'['", LIA_TK_LBRACKET, false},
    {"']'", LIA_TK_RBRACKET, false},
    {"'{'", LIA_TK_LBRACE, false},
    {"'}'", LIA_TK_RBRACE, false},
    {"','", LIA_TK_COMMA, false},
    {"'.'", LIA_TK_DOT, false},
    {"':'", LIA_TK_COLON, false},
    {"';'", LIA_TK_SEMI, false},
};

const char *lia_token_name(int kind, bool *later)
{
    *later = false;
    for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
        if (symbols[i].kind == kind) {
            return symbols[i].text;
        }
    }
    for (size_t i = 0; i < KEYWORDS; i++) {
        if (keywords[i].kind == kind) {
            *later = keywords[i].later;
            return keywords[i].text;
        }
    }
    return "the end of the statement";
}

/* Order of `word` in upper case against an entry of the table. */
static int compare(struct liana_str word, const char *keyword)
{
    for (size_t i = 0; i < word.len; i++) {
        int c = (unsigned char)word.ptr[i];
        int k = (unsigned char)keyword[i];

        c = c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c;
        if (c != k) {
            return c - k;
        }
    }
    return keyword[word.len] ? -1 : 0;
}

int lia_keyword(struct liana_str word)
{
    size_t low = 0;
    size_t high = KEYWORDS;

    while (low < high) {
        size_t mid = low + (high - low) / 2;
        int order = compare(word, keywords[mid].text);

        if (order == 0) {
            return keywords[mid].kind;
        }
        if (order < 0) {
            high = mid;
        } else {
            low = mid + 1;
        }
    }
    return 0;
}
