/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_BASE_ENV_H
#define LIA_BASE_ENV_H
/*
 * base/env - the world outside: wall clock, monotonic clock, randomness, memory and
 * log.
 *
 * Nothing in the library asks the system for time or randomness in another way; the
 * simulator passes an env of its own and so replays a run from its seed.
 *
 * Rules: wall_ms is milliseconds since 1970 (UTC) and may jump; mono_ms never goes back,
 * goes on while the device sleeps, where the system has such a clock, and has no meaning outside the process. random fills with bytes fit for keys.
 * Ownership: an env is borrowed and outlives what was made with it.
 * Threads: the functions may be called from any thread.
 */
#include "base/mem.h"

enum lia_log_level { LIA_LOG_ERROR, LIA_LOG_WARN, LIA_LOG_INFO, LIA_LOG_DEBUG };

struct lia_env {
    void *ctx;
    const struct liana_allocator *alloc;
    uint64_t (*wall_ms)(void *ctx);
    uint64_t (*mono_ms)(void *ctx);
    void (*random)(void *ctx, void *out, size_t len);
    /* One event, one line, no newline at its end. NULL: no log. */
    void (*log)(void *ctx,
                enum lia_log_level level,
                const char *part,
                const char *text);
    enum lia_log_level log_level; /* events above it are not formatted */
};

/* The system's clocks, libsodium's randomness, the C library's memory, no log.
 * LIANA_EINTERNAL if the system has no randomness. */
LIANA_MUST_CHECK liana_status lia_env_system(struct lia_env *out);

uint64_t lia_env_random64(const struct lia_env *env);

/* Logs one event of a part ("sync", "net"): lia_log(env, LIA_LOG_INFO, "sync", "peer %s
 * is up", name). */
void lia_log(const struct lia_env *env,
             enum lia_log_level level,
             const char *part,
             const char *format,
             ...) __attribute__((format(printf, 4, 5)));

#endif
