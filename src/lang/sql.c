/* SPDX-License-Identifier: Apache-2.0 */
#include "lang/sql.h"

#include "lang/sql_gen.h"

/* Below SQLite's own limit (1,000,000), so that the message is ours. */
#define SQL_BYTES_MAX 900000

/* ---- clauses ---- */

/* What orders and groups: the key of a value. */
static void order_key(struct lia_gen *g, const struct lia_expr *e)
{
    if (lia_gen_has_key(g, e) && lia_path_is_id(e)) {
        lia_gen_put(g, "key");
    } else if (lia_gen_has_key(g, e)) {
        lia_gen_on_path(g, "lia_key", e);
    } else {
        lia_gen_put(g, "lia_key_of(");
        lia_gen_value(g, e);
        lia_gen_put(g, ")");
    }
}

static void from_where(struct lia_gen *g)
{
    lia_gen_put(g, " FROM ");
    lia_buf_bytes(&g->text, g->options->from.ptr, g->options->from.len);
    lia_gen_put(g, " WHERE body IS NOT NULL");
    if (g->stmt->where) {
        lia_gen_put(g, " AND ");
        lia_gen_condition(g, g->stmt->where, true);
    }
}

static void group_by(struct lia_gen *g)
{
    const struct lia_stmt *s = g->stmt;

    for (uint32_t i = 0; i < s->group.count; i++) {
        lia_gen_put(g, i ? "," : " GROUP BY ");
        order_key(g, s->group.items[i]);
    }
    for (uint32_t i = 0; s->is_distinct && i < s->columns.count; i++) {
        if (s->columns.items[i].expr) {
            lia_gen_put(g, i ? "," : " GROUP BY ");
            order_key(g, s->columns.items[i].expr);
        }
    }
    if (s->having) {
        g->is_grouped = true;
        lia_gen_put(g, " HAVING ");
        lia_gen_condition(g, s->having, true);
        g->is_grouped = false;
    }
}

/* A tie is decided by _id, so that a result has one order. */
static void order_by(struct lia_gen *g)
{
    const struct lia_stmt *s = g->stmt;
    bool is_plain =
        !s->has_aggregate && !s->group.count && !s->is_distinct && !s->having;

    g->is_grouped = !is_plain;
    for (uint32_t i = 0; i < s->order.count; i++) {
        lia_gen_put(g, i ? "," : " ORDER BY ");
        order_key(g, s->order.items[i].expr);
        lia_gen_put(g, s->order.items[i].is_descending ? " DESC" : "");
    }
    if (s->order.count && is_plain) {
        lia_gen_put(g, ",key");
    }
    g->is_grouped = false;
}

static int64_t count_of(struct lia_gen *g, const struct lia_expr *e, const char *clause)
{
    struct liana_error *err = g->err;
    const struct lia_eval cx = {
        .arena = g->arena, .params = g->options->params, .err = err};
    struct lia_value v;
    liana_status status = lia_eval(&cx, e, lia_bson_empty, &v);

    if (!status && v.type != LIA_BSON_INT32 && v.type != LIA_BSON_INT64) {
        status = lia_err(err, LIANA_ETYPE, "%s needs a whole number, not %s", clause,
                         lia_is_missing(v) ? "MISSING" : lia_bson_type_name(v.type));
    } else if (!status && lia_int_of(v) < 0) {
        status = lia_err(err, LIANA_ERANGE, "%s cannot be negative", clause);
    }
    g->status = g->status ? g->status : status;
    return status ? 0 : lia_int_of(v);
}

static void limit_offset(struct lia_gen *g)
{
    const struct lia_stmt *s = g->stmt;

    if (!s->limit && !s->offset) {
        return;
    }
    lia_gen_put(g, " LIMIT ");
    lia_gen_bind_int(g, s->limit ? count_of(g, s->limit, "LIMIT") : -1);
    if (s->offset) {
        lia_gen_put(g, " OFFSET ");
        lia_gen_bind_int(g, count_of(g, s->offset, "OFFSET"));
    }
}

static void columns(struct lia_gen *g)
{
    const struct lia_stmt *s = g->stmt;

    for (uint32_t i = 0; i < s->columns.count; i++) {
        const struct lia_expr *e = s->columns.items[i].expr;

        lia_gen_put(g, i ? "," : "");
        if (!e) {
            lia_gen_put(g, "body");
            continue;
        }
        lia_gen_put(g, s->is_distinct ? "min(" : "");
        lia_gen_value(g, e);
        lia_gen_put(g, s->is_distinct ? ")" : "");
    }
}

/* ---- statements ---- */

static void start(struct lia_gen *g,
                  struct lia_arena *arena,
                  const struct lia_stmt *stmt,
                  const struct lia_sql_options *options,
                  struct liana_error *err)
{
    *g = (struct lia_gen){.arena = arena, .err = err, .options = options, .stmt = stmt};
    lia_buf_init_max(&g->text, arena->alloc, SQL_BYTES_MAX);
    lia_buf_init(&g->scratch, arena->alloc);
}

static liana_status finish(struct lia_gen *g, struct lia_sql *out)
{
    struct liana_slice text = {0};

    if (!g->status && g->text.status == LIANA_ETOOLARGE) {
        g->status =
            lia_err(g->err, LIANA_ELIMIT, "the statement has too many conditions");
    }
    if (g->text.status || !lia_arena_copy(g->arena, lia_buf_slice(&g->text), &text)) {
        lia_gen_fail(g, g->text.status ? g->text.status : LIANA_ENOMEM);
    }
    if (!g->status) {
        *out = (struct lia_sql){lia_slice_str(text), g->binds, g->bind_count};
    }
    lia_buf_deinit(&g->text);
    lia_buf_deinit(&g->scratch);
    return g->status;
}

liana_status lia_sql_select(struct lia_arena *arena,
                            const struct lia_stmt *stmt,
                            const struct lia_sql_options *options,
                            struct lia_sql *out,
                            struct liana_error *err)
{
    struct lia_gen g;

    start(&g, arena, stmt, options, err);
    lia_gen_put(&g, "SELECT ");
    g.is_grouped = stmt->group.count > 0;
    columns(&g);
    g.is_grouped = false;
    from_where(&g);
    group_by(&g);
    order_by(&g);
    limit_offset(&g);
    return finish(&g, out);
}

liana_status lia_sql_keys(struct lia_arena *arena,
                          const struct lia_stmt *stmt,
                          const struct lia_sql_options *options,
                          struct lia_sql *out,
                          struct liana_error *err)
{
    struct lia_gen g;

    start(&g, arena, stmt, options, err);
    lia_gen_put(&g, "SELECT key");
    from_where(&g);
    limit_offset(&g);
    return finish(&g, out);
}
