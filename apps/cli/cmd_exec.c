/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "cli/cmds.h"
#include "cli/input.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "cli/statement.h"
#include "cli/use.h"

static const struct cli_option options[] = {
    {.name = "params",
     .letter = 'p',
     .type = CLI_TEXT,
     .value = "JSON",
     .help = "an object of Extended JSON whose fields are the parameters: :name is its "
             "field name"},
    {.name = "file",
     .letter = 'f',
     .type = CLI_TEXT,
     .value = "FILE",
     .help = "read statements from FILE (- for standard input), each ended by ;"},
    {.name = "transaction",
     .letter = 't',
     .help = "run all of them in one transaction: all or nothing"},
    {.name = "form",
     .type = CLI_CHOICE,
     .value = "relaxed|canonical",
     .fallback = "relaxed",
     .help = "the Extended JSON of the rows"},
    {0},
};

struct exec {
    struct cli *cli;
    liana_db *db;
    liana_txn *txn; /* NULL: every statement for itself */
    struct liana_slice params;
    int32_t form;
};

/* All statements of a text; the last one may lack its semicolon. */
static bool run_text(struct exec *e, struct liana_str text, struct liana_error *err)
{
    bool is_whole = true;

    while (text.len > 0 && !cli_stop_wanted()) {
        struct liana_str one = {text.ptr, cli_statement_len(text, &is_whole)};

        if (!cli_statement_is_blank(one) &&
            !cli_run_statement(e->cli, e->db, e->txn, one, e->params, e->form, err)) {
            return false;
        }
        text.ptr += one.len + (is_whole ? 1 : 0);
        text.len -= one.len + (is_whole ? 1 : 0);
    }
    return true;
}

static bool run_all(struct exec *e,
                    const struct cli_args *args,
                    struct liana_error *err)
{
    const char *path = cli_text(args, "file");
    struct cli_text_input input;
    bool is_run = true;

    for (size_t i = 1; is_run && i < cli_operand_count(args); i++) {
        is_run = run_text(e, cli_str(cli_operand(args, i)), err);
    }
    if (!is_run || !path) {
        return is_run;
    }
    if (cli_read_all(path, &input, err)) {
        return false;
    }
    is_run = run_text(e, input.text, err);
    cli_text_input_free(&input);
    return is_run;
}

static int run_in_store(struct exec *e, const struct cli_args *args)
{
    struct liana_error err = LIANA_ERROR_INIT;
    bool is_run;

    if (cli_flag(args, "transaction") && liana_begin(e->db, NULL, &e->txn, &err)) {
        return cli_fail(e->cli, &err);
    }
    is_run = run_all(e, args, &err);
    if (e->txn && is_run && !cli_stop_wanted()) {
        liana_txn *txn = e->txn;

        e->txn = NULL;
        is_run = !liana_commit(txn, NULL, &err);
    }
    liana_rollback(e->txn);
    if (cli_stop_wanted()) {
        return CLI_STOPPED;
    }
    if (is_run) {
        return CLI_OK;
    }
    return err.status ? cli_fail(e->cli, &err) : CLI_FAILED; /* said already */
}

static int run(struct cli *cli, const struct cli_args *args)
{
    struct liana_error err = LIANA_ERROR_INIT;
    struct exec e = {.cli = cli};
    liana_bytes *params = NULL;
    int rc;

    if (cli_operand_count(args) < 2 && !cli_given(args, "file")) {
        return cli_error(cli, LIANA_EINVAL, "no statement: give one, or --file");
    }
    e.form = strcmp(cli_text(args, "form"), "canonical") == 0 ? LIANA_JSON_CANONICAL
                                                              : LIANA_JSON_RELAXED;
    if (cli_given(args, "params")) {
        if (liana_json_decode(cli_str(cli_text(args, "params")), &params, &err)) {
            return cli_fail(cli, &err);
        }
        e.params = liana_bytes_slice(params);
    }
    if (cli_use(cli_operand(args, 0), NULL, &e.db, &err)) {
        rc = cli_fail(cli, &err);
    } else {
        rc = cli_close(cli, e.db, run_in_store(&e, args));
    }
    liana_bytes_free(params);
    return rc;
}

const struct cli_cmd cli_cmd_exec = {
    .name = "exec",
    .summary = "run statements on a store",
    .operands = "STORE [STATEMENT...]",
    .operands_min = 1,
    .operands_max = SIZE_MAX,
    .options = options,
    .run = run,
    .help =
        "Runs each STATEMENT and prints its rows, one line of Extended JSON each. The "
        "first one that fails ends it. The store may be in use by a running peer, hub "
        "or app.\n"
        "\n"
        "    liana exec shop \"SELECT * FROM stock WHERE onHand < 10 ORDER BY "
        "onHand\"\n"
        "    liana exec shop \"CREATE COLLECTION stock (onHand COUNTER, tags SET)\"\n"
        "    liana exec shop -p '{\"d\": {\"_id\": 1}}' \"INSERT INTO t DOCUMENTS "
        "(:d)\"",
};
