/* SPDX-License-Identifier: Apache-2.0 */
#include "lang/build.h"

#include <stdio.h>
#include <stdlib.h>

static void no_memory(struct lia_parser *p)
{
    if (!p->status) {
        p->status = lia_err_plain(p->err, LIANA_ENOMEM);
    }
}

void *lia_build_grow(struct lia_parser *p,
                     void *items,
                     uint32_t count,
                     uint32_t *cap,
                     size_t size)
{
    uint32_t more = *cap ? *cap * 2 : 4;
    void *bigger;

    if (p->status || count < *cap) {
        return p->status ? NULL : items;
    }
    bigger = lia_arena_array(p->arena, more, size);
    if (!bigger) {
        no_memory(p);
        return NULL;
    }
    if (count) {
        memcpy(bigger, items, count * size);
    }
    *cap = more;
    return bigger;
}

struct lia_exprs lia_build_append(struct lia_parser *p,
                                  struct lia_exprs list,
                                  struct lia_expr *e)
{
    LIA_APPEND(p, list, e);
    return list;
}

struct lia_exprs lia_build_list(struct lia_parser *p, struct lia_expr *first)
{
    return lia_build_append(p, (struct lia_exprs){0}, first);
}

/* ---- nodes ---- */

/* Takes in what a node inherits from one below it. */
static void inherit(struct lia_parser *p,
                    struct lia_expr *e,
                    const struct lia_expr *below)
{
    e->is_constant = e->is_constant && below->is_constant;
    e->has_aggregate = e->has_aggregate || below->has_aggregate;
    if (e->height <= below->height) {
        e->height = below->height + 1;
    }
    if (e->height > LIA_DEPTH_MAX) {
        lia_parser_fail(p, e->offset, LIANA_EDEPTH, "nested more than %d deep",
                        LIA_DEPTH_MAX);
    }
}

/* The operator that computes a kind of node; NULL where there are several or none. */
static const struct lia_fn *fn_of_kind(enum lia_expr_kind kind)
{
    switch (kind) {
    case LIA_EXPR_AND: return lia_fn_operator("AND");
    case LIA_EXPR_OR: return lia_fn_operator("OR");
    case LIA_EXPR_XOR: return lia_fn_operator("XOR");
    case LIA_EXPR_NOT: return lia_fn_operator("NOT");
    case LIA_EXPR_IN: return lia_fn_operator("IN");
    case LIA_EXPR_ARRAY: return lia_fn_operator("[]");
    case LIA_EXPR_OBJECT: return lia_fn_operator("{}");
    default: return NULL;
    }
}

static struct lia_expr *node(struct lia_parser *p,
                             enum lia_expr_kind kind,
                             uint32_t offset,
                             struct lia_exprs args)
{
    struct lia_expr *e = lia_build_value(p, offset, LIA_MISSING);

    if (!e) {
        return NULL;
    }
    e->kind = kind;
    e->fn = fn_of_kind(kind);
    e->args = args;
    for (uint32_t i = 0; i < args.count; i++) {
        inherit(p, e, args.items[i]);
    }
    return p->status ? NULL : e;
}

/* The arguments that are there; a NULL among them is a failure that is already known. */
static struct lia_exprs list_of(struct lia_parser *p,
                                struct lia_expr *const *items,
                                uint32_t n)
{
    struct lia_exprs list = {0};

    for (uint32_t i = 0; i < n; i++) {
        list = lia_build_append(p, list, items[i]);
    }
    return list;
}

struct lia_expr *lia_build_not(struct lia_parser *p,
                               uint32_t offset,
                               struct lia_expr *e)
{
    return p->status ? NULL : node(p, LIA_EXPR_NOT, offset, lia_build_list(p, e));
}

/* AND and OR take a chain's next operand into the node that is there. */
static struct lia_expr *extend(struct lia_parser *p,
                               struct lia_expr *chain,
                               struct lia_expr *e)
{
    if (e->kind == chain->kind) {
        for (uint32_t i = 0; i < e->args.count && !p->status; i++) {
            extend(p, chain, e->args.items[i]); /* never a node of the same kind */
        }
        return chain;
    }
    LIA_APPEND(p, chain->args, e);
    if (!p->status) {
        inherit(p, chain, e);
    }
    return chain;
}

struct lia_expr *lia_build_pair(struct lia_parser *p,
                                enum lia_expr_kind kind,
                                struct lia_expr *a,
                                struct lia_expr *b)
{
    if (p->status) {
        return NULL;
    }
    if ((kind == LIA_EXPR_AND || kind == LIA_EXPR_OR) && a->kind == kind) {
        return extend(p, a, b);
    }
    return node(p, kind, a->offset, list_of(p, (struct lia_expr *[]){a, b}, 2));
}

struct lia_expr *lia_build_compare(struct lia_parser *p,
                                   enum lia_compare op,
                                   struct lia_expr *a,
                                   struct lia_expr *b)
{
    static const char *const names[] = {"=", "!=", "<", "<=", ">", ">="};
    struct lia_expr *e = lia_build_pair(p, LIA_EXPR_COMPARE, a, b);

    if (e) {
        e->op = op;
        e->fn = lia_fn_operator(names[op]);
    }
    return e;
}

struct lia_expr *lia_build_between(struct lia_parser *p,
                                   struct lia_expr *e,
                                   struct lia_expr *low,
                                   struct lia_expr *high)
{
    struct lia_expr *above = lia_build_compare(p, LIA_GE, e, low);
    struct lia_expr *below = lia_build_compare(p, LIA_LE, e, high);

    return lia_build_pair(p, LIA_EXPR_AND, above, below);
}

struct lia_expr *lia_build_array(struct lia_parser *p,
                                 uint32_t offset,
                                 struct lia_exprs items)
{
    return p->status ? NULL : node(p, LIA_EXPR_ARRAY, offset, items);
}

static int compare_names(const void *a, const void *b)
{
    const struct lia_expr *const *x = a;
    const struct lia_expr *const *y = b;

    return lia_slice_cmp((*x)->value.data, (*y)->value.data);
}

/* No name with a NUL, none twice. */
static void check_names(struct lia_parser *p, struct lia_exprs fields)
{
    struct lia_expr **names =
        lia_arena_array(p->arena, fields.count / 2, sizeof(*names));
    uint32_t n = 0;

    if (!names) {
        no_memory(p);
        return;
    }
    for (uint32_t i = 0; i < fields.count; i += 2) {
        struct liana_str name = lia_value_str(fields.items[i]->value);

        names[n++] = fields.items[i];
        if (name.len && memchr(name.ptr, 0, name.len)) {
            lia_parser_fail(p, fields.items[i]->offset, LIANA_ESYNTAX,
                            "a field's name cannot have a NUL character");
        }
    }
    qsort(names, n, sizeof(*names), compare_names);
    for (uint32_t i = 1; i < n; i++) {
        if (lia_value_equal(names[i]->value, names[i - 1]->value)) {
            struct liana_str name = lia_value_str(names[i]->value);

            lia_parser_fail(p, names[i]->offset, LIANA_EDUPFIELD,
                            "field '%.*s' stands twice in one object",
                            (int)(name.len < 100 ? name.len : 100), name.ptr);
        }
    }
}

struct lia_expr *lia_build_object(struct lia_parser *p,
                                  uint32_t offset,
                                  struct lia_exprs fields)
{
    if (!p->status && fields.count) {
        check_names(p, fields);
    }
    return p->status ? NULL : node(p, LIA_EXPR_OBJECT, offset, fields);
}

struct lia_expr *lia_build_case(struct lia_parser *p,
                                uint32_t offset,
                                struct lia_expr *on,
                                struct lia_exprs arms,
                                struct lia_expr *otherwise)
{
    if (p->status) {
        return NULL;
    }
    for (uint32_t i = 0; on && i < arms.count; i += 2) {
        arms.items[i] = lia_build_compare(p, LIA_EQ, on, arms.items[i]);
    }
    if (otherwise) {
        arms = lia_build_append(p, arms, otherwise);
    }
    return p->status ? NULL : node(p, LIA_EXPR_CASE, offset, arms);
}

/* ---- calls ---- */

struct lia_expr *lia_build_operator(struct lia_parser *p,
                                    const char *name,
                                    struct lia_expr *a,
                                    struct lia_expr *b,
                                    struct lia_expr *c)
{
    struct lia_expr *const given[3] = {a, b, c};
    uint32_t count = c ? 3 : b ? 2 : 1;
    struct lia_expr *e;

    if (p->status) {
        return NULL;
    }
    e = node(p, LIA_EXPR_CALL, a->offset, list_of(p, given, count));
    if (e) {
        e->fn = lia_fn_operator(name);
    }
    return e;
}

static bool same_word(struct liana_str a, const char *b)
{
    size_t n = strlen(b);

    if (a.len != n) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if ((a.ptr[i] & ~0x20) != (b[i] & ~0x20)) {
            return false;
        }
    }
    return true;
}

static bool find_aggregate(struct liana_str name, enum lia_aggregate *out)
{
    for (int i = LIA_COUNT; i <= LIA_MAX; i++) {
        if (same_word(name, lia_aggregate_name((enum lia_aggregate)i))) {
            *out = (enum lia_aggregate)i;
            return true;
        }
    }
    return false;
}

static struct lia_expr *aggregate(struct lia_parser *p,
                                  uint32_t offset,
                                  enum lia_aggregate kind,
                                  struct lia_exprs args)
{
    struct lia_expr *e;

    if (args.count == 1 && args.items[0]->has_aggregate) {
        lia_parser_fail(p, offset, LIANA_ESYNTAX,
                        "an aggregate cannot stand within another one");
        return NULL;
    }
    e = node(p, LIA_EXPR_AGGREGATE, offset, args);
    if (e) {
        e->aggregate = kind;
        e->is_constant = false;
        e->has_aggregate = true;
    }
    return e;
}

static void fail_count(struct lia_parser *p,
                       struct lia_token name,
                       unsigned min,
                       unsigned max,
                       unsigned given)
{
    char wanted[32];

    if (min == max) {
        snprintf(wanted, sizeof(wanted), "%u", min);
    } else if (max == LIA_ARGS_MAX) {
        snprintf(wanted, sizeof(wanted), "%u to %u", min, max);
    } else {
        snprintf(wanted, sizeof(wanted), "%u or %u", min, max);
    }
    lia_parser_fail(p, name.offset, LIANA_ESYNTAX, "%.*s takes %s argument%s, not %u",
                    LIA_STR_ARG(name.text), wanted, max == 1 ? "" : "s", given);
}

struct lia_expr *lia_build_call(struct lia_parser *p,
                                struct lia_token name,
                                struct lia_exprs args)
{
    enum lia_aggregate kind;
    const struct lia_fn *fn;
    struct lia_expr *e;

    if (p->status) {
        return NULL;
    }
    if (find_aggregate(name.text, &kind)) {
        if (args.count != 1) {
            fail_count(p, name, 1, 1, args.count);
            return NULL;
        }
        return aggregate(p, name.offset, kind, args);
    }
    fn = lia_fn_find(name.text);
    if (!fn) {
        lia_parser_fail(p, name.offset, LIANA_ESYNTAX, "there is no function %.*s",
                        (int)(name.text.len < 60 ? name.text.len : 60), name.text.ptr);
        return NULL;
    }
    if (args.count < fn->min || args.count > fn->max) {
        fail_count(p, name, fn->min, fn->max, args.count);
        return NULL;
    }
    e = node(p, LIA_EXPR_CALL, name.offset, args);
    if (e) {
        e->fn = fn;
    }
    return e;
}

struct lia_expr *lia_build_count_all(struct lia_parser *p, struct lia_token name)
{
    enum lia_aggregate kind;

    if (p->status) {
        return NULL;
    }
    if (!find_aggregate(name.text, &kind) || kind != LIA_COUNT) {
        lia_parser_fail(p, name.offset, LIANA_ESYNTAX, "only COUNT takes '*'");
        return NULL;
    }
    return aggregate(p, name.offset, LIA_COUNT, (struct lia_exprs){0});
}

/* CAST(e AS type) is a function of the type's name: cast_string(e). */
struct lia_expr *lia_build_cast(struct lia_parser *p,
                                struct lia_expr *e,
                                struct lia_token type)
{
    static const struct {
        const char *type;
        const char *function;
    } casts[] = {
        {"string", "to_string"}, {"integer", "to_integer"}, {"int", "to_integer"},
        {"float", "to_float"},   {"double", "to_float"},    {"boolean", "to_boolean"},
        {"bool", "to_boolean"},
    };

    for (size_t i = 0; !p->status && i < sizeof(casts) / sizeof(casts[0]); i++) {
        if (same_word(type.text, casts[i].type)) {
            struct lia_expr *call =
                node(p, LIA_EXPR_CALL, e->offset, lia_build_list(p, e));

            if (call) {
                call->fn = lia_fn_find(lia_str(casts[i].function));
            }
            return call;
        }
    }
    lia_parser_fail(p, type.offset, LIANA_ESYNTAX,
                    "expected string, integer, float or boolean, not %.*s",
                    (int)(type.text.len < 60 ? type.text.len : 60), type.text.ptr);
    return NULL;
}

/* ---- statements ---- */

struct lia_stmt *lia_build_stmt(struct lia_parser *p, enum lia_stmt_kind kind)
{
    struct lia_stmt *s = p->status ? NULL : LIA_ARENA_NEW(p->arena, struct lia_stmt);

    if (!s) {
        no_memory(p);
        return NULL;
    }
    s->kind = kind;
    return s;
}

struct lia_columns lia_build_column(struct lia_parser *p,
                                    struct lia_columns list,
                                    struct lia_column item)
{
    if (item.expr) {
        item.offset = item.expr->offset;
    }
    LIA_APPEND(p, list, item);
    return list;
}

struct lia_orders lia_build_order(struct lia_parser *p,
                                  struct lia_orders list,
                                  struct lia_order item)
{
    LIA_APPEND(p, list, item);
    return list;
}

struct lia_assigns lia_build_assign(struct lia_parser *p,
                                    struct lia_assigns list,
                                    struct lia_assign item)
{
    LIA_APPEND(p, list, item);
    return list;
}

struct lia_assigns lia_build_assigns(struct lia_parser *p,
                                     struct lia_assigns a,
                                     struct lia_assigns b)
{
    for (uint32_t i = 0; i < b.count; i++) {
        LIA_APPEND(p, a, b.items[i]);
    }
    return a;
}

struct lia_dotted lia_build_dotted(struct lia_parser *p,
                                   struct lia_dotted start,
                                   struct liana_str name)
{
    size_t len = start.text.len + 1 + name.len;
    char *text = p->status ? NULL : lia_arena_alloc(p->arena, len);

    if (!text) {
        no_memory(p);
        return start;
    }
    memcpy(text, start.text.ptr, start.text.len);
    text[start.text.len] = '.';
    memcpy(text + start.text.len + 1, name.ptr, name.len);
    return (struct lia_dotted){{text, len}, start.offset};
}

struct lia_source lia_build_source(struct liana_str space,
                                   struct lia_dotted name,
                                   uint32_t offset)
{
    return (struct lia_source){space, name.text, name.text, offset, {0}};
}

struct lia_expr *lia_build_zero(struct lia_parser *p, struct lia_token at)
{
    static const uint8_t zero[4] = {0};

    return lia_build_value(p, at.offset,
                           (struct lia_value){LIA_BSON_INT32, {zero, sizeof(zero)}});
}
