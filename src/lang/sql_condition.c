/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Conditions: SQL that the planner can look into, over keys where a path is compared with
 * a constant.
 */
#include "codec/key.h"
#include "lang/sql_gen.h"

/* Longer lists are looked through by a function instead of by SQLite's IN. */
#define IN_LIST_MAX 100

static uint8_t class_of(struct lia_value v)
{
    return (uint8_t)lia_value_class(v);
}

/* A key begins with its class; NaN has the first class of numbers, positive ones the last. */
static void bind_class_start(struct lia_gen *g, struct lia_value v)
{
    lia_buf_u8(&g->scratch, class_of(v));
    lia_gen_bind_scratch(g);
}

static void bind_class_end(struct lia_gen *g, struct lia_value v)
{
    uint8_t last =
        class_of(v) == LIA_CLASS_NUMBER ? LIA_CLASS_NUMBER_POSITIVE : class_of(v);

    lia_buf_u8(&g->scratch, (uint8_t)(last + 1));
    lia_gen_bind_scratch(g);
}

/* The key of a path, to be compared with the key of `with`. Fields of an object that is an
 * _id are sorted in the column `key`, so that one is not for objects. */
static void key_of(struct lia_gen *g,
                   const struct lia_expr *path,
                   struct lia_value with)
{
    if (lia_path_is_id(path) && class_of(with) != LIA_CLASS_OBJECT &&
        class_of(with) != LIA_CLASS_ARRAY) {
        lia_gen_put(g, "key");
    } else {
        lia_gen_on_path(g, "lia_key", path);
    }
}

static enum lia_compare negated(enum lia_compare op)
{
    static const enum lia_compare other[] = {LIA_NE, LIA_EQ, LIA_GE,
                                             LIA_GT, LIA_LE, LIA_LT};

    return other[op];
}

/* The operator with its operands exchanged. */
static enum lia_compare mirrored(enum lia_compare op)
{
    static const enum lia_compare other[] = {LIA_EQ, LIA_NE, LIA_GT,
                                             LIA_GE, LIA_LT, LIA_LE};

    return other[op];
}

/* Key comparisons that are true where `path op v` is TRUE. */
static void compare_key(struct lia_gen *g,
                        const struct lia_expr *path,
                        enum lia_compare op,
                        struct lia_value v)
{
    static const char *const signs[] = {"=", "<>", "<", "<=", ">", ">="};
    bool has_start = op == LIA_NE || op == LIA_LT || op == LIA_LE;
    bool has_end = op == LIA_NE || op == LIA_GT || op == LIA_GE;

    if (lia_is_missing(v)) {
        lia_gen_put(g, "0");
        return;
    }
    lia_gen_put(g, "(");
    key_of(g, path, v);
    lia_gen_put(g, signs[op]);
    lia_gen_bind_key(g, v);
    if (has_start) {
        lia_gen_put(g, " AND ");
        key_of(g, path, v);
        lia_gen_put(g, ">=");
        bind_class_start(g, v);
    }
    if (has_end) {
        lia_gen_put(g, " AND ");
        key_of(g, path, v);
        lia_gen_put(g, "<");
        bind_class_end(g, v);
    }
    lia_gen_put(g, ")");
}

static void through_value(struct lia_gen *g, const struct lia_expr *e, bool wanted)
{
    lia_gen_fn_name(g, wanted ? "lia_true" : "lia_false");
    lia_gen_value(g, e);
    lia_gen_put(g, ")");
}

static void comparison(struct lia_gen *g, const struct lia_expr *e, bool wanted)
{
    enum lia_compare op = wanted ? e->op : negated(e->op);
    struct lia_value v;

    if (lia_gen_has_key(g, e->args.items[0]) &&
        lia_gen_evaluate(g, e->args.items[1], &v)) {
        compare_key(g, e->args.items[0], op, v);
    } else if (lia_gen_has_key(g, e->args.items[1]) &&
               lia_gen_evaluate(g, e->args.items[0], &v)) {
        compare_key(g, e->args.items[1], mirrored(op), v);
    } else {
        through_value(g, e, wanted);
    }
}

static uint32_t elements(struct liana_slice array)
{
    struct lia_bson_iter it = lia_bson_iter(array);
    uint32_t n = 0;

    while (lia_bson_next(&it)) {
        n++;
    }
    return n;
}

/* path IN (list of keys). It is FALSE for what is not in the list and not MISSING. */
static void in_keys(struct lia_gen *g,
                    const struct lia_expr *path,
                    struct lia_value list,
                    bool wanted)
{
    struct lia_bson_iter it = lia_bson_iter(list.data);
    bool is_first = true;

    lia_gen_put(g, "(");
    lia_gen_on_path(g, "lia_key", path);
    lia_gen_put(g, wanted ? " IN (" : " NOT IN (");
    if (!wanted) {
        lia_gen_bind_key(g, LIA_MISSING);
        is_first = false;
    }
    while (lia_bson_next(&it)) {
        lia_gen_put(g, is_first ? "" : ",");
        is_first = false;
        lia_gen_bind_key(g, it.value);
    }
    lia_gen_put(g, "))");
}

/* The same for _id: keys of its column, but for objects. */
static bool has_objects(struct liana_slice array)
{
    struct lia_bson_iter it = lia_bson_iter(array);

    while (lia_bson_next(&it)) {
        if (it.value.type == LIA_BSON_DOCUMENT || it.value.type == LIA_BSON_ARRAY) {
            return true;
        }
    }
    return false;
}

static void in_ids(struct lia_gen *g, struct lia_value list, bool wanted)
{
    struct lia_bson_iter it = lia_bson_iter(list.data);
    bool is_first = true;

    lia_gen_put(g, wanted ? "(key IN (" : "(key NOT IN (");
    while (lia_bson_next(&it)) {
        lia_gen_put(g, is_first ? "" : ",");
        is_first = false;
        lia_gen_bind_key(g, it.value);
    }
    lia_gen_put(g, "))");
}

static void membership(struct lia_gen *g, const struct lia_expr *e, bool wanted)
{
    const struct lia_expr *path = e->args.items[0];
    struct lia_value list;

    if (!lia_gen_has_key(g, path) || !lia_gen_evaluate(g, e->args.items[1], &list) ||
        list.type != LIA_BSON_ARRAY || elements(list.data) > IN_LIST_MAX) {
        through_value(g, e, wanted);
    } else if (lia_path_is_id(path) && !has_objects(list.data)) {
        in_ids(g, list, wanted);
    } else {
        in_keys(g, path, list, wanted);
    }
}

/* AND of what makes an AND TRUE, OR of what makes it FALSE; as a balanced tree, for SQLite
 * limits how deep expressions are, not how long. */
/* NOLINTNEXTLINE(misc-no-recursion): logarithmic in the length */
static void junction(struct lia_gen *g,
                     const struct lia_expr *e,
                     uint32_t from,
                     uint32_t to,
                     bool wanted)
{
    bool is_and = (e->kind == LIA_EXPR_AND) == wanted;
    uint32_t mid = from + (to - from) / 2;

    if (to - from == 1) {
        lia_gen_condition(g, e->args.items[from], wanted);
        return;
    }
    lia_gen_put(g, "(");
    junction(g, e, from, mid, wanted);
    lia_gen_put(g, is_and ? " AND " : " OR ");
    junction(g, e, mid, to, wanted);
    lia_gen_put(g, ")");
}

/* IS NULL and its relatives, which are never MISSING, as tests of the key. */
static bool null_test(struct lia_gen *g, const struct lia_expr *e, bool wanted)
{
    static const struct lia_value undefined = {LIA_BSON_UNDEFINED, {NULL, 0}};
    const char *name = e->fn->name;
    bool is_null = strstr(name, "NULL") != NULL;
    bool is_not = strncmp(name, "IS NOT", 6) == 0;

    if (strncmp(name, "IS ", 3) != 0 || !lia_gen_has_key(g, e->args.items[0])) {
        return false;
    }
    lia_gen_put(g, "(");
    lia_gen_on_path(g, "lia_key", e->args.items[0]);
    lia_gen_put(g, is_not == wanted ? " NOT IN (" : " IN (");
    if (is_null) {
        lia_gen_bind_key(g, lia_value_of_null());
        lia_gen_put(g, ",");
        lia_gen_bind_key(g, undefined);
    }
    if (!is_null || is_not) {
        lia_gen_put(g, is_null ? "," : "");
        lia_gen_bind_key(g, LIA_MISSING);
    }
    lia_gen_put(g, "))");
    return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): at most LIA_DEPTH_MAX deep */
void lia_gen_condition(struct lia_gen *g, const struct lia_expr *e, bool wanted)
{
    struct lia_value v;

    if (lia_gen_evaluate(g, e, &v) &&
        (v.type == LIA_BSON_BOOL || lia_is_missing(v) || lia_is_null(v))) {
        lia_gen_put(g,
                    v.type == LIA_BSON_BOOL && lia_value_bool(v) == wanted ? "1" : "0");
        return;
    }
    switch (e->kind) {
    case LIA_EXPR_NOT: lia_gen_condition(g, e->args.items[0], !wanted); return;
    case LIA_EXPR_AND:
    case LIA_EXPR_OR: junction(g, e, 0, e->args.count, wanted); return;
    case LIA_EXPR_COMPARE: comparison(g, e, wanted); return;
    case LIA_EXPR_IN: membership(g, e, wanted); return;
    case LIA_EXPR_CALL:
        if (e->fn->is_operator && null_test(g, e, wanted)) {
            return;
        }
        break;
    default: break;
    }
    through_value(g, e, wanted);
}
