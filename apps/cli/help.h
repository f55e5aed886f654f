/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CLI_HELP_H
#define LIA_CLI_HELP_H
/*
 * cli/help - what --help prints and the man pages, from the commands' tables.
 *
 * Rules: the help of a command is paragraphs, parted by empty lines, that are laid out
 * anew; lines that begin with four blanks stay as they are.
 * Ownership: nothing is kept. Threads: none.
 */
#include "cli/command.h"

/* The list of commands. */
void cli_help_overview(FILE *file);

/* One command: usage, paragraphs, options. */
void cli_help_command(FILE *file, const struct cli_cmd *cmd);

/* The man page liana-NAME(1), or liana(1) for NULL, in man(7) macros. */
void cli_help_man(FILE *file, const struct cli_cmd *cmd);

/* ---- what the two share ---- */

struct cli_exit {
    int code;
    const char *text;
};

extern const struct cli_exit cli_exits[]; /* ends with a NULL text */

struct cli_paragraph {
    const char *ptr;
    size_t len;
    bool is_kept; /* lines that stay as they are */
};

/* Takes the next one off `*text`; false at the end. */
bool cli_help_paragraph(const char **text, struct cli_paragraph *out);

/* "-h, --help", "    --listen=HOST:PORT" */
void cli_help_option_names(char *out, size_t size, const struct cli_option *option);

/* Its help, whether it may be given again, and its default. */
void cli_help_option_text(char *out, size_t size, const struct cli_option *option);

#endif
