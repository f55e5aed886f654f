/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cmds.h"
#include "cli/connector.h"
#include "cli/demo/folder.h"
#include "cli/demo/make.h"
#include "cli/demo/measure.h"
#include "cli/demo/random.h"
#include "cli/demo/world.h"
#include "cli/signals.h"
#include "cli/use.h"

#define INVOICES_MIN 30

/* When things happen, as the share of the invoices that are sold. */
enum {
    CUT_AT = 30,     /* the link to the hub is cut */
    KILL_UNTIL = 45, /* till 2 is killed somewhere between */
    DOWN_UNTIL = 60, /* till 2 is started again */
    JOIN_AT = 95     /* the link comes back */
};

/* What must have happened, per thousand of the invoices: 200 and 20 of 905. */
enum { CUT_PERMILLE = 220, DOWN_PERMILLE = 22 };

struct demo {
    struct cli *cli;
    const struct cli_args *args;
    struct world world;
    struct cli_connector connector;
    char folder[4096];
    char data[4200];
    uint64_t seed;
    bool without_mongodb; /* asked for */
    bool lacks_mongodb;   /* it could not be had */
    size_t percent;       /* that tills may sell now */

    size_t sold_at_cut;
    size_t sold_at_kill;
    size_t sold_at_return;
    size_t sold_at_join;
    uint64_t recovered;
    uint64_t rest_ms;
    struct link_cost before_kill;
};

/* ---- what a person sees ---- */

static void say(struct demo *d, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(struct demo *d, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vfprintf(d->cli->out, format, args);
    va_end(args);
    putc('\n', d->cli->out);
    fflush(d->cli->out);
}

/* ---- before ---- */

static char *find_tool(struct demo *d, const char *name)
{
    char here[4096];
    char *found = demo_find_above(d->cli->program, name);

    return found || !getcwd(here, sizeof(here)) ? found : demo_find_above(here, name);
}

static bool make_folder(struct demo *d)
{
    const char *base = getenv("TMPDIR");
    const char *given = cli_text(d->args, "folder");
    struct world *w = &d->world;

    if (given) {
        snprintf(d->folder, sizeof(d->folder), "%s", given);
        if (mkdir(given, 0700) && errno != EEXIST) {
            return world_fail(w, LIANA_EIO, "%s: %s", given, strerror(errno));
        }
        return true;
    }
    snprintf(d->folder, sizeof(d->folder), "%s/liana-retail-XXXXXX",
             base && *base ? base : "/tmp");
    return mkdtemp(d->folder) ||
           world_fail(w, LIANA_EIO, "%s: %s", d->folder, strerror(errno));
}

static bool make_data(struct demo *d)
{
    const char *given = cli_text(d->args, "data");
    size_t invoices = (size_t)cli_number(d->args, "invoices");
    FILE *file;
    bool ok;

    if (given) {
        char *real = demo_real_path(given);

        snprintf(d->data, sizeof(d->data), "%s", real ? real : given);
        free(real);
        return true;
    }
    snprintf(d->data, sizeof(d->data), "%s/lines.csv", d->folder);
    file = fopen(d->data, "w");
    if (file) {
        demo_make_lines(file, d->seed, invoices);
    }
    ok = file && fclose(file) == 0;
    return ok || world_fail(&d->world, LIANA_EIO, "%s: %s", d->data, strerror(errno));
}

/* ---- MongoDB ---- */

static struct lia_mongo_options mongodb_options(struct demo *d,
                                                struct liana_str collections[2])
{
    collections[0] = LIANA_STR("sales");
    collections[1] = LIANA_STR("stock");
    return (struct lia_mongo_options){.uri = cli_str(d->world.mongodb_uri),
                                      .database = cli_str(cli_text(d->args, "db")),
                                      .collections = collections,
                                      .collection_count = 2,
                                      .selection_timeout_ms = 10000};
}

/* Something of somebody's may be there: not a byte of it is touched unasked. */
static bool check_database(struct demo *d)
{
    struct liana_str collections[2];
    struct lia_mongo_options options = mongodb_options(d, collections);
    bool used = false;

    if (cli_connector_load(d->cli, &d->connector, &d->world.err) ||
        d->connector.module->look(&options, cli_flag(d->args, "drop"), &used,
                                  &d->world.err)) {
        return false;
    }
    return !used || world_fail(&d->world, LIANA_EEXISTS,
                               "MongoDB database %s has `sales` or `stock` already: "
                               "--drop drops them, --db=NAME takes another database",
                               cli_text(d->args, "db"));
}

static void do_without_mongodb(struct demo *d, const char *why)
{
    d->lacks_mongodb = true;
    d->world.mongodb_uri[0] = '\0';
    demo_child_stop(&d->world.mongodb);
    say(d, "WITHOUT MONGODB: %s", why);
    say(d, "  to have it: set MONGODB_URI, or let tools/setup make build/venv; "
           "--no-mongodb asks for none");
}

static bool start_mongodb(struct demo *d)
{
    struct world *w = &d->world;
    char *program;
    bool ok;

    if (d->without_mongodb) {
        say(d, "without MongoDB, as asked");
        return true;
    }
    if (!w->mongodb_uri[0]) {
        program = find_tool(d, "build/venv/bin/secantusd-py");
        if (!program) {
            do_without_mongodb(d, "MONGODB_URI is not set and there is no "
                                  "build/venv/bin/secantusd-py");
            return true;
        }
        ok = world_start_mongodb(w, program);
        free(program);
        if (!ok && w->err.status != LIANA_ECANCELED) {
            do_without_mongodb(d, w->err.message);
            w->err = (struct liana_error)LIANA_ERROR_INIT;
            return true;
        }
        if (!ok) {
            return false;
        }
    }
    ok = check_database(d);
    if (!ok && (w->err.status == LIANA_EUNREACHABLE || !d->connector.module)) {
        do_without_mongodb(d, w->err.message);
        w->err = (struct liana_error)LIANA_ERROR_INIT;
        return true;
    }
    if (ok) {
        say(d, "MongoDB at %s, database %s", w->mongodb_uri, cli_text(d->args, "db"));
    }
    return ok;
}

/* ---- the shop opens ---- */

static bool start_all(struct demo *d)
{
    struct world *w = &d->world;
    static const enum world_place order[] = {OFFICE, TILL_3, TILL_2, TILL_1};

    if (!world_start(w, HUB) || !world_start_relay(w)) {
        return false;
    }
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        if (!world_start(w, order[i])) {
            return false;
        }
    }
    for (int i = 0; i < PLACES; i++) {
        if (!world_attach(w, (enum world_place)i)) {
            return false;
        }
    }
    say(d, "five processes: till 1 - till 2 - till 3 - back office - (relay) - hub%s",
        w->mongodb_uri[0] ? " - MongoDB" : "");
    return true;
}

static liana_status insert_items(struct demo *d,
                                 liana_txn *txn,
                                 struct liana_error *err)
{
    struct world *w = &d->world;
    liana_status status = LIANA_OK;

    for (size_t i = 0; i < w->retail.item_count && !status; i++) {
        bson_t *item = demo_stock_item(&w->retail.items[i], w->options.start);
        bson_t *params = bson_new();

        BSON_APPEND_DOCUMENT(params, "item", item);
        status = liana_txn_execute(
            txn, LIANA_STR("INSERT INTO stock DOCUMENTS (:item)"),
            (struct liana_slice){bson_get_data(params), params->len}, NULL, err);
        bson_destroy(params);
        bson_destroy(item);
    }
    return status;
}

static bool insert_catalogue(struct demo *d)
{
    struct world *w = &d->world;
    liana_txn *txn;
    liana_status status = liana_begin(w->stores[OFFICE].db, NULL, &txn, &w->err);

    if (status) {
        return false;
    }
    status = insert_items(d, txn, &w->err);
    if (status) {
        liana_rollback(txn);
    } else {
        status = liana_commit(txn, NULL, &w->err);
    }
    if (!status) {
        say(d, "the back office has inserted the catalogue: %zu items",
            w->retail.item_count);
    }
    return !status;
}

static bool have_catalogue(struct world *w)
{
    return w->stores[TILL_1].has_catalogue && w->stores[TILL_2].has_catalogue &&
           w->stores[TILL_3].has_catalogue;
}

/* ---- selling ---- */

static size_t
    selling_percent; /* of world_wait's question, which takes the world alone */

static bool has_sold(struct world *w, enum world_place till)
{
    return w->stores[till].sold >= world_share(w, till, selling_percent);
}

static bool have_all_sold(struct world *w)
{
    return has_sold(w, TILL_1) && has_sold(w, TILL_2) && has_sold(w, TILL_3);
}

static bool have_others_sold(struct world *w)
{
    return has_sold(w, TILL_1) && has_sold(w, TILL_3);
}

static bool stands_till_2(struct world *w)
{
    return have_others_sold(w) && w->stores[TILL_2].is_paused;
}

static bool sell(struct demo *d, size_t percent, bool (*is_so)(struct world *w))
{
    selling_percent = percent;
    world_allow(&d->world, TILL_1, percent);
    world_allow(&d->world, TILL_3, percent);
    if (is_so != have_others_sold) {
        world_allow(&d->world, TILL_2, percent);
    }
    return world_wait(&d->world, is_so, "the tills do not sell");
}

static void say_sold(struct demo *d)
{
    say(d, "sold: %zu of %zu invoices", world_sold(&d->world),
        d->world.retail.invoice_count);
}

/* ---- what goes wrong ---- */

static bool cut_link(struct demo *d)
{
    struct world *w = &d->world;

    d->sold_at_cut = world_sold(w);
    demo_relay_cut(w->relay);
    say(d, "CUT: back office - hub, with %zu of %zu invoices unsold",
        w->retail.invoice_count - d->sold_at_cut, w->retail.invoice_count);
    return true;
}

static bool kill_till_2(struct demo *d)
{
    struct world *w = &d->world;
    struct world_store *s = &w->stores[TILL_2];

    if (!measure_link(w, TILL_2, &d->before_kill)) {
        return false;
    }
    world_detach(w, TILL_2);
    demo_child_signal(&s->child, SIGKILL);
    demo_child_wait(&s->child, 10000);
    demo_child_stop(&s->child);
    d->sold_at_kill = world_sold(w);
    say(d, "SIGKILL: till 2, inside its sale %" PRId64 " behind line %" PRId64,
        w->options.pause_at + 1, w->options.pause_in);
    return true;
}

static bool has_recovered(struct world *w)
{
    uint64_t sales = 0;

    return w->stores[TILL_2].has_catalogue &&
           measure_documents(w, TILL_2, "sales", &sales) && sales >= world_sold(w);
}

static bool start_till_2_again(struct demo *d)
{
    struct world *w = &d->world;

    d->sold_at_return = world_sold(w);
    w->options.pause_at = -1;
    if (!world_start(w, TILL_2) || !world_attach(w, TILL_2) ||
        !world_wait(w, has_recovered, "till 2 does not catch up") ||
        !measure_taken(w, TILL_2, &d->recovered)) {
        return false;
    }
    say(d, "till 2 is back and has recovered %" PRIu64 " changes", d->recovered);
    return true;
}

static bool join_link(struct demo *d)
{
    struct world *w = &d->world;

    d->sold_at_join = world_sold(w);
    demo_relay_join(w->relay);
    say(d, "the link back office - hub is back");
    return true;
}

/* ---- the story ---- */

static bool run_story(struct demo *d)
{
    struct world *w = &d->world;
    uint64_t joined;

    if (!start_all(d) || !insert_catalogue(d) ||
        !world_wait(w, have_catalogue, "the tills do not get the catalogue")) {
        return false;
    }
    say(d, "every till holds the catalogue: selling");
    if (!sell(d, CUT_AT, have_all_sold) || !cut_link(d) ||
        !sell(d, KILL_UNTIL, stands_till_2) || !kill_till_2(d) ||
        !sell(d, DOWN_UNTIL, have_others_sold)) {
        return false;
    }
    say_sold(d);
    if (!start_till_2_again(d) || !sell(d, JOIN_AT, have_all_sold)) {
        return false;
    }
    say_sold(d);
    joined = cli_now_ms();
    if (!join_link(d) || !sell(d, 100, have_all_sold)) {
        return false;
    }
    say_sold(d);
    if (!measure_rest(w)) {
        return false;
    }
    d->rest_ms = cli_now_ms() - joined;
    say(d, "five stores%s are at rest", w->mongodb_uri[0] ? " and MongoDB" : "");
    return true;
}

/* ---- afterwards ---- */

static bool write_description(struct demo *d)
{
    struct world *w = &d->world;
    bson_t *run =
        BCON_NEW("data", BCON_UTF8(d->data), "start", BCON_INT64(w->options.start),
                 "liana", BCON_UTF8(d->cli->program));
    char path[4200];
    char *json;
    bson_t stores;
    bson_t inner;
    FILE *file;
    bool ok;

    BSON_APPEND_ARRAY_BEGIN(run, "stores", &stores);
    for (uint32_t i = 0; i < PLACES; i++) {
        char name[12];
        const char *folder = strrchr(w->stores[i].path, '/') + 1;

        snprintf(name, sizeof(name), "%u", i);
        BSON_APPEND_DOCUMENT_BEGIN(&stores, name, &inner);
        BSON_APPEND_UTF8(&inner, "name", w->stores[i].name);
        BSON_APPEND_UTF8(&inner, "path", folder);
        bson_append_document_end(&stores, &inner);
    }
    bson_append_array_end(run, &stores);
    if (w->mongodb_uri[0]) {
        BSON_APPEND_DOCUMENT_BEGIN(run, "mongodb", &inner);
        BSON_APPEND_UTF8(&inner, "uri", w->mongodb_uri);
        BSON_APPEND_UTF8(&inner, "database", cli_text(d->args, "db"));
        bson_append_document_end(run, &inner);
    } else {
        BSON_APPEND_NULL(run, "mongodb");
    }
    snprintf(path, sizeof(path), "%s/run.json", d->folder);
    json = bson_as_relaxed_extended_json(run, NULL);
    file = fopen(path, "w");
    ok = file && fprintf(file, "%s\n", json) > 0;
    ok = file && fclose(file) == 0 && ok;
    bson_free(json);
    bson_destroy(run);
    return ok || world_fail(w, LIANA_EIO, "%s: %s", path, strerror(errno));
}

static bool verify(struct demo *d)
{
    struct world *w = &d->world;
    char *tool = find_tool(d, "tools/verify_retail.py");
    const char *argv[] = {"/usr/bin/env", "python3", tool, d->folder, NULL};
    struct demo_child_options options = {.name = "verify_retail.py",
                                         .argv = argv,
                                         .log_path = "/dev/null",
                                         .is_merged = true};
    struct demo_child child;
    const char *line;
    bool ok;

    if (!tool) {
        return world_fail(w, LIANA_ENOTFOUND, "tools/verify_retail.py is not there");
    }
    if (demo_child_start(&child, &options, &w->err)) {
        free(tool);
        return false;
    }
    say(d, " ");
    while (!demo_child_has_ended(&child) && world_pump(w, 50)) {
        while ((line = demo_child_line(&child))) {
            say(d, "%s", line);
        }
    }
    while ((line = demo_child_line(&child))) {
        say(d, "%s", line);
    }
    ok = child.pid == 0 && child.status == 0;
    demo_child_stop(&child);
    free(tool);
    return ok || world_fail(w, LIANA_ECORRUPT, "the stores are not what they must be");
}

static bool check_story(struct demo *d)
{
    size_t all = d->world.retail.invoice_count;
    size_t while_cut = d->sold_at_join - d->sold_at_cut;
    size_t while_down = d->sold_at_return - d->sold_at_kill;

    say(d, "\ninvoices committed while the link was cut: %zu of %zu", while_cut, all);
    say(d, "invoices committed while till 2 was down:  %zu", while_down);
    say(d, "changes that till 2 recovered:             %" PRIu64, d->recovered);
    if ((all - d->sold_at_cut) * 4 < all || while_cut * 1000 < all * CUT_PERMILLE ||
        while_down * 1000 < all * DOWN_PERMILLE || d->recovered < while_down) {
        return world_fail(
            &d->world, LIANA_EINTERNAL,
            "too little happened while the link was cut or till 2 was down");
    }
    return true;
}

static void stay(struct demo *d)
{
    say(d, "\nEverything is left running. In %s:", d->folder);
    say(d, "  tools/verify_retail.py %s", d->folder);
    say(d, "  %s status %s", d->cli->program, d->world.stores[HUB].path);
    say(d, "^C ends it; the folder stays.");
    while (!cli_stop_wanted() && world_pump(&d->world, 1000)) {
    }
    d->world.err = (struct liana_error)LIANA_ERROR_INIT;
}

static bool prepare(struct demo *d)
{
    struct world *w = &d->world;
    struct demo_random random = {d->seed};
    struct world_options options = {.folder = d->folder,
                                    .data = d->data,
                                    .mongodb_uri = getenv("MONGODB_URI"),
                                    .mongodb_database = cli_text(d->args, "db"),
                                    .start = cli_number(d->args, "start")};
    size_t low;
    size_t high;

    if (!make_folder(d) || !make_data(d)) {
        return false;
    }
    if (d->without_mongodb) {
        options.mongodb_uri = NULL;
    }
    if (!world_begin(w, d->cli, &options)) {
        return false;
    }
    if (w->retail.invoice_count < INVOICES_MIN) {
        return world_fail(w, LIANA_EINVAL, "%s has %zu invoices; the demo needs %d",
                          d->data, w->retail.invoice_count, INVOICES_MIN);
    }
    low = world_share(w, TILL_2, CUT_AT);
    high = world_share(w, TILL_2, KILL_UNTIL);
    w->options.pause_at = (int64_t)(low + demo_random_below(&random, high - low));
    /* Invoice i of till 2 is number 3 i + 1 of all. */
    w->options.pause_in = (int64_t)demo_random_below(
        &random,
        w->retail.invoices[(size_t)w->options.pause_at * DEMO_TILLS + 1].line_count);
    say(d, "liana demo retail: seed %" PRIu64 " (--seed=%" PRIu64 " repeats it)",
        d->seed, d->seed);
    say(d, "%s: %zu invoices, %zu lines, %zu items; stores in %s", d->data,
        w->retail.invoice_count, w->retail.line_count, w->retail.item_count, d->folder);
    return true;
}

static int result_of(struct demo *d, bool ok)
{
    if (ok) {
        return d->lacks_mongodb ? CLI_PARTLY : CLI_OK;
    }
    if (cli_stop_wanted()) {
        say(d, "stopped");
        return CLI_STOPPED;
    }
    cli_fail(d->cli, &d->world.err);
    return d->world.err.status == LIANA_EEXISTS ? CLI_NOT_FOUND : CLI_FAILED;
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
    uint64_t started = cli_now_ms();
    bool ok;
    int rc;

    if (strcmp(cli_operand(args, 0), "retail") != 0) {
        return cli_error(cli, LIANA_EINVAL, "there is no demo '%s', only 'retail'",
                         cli_operand(args, 0));
    }
    d.cli = cli;
    d.args = args;
    d.seed = cli_given(args, "seed") ? (uint64_t)cli_number(args, "seed") : new_seed();
    d.without_mongodb = cli_flag(args, "no-mongodb");
    ok = prepare(&d) && start_mongodb(&d) && run_story(&d) && write_description(&d) &&
         measure_print(&d.world, &d.before_kill, d.rest_ms) && check_story(&d) &&
         verify(&d);
    rc = result_of(&d, ok);
    if (ok) {
        say(&d, "%sall of it holds%s, after %.1f s", cli_out_colour(cli, CLI_GREEN),
            cli_out_colour(cli, CLI_PLAIN), (double)(cli_now_ms() - started) / 1000);
    }
    if (ok && cli_flag(args, "keep")) {
        stay(&d);
    }
    world_end(&d.world);
    if (ok && !cli_flag(args, "keep") && !cli_text(args, "folder")) {
        demo_remove_folder(d.folder);
    } else if (d.folder[0]) {
        say(&d, "logs and stores are in %s", d.folder);
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
     .min = INVOICES_MIN,
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
        "Three tills sell; a back office and a hub follow; every sale reaches MongoDB\n"
        "through the others. Meanwhile the link to the hub is cut, and till 2 is "
        "killed\n"
        "with SIGKILL inside a transaction and started again. At the end every store "
        "and\n"
        "MongoDB are compared with what the sales lines say (tools/verify_retail.py).\n"
        "\n"
        "MongoDB is the server at $MONGODB_URI, else a test server from build/venv. "
        "When\n"
        "neither can be had the rest is done and the exit code is 3.\n",
};
