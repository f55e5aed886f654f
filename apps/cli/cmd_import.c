/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "cli/cmds.h"
#include "cli/import.h"
#include "cli/input.h"
#include "cli/quote.h"
#include "cli/signals.h"
#include "cli/use.h"

static const struct cli_option options[] = {
    {.name = "format",
     .type = CLI_CHOICE,
     .value = "json|csv|bson",
     .help = "json: one object of Extended or plain JSON a line; csv; bson: documents "
             "one behind the other. Without it the file's name says: .csv, .dat and "
             ".bson, else json"},
    {.name = "on-error",
     .type = CLI_CHOICE,
     .value = "stop|skip",
     .fallback = "stop",
     .help = "what a bad line does; each is reported with its number"},
    {.name = "on-conflict",
     .type = CLI_CHOICE,
     .value = "fail|keep|update|replace",
     .fallback = "fail",
     .help = "a document whose _id is there: a bad line, keep the one that is there, "
             "set its fields that differ, or replace it"},
    {.name = "skip",
     .type = CLI_NUMBER,
     .value = "N",
     .fallback = "0",
     .min = 0,
     .max = INT64_MAX,
     .help = "go on behind line N (bson: document N) of an import that was stopped"},
    {.name = "batch",
     .type = CLI_NUMBER,
     .value = "N",
     .fallback = "1000",
     .min = 1,
     .max = 1000000,
     .help = "documents in one transaction"},
    {.name = "create", .help = "make the store if it is not there"},
    {.name = "fields",
     .type = CLI_TEXT,
     .value = "A,B,...",
     .help = "csv: the names of the columns; the file has no header line then"},
    {.name = "types",
     .type = CLI_TEXT,
     .value = "A:TYPE,...",
     .help = "csv: types of columns: string, int32, int64, double, decimal, bool, "
             "objectid, date(FORMAT of strptime, UTC), date (ISO 8601), auto"},
    {.name = "id",
     .type = CLI_TEXT,
     .value = "A[,B...]",
     .help = "csv: the column that is the _id; of several, _id is an object of them"},
    {.name = "null",
     .type = CLI_TEXT,
     .value = "TEXT",
     .help = "csv: a field of exactly this text is null"},
    {.name = "blank",
     .type = CLI_CHOICE,
     .value = "skip|null|empty",
     .fallback = "skip",
     .help = "csv: an empty field is left out, null, or an empty string"},
    {.name = "delimiter",
     .type = CLI_TEXT,
     .value = "C",
     .fallback = ",",
     .help = "csv: one character between fields; \\t is a tab"},
    {0},
};

/* ---- transactions ---- */

static void commit(struct cli_import *import)
{
    struct liana_error err = LIANA_ERROR_INIT;
    liana_txn *txn = import->txn;

    import->txn = NULL;
    import->seen = 0;
    if (!txn) {
        return;
    }
    if (liana_commit(txn, NULL, &err)) {
        cli_import_fail(import, &err);
        return;
    }
    import->imported += import->in_txn;
    import->in_txn = 0;
    import->last_line = import->line;
}

void cli_import_fail(struct cli_import *import, const struct liana_error *err)
{
    cli_progress_end(&import->progress);
    import->rc = cli_fail(import->cli, err);
    import->is_over = true;
}

bool cli_import_bad(struct cli_import *import,
                    uint64_t line,
                    const struct liana_error *err)
{
    cli_progress_end(&import->progress);
    import->bad++;
    import->rc = CLI_PARTLY;
    cli_error(import->cli, err->status, "%s:%" PRIu64 ": %s", import->path, line,
              err->message[0] ? err->message : liana_status_text(err->status));
    import->line = line;
    if (!import->skips_bad) {
        import->line = line - 1; /* it is the first to try again */
        import->rc = CLI_FAILED;
        import->is_over = true;
    }
    return !import->is_over;
}

/* The disk, memory or the store itself: no other line would fare better. */
static bool is_fatal(liana_status status)
{
    enum liana_category category = liana_status_category(status);

    return category != LIANA_CATEGORY_USAGE && category != LIANA_CATEGORY_EXPECTED &&
           status != LIANA_EBSON && status != LIANA_ETOOLARGE &&
           status != LIANA_EDEPTH && status != LIANA_ERANGE;
}

static liana_status insert(struct cli_import *import,
                           struct liana_slice document,
                           uint64_t *mutations,
                           struct liana_error *err)
{
    liana_result *result;
    liana_status status = LIANA_OK;
    bson_t params;
    bson_t value;

    if (!bson_init_static(&value, document.ptr, document.len)) {
        err->status = LIANA_EBSON;
        return LIANA_EBSON;
    }
    bson_init(&params);
    bson_append_document(&params, "d", 1, &value);
    if (!import->txn) {
        status = liana_begin(import->db, NULL, &import->txn, err);
    }
    if (!status) {
        struct liana_slice bytes = {bson_get_data(&params), params.len};

        status = liana_txn_execute(
            import->txn,
            (struct liana_str){import->statement, strlen(import->statement)}, bytes,
            &result, err);
    }
    if (!status) {
        *mutations = liana_result_mutations(result);
        liana_result_free(result);
    }
    bson_destroy(&params);
    return status;
}

bool cli_import_add(struct cli_import *import,
                    struct liana_slice document,
                    uint64_t line)
{
    struct liana_error err = LIANA_ERROR_INIT;
    uint64_t mutations = 0;
    liana_status status;

    if (import->is_over || line <= import->skip) {
        return !import->is_over;
    }
    status = insert(import, document, &mutations, &err);
    if (status && is_fatal(status)) {
        cli_import_fail(import, &err);
        return false;
    }
    if (status) {
        return cli_import_bad(import, line, &err);
    }
    import->in_txn += mutations ? 1 : 0;
    import->unchanged += mutations ? 0 : 1;
    import->line = line;
    if (++import->seen >= import->batch) {
        commit(import);
    }
    return !import->is_over;
}

void cli_import_at(struct cli_import *import)
{
    long at = import->progress.total ? ftell(import->file) : 0;

    if (cli_stop_wanted()) {
        import->is_over = true;
        import->rc = CLI_STOPPED;
    }
    cli_progress_set(&import->progress, at > 0 ? (uint64_t)at : import->line);
}

size_t cli_import_read(struct cli_import *import, char *out, size_t size)
{
    struct liana_error err = {.status = LIANA_EIO};
    size_t len;

    cli_import_at(import);
    if (import->is_over) {
        return 0;
    }
    len = fread(out, 1, size, import->file);
    if (cli_stop_wanted()) {
        cli_import_at(import); /* it was waiting when the signal came */
        return 0;
    }
    if (len == 0 && ferror(import->file)) {
        snprintf(err.message, sizeof(err.message), "%s: %s", import->path,
                 strerror(errno));
        cli_import_fail(import, &err);
    }
    return len;
}

/* ---- the command ---- */

static const char *guess_format(const char *path)
{
    const char *dot = strrchr(path, '.');

    if (dot && (strcmp(dot, ".csv") == 0 || strcmp(dot, ".dat") == 0)) {
        return "csv";
    }
    return dot && strcmp(dot, ".bson") == 0 ? "bson" : "json";
}

static const char *policy(const char *word)
{
    return strcmp(word, "keep") == 0      ? "DO NOTHING"
           : strcmp(word, "update") == 0  ? "DO UPDATE_LOCAL_DIFF"
           : strcmp(word, "replace") == 0 ? "DO REPLACE"
                                          : "FAIL";
}

static char *make_statement(const char *collection, const char *on_conflict)
{
    char tail[80];

    snprintf(tail, sizeof(tail), " DOCUMENTS (:d) ON ID CONFLICT %s",
             policy(on_conflict));
    return cli_statement("INSERT INTO ", collection, tail);
}

static void read_file(struct cli_import *import, const struct cli_args *args)
{
    const char *format = cli_text(args, "format");

    format = format ? format : guess_format(import->path);
    if (strcmp(format, "csv") == 0) {
        cli_import_csv(import, args);
    } else if (strcmp(format, "bson") == 0) {
        cli_import_bson(import, args);
    } else {
        cli_import_json(import, args);
    }
    commit(import);
    liana_rollback(import->txn);
    cli_progress_end(&import->progress);
}

static void say_result(const struct cli_import *import)
{
    struct cli *cli = import->cli;

    if (cli->json) {
        fprintf(cli->out,
                "{\"imported\": %" PRIu64 ", \"unchanged\": %" PRIu64
                ", \"bad\": %" PRIu64 ", \"last\": %" PRIu64 "}\n",
                import->imported, import->unchanged, import->bad, import->last_line);
        return;
    }
    cli_note(cli, "%" PRIu64 " documents imported", import->imported);
    if (import->unchanged) {
        cli_note(cli, "%" PRIu64 " were there already", import->unchanged);
    }
    if (import->bad) {
        cli_note(cli, "%" PRIu64 " bad line%s", import->bad,
                 import->bad == 1 ? "" : "s");
    }
    if (import->is_over) {
        cli_note(cli, "Stopped. To go on from here: --skip=%" PRIu64,
                 import->last_line);
    }
}

static int import_into(struct cli *cli, const struct cli_args *args, liana_db *db)
{
    struct liana_error err = LIANA_ERROR_INIT;
    struct cli_import import = {.cli = cli, .db = db};
    uint64_t bytes = 0;

    import.path = cli_operand(args, 2) ? cli_operand(args, 2) : "-";
    import.batch = (uint64_t)cli_number(args, "batch");
    import.skip = (uint64_t)cli_number(args, "skip");
    import.last_line = import.skip;
    import.line = import.skip;
    import.skips_bad = strcmp(cli_text(args, "on-error"), "skip") == 0;
    import.statement =
        make_statement(cli_operand(args, 1), cli_text(args, "on-conflict"));
    if (!import.statement) {
        return cli_error(cli, LIANA_ENOMEM, "out of memory");
    }
    if (cli_open_input(import.path, &import.file, &bytes, &err)) {
        cli_free(import.statement);
        return cli_fail(cli, &err);
    }
    cli_progress_start(&import.progress, cli, "import", bytes);
    read_file(&import, args);
    cli_close_input(import.file);
    cli_free(import.statement);
    if (import.rc != CLI_USAGE) {
        say_result(&import);
    }
    return import.rc;
}

static int run(struct cli *cli, const struct cli_args *args)
{
    struct liana_open_options open = LIANA_OPEN_OPTIONS_INIT;
    struct liana_error err = LIANA_ERROR_INIT;
    liana_db *db;

    open.flags = cli_flag(args, "create") ? LIANA_OPEN_CREATE : 0;
    if (cli_use(cli_operand(args, 0), &open, &db, &err)) {
        return cli_fail(cli, &err);
    }
    return cli_close(cli, db, import_into(cli, args, db));
}

const struct cli_cmd cli_cmd_import = {
    .name = "import",
    .summary = "bring in JSON lines, CSV or BSON",
    .operands = "STORE COLLECTION [FILE]",
    .operands_min = 2,
    .operands_max = 3,
    .options = options,
    .run = run,
    .help =
        "Reads FILE (or standard input) into COLLECTION. A document without _id gets "
        "an "
        "ObjectId. The store may be in use by a running peer, hub or app.\n"
        "\n"
        "CSV is RFC 4180: quotes double, lines inside quotes; a byte order mark and "
        "CRLF "
        "are understood. A field that is a whole number is int32 or int64, another "
        "number double, anything else a string; a number that would not read the same "
        "again (leading zeros, a plus sign, a whole number beyond int64) stays a "
        "string.\n"
        "\n"
        "    liana import store stock stock.json\n"
        "    liana import store airports airports.dat --null='\\N' --id=id \\\n"
        "        --fields=id,name,city,country,iata,icao\n"
        "    liana import store sales sales.csv \\\n"
        "        --types='price:decimal,date:date(%Y-%m-%d %H:%M:%S)'\n"
        "\n"
        "Exit code 3: done, but for bad lines that were skipped.",
};
