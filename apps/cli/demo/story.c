/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/demo/demo.h"

#include <inttypes.h>
#include <signal.h>
#include <sys/select.h>
#include <time.h>

#include "cli/signals.h"

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
    demo_say(d,
             "five processes: till 1 - till 2 - till 3 - back office - (relay) - hub%s",
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
        demo_say(d, "the back office has inserted the catalogue: %zu items",
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

/* Rounded so that in a small shop, too, till 2 begins a sale before it is killed, and the
 * others sell while it is down. */
size_t demo_target(const struct world *w, enum world_place till, size_t percent)
{
    bool is_up = percent == (till == TILL_2 ? DEMO_KILL_UNTIL : DEMO_DOWN_UNTIL);

    return (w->stores[till].share * percent + (is_up ? 99 : 0)) / 100;
}

static size_t
    selling_percent; /* of world_wait's question, which takes the world alone */

static bool has_sold(struct world *w, enum world_place till)
{
    return w->stores[till].sold >= demo_target(w, till, selling_percent);
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
    struct world *w = &d->world;

    selling_percent = percent;
    world_allow(w, TILL_1, demo_target(w, TILL_1, percent));
    world_allow(w, TILL_3, demo_target(w, TILL_3, percent));
    if (is_so != have_others_sold) {
        world_allow(w, TILL_2, demo_target(w, TILL_2, percent));
    }
    return world_wait(w, is_so, "the tills do not sell");
}

static void say_sold(struct demo *d)
{
    demo_say(d, "sold: %zu of %zu invoices", world_sold(&d->world),
             d->world.retail.invoice_count);
}

/* ---- what goes wrong ---- */

static bool cut_link(struct demo *d)
{
    struct world *w = &d->world;

    d->sold_at_cut = world_sold(w);
    demo_relay_cut(w->relay);
    demo_say(d, "CUT: back office - hub, with %zu of %zu invoices unsold",
             w->retail.invoice_count - d->sold_at_cut, w->retail.invoice_count);
    return true;
}

/* Tells till 2 to commit and waits for the moment: poll would wait whole milliseconds. */
static uint64_t let_commit(struct demo *d, struct world_store *s)
{
    uint64_t us = s->commit_us * d->kill_permille / 1000;
    struct timespec wait = {.tv_sec = (time_t)(us / 1000000),
                            .tv_nsec = (long)(us % 1000000) * 1000};

    demo_child_say(&s->child, "commit\n");
    pselect(0, NULL, NULL, NULL, &wait, NULL);
    return us;
}

static bool kill_till_2(struct demo *d)
{
    struct world *w = &d->world;
    struct world_store *s = &w->stores[TILL_2];
    uint64_t us = 0;

    world_detach(w, TILL_2);
    if (d->kills_commit) {
        us = let_commit(d, s);
    }
    demo_child_signal(&s->child, SIGKILL);
    demo_child_wait(&s->child, 10000);
    demo_child_stop(&s->child);
    d->sold_at_kill = world_sold(w);
    if (d->kills_commit) {
        demo_say(d,
                 "SIGKILL: till 2, inside its sale %" PRId64 ", %" PRIu64
                 " us into the commit (they take %" PRIu64 ")",
                 w->options.pause_at + 1, us, s->commit_us);
    } else {
        demo_say(d, "SIGKILL: till 2, inside its sale %" PRId64 " behind line %" PRId64,
                 w->options.pause_at + 1, w->options.pause_in);
    }
    return true;
}

/* Whether the sale that till 2 was killed in is in its store. */
static bool say_fate(struct demo *d)
{
    struct world *w = &d->world;
    const struct demo_invoice *invoice =
        &w->retail.invoices[(size_t)w->options.pause_at * DEMO_TILLS + 1];
    bool is_there;

    if (!measure_has_sale(w, TILL_2, invoice->number, &is_there)) {
        return false;
    }
    demo_say(d, "till 2 is back; the sale in which it was killed had%s been committed",
             is_there ? "" : " not");
    return is_there == false || d->kills_commit ||
           world_fail(w, LIANA_ECORRUPT,
                      "invoice %s is in till 2's store and was never committed",
                      invoice->number);
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
    w->stops_till_2 = false;
    if (!world_start(w, TILL_2) || !world_attach(w, TILL_2) || !say_fate(d) ||
        !world_wait(w, has_recovered, "till 2 does not catch up") ||
        !measure_taken(w, TILL_2, &d->recovered)) {
        return false;
    }
    demo_say(d, "till 2 has recovered %" PRIu64 " changes", d->recovered);
    return true;
}

static bool join_link(struct demo *d)
{
    struct world *w = &d->world;

    d->sold_at_join = world_sold(w);
    demo_relay_join(w->relay);
    demo_say(d, "the link back office - hub is back");
    return true;
}

/* ---- the story ---- */

bool demo_story(struct demo *d)
{
    struct world *w = &d->world;
    uint64_t joined;

    if (!start_all(d) || !insert_catalogue(d) ||
        !world_wait(w, have_catalogue, "the tills do not get the catalogue")) {
        return false;
    }
    demo_say(d, "every till holds the catalogue: selling");
    if (!sell(d, DEMO_CUT_AT, have_all_sold) || !cut_link(d) ||
        !sell(d, DEMO_KILL_UNTIL, stands_till_2) || !kill_till_2(d) ||
        !sell(d, DEMO_DOWN_UNTIL, have_others_sold)) {
        return false;
    }
    say_sold(d);
    if (!start_till_2_again(d) || !sell(d, DEMO_JOIN_AT, have_all_sold)) {
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
    demo_say(d, "five stores%s are at rest", w->mongodb_uri[0] ? " and MongoDB" : "");
    return true;
}
