/* SPDX-License-Identifier: Apache-2.0 */
#include "lang/sql.h"

#include "codec/key.h"

/* Below SQLite's own limits (1,000,000 bytes, 32,766 parameters), so that the message is
 * ours. */
#define SQL_BYTES_MAX 900000
#define SQL_BINDS_MAX 30000
/* Longer lists are looked through by a function instead of by SQLite's IN. */
#define IN_LIST_MAX 100

struct gen {
    struct lia_arena *arena;
    struct liana_error *err;
    const struct lia_sql_options *options;
    const struct lia_stmt *stmt;
    struct lia_buf text;
    struct lia_buf scratch;
    struct lia_sql_bind *binds;
    uint32_t bind_count;
    uint32_t bind_cap;
    liana_status status;
    bool is_grouped; /* what GROUP BY names is shown once per group */
};

static void put(struct gen *g, const char *text)
{
    lia_buf_str(&g->text, text);
}

static void fail(struct gen *g, liana_status status)
{
    g->status = g->status ? g->status : lia_err_plain(g->err, status);
}

/* ---- what is bound ---- */

static void add_bind(struct gen *g, struct lia_sql_bind bind)
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
            fail(g, LIANA_ENOMEM);
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

/* Binds what is in the scratch buffer and empties it. */
static void bind_scratch(struct gen *g)
{
    struct lia_sql_bind bind = {0};

    if (g->scratch.status ||
        !lia_arena_copy(g->arena, lia_buf_slice(&g->scratch), &bind.bytes)) {
        fail(g, g->scratch.status ? g->scratch.status : LIANA_ENOMEM);
    }
    lia_buf_reset(&g->scratch);
    add_bind(g, bind);
}

static void bind_value(struct gen *g, struct lia_value v)
{
    if (lia_is_missing(v)) {
        put(g, "NULL");
        return;
    }
    lia_sql_value_add(&g->scratch, v);
    bind_scratch(g);
}

static void bind_key(struct gen *g, struct lia_value v)
{
    lia_key_add(&g->scratch, v);
    bind_scratch(g);
}

static uint8_t class_of(struct lia_value v)
{
    return (uint8_t)lia_value_class(v);
}

/* A key begins with its class; NaN has the first class of numbers, positive ones the last. */
static void bind_class_start(struct gen *g, struct lia_value v)
{
    lia_buf_u8(&g->scratch, class_of(v));
    bind_scratch(g);
}

static void bind_class_end(struct gen *g, struct lia_value v)
{
    uint8_t last =
        class_of(v) == LIA_CLASS_NUMBER ? LIA_CLASS_NUMBER_POSITIVE : class_of(v);

    lia_buf_u8(&g->scratch, (uint8_t)(last + 1));
    bind_scratch(g);
}

static void bind_int(struct gen *g, int64_t n)
{
    add_bind(g, (struct lia_sql_bind){.is_int = true, .number = n});
}

/* ---- constants ---- */

/* Evaluates a constant. False if it has to be left to SQL: it fails, and that must only
 * matter if it is needed. Lack of memory or of a parameter fails the generation. */
static bool evaluate(struct gen *g, const struct lia_expr *e, struct lia_value *out)
{
    struct liana_error why = LIANA_ERROR_INIT;
    const struct lia_eval cx = {g->arena, g->options->params, g->options->is_lenient,
                                &why};
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

static void value(struct gen *g, const struct lia_expr *e);
static void condition(struct gen *g, const struct lia_expr *e, bool wanted);

/* A string of SQL; a path has no NUL. */
static void quoted(struct gen *g, struct liana_slice text)
{
    put(g, "'");
    for (size_t i = 0; i < text.len; i++) {
        put(g, text.ptr[i] == '\'' ? "'" : "");
        lia_buf_u8(&g->text, text.ptr[i]);
    }
    put(g, "'");
}

/* fn(body,'a.b') */
static void on_path(struct gen *g, const char *fn, const struct lia_expr *path)
{
    put(g, fn);
    put(g, "(body,");
    lia_path_print(&g->scratch, &path->path);
    if (g->scratch.status) {
        fail(g, g->scratch.status);
    }
    quoted(g, lia_buf_slice(&g->scratch));
    lia_buf_reset(&g->scratch);
    put(g, ")");
}

/* The name of a function's SQL form: an own one where wrong types are no errors. */
static void fn_name(struct gen *g, const char *name)
{
    put(g, name);
    put(g, g->options->is_lenient ? "_l(" : "(");
}

static void arguments(struct gen *g,
                      const struct lia_expr *e,
                      uint32_t from,
                      uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        put(g, i > from ? "," : "");
        value(g, e->args.items[i]);
    }
}

/* Long chains of AND and OR are cut into calls of calls: both are associative. */
/* NOLINTNEXTLINE(misc-no-recursion): logarithmic in the length */
static void chain(struct gen *g, const struct lia_expr *e, uint32_t from, uint32_t to)
{
    uint32_t step = (to - from + LIA_ARGS_MAX - 1) / LIA_ARGS_MAX;

    fn_name(g, e->fn->sql_name);
    if (step == 1) {
        arguments(g, e, from, to);
    } else {
        for (uint32_t i = from; i < to; i += step) {
            put(g, i > from ? "," : "");
            chain(g, e, i, i + step < to ? i + step : to);
        }
    }
    put(g, ")");
}

static void call(struct gen *g, const struct lia_expr *e)
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
    fn_name(g, e->fn->sql_name);
    arguments(g, e, 0, e->args.count);
    put(g, ")");
}

static void choice(struct gen *g, const struct lia_expr *e)
{
    uint32_t i = 0;

    put(g, "CASE");
    for (; i + 1 < e->args.count; i += 2) {
        put(g, " WHEN ");
        condition(g, e->args.items[i], true);
        put(g, " THEN ");
        value(g, e->args.items[i + 1]);
    }
    put(g, " ELSE ");
    if (i < e->args.count) {
        value(g, e->args.items[i]);
    } else {
        bind_value(g, lia_value_of_null());
    }
    put(g, " END");
}

static void aggregate(struct gen *g, const struct lia_expr *e)
{
    static const char *const names[] = {"lia_count", "lia_sum", "lia_avg", "lia_min",
                                        "lia_max"};

    if (e->args.count == 0) {
        put(g, "count(*)");
        return;
    }
    fn_name(g, names[e->aggregate]);
    value(g, e->args.items[0]);
    put(g, ")");
}

static bool is_group(const struct gen *g, const struct lia_expr *e)
{
    for (uint32_t i = 0; g->is_grouped && i < g->stmt->group.count; i++) {
        if (lia_expr_equal(g->stmt->group.items[i], e)) {
            return true;
        }
    }
    return false;
}

/* NOLINTNEXTLINE(misc-no-recursion): at most LIA_DEPTH_MAX deep */
static void value(struct gen *g, const struct lia_expr *e)
{
    struct lia_value v;

    if (evaluate(g, e, &v)) {
        bind_value(g, v);
        return;
    }
    /* All values of a group are equal, but need not have one type: min takes the same one
     * whatever the order of the rows. */
    if (is_group(g, e)) {
        g->is_grouped = false;
        put(g, "min(");
        value(g, e);
        put(g, ")");
        g->is_grouped = true;
        return;
    }
    switch (e->kind) {
    case LIA_EXPR_PATH:
        if (e->path.count == 0) {
            put(g, "lia_document(body)");
        } else {
            on_path(g, "lia_get", e);
        }
        return;
    case LIA_EXPR_CASE: choice(g, e); return;
    case LIA_EXPR_AGGREGATE: aggregate(g, e); return;
    default: call(g, e); return;
    }
}

/* ---- conditions ---- */

/* Whether the condition can be asked of the key of a path: there is one, and a group shows
 * values only. */
static bool has_key(const struct gen *g, const struct lia_expr *e)
{
    return e->kind == LIA_EXPR_PATH && e->path.count > 0 && !g->is_grouped;
}

/* The key of a path, to be compared with the key of `with`. Fields of an object that is an
 * _id are sorted in the column `key`, so that one is not for objects. */
static void key_of(struct gen *g, const struct lia_expr *path, struct lia_value with)
{
    if (lia_path_is_id(path) && class_of(with) != LIA_CLASS_OBJECT &&
        class_of(with) != LIA_CLASS_ARRAY) {
        put(g, "key");
    } else {
        on_path(g, "lia_key", path);
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
static void compare_key(struct gen *g,
                        const struct lia_expr *path,
                        enum lia_compare op,
                        struct lia_value v)
{
    static const char *const signs[] = {"=", "<>", "<", "<=", ">", ">="};
    bool has_start = op == LIA_NE || op == LIA_LT || op == LIA_LE;
    bool has_end = op == LIA_NE || op == LIA_GT || op == LIA_GE;

    if (lia_is_missing(v)) {
        put(g, "0");
        return;
    }
    put(g, "(");
    key_of(g, path, v);
    put(g, signs[op]);
    bind_key(g, v);
    if (has_start) {
        put(g, " AND ");
        key_of(g, path, v);
        put(g, ">=");
        bind_class_start(g, v);
    }
    if (has_end) {
        put(g, " AND ");
        key_of(g, path, v);
        put(g, "<");
        bind_class_end(g, v);
    }
    put(g, ")");
}

static void through_value(struct gen *g, const struct lia_expr *e, bool wanted)
{
    fn_name(g, wanted ? "lia_true" : "lia_false");
    value(g, e);
    put(g, ")");
}

static void comparison(struct gen *g, const struct lia_expr *e, bool wanted)
{
    enum lia_compare op = wanted ? e->op : negated(e->op);
    struct lia_value v;

    if (has_key(g, e->args.items[0]) && evaluate(g, e->args.items[1], &v)) {
        compare_key(g, e->args.items[0], op, v);
    } else if (has_key(g, e->args.items[1]) && evaluate(g, e->args.items[0], &v)) {
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
static void in_keys(struct gen *g,
                    const struct lia_expr *path,
                    struct lia_value list,
                    bool wanted)
{
    struct lia_bson_iter it = lia_bson_iter(list.data);
    bool is_first = true;

    put(g, "(");
    on_path(g, "lia_key", path);
    put(g, wanted ? " IN (" : " NOT IN (");
    if (!wanted) {
        bind_key(g, LIA_MISSING);
        is_first = false;
    }
    while (lia_bson_next(&it)) {
        put(g, is_first ? "" : ",");
        is_first = false;
        bind_key(g, it.value);
    }
    put(g, "))");
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

static void in_ids(struct gen *g, struct lia_value list, bool wanted)
{
    struct lia_bson_iter it = lia_bson_iter(list.data);
    bool is_first = true;

    put(g, wanted ? "(key IN (" : "(key NOT IN (");
    while (lia_bson_next(&it)) {
        put(g, is_first ? "" : ",");
        is_first = false;
        bind_key(g, it.value);
    }
    put(g, "))");
}

static void membership(struct gen *g, const struct lia_expr *e, bool wanted)
{
    const struct lia_expr *path = e->args.items[0];
    struct lia_value list;

    if (!has_key(g, path) || !evaluate(g, e->args.items[1], &list) ||
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
static void junction(struct gen *g,
                     const struct lia_expr *e,
                     uint32_t from,
                     uint32_t to,
                     bool wanted)
{
    bool is_and = (e->kind == LIA_EXPR_AND) == wanted;
    uint32_t mid = from + (to - from) / 2;

    if (to - from == 1) {
        condition(g, e->args.items[from], wanted);
        return;
    }
    put(g, "(");
    junction(g, e, from, mid, wanted);
    put(g, is_and ? " AND " : " OR ");
    junction(g, e, mid, to, wanted);
    put(g, ")");
}

/* IS NULL and its relatives, which are never MISSING, as tests of the key. */
static bool null_test(struct gen *g, const struct lia_expr *e, bool wanted)
{
    static const struct lia_value undefined = {LIA_BSON_UNDEFINED, {NULL, 0}};
    const char *name = e->fn->name;
    bool is_null = strstr(name, "NULL") != NULL;
    bool is_not = strncmp(name, "IS NOT", 6) == 0;

    if (strncmp(name, "IS ", 3) != 0 || !has_key(g, e->args.items[0])) {
        return false;
    }
    put(g, "(");
    on_path(g, "lia_key", e->args.items[0]);
    put(g, is_not == wanted ? " NOT IN (" : " IN (");
    if (is_null) {
        bind_key(g, lia_value_of_null());
        put(g, ",");
        bind_key(g, undefined);
    }
    if (!is_null || is_not) {
        put(g, is_null ? "," : "");
        bind_key(g, LIA_MISSING);
    }
    put(g, "))");
    return true;
}

/* SQL that is true exactly where `e` is TRUE (`wanted`) or FALSE. */
/* NOLINTNEXTLINE(misc-no-recursion): at most LIA_DEPTH_MAX deep */
static void condition(struct gen *g, const struct lia_expr *e, bool wanted)
{
    struct lia_value v;

    if (evaluate(g, e, &v) &&
        (v.type == LIA_BSON_BOOL || lia_is_missing(v) || lia_is_null(v))) {
        put(g, v.type == LIA_BSON_BOOL && lia_value_bool(v) == wanted ? "1" : "0");
        return;
    }
    switch (e->kind) {
    case LIA_EXPR_NOT: condition(g, e->args.items[0], !wanted); return;
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

/* ---- clauses ---- */

/* What orders and groups: the key of a value. */
static void order_key(struct gen *g, const struct lia_expr *e)
{
    if (has_key(g, e) && lia_path_is_id(e)) {
        put(g, "key");
    } else if (has_key(g, e)) {
        on_path(g, "lia_key", e);
    } else {
        put(g, "lia_key_of(");
        value(g, e);
        put(g, ")");
    }
}

static void from_where(struct gen *g)
{
    put(g, " FROM ");
    lia_buf_bytes(&g->text, g->options->from.ptr, g->options->from.len);
    put(g, " WHERE body IS NOT NULL");
    if (g->stmt->where) {
        put(g, " AND ");
        condition(g, g->stmt->where, true);
    }
}

static void group_by(struct gen *g)
{
    const struct lia_stmt *s = g->stmt;

    for (uint32_t i = 0; i < s->group.count; i++) {
        put(g, i ? "," : " GROUP BY ");
        order_key(g, s->group.items[i]);
    }
    for (uint32_t i = 0; s->is_distinct && i < s->columns.count; i++) {
        if (s->columns.items[i].expr) {
            put(g, i ? "," : " GROUP BY ");
            order_key(g, s->columns.items[i].expr);
        }
    }
    if (s->having) {
        g->is_grouped = true;
        put(g, " HAVING ");
        condition(g, s->having, true);
        g->is_grouped = false;
    }
}

/* A tie is decided by _id, so that a result has one order. */
static void order_by(struct gen *g)
{
    const struct lia_stmt *s = g->stmt;
    bool is_plain =
        !s->has_aggregate && !s->group.count && !s->is_distinct && !s->having;

    g->is_grouped = !is_plain;
    for (uint32_t i = 0; i < s->order.count; i++) {
        put(g, i ? "," : " ORDER BY ");
        order_key(g, s->order.items[i].expr);
        put(g, s->order.items[i].is_descending ? " DESC" : "");
    }
    if (s->order.count && is_plain) {
        put(g, ",key");
    }
    g->is_grouped = false;
}

static int64_t count_of(struct gen *g, const struct lia_expr *e, const char *clause)
{
    struct liana_error *err = g->err;
    const struct lia_eval cx = {g->arena, g->options->params, false, err};
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

static void limit_offset(struct gen *g)
{
    const struct lia_stmt *s = g->stmt;

    if (!s->limit && !s->offset) {
        return;
    }
    put(g, " LIMIT ");
    bind_int(g, s->limit ? count_of(g, s->limit, "LIMIT") : -1);
    if (s->offset) {
        put(g, " OFFSET ");
        bind_int(g, count_of(g, s->offset, "OFFSET"));
    }
}

static void columns(struct gen *g)
{
    const struct lia_stmt *s = g->stmt;

    for (uint32_t i = 0; i < s->columns.count; i++) {
        const struct lia_expr *e = s->columns.items[i].expr;

        put(g, i ? "," : "");
        if (!e) {
            put(g, "body");
            continue;
        }
        put(g, s->is_distinct ? "min(" : "");
        value(g, e);
        put(g, s->is_distinct ? ")" : "");
    }
}

/* ---- statements ---- */

static void start(struct gen *g,
                  struct lia_arena *arena,
                  const struct lia_stmt *stmt,
                  const struct lia_sql_options *options,
                  struct liana_error *err)
{
    *g = (struct gen){.arena = arena, .err = err, .options = options, .stmt = stmt};
    lia_buf_init_max(&g->text, arena->alloc, SQL_BYTES_MAX);
    lia_buf_init(&g->scratch, arena->alloc);
}

static liana_status finish(struct gen *g, struct lia_sql *out)
{
    struct liana_slice text = {0};

    if (!g->status && g->text.status == LIANA_ETOOLARGE) {
        g->status =
            lia_err(g->err, LIANA_ELIMIT, "the statement has too many conditions");
    }
    if (g->text.status || !lia_arena_copy(g->arena, lia_buf_slice(&g->text), &text)) {
        fail(g, g->text.status ? g->text.status : LIANA_ENOMEM);
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
    struct gen g;

    start(&g, arena, stmt, options, err);
    put(&g, "SELECT ");
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
    struct gen g;

    start(&g, arena, stmt, options, err);
    put(&g, "SELECT key");
    from_where(&g);
    limit_offset(&g);
    return finish(&g, out);
}
