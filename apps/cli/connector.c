/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/connector.h"

#include <inttypes.h>
#include <string.h>

#include "cli/event.h"
#include "cli/use.h"

#define COLLECTIONS_MAX 256

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

liana_status cli_connector_start(struct cli *cli,
                                 const struct cli_args *args,
                                 liana_db *db,
                                 const char *uri,
                                 struct lia_mongo **out,
                                 struct liana_error *err)
{
    struct liana_str collections[COLLECTIONS_MAX];
    struct lia_mongo_options options = {.uri = cli_str(uri),
                                        .database =
                                            cli_str(cli_text(args, "mongo-database")),
                                        .name = cli_str(cli_text(args, "mongo-name")),
                                        .collections = collections,
                                        .log = cli->quiet ? NULL : log_line,
                                        .log_ctx = cli};
    const char *name;

    while (options.collection_count < COLLECTIONS_MAX &&
           (name = cli_list_at(args, "collection", options.collection_count))) {
        collections[options.collection_count++] = cli_str(name);
    }
    return lia_mongo_start(db, &options, out, err);
}

void cli_connector_tell(struct cli *cli, struct lia_mongo *mongo, int *before)
{
    struct lia_mongo_status status;
    const char *state;

    lia_mongo_status(mongo, &status);
    if ((int)status.state == *before) {
        return;
    }
    *before = (int)status.state;
    state = lia_mongo_state_name(status.state);
    cli_event(cli, "mongo",
              BCON_NEW("state", BCON_UTF8(state), "position",
                       BCON_INT64((int64_t)status.position), "dead",
                       BCON_INT64((int64_t)status.dead), "text",
                       BCON_UTF8(status.error.message)),
              "MongoDB: %s, position %" PRIu64 "%s%s", state, status.position,
              status.error.message[0] ? ": " : "", status.error.message);
}
