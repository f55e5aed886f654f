/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmds.h"
#include "cli/demo/demo.h"
#include "cli/demo/folder.h"
#include "cli/signals.h"

void demo_say(struct demo *d, const char *format, ...)
{
    FILE *file = d->cli->json ? d->cli->err : d->cli->out;
    va_list args;

    if (d->cli->quiet) {
        return;
    }
    va_start(args, format);
    vfprintf(file, format, args);
    va_end(args);
    putc('\n', file);
    cli_flush(d->cli);
}

static int result_of(struct demo *d, bool ok)
{
    int rc;

    if (ok) {
        return d->lacks_mongodb ? CLI_PARTLY : CLI_OK;
    }
    if (cli_stop_wanted()) {
        demo_say(d, "stopped");
        return CLI_STOPPED;
    }
    rc = cli_fail(d->cli, &d->world.err);
    /* What is wrong with the command line, or already there; all else is of the run. */
    return d->world.err.status == LIANA_EEXISTS || d->world.err.status == LIANA_EINVAL
               ? rc
               : CLI_FAILED;
}

static bool tell_end(struct demo *d)
{
    bool holds;

    if (!measure_all(&d->world, &d->costs)) {
        return false;
    }
    demo_summary(d);
    holds = demo_check_story(d) && demo_verify(d);
    demo_verdict(d, holds);
    return holds;
}

static uint64_t new_seed(void)
{
    uint32_t seed = 1;
    int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);

    if (fd >= 0) {
        if (read(fd, &seed, sizeof(seed)) != (ssize_t)sizeof(seed)) {
            seed = 1;
        }
        close(fd);
    }
    return seed;
}

static int run(struct cli *cli, const struct cli_args *args)
{
    static struct demo d;
    bool is_begun;
    bool ok;
    int rc;

    if (strcmp(cli_operand(args, 0), "retail") != 0) {
        return cli_error(cli, LIANA_EINVAL, "there is no demo '%s', only 'retail'",
                         cli_operand(args, 0));
    }
    d.cli = cli;
    d.began_ms = cli_now_ms();
    d.args = args;
    d.seed = cli_given(args, "seed") ? (uint64_t)cli_number(args, "seed") : new_seed();
    d.without_mongodb = cli_flag(args, "no-mongodb");
    is_begun = demo_prepare(&d) && demo_start_mongodb(&d);
    ok = is_begun && demo_story(&d) && demo_describe(&d) && tell_end(&d);
    rc = result_of(&d, ok);
    if (ok && cli_flag(args, "keep")) {
        demo_stay(&d);
    }
    world_end(&d.world);
    if (!cli_text(args, "folder") && (!is_begun || (ok && !cli_flag(args, "keep")))) {
        demo_remove_folder(d.folder);
    } else if (d.folder[0]) {
        demo_say(&d, "logs and stores are in %s", d.folder);
    }
    cli_connector_end(&d.connector);
    return rc;
}

static const struct cli_option options[] = {
    {.name = "data",
     .type = CLI_TEXT,
     .value = "FILE.csv",
     .help = "real sales lines instead of generated ones"},
    {.name = "invoices",
     .type = CLI_NUMBER,
     .value = "N",
     .fallback = "1000",
     .min = DEMO_INVOICES_MIN,
     .max = 100000,
     .help = "how many to generate"},
    {.name = "seed",
     .type = CLI_NUMBER,
     .value = "N",
     .min = 0,
     .max = INT64_MAX,
     .help = "repeat a run: the same data, the same moment of the kill"},
    {.name = "no-mongodb", .help = "do without MongoDB"},
    {.name = "db",
     .type = CLI_TEXT,
     .value = "NAME",
     .fallback = "liana_retail",
     .help = "the MongoDB database"},
    {.name = "drop", .help = "drop `sales` and `stock` there first"},
    {.name = "start",
     .type = CLI_NUMBER,
     .value = "N",
     .fallback = "1000000",
     .min = INT32_MIN,
     .max = INT64_MAX / 4,
     .help = "what every stock counter begins with"},
    {.name = "keep", .help = "leave everything running at the end, until ^C"},
    {.name = "folder",
     .type = CLI_TEXT,
     .value = "FOLDER",
     .help = "where the stores go; stays there. Else a temporary one"},
    {0}};

const struct cli_cmd cli_cmd_demo = {
    .name = "demo",
    .summary = "the main job on one machine: five devices in a line, into MongoDB",
    .operands = "retail",
    .operands_min = 1,
    .operands_max = 1,
    .options = options,
    .run = run,
    .help =
        "Three tills sell; a back office and a hub follow; every sale reaches MongoDB "
        "through the others. Meanwhile the link to the hub is cut, and till 2 is "
        "killed "
        "with SIGKILL inside a transaction, between two statements or while it "
        "commits, "
        "and started again. At the end every store and MongoDB are compared with what "
        "the sales lines say (tools/verify_retail.py).\n"
        "\n"
        "MongoDB is the server at $MONGODB_URI, else a test server from build/venv. "
        "When\n"
        "neither can be had the rest is done and the exit code is 3.\n",
};
