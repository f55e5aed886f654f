/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/demo/demo.h"

#include <inttypes.h>

/* ---- for people ---- */

static void print_stores(FILE *out, const struct world *w, const struct costs *costs)
{
    fprintf(out, "\n%-14s %8s %8s %10s %12s %12s\n", "store", "sales", "stock",
            "commits", "changes in", "changes out");
    for (int i = 0; i < PLACES; i++) {
        const struct store_cost *s = &costs->stores[i];

        fprintf(out,
                "%-14s %8" PRIu64 " %8" PRIu64 " %10" PRIu64 " %12" PRIu64 " %12" PRIu64
                "\n",
                w->stores[i].name, s->sales, s->stock, s->commits, s->changes_in,
                s->changes_out);
    }
}

static void print_links(FILE *out, const struct world *w, const struct costs *costs)
{
    fprintf(out, "\n%-28s %14s %14s %18s\n", "link", "wire bytes", "payload bytes",
            "wire per payload");
    for (int i = 0; i + 1 < PLACES; i++) {
        const struct link_cost *cost = &costs->links[i];
        char name[80];

        snprintf(name, sizeof(name), "%s - %s", w->stores[i].name,
                 w->stores[i + 1].name);
        fprintf(out, "%-28s %14" PRIu64 " %14" PRIu64 " %18.3f\n", name, cost->wire,
                cost->payload,
                cost->payload ? (double)cost->wire / (double)cost->payload : 0.0);
    }
}

static void print_mongodb(FILE *out, const struct mongodb_cost *cost)
{
    fprintf(out,
            "MongoDB lag, from the commit at a till: median %" PRId64
            " ms, 99 %% %" PRId64 " ms, greatest %" PRId64 " ms (the cut included)\n",
            cost->lag_median_ms, cost->lag_p99_ms, cost->lag_max_ms);
    fprintf(out,
            "MongoDB writes: %" PRId64 " documents replaced, %" PRId64 " refused\n",
            cost->written, cost->refused);
}

static void print_text(struct demo *d)
{
    FILE *out = d->cli->out;

    print_stores(out, &d->world, &d->costs);
    print_links(out, &d->world, &d->costs);
    fprintf(out, "\ntime to rest after the link came back: %.2f s\n",
            (double)d->rest_ms / 1000);
    if (d->world.mongodb_uri[0]) {
        print_mongodb(out, &d->costs.mongodb);
    }
    fprintf(out, "\ninvoices committed while the link was cut: %zu of %zu\n",
            demo_sold_while_cut(d), d->world.retail.invoice_count);
    fprintf(out, "invoices committed while till 2 was down:  %zu\n",
            demo_sold_while_down(d));
    fprintf(out, "changes that till 2 recovered:             %" PRIu64 "\n\n",
            d->recovered);
    fflush(out);
}

/* ---- for programs ---- */

static bson_t *store_json(const struct world *w, const struct costs *costs, int place)
{
    const struct store_cost *s = &costs->stores[place];

    return BCON_NEW("name", BCON_UTF8(w->stores[place].name), "sales",
                    BCON_INT64((int64_t)s->sales), "stock",
                    BCON_INT64((int64_t)s->stock), "commits",
                    BCON_INT64((int64_t)s->commits), "changesIn",
                    BCON_INT64((int64_t)s->changes_in), "changesOut",
                    BCON_INT64((int64_t)s->changes_out));
}

static bson_t *link_json(const struct world *w, const struct costs *costs, int place)
{
    const struct link_cost *cost = &costs->links[place];

    return BCON_NEW("between", "[", BCON_UTF8(w->stores[place].name),
                    BCON_UTF8(w->stores[place + 1].name), "]", "wireBytes",
                    BCON_INT64((int64_t)cost->wire), "payloadBytes",
                    BCON_INT64((int64_t)cost->payload));
}

static void append_each(bson_t *out,
                        const char *name,
                        const struct demo *d,
                        int count,
                        bson_t *(*make)(const struct world *w,
                                        const struct costs *costs,
                                        int place))
{
    bson_t array;

    bson_append_array_begin(out, name, -1, &array);
    for (int i = 0; i < count; i++) {
        bson_t *item = make(&d->world, &d->costs, i);
        char index[12];

        snprintf(index, sizeof(index), "%d", i);
        bson_append_document(&array, index, -1, item);
        bson_destroy(item);
    }
    bson_append_array_end(out, &array);
}

static void append_mongodb(bson_t *out, const struct demo *d)
{
    const struct mongodb_cost *cost = &d->costs.mongodb;
    bson_t *mongodb;

    if (!d->world.mongodb_uri[0]) {
        BSON_APPEND_NULL(out, "mongodb");
        return;
    }
    mongodb = BCON_NEW("database", BCON_UTF8(cli_text(d->args, "db")), "written",
                       BCON_INT64(cost->written), "refused", BCON_INT64(cost->refused),
                       "lagMedianMs", BCON_INT64(cost->lag_median_ms), "lagP99Ms",
                       BCON_INT64(cost->lag_p99_ms), "lagMaxMs",
                       BCON_INT64(cost->lag_max_ms));
    BSON_APPEND_DOCUMENT(out, "mongodb", mongodb);
    bson_destroy(mongodb);
}

static void print_json(struct demo *d, bool holds)
{
    bson_t *out = BCON_NEW(
        "holds", BCON_BOOL(holds), "seed", BCON_INT64((int64_t)d->seed), "data",
        BCON_UTF8(d->data), "folder", BCON_UTF8(d->folder), "invoices",
        BCON_INT64((int64_t)d->world.retail.invoice_count), "lines",
        BCON_INT64((int64_t)d->world.retail.line_count), "items",
        BCON_INT64((int64_t)d->world.retail.item_count), "soldWhileCut",
        BCON_INT64((int64_t)demo_sold_while_cut(d)), "soldWhileDown",
        BCON_INT64((int64_t)demo_sold_while_down(d)), "recovered",
        BCON_INT64((int64_t)d->recovered), "restMs", BCON_INT64((int64_t)d->rest_ms));

    append_each(out, "stores", d, PLACES, store_json);
    append_each(out, "links", d, PLACES - 1, link_json);
    append_mongodb(out, d);
    cli_print_bson(d->cli, out);
    fflush(d->cli->out);
    bson_destroy(out);
}

void demo_summary(struct demo *d)
{
    if (!d->cli->json) {
        print_text(d);
    }
}

void demo_verdict(struct demo *d, bool holds)
{
    if (d->cli->json) {
        print_json(d, holds);
    } else if (holds) {
        fprintf(d->cli->out, "%sall of it holds%s, after %.1f s\n",
                cli_out_colour(d->cli, CLI_GREEN), cli_out_colour(d->cli, CLI_PLAIN),
                (double)(cli_now_ms() - d->began_ms) / 1000);
        fflush(d->cli->out);
    }
}
