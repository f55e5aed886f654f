/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CLI_CONNECTOR_H
#define LIA_CLI_CONNECTOR_H
/*
 * cli/connector - running the MongoDB connector in a command: `mongo`, and `hub --mongo`.
 *
 * Ownership: the connector is stopped with lia_mongo_stop before its store is closed.
 * Threads: the main thread.
 */
#include "cli/command.h"
#include "mongo/mongo.h"

#define CLI_OPTIONS_MONGO                                                              \
    {.name = "mongo-database",                                                         \
     .type = CLI_TEXT,                                                                 \
     .value = "NAME",                                                                  \
     .help = "the MongoDB database; else the one in the URI, else liana"},             \
        {.name = "mongo-name",                                                         \
         .type = CLI_TEXT,                                                             \
         .value = "NAME",                                                              \
         .help = "of this connector, when there are several on one store"},            \
    {                                                                                  \
        .name = "collection", .letter = 'c', .type = CLI_LIST, .value = "NAME",        \
        .help = "write only this collection to MongoDB"                                \
    }

LIANA_MUST_CHECK liana_status cli_connector_start(struct cli *cli,
                                                  const struct cli_args *args,
                                                  liana_db *db,
                                                  const char *uri,
                                                  struct lia_mongo **out,
                                                  struct liana_error *err);

/* Tells a change of its state; `*before` is what was told last, -1 at first. */
void cli_connector_tell(struct cli *cli, struct lia_mongo *mongo, int *before);

#endif
