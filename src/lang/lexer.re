/* SPDX-License-Identifier: Apache-2.0 */
#include "lang/lexer.h"

#include "lang/grammar.h"

/* One token from `at`; *kind -100 means blank space or a comment. */
#define SKIPPED (-100)

static const char *scan(const char *at, const char *end, int *kind)
{
    const unsigned char *YYCURSOR = (const unsigned char *)at;
    const unsigned char *YYMARKER = YYCURSOR;
    int k = LIA_LEX_BAD_CHAR;

    /*!re2c
    re2c:define:YYCTYPE = "unsigned char";
    re2c:yyfill:enable = 0;

    first   = [A-Za-z_\x80-\xff];
    word    = first [A-Za-z0-9_$\x80-\xff]*;
    digits  = [0-9]+;
    exp     = [eE] [+-]? digits;
    escape  = [\\] [^\x00];

    [ \t\r\n\f]+                                        { k = SKIPPED; goto done; }
    "--" [^\n\x00]*                                     { k = SKIPPED; goto done; }
    "/*" ([^*\x00] | [*]+ [^*/\x00])* [*]+ "/"          { k = SKIPPED; goto done; }
    "/*"                                                { k = LIA_LEX_OPEN_COMMENT; goto done; }

    ['] ([^'\\\x00] | escape | "''")* [']               { k = LIA_TK_STRING; goto done; }
    ["] ([^"\\\x00] | escape | ["]["])* ["]             { k = LIA_TK_STRING; goto done; }
    ['"]                                                { k = LIA_LEX_OPEN_STRING; goto done; }
    [`] ([^`\x00] | "``")* [`]                          { k = LIA_TK_NAME; goto done; }
    [`]                                                 { k = LIA_LEX_OPEN_NAME; goto done; }

    digits                                              { k = LIA_TK_INTEGER; goto done; }
    '0x' [0-9a-fA-F]+                                   { k = LIA_TK_INTEGER; goto done; }
    digits "." [0-9]* exp? | "." digits exp? | digits exp { k = LIA_TK_FLOAT; goto done; }
    (digits | digits "." [0-9]* exp? | "." digits exp? | digits exp) word
                                                        { k = LIA_LEX_BAD_NUMBER; goto done; }
    word                                                { k = LIA_TK_NAME; goto done; }
    ":" word                                            { k = LIA_TK_PARAM; goto done; }

    "="  | "=="                                         { k = LIA_TK_EQ; goto done; }
    "!=" | "<>"                                         { k = LIA_TK_NE; goto done; }
    "<="                                                { k = LIA_TK_LE; goto done; }
    "<"                                                 { k = LIA_TK_LT; goto done; }
    ">="                                                { k = LIA_TK_GE; goto done; }
    ">"                                                 { k = LIA_TK_GT; goto done; }
    "<<"                                                { k = LIA_TK_SHL; goto done; }
    ">>"                                                { k = LIA_TK_SHR; goto done; }
    "||"                                                { k = LIA_TK_CONCAT; goto done; }
    "+"                                                 { k = LIA_TK_PLUS; goto done; }
    "-"                                                 { k = LIA_TK_MINUS; goto done; }
    "*"                                                 { k = LIA_TK_STAR; goto done; }
    "/"                                                 { k = LIA_TK_SLASH; goto done; }
    "%"                                                 { k = LIA_TK_PERCENT; goto done; }
    "("                                                 { k = LIA_TK_LP; goto done; }
    ")"                                                 { k = LIA_TK_RP; goto done; }
    "["                                                 { k = LIA_TK_LBRACKET; goto done; }
    "]"                                                 { k = LIA_TK_RBRACKET; goto done; }
    "{"                                                 { k = LIA_TK_LBRACE; goto done; }
    "}"                                                 { k = LIA_TK_RBRACE; goto done; }
    ","                                                 { k = LIA_TK_COMMA; goto done; }
    "."                                                 { k = LIA_TK_DOT; goto done; }
    ":"                                                 { k = LIA_TK_COLON; goto done; }
    ";"                                                 { k = LIA_TK_SEMI; goto done; }
    [\x00]                                              { k = 0; goto done; }
    *                                                   { k = LIA_LEX_BAD_CHAR; goto done; }
    */
done:
    /* A NUL before the end is a character of the text, and none of the language. */
    if (k == 0 && at < end) {
        k = LIA_LEX_BAD_CHAR;
    }
    *kind = k;
    return (const char *)YYCURSOR;
}

struct lia_token lia_lexer_next(struct lia_lexer *lexer)
{
    struct lia_token token;
    const char *from;
    int kind;

    do {
        from = lexer->at;
        lexer->at = scan(from, lexer->end, &kind);
    } while (kind == SKIPPED);
    if (kind == 0) {
        lexer->at = from;
    }
    if (kind == LIA_TK_PARAM &&
        (lexer->before == LIA_TK_NAME || lexer->before == LIA_TK_STRING)) {
        lexer->at = from + 1;
        kind = LIA_TK_COLON;
    }
    token.offset = (uint32_t)(from - lexer->text);
    token.text = (struct liana_str){from, (size_t)(lexer->at - from)};
    if (kind == LIA_TK_NAME && from[0] != '`' && lexer->before != LIA_TK_DOT) {
        int keyword = lia_keyword(token.text);

        kind = keyword ? keyword : kind;
    }
    token.kind = kind;
    lexer->before = kind;
    return token;
}
