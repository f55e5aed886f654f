/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_BASE_TESTING_RANDOM_H
#define LIA_BASE_TESTING_RANDOM_H
/*
 * base/testing/random - repeatable randomness for property tests, the simulator and
 * benchmarks: xoshiro256** (Blackman and Vigna, 2018) seeded through splitmix64.
 *
 * Rules: the same seed gives the same numbers on every platform. Not for keys. A
 * property test draws its seed from lia_test_seed, which prints it, and its number of
 * cases from lia_test_cases:
 *
 *     struct lia_rng rng = lia_rng(lia_test_seed("merge_commutes"));
 *     for (size_t i = 0; i < lia_test_cases(1000); i++) { ... }
 *
 * LIANA_SEED=n repeats a run; `make test` sets it from the commit, so that every commit
 * tries other cases and each is repeatable. LIANA_EFFORT=n multiplies the cases;
 * `make long` sets it. Ownership: none. Threads: one per generator.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lia_rng {
    uint64_t s[4];
};

struct lia_rng lia_rng(uint64_t seed);

uint64_t lia_rng_next(struct lia_rng *rng);

/* Uniform in 0 .. n-1; n is not 0. */
uint64_t lia_rng_below(struct lia_rng *rng, uint64_t n);

/* Uniform in low .. high, both included. */
int64_t lia_rng_between(struct lia_rng *rng, int64_t low, int64_t high);

/* True in `percent` of 100 cases. */
bool lia_rng_chance(struct lia_rng *rng, unsigned percent);

/* Small values and the edges of every width are as likely as the rest: the numbers that
 * break decoders. */
uint64_t lia_rng_edgy(struct lia_rng *rng);

void lia_rng_bytes(struct lia_rng *rng, void *out, size_t len);

/* LIANA_SEED or 1, printed with `name` and the way to repeat it. */
uint64_t lia_test_seed(const char *name);

/* `usual` times LIANA_EFFORT (1 when unset). */
size_t lia_test_cases(size_t usual);

/* A build with sanitizers: a case takes several times as long. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#    define LIA_TEST_IS_SANITIZED true
#elif defined(__has_feature)
#    if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#        define LIA_TEST_IS_SANITIZED true
#    endif
#endif
#ifndef LIA_TEST_IS_SANITIZED
#    define LIA_TEST_IS_SANITIZED false
#endif

#endif
