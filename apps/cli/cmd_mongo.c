/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmds.h"
#include "cli/connector.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "cli/stats.h"
#include "cli/use.h"

#define LOOK_MS 100

/* MongoDB has all that the store has now. */
static bool is_done(liana_db *db, const struct lia_mongo_status *status)
{
    struct cli_stats stats;
    bool answer;

    if (status->state != LIA_MONGO_OK || cli_stats_read(db, &stats, NULL)) {
        return false;
    }
    answer = (int64_t)status->position >= cli_stats_number(&stats, "store.seq");
    cli_stats_free(&stats);
    return answer;
}

static int follow(struct cli *cli, liana_db *db, struct lia_mongo *mongo, bool once)
{
    struct lia_mongo_status status;
    int told = -1;

    while (!cli_stop_wanted()) {
        cli_connector_tell(cli, mongo, &told);
        lia_mongo_status(mongo, &status);
        if (status.state == LIA_MONGO_STOPPED) {
            return cli_fail(cli, &status.error);
        }
        if (once && is_done(db, &status)) {
            return status.dead ? CLI_PARTLY : CLI_OK;
        }
        cli_wait(-1, LOOK_MS);
    }
    return once ? CLI_STOPPED : CLI_OK;
}

static int run(struct cli *cli, const struct cli_args *args)
{
    struct liana_error err = LIANA_ERROR_INIT;
    struct lia_mongo *mongo;
    liana_db *db;
    int rc;

    if (cli_use(cli_operand(args, 0), NULL, &db, &err)) {
        return cli_fail(cli, &err);
    }
    if (cli_connector_start(cli, args, db, cli_operand(args, 1), &mongo, &err)) {
        rc = cli_fail(cli, &err);
    } else {
        rc = follow(cli, db, mongo, cli_flag(args, "once"));
        lia_mongo_stop(mongo);
    }
    rc = cli_close(cli, db, rc);
    lia_mongo_library_end();
    return rc;
}

static const struct cli_option options[] = {
    {.name = "once",
     .help = "end when MongoDB has everything; exit code 3 if it refused documents"},
    CLI_OPTIONS_MONGO,
    {0}};

const struct cli_cmd cli_cmd_mongo = {
    .name = "mongo",
    .summary = "write the documents of a store to MongoDB, and go on",
    .operands = "STORE URI",
    .operands_min = 2,
    .operands_max = 2,
    .options = options,
    .run = run,
    .help =
        "Follows a store, running or not, until SIGINT or SIGTERM. Documents go to "
        "the\n"
        "collection of the same name as they are. Where it was is kept in MongoDB\n"
        "(_liana.checkpoint); documents that MongoDB refuses are kept in _liana.dead.\n"
        "\n"
        "    liana mongo shop mongodb://127.0.0.1/shop\n"
        "\n"
        "MongoDB is written, not read: docs/mongodb.md.\n",
};
