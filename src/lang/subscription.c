/* SPDX-License-Identifier: Apache-2.0 */
#include "lang/subscription.h"

#include "lang/parse.h"
#include "lang/print.h"

struct binder {
    struct lia_arena *arena;
    struct liana_slice params;
    struct liana_error *err;
    liana_status status;
};

/* A parameter becomes its value. */
static void bind_param(void *ctx, struct lia_expr *e)
{
    struct binder *b = ctx;
    struct lia_value v;
    struct liana_slice copy;

    if (e->kind != LIA_EXPR_PARAM || b->status) {
        return;
    }
    if (!lia_bson_find(b->params, e->name, &v)) {
        b->status = lia_err(b->err, LIANA_EPARAM, "parameter :%.*s is not given",
                            (int)(e->name.len < 120 ? e->name.len : 120), e->name.ptr);
    } else if (!lia_arena_copy(b->arena, v.data, &copy)) {
        b->status = lia_err_plain(b->err, LIANA_ENOMEM);
    } else {
        e->kind = LIA_EXPR_VALUE;
        e->value = (struct lia_value){v.type, copy};
        e->name = (struct liana_str){NULL, 0};
    }
}

static bool is_whole(const struct lia_stmt *s)
{
    return s->kind == LIA_STMT_SELECT && s->columns.count == 1 &&
           !s->columns.items[0].expr && !s->is_distinct && !s->group.count &&
           !s->having && !s->order.count && !s->limit && !s->offset && !s->is_explain;
}

static liana_status print(struct lia_arena *arena,
                          const struct lia_stmt *s,
                          struct liana_str *out,
                          struct liana_error *err)
{
    struct lia_buf buf;
    struct liana_slice copy = {0};
    liana_status status;

    lia_buf_init_max(&buf, arena->alloc, LIA_STATEMENT_MAX);
    lia_buf_str(&buf, "SELECT * FROM ");
    lia_name_print(&buf, s->source.collection);
    lia_buf_str(&buf, " AS " LIA_CANONICAL_ALIAS);
    if (s->where) {
        lia_buf_str(&buf, " WHERE ");
        lia_expr_print(&buf, s->where);
    }
    status = buf.status;
    if (!status && !lia_arena_copy(arena, lia_buf_slice(&buf), &copy)) {
        status = LIANA_ENOMEM;
    }
    lia_buf_deinit(&buf);
    *out = lia_slice_str(copy);
    return lia_err_plain(err, status);
}

liana_status lia_lang_check_subscription(struct lia_arena *arena,
                                         struct liana_str text,
                                         struct liana_slice params,
                                         struct lia_subscription_query *out,
                                         struct liana_error *err)
{
    struct binder binder = {arena, params, err, LIANA_OK};
    struct lia_stmt *s;
    struct liana_str canonical;
    liana_status status = lia_lang_parse(arena, text, &s, err);

    if (status) {
        return status;
    }
    if (!is_whole(s) || !lia_str_equal(s->source.space, lia_str("default"))) {
        return lia_err(
            err, LIANA_ESYNTAX,
            "a subscription is SELECT * FROM collection WHERE predicate, and "
            "nothing else");
    }
    lia_expr_walk(s->where, bind_param, &binder);
    status = binder.status ? binder.status : print(arena, s, &canonical, err);
    /* A parameter may be nested more deeply than a text can be. */
    status = status ? status : lia_lang_parse(arena, canonical, &s, err);
    if (!status) {
        *out =
            (struct lia_subscription_query){s->source.collection, s->where, canonical};
    }
    return status;
}

static void find_pattern(void *ctx, struct lia_expr *e)
{
    bool *found = ctx;

    *found = *found ||
             (e->kind == LIA_EXPR_CALL && e->fn == lia_fn_find(lia_str("regexp_like")));
}

bool lia_subscription_has_patterns(const struct lia_subscription_query *query)
{
    bool found = false;

    lia_expr_walk(query->where, find_pattern, &found);
    return found;
}

bool lia_subscription_matches(const struct lia_subscription_query *query,
                              const struct liana_allocator *a,
                              struct lia_regexps *regexps,
                              struct liana_slice doc,
                              bool *out_of_memory)
{
    struct lia_arena arena;
    const struct lia_eval cx = {
        .arena = &arena, .is_lenient = true, .regexps = regexps};
    bool matches = false;
    liana_status status;

    lia_arena_init(&arena, a);
    status = lia_eval_is_true(&cx, query->where, doc, &matches);
    lia_arena_deinit(&arena);
    if (out_of_memory) {
        *out_of_memory = status == LIANA_ENOMEM;
    }
    return !status && matches;
}
