/* SPDX-License-Identifier: Apache-2.0 */
#include "db/statements.h"

#include <stdatomic.h>

#include "lang/parse.h"

struct lia_statement {
    atomic_uint refs;
    const struct liana_allocator *alloc;
    struct lia_arena arena; /* text and tree */
    struct liana_str text;
    struct lia_stmt *tree;
};

static liana_status parse(const struct liana_allocator *alloc,
                          struct liana_str text,
                          struct lia_statement **out,
                          struct liana_error *err)
{
    struct lia_statement *s = lia_mem_zalloc(alloc, sizeof(*s));
    struct liana_slice copy;
    liana_status status;

    if (!s) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    s->alloc = alloc;
    atomic_init(&s->refs, 1);
    lia_arena_init(&s->arena, alloc);
    status = lia_lang_parse(&s->arena, text, &s->tree, err);
    if (!status && !lia_arena_copy(&s->arena, lia_str_slice(text), &copy)) {
        status = lia_err_plain(err, LIANA_ENOMEM);
    }
    if (status) {
        lia_statement_put(s);
        return status;
    }
    s->text = lia_slice_str(copy);
    *out = s;
    return LIANA_OK;
}

const struct lia_stmt *lia_statement_tree(const struct lia_statement *statement)
{
    return statement->tree;
}

void lia_statement_put(struct lia_statement *statement)
{
    if (statement && atomic_fetch_sub(&statement->refs, 1) == 1) {
        lia_arena_deinit(&statement->arena);
        lia_mem_free(statement->alloc, statement, sizeof(*statement));
    }
}

liana_status lia_statements_init(struct lia_statements *cache,
                                 const struct liana_allocator *alloc)
{
    *cache = (struct lia_statements){.alloc = alloc};
    return lia_mutex_init(&cache->mutex);
}

void lia_statements_deinit(struct lia_statements *cache)
{
    for (size_t i = 0; i < LIA_STATEMENTS_MAX; i++) {
        lia_statement_put(cache->kept[i].statement);
    }
    lia_mutex_deinit(&cache->mutex);
}

/* A reference; NULL if it is not kept. */
static struct lia_statement *find(struct lia_statements *cache, struct liana_str text)
{
    struct lia_statement *found = NULL;

    lia_mutex_lock(&cache->mutex);
    for (size_t i = 0; i < LIA_STATEMENTS_MAX && !found; i++) {
        struct lia_statement *s = cache->kept[i].statement;

        if (s && lia_str_equal(s->text, text)) {
            atomic_fetch_add(&s->refs, 1);
            cache->kept[i].used = ++cache->uses;
            found = s;
        }
    }
    lia_mutex_unlock(&cache->mutex);
    return found;
}

/* In place of the one that was not used for longest. Two threads may have parsed one text:
 * then it is kept twice, until one of them is the oldest. */
static void keep(struct lia_statements *cache, struct lia_statement *s)
{
    bool is_kept = s->text.len <= LIA_STATEMENT_KEPT_MAX;
    struct lia_statement *out = NULL;
    size_t oldest = 0;

    lia_mutex_lock(&cache->mutex);
    cache->parsed++;
    if (is_kept) {
        for (size_t i = 1; i < LIA_STATEMENTS_MAX; i++) {
            oldest = cache->kept[i].used < cache->kept[oldest].used ? i : oldest;
        }
        out = cache->kept[oldest].statement;
        atomic_fetch_add(&s->refs, 1);
        cache->kept[oldest].statement = s;
        cache->kept[oldest].used = ++cache->uses;
    }
    lia_mutex_unlock(&cache->mutex);
    lia_statement_put(out);
}

liana_status lia_statements_get(struct lia_statements *cache,
                                struct liana_str text,
                                struct lia_statement **out,
                                struct liana_error *err)
{
    struct lia_statement *s = find(cache, text);
    liana_status status;

    if (!s) {
        status = parse(cache->alloc, text, &s, err);
        if (status) {
            return status;
        }
        keep(cache, s);
    }
    *out = s;
    return LIANA_OK;
}

uint64_t lia_statements_parsed(struct lia_statements *cache)
{
    uint64_t n;

    lia_mutex_lock(&cache->mutex);
    n = cache->parsed;
    lia_mutex_unlock(&cache->mutex);
    return n;
}
