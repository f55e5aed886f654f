/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CLI_MONGO_URI_H
#define LIA_CLI_MONGO_URI_H
/*
 * cli/mongo_uri - where a command takes its MongoDB URI from.
 *
 * A URI may hold a password, and everybody on the machine sees the words of a command. So
 * it can stand in a file (--mongo-file) or in the environment ($MONGODB_URI) as well; a
 * password among the words is overwritten there at once, and whoever wrote it is told.
 *
 * Rules: a file with a password that others may read is refused.
 * Ownership: the caller's memory; cli_mongo_uri_wipe when the connector has started.
 * Threads: the main thread.
 */
#include "cli/command.h"

struct cli_mongo_uri {
    char text[4096]; /* "": none */
};

/* `given`: what stands among the words, or NULL; then --mongo-file; then, if `from_env`,
 * the environment. No URI at all is no error. LIANA_EINVAL for two of them or an empty
 * one, LIANA_EINSECURE, LIANA_ENOTFOUND, LIANA_EIO. */
LIANA_MUST_CHECK liana_status cli_mongo_uri(struct cli *cli,
                                            const struct cli_args *args,
                                            const char *given,
                                            bool from_env,
                                            struct cli_mongo_uri *out,
                                            struct liana_error *err);

void cli_mongo_uri_wipe(struct cli_mongo_uri *uri);

#endif
