/* SPDX-License-Identifier: Apache-2.0 */
#include "lang/parse.h"

#include <stdarg.h>
#include <stdio.h>

#include "codec/utf8.h"
#include "lang/build.h"
#include "lang/grammar.h"

/* ---- messages ---- */

/* Line and column, from 1; a column is a character, not a byte. */
static void place(const struct lia_parser *p,
                  size_t offset,
                  unsigned *line,
                  unsigned *col)
{
    *line = 1;
    *col = 1;
    for (size_t i = 0; i < offset && i < p->text_len; i++) {
        if (p->text[i] == '\n') {
            (*line)++;
            *col = 1;
        } else if (((unsigned char)p->text[i] & 0xc0) != 0x80) {
            (*col)++;
        }
    }
}

liana_status lia_parser_fail(struct lia_parser *p,
                             uint32_t offset,
                             liana_status status,
                             const char *format,
                             ...)
{
    char text[LIANA_ERROR_TEXT];
    unsigned line;
    unsigned col;
    va_list args;

    if (p->status) {
        return p->status;
    }
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    place(p, offset, &line, &col);
    p->status = status;
    return lia_err(p->err, status, "line %u, column %u: %s", line, col, text);
}

void lia_expected_add(struct lia_expected *expected, int kind)
{
    bool later;

    lia_token_name(kind, &later);
    if (later || kind == LIA_TK_EXPRESSION) {
        return;
    }
    if (expected->count < sizeof(expected->kinds) / sizeof(expected->kinds[0])) {
        expected->kinds[expected->count] = kind;
    }
    expected->count++;
}

/* "SELECT, INSERT, UPDATE or DELETE"; a long list is an expression and says so. */
static void expected_text(const struct lia_expected *expected, char *out, size_t size)
{
    size_t used = 0;
    bool later;

    if (expected->count > sizeof(expected->kinds) / sizeof(expected->kinds[0])) {
        snprintf(out, size, "an expression");
        return;
    }
    snprintf(out, size, "%s", expected->count ? "" : "the end of the statement");
    for (uint32_t i = 0; i < expected->count && used < size; i++) {
        const char *between = i == 0 ? "" : i + 1 == expected->count ? " or " : ", ";
        int n = snprintf(out + used, size - used, "%s%s", between,
                         lia_token_name(expected->kinds[i], &later));

        used += n > 0 ? (size_t)n : 0;
    }
}

/* How much of a token stands in a message. */
#define SHOWN_MAX 40

/* What is no word of its own, by the token that came unexpected and the one before it. */
static const char *later_form(int kind, int before)
{
    if (kind == LIA_TK_SELECT && before != 0 && before != LIA_TK_SEMI) {
        return "a SELECT within a statement";
    }
    if (before == 0 && (kind == LIA_TK_WITH || kind == LIA_TK_RESET)) {
        return kind == LIA_TK_WITH ? "WITH" : "RESET";
    }
    if (kind == LIA_TK_STAR && before == LIA_TK_DOT) {
        return "name.*";
    }
    if (kind == LIA_TK_DISTINCT && before == LIA_TK_LP) {
        return "DISTINCT within an aggregate";
    }
    return NULL;
}

/* What the language does not have yet is refused by its name. A word that can be a name was
 * taken for one; then the token behind it is the unexpected one: EVERY v IN list. */
static bool refuse_later(struct lia_parser *p, int kind, struct lia_token token)
{
    bool is_later;
    const char *name = lia_token_name(kind, &is_later);
    const char *form = later_form(kind, p->before.kind);

    if (form || is_later) {
        lia_parser_fail(p, token.offset, LIANA_ESYNTAX, "%s is not supported",
                        form ? form : name);
        return true;
    }
    name = lia_token_name(p->before.kind, &is_later);
    if (is_later) {
        lia_parser_fail(p, p->before.offset, LIANA_ESYNTAX, "%s is not supported",
                        name);
    }
    return is_later;
}

void lia_parser_unexpected(struct lia_parser *p,
                           int kind,
                           struct lia_token token,
                           const struct lia_expected *expected)
{
    char wanted[160];
    struct liana_str shown = token.text;

    if (refuse_later(p, kind, token)) {
        return;
    }
    expected_text(expected, wanted, sizeof(wanted));
    if (kind == 0) {
        lia_parser_fail(p, token.offset, LIANA_ESYNTAX,
                        "the statement ends where %s is expected", wanted);
        return;
    }
    if (shown.len > SHOWN_MAX) {
        shown.len = lia_utf8_valid_len(lia_slice(shown.ptr, SHOWN_MAX));
    }
    lia_parser_fail(p, token.offset, LIANA_ESYNTAX, "expected %s, not %.*s", wanted,
                    LIA_STR_ARG(shown));
}

static liana_status fail_lexer(struct lia_parser *p, struct lia_token t)
{
    switch (t.kind) {
    case LIA_LEX_OPEN_STRING:
        return lia_parser_fail(p, t.offset, LIANA_ESYNTAX, "the string is not closed");
    case LIA_LEX_OPEN_NAME:
        return lia_parser_fail(p, t.offset, LIANA_ESYNTAX,
                               "the name in backticks is not closed");
    case LIA_LEX_OPEN_COMMENT:
        return lia_parser_fail(p, t.offset, LIANA_ESYNTAX, "the comment is not closed");
    case LIA_LEX_BAD_NUMBER:
        return lia_parser_fail(p, t.offset, LIANA_ESYNTAX, "a number runs into a name");
    default:
        if ((unsigned char)t.text.ptr[0] < 0x20) {
            return lia_parser_fail(p, t.offset, LIANA_ESYNTAX,
                                   "control character 0x%02x",
                                   (unsigned)(unsigned char)t.text.ptr[0]);
        }
        return lia_parser_fail(p, t.offset, LIANA_ESYNTAX, "'%c' has no meaning here",
                               t.text.ptr[0]);
    }
}

/* ---- driving ---- */

static liana_status init(struct lia_parser *p,
                         struct lia_arena *arena,
                         struct liana_str text,
                         struct liana_error *err)
{
    char *copy;

    *p = (struct lia_parser){.arena = arena, .err = err};
    if (text.len > LIA_STATEMENT_MAX) {
        return lia_err(err, LIANA_ETOOLARGE,
                       "a statement of %zu bytes; at most %zu are allowed", text.len,
                       LIA_STATEMENT_MAX);
    }
    copy = lia_arena_alloc(arena, text.len + 1);
    if (!copy) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    if (text.len) {
        memcpy(copy, text.ptr, text.len);
    }
    copy[text.len] = '\0';
    p->text = copy;
    p->text_len = text.len;
    if (!lia_utf8_valid(lia_str_slice(text))) {
        return lia_parser_fail(p, (uint32_t)lia_utf8_valid_len(lia_str_slice(text)),
                               LIANA_ESYNTAX, "the text is not UTF-8");
    }
    return LIANA_OK;
}

static liana_status run(struct lia_parser *p, bool is_expression)
{
    struct lia_lexer lexer = {p->text, p->text, p->text + p->text_len, 0};
    struct lia_grammar *g = lia_grammar_new(p);
    struct lia_token token = {0};

    if (!g) {
        return lia_err_plain(p->err, LIANA_ENOMEM);
    }
    if (is_expression) {
        lia_grammar_feed(g, LIA_TK_EXPRESSION, token);
    }
    do {
        token = lia_lexer_next(&lexer);
        if (token.kind < 0) {
            fail_lexer(p, token);
            break;
        }
        lia_grammar_feed(g, token.kind, token);
        p->before = token;
    } while (token.kind != 0 && !p->status);
    lia_grammar_end(g);
    return p->status;
}

liana_status lia_lang_parse(struct lia_arena *arena,
                            struct liana_str text,
                            struct lia_stmt **out,
                            struct liana_error *err)
{
    struct lia_parser p;
    liana_status status = init(&p, arena, text, err);

    status = status ? status : run(&p, false);
    if (!status) {
        lia_check_stmt(&p, p.stmt);
        status = p.status;
    }
    if (!status) {
        *out = p.stmt;
    }
    return status;
}

liana_status lia_lang_parse_expr(struct lia_arena *arena,
                                 struct liana_str text,
                                 struct lia_expr **out,
                                 struct liana_error *err)
{
    struct lia_parser p;
    liana_status status = init(&p, arena, text, err);

    status = status ? status : run(&p, true);
    if (!status && p.expr->has_aggregate) {
        status = lia_parser_fail(&p, p.expr->offset, LIANA_ESYNTAX,
                                 "an aggregate cannot stand here");
    }
    if (!status) {
        *out = p.expr;
    }
    return status;
}
