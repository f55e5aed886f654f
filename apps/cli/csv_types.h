/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CLI_CSV_TYPES_H
#define LIA_CLI_CSV_TYPES_H
/*
 * cli/csv_types - what a field of CSV becomes.
 *
 * Rules: a text that is not of the type that was asked for is an error, never a guess.
 * `auto` takes a text for a number only if no character of it carries more than the
 * number: no leading zeros, no plus sign, a whole number within int64.
 * Ownership: a column owns its format. Threads: any.
 */
#include <bson/bson.h>

#include "cli/command.h"

enum cli_csv_type {
    CLI_CSV_AUTO,
    CLI_CSV_STRING,
    CLI_CSV_INT32,
    CLI_CSV_INT64,
    CLI_CSV_DOUBLE,
    CLI_CSV_DECIMAL,
    CLI_CSV_BOOL,
    CLI_CSV_OBJECTID,
    CLI_CSV_DATE
};

struct cli_csv_column {
    char *name;
    enum cli_csv_type type;
    char *format; /* of strptime; NULL: ISO 8601 */
    bool is_id;
};

void cli_csv_column_free(struct cli_csv_column *column);

/* Reads "NAME:TYPE" (the name may hold colons) or "NAME:date(FORMAT)" of `len` bytes.
 * False: no such type, or out of memory. */
bool cli_csv_parse_type(const char *text, size_t len, struct cli_csv_column *out);

/* Appends the field to `to` under `name`. False: the text is not of the column's type. */
bool cli_csv_append(const struct cli_csv_column *column,
                    const char *name,
                    struct liana_str text,
                    bson_t *to);

const char *cli_csv_type_name(enum cli_csv_type type);

#endif
