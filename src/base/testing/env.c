/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/env.h"

#define START_MS UINT64_C(1767225600000)

static uint64_t wall_ms(void *ctx)
{
    return ((const struct lia_test_env *)ctx)->wall_ms;
}

static uint64_t mono_ms(void *ctx)
{
    return ((const struct lia_test_env *)ctx)->mono_ms;
}

static void random_bytes(void *ctx, void *out, size_t len)
{
    lia_rng_bytes(&((struct lia_test_env *)ctx)->rng, out, len);
}

static void count_log(void *ctx,
                      enum lia_log_level level,
                      const char *part,
                      const char *text)
{
    struct lia_test_env *t = ctx;

    (void)part;
    (void)text;
    if (level <= LIA_LOG_WARN) {
        t->warnings++;
    }
}

void lia_test_env_init(struct lia_test_env *t, uint64_t seed)
{
    lia_test_alloc_init(&t->alloc);
    t->rng = lia_rng(seed);
    t->wall_ms = START_MS;
    t->mono_ms = 0;
    t->warnings = 0;
    t->env = (struct lia_env){
        .ctx = t,
        .alloc = &t->alloc.alloc,
        .wall_ms = wall_ms,
        .mono_ms = mono_ms,
        .random = random_bytes,
        .log = count_log,
        .log_level = LIA_LOG_DEBUG,
    };
}

void lia_test_env_pass(struct lia_test_env *t, uint64_t ms)
{
    t->wall_ms += ms;
    t->mono_ms += ms;
}

void lia_test_env_finish(struct lia_test_env *t)
{
    lia_test_alloc_finish(&t->alloc);
}
