/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CLI_CONNECTOR_H
#define LIA_CLI_CONNECTOR_H
/*
 * cli/connector - running the MongoDB connector in a command: `mongo`, and `hub --mongo`.
 *
 * The connector is a module (mongo/module.h) that is loaded by the commands that use it,
 * and by no other: cli_connector_load first, before a store is open and with it other
 * threads run, since loading changes the environment.
 *
 * Ownership: the connector is stopped before its store is closed; cli_connector_end comes
 * last. Threads: the main thread.
 */
#include "cli/command.h"
#include "mongo/module.h"

#define CLI_OPTIONS_MONGO                                                              \
    {.name = "mongo-file",                                                             \
     .type = CLI_TEXT,                                                                 \
     .value = "FILE",                                                                  \
     .help = "take the URI from the first line of FILE, which nobody else may read "   \
             "when there is a password in it"},                                        \
        {.name = "mongo-database",                                                     \
         .type = CLI_TEXT,                                                             \
         .value = "NAME",                                                              \
         .help = "the MongoDB database; else the one in the URI, else liana"},         \
        {.name = "mongo-name",                                                         \
         .type = CLI_TEXT,                                                             \
         .value = "NAME",                                                              \
         .help = "of this connector, when there are several on one store"},            \
        {.name = "mongo-settle",                                                       \
         .help =                                                                       \
             "when deletes may be missing in MongoDB: delete there what the store "    \
             "does not have; only where nobody else puts documents into the "          \
             "collections"},                                                           \
    {                                                                                  \
        .name = "collection", .letter = 'c', .type = CLI_LIST, .value = "NAME",        \
        .help = "write only this collection to MongoDB"                                \
    }

struct cli_connector {
    const struct lia_mongo_module *module;
    struct cli *cli;
    struct lia_mongo *mongo; /* NULL: not started */
    int told;                /* the state that was told last, -1: none */
};

/* LIANA_ENOTFOUND when it is not installed, LIANA_EVERSION when it is not of this version. */
LIANA_MUST_CHECK liana_status cli_connector_load(struct cli *cli,
                                                 struct cli_connector *out,
                                                 struct liana_error *err);

LIANA_MUST_CHECK liana_status cli_connector_start(struct cli_connector *c,
                                                  const struct cli_args *args,
                                                  liana_db *db,
                                                  const char *uri,
                                                  struct liana_error *err);

/* Tells a change of its state. */
void cli_connector_tell(struct cli_connector *c);

void cli_connector_stop(struct cli_connector *c);

/* Gives back what libmongoc holds. A zeroed connector is none. */
void cli_connector_end(struct cli_connector *c);

#endif
