/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmds.h"
#include "cli/help.h"
#include "cli/output.h"

static int run(struct cli *cli, const struct cli_args *args)
{
    const char *name = cli_operand(args, 0);
    const struct cli_cmd *cmd = name ? cli_find_command(name) : NULL;

    if (name && !cmd) {
        return cli_error(cli, LIANA_EINVAL, "'%s' is no command", name);
    }
    if (cli_flag(args, "man")) {
        cli_help_man(cli->out, cmd);
    } else if (cmd) {
        cli_help_command(cli->out, cmd);
    } else {
        cli_help_overview(cli->out);
    }
    return CLI_OK;
}

static const struct cli_option options[] = {
    {.name = "man", .help = "print the manual page in man(7) format"},
    {0}};

const struct cli_cmd cli_cmd_help = {
    .name = "help",
    .summary = "list the commands, or explain one",
    .operands = "[COMMAND]",
    .operands_max = 1,
    .options = options,
    .run = run,
    .help = "Read a manual page without installing it:\n\n"
            "    liana help --man peer | man -l -\n",
};
