/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <string.h>

#include "cli/cmds.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "cli/stats.h"
#include "cli/use.h"

static const struct cli_option options[] = {
    {.name = "watch",
     .letter = 'w',
     .type = CLI_NUMBER,
     .value = "SECONDS",
     .min = 1,
     .max = 86400,
     .help = "again and again until it is stopped"},
    {0},
};

/* Beyond this, stores put aside what the other one writes (docs/clocks.md). */
#define CLOCK_AHEAD_MS (10 * 60 * 1000)

static void heading(struct cli *cli, const char *text)
{
    fprintf(cli->out, "%s%s%s\n", cli_out_colour(cli, CLI_BOLD), text,
            cli_out_colour(cli, CLI_PLAIN));
}

/* Names and messages come from other peers: control characters are made visible. */
static void print_padded(struct cli *cli, const char *text, int width)
{
    int pad = width - (int)strlen(text);

    cli_print_text(cli->out, cli_str(text));
    fprintf(cli->out, "%*s", pad > 1 ? pad : 1, "");
}

static void print_error(struct cli *cli, const char *text)
{
    if (*text) {
        fputs(cli_out_colour(cli, CLI_RED), cli->out);
        cli_print_text(cli->out, cli_str(text));
        fputs(cli_out_colour(cli, CLI_PLAIN), cli->out);
    }
}

static void print_row(struct cli *cli, const char *name, const char *text)
{
    fputs("  ", cli->out);
    print_padded(cli, name, 12);
    cli_print_text(cli->out, cli_str(text));
    putc('\n', cli->out);
}

static void print_clock(struct cli *cli, const struct cli_stats *s)
{
    const char *source = cli_stats_text(s, "clock.source");

    if (strcmp(source, "peer") == 0) {
        print_row(cli, "clock", "is wrong; the time of a peer is used");
    } else if (strcmp(source, "unknown") == 0) {
        print_row(cli, "clock", "is wrong, and no peer has told the time yet");
    }
}

/* How long, as people say it. */
static void print_span(struct cli *cli, uint64_t ms)
{
    static const struct {
        uint64_t ms;
        const char *name;
    } units[] = {{86400000, "days"}, {3600000, "hours"}, {60000, "minutes"}};

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (ms >= 2 * units[i].ms || i + 1 == sizeof(units) / sizeof(units[0])) {
            fprintf(cli->out, "%" PRIu64 " %s", ms / units[i].ms, units[i].name);
            return;
        }
    }
}

static void print_store(struct cli *cli, const struct cli_stats *s)
{
    heading(cli, "store");
    print_row(cli, "path", cli_stats_text(s, "store.path"));
    print_row(cli, "name", cli_stats_text(s, "store.name"));
    print_row(cli, "peer", cli_stats_text(s, "store.peer"));
    print_row(cli, "database", cli_stats_text(s, "store.database"));
    fprintf(cli->out, "  seq         %" PRId64 "\n", cli_stats_number(s, "store.seq"));
    fprintf(cli->out, "  bytes       %" PRId64 "\n",
            cli_stats_number(s, "store.bytes"));
    print_row(cli, "durability", cli_stats_text(s, "store.durability"));
    print_row(cli, "trust", cli_stats_text(s, "store.trust"));
    print_clock(cli, s);
    print_row(cli, "sync",
              cli_stats_number(s, "sync.running") ? "running" : "not running");
    for (size_t i = 0; i < cli_stats_count(s, "sync.listen"); i++) {
        print_row(cli, "listening", cli_stats_text(s, "sync.listen.%zu", i));
    }
}

static void print_collections(struct cli *cli, const struct cli_stats *s)
{
    size_t count = cli_stats_count(s, "collections");

    heading(cli, "collections");
    for (size_t i = 0; i < count; i++) {
        fputs("  ", cli->out);
        print_padded(cli, cli_stats_text(s, "collections.%zu.name", i), 24);
        fprintf(cli->out, "%10" PRId64 " documents %8" PRId64 " tombstones\n",
                cli_stats_number(s, "collections.%zu.documents", i),
                cli_stats_number(s, "collections.%zu.tombstones", i));
    }
}

static void print_trouble(struct cli *cli, const struct cli_stats *s)
{
    int64_t rows = cli_stats_number(s, "conflicts.rows");
    int64_t dropped = cli_stats_number(s, "conflicts.dropped");
    int64_t too_large = cli_stats_number(s, "flagged.too_large");
    int64_t clamped = cli_stats_number(s, "flagged.clamped");
    int64_t owed = cli_stats_number(s, "owed");
    int64_t waiting = cli_stats_number(s, "retention.waiting");

    if (rows + dropped + too_large + clamped + owed + waiting == 0) {
        return;
    }
    heading(cli, "to be looked at");
    if (rows + dropped) {
        fprintf(cli->out, "  %-24s%10" PRId64 " rows, %" PRId64 " gone unread\n",
                "system:conflicts", rows, dropped);
    }
    if (too_large + clamped) {
        fprintf(cli->out, "  %-24s%10" PRId64 " too large, %" PRId64 " beyond int64\n",
                "system:flagged", too_large, clamped);
    }
    if (owed) {
        fprintf(cli->out, "  %-24s%10" PRId64 " could not be applied yet\n",
                "system:owed", owed);
    }
    if (waiting) {
        fprintf(cli->out, "  %-24s%10" PRId64 " should go and no keeper has them yet\n",
                "retention", waiting);
    }
}

static void print_peer(struct cli *cli, const struct cli_stats *s, size_t i)
{
    bool is_up = cli_stats_number(s, "peers.%zu.connected", i) != 0;
    int64_t ahead = cli_stats_number(s, "peers.%zu.clock_ahead_ms", i);

    fprintf(cli->out, "  %s%s%s ", cli_out_colour(cli, is_up ? CLI_GREEN : CLI_YELLOW),
            is_up ? "up  " : "down", cli_out_colour(cli, CLI_PLAIN));
    print_padded(cli, cli_stats_text(s, "peers.%zu.name", i), 16);
    fprintf(cli->out,
            "%s  has %" PRId64 " of %" PRId64 ", sent %" PRId64 " docs (%" PRId64
            " bytes, %" PRId64 " on the wire), got %" PRId64 " docs (%" PRId64
            " bytes, %" PRId64 " on the wire) ",
            cli_stats_text(s, "peers.%zu.peer", i),
            cli_stats_number(s, "peers.%zu.acked", i), cli_stats_number(s, "store.seq"),
            cli_stats_number(s, "peers.%zu.docs_out", i),
            cli_stats_number(s, "peers.%zu.payload_out", i),
            cli_stats_number(s, "peers.%zu.wire_out", i),
            cli_stats_number(s, "peers.%zu.docs_in", i),
            cli_stats_number(s, "peers.%zu.payload_in", i),
            cli_stats_number(s, "peers.%zu.wire_in", i));
    if (ahead > CLOCK_AHEAD_MS || ahead < -CLOCK_AHEAD_MS) {
        print_span(cli, (uint64_t)(ahead < 0 ? -ahead : ahead));
        fprintf(cli->out, " %s the clock here ", ahead < 0 ? "behind" : "ahead of");
    }
    print_error(cli, cli_stats_text(s, "peers.%zu.error", i));
    putc('\n', cli->out);
}

static void print_link(struct cli *cli, const struct cli_stats *s, size_t i)
{
    fputs("  ", cli->out);
    print_padded(cli, cli_stats_text(s, "links.%zu.address", i), 28);
    fprintf(cli->out, "%s, ",
            cli_stats_number(s, "links.%zu.dialled", i) ? "dialled" : "accepted");
    print_padded(cli, cli_stats_text(s, "links.%zu.state", i), 10);
    fprintf(cli->out, "%" PRId64 " out, %" PRId64 " in on the wire ",
            cli_stats_number(s, "links.%zu.wire_out", i),
            cli_stats_number(s, "links.%zu.wire_in", i));
    print_error(cli, cli_stats_text(s, "links.%zu.error", i));
    putc('\n', cli->out);
}

static void print_subscription(struct cli *cli, const struct cli_stats *s, size_t i)
{
    fputs("  ", cli->out);
    print_padded(cli, cli_stats_text(s, "subscriptions.%zu.statement", i), 40);
    if (cli_stats_number(s, "subscriptions.%zu.up_to_date", i)) {
        fputs("up to date\n", cli->out);
    } else {
        fprintf(cli->out, "syncing, %" PRId64 " of %" PRId64 "\n",
                cli_stats_number(s, "subscriptions.%zu.have", i),
                cli_stats_number(s, "subscriptions.%zu.expected", i));
    }
}

static void print_each(struct cli *cli,
                       const struct cli_stats *s,
                       const char *what,
                       void (*print)(struct cli *, const struct cli_stats *, size_t))
{
    size_t count = cli_stats_count(s, what);

    if (count > 0) {
        heading(cli, what);
    }
    for (size_t i = 0; i < count; i++) {
        print(cli, s, i);
    }
}

/* What apps beside the store say of themselves: a name and plain values below it. */
static void print_app(struct cli *cli, const bson_iter_t *app)
{
    bson_iter_t value;

    fputs("  ", cli->out);
    print_padded(cli, bson_iter_key(app), 12);
    if (!BSON_ITER_HOLDS_DOCUMENT(app) || !bson_iter_recurse(app, &value)) {
        putc('\n', cli->out);
        return;
    }
    for (const char *gap = ""; bson_iter_next(&value); gap = ", ") {
        bson_t one = BSON_INITIALIZER;
        char *json;

        bson_append_iter(&one, "v", 1, &value);
        json = bson_as_relaxed_extended_json(&one, NULL);
        /* { "v" : VALUE } */
        fprintf(cli->out, "%s%s ", gap, bson_iter_key(&value));
        if (json && strlen(json) > 10) {
            cli_print_text(cli->out, (struct liana_str){json + 8, strlen(json) - 10});
        }
        bson_free(json);
        bson_destroy(&one);
    }
    putc('\n', cli->out);
}

static void print_apps(struct cli *cli, const struct cli_stats *s)
{
    bson_iter_t it;
    bson_iter_t app;

    if (bson_iter_init_find(&it, &s->document, "apps") &&
        BSON_ITER_HOLDS_DOCUMENT(&it) && bson_iter_recurse(&it, &app) &&
        bson_iter_next(&app)) {
        heading(cli, "apps");
        do {
            print_app(cli, &app);
        } while (bson_iter_next(&app));
    }
}

static int print_once(struct cli *cli, liana_db *db)
{
    struct liana_error err = LIANA_ERROR_INIT;
    struct cli_stats stats;

    if (cli_stats_read(db, &stats, &err)) {
        return cli_fail(cli, &err);
    }
    if (cli->json) {
        cli_print_bson(cli, &stats.document);
    } else {
        print_store(cli, &stats);
        print_collections(cli, &stats);
        print_trouble(cli, &stats);
        print_each(cli, &stats, "peers", print_peer);
        print_each(cli, &stats, "links", print_link);
        print_each(cli, &stats, "subscriptions", print_subscription);
        print_apps(cli, &stats);
    }
    cli_stats_free(&stats);
    fflush(cli->out);
    return CLI_OK;
}

static int run(struct cli *cli, const struct cli_args *args)
{
    struct liana_error err = LIANA_ERROR_INIT;
    liana_db *db;
    int rc;

    if (cli_use(cli_operand(args, 0), NULL, &db, &err)) {
        return cli_fail(cli, &err);
    }
    rc = print_once(cli, db);
    while (rc == CLI_OK && cli_given(args, "watch") && cli_out_takes_more(cli)) {
        cli_wait(-1, (int)cli_number(args, "watch") * 1000);
        if (cli_stop_wanted()) {
            break;
        }
        rc = print_once(cli, db);
    }
    return cli_close(cli, db, rc);
}

const struct cli_cmd cli_cmd_status = {
    .name = "status",
    .summary = "show a store, its peers and how far they are",
    .operands = "STORE",
    .operands_min = 1,
    .operands_max = 1,
    .options = options,
    .run = run,
    .help = "Of a running store it shows peers, links and subscriptions; of one that "
            "nobody holds, what is in it. 'has N of M': the peer holds durably what it "
            "wants of our commits up to N; M is the newest. Bytes on "
            "the wire are those of the transport, TLS among them; the others are "
            "documents before they are compressed. What merges have left to people "
            "is counted, and read with `SELECT * FROM system:conflicts` and its "
            "like.",
};
