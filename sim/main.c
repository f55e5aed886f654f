/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sim: runs seeds.
 *
 *     sim --seed N [--trace]           one seed, with everything that happened
 *     sim --seeds FIRST COUNT          each of them twice: equal traces, or it fails;
 *                                      prints how many had a crash and a partition;
 *                                      --need N: at least so many of both;
 *                                      --effort: LIANA_EFFORT times as many seeds
 *     sim --break N --seeds FIRST COUNT    with deliberate damage: a check must fail
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sim/clocks.h"
#include "sim/keepers.h"
#include "sim/past.h"

struct arguments {
    uint64_t first;
    uint64_t count;
    uint64_t need; /* seeds with a crash, and with a partition, at least */
    uint64_t effort;
    enum sim_breakage breakage;
    bool is_traced;
};

static bool parse(int argc, char **argv, struct arguments *out)
{
    *out = (struct arguments){.first = 1, .count = 1, .effort = 1};
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--trace") == 0) {
            out->is_traced = true;
        } else if (strcmp(argv[i], "--effort") == 0) {
            out->effort = lia_test_cases(1);
        } else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc) {
            out->first = strtoull(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--seeds") == 0 && i + 2 < argc) {
            out->first = strtoull(argv[++i], NULL, 10);
            out->count = strtoull(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--need") == 0 && i + 1 < argc) {
            out->need = strtoull(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--break") == 0 && i + 1 < argc) {
            out->breakage = (enum sim_breakage)strtoul(argv[++i], NULL, 10);
        } else {
            return false;
        }
    }
    out->count *= out->effort;
    return out->breakage < SIM_BREAKAGES;
}

/* A failed check ends its process. Another check than the one that is there for the damage
 * ends everything: it says nothing about that one. */
static bool is_caught(uint64_t seed, enum sim_breakage breakage)
{
    int status = 0;
    pid_t child;

    fflush(stdout);
    child = fork();
    LIA_ASSERT(child >= 0);
    if (child == 0) {
        sim_run(seed, breakage, false);
        _exit(0);
    }
    LIA_ASSERT(waitpid(child, &status, 0) == child);
    if (!WIFEXITED(status) ||
        (WEXITSTATUS(status) != 0 && WEXITSTATUS(status) != SIM_EXIT_CAUGHT)) {
        fprintf(stderr, "break %d: seed %llu fails in another way\n", (int)breakage,
                (unsigned long long)seed);
        exit(1);
    }
    return WEXITSTATUS(status) == SIM_EXIT_CAUGHT;
}

static int run_broken(const struct arguments *a)
{
    for (uint64_t i = 0; i < a->count; i++) {
        unsigned long long seed = a->first + i;

        if (is_caught(seed, a->breakage)) {
            printf("break %d: caught by seed %llu\n", (int)a->breakage, seed);
            return 0;
        }
    }
    printf("break %d: not caught by %llu seeds\n", (int)a->breakage,
           (unsigned long long)a->count);
    return 1;
}

/* What runs of a kind are there for: how often it has happened, and in how many. */
struct census {
    uint64_t times[SIM_RARITIES];
    uint64_t seeds[SIM_RARITIES];
};

static void count(struct census *c, const struct sim_outcome *one)
{
    for (int i = 0; i < SIM_RARITIES; i++) {
        c->times[i] += one->rare[i];
        c->seeds[i] += one->rare[i] > 0;
    }
}

static bool is_of(uint64_t seed, enum sim_rarity what)
{
    bool is_clock = what == SIM_RARE_REPAIRED || what == SIM_RARE_STAYED;

    if (what == SIM_RARE_TAKEN) {
        return seed < SIM_PAST_FIRST;
    }
    return is_clock ? seed >= SIM_CLOCKS_FIRST : sim_seed_has_keepers(seed);
}

static bool holds(const struct census *c, uint64_t first, uint64_t need)
{
    static const char *const names[SIM_RARITIES] = {
        [SIM_RARE_EVICTED] = "evicted",     [SIM_RARE_FORCED] = "evicted by force",
        [SIM_RARE_BACK] = "came back",      [SIM_RARE_FORGOTTEN] = "forgotten",
        [SIM_RARE_BURIED] = "buried again", [SIM_RARE_AWAY] = "long away",
        [SIM_RARE_REPAIRED] = "repaired",   [SIM_RARE_STAYED] = "stayed ahead",
        [SIM_RARE_TAKEN] = "rights taken",
    };
    bool answer = true;

    for (int i = 0; i < SIM_RARITIES; i++) {
        if (is_of(first, (enum sim_rarity)i)) {
            printf("    %-16s %6llu, in %llu seeds\n", names[i],
                   (unsigned long long)c->times[i], (unsigned long long)c->seeds[i]);
            answer = answer && (i == SIM_RARE_TAKEN || c->seeds[i] >= need);
        }
    }
    return answer;
}

static int run_seeds(const struct arguments *a)
{
    uint64_t crashes = 0;
    uint64_t partitions = 0;
    uint64_t txns = 0;
    struct census census = {0};

    for (uint64_t i = 0; i < a->count; i++) {
        uint64_t seed = a->first + i;
        struct sim_outcome one = sim_run(seed, SIM_BREAK_NOTHING, a->is_traced);
        struct sim_outcome two =
            a->is_traced ? one : sim_run(seed, SIM_BREAK_NOTHING, false);

        if (one.trace != two.trace) {
            fprintf(stderr, "sim: seed %llu: two runs, two traces\n",
                    (unsigned long long)seed);
            return 1;
        }
        crashes += one.crashes > 0;
        partitions += one.cuts + one.mutes > 0;
        txns += one.txns;
        count(&census, &one);
    }
    printf("%llu seeds from %llu: %llu with a crash, %llu with a partition, %llu "
           "transactions\n",
           (unsigned long long)a->count, (unsigned long long)a->first,
           (unsigned long long)crashes, (unsigned long long)partitions,
           (unsigned long long)txns);
    return !holds(&census, a->first, a->need) || crashes < a->need ||
           partitions < a->need;
}

int main(int argc, char **argv)
{
    struct arguments a;

    if (!parse(argc, argv, &a)) {
        fprintf(stderr,
                "usage: sim [--break N] [--need N] [--effort] (--seed N [--trace] | "
                "--seeds FIRST COUNT)\n");
        return 2;
    }
    return a.breakage ? run_broken(&a) : run_seeds(&a);
}
