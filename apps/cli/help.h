/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CLI_HELP_H
#define LIA_CLI_HELP_H
/*
 * cli/help - what --help prints and the man pages, from the commands' tables.
 *
 * Ownership: nothing is kept. Threads: none.
 */
#include "cli/command.h"

/* The list of commands. */
void cli_help_overview(FILE *file);

/* One command: usage, paragraphs, options. */
void cli_help_command(FILE *file, const struct cli_cmd *cmd);

/* The man page liana-NAME(1), or liana(1) for NULL, in man(7) macros. */
void cli_help_man(FILE *file, const struct cli_cmd *cmd);

#endif
