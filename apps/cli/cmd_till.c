/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmds.h"
#include "cli/demo/retail.h"
#include "cli/error.h"
#include "cli/event.h"
#include "cli/output.h"
#include "cli/peer.h"
#include "cli/signals.h"
#include "cli/stats.h"

#define LOOK_MS 100

/*
 * One till of `liana demo retail`: a peer that sells its share of the invoices.
 *
 *     waits for the whole catalogue -> waits for leave to sell -> sells one -> ...
 *
 * Leave comes on stdin: "sell N" means that the first N of its invoices may be sold. At
 * the end of stdin it goes on as a peer without selling. What it has sold is in its
 * store, so a till that was killed goes on behind the last committed sale.
 *
 * For the one who is going to kill it, it stands still inside one transaction (--pause-at)
 * and says so, with how long its commits take. Behind the last line it goes on at the line
 * "commit", begins the commit at once, and stands still again behind it.
 */
struct till {
    struct cli *cli;
    struct cli_peer peer;
    struct demo_retail retail;
    int32_t number;
    size_t leave;     /* how many of its invoices may be sold */
    int64_t pause_at; /* invoice among its own, -1: never */
    int64_t pause_in; /* behind this many lines of the invoice */
    bool may_commit;
    uint64_t commits;   /* of its own sales, */
    uint64_t commit_us; /* and what they took together */
    bool is_input_open;
    char input[256];
    size_t input_len;
};

static bson_t *params_of(const char *name, const bson_t *document)
{
    bson_t *params = bson_new();

    bson_append_document(params, name, -1, document);
    return params;
}

static struct liana_slice bytes_of(const bson_t *document)
{
    return (struct liana_slice){bson_get_data(document), document->len};
}

/* ---- what is asked of the store ---- */

static liana_status one_number(struct till *t,
                               struct liana_str statement,
                               const bson_t *params,
                               int64_t *out,
                               struct liana_error *err)
{
    liana_result *result;
    struct liana_slice row;
    bson_t document;
    bson_iter_t it;
    liana_status status =
        liana_execute(t->peer.db, statement, bytes_of(params), &result, err);

    if (status) {
        return status;
    }
    status = liana_result_next(result, &row, err);
    if (!status) {
        *out = bson_init_static(&document, row.ptr, row.len) &&
                       bson_iter_init_find(&it, &document, "n")
                   ? bson_iter_as_int64(&it)
                   : 0;
    }
    liana_result_free(result);
    return status;
}

static liana_status count_stock(struct till *t, int64_t *out, struct liana_error *err)
{
    bson_t none = BSON_INITIALIZER;

    return one_number(t, LIANA_STR("SELECT COUNT(*) AS n FROM stock"), &none, out, err);
}

static liana_status is_sold(struct till *t,
                            const struct demo_invoice *invoice,
                            bool *out,
                            struct liana_error *err)
{
    bson_t *params = BCON_NEW("id", BCON_UTF8(invoice->number));
    int64_t count = 0;
    liana_status status =
        one_number(t, LIANA_STR("SELECT COUNT(*) AS n FROM sales WHERE _id = :id"),
                   params, &count, err);

    bson_destroy(params);
    *out = count > 0;
    return status;
}

/* ---- waiting ---- */

static void take_line(struct till *t, const char *line)
{
    if (strncmp(line, "sell ", 5) == 0) {
        t->leave = (size_t)strtoull(line + 5, NULL, 10);
    } else if (strcmp(line, "commit") == 0) {
        t->may_commit = true;
    }
}

static void read_input(struct till *t)
{
    ssize_t n = read(STDIN_FILENO, t->input + t->input_len,
                     sizeof(t->input) - 1 - t->input_len);
    char *end;

    if (n <= 0) {
        t->is_input_open = false;
        return;
    }
    t->input_len += (size_t)n;
    t->input[t->input_len] = '\0';
    while ((end = strchr(t->input, '\n'))) {
        *end = '\0';
        take_line(t, t->input);
        t->input_len -= (size_t)(end + 1 - t->input);
        memmove(t->input, end + 1, t->input_len + 1);
    }
    if (t->input_len == sizeof(t->input) - 1) {
        t->input_len = 0; /* no command is so long */
    }
}

/* Looks for orders, tells events, waits a little if there is nothing. */
static void look_around(struct till *t, int timeout_ms)
{
    cli_peer_tell(&t->peer);
    if (!t->is_input_open) {
        cli_wait(t->peer.event_fd, timeout_ms);
    } else if (cli_wait(STDIN_FILENO, timeout_ms)) {
        read_input(t);
    }
}

static liana_status wait_for_catalogue(struct till *t, struct liana_error *err)
{
    int64_t count = 0;
    liana_status status = LIANA_OK;

    while (!cli_stop_wanted() && !status) {
        status = count_stock(t, &count, err);
        if (!status && (uint64_t)count >= t->retail.item_count) {
            break;
        }
        look_around(t, LOOK_MS);
    }
    if (!status && !cli_stop_wanted()) {
        cli_event(t->cli, "catalogue", BCON_NEW("items", BCON_INT64(count)),
                  "holds the catalogue: %" PRId64 " items", count);
    }
    return status;
}

static bool goes_on(const struct till *t)
{
    return !cli_stop_wanted() && t->is_input_open;
}

static void stand_still(void)
{
    while (!cli_stop_wanted()) {
        cli_wait(-1, -1);
    }
}

/* Stands still in the open transaction, behind the last line until it may commit, before
 * it until somebody ends the process. */
static void pause_here(struct till *t, const struct demo_invoice *invoice, bool is_last)
{
    cli_event(
        t->cli, "paused",
        BCON_NEW("invoice", BCON_UTF8(invoice->number), "commitMicros",
                 BCON_INT64((int64_t)(t->commits ? t->commit_us / t->commits : 0))),
        "stands still inside the sale of %s", invoice->number);
    if (!is_last) {
        stand_still();
    }
    while (goes_on(t) && !t->may_commit) {
        if (cli_wait(STDIN_FILENO, -1)) {
            read_input(t);
        }
    }
}

/* ---- selling ---- */

static liana_status insert_sale(liana_txn *txn,
                                const struct demo_invoice *invoice,
                                struct liana_error *err)
{
    bson_t *sale = demo_sale(invoice);
    bson_t *params = params_of("sale", sale);
    liana_status status =
        liana_txn_execute(txn, LIANA_STR("INSERT INTO sales DOCUMENTS (:sale)"),
                          bytes_of(params), NULL, err);

    bson_destroy(params);
    bson_destroy(sale);
    return status;
}

static liana_status take_from_stock(liana_txn *txn,
                                    const struct demo_line *line,
                                    struct liana_error *err)
{
    bson_t *params = BCON_NEW("n", BCON_INT64(-(int64_t)line->quantity), "code",
                              BCON_UTF8(line->code));
    liana_result *result = NULL;
    liana_status status = liana_txn_execute(
        txn, LIANA_STR("UPDATE stock APPLY onHand INCREMENT BY :n WHERE _id = :code"),
        bytes_of(params), &result, err);

    if (!status && liana_result_mutations(result) != 1) {
        status = cli_err(err, LIANA_ENOTFOUND, "stock has no '%s'", line->code);
    }
    liana_result_free(result);
    bson_destroy(params);
    return status;
}

static liana_status execute_sale(struct till *t,
                                 liana_txn *txn,
                                 const struct demo_invoice *invoice,
                                 bool pauses,
                                 struct liana_error *err)
{
    liana_status status = insert_sale(txn, invoice, err);

    for (size_t i = 0; !status && i <= invoice->line_count && !cli_stop_wanted(); i++) {
        bool is_last = i == invoice->line_count;
        const struct demo_line *line = is_last ? NULL : &invoice->lines[i];

        if (pauses && (int64_t)i == t->pause_in) {
            pause_here(t, invoice, is_last);
        }
        if (line && line->code && line->quantity) {
            status = take_from_stock(txn, line, err);
        }
    }
    return status;
}

static liana_status commit_sale(struct till *t, liana_txn *txn, struct liana_error *err)
{
    uint64_t began = cli_now_us();
    liana_status status = liana_commit(txn, NULL, err);

    t->commit_us += cli_now_us() - began;
    t->commits++;
    return status;
}

/* An invoice and its changes of the stock are one transaction. */
static liana_status sell(struct till *t,
                         const struct demo_invoice *invoice,
                         bool pauses,
                         struct liana_error *err)
{
    liana_txn *txn;
    liana_status status = liana_begin(t->peer.db, NULL, &txn, err);

    if (status) {
        return status;
    }
    status = execute_sale(t, txn, invoice, pauses, err);
    if (status || cli_stop_wanted()) {
        liana_rollback(txn);
        return status;
    }
    status = commit_sale(t, txn, err);
    if (!status && pauses) {
        stand_still();
    }
    return status;
}

static liana_status sell_next(struct till *t,
                              const struct demo_invoice *invoice,
                              size_t own_index,
                              struct liana_error *err)
{
    bool sold;
    liana_status status;

    while (goes_on(t) && own_index >= t->leave) {
        look_around(t, LOOK_MS);
    }
    if (!goes_on(t)) {
        return LIANA_OK;
    }
    status = is_sold(t, invoice, &sold, err);
    if (!status && !sold) {
        status = sell(t, invoice, t->pause_at == (int64_t)own_index, err);
    }
    if (!status && !cli_stop_wanted()) {
        cli_event(t->cli, "sold",
                  BCON_NEW("invoice", BCON_UTF8(invoice->number), "own",
                           BCON_INT64((int64_t)own_index + 1)),
                  "sold %s", invoice->number);
    }
    return status;
}

static liana_status sell_all(struct till *t, struct liana_error *err)
{
    size_t own_index = 0;
    liana_status status = LIANA_OK;

    for (size_t i = 0; i < t->retail.invoice_count && !status && goes_on(t); i++) {
        const struct demo_invoice *invoice = &t->retail.invoices[i];

        if (invoice->till == t->number) {
            status = sell_next(t, invoice, own_index++, err);
            cli_peer_tell(&t->peer);
        }
    }
    return status;
}

static int run(struct cli *cli, const struct cli_args *args)
{
    struct liana_error err = LIANA_ERROR_INIT;
    struct till t = {.cli = cli,
                     .number = (int32_t)cli_number(args, "till"),
                     .pause_at = cli_number(args, "pause-at"),
                     .pause_in = cli_number(args, "pause-in"),
                     .is_input_open = true};
    liana_status status = demo_retail_load(cli_operand(args, 1), &t.retail, &err);

    if (status) {
        return cli_fail(cli, &err);
    }
    status = cli_peer_start(cli, args, cli_operand(args, 0), 0, &t.peer, &err);
    if (status) {
        demo_retail_free(&t.retail);
        return cli_fail(cli, &err);
    }
    status = wait_for_catalogue(&t, &err);
    if (!status) {
        status = sell_all(&t, &err);
    }
    demo_retail_free(&t.retail);
    if (status) {
        return cli_peer_stop(&t.peer, cli_fail(cli, &err));
    }
    cli_peer_run(&t.peer);
    return cli_peer_stop(&t.peer, CLI_OK);
}

static const struct cli_option options[] = {
    {.name = "till",
     .type = CLI_NUMBER,
     .value = "N",
     .fallback = "1",
     .min = 1,
     .max = DEMO_TILLS,
     .help = "which till of the shop this is"},
    {.name = "pause-at",
     .type = CLI_NUMBER,
     .value = "N",
     .fallback = "-1",
     .min = -1,
     .max = INT64_MAX,
     .help = "stand still inside the sale of its invoice N, from 0"},
    {.name = "pause-in",
     .type = CLI_NUMBER,
     .value = "N",
     .fallback = "0",
     .min = 0,
     .max = INT64_MAX,
     .help = "... behind N of its lines; behind all of them, go on at the line "
             "\"commit\""},
    CLI_OPTIONS_PEER,
    {0}};

const struct cli_cmd cli_cmd_till = {
    .name = "till",
    .summary = "one till of `liana demo retail`",
    .operands = "STORE DATA.csv",
    .operands_min = 2,
    .operands_max = 2,
    .options = options,
    .run = run,
    .help = "A peer that sells its share of the invoices in DATA.csv, one transaction "
            "each,\n"
            "as far as lines \"sell N\" on its standard input allow. The demo starts "
            "three.\n",
};
