/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/demo/measure.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/stats.h"

#define LOOK_MS     50
#define PATIENCE_MS 60000

static bool read_stats(struct world *w, enum world_place place, struct cli_stats *out)
{
    return !cli_stats_read(w->stores[place].db, out, &w->err);
}

/* ---- rest ---- */

static void note_waiting(struct look *out,
                         const struct world *w,
                         int place,
                         const struct cli_stats *stats,
                         size_t peer)
{
    snprintf(out->waits, sizeof(out->waits),
             "%s: %s is%s connected, and has %" PRId64 " of %" PRIu64 " commits",
             w->stores[place].name, cli_stats_text(stats, "peers.%zu.name", peer),
             cli_stats_number(stats, "peers.%zu.connected", peer) ? "" : " not",
             cli_stats_number(stats, "peers.%zu.acked", peer), out->seq[place]);
}

/* How many neighbours are connected and have everything; a neighbour that was killed and
 * came back is the same peer. */
static size_t quiet_neighbours(const struct world *w,
                               int place,
                               const struct cli_stats *stats,
                               struct look *out)
{
    size_t count = cli_stats_count(stats, "peers");
    size_t quiet = 0;

    for (size_t i = 0; i < count; i++) {
        bool is_quiet =
            cli_stats_number(stats, "peers.%zu.connected", i) != 0 &&
            (uint64_t)cli_stats_number(stats, "peers.%zu.acked", i) >= out->seq[place];

        quiet += is_quiet;
        if (!is_quiet) {
            note_waiting(out, w, place, stats, i);
        }
    }
    return quiet;
}

static bool is_written(const struct world *w, const struct cli_stats *hub, int64_t seq)
{
    return !w->mongodb_uri[0] ||
           (strcmp(cli_stats_text(hub, "apps.mongo.state"), "ok") == 0 &&
            cli_stats_number(hub, "apps.mongo.position") >= seq);
}

bool measure_look(struct world *w, struct look *out)
{
    static const size_t neighbours[PLACES] = {1, 2, 2, 2, 1};

    *out = (struct look){.is_quiet = true};
    for (int i = 0; i < PLACES; i++) {
        struct cli_stats stats;
        int64_t seq;

        if (!read_stats(w, (enum world_place)i, &stats)) {
            return false;
        }
        seq = cli_stats_number(&stats, "store.seq");
        out->seq[i] = (uint64_t)seq;
        if (quiet_neighbours(w, i, &stats, out) < neighbours[i] ||
            (i == HUB && !is_written(w, &stats, seq))) {
            out->is_quiet = false;
        }
        cli_stats_free(&stats);
    }
    return true;
}

bool measure_rest(struct world *w)
{
    struct look before = {0};
    struct look now = {0};
    uint64_t last = cli_now_ms();

    while (cli_now_ms() - last < PATIENCE_MS) {
        if (!world_pump(w, LOOK_MS) || !measure_look(w, &now)) {
            return false;
        }
        if (memcmp(before.seq, now.seq, sizeof(now.seq)) != 0) {
            last = cli_now_ms();
        } else if (before.is_quiet && now.is_quiet) {
            return true;
        }
        before = now;
    }
    return world_fail(w, LIANA_ETIMEOUT, "nothing moves, but not all is at rest (%s)",
                      now.waits);
}

/* ---- numbers ---- */

static uint64_t number(const struct cli_stats *stats, size_t peer, const char *name)
{
    return (uint64_t)cli_stats_number(stats, "peers.%zu.%s", peer, name);
}

bool measure_link(struct world *w, enum world_place place, struct link_cost *out)
{
    bool is_next_asked = place == TILL_2;
    const char *other = w->stores[is_next_asked ? place : place + 1].name;
    struct cli_stats stats;
    size_t count;

    if (!read_stats(w, is_next_asked ? place + 1 : place, &stats)) {
        return false;
    }
    *out = (struct link_cost){0};
    count = cli_stats_count(&stats, "peers");
    for (size_t i = 0; i < count; i++) {
        if (strcmp(cli_stats_text(&stats, "peers.%zu.name", i), other) == 0) {
            out->wire += number(&stats, i, "wire_in") + number(&stats, i, "wire_out");
            out->payload +=
                number(&stats, i, "payload_in") + number(&stats, i, "payload_out");
        }
    }
    cli_stats_free(&stats);
    return true;
}

static uint64_t sum_of_peers(const struct cli_stats *stats, const char *name)
{
    size_t count = cli_stats_count(stats, "peers");
    uint64_t sum = 0;

    for (size_t i = 0; i < count; i++) {
        sum += number(stats, i, name);
    }
    return sum;
}

bool measure_taken(struct world *w, enum world_place place, uint64_t *out)
{
    struct cli_stats stats;

    if (!read_stats(w, place, &stats)) {
        return false;
    }
    *out = sum_of_peers(&stats, "docs_in");
    cli_stats_free(&stats);
    return true;
}

static uint64_t documents(const struct cli_stats *stats, const char *collection)
{
    size_t count = cli_stats_count(stats, "collections");

    for (size_t i = 0; i < count; i++) {
        if (strcmp(cli_stats_text(stats, "collections.%zu.name", i), collection) == 0) {
            return (uint64_t)cli_stats_number(stats, "collections.%zu.documents", i);
        }
    }
    return 0;
}

bool measure_documents(struct world *w,
                       enum world_place place,
                       const char *collection,
                       uint64_t *out)
{
    struct cli_stats stats;

    if (!read_stats(w, place, &stats)) {
        return false;
    }
    *out = documents(&stats, collection);
    cli_stats_free(&stats);
    return true;
}

bool measure_has_sale(struct world *w,
                      enum world_place place,
                      const char *invoice,
                      bool *out)
{
    bson_t *params = BCON_NEW("id", BCON_UTF8(invoice));
    struct liana_slice bytes = {bson_get_data(params), params->len};
    struct liana_slice row;
    liana_result *result = NULL;
    liana_status status = liana_execute(
        w->stores[place].db, LIANA_STR("SELECT * FROM sales WHERE _id = :id"), bytes,
        &result, &w->err);

    if (!status) {
        status = liana_result_next(result, &row, &w->err);
    }
    liana_result_free(result);
    bson_destroy(params);
    if (status && status != LIANA_EEND) {
        return false;
    }
    w->err = (struct liana_error)LIANA_ERROR_INIT; /* of the end of the rows */
    *out = status == LIANA_OK;
    return true;
}

/* ---- all of them ---- */

static bool measure_store(struct world *w,
                          enum world_place place,
                          struct store_cost *out)
{
    struct cli_stats stats;

    if (!read_stats(w, place, &stats)) {
        return false;
    }
    *out =
        (struct store_cost){.sales = documents(&stats, "sales"),
                            .stock = documents(&stats, "stock"),
                            .commits = (uint64_t)cli_stats_number(&stats, "store.seq"),
                            .changes_in = sum_of_peers(&stats, "docs_in"),
                            .changes_out = sum_of_peers(&stats, "docs_out")};
    cli_stats_free(&stats);
    return true;
}

static bool measure_mongodb(struct world *w, struct mongodb_cost *out)
{
    struct cli_stats hub;

    if (!read_stats(w, HUB, &hub)) {
        return false;
    }
    *out = (struct mongodb_cost){
        .lag_median_ms = cli_stats_number(&hub, "apps.mongo.lag.median_ms"),
        .lag_p99_ms = cli_stats_number(&hub, "apps.mongo.lag.p99_ms"),
        .lag_max_ms = cli_stats_number(&hub, "apps.mongo.lag.max_ms"),
        .written = cli_stats_number(&hub, "apps.mongo.written"),
        .refused = cli_stats_number(&hub, "apps.mongo.refused")};
    cli_stats_free(&hub);
    return true;
}

bool measure_all(struct world *w, struct costs *out)
{
    bool ok = true;

    *out = (struct costs){0};
    for (int i = 0; i < PLACES && ok; i++) {
        ok = measure_store(w, (enum world_place)i, &out->stores[i]);
    }
    for (int i = 0; i + 1 < PLACES && ok; i++) {
        ok = measure_link(w, (enum world_place)i, &out->links[i]);
    }
    return ok && (!w->mongodb_uri[0] || measure_mongodb(w, &out->mongodb));
}
