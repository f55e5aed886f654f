/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "cli/cmds.h"
#include "cli/complete.h"
#include "cli/output.h"

static int run(struct cli *cli, const struct cli_args *args)
{
    size_t count = cli_operand_count(args);
    const char **words = calloc(count + 1, sizeof(*words));

    if (!words) {
        return cli_error(cli, LIANA_ENOMEM, "out of memory");
    }
    for (size_t i = 0; i < count; i++) {
        words[i] = cli_operand(args, i);
    }
    cli_complete(cli->out, words, count);
    free(words);
    return CLI_OK;
}

const struct cli_cmd cli_cmd_complete = {
    .name = "complete",
    .summary = "what may stand at the end of a command line",
    .operands = "-- WORD...",
    .operands_max = SIZE_MAX,
    .run = run,
    .help =
        "For the scripts of 'liana completion'. The words are those behind 'liana'; "
        "the last one is being typed. Each line of the answer is a word and, behind "
        "a tab, what it means; or it is ':files' or ':folders'.",
};
