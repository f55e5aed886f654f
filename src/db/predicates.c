/* SPDX-License-Identifier: Apache-2.0 */
#include "db/internal.h"

#include "lang/regexp.h"
#include "lang/subscription.h"

/* What was compiled of regular expressions: for one thread at a time. */
struct patterns {
    struct lia_mutex mutex;
    struct lia_regexps *regexps;
};

/* Queries of the query language: the bytes are its text, canonical or not. Several threads
 * match with one. */
struct lia_predicate {
    const struct liana_allocator *alloc;
    struct lia_arena arena;
    struct lia_subscription_query query;
    struct patterns *patterns; /* NULL: the query has none */
};

static void free_patterns(const struct liana_allocator *a, struct patterns *patterns)
{
    if (patterns) {
        lia_mutex_deinit(&patterns->mutex);
        lia_regexps_free(patterns->regexps);
        lia_mem_free(a, patterns, sizeof(*patterns));
    }
}

static void free_predicate(void *ctx, struct lia_predicate *p)
{
    (void)ctx;
    if (p) {
        free_patterns(p->alloc, p->patterns);
        lia_arena_deinit(&p->arena);
        lia_mem_free(p->alloc, p, sizeof(*p));
    }
}

static liana_status keep_patterns(struct lia_predicate *p)
{
    struct patterns *patterns;
    liana_status status;

    if (!lia_subscription_has_patterns(&p->query)) {
        return LIANA_OK;
    }
    patterns = lia_mem_zalloc(p->alloc, sizeof(*patterns));
    status = patterns ? lia_mutex_init(&patterns->mutex) : LIANA_ENOMEM;
    if (status) {
        lia_mem_free(p->alloc, patterns, sizeof(*patterns));
        return status;
    }
    p->patterns = patterns;
    patterns->regexps = lia_regexps_new(p->alloc);
    return patterns->regexps ? LIANA_OK : LIANA_ENOMEM;
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
    if (!status) {
        status = lia_err_plain(err, keep_patterns(p));
    }
    if (status) {
        free_predicate(ctx, p);
        return status;
    }
    *out = p;
    return LIANA_OK;
}

static bool matches(const struct lia_predicate *p,
                    struct liana_slice body,
                    bool *out_of_memory)
{
    bool answer;

    if (!p->patterns) {
        return lia_subscription_matches(&p->query, p->alloc, NULL, body, out_of_memory);
    }
    lia_mutex_lock(&p->patterns->mutex);
    answer = lia_subscription_matches(&p->query, p->alloc, p->patterns->regexps, body,
                                      out_of_memory);
    lia_mutex_unlock(&p->patterns->mutex);
    return answer;
}

static liana_status match(void *ctx,
                          const struct lia_predicate *p,
                          struct liana_slice body,
                          bool *out)
{
    bool out_of_memory = false;
    bool answer = matches(p, body, &out_of_memory);

    (void)ctx;
    if (out_of_memory) {
        return LIANA_ENOMEM;
    }
    *out = answer;
    return LIANA_OK;
}

const struct lia_predicates lia_lang_predicates = {.compile = compile,
                                                   .free = free_predicate,
                                                   .match = match};
