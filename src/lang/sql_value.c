/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values: constants that are bound, and expressions over a document.
 */
#include "codec/key.h"
#include "lang/sql_gen.h"

/* Below SQLite's own limit (32,766), so that the message is ours. */
#define SQL_BINDS_MAX 30000

void lia_gen_put(struct lia_gen *g, const char *text)
{
    lia_buf_str(&g->text, text);
}

void lia_gen_fail(struct lia_gen *g, liana_status status)
{
    g->status = g->status ? g->status : lia_err_plain(g->err, status);
}

/* ---- what is bound ---- */

static void add_bind(struct lia_gen *g, struct lia_sql_bind bind)
{
    if (g->bind_count == SQL_BINDS_MAX) {
        g->status = g->status ? g->status
                              : lia_err(g->err, LIANA_ELIMIT, "more than %d constants",
                                        SQL_BINDS_MAX);
        return;
    }
    if (g->bind_count == g->bind_cap) {
        uint32_t cap = g->bind_cap ? g->bind_cap * 2 : 8;
        struct lia_sql_bind *binds = lia_arena_array(g->arena, cap, sizeof(*binds));

        if (!binds) {
            lia_gen_fail(g, LIANA_ENOMEM);
            return;
        }
        if (g->bind_count) {
            memcpy(binds, g->binds, g->bind_count * sizeof(*binds));
        }
        g->binds = binds;
        g->bind_cap = cap;
    }
    g->binds[g->bind_count++] = bind;
    lia_buf_printf(&g->text, "?%u", g->bind_count);
}

void lia_gen_bind_scratch(struct lia_gen *g)
{
    struct lia_sql_bind bind = {0};

    if (g->scratch.status ||
        !lia_arena_copy(g->arena, lia_buf_slice(&g->scratch), &bind.bytes)) {
        lia_gen_fail(g, g->scratch.status ? g->scratch.status : LIANA_ENOMEM);
    }
    lia_buf_reset(&g->scratch);
    add_bind(g, bind);
}

void lia_gen_bind_value(struct lia_gen *g, struct lia_value v)
{
    if (lia_is_missing(v)) {
        lia_gen_put(g, "NULL");
        return;
    }
    lia_sql_value_add(&g->scratch, v);
    lia_gen_bind_scratch(g);
}

void lia_gen_bind_key(struct lia_gen *g, struct lia_value v)
{
    lia_key_add(&g->scratch, v);
    lia_gen_bind_scratch(g);
}

void lia_gen_bind_int(struct lia_gen *g, int64_t n)
{
    add_bind(g, (struct lia_sql_bind){.is_int = true, .number = n});
}

/* ---- constants ---- */

bool lia_gen_evaluate(struct lia_gen *g,
                      const struct lia_expr *e,
                      struct lia_value *out)
{
    struct liana_error why = LIANA_ERROR_INIT;
    const struct lia_eval cx = {.arena = g->arena,
                                .params = g->options->params,
                                .is_lenient = g->options->is_lenient,
                                .err = &why};
    liana_status status;

    if (!e->is_constant) {
        return false;
    }
    status = lia_eval(&cx, e, lia_bson_empty, out);
    if (status == LIANA_EPARAM || status == LIANA_ENOMEM) {
        g->status = g->status ? g->status : lia_err(g->err, status, "%s", why.message);
        *out = LIA_MISSING;
        return true;
    }
    return status == LIANA_OK;
}

/* ---- values ---- */

/* A string of SQL; a path has no NUL. */
static void quoted(struct lia_gen *g, struct liana_slice text)
{
    lia_gen_put(g, "'");
    for (size_t i = 0; i < text.len; i++) {
        lia_gen_put(g, text.ptr[i] == '\'' ? "'" : "");
        lia_buf_u8(&g->text, text.ptr[i]);
    }
    lia_gen_put(g, "'");
}

void lia_gen_on_path(struct lia_gen *g, const char *fn, const struct lia_expr *path)
{
    lia_gen_put(g, fn);
    lia_gen_put(g, "(body,");
    lia_path_print(&g->scratch, &path->path);
    if (g->scratch.status) {
        lia_gen_fail(g, g->scratch.status);
    }
    quoted(g, lia_buf_slice(&g->scratch));
    lia_buf_reset(&g->scratch);
    lia_gen_put(g, ")");
}

void lia_gen_fn_name(struct lia_gen *g, const char *name)
{
    lia_gen_put(g, name);
    lia_gen_put(g, g->options->is_lenient ? "_l(" : "(");
}

static void arguments(struct lia_gen *g,
                      const struct lia_expr *e,
                      uint32_t from,
                      uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        lia_gen_put(g, i > from ? "," : "");
        lia_gen_value(g, e->args.items[i]);
    }
}

/* Long chains of AND and OR are cut into calls of calls: both are associative. */
/* NOLINTNEXTLINE(misc-no-recursion): logarithmic in the length */
static void chain(struct lia_gen *g,
                  const struct lia_expr *e,
                  uint32_t from,
                  uint32_t to)
{
    uint32_t step = (to - from + LIA_ARGS_MAX - 1) / LIA_ARGS_MAX;

    lia_gen_fn_name(g, e->fn->sql_name);
    if (step == 1) {
        arguments(g, e, from, to);
    } else {
        for (uint32_t i = from; i < to; i += step) {
            lia_gen_put(g, i > from ? "," : "");
            chain(g, e, i, i + step < to ? i + step : to);
        }
    }
    lia_gen_put(g, ")");
}

static void call(struct lia_gen *g, const struct lia_expr *e)
{
    if (e->kind == LIA_EXPR_AND || e->kind == LIA_EXPR_OR) {
        chain(g, e, 0, e->args.count);
        return;
    }
    if (e->args.count > LIA_ARGS_MAX) {
        g->status = g->status
                        ? g->status
                        : lia_err(g->err, LIANA_ELIMIT,
                                  "an array or object with more than %d parts that "
                                  "depend on the document",
                                  LIA_ARGS_MAX);
        return;
    }
    lia_gen_fn_name(g, e->fn->sql_name);
    arguments(g, e, 0, e->args.count);
    lia_gen_put(g, ")");
}

static void choice(struct lia_gen *g, const struct lia_expr *e)
{
    uint32_t i = 0;

    lia_gen_put(g, "CASE");
    for (; i + 1 < e->args.count; i += 2) {
        lia_gen_put(g, " WHEN ");
        lia_gen_condition(g, e->args.items[i], true);
        lia_gen_put(g, " THEN ");
        lia_gen_value(g, e->args.items[i + 1]);
    }
    lia_gen_put(g, " ELSE ");
    if (i < e->args.count) {
        lia_gen_value(g, e->args.items[i]);
    } else {
        lia_gen_bind_value(g, lia_value_of_null());
    }
    lia_gen_put(g, " END");
}

static void aggregate(struct lia_gen *g, const struct lia_expr *e)
{
    static const char *const names[] = {"lia_count", "lia_sum", "lia_avg", "lia_min",
                                        "lia_max"};

    if (e->args.count == 0) {
        lia_gen_put(g, "count(*)");
        return;
    }
    lia_gen_fn_name(g, names[e->aggregate]);
    lia_gen_value(g, e->args.items[0]);
    lia_gen_put(g, ")");
}

static bool is_group(const struct lia_gen *g, const struct lia_expr *e)
{
    for (uint32_t i = 0; g->is_grouped && i < g->stmt->group.count; i++) {
        if (lia_expr_equal(g->stmt->group.items[i], e)) {
            return true;
        }
    }
    return false;
}

/* NOLINTNEXTLINE(misc-no-recursion): at most LIA_DEPTH_MAX deep */
void lia_gen_value(struct lia_gen *g, const struct lia_expr *e)
{
    struct lia_value v;

    if (lia_gen_evaluate(g, e, &v)) {
        lia_gen_bind_value(g, v);
        return;
    }
    /* All values of a group are equal, but need not have one type: min takes the same one
     * whatever the order of the rows. */
    if (is_group(g, e)) {
        g->is_grouped = false;
        lia_gen_put(g, "min(");
        lia_gen_value(g, e);
        lia_gen_put(g, ")");
        g->is_grouped = true;
        return;
    }
    switch (e->kind) {
    case LIA_EXPR_PATH:
        if (e->path.count == 0) {
            lia_gen_put(g, "lia_document(body)");
        } else {
            lia_gen_on_path(g, "lia_get", e);
        }
        return;
    case LIA_EXPR_CASE: choice(g, e); return;
    case LIA_EXPR_AGGREGATE: aggregate(g, e); return;
    default: call(g, e); return;
    }
}

bool lia_gen_has_key(const struct lia_gen *g, const struct lia_expr *e)
{
    return e->kind == LIA_EXPR_PATH && e->path.count > 0 && !g->is_grouped;
}
