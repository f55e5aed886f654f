/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/random.h"

#include <stdio.h>
#include <stdlib.h>

static uint64_t splitmix64(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

struct lia_rng lia_rng(uint64_t seed)
{
    struct lia_rng rng;

    for (size_t i = 0; i < 4; i++) {
        rng.s[i] = splitmix64(&seed);
    }
    return rng;
}

static uint64_t rotl(uint64_t x, unsigned k)
{
    return (x << k) | (x >> (64 - k));
}

uint64_t lia_rng_next(struct lia_rng *rng)
{
    uint64_t *s = rng->s;
    uint64_t result = rotl(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

uint64_t lia_rng_below(struct lia_rng *rng, uint64_t n)
{
    uint64_t uneven =
        (UINT64_MAX - n + 1) % n; /* 2^64 mod n: those would favour some */
    uint64_t v;

    do {
        v = lia_rng_next(rng);
    } while (v < uneven);
    return v % n;
}

int64_t lia_rng_between(struct lia_rng *rng, int64_t low, int64_t high)
{
    uint64_t span = (uint64_t)high - (uint64_t)low;
    uint64_t v = span == UINT64_MAX ? lia_rng_next(rng) : lia_rng_below(rng, span + 1);

    return (int64_t)((uint64_t)low + v);
}

bool lia_rng_chance(struct lia_rng *rng, unsigned percent)
{
    return lia_rng_below(rng, 100) < percent;
}

uint64_t lia_rng_edgy(struct lia_rng *rng)
{
    unsigned bits = (unsigned)lia_rng_below(rng, 65);
    uint64_t power = bits < 64 ? UINT64_C(1) << bits : 0;

    switch (lia_rng_below(rng, 4)) {
    case 0: return power;
    case 1: return power - 1;
    case 2: return power + 1;
    default: return lia_rng_next(rng) & (power - 1);
    }
}

void lia_rng_bytes(struct lia_rng *rng, void *out, size_t len)
{
    uint8_t *at = out;
    uint64_t v = 0;

    for (size_t i = 0; i < len; i++) {
        if (i % 8 == 0) {
            v = lia_rng_next(rng);
        }
        at[i] = (uint8_t)(v >> (i % 8 * 8));
    }
}

static uint64_t number_from_environment(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    char *end;
    unsigned long long v;

    if (!text || !*text) {
        return otherwise;
    }
    v = strtoull(text, &end, 0);
    if (*end) {
        (void)fprintf(stderr, "%s=%s is not a number\n", name, text);
        exit(2);
    }
    return v;
}

uint64_t lia_test_seed(const char *name)
{
    uint64_t seed = number_from_environment("LIANA_SEED", 1);

    printf("%s: seed %llu (LIANA_SEED=%llu repeats it)\n", name,
           (unsigned long long)seed, (unsigned long long)seed);
    return seed;
}

size_t lia_test_cases(size_t usual)
{
    return usual * (size_t)number_from_environment("LIANA_EFFORT", 1);
}
