/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CLI_PEER_H
#define LIA_CLI_PEER_H
/*
 * cli/peer - running a peer in this process: what `peer`, `hub` and the demo's tills share.
 *
 * Opens the store (serving its control socket), subscribes, starts to sync, and tells what
 * happens: with --json one document per line on stdout, {"event": "ready" | "listening" |
 * "peer up" | "peer down" | "up to date" | "link failed" | "refused" | "lost", ...}; else
 * lines for people.
 *
 * Ownership: cli_peer_stop closes the store. Threads: the main thread.
 */
#include "cli/use.h"

#define CLI_OPTIONS_PEER                                                               \
    {.name = "create", .help = "make the store if it is not there"},                   \
        {.name = "database",                                                           \
         .type = CLI_TEXT,                                                             \
         .value = "NAME",                                                              \
         .help = "what peers share: a name, or its id of 32 hexadecimal digits"},      \
        {.name = "name",                                                               \
         .type = CLI_TEXT,                                                             \
         .value = "NAME",                                                              \
         .help = "how other peers see this one, from now on"},                         \
        {.name = "durability",                                                         \
         .type = CLI_CHOICE,                                                           \
         .value = "full|normal",                                                       \
         .fallback = "full",                                                           \
         .help = "whether a commit waits for the disk"},                               \
        {.name = "conflicts-max",                                                      \
         .type = CLI_NUMBER,                                                           \
         .value = "ROWS",                                                              \
         .fallback = "1000",                                                           \
         .min = 1,                                                                     \
         .max = 1000000,                                                               \
         .help = "how many rows system:conflicts keeps"},                              \
        {.name = "tombstone-ttl",                                                      \
         .type = CLI_NUMBER,                                                           \
         .value = "DAYS",                                                              \
         .fallback = "30",                                                             \
         .min = 1,                                                                     \
         .max = 36500,                                                                 \
         .help = "how long deleted documents are remembered at least"},                \
        {.name = "listen",                                                             \
         .letter = 'l',                                                                \
         .type = CLI_LIST,                                                             \
         .value = "HOST:PORT",                                                         \
         .help = "take links here; port 0 lets the system choose"},                    \
        {.name = "dial",                                                               \
         .letter = 'd',                                                                \
         .type = CLI_LIST,                                                             \
         .value = "HOST:PORT",                                                         \
         .help = "make a link to the peer there, again whenever it breaks"},           \
        {.name = "subscribe",                                                          \
         .letter = 's',                                                                \
         .type = CLI_LIST,                                                             \
         .value = "WHAT",                                                              \
         .help = "what to hold: a collection, or SELECT * FROM ... WHERE ..."},        \
        CLI_OPTIONS_TRUST

struct cli_peer {
    struct cli *cli;
    liana_db *db;
    int event_fd;
};

/* All of it; on failure nothing is left open. `flags`: more LIANA_OPEN_... */
LIANA_MUST_CHECK liana_status cli_peer_start(struct cli *cli,
                                             const struct cli_args *args,
                                             const char *path,
                                             uint32_t flags,
                                             struct cli_peer *out,
                                             struct liana_error *err);

/* Tells the events that wait. */
void cli_peer_tell(struct cli_peer *peer);

/* Tells events until a stop is wanted. */
void cli_peer_run(struct cli_peer *peer);

/* Answers `rc`, or a failure's code if it is CLI_OK. */
int cli_peer_stop(struct cli_peer *peer, int rc);

#endif
