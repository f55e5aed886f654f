/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmds.h"
#include "cli/output.h"

static int run(struct cli *cli, const struct cli_args *args)
{
    (void)args;
    fprintf(cli->out, cli->json ? "{\"version\": \"%s\"}\n" : "liana %s\n",
            liana_version());
    return CLI_OK;
}

const struct cli_cmd cli_cmd_version = {
    .name = "version",
    .summary = "print the version",
    .operands = "",
    .run = run,
};
