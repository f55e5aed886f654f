/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "codec/double_text.h"
#include "codec/utf8.h"
#include "lang/build.h"

static bool no_memory(struct lia_parser *p)
{
    if (!p->status) {
        p->status = lia_err_plain(p->err, LIANA_ENOMEM);
    }
    return false;
}

/* ---- names and strings ---- */

struct liana_str lia_build_name(struct lia_parser *p, struct lia_token t)
{
    struct liana_str raw = t.text;
    char *out;
    size_t n = 0;

    if (raw.len == 0 || raw.ptr[0] != '`') {
        return raw;
    }
    out = lia_arena_alloc(p->arena, raw.len);
    if (!out) {
        no_memory(p);
        return raw;
    }
    for (size_t i = 1; i + 1 < raw.len; i++) {
        out[n++] = raw.ptr[i];
        i += raw.ptr[i] == '`'; /* two of them stand for one */
    }
    return (struct liana_str){out, n};
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The four digits of \uXXXX at `at`; -1 if they are not there. */
static int32_t hex4(const char *at, const char *end)
{
    int32_t v = 0;

    if (end - at < 4) {
        return -1;
    }
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(at[i]);

        if (digit < 0) {
            return -1;
        }
        v = v * 16 + digit;
    }
    return v;
}

/* A character behind \u: one escape, or two that make a surrogate pair (RFC 8259,
 * section 7). Answers how many bytes of the text it took, 0 if it is none. */
static size_t unicode_escape(const char *at, const char *end, uint32_t *out)
{
    int32_t first = hex4(at, end);
    int32_t second;

    if (first < 0 || (first >= 0xdc00 && first < 0xe000)) {
        return 0;
    }
    if (first < 0xd800 || first >= 0xe000) {
        *out = (uint32_t)first;
        return 4;
    }
    if (end - at < 10 || at[4] != '\\' || at[5] != 'u') {
        return 0;
    }
    second = hex4(at + 6, end);
    if (second < 0xdc00 || second >= 0xe000) {
        return 0;
    }
    *out =
        0x10000u + (((uint32_t)first - 0xd800u) << 10) + ((uint32_t)second - 0xdc00u);
    return 10;
}

static char simple_escape(char c)
{
    switch (c) {
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return c; /* an unknown escape is the character itself, as in DQL */
    }
}

struct liana_str lia_build_text(struct lia_parser *p, struct lia_token t)
{
    const char *at = t.text.ptr + 1;
    const char *end = t.text.ptr + t.text.len - 1;
    char quote = t.text.ptr[0];
    uint8_t *out = lia_arena_alloc(p->arena, t.text.len);
    size_t n = 0;

    if (!out) {
        no_memory(p);
        return (struct liana_str){"", 0};
    }
    while (at < end) {
        if (*at == quote) { /* two of them stand for one */
            out[n++] = (uint8_t)quote;
            at += 2;
        } else if (*at != '\\') {
            out[n++] = (uint8_t)*at++;
        } else if (at[1] == 'u') {
            uint32_t code_point = 0;
            size_t used = unicode_escape(at + 2, end, &code_point);

            if (used == 0) {
                lia_parser_fail(p, (uint32_t)(at - p->text), LIANA_ESYNTAX,
                                "\\u needs four hexadecimal digits of a character");
                break;
            }
            n += lia_utf8_encode(code_point, out + n);
            at += 2 + used;
        } else {
            out[n++] = (uint8_t)simple_escape(at[1]);
            at += 2;
        }
    }
    return (struct liana_str){(const char *)out, n};
}

/* ---- literals ---- */

static struct lia_expr *leaf(struct lia_parser *p,
                             enum lia_expr_kind kind,
                             uint32_t offset)
{
    struct lia_expr *e;

    if (p->status) {
        return NULL;
    }
    if (++p->terms > LIA_TERMS_MAX) {
        lia_parser_fail(p, offset, LIANA_ELIMIT, "more than %d terms", LIA_TERMS_MAX);
        return NULL;
    }
    e = LIA_ARENA_NEW(p->arena, struct lia_expr);
    if (!e) {
        no_memory(p);
        return NULL;
    }
    e->kind = kind;
    e->offset = offset;
    e->height = 1;
    e->is_constant = true;
    return e;
}

struct lia_expr *lia_build_value(struct lia_parser *p,
                                 uint32_t offset,
                                 struct lia_value v)
{
    struct lia_expr *e = leaf(p, LIA_EXPR_VALUE, offset);
    struct liana_slice copy;

    if (!e) {
        return NULL;
    }
    if (!lia_arena_copy(p->arena, v.data, &copy)) {
        no_memory(p);
        return NULL;
    }
    e->value = (struct lia_value){v.type, copy};
    return e;
}

struct lia_expr *lia_build_string(struct lia_parser *p, struct lia_token t)
{
    struct liana_str s = lia_build_text(p, t);
    struct lia_call cx = {.arena = p->arena, .err = p->err};
    struct lia_expr *e = leaf(p, LIA_EXPR_VALUE, t.offset);

    if (e && lia_make_str(&cx, s, &e->value)) {
        no_memory(p);
        return NULL;
    }
    return e;
}

/* Reads digits of a base; false when they are beyond 64 bits. */
static bool read_digits(struct liana_str text, uint64_t *out)
{
    bool is_hex = text.len > 2 && (text.ptr[1] == 'x' || text.ptr[1] == 'X');
    uint64_t base = is_hex ? 16 : 10;
    uint64_t v = 0;

    for (size_t i = is_hex ? 2 : 0; i < text.len; i++) {
        uint64_t digit = (uint64_t)hex_digit(text.ptr[i]);

        if (v > (UINT64_MAX - digit) / base) {
            return false;
        }
        v = v * base + digit;
    }
    *out = v;
    return true;
}

struct lia_expr *lia_build_integer(struct lia_parser *p,
                                   struct lia_token t,
                                   bool is_negative)
{
    uint64_t max = (uint64_t)INT64_MAX + (is_negative ? 1 : 0);
    struct lia_scratch scratch;
    uint64_t v = 0;
    int64_t n;

    if (!read_digits(t.text, &v) || v > max) {
        lia_parser_fail(p, t.offset, LIANA_ESYNTAX,
                        "%.*s is beyond 64 bits; write decimal('...') or a float",
                        (int)(t.text.len < 40 ? t.text.len : 40), t.text.ptr);
        return NULL;
    }
    n = (int64_t)(is_negative ? 0 - v : v);
    return lia_build_value(p, t.offset,
                           n >= INT32_MIN && n <= INT32_MAX
                               ? lia_value_of_int32((int32_t)n, &scratch)
                               : lia_value_of_int64(n, &scratch));
}

struct lia_expr *lia_build_float(struct lia_parser *p,
                                 struct lia_token t,
                                 bool is_negative)
{
    struct lia_scratch scratch;
    double v;

    if (!lia_double_parse_nearest(t.text, &v) || isinf(v)) {
        lia_parser_fail(p, t.offset, LIANA_ESYNTAX, "the number is beyond a double");
        return NULL;
    }
    return lia_build_value(p, t.offset,
                           lia_value_of_double(is_negative ? -v : v, &scratch));
}

struct lia_expr *lia_build_param(struct lia_parser *p, struct lia_token t)
{
    struct lia_expr *e = leaf(p, LIA_EXPR_PARAM, t.offset);

    if (e) {
        e->name = (struct liana_str){t.text.ptr + 1, t.text.len - 1};
    }
    return e;
}

/* ---- paths ---- */

static void add_step(struct lia_parser *p, struct lia_expr *path, struct lia_step step)
{
    struct lia_steps *s = &path->path;

    if (s->count == LIA_DEPTH_MAX) {
        lia_parser_fail(p, path->offset, LIANA_EDEPTH, "a path of more than %d names",
                        LIA_DEPTH_MAX);
        return;
    }
    if (s->count == s->cap) {
        uint32_t cap = s->cap ? s->cap * 2 : 4;
        struct lia_step *items = lia_arena_array(p->arena, cap, sizeof(*items));

        if (!items) {
            no_memory(p);
            return;
        }
        if (s->count) {
            memcpy(items, s->items, s->count * sizeof(*items));
        }
        s->items = items;
        s->cap = cap;
    }
    s->items[s->count++] = step;
}

struct lia_expr *lia_build_path(struct lia_parser *p, struct lia_token first)
{
    struct lia_expr *e = leaf(p, LIA_EXPR_PATH, first.offset);

    if (e) {
        e->is_constant = false;
        add_step(p, e, (struct lia_step){lia_build_name(p, first), 0});
    }
    return e;
}

struct lia_expr *lia_build_field(struct lia_parser *p,
                                 struct lia_expr *path,
                                 struct liana_str name)
{
    if (!path) {
        return NULL;
    }
    if (name.len && memchr(name.ptr, 0, name.len)) {
        lia_parser_fail(p, path->offset, LIANA_ESYNTAX,
                        "a name cannot have a NUL character");
        return NULL;
    }
    add_step(p, path, (struct lia_step){name, 0});
    return path;
}

struct lia_expr *lia_build_element(struct lia_parser *p,
                                   struct lia_expr *path,
                                   struct lia_token index)
{
    uint64_t v = 0;

    if (!path) {
        return NULL;
    }
    if (!read_digits(index.text, &v) || v > INT32_MAX) {
        lia_parser_fail(p, index.offset, LIANA_ESYNTAX, "no array is that long");
        return NULL;
    }
    add_step(p, path, (struct lia_step){{NULL, 0}, (uint32_t)v});
    return path;
}
