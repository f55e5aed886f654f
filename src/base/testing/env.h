/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_BASE_TESTING_ENV_H
#define LIA_BASE_TESTING_ENV_H
/*
 * base/testing/env - a struct lia_env whose clock the test turns and whose randomness is
 * seeded.
 *
 * Rules: time stands still until the test changes wall_ms and mono_ms. Log lines of
 * level WARN and above are counted, none is printed. Ownership: the test keeps the
 * struct at its place while it is in use; memory comes from its own test allocator.
 * Threads: one, but for the allocator.
 */
#include "base/env.h"
#include "base/testing/alloc.h"
#include "base/testing/random.h"

struct lia_test_env {
    struct lia_env env;
    struct lia_test_alloc alloc;
    struct lia_rng rng;
    uint64_t wall_ms;
    uint64_t mono_ms;
    size_t warnings;
};

/* Starts at 2026-01-01T00:00:00Z. */
void lia_test_env_init(struct lia_test_env *t, uint64_t seed);

/* Both clocks go on by `ms`. */
void lia_test_env_pass(struct lia_test_env *t, uint64_t ms);

/* Fails the test when memory was not released. */
void lia_test_env_finish(struct lia_test_env *t);

#endif
