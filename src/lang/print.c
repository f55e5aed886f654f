/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The canonical text of an expression: one way to write each tree. Operators stand in parentheses, names in backticks,
 * strings in single quotes, and values without a literal as the call that makes them.
 */
#include <math.h>

#include "codec/decimal.h"
#include "codec/double_text.h"
#include "lang/print.h"

void lia_name_print(struct lia_buf *out, struct liana_str name)
{
    lia_buf_u8(out, '`');
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] == '`') {
            lia_buf_u8(out, '`');
        }
        lia_buf_u8(out, (uint8_t)name.ptr[i]);
    }
    lia_buf_u8(out, '`');
}

static void print_string(struct lia_buf *out, struct liana_str s)
{
    lia_buf_u8(out, '\'');
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];

        if (c < 0x20 || c == 0x7f) {
            lia_buf_printf(out, "\\u%04x", c);
        } else {
            if (c == '\'' || c == '\\') {
                lia_buf_u8(out, '\\');
            }
            lia_buf_u8(out, c);
        }
    }
    lia_buf_u8(out, '\'');
}

static void print_hex(struct lia_buf *out, struct liana_slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        lia_buf_printf(out, "%02x", bytes.ptr[i]);
    }
}

static void print_double(struct lia_buf *out, double v)
{
    char text[LIA_DOUBLE_TEXT];

    if (isnan(v) || isinf(v)) {
        lia_buf_str(out, isnan(v) ? "to_float('nan')"
                         : v > 0  ? "to_float('inf')"
                                  : "to_float('-inf')");
        return;
    }
    lia_buf_bytes(out, text, lia_double_print(v, text));
}

/* Whole numbers whose type is not that of their literal are made by a call. */
static void print_whole(struct lia_buf *out, struct lia_value v)
{
    int64_t n = lia_int_of(v);
    bool is_plain = v.type == LIA_BSON_INT32 || n < INT32_MIN || n > INT32_MAX;

    lia_buf_printf(out, is_plain ? "%lld" : "int64(%lld)", (long long)n);
}

/* NOLINTNEXTLINE(misc-no-recursion): at most LIA_DEPTH_MAX deep */
static void print_value(struct lia_buf *out, struct lia_value v);

/* NOLINTNEXTLINE(misc-no-recursion): at most LIA_DEPTH_MAX deep */
static void print_elements(struct lia_buf *out, struct lia_value v)
{
    struct lia_bson_iter it = lia_bson_iter(v.data);
    bool is_object = v.type == LIA_BSON_DOCUMENT;
    bool is_first = true;

    lia_buf_str(out, is_object ? "{" : "[");
    while (lia_bson_next(&it)) {
        lia_buf_str(out, is_first ? "" : ", ");
        is_first = false;
        if (is_object) {
            print_string(out, it.name);
            lia_buf_str(out, ": ");
        }
        print_value(out, it.value);
    }
    lia_buf_str(out, is_object ? "}" : "]");
}

/* NOLINTNEXTLINE(misc-no-recursion): at most LIA_DEPTH_MAX deep */
static void print_value(struct lia_buf *out, struct lia_value v)
{
    char text[LIA_DECIMAL_TEXT];

    switch (v.type) {
    case LIA_BSON_END: lia_buf_str(out, "MISSING"); return;
    case LIA_BSON_NULL: lia_buf_str(out, "NULL"); return;
    case LIA_BSON_BOOL: lia_buf_str(out, lia_value_bool(v) ? "TRUE" : "FALSE"); return;
    case LIA_BSON_INT32:
    case LIA_BSON_INT64: print_whole(out, v); return;
    case LIA_BSON_DOUBLE: print_double(out, lia_value_double(v)); return;
    case LIA_BSON_STRING: print_string(out, lia_value_str(v)); return;
    case LIA_BSON_DOCUMENT:
    case LIA_BSON_ARRAY: print_elements(out, v); return;
    case LIA_BSON_DECIMAL128:
        lia_buf_str(out, "decimal('");
        lia_buf_bytes(out, text, lia_decimal_print(lia_value_decimal(v), text));
        lia_buf_str(out, "')");
        return;
    case LIA_BSON_DATE:
        lia_buf_printf(out, "date(%lld)", (long long)lia_value_date_ms(v));
        return;
    case LIA_BSON_MINKEY: lia_buf_str(out, "minkey()"); return;
    case LIA_BSON_MAXKEY: lia_buf_str(out, "maxkey()"); return;
    default: /* exact, and for every type there is */
        lia_buf_printf(out, "bson(%u, '", v.type);
        print_hex(out, v.data);
        lia_buf_str(out, "')");
    }
}

/* The document itself is `$`, the alias of canonical statements; so a field of that name
 * needs it in front. */
static void print_path(struct lia_buf *out, const struct lia_steps *path)
{
    if (path->count == 0) {
        lia_buf_str(out, LIA_CANONICAL_ALIAS);
        return;
    }
    if (lia_str_equal(path->items[0].name, lia_str("$"))) {
        lia_buf_str(out, LIA_CANONICAL_ALIAS ".");
    }
    for (uint32_t i = 0; i < path->count; i++) {
        const struct lia_step *step = &path->items[i];

        if (!step->name.ptr) {
            lia_buf_printf(out, "[%u]", step->index);
        } else {
            lia_buf_str(out, i ? "." : "");
            lia_name_print(out, step->name);
        }
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): at most LIA_DEPTH_MAX deep */
static void print_list(struct lia_buf *out,
                       const struct lia_expr *e,
                       const char *between)
{
    for (uint32_t i = 0; i < e->args.count; i++) {
        lia_buf_str(out, i ? between : "");
        lia_expr_print(out, e->args.items[i]);
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): at most LIA_DEPTH_MAX deep */
static void print_case(struct lia_buf *out, const struct lia_expr *e)
{
    uint32_t i = 0;

    lia_buf_str(out, "CASE");
    for (; i + 1 < e->args.count; i += 2) {
        lia_buf_str(out, " WHEN ");
        lia_expr_print(out, e->args.items[i]);
        lia_buf_str(out, " THEN ");
        lia_expr_print(out, e->args.items[i + 1]);
    }
    if (i < e->args.count) {
        lia_buf_str(out, " ELSE ");
        lia_expr_print(out, e->args.items[i]);
    }
    lia_buf_str(out, " END");
}

/* NOLINTNEXTLINE(misc-no-recursion): at most LIA_DEPTH_MAX deep */
static void print_object(struct lia_buf *out, const struct lia_expr *e)
{
    lia_buf_str(out, "{");
    for (uint32_t i = 0; i < e->args.count; i++) {
        lia_buf_str(out, i == 0 ? "" : i % 2 ? ": " : ", ");
        lia_expr_print(out, e->args.items[i]);
    }
    lia_buf_str(out, "}");
}

/* Operators as they are written: between, before or behind their operands. */
/* NOLINTNEXTLINE(misc-no-recursion): at most LIA_DEPTH_MAX deep */
static void print_operator(struct lia_buf *out, const struct lia_expr *e)
{
    const char *name = e->fn->name;

    lia_buf_str(out, "(");
    if (e->args.count == 1) {
        bool is_sign = strcmp(name, "negative") == 0 || strcmp(name, "positive") == 0;

        if (is_sign) {
            lia_buf_str(out, name[0] == 'n' ? "- " : "+ ");
        }
        lia_expr_print(out, e->args.items[0]);
        if (!is_sign) {
            lia_buf_printf(out, " %s", name);
        }
    } else {
        lia_expr_print(out, e->args.items[0]);
        lia_buf_printf(out, " %s ", name);
        lia_expr_print(out, e->args.items[1]);
        if (e->args.count == 3) {
            lia_buf_str(out, " ESCAPE ");
            lia_expr_print(out, e->args.items[2]);
        }
    }
    lia_buf_str(out, ")");
}

/* NOLINTNEXTLINE(misc-no-recursion): at most LIA_DEPTH_MAX deep */
void lia_expr_print(struct lia_buf *out, const struct lia_expr *e)
{
    switch (e->kind) {
    case LIA_EXPR_VALUE: print_value(out, e->value); return;
    case LIA_EXPR_PARAM: lia_buf_printf(out, ":%.*s", LIA_STR_ARG(e->name)); return;
    case LIA_EXPR_PATH: print_path(out, &e->path); return;
    case LIA_EXPR_CASE: print_case(out, e); return;
    case LIA_EXPR_OBJECT: print_object(out, e); return;
    case LIA_EXPR_NOT:
        lia_buf_str(out, "(NOT ");
        print_list(out, e, "");
        lia_buf_str(out, ")");
        return;
    case LIA_EXPR_ARRAY:
        lia_buf_str(out, "[");
        print_list(out, e, ", ");
        lia_buf_str(out, "]");
        return;
    case LIA_EXPR_AND:
    case LIA_EXPR_OR:
        lia_buf_str(out, "(");
        print_list(out, e, e->kind == LIA_EXPR_AND ? " AND " : " OR ");
        lia_buf_str(out, ")");
        return;
    case LIA_EXPR_COMPARE:
    case LIA_EXPR_XOR:
    case LIA_EXPR_IN: print_operator(out, e); return;
    case LIA_EXPR_AGGREGATE:
        lia_buf_printf(out, "%s(", lia_aggregate_name(e->aggregate));
        lia_buf_str(out, e->args.count ? "" : "*");
        print_list(out, e, "");
        lia_buf_str(out, ")");
        return;
    case LIA_EXPR_CALL: break;
    }
    if (e->fn->is_operator) {
        print_operator(out, e);
        return;
    }
    lia_buf_printf(out, "%s(", e->fn->name);
    print_list(out, e, ", ");
    lia_buf_str(out, ")");
}
