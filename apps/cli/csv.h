/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CLI_CSV_H
#define LIA_CLI_CSV_H
/*
 * cli/csv - reading CSV as RFC 4180 has it, row by row, with line numbers.
 *
 * A byte order mark is skipped; lines end with LF or CRLF; quoted fields may hold line
 * ends; empty lines are no rows. Blanks belong to their field. A quote that stands where
 * it may not is an error that names the line.
 *
 * Rules: a field has a NUL behind it that is not counted. Ownership: a row is valid
 * during its call. Threads: none.
 */
#include <stdio.h>

#include "liana/liana.h"

struct cli_csv_row {
    const struct liana_str *fields; /* ptr NULL: empty and not quoted */
    size_t count;
    uint64_t line; /* where the row begins, from 1 */
    /* The first field, from 1, that is no UTF-8 text without NUL; 0: all are. */
    size_t not_text;
};

/* Another answer than LIANA_OK ends the reading and is its answer. */
typedef liana_status (*cli_csv_row_fn)(void *ctx,
                                       const struct cli_csv_row *row,
                                       struct liana_error *err);

/* `name` is for messages. LIANA_ECSV, LIANA_EIO, LIANA_ENOMEM. */
LIANA_MUST_CHECK liana_status cli_csv_read(FILE *file,
                                           const char *name,
                                           char delimiter,
                                           cli_csv_row_fn fn,
                                           void *ctx,
                                           struct liana_error *err);

#endif
