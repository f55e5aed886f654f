/* SPDX-License-Identifier: Apache-2.0 */
#include "db/internal.h"

#include "lang/subscription.h"

/* Queries of the query language: the bytes are its text, canonical or not. */
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
                            const struct liana_allocator *a,
                            struct liana_slice query,
                            struct lia_predicate **out,
                            struct liana_error *err)
{
    struct lia_predicate *p = lia_mem_zalloc(a, sizeof(*p));
    liana_status status;

    if (!p) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    p->alloc = a;
    lia_arena_init(&p->arena, a);
    status = lia_lang_check_subscription(&p->arena, lia_slice_str(query),
                                         (struct liana_slice){0}, &p->query, err);
    if (status) {
        free_predicate(ctx, p);
        return status;
    }
    *out = p;
    return LIANA_OK;
}

static liana_status match(void *ctx,
                          const struct lia_predicate *p,
                          struct liana_slice body,
                          bool *out)
{
    bool out_of_memory = false;
    bool matches = lia_subscription_matches(&p->query, p->alloc, body, &out_of_memory);

    (void)ctx;
    if (out_of_memory) {
        return LIANA_ENOMEM;
    }
    *out = matches;
    return LIANA_OK;
}

const struct lia_predicates lia_lang_predicates = {.compile = compile,
                                                   .free = free_predicate,
                                                   .match = match};
