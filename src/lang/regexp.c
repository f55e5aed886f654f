/* SPDX-License-Identifier: Apache-2.0 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>
#include <string.h>

#include "lang/regexp.h"

#include "base/slice.h"

/* A pattern with nested repetitions can take time exponential in the string: that many
 * steps are enough for any that was meant, and end in milliseconds. */
#define MATCH_STEPS_MAX 200000
#define MATCH_DEPTH_MAX 5000
#define HEAP_KIB_MAX    4096

/* pcre2api, "Error codes from compilation": ERROR_HEAP_FAILED, "failed to allocate heap
 * memory", has a name in newer versions only. */
#define NO_MEMORY_TO_COMPILE 121

static bool read_flags(struct liana_str flags, uint32_t *out)
{
    *out = PCRE2_UTF | PCRE2_UCP | PCRE2_NO_UTF_CHECK | PCRE2_NEVER_BACKSLASH_C;
    for (size_t i = 0; i < flags.len; i++) {
        switch (flags.ptr[i]) {
        case 'i': *out |= PCRE2_CASELESS; break;
        case 'c': *out &= ~(uint32_t)PCRE2_CASELESS; break;
        case 'm': *out |= PCRE2_MULTILINE; break;
        case 's': *out |= PCRE2_DOTALL; break;
        case 'x': *out |= PCRE2_EXTENDED; break;
        default: return false;
        }
    }
    return true;
}

static liana_status match(const pcre2_code *code,
                          struct liana_str s,
                          bool *out,
                          char message[static 128])
{
    pcre2_match_context *limits = pcre2_match_context_create(NULL);
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    liana_status status = LIANA_OK;
    int found = PCRE2_ERROR_NOMEMORY;

    if (limits && data) {
        pcre2_set_match_limit(limits, MATCH_STEPS_MAX);
        pcre2_set_depth_limit(limits, MATCH_DEPTH_MAX);
        pcre2_set_heap_limit(limits, HEAP_KIB_MAX);
        found = pcre2_match(code, (PCRE2_SPTR)s.ptr, s.len, 0, PCRE2_NO_UTF_CHECK, data,
                            limits);
    }
    if (found >= 0 || found == PCRE2_ERROR_NOMATCH) {
        *out = found >= 0;
    } else if (found == PCRE2_ERROR_NOMEMORY) {
        status = LIANA_ENOMEM;
    } else {
        snprintf(message, 128, "matching takes too many steps");
        status = LIANA_ELIMIT;
    }
    pcre2_match_data_free(data);
    pcre2_match_context_free(limits);
    return status;
}

static liana_status compile(struct liana_str pattern,
                            uint32_t options,
                            pcre2_code **out,
                            char message[static 128])
{
    PCRE2_UCHAR text[80];
    PCRE2_SIZE at;
    int code_of_error;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern.ptr, pattern.len, options,
                                     &code_of_error, &at, NULL);

    if (!code && code_of_error == NO_MEMORY_TO_COMPILE) {
        return LIANA_ENOMEM;
    }
    if (!code) {
        pcre2_get_error_message(code_of_error, text, sizeof(text));
        snprintf(message, 128, "at %zu: %s", (size_t)at, (const char *)text);
        return LIANA_ESYNTAX;
    }
    *out = code;
    return LIANA_OK;
}

/* ---- the cache ---- */

struct kept {
    pcre2_code *code; /* NULL: free */
    uint32_t options;
    char *pattern;
    size_t len;
    uint64_t used; /* when, in uses of the cache */
};

struct lia_regexps {
    const struct liana_allocator *alloc;
    uint64_t uses;
    uint64_t compiled;
    struct kept kept[LIA_REGEXPS_MAX];
};

struct lia_regexps *lia_regexps_new(const struct liana_allocator *allocator)
{
    struct lia_regexps *cache = lia_mem_zalloc(allocator, sizeof(*cache));

    if (cache) {
        cache->alloc = allocator;
    }
    return cache;
}

static void forget(struct lia_regexps *cache, struct kept *k)
{
    pcre2_code_free(k->code);
    lia_mem_free(cache->alloc, k->pattern, k->len);
    *k = (struct kept){0};
}

void lia_regexps_free(struct lia_regexps *cache)
{
    if (!cache) {
        return;
    }
    for (size_t i = 0; i < LIA_REGEXPS_MAX; i++) {
        forget(cache, &cache->kept[i]);
    }
    lia_mem_free(cache->alloc, cache, sizeof(*cache));
}

uint64_t lia_regexps_compiled(const struct lia_regexps *cache)
{
    return cache->compiled;
}

static struct kept *find(struct lia_regexps *cache,
                         struct liana_str pattern,
                         uint32_t options)
{
    for (size_t i = 0; i < LIA_REGEXPS_MAX; i++) {
        struct kept *k = &cache->kept[i];

        if (k->code && k->options == options &&
            lia_str_equal((struct liana_str){k->pattern, k->len}, pattern)) {
            return k;
        }
    }
    return NULL;
}

/* A free one has never been used. */
static struct kept *oldest(struct lia_regexps *cache)
{
    struct kept *found = &cache->kept[0];

    for (size_t i = 1; i < LIA_REGEXPS_MAX; i++) {
        found = cache->kept[i].used < found->used ? &cache->kept[i] : found;
    }
    return found;
}

/* Takes the code, also when it fails. */
static liana_status keep(struct lia_regexps *cache,
                         struct liana_str pattern,
                         uint32_t options,
                         pcre2_code *code,
                         struct kept **out)
{
    struct kept *k = oldest(cache);
    char *copy = lia_mem_alloc(cache->alloc, pattern.len);

    if (!copy && pattern.len) {
        pcre2_code_free(code);
        return LIANA_ENOMEM;
    }
    forget(cache, k);
    if (pattern.len) {
        memcpy(copy, pattern.ptr, pattern.len);
    }
    *k = (struct kept){code, options, copy, pattern.len, 0};
    *out = k;
    return LIANA_OK;
}

static liana_status match_kept(struct lia_regexps *cache,
                               struct liana_str s,
                               struct liana_str pattern,
                               uint32_t options,
                               bool *out,
                               char message[static 128])
{
    struct kept *k = find(cache, pattern, options);
    pcre2_code *code;
    liana_status status;

    if (!k) {
        status = compile(pattern, options, &code, message);
        cache->compiled++;
        status = status ? status : keep(cache, pattern, options, code, &k);
        if (status) {
            return status;
        }
    }
    k->used = ++cache->uses;
    return match(k->code, s, out, message);
}

liana_status lia_regexp_match(struct lia_regexps *cache,
                              struct liana_str s,
                              struct liana_str pattern,
                              struct liana_str flags,
                              bool *out,
                              char message[static 128])
{
    uint32_t options;
    pcre2_code *code;
    liana_status status;

    if (!read_flags(flags, &options)) {
        snprintf(message, 128, "the flags are c, i, m, x and s");
        return LIANA_ESYNTAX;
    }
    if (cache && pattern.len <= LIA_REGEXP_BYTES_MAX) {
        return match_kept(cache, s, pattern, options, out, message);
    }
    status = compile(pattern, options, &code, message);
    if (status) {
        return status;
    }
    status = match(code, s, out, message);
    pcre2_code_free(code);
    return status;
}
