/* SPDX-License-Identifier: Apache-2.0 */
#include "base/env.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

static uint64_t clock_ms(clockid_t id)
{
    struct timespec t;

    if (clock_gettime(id, &t) != 0) {
        return 0;
    }
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static uint64_t system_wall_ms(void *ctx)
{
    (void)ctx;
    return clock_ms(CLOCK_REALTIME);
}

static uint64_t system_mono_ms(void *ctx)
{
    (void)ctx;
#ifdef CLOCK_BOOTTIME
    return clock_ms(CLOCK_BOOTTIME); /* goes on while the device sleeps */
#else
    return clock_ms(CLOCK_MONOTONIC);
#endif
}

static void system_random(void *ctx, void *out, size_t len)
{
    (void)ctx;
    randombytes_buf(out, len);
}

liana_status lia_env_system(struct lia_env *out)
{
    if (sodium_init() < 0) {
        return LIANA_EINTERNAL;
    }
    *out = (struct lia_env){
        .alloc = &lia_mem_libc,
        .wall_ms = system_wall_ms,
        .mono_ms = system_mono_ms,
        .random = system_random,
        .log_level = LIA_LOG_INFO,
    };
    return LIANA_OK;
}

uint64_t lia_env_random64(const struct lia_env *env)
{
    uint64_t v;

    env->random(env->ctx, &v, sizeof(v));
    return v;
}

void lia_log(const struct lia_env *env,
             enum lia_log_level level,
             const char *part,
             const char *format,
             ...)
{
    char line[1024];
    va_list args;

    if (!env->log || level > env->log_level) {
        return;
    }
    va_start(args, format);
    (void)vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    env->log(env->ctx, level, part, line);
}
