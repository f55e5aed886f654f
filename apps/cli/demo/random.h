/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CLI_DEMO_RANDOM_H
#define LIA_CLI_DEMO_RANDOM_H
/*
 * cli/demo/random - repeatable randomness from a seed: splitmix64 (Steele, Lea, Flood,
 * "Fast splittable pseudorandom number generators", OOPSLA 2014).
 *
 * Rules: not for keys. Ownership: by value. Threads: one per generator.
 */
#include <stdbool.h>
#include <stdint.h>

struct demo_random {
    uint64_t state;
};

static inline uint64_t demo_random(struct demo_random *r)
{
    uint64_t z = (r->state += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* 0 .. n-1; n is not 0 and small, so the bias does not matter. */
static inline uint64_t demo_random_below(struct demo_random *r, uint64_t n)
{
    return demo_random(r) % n;
}

static inline bool demo_random_chance(struct demo_random *r, unsigned percent)
{
    return demo_random_below(r, 100) < percent;
}

#endif
