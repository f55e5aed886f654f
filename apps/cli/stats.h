/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CLI_STATS_H
#define LIA_CLI_STATS_H
/*
 * cli/stats - a store's statistics (liana_stats) by path.
 *
 * Rules: a path is names and array places joined by dots, "peers.0.acked"; what is not
 * there is 0, "" or false. Ownership: cli_stats_free. Threads: none.
 */
#include <bson/bson.h>

#include "liana/liana.h"

struct cli_stats {
    liana_bytes *bytes;
    bson_t document; /* borrows from bytes */
};

LIANA_MUST_CHECK liana_status cli_stats_read(liana_db *db,
                                             struct cli_stats *out,
                                             struct liana_error *err);
void cli_stats_free(struct cli_stats *stats);

/* Valid until cli_stats_free. */
const char *cli_stats_text(const struct cli_stats *stats, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int64_t cli_stats_number(const struct cli_stats *stats, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* How many elements an array has. */
size_t cli_stats_count(const struct cli_stats *stats, const char *path);

#endif
