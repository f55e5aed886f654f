/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CLI_STATEMENT_H
#define LIA_CLI_STATEMENT_H
/*
 * cli/statement - running one statement and printing what it gives; for exec and shell.
 *
 * Ownership: nothing is kept. Threads: the main thread.
 */
#include "cli/command.h"

/* Runs `text` in `txn`, or for itself if that is NULL, and prints the rows. How many
 * rows or changed documents there were is a note; with --json a statement that gives no
 * rows prints {"mutations", "seq"}. False with `err` set, or when stdout takes no more
 * (that was said, and `err` is untouched); a reader of stdout that has left only ends the
 * printing. */
bool cli_run_statement(struct cli *cli,
                       liana_db *db,
                       liana_txn *txn,
                       struct liana_str text,
                       struct liana_slice params,
                       int32_t form,
                       struct liana_error *err);

/* Length of the first statement in `text`, up to a `;` that stands outside of strings,
 * quoted names and comments; `*is_whole` says that the `;` was there, and is not
 * counted. */
size_t cli_statement_len(struct liana_str text, bool *is_whole);

/* Nothing but white space, comments and semicolons. */
bool cli_statement_is_blank(struct liana_str text);

/* It makes rows: a SELECT or an EXPLAIN. */
bool cli_statement_reads(struct liana_str text);

#endif
