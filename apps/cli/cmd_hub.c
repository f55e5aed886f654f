/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmds.h"
#include "cli/connector.h"
#include "cli/error.h"
#include "cli/output.h"
#include "cli/peer.h"
#include "cli/signals.h"

#define LOOK_MS 200

static void run_both(struct cli_peer *peer, struct cli_connector *connector)
{
    while (!cli_stop_wanted()) {
        cli_peer_tell(peer);
        cli_connector_tell(connector);
        cli_wait(peer->event_fd, LOOK_MS);
    }
}

/* What is about MongoDB means nothing without --mongo. */
static liana_status check_options(const struct cli_args *args, struct liana_error *err)
{
    static const struct cli_option about_mongo[] = {CLI_OPTIONS_MONGO, {0}};

    for (const struct cli_option *o = about_mongo; o->name; o++) {
        if (!cli_given(args, "mongo") && cli_given(args, o->name)) {
            return cli_err(err, LIANA_EINVAL, "--%s needs --mongo", o->name);
        }
    }
    return LIANA_OK;
}

static int run(struct cli *cli, const struct cli_args *args)
{
    struct liana_error err = LIANA_ERROR_INIT;
    struct cli_peer peer;
    struct cli_connector connector = {0};
    const char *uri = cli_text(args, "mongo");
    int rc = CLI_OK;

    if (check_options(args, &err) ||
        (uri && cli_connector_load(cli, &connector, &err))) {
        return cli_fail(cli, &err);
    }
    if (cli_peer_start(cli, args, cli_operand(args, 0), LIANA_OPEN_KEEPER, &peer,
                       &err)) {
        rc = cli_fail(cli, &err);
        goto out;
    }
    if (!uri) {
        cli_peer_run(&peer);
    } else if (cli_connector_start(&connector, args, peer.db, uri, &err)) {
        rc = cli_fail(cli, &err);
    } else {
        run_both(&peer, &connector);
        cli_connector_stop(&connector);
    }
    rc = cli_peer_stop(&peer, rc);
out:
    cli_connector_end(&connector);
    return rc;
}

static const struct cli_option options[] = {
    CLI_OPTIONS_PEER,
    {.name = "mongo",
     .type = CLI_TEXT,
     .value = "URI",
     .help = "write everything to this MongoDB, too"},
    CLI_OPTIONS_MONGO,
    {0}};

const struct cli_cmd cli_cmd_hub = {
    .name = "hub",
    .summary = "a peer for many: listens, and connects MongoDB",
    .operands = "STORE",
    .operands_min = 1,
    .operands_max = 1,
    .options = options,
    .run = run,
    .help =
        "Runs until SIGINT, SIGTERM or SIGHUP.\n"
        "\n"
        "    liana hub hub --create --key-file=key --listen=0.0.0.0:7000 -s sales \\\n"
        "        --mongo=mongodb://127.0.0.1/shop\n"
        "\n"
        "A hub is a keeper: other peers may drop what it holds.\n"
        "\n"
        "The connector runs inside the hub; `liana mongo` runs one beside it. What it\n"
        "does and does not do: docs/mongodb.md.\n",
};
