/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include <sys/statvfs.h>

#include "cli/cmds.h"
#include "cli/output.h"
#include "cli/quote.h"
#include "cli/signals.h"
#include "cli/stats.h"
#include "cli/use.h"

/* Below this much free space a busy store may fill the disk before anybody looks. */
#define FREE_BYTES_LOW (UINT64_C(256) * 1024 * 1024)

enum verdict { GOOD, WARNING, BAD };

struct doctor {
    struct cli *cli;
    const char *path;
    liana_db *db;
    struct cli_stats stats;
    int warnings;
    int failures;
};

/* One finding: a line, or with --json {"check", "verdict", "text"}. */
static void find(struct doctor *d,
                 enum verdict verdict,
                 const char *check,
                 const char *format,
                 ...) __attribute__((format(printf, 4, 5)));

static void find(struct doctor *d,
                 enum verdict verdict,
                 const char *check,
                 const char *format,
                 ...)
{
    static const char *const words[] = {"ok", "warning", "FAILED"};
    static const enum cli_colour colours[] = {CLI_GREEN, CLI_YELLOW, CLI_RED};
    char text[400];
    va_list args;

    va_start(args, format);
    if (vsnprintf(text, sizeof(text), format, args) < 0) {
        text[0] = '\0';
    }
    va_end(args);
    d->warnings += verdict == WARNING;
    d->failures += verdict == BAD;
    if (d->cli->json) {
        bson_t *line = BCON_NEW("check", BCON_UTF8(check), "verdict",
                                BCON_UTF8(words[verdict]), "text", BCON_UTF8(text));

        cli_print_bson(d->cli, line);
        bson_destroy(line);
        return;
    }
    fprintf(d->cli->out, "%s%-8s%s %-12s ", cli_out_colour(d->cli, colours[verdict]),
            words[verdict], cli_out_colour(d->cli, CLI_PLAIN), check);
    cli_print_text(d->cli->out, cli_str(text));
    putc('\n', d->cli->out);
}

/* ---- the checks ---- */

static void check_disk(struct doctor *d)
{
    struct statvfs disk;
    uint64_t bytes;

    if (statvfs(d->path, &disk) != 0) {
        find(d, WARNING, "disk", "free space of %s is not known", d->path);
        return;
    }
    bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    find(d, bytes < FREE_BYTES_LOW ? WARNING : GOOD, "disk", "%" PRIu64 " MiB free",
         bytes >> 20);
}

static void check_version(struct doctor *d)
{
    const char *held = cli_stats_text(&d->stats, "version");

    if (strcmp(held, liana_version()) == 0) {
        find(d, GOOD, "version", "%s", held);
    } else {
        find(d, WARNING, "version", "the store is held by %s, this is %s", held,
             liana_version());
    }
}

/* Reads every document: what cannot be read is said once per collection. */
static void check_collection(struct doctor *d, const char *name, int64_t expected)
{
    struct liana_error err = LIANA_ERROR_INIT;
    char *all = cli_select_all(name);
    liana_result *result = NULL;
    struct liana_slice row;
    liana_status status;
    int64_t count = 0;
    int64_t bytes = 0;

    if (!all) {
        find(d, BAD, "documents", "%s: out of memory", name);
        return;
    }
    status = liana_execute(d->db, cli_str(all), LIANA_NONE, &result, &err);
    while (!status && !cli_stop_wanted() &&
           (status = liana_result_next(result, &row, &err)) == LIANA_OK) {
        bson_t document;

        count++;
        bytes += (int64_t)row.len;
        if (!bson_init_static(&document, row.ptr, row.len) ||
            !bson_has_field(&document, "_id")) {
            status = LIANA_ECORRUPT;
            snprintf(err.message, sizeof(err.message),
                     "document %" PRId64 " is damaged", count);
        }
    }
    if (status != LIANA_EEND && status) {
        find(d, BAD, "documents", "%s: %s", name, err.message);
    } else {
        find(d, GOOD, "documents",
             "%s: %" PRId64 " of %" PRId64 " read, %" PRId64 " KiB", name, count,
             expected, bytes >> 10);
    }
    liana_result_free(result);
    cli_free(all);
}

static void check_collections(struct doctor *d)
{
    size_t count = cli_stats_count(&d->stats, "collections");

    for (size_t i = 0; i < count && !cli_stop_wanted(); i++) {
        check_collection(d, cli_stats_text(&d->stats, "collections.%zu.name", i),
                         cli_stats_number(&d->stats, "collections.%zu.documents", i));
    }
}

/* What merging has done that a person may want to look at. */
static void check_merges(struct doctor *d)
{
    int64_t too_large = cli_stats_number(&d->stats, "flagged.too_large");
    int64_t clamped = cli_stats_number(&d->stats, "flagged.clamped");
    int64_t owed = cli_stats_number(&d->stats, "owed");
    int64_t rows = cli_stats_number(&d->stats, "conflicts.rows");

    find(d, too_large + clamped ? WARNING : GOOD, "flagged",
         "%" PRId64 " documents too large to be shown whole, %" PRId64
         " with a counter beyond int64%s",
         too_large, clamped, too_large + clamped ? ": system:flagged" : "");
    find(d, owed ? WARNING : GOOD, "owed",
         "%" PRId64 " documents of peers could not be applied%s", owed,
         owed ? ": system:owed" : "");
    find(d, GOOD, "conflicts", "%" PRId64 " rows in system:conflicts", rows);
}

/* Beyond this, stores put aside what the other one writes (docs/clocks.md). */
#define CLOCK_AHEAD_MS (10 * 60 * 1000)

static void check_clock(struct doctor *d)
{
    const char *source = cli_stats_text(&d->stats, "clock.source");
    size_t peers = cli_stats_count(&d->stats, "peers");
    size_t ahead = 0;
    size_t behind = 0;

    if (strcmp(source, "system") != 0) {
        find(d, WARNING, "clock", "%s",
             strcmp(source, "peer") == 0
                 ? "this device's clock is wrong; the time of a peer is used"
                 : "this device's clock is wrong, and no peer has told the time yet");
        return;
    }
    for (size_t i = 0; i < peers; i++) {
        int64_t ms = cli_stats_number(&d->stats, "peers.%zu.clock_ahead_ms", i);

        ahead += ms > CLOCK_AHEAD_MS;
        behind += ms < -CLOCK_AHEAD_MS;
    }
    find(d, ahead + behind ? WARNING : GOOD, "clock",
         "of %zu peers %zu are more than 10 minutes ahead of this device, %zu behind%s",
         peers, ahead, behind,
         ahead + behind == 0  ? ""
         : ahead > peers / 2  ? ": this device's clock is probably slow"
         : behind > peers / 2 ? ": this device's clock is probably fast"
                              : "");
}

static void check_link(struct doctor *d, size_t i)
{
    const char *state = cli_stats_text(&d->stats, "links.%zu.state", i);
    const char *error = cli_stats_text(&d->stats, "links.%zu.error", i);
    bool is_up = strcmp(state, "up") == 0;

    find(d, is_up ? GOOD : WARNING, "link", "%s: %s%s%s",
         cli_stats_text(&d->stats, "links.%zu.address", i), state,
         is_up || !*error ? "" : ", ", is_up ? "" : error);
}

static void check_sync(struct doctor *d)
{
    size_t links = cli_stats_count(&d->stats, "links");
    size_t wanted = cli_stats_count(&d->stats, "subscriptions");

    if (!cli_stats_number(&d->stats, "sync.running")) {
        find(d, GOOD, "sync", "not running");
        return;
    }
    for (size_t i = 0; i < links; i++) {
        check_link(d, i);
    }
    for (size_t i = 0; i < wanted; i++) {
        bool is_there =
            cli_stats_number(&d->stats, "subscriptions.%zu.up_to_date", i) != 0;

        find(d, is_there ? GOOD : WARNING, "subscription", "%s: %s",
             cli_stats_text(&d->stats, "subscriptions.%zu.statement", i),
             is_there ? "up to date" : "syncing");
    }
}

/* Of the connectors that follow the store now. */
static void check_mongo(struct doctor *d)
{
    bson_iter_t apps;
    bson_iter_t app;
    bson_iter_t missed;

    if (!bson_iter_init_find(&apps, &d->stats.document, "apps") ||
        !bson_iter_recurse(&apps, &app)) {
        return;
    }
    while (bson_iter_next(&app)) {
        if (strncmp(bson_iter_key(&app), "mongo", 5) == 0 &&
            bson_iter_recurse(&app, &missed) && bson_iter_find(&missed, "missed")) {
            bool is_set = !BSON_ITER_HOLDS_NULL(&missed);

            find(d, is_set ? WARNING : GOOD, bson_iter_key(&app), "%s",
                 is_set ? "deletes may be missing in MongoDB: docs/mongodb.md, 'Missed "
                          "deletes'"
                        : "no deletes are missing in MongoDB");
        }
    }
}

static int run(struct cli *cli, const struct cli_args *args)
{
    struct liana_error err = LIANA_ERROR_INIT;
    struct doctor d = {.cli = cli, .path = cli_operand(args, 0)};

    if (cli_use(d.path, NULL, &d.db, &err)) {
        find(&d, BAD, "store", "%s (%s)", err.message, liana_status_name(err.status));
        return cli_exit_code(err.status);
    }
    if (cli_stats_read(d.db, &d.stats, &err)) {
        find(&d, BAD, "store", "%s (%s)", err.message, liana_status_name(err.status));
        return cli_close(cli, d.db, cli_exit_code(err.status));
    }
    find(&d, GOOD, "store", "%s opens", d.path);
    check_version(&d);
    check_disk(&d);
    check_collections(&d);
    check_merges(&d);
    check_clock(&d);
    check_sync(&d);
    check_mongo(&d);
    cli_stats_free(&d.stats);
    return cli_close(cli, d.db,
                     cli_stop_wanted() ? CLI_STOPPED
                     : d.failures      ? CLI_FAILED
                     : d.warnings      ? CLI_PARTLY
                                       : CLI_OK);
}

const struct cli_cmd cli_cmd_doctor = {
    .name = "doctor",
    .summary = "look for what is wrong with a store and its sync",
    .operands = "STORE",
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
    .help = "Opens or attaches to the store, reads every document of it, and looks at "
            "the disk, links and subscriptions. Changes nothing. Exit code 0: all is "
            "well; 3: there are warnings; 1: something is broken.",
};
