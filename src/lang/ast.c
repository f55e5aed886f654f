/* SPDX-License-Identifier: Apache-2.0 */
#include "lang/ast.h"

static bool steps_equal(const struct lia_steps *a, const struct lia_steps *b)
{
    if (a->count != b->count) {
        return false;
    }
    for (uint32_t i = 0; i < a->count; i++) {
        const struct lia_step *x = &a->items[i];
        const struct lia_step *y = &b->items[i];

        if (!x->name.ptr != !y->name.ptr || x->index != y->index ||
            (x->name.ptr && !lia_str_equal(x->name, y->name))) {
            return false;
        }
    }
    return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): at most LIA_DEPTH_MAX deep */
bool lia_expr_equal(const struct lia_expr *a, const struct lia_expr *b)
{
    if (a->kind != b->kind || a->op != b->op || a->aggregate != b->aggregate ||
        a->fn != b->fn || a->args.count != b->args.count ||
        !lia_value_equal(a->value, b->value) || !lia_str_equal(a->name, b->name) ||
        !steps_equal(&a->path, &b->path)) {
        return false;
    }
    for (uint32_t i = 0; i < a->args.count; i++) {
        if (!lia_expr_equal(a->args.items[i], b->args.items[i])) {
            return false;
        }
    }
    return true;
}

/* NOLINTNEXTLINE(misc-no-recursion): at most LIA_DEPTH_MAX deep */
void lia_expr_walk(struct lia_expr *e, lia_expr_visit_fn visit, void *ctx)
{
    if (!e) {
        return;
    }
    visit(ctx, e);
    for (uint32_t i = 0; i < e->args.count; i++) {
        lia_expr_walk(e->args.items[i], visit, ctx);
    }
}

const char *lia_aggregate_name(enum lia_aggregate aggregate)
{
    switch (aggregate) {
    case LIA_COUNT: return "COUNT";
    case LIA_SUM: return "SUM";
    case LIA_AVG: return "AVG";
    case LIA_MIN: return "MIN";
    case LIA_MAX: return "MAX";
    }
    return "";
}
