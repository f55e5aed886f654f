/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmds.h"
#include "cli/connector.h"
#include "cli/error.h"
#include "cli/mongo_uri.h"
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

static int follow(struct cli_connector *c, liana_db *db, bool once)
{
    struct lia_mongo_status status;

    while (!cli_stop_wanted()) {
        cli_connector_tell(c);
        c->module->status(c->mongo, &status);
        if (status.state == LIA_MONGO_STOPPED) {
            return cli_fail(c->cli, &status.error);
        }
        if (once && !status.is_settling && is_done(db, &status)) {
            return status.dead || status.missed.is_set ? CLI_PARTLY : CLI_OK;
        }
        cli_wait(-1, LOOK_MS);
    }
    return once ? CLI_STOPPED : CLI_OK;
}

static liana_status start(struct cli_connector *c,
                          const struct cli_args *args,
                          liana_db *db,
                          struct liana_error *err)
{
    struct cli_mongo_uri uri;
    liana_status status =
        cli_mongo_uri(c->cli, args, cli_operand(args, 1), true, &uri, err);

    if (!status && !uri.text[0]) {
        status = cli_err(err, LIANA_EINVAL,
                         "no MongoDB URI: give one, or --mongo-file, or $MONGODB_URI");
    }
    if (!status) {
        status = cli_connector_start(c, args, db, uri.text, err);
    }
    cli_mongo_uri_wipe(&uri);
    return status;
}

static int connect_store(struct cli_connector *c, const struct cli_args *args)
{
    struct liana_error err = LIANA_ERROR_INIT;
    liana_db *db;
    int rc;

    if (cli_use(cli_operand(args, 0), NULL, &db, &err)) {
        return cli_fail(c->cli, &err);
    }
    if (start(c, args, db, &err)) {
        rc = cli_fail(c->cli, &err);
    } else {
        rc = follow(c, db, cli_flag(args, "once"));
        cli_connector_stop(c);
    }
    return cli_close(c->cli, db, rc);
}

static int run(struct cli *cli, const struct cli_args *args)
{
    struct liana_error err = LIANA_ERROR_INIT;
    struct cli_connector connector;
    int rc;

    if (cli_connector_load(cli, &connector, &err)) {
        return cli_fail(cli, &err);
    }
    rc = connect_store(&connector, args);
    cli_connector_end(&connector);
    return rc;
}

static const struct cli_option options[] = {
    {.name = "once",
     .help = "end when MongoDB has everything; exit code 3 if it refused documents, or "
             "deletes may be missing there"},
    CLI_OPTIONS_MONGO,
    {0}};

const struct cli_cmd cli_cmd_mongo = {
    .name = "mongo",
    .summary = "write the documents of a store to MongoDB, and go on",
    .operands = "STORE [URI]",
    .operands_min = 1,
    .operands_max = 2,
    .options = options,
    .run = run,
    .help =
        "Follows a store, running or not, until SIGINT, SIGTERM or SIGHUP. Documents "
        "go to "
        "the\n"
        "collection of the same name as they are. Where it was is kept in MongoDB\n"
        "(_liana.checkpoint); documents that MongoDB refuses are kept in _liana.dead.\n"
        "\n"
        "    liana mongo shop mongodb://127.0.0.1/shop\n"
        "\n"
        "The URI may stand in a file (--mongo-file) or in $MONGODB_URI instead, where "
        "a\n"
        "password belongs: everybody on the machine can read the words of a command.\n"
        "\n"
        "MongoDB is written, not read: docs/mongodb.md.\n",
};
