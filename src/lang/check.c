/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lang/check - what is known of a whole statement without its data: what paths mean, names of columns, where aggregates may
 * stand, what can be assigned.
 */
#include <stdio.h>

#include "lang/build.h"

/* ---- names ---- */

struct resolver {
    struct lia_parser *p;
    const struct lia_source *source;
};

/* `s.price` with the source's alias in front means the field price. The alias alone means
 * the whole document if it was given with AS; a collection's bare name stays a field, for
 * documents have fields named like their collection. */
static void resolve_path(void *ctx, struct lia_expr *e)
{
    const struct resolver *r = ctx;
    const struct lia_source *source = r->source;
    bool is_given = !lia_str_equal(source->alias, source->collection);

    if (e->kind != LIA_EXPR_PATH || e->is_resolved) {
        return; /* a node may stand in two places: BETWEEN, CASE x WHEN */
    }
    e->is_resolved = true;
    if (!e->path.items[0].name.ptr ||
        !lia_str_equal(e->path.items[0].name, source->alias)) {
        return;
    }
    if (e->path.count > 1 && !e->path.items[1].name.ptr && is_given) {
        lia_parser_fail(r->p, e->offset, LIANA_ESYNTAX, "a document is no array");
    } else if ((e->path.count > 1 && e->path.items[1].name.ptr) ||
               (e->path.count == 1 && is_given)) {
        e->path.items++;
        e->path.count--;
        e->path.cap--;
    }
}

static void resolve_list(struct lia_exprs list, struct resolver *r)
{
    for (uint32_t i = 0; i < list.count; i++) {
        lia_expr_walk(list.items[i], resolve_path, r);
    }
}

static void resolve(struct lia_parser *p, struct lia_stmt *s)
{
    struct resolver r = {p, &s->source};

    for (uint32_t i = 0; i < s->columns.count; i++) {
        lia_expr_walk(s->columns.items[i].expr, resolve_path, &r);
    }
    for (uint32_t i = 0; i < s->order.count; i++) {
        lia_expr_walk(s->order.items[i].expr, resolve_path, &r);
    }
    for (uint32_t i = 0; i < s->assigns.count; i++) {
        lia_expr_walk(s->assigns.items[i].path, resolve_path, &r);
        lia_expr_walk(s->assigns.items[i].value, resolve_path, &r);
        lia_expr_walk(s->assigns.items[i].actor, resolve_path, &r);
    }
    lia_expr_walk(s->where, resolve_path, &r);
    lia_expr_walk(s->having, resolve_path, &r);
    resolve_list(s->group, &r);
}

/* ---- columns ---- */

/* A path is named by its last field, as in SQL; anything else by its place, as in DQL. */
static void name_column(struct lia_parser *p,
                        const struct lia_stmt *s,
                        struct lia_column *column,
                        uint32_t place)
{
    const struct lia_expr *e = column->expr;
    char text[24];
    struct liana_slice copy;
    int n;

    if (e->kind == LIA_EXPR_PATH && e->path.count == 0) {
        column->name = s->source.alias;
        return;
    }
    if (e->kind == LIA_EXPR_PATH && e->path.items[e->path.count - 1].name.ptr) {
        column->name = e->path.items[e->path.count - 1].name;
        return;
    }
    n = snprintf(text, sizeof(text), "($%u)", place + 1);
    if (!lia_arena_copy(p->arena, lia_slice(text, (size_t)n), &copy)) {
        p->status = lia_err_plain(p->err, LIANA_ENOMEM);
        return;
    }
    column->name = lia_slice_str(copy);
}

static void check_columns(struct lia_parser *p, struct lia_stmt *s)
{
    for (uint32_t i = 0; i < s->columns.count && !p->status; i++) {
        struct lia_column *column = &s->columns.items[i];

        if (!column->expr) {
            if (s->columns.count > 1) {
                lia_parser_fail(p, column->offset, LIANA_ESYNTAX,
                                "'*' cannot stand beside other columns");
            }
            continue;
        }
        s->has_aggregate = s->has_aggregate || column->expr->has_aggregate;
        if (!column->name.ptr) {
            name_column(p, s, column, i);
        }
        for (uint32_t k = 0; k < i; k++) {
            if (!p->status && lia_str_equal(s->columns.items[k].name, column->name)) {
                lia_parser_fail(p, column->offset, LIANA_EDUPFIELD,
                                "two columns are named %.*s: rename one with AS",
                                LIA_STR_ARG(column->name));
            }
        }
    }
}

/* ORDER BY may name a column. */
static void resolve_order(struct lia_stmt *s)
{
    for (uint32_t i = 0; i < s->order.count; i++) {
        struct lia_expr *e = s->order.items[i].expr;

        if (e->kind != LIA_EXPR_PATH || e->path.count != 1 ||
            !e->path.items[0].name.ptr) {
            continue;
        }
        for (uint32_t k = 0; k < s->columns.count; k++) {
            const struct lia_column *column = &s->columns.items[k];

            if (column->expr && lia_str_equal(column->name, e->path.items[0].name)) {
                s->order.items[i].expr = column->expr;
            }
        }
    }
}

/* ---- grouping ---- */

/* Every path stands within an aggregate or an expression of GROUP BY. */
/* NOLINTNEXTLINE(misc-no-recursion): at most LIA_DEPTH_MAX deep */
static void check_grouped(struct lia_parser *p,
                          const struct lia_stmt *s,
                          const struct lia_expr *e)
{
    if (p->status || e->is_constant || e->kind == LIA_EXPR_AGGREGATE) {
        return;
    }
    for (uint32_t i = 0; i < s->group.count; i++) {
        if (lia_expr_equal(s->group.items[i], e)) {
            return;
        }
    }
    if (e->kind == LIA_EXPR_PATH) {
        lia_parser_fail(p, e->offset, LIANA_ESYNTAX,
                        "beside an aggregate only what GROUP BY names can stand");
    }
    for (uint32_t i = 0; i < e->args.count; i++) {
        check_grouped(p, s, e->args.items[i]);
    }
}

static void check_groups(struct lia_parser *p, struct lia_stmt *s)
{
    for (uint32_t i = 0; i < s->group.count; i++) {
        if (s->group.items[i]->has_aggregate) {
            lia_parser_fail(p, s->group.items[i]->offset, LIANA_ESYNTAX,
                            "an aggregate cannot stand in GROUP BY");
        }
    }
    if (s->having) {
        check_grouped(p, s, s->having);
    }
    for (uint32_t i = 0; i < s->columns.count && !p->status; i++) {
        if (!s->columns.items[i].expr) {
            lia_parser_fail(p, s->columns.items[i].offset, LIANA_ESYNTAX,
                            "'*' cannot stand in a query with groups");
            return;
        }
        check_grouped(p, s, s->columns.items[i].expr);
    }
    for (uint32_t i = 0; i < s->order.count; i++) {
        check_grouped(p, s, s->order.items[i].expr);
    }
}

/* SELECT DISTINCT orders what it shows, not what the documents were. */
static void check_distinct(struct lia_parser *p, const struct lia_stmt *s)
{
    for (uint32_t i = 0; i < s->order.count; i++) {
        bool is_shown = false;

        for (uint32_t k = 0; k < s->columns.count; k++) {
            is_shown = is_shown || !s->columns.items[k].expr ||
                       lia_expr_equal(s->columns.items[k].expr, s->order.items[i].expr);
        }
        if (!is_shown) {
            lia_parser_fail(p, s->order.items[i].expr->offset, LIANA_ESYNTAX,
                            "with DISTINCT only columns can stand in ORDER BY");
        }
    }
}

/* ---- statements ---- */

static void refuse_aggregate(struct lia_parser *p,
                             const struct lia_expr *e,
                             const char *where)
{
    if (e && e->has_aggregate) {
        lia_parser_fail(p, e->offset, LIANA_ESYNTAX, "an aggregate cannot stand in %s",
                        where);
    }
}

static void check_constant(struct lia_parser *p,
                           const struct lia_expr *e,
                           const char *where)
{
    if (e && !e->is_constant) {
        lia_parser_fail(p, e->offset, LIANA_ESYNTAX,
                        "%s cannot depend on the fields of a document", where);
    }
}

static void check_assigns(struct lia_parser *p, const struct lia_stmt *s)
{
    for (uint32_t i = 0; i < s->assigns.count && !p->status; i++) {
        const struct lia_expr *path = s->assigns.items[i].path;

        refuse_aggregate(p, s->assigns.items[i].value, "an assignment");
        refuse_aggregate(p, s->assigns.items[i].actor, "an assignment");
        if (path->path.count == 0) {
            lia_parser_fail(p, path->offset, LIANA_ESYNTAX,
                            "a document cannot be assigned as a whole: use INSERT ... "
                            "ON ID CONFLICT DO REPLACE");
        }
        for (uint32_t k = 0; k < path->path.count; k++) {
            if (!path->path.items[k].name.ptr) {
                lia_parser_fail(p, path->offset, LIANA_ESYNTAX,
                                "an element of an array cannot be assigned");
            }
        }
        for (uint32_t k = 0; k < i; k++) {
            if (lia_expr_equal(s->assigns.items[k].path, path)) {
                lia_parser_fail(p, path->offset, LIANA_ESYNTAX,
                                "one statement changes a path once");
            }
        }
    }
}

static void check_source(struct lia_parser *p, const struct lia_source *source)
{
    if (!lia_str_equal(source->space, lia_str("default")) &&
        !lia_str_equal(source->space, lia_str("system"))) {
        lia_parser_fail(p, source->offset, LIANA_ESYNTAX,
                        "expected default: or system: before the collection");
    }
}

void lia_check_stmt(struct lia_parser *p, struct lia_stmt *s)
{
    check_source(p, &s->source);
    lia_check_declarations(p, s);
    resolve(p, s);
    check_columns(p, s);
    refuse_aggregate(p, s->where, "WHERE");
    check_constant(p, s->limit, "LIMIT");
    check_constant(p, s->offset, "OFFSET");
    for (uint32_t i = 0; i < s->documents.count; i++) {
        check_constant(p, s->documents.items[i], "a document");
    }
    check_assigns(p, s);
    if (p->status) {
        return;
    }
    resolve_order(s);
    for (uint32_t i = 0; i < s->order.count; i++) {
        s->has_aggregate = s->has_aggregate || s->order.items[i].expr->has_aggregate;
    }
    if (s->has_aggregate || s->group.count || s->having) {
        check_groups(p, s);
    }
    if (s->is_distinct && (s->has_aggregate || s->group.count || s->having)) {
        lia_parser_fail(p, s->source.offset, LIANA_ESYNTAX,
                        "DISTINCT cannot stand in a query with groups");
    }
    if (s->is_distinct) {
        check_distinct(p, s);
    }
}
