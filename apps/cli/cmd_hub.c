/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmds.h"
#include "cli/connector.h"
#include "cli/error.h"
#include "cli/mongo_uri.h"
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

/* What is about MongoDB means nothing without a URI. */
static liana_status check_options(const struct cli_args *args, struct liana_error *err)
{
    static const struct cli_option about_mongo[] = {CLI_OPTIONS_MONGO, {0}};
    bool has_uri = cli_given(args, "mongo") || cli_given(args, "mongo-file");

    for (const struct cli_option *o = about_mongo; o->name; o++) {
        if (!has_uri && cli_given(args, o->name)) {
            return cli_err(err, LIANA_EINVAL, "--%s needs --mongo or --mongo-file",
                           o->name);
        }
    }
    return LIANA_OK;
}

static int run_with_mongo(struct cli_peer *peer,
                          struct cli_connector *connector,
                          const struct cli_args *args,
                          struct cli_mongo_uri *uri)
{
    struct liana_error err = LIANA_ERROR_INIT;
    liana_status status =
        cli_connector_start(connector, args, peer->db, uri->text, &err);

    cli_mongo_uri_wipe(uri);
    if (status) {
        return cli_fail(peer->cli, &err);
    }
    run_both(peer, connector);
    cli_connector_stop(connector);
    return CLI_OK;
}

static int run_hub(struct cli *cli,
                   const struct cli_args *args,
                   struct cli_connector *connector,
                   struct cli_mongo_uri *uri)
{
    struct liana_error err = LIANA_ERROR_INIT;
    struct cli_peer peer;
    int rc = CLI_OK;

    if (cli_peer_start(cli, args, cli_operand(args, 0), LIANA_OPEN_KEEPER, &peer,
                       &err)) {
        return cli_fail(cli, &err);
    }
    if (uri->text[0]) {
        rc = run_with_mongo(&peer, connector, args, uri);
    } else {
        cli_peer_run(&peer);
    }
    return cli_peer_stop(&peer, rc);
}

static int run(struct cli *cli, const struct cli_args *args)
{
    struct liana_error err = LIANA_ERROR_INIT;
    struct cli_connector connector = {0};
    struct cli_mongo_uri uri;
    int rc;

    if (check_options(args, &err) ||
        cli_mongo_uri(cli, args, cli_text(args, "mongo"), false, &uri, &err)) {
        return cli_fail(cli, &err);
    }
    if (uri.text[0] && cli_connector_load(cli, &connector, &err)) {
        rc = cli_fail(cli, &err);
    } else {
        rc = run_hub(cli, args, &connector, &uri);
    }
    cli_mongo_uri_wipe(&uri);
    cli_connector_end(&connector);
    return rc;
}

static const struct cli_option options[] = {
    CLI_OPTIONS_PEER,
    {.name = "mongo",
     .type = CLI_TEXT,
     .value = "URI",
     .help = "write everything to this MongoDB, too; a password belongs into "
             "--mongo-file"},
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
        "    liana hub hub --create --database=acme --key-file=key \\\n"
        "        --listen=0.0.0.0:7000 -s sales --mongo=mongodb://127.0.0.1/shop\n"
        "\n"
        "A hub is a keeper: other peers may drop what it holds.\n"
        "\n"
        "The connector runs inside the hub; `liana mongo` runs one beside it. What it\n"
        "does and does not do: docs/mongodb.md.\n",
};
