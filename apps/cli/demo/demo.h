/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CLI_DEMO_DEMO_H
#define LIA_CLI_DEMO_DEMO_H
/*
 * cli/demo/demo - `liana demo retail` from its folder to its verdict.
 *
 *     prepare.c  folder, sales lines, the moment of the kill, MongoDB
 *     story.c    five processes open, sell, are cut and killed, come back, are at rest
 *     after.c    whether enough happened and the stores are right, --keep
 *     summary.c  what it tells at its end
 *
 * Rules: every function answers false with world.err set when it cannot go on.
 * Ownership: world_end, cli_connector_end. Threads: one.
 */
#include "cli/connector.h"
#include "cli/demo/measure.h"
#include "cli/demo/world.h"

#define DEMO_INVOICES_MIN 2 /* till 2 must have one to be killed in */

/* When things happen, as the share of the invoices that are sold. */
enum {
    DEMO_CUT_AT = 30,     /* the link to the hub is cut */
    DEMO_KILL_UNTIL = 45, /* till 2 is killed somewhere between */
    DEMO_DOWN_UNTIL = 60, /* till 2 is started again */
    DEMO_JOIN_AT = 95     /* the link comes back */
};

struct demo {
    struct cli *cli;
    const struct cli_args *args;
    struct world world;
    struct cli_connector connector;
    char folder[4096];
    char data[4200];
    uint64_t seed;
    bool kills_commit;      /* till 2 is killed while it commits, */
    uint64_t kill_permille; /* this far into a usual commit */
    bool without_mongodb;   /* asked for */
    bool lacks_mongodb;     /* it could not be had */

    /* of the story; the summary is made of these */
    size_t sold_at_cut;
    size_t sold_at_kill;
    size_t sold_at_return;
    size_t sold_at_join;
    uint64_t recovered;
    uint64_t rest_ms;
    uint64_t began_ms;
    struct costs costs;
};

/* A line about what goes on: on stdout, with --json on stderr, with --quiet nowhere. */
void demo_say(struct demo *d, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A file of the source tree, looked for above the program and above the working directory,
 * or NULL; free() it. */
char *demo_find_tool(struct demo *d, const char *name);

/* How many sales a till has behind it at a share of all, in percent. */
size_t demo_target(const struct world *w, enum world_place till, size_t percent);

bool demo_prepare(struct demo *d);
bool demo_start_mongodb(struct demo *d);
bool demo_story(struct demo *d);

/* run.json, which tools/verify_retail.py reads. */
bool demo_describe(struct demo *d);
size_t demo_sold_while_cut(const struct demo *d);
size_t demo_sold_while_down(const struct demo *d);
/* Enough must have happened while something was away. */
bool demo_check_story(struct demo *d);
/* Runs tools/verify_retail.py. */
bool demo_verify(struct demo *d);
/* The tables, for people. */
void demo_summary(struct demo *d);
/* The last line; with --json the whole summary as the one line on stdout. */
void demo_verdict(struct demo *d, bool holds);
/* Until ^C. */
void demo_stay(struct demo *d);

#endif
