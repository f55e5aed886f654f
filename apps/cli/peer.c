/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/peer.h"

#include <string.h>
#include <strings.h>

#include "cli/error.h"
#include "cli/event.h"
#include "cli/quote.h"
#include "cli/signals.h"
#include "cli/stats.h"

#define ADDRESSES_MAX 64
#define DAY_MS        ((uint64_t)24 * 60 * 60 * 1000)

/* ---- starting ---- */

static liana_status check_links(const struct cli_args *args,
                                const struct cli_trust *trust,
                                struct liana_error *err)
{
    bool has_links = cli_given(args, "listen") || cli_given(args, "dial");

    return trust->mode == LIANA_TRUST_NONE && has_links
               ? cli_err(err, LIANA_EINVAL,
                         "--listen and --dial need --key-file=FILE (liana key makes "
                         "one), or --open")
               : LIANA_OK;
}

static liana_status open_store(const struct cli_args *args,
                               const char *path,
                               uint32_t flags,
                               liana_db **out,
                               struct liana_error *err)
{
    struct liana_open_options options = LIANA_OPEN_OPTIONS_INIT;
    struct cli_trust trust;
    liana_status status = cli_trust(args, &trust, err);

    if (!status) {
        status = check_links(args, &trust, err);
    }
    options.flags = LIANA_OPEN_SERVE | flags;
    if (cli_flag(args, "create")) {
        options.flags |= LIANA_OPEN_CREATE;
    }
    options.database = cli_str(cli_text(args, "database"));
    options.name = cli_str(cli_text(args, "name"));
    options.durability = strcmp(cli_text(args, "durability"), "normal") == 0
                             ? LIANA_DURABILITY_NORMAL
                             : LIANA_DURABILITY_FULL;
    options.tombstone_ttl_ms = (uint64_t)cli_number(args, "tombstone-ttl") * DAY_MS;
    options.conflicts_max = (uint32_t)cli_number(args, "conflicts-max");
    cli_trust_apply(&trust, &options);
    if (!status) {
        status = cli_open(path, &options, out, err);
    }
    cli_trust_wipe(&trust);
    return status;
}

static bool is_statement(const char *what)
{
    return strncasecmp(what, "SELECT", 6) == 0 && strchr(" \t\n", what[6]) && what[6];
}

/* It can stand in a statement as it is, unless it is one of the language's words. */
static bool is_plain(const char *name)
{
    return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_") ==
           strlen(name);
}

/* `sales` means all of it. A name is quoted if it must be, so that any name will do. */
static liana_status subscribe(liana_db *db, const char *what, struct liana_error *err)
{
    char *all;
    liana_status status = LIANA_ESYNTAX;
    uint64_t id;

    if (is_statement(what)) {
        return liana_subscribe(db, cli_str(what), LIANA_NONE, &id, err);
    }
    if (is_plain(what)) {
        all = bson_strdup_printf("SELECT * FROM %s", what);
        status = liana_subscribe(db, cli_str(all), LIANA_NONE, &id, NULL);
        bson_free(all);
    }
    if (status == LIANA_ESYNTAX) {
        all = cli_select_all(what);
        status = all ? liana_subscribe(db, cli_str(all), LIANA_NONE, &id, NULL)
                     : LIANA_ENOMEM;
        cli_free(all);
    }
    return status ? cli_err(err, status, "--subscribe=%s: %s", what,
                            liana_status_text(status))
                  : LIANA_OK;
}

static liana_status subscribe_all(const struct cli_args *args,
                                  liana_db *db,
                                  struct liana_error *err)
{
    const char *what;
    liana_status status = LIANA_OK;

    for (size_t i = 0; !status && (what = cli_list_at(args, "subscribe", i)); i++) {
        status = subscribe(db, what, err);
    }
    return status;
}

static liana_status collect(const struct cli_args *args,
                            const char *name,
                            struct liana_str out[static ADDRESSES_MAX],
                            size_t *out_count,
                            struct liana_error *err)
{
    const char *address;

    for (*out_count = 0; (address = cli_list_at(args, name, *out_count));
         (*out_count)++) {
        if (*out_count == ADDRESSES_MAX) {
            return cli_err(err, LIANA_ELIMIT, "--%s: more than %d", name,
                           ADDRESSES_MAX);
        }
        out[*out_count] = cli_str(address);
    }
    return LIANA_OK;
}

static liana_status start_sync(const struct cli_args *args,
                               liana_db *db,
                               struct liana_error *err)
{
    struct liana_sync_options options = LIANA_SYNC_OPTIONS_INIT;
    struct liana_str listen[ADDRESSES_MAX];
    struct liana_str dial[ADDRESSES_MAX];

    liana_status status = collect(args, "listen", listen, &options.listen_count, err);

    if (!status) {
        status = collect(args, "dial", dial, &options.dial_count, err);
    }
    if (status) {
        return status;
    }
    options.listen = listen;
    options.dial = dial;
    if (options.listen_count + options.dial_count == 0) {
        return LIANA_OK;
    }
    return liana_sync_start(db, &options, err);
}

static liana_status tell_start(struct cli_peer *peer,
                               const char *path,
                               struct liana_error *err)
{
    struct cli_stats stats;
    liana_status status = cli_stats_read(peer->db, &stats, err);
    size_t count;

    if (status) {
        return status;
    }
    count = cli_stats_count(&stats, "sync.listen");
    for (size_t i = 0; i < count; i++) {
        const char *address = cli_stats_text(&stats, "sync.listen.%zu", i);

        cli_event(peer->cli, "listening", BCON_NEW("address", BCON_UTF8(address)),
                  "listening on %s", address);
    }
    cli_event(peer->cli, "ready",
              BCON_NEW("store", BCON_UTF8(path), "peer",
                       BCON_UTF8(cli_stats_text(&stats, "store.peer"))),
              "%s is peer %s", path, cli_stats_text(&stats, "store.peer"));
    cli_stats_free(&stats);
    return LIANA_OK;
}

liana_status cli_peer_start(struct cli *cli,
                            const struct cli_args *args,
                            const char *path,
                            uint32_t flags,
                            struct cli_peer *out,
                            struct liana_error *err)
{
    struct cli_peer peer = {.cli = cli};
    liana_status status = open_store(args, path, flags, &peer.db, err);

    if (status) {
        return status;
    }
    status = liana_fd(peer.db, &peer.event_fd, err);
    if (!status) {
        status = subscribe_all(args, peer.db, err);
    }
    if (!status) {
        status = start_sync(args, peer.db, err);
    }
    if (!status) {
        status = tell_start(&peer, path, err);
    }
    if (status) {
        liana_close(peer.db, NULL);
        return status;
    }
    *out = peer;
    return LIANA_OK;
}

/* ---- events ---- */

static bson_t *event_fields(const struct liana_event *event)
{
    bson_t *fields = bson_new();

    if (event->peer[0]) {
        BSON_APPEND_UTF8(fields, "peer", event->peer);
    }
    if (event->name[0]) {
        BSON_APPEND_UTF8(fields, "name", event->name);
    }
    if (event->seq) {
        BSON_APPEND_INT64(fields, "seq", (int64_t)event->seq);
    }
    if (event->subscription) {
        BSON_APPEND_INT64(fields, "subscription", (int64_t)event->subscription);
    }
    if (event->status) {
        BSON_APPEND_UTF8(fields, "status", liana_status_name(event->status));
    }
    if (event->text[0]) {
        BSON_APPEND_UTF8(fields, "text", event->text);
    }
    return fields;
}

static const char *event_name(int32_t kind)
{
    switch (kind) {
    case LIANA_EVENT_PEER_UP: return "peer up";
    case LIANA_EVENT_PEER_DOWN: return "peer down";
    case LIANA_EVENT_UP_TO_DATE: return "up to date";
    case LIANA_EVENT_LINK_FAILED: return "link failed";
    case LIANA_EVENT_REFUSED: return "refused";
    case LIANA_EVENT_LOST: return "lost";
    default: return NULL; /* commits are too many to tell */
    }
}

/* A name and the beginning of the id, for names may be equal; else the id. */
static void name_peer(const struct liana_event *event, char *out, size_t size)
{
    if (event->name[0]) {
        snprintf(out, size, "%s (%.8s)", event->name, event->peer);
    } else {
        snprintf(out, size, "%s", event->peer);
    }
}

/* What people read of an event. */
static void event_line(const struct liana_event *event, char *out, size_t size)
{
    const char *text = event->text;
    char peer[200];

    name_peer(event, peer, sizeof(peer));
    switch (event->kind) {
    case LIANA_EVENT_PEER_UP:
        snprintf(out, size, "peer %s is up%s%s", peer, *text ? " " : "", text);
        break;
    case LIANA_EVENT_PEER_DOWN:
        snprintf(out, size, "peer %s %s: %s", peer, event->status ? "is down" : "left",
                 text);
        break;
    case LIANA_EVENT_UP_TO_DATE:
        snprintf(out, size, "subscription %llu is up to date with peer %s",
                 (unsigned long long)event->subscription, peer);
        break;
    case LIANA_EVENT_REFUSED:
        snprintf(out, size, "refused a document of peer %s: %s", peer, text);
        break;
    case LIANA_EVENT_LOST: snprintf(out, size, "events were lost"); break;
    default: snprintf(out, size, "%s", text); break; /* names all there is */
    }
}

void cli_peer_tell(struct cli_peer *peer)
{
    struct liana_event event;
    char line[600];

    while (liana_poll(peer->db, 0, &event, NULL) == LIANA_OK) {
        const char *name = event_name(event.kind);

        if (name) {
            event_line(&event, line, sizeof(line));
            cli_event(peer->cli, name, event_fields(&event), "%s", line);
        }
    }
}

void cli_peer_run(struct cli_peer *peer)
{
    while (!cli_stop_wanted()) {
        cli_peer_tell(peer);
        cli_wait(peer->event_fd, -1);
    }
}

int cli_peer_stop(struct cli_peer *peer, int rc)
{
    cli_peer_tell(peer);
    return cli_close(peer->cli, peer->db, rc);
}
