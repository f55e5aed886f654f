/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/demo/demo.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/demo/folder.h"
#include "cli/demo/make.h"
#include "cli/demo/random.h"
#include "cli/use.h"

/* ---- before ---- */

char *demo_find_tool(struct demo *d, const char *name)
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
            d->folder[0] = '\0';
            return world_fail(w, LIANA_EIO, "%s: %s", given, strerror(errno));
        }
        return true;
    }
    snprintf(d->folder, sizeof(d->folder), "%s/liana-retail-XXXXXX",
             base && *base ? base : "/tmp");
    if (!mkdtemp(d->folder)) {
        world_fail(w, LIANA_EIO, "%s: %s", d->folder, strerror(errno));
        d->folder[0] = '\0';
        return false;
    }
    return true;
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

/* Till 2 is to die inside one of its sales: half of the time between two statements, half
 * of the time while it commits, as far into that as a usual commit takes. */
static void choose_moment(struct demo *d)
{
    struct world *w = &d->world;
    struct demo_random random = {d->seed};
    size_t low = demo_target(w, TILL_2, DEMO_CUT_AT);
    size_t high = demo_target(w, TILL_2, DEMO_KILL_UNTIL);
    size_t own = low + demo_random_below(&random, high - low);
    /* Invoice i of till 2 is number 3 i + 1 of all. */
    size_t lines = w->retail.invoices[own * DEMO_TILLS + 1].line_count;
    bool in_commit = demo_random_chance(&random, 50);

    w->options.pause_at = (int64_t)own;
    w->options.pause_in =
        (int64_t)(in_commit ? lines : demo_random_below(&random, lines));
    d->kills_commit = in_commit;
    d->kill_permille = demo_random_below(&random, 1000);
    /* Rather early: what a commit waits for most is the disk, and its fate is sealed
     * before that. */
    d->kill_permille = d->kill_permille * d->kill_permille / 1000;
}

bool demo_prepare(struct demo *d)
{
    struct world *w = &d->world;
    struct world_options options = {.folder = d->folder,
                                    .data = d->data,
                                    .mongodb_uri = getenv("MONGODB_URI"),
                                    .mongodb_database = cli_text(d->args, "db"),
                                    .start = cli_number(d->args, "start")};
    const char *given = cli_text(d->args, "data");

    if (!*options.mongodb_database) {
        return world_fail(w, LIANA_EINVAL, "--db: a name is missing");
    }
    if (given && !*given) {
        return world_fail(w, LIANA_EINVAL, "--data: a name is missing");
    }
    if (!make_folder(d) || !make_data(d)) {
        return false;
    }
    if (d->without_mongodb) {
        options.mongodb_uri = NULL;
    }
    if (!world_begin(w, d->cli, &options)) {
        return false;
    }
    if (w->retail.invoice_count < DEMO_INVOICES_MIN) {
        return world_fail(w, LIANA_EINVAL, "%s has %zu invoices; the demo needs %d",
                          d->data, w->retail.invoice_count, DEMO_INVOICES_MIN);
    }
    choose_moment(d);
    demo_say(d, "liana demo retail: seed %" PRIu64 " (--seed=%" PRIu64 " repeats it)",
             d->seed, d->seed);
    demo_say(d, "%s: %zu invoices, %zu lines, %zu items; stores in %s", d->data,
             w->retail.invoice_count, w->retail.line_count, w->retail.item_count,
             d->folder);
    return true;
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
static bool check_unused(struct demo *d)
{
    struct liana_str collections[2];
    struct lia_mongo_options options = mongodb_options(d, collections);
    bool used = false;

    return !d->connector.module->look(&options, cli_flag(d->args, "drop"), &used,
                                      &d->world.err) &&
           (!used || world_fail(&d->world, LIANA_EEXISTS,
                                "MongoDB database %s has `sales` or `stock` already: "
                                "--drop drops them, --db=NAME takes another database",
                                cli_text(d->args, "db")));
}

static bool do_without_mongodb(struct demo *d)
{
    struct world *w = &d->world;

    d->lacks_mongodb = true;
    w->mongodb_uri[0] = '\0';
    demo_child_stop(&w->mongodb);
    demo_say(d, "WITHOUT MONGODB: %s", w->err.message);
    demo_say(d, "  to have it: set MONGODB_URI, or let tools/setup make build/venv; "
                "--no-mongodb asks for none");
    w->err = (struct liana_error)LIANA_ERROR_INIT;
    return true;
}

/* Where a URI leads, without a user's name and password. */
static const char *hosts_of(const char *uri)
{
    const char *hosts = strstr(uri, "://");
    const char *at;

    hosts = hosts ? hosts + 3 : uri;
    at = hosts + strcspn(hosts, "@/");
    return *at == '@' ? at + 1 : hosts;
}

static bool start_server(struct demo *d)
{
    struct world *w = &d->world;
    char *program;
    bool ok;

    if (w->mongodb_uri[0]) {
        return true;
    }
    program = demo_find_tool(d, "build/venv/bin/secantusd-py");
    if (!program) {
        return world_fail(w, LIANA_ENOTFOUND,
                          "MONGODB_URI is not set and there is no "
                          "build/venv/bin/secantusd-py");
    }
    ok = world_start_mongodb(w, program);
    free(program);
    return ok;
}

bool demo_start_mongodb(struct demo *d)
{
    struct world *w = &d->world;

    if (d->without_mongodb) {
        demo_say(d, "without MongoDB, as asked");
        return true;
    }
    if (cli_connector_load(d->cli, &d->connector, &w->err)) {
        return do_without_mongodb(d);
    }
    /* A name that no server takes is a mistake, and no lack of a server. */
    if (d->connector.module->check_database(cli_str(cli_text(d->args, "db")),
                                            &w->err)) {
        return false;
    }
    if (start_server(d) && check_unused(d)) {
        demo_say(d, "MongoDB at %s, database %s", hosts_of(w->mongodb_uri),
                 cli_text(d->args, "db"));
        return true;
    }
    return w->err.status != LIANA_EEXISTS && w->err.status != LIANA_ECANCELED &&
           do_without_mongodb(d);
}
