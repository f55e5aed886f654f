/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmds.h"
#include "cli/output.h"
#include "cli/stats.h"
#include "cli/use.h"

static const struct cli_option options[] = {
    {.name = "database",
     .type = CLI_TEXT,
     .value = "NAME",
     .help = "what peers share: a name, or the 32 hexadecimal digits of a database id; "
             "a random id without it"},
    {.name = "name",
     .type = CLI_TEXT,
     .value = "NAME",
     .help = "how other peers see this one (default: the folder's name)"},
    {0},
};

static int run(struct cli *cli, const struct cli_args *args)
{
    struct liana_open_options open = LIANA_OPEN_OPTIONS_INIT;
    struct liana_error err = LIANA_ERROR_INIT;
    const char *path = cli_operand(args, 0);
    struct cli_stats stats = {0};
    liana_db *db;

    open.flags = LIANA_OPEN_CREATE | LIANA_OPEN_EXCLUSIVE;
    open.database = cli_str(cli_text(args, "database"));
    open.name = cli_str(cli_text(args, "name"));
    if (liana_open(cli_str(path), &open, &db, &err)) {
        return cli_fail(cli, &err);
    }
    if (cli_stats_read(db, &stats, &err)) {
        return cli_close(cli, db, cli_fail(cli, &err));
    }
    if (cli->json) {
        bson_t *line =
            BCON_NEW("path", BCON_UTF8(path), "name",
                     BCON_UTF8(cli_stats_text(&stats, "store.name")), "database",
                     BCON_UTF8(cli_stats_text(&stats, "store.database")), "peer",
                     BCON_UTF8(cli_stats_text(&stats, "store.peer")));

        cli_print_bson(cli, line);
        bson_destroy(line);
    } else {
        fprintf(cli->out, "store     %s\nname      %s\ndatabase  %s\npeer      %s\n",
                path, cli_stats_text(&stats, "store.name"),
                cli_stats_text(&stats, "store.database"),
                cli_stats_text(&stats, "store.peer"));
    }
    cli_stats_free(&stats);
    return cli_close(cli, db, CLI_OK);
}

const struct cli_cmd cli_cmd_init = {
    .name = "init",
    .summary = "make a new store",
    .operands = "STORE",
    .operands_min = 1,
    .operands_max = 1,
    .options = options,
    .run = run,
    .help = "Makes the folder STORE with an empty store in it. The store gets an "
            "identity of its own; peers of the same database can sync.",
};
