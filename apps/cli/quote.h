/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CLI_QUOTE_H
#define LIA_CLI_QUOTE_H
/*
 * cli/quote - statements about a collection whose name comes from outside.
 *
 * Ownership: the text is the caller's, cli_free. Threads: any.
 */

/* `head`, the name in backticks, `tail`. NULL when out of memory. */
char *cli_statement(const char *head, const char *collection, const char *tail);

/* "SELECT * FROM `collection`". */
char *cli_select_all(const char *collection);

void cli_free(char *text);

#endif
