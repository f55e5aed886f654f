/* SPDX-License-Identifier: Apache-2.0 */
#include "lang/eval.h"

/* ---- paths ---- */

static bool step_into(struct lia_value v,
                      const struct lia_step *step,
                      struct lia_value *out)
{
    struct lia_bson_iter it;
    uint32_t at = 0;

    if (step->name.ptr) {
        return v.type == LIA_BSON_DOCUMENT && lia_bson_find(v.data, step->name, out);
    }
    if (v.type != LIA_BSON_ARRAY) {
        return false;
    }
    it = lia_bson_iter(v.data);
    while (lia_bson_next(&it)) {
        if (at++ == step->index) {
            *out = it.value;
            return true;
        }
    }
    return false;
}

struct lia_value lia_path_get(struct liana_slice doc, const struct lia_steps *path)
{
    struct lia_value v = {LIA_BSON_DOCUMENT, doc};

    for (uint32_t i = 0; i < path->count; i++) {
        if (!step_into(v, &path->items[i], &v)) {
            return LIA_MISSING;
        }
    }
    return v;
}

/* ---- nodes ---- */

static liana_status get_param(const struct lia_eval *cx,
                              const struct lia_expr *e,
                              struct lia_value *out)
{
    if (!lia_bson_find(cx->params, e->name, out)) {
        return lia_err(cx->err, LIANA_EPARAM, "parameter :%.*s is not given",
                       (int)(e->name.len < 120 ? e->name.len : 120), e->name.ptr);
    }
    return LIANA_OK;
}

/* The operand settles AND or OR, whatever comes behind it. */
static bool settles(enum lia_expr_kind kind, struct lia_value v)
{
    return v.type == LIA_BSON_BOOL && ((kind == LIA_EXPR_AND && !lia_value_bool(v)) ||
                                       (kind == LIA_EXPR_OR && lia_value_bool(v)));
}

/* NOLINTNEXTLINE(misc-no-recursion): at most LIA_DEPTH_MAX deep */
static liana_status call(const struct lia_eval *cx,
                         const struct lia_expr *e,
                         struct liana_slice doc,
                         struct lia_value *out)
{
    const struct lia_call with = {cx->arena, cx->err, cx->is_lenient, e->fn->name,
                                  cx->regexps};
    struct lia_value few[4] = {0};
    struct lia_value *args = few;
    uint32_t n = 0;

    if (e->args.count > sizeof(few) / sizeof(few[0])) {
        args = lia_arena_array(cx->arena, e->args.count, sizeof(*args));
        if (!args) {
            return lia_err_plain(cx->err, LIANA_ENOMEM);
        }
    }
    while (n < e->args.count) {
        liana_status status = lia_eval(cx, e->args.items[n], doc, &args[n]);

        if (status) {
            return status;
        }
        n++;
        if (settles(e->kind, args[n - 1])) {
            break;
        }
    }
    return lia_fn_invoke(&with, e->fn, args, n, out);
}

/* NOLINTNEXTLINE(misc-no-recursion): at most LIA_DEPTH_MAX deep */
static liana_status choose(const struct lia_eval *cx,
                           const struct lia_expr *e,
                           struct liana_slice doc,
                           struct lia_value *out)
{
    uint32_t i = 0;

    for (; i + 1 < e->args.count; i += 2) {
        bool is_true = false;
        liana_status status = lia_eval_is_true(cx, e->args.items[i], doc, &is_true);

        if (status) {
            return status;
        }
        if (is_true) {
            return lia_eval(cx, e->args.items[i + 1], doc, out);
        }
    }
    if (i < e->args.count) {
        return lia_eval(cx, e->args.items[i], doc, out);
    }
    *out = lia_value_of_null();
    return LIANA_OK;
}

/* NOLINTNEXTLINE(misc-no-recursion): at most LIA_DEPTH_MAX deep */
liana_status lia_eval(const struct lia_eval *cx,
                      const struct lia_expr *e,
                      struct liana_slice doc,
                      struct lia_value *out)
{
    switch (e->kind) {
    case LIA_EXPR_VALUE: *out = e->value; return LIANA_OK;
    case LIA_EXPR_PARAM: return get_param(cx, e, out);
    case LIA_EXPR_PATH: *out = lia_path_get(doc, &e->path); return LIANA_OK;
    case LIA_EXPR_CASE: return choose(cx, e, doc, out);
    case LIA_EXPR_AGGREGATE:
        return lia_err(cx->err, LIANA_EMISUSE, "%s of one document",
                       lia_aggregate_name(e->aggregate));
    case LIA_EXPR_COMPARE:
    case LIA_EXPR_AND:
    case LIA_EXPR_OR:
    case LIA_EXPR_XOR:
    case LIA_EXPR_NOT:
    case LIA_EXPR_IN:
    case LIA_EXPR_CALL:
    case LIA_EXPR_ARRAY:
    case LIA_EXPR_OBJECT: return call(cx, e, doc, out);
    }
    return lia_err(cx->err, LIANA_EINTERNAL, "node of kind %d", (int)e->kind);
}

/* NOLINTNEXTLINE(misc-no-recursion): at most LIA_DEPTH_MAX deep */
liana_status lia_eval_is_true(const struct lia_eval *cx,
                              const struct lia_expr *e,
                              struct liana_slice doc,
                              bool *out)
{
    struct lia_value v = LIA_MISSING;
    liana_status status;

    if (!e) {
        *out = true;
        return LIANA_OK;
    }
    status = lia_eval(cx, e, doc, &v);
    if (status) {
        return status;
    }
    if (v.type != LIA_BSON_BOOL && !lia_is_missing(v) && !lia_is_null(v) &&
        !cx->is_lenient) {
        return lia_err(cx->err, LIANA_ETYPE, "a condition must be a boolean, not %s",
                       lia_bson_type_name(v.type));
    }
    *out = lia_is_true(v);
    return LIANA_OK;
}
