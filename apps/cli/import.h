/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CLI_IMPORT_H
#define LIA_CLI_IMPORT_H
/*
 * cli/import - documents on their way into a collection; the readers of formats call it.
 *
 *     reader (import_json.c, import_csv.c, import_bson.c)
 *        |  import_add(document, line)        import_bad(line, error)
 *        v
 *     import: transactions of `batch` documents, conflicts, bad lines, progress
 *
 * Rules: a document that the store refuses is a bad line like one that does not parse: it
 * is reported with its number, and skipped or the end, as asked. At the end by a bad
 * line everything before it is in the store.
 * Ownership: the caller's. Threads: the main thread.
 */
#include <bson/bson.h>

#include "cli/output.h"

struct cli_import {
    struct cli *cli;
    liana_db *db;
    char *statement; /* INSERT ... DOCUMENTS (:d) ... */
    uint64_t batch;
    uint64_t skip; /* lines at the beginning that were imported before */
    bool skips_bad;

    FILE *file;
    const char *path;

    liana_txn *txn;
    uint64_t seen;     /* documents in this transaction, changed or not */
    uint64_t in_txn;   /* changed */
    uint64_t imported; /* committed */
    uint64_t unchanged;
    uint64_t bad;
    uint64_t last_line; /* the newest line that is committed */
    uint64_t line;
    bool is_over; /* take no more */
    int rc;
    struct cli_progress progress;
};

/* Takes one document; `line` is where it began, from 1. False: take no more. */
bool cli_import_add(struct cli_import *import,
                    struct liana_slice document,
                    uint64_t line);

/* Reports a line that is no document. False: take no more. */
bool cli_import_bad(struct cli_import *import,
                    uint64_t line,
                    const struct liana_error *err);

/* Reads the next bytes of the file, for readers; 0 at the end or when told to stop. */
size_t cli_import_read(struct cli_import *import, char *out, size_t size);

/* For readers that read the file by themselves: draws the progress and takes a wish to
 * stop. Once a line is enough. */
void cli_import_at(struct cli_import *import);

/* A fault that is not a line's: the file cannot be read, memory is out. */
void cli_import_fail(struct cli_import *import, const struct liana_error *err);

/* ---- readers ---- */

void cli_import_json(struct cli_import *import, const struct cli_args *args);
void cli_import_bson(struct cli_import *import, const struct cli_args *args);
void cli_import_csv(struct cli_import *import, const struct cli_args *args);

#endif
