/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queries of subscriptions, as the feed evaluates them; and what a store needs for statements.
 */
#include "db/exec.h"
#include "db/sqlfn.h"
#include "lang/subscription.h"

struct lia_predicate {
    const struct liana_allocator *alloc;
    struct lia_arena arena;
    struct lia_subscription_query query;
};

static void free_predicate(void *ctx, struct lia_predicate *p)
{
    (void)ctx;
    if (p) {
        lia_arena_deinit(&p->arena);
        lia_mem_free(p->alloc, p, sizeof(*p));
    }
}

static liana_status compile(void *ctx,
                            struct liana_slice query,
                            struct lia_predicate **out,
                            struct liana_error *err)
{
    const struct lia_env *env = ctx;
    struct lia_predicate *p = lia_mem_zalloc(env->alloc, sizeof(*p));
    liana_status status;

    if (!p) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    p->alloc = env->alloc;
    lia_arena_init(&p->arena, env->alloc);
    status = lia_lang_check_subscription(&p->arena, lia_slice_str(query), LIANA_NONE,
                                         &p->query, err);
    if (status) {
        free_predicate(ctx, p);
        return status;
    }
    *out = p;
    return LIANA_OK;
}

static bool match(void *ctx, const struct lia_predicate *p, struct liana_slice body)
{
    (void)ctx;
    return lia_subscription_matches(&p->query, p->alloc, body, NULL);
}

static liana_status register_functions(void *ctx, sqlite3 *sqlite)
{
    const struct lia_env *env = ctx;

    return lia_sqlfn_register(sqlite, env->alloc);
}

/* A context is a pointer to what may be written; nothing writes to the env here. */
static void *context(const struct lia_env *env)
{
    union {
        const struct lia_env *from;
        void *to;
    } u = {.from = env};

    return u.to;
}

void lia_exec_prepare(struct lia_db_options *options, struct lia_predicates *predicates)
{
    void *ctx = context(options->store.env);

    *predicates = (struct lia_predicates){ctx, compile, free_predicate, match};
    options->predicates = predicates;
    options->store.on_connect = register_functions;
    options->store.on_connect_ctx = ctx;
}
