/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/testing/random.h"
#include "bench/history.h"

#define MINUTE_MS UINT64_C(60000)

static void report(const char *name, double value, const char *wanted, const char *text)
{
    bench_report((struct bench_result){name, value, "bytes", wanted, 1, text});
}

/* The greatest, whatever the fields are. */
static void fresh(struct lia_arena *arena)
{
    static const size_t fields[] = {0, 1, 10, 100, 1000};
    size_t most = 0;

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        size_t bytes = bench_doc_of_numbers(arena, fields[i]).clock.len;

        most = bytes > most ? bytes : most;
    }
    report("clock_bytes_fresh", (double)most, "at most 32",
           "The clock of a document written once: the greatest of documents with 0, 1, "
           "10, 100 and 1,000 fields.");
}

static void changed(struct lia_arena *arena)
{
    const size_t fields = 64;
    struct lia_rng rng = lia_rng(1);
    struct lia_doc doc = bench_doc_of_numbers(arena, fields);
    size_t before = doc.clock.len;
    uint64_t ms = 0;

    for (size_t i = 1; i < fields; i += 2) {
        ms += 1 + lia_rng_below(&rng, 24 * 60 * MINUTE_MS);
        doc = bench_doc_set(arena, doc, i, -1, bench_stamp(ms, 1));
    }
    report(
        "clock_bytes_per_changed_field",
        (double)(doc.clock.len - before) / ((double)fields / 2), "at most 14",
        "What the clock of a document of 64 fields grows by, per field, when every "
        "second one is set to another value, each in a transaction of its own, up to "
        "a day apart, by one actor. Names are not in it.");
    doc = bench_doc_of_numbers(arena, fields);
    doc = bench_doc_set(arena, doc, fields / 2, -1,
                        bench_stamp(90 * 24 * 60 * MINUTE_MS, 2));
    report("clock_bytes_first_changed_field", (double)(doc.clock.len - before), "none",
           "The same for the first change, 90 days later by a second actor: the actor "
           "and the stamp are part of it.");
}

static void actors(struct lia_arena *arena, size_t count)
{
    struct lia_rng rng = lia_rng(count);
    struct lia_doc doc = bench_doc_of_numbers(arena, 10);
    char name[64];

    for (size_t i = 0; i < count; i++) {
        doc = bench_doc_set(arena, doc, i % 10, (int32_t)i + 100,
                            bench_stamp((i + 1) * MINUTE_MS, lia_rng_next(&rng)));
    }
    snprintf(name, sizeof(name), "clock_bytes_actors_%zu", count);
    report(name, (double)doc.clock.len, "none",
           "The whole clock of a document of 10 fields to which that many actors, a "
           "minute apart, have each set one field once.");
}

void bench_clock_bytes(const struct bench *b)
{
    struct lia_arena arena;

    lia_arena_init(&arena, b->env->alloc);
    fresh(&arena);
    changed(&arena);
    actors(&arena, 10);
    actors(&arena, 100);
    actors(&arena, 1000);
    lia_arena_deinit(&arena);
}
