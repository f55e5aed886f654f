/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/connector.h"

#include <dlfcn.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/error.h"
#include "cli/event.h"
#include "cli/output.h"
#include "cli/use.h"

#define COLLECTIONS_MAX 256

/* ---- the module ---- */

liana_status cli_connector_load(struct cli *cli,
                                struct cli_connector *out,
                                struct liana_error *err)
{
    const struct lia_mongo_module *module;
    void *handle;

    /* libmongoc keeps counters in shared memory named after the process id; what a killed
     * process of the same id left there makes it complain. Nobody reads them here. */
    setenv("MONGOC_DISABLE_SHM", "1", 0);
    handle = dlopen(LIA_MONGO_MODULE_FILE, RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        return cli_err(err, LIANA_ENOTFOUND, "the MongoDB connector: %s", dlerror());
    }
    module = dlsym(handle, LIA_MONGO_MODULE_NAME);
    if (!module || module->version != LIA_MONGO_MODULE_VERSION) {
        return cli_err(err, LIANA_EVERSION, "%s is not of liana %s",
                       LIA_MONGO_MODULE_FILE, liana_version());
    }
    *out = (struct cli_connector){.module = module, .cli = cli, .told = -1};
    return LIANA_OK;
}

/* ---- the connector ---- */

/* On the connector's thread: one call, one line. */
static void log_line(void *ctx, int32_t level, const char *part, const char *text)
{
    struct cli *cli = ctx;

    if (level <= LIANA_LOG_INFO) {
        flockfile(cli->err);
        cli_print_text(cli->err, cli_str(part));
        fputs(": ", cli->err);
        cli_print_text(cli->err, cli_str(text));
        putc('\n', cli->err);
        funlockfile(cli->err);
    }
}

liana_status cli_connector_start(struct cli_connector *c,
                                 const struct cli_args *args,
                                 liana_db *db,
                                 const char *uri,
                                 struct liana_error *err)
{
    struct liana_str collections[COLLECTIONS_MAX];
    struct lia_mongo_options options = {.uri = cli_str(uri),
                                        .database =
                                            cli_str(cli_text(args, "mongo-database")),
                                        .name = cli_str(cli_text(args, "mongo-name")),
                                        .collections = collections,
                                        .settle = cli_flag(args, "mongo-settle"),
                                        .log = c->cli->quiet ? NULL : log_line,
                                        .log_ctx = c->cli};
    const char *name;

    while (options.collection_count < COLLECTIONS_MAX &&
           (name = cli_list_at(args, "collection", options.collection_count))) {
        collections[options.collection_count++] = cli_str(name);
    }
    if (cli_list_at(args, "collection", COLLECTIONS_MAX)) {
        return cli_err(err, LIANA_ELIMIT, "--collection: more than %d",
                       COLLECTIONS_MAX);
    }
    return c->module->start(db, &options, &c->mongo, err);
}

void cli_connector_tell(struct cli_connector *c)
{
    struct lia_mongo_status status;
    const char *state;

    c->module->status(c->mongo, &status);
    if ((int)status.state == c->told) {
        return;
    }
    c->told = (int)status.state;
    state = c->module->state_name(status.state);
    cli_event(c->cli, "mongo",
              BCON_NEW("state", BCON_UTF8(state), "position",
                       BCON_INT64((int64_t)status.position), "dead",
                       BCON_INT64((int64_t)status.dead), "text",
                       BCON_UTF8(status.error.message)),
              "MongoDB: %s, position %" PRIu64 "%s%s", state, status.position,
              status.error.message[0] ? ": " : "", status.error.message);
}

void cli_connector_stop(struct cli_connector *c)
{
    if (c->mongo) {
        c->cli->leaves_thread = !c->module->stop(c->mongo);
        c->mongo = NULL;
    }
    if (c->cli->leaves_thread) {
        cli_note(c->cli, "MongoDB does not answer; what it has not acknowledged is "
                         "written again next time");
    }
}

void cli_connector_end(struct cli_connector *c)
{
    if (c->module) {
        if (!c->cli->leaves_thread) {
            c->module->library_end();
        }
        c->module = NULL;
    }
}
