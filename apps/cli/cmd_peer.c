/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmds.h"
#include "cli/output.h"
#include "cli/peer.h"

static int run(struct cli *cli, const struct cli_args *args)
{
    struct liana_error err = LIANA_ERROR_INIT;
    struct cli_peer peer;
    uint32_t flags = cli_flag(args, "keeper") ? LIANA_OPEN_KEEPER : 0;

    if (cli_peer_start(cli, args, cli_operand(args, 0), flags, &peer, &err)) {
        return cli_fail(cli, &err);
    }
    cli_peer_run(&peer);
    return cli_peer_stop(&peer, CLI_OK);
}

static const struct cli_option options[] = {
    CLI_OPTIONS_PEER,
    {.name = "keeper",
     .help = "others may drop what this store holds whole; it stays a keeper"},
    {0}};

const struct cli_cmd cli_cmd_peer = {
    .name = "peer",
    .summary = "hold a store open, sync it with other peers, let others attach",
    .operands = "STORE",
    .operands_min = 1,
    .operands_max = 1,
    .options = options,
    .run = run,
    .help =
        "Runs until SIGINT, SIGTERM or SIGHUP. Other commands work on the store "
        "meanwhile.\n"
        "\n"
        "    liana key key                # once; the same file on every device\n"
        "    liana peer shop --create --database=acme --key-file=key \\\n"
        "        --listen=0.0.0.0:7000 --subscribe=sales \\\n"
        "        --subscribe=\"SELECT * FROM stock WHERE onHand > 0\"\n"
        "    liana peer till --create --database=acme --key-file=key \\\n"
        "        --dial=shop.local:7000 -s sales\n"
        "\n"
        "Stores that are made without --database are each a database of its own, and\n"
        "do not sync with each other.\n"
        "\n"
        "With --json every event is one line: listening (address), ready (peer), peer\n"
        "up, peer down, up to date, link failed, refused.\n",
};
