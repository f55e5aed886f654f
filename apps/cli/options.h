/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CLI_OPTIONS_H
#define LIA_CLI_OPTIONS_H
/*
 * cli/options - the parser of command lines.
 *
 * --name=value, --name value, -x value, -xvalue, flags --name and -x (several letters may
 * stand together), and `--` before operands that begin with a dash. A single `-` is an
 * operand. Options and operands may be mixed.
 *
 * Rules: every option comes from the command's table or the common one. Ownership: values
 * point into argv. Threads: none.
 */
#include "cli/command.h"

#define CLI_MESSAGE_MAX 300

struct cli_value {
    const struct cli_option *option;
    const char *text; /* of a flag: its name */
    int64_t number;
};

struct cli_args {
    const struct cli_cmd *cmd;
    struct cli_value *values; /* in the order of the command line */
    size_t value_count;
    const char **operands;
    size_t operand_count;
};

/* False with a message that names the option. `argv` are the words behind the command. */
bool cli_parse(struct cli_args *args,
               const struct cli_cmd *cmd,
               int argc,
               char **argv,
               char message[static CLI_MESSAGE_MAX]);

void cli_args_deinit(struct cli_args *args);

/* Among the command's options and the common ones; NULL: there is none. */
const struct cli_option *cli_find_long(const struct cli_cmd *cmd,
                                       const char *name,
                                       size_t len);
const struct cli_option *cli_find_letter(const struct cli_cmd *cmd, char letter);

#endif
