/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/cmds.h"
#include "cli/error.h"
#include "cli/output.h"
#include "cli/quote.h"
#include "cli/signals.h"
#include "cli/stats.h"
#include "cli/use.h"

static const struct cli_option options[] = {
    {.name = "format",
     .type = CLI_CHOICE,
     .value = "json|bson",
     .fallback = "json",
     .help = "json: Extended JSON, one document a line; bson: the documents' bytes one "
             "behind the other, as mongodump writes them"},
    {.name = "form",
     .type = CLI_CHOICE,
     .value = "canonical|relaxed",
     .fallback = "canonical",
     .help = "the Extended JSON; canonical keeps every type"},
    {.name = "query",
     .type = CLI_TEXT,
     .value = "SELECT",
     .help = "export the rows of this statement instead of a collection"},
    {.name = "out",
     .letter = 'o',
     .type = CLI_TEXT,
     .value = "FILE",
     .help = "write to FILE instead of standard output; it is there only when it is "
             "whole"},
    {0},
};

/* What the collection holds now, for the progress bar. Where it is not there, a name was
 * mistyped more likely than not: unlike a query, which then has no rows, an export of it
 * is an error. */
static liana_status count_documents(liana_db *db,
                                    const char *collection,
                                    uint64_t *out,
                                    struct liana_error *err)
{
    bool is_system = strncmp(collection, "system:", 7) == 0;
    struct cli_stats stats;
    size_t at = 0;
    size_t count;
    liana_status status = LIANA_OK;

    if (cli_stats_read(db, &stats, err)) {
        return err->status;
    }
    count = cli_stats_count(&stats, "collections");
    while (at < count && strcmp(cli_stats_text(&stats, "collections.%zu.name", at),
                                collection) != 0) {
        at++;
    }
    if (at < count) {
        *out = (uint64_t)cli_stats_number(&stats, "collections.%zu.documents", at);
    } else if (!is_system) {
        status = cli_err(err, LIANA_ENOTFOUND, "there is no collection '%s' in %s",
                         collection, cli_stats_text(&stats, "store.path"));
    }
    cli_stats_free(&stats);
    return status;
}

struct export
{
    struct cli *cli; /* `out` is where the rows go */
    bool is_bson;
    int32_t form;
    struct cli_progress progress;
};

static bool write_row(struct export *e, struct liana_slice row, struct liana_error *err)
{
    if (!e->is_bson) {
        return cli_print_document(e->cli, row, e->form, err);
    }
    fwrite(row.ptr, 1, row.len, e->cli->out);
    return cli_out_takes_more(e->cli);
}

static int export_rows(struct export *e, liana_result *result)
{
    struct liana_error err = LIANA_ERROR_INIT;
    struct liana_slice row;
    uint64_t count = 0;
    liana_status status;

    while ((status = liana_result_next(result, &row, &err)) == LIANA_OK) {
        if (cli_stop_wanted()) {
            return CLI_STOPPED;
        }
        if (!write_row(e, row, &err)) {
            cli_progress_end(&e->progress);
            return err.status ? cli_fail(e->cli, &err) : cli_out_failed(e->cli);
        }
        cli_progress_set(&e->progress, ++count);
    }
    cli_progress_end(&e->progress);
    if (status != LIANA_EEND) {
        return cli_fail(e->cli, &err);
    }
    cli_note(e->cli, "%llu documents exported", (unsigned long long)count);
    return CLI_OK;
}

static int export_statement(struct cli *cli,
                            const struct cli_args *args,
                            liana_db *db,
                            const char *statement)
{
    struct liana_error err = LIANA_ERROR_INIT;
    const char *collection = cli_operand(args, 1);
    struct export e = {.cli = cli};
    liana_result *result;
    uint64_t count = 0;
    int rc;

    e.is_bson = strcmp(cli_text(args, "format"), "bson") == 0;
    e.form = strcmp(cli_text(args, "form"), "relaxed") == 0 ? LIANA_JSON_RELAXED
                                                            : LIANA_JSON_CANONICAL;
    if (collection && count_documents(db, collection, &count, &err)) {
        return cli_fail(cli, &err);
    }
    cli_progress_start(&e.progress, cli, "export", count);
    if (liana_execute(db, cli_str(statement), LIANA_NONE, &result, &err)) {
        return cli_fail(cli, &err);
    }
    rc = export_rows(&e, result);
    cli_progress_end(&e.progress);
    liana_result_free(result);
    return rc;
}

static int export_store(struct cli *cli, const struct cli_args *args)
{
    struct liana_error err = LIANA_ERROR_INIT;
    char *all = cli_given(args, "query") ? NULL : cli_select_all(cli_operand(args, 1));
    liana_db *db;
    int rc;

    if (!all && !cli_given(args, "query")) {
        return cli_error(cli, LIANA_ENOMEM, "out of memory");
    }
    if (cli_use(cli_operand(args, 0), NULL, &db, &err)) {
        rc = cli_fail(cli, &err);
    } else {
        rc = export_statement(cli, args, db, all ? all : cli_text(args, "query"));
        rc = cli_close(cli, db, rc);
    }
    cli_free(all);
    return rc;
}

/* Exports into `name`; what is not whole is taken away if it may be. */
static int export_to(struct cli *cli,
                     const struct cli_args *args,
                     const char *name,
                     bool is_ours)
{
    struct cli to_file = *cli;
    int rc;

    to_file.out = fopen(name, "wb");
    to_file.out_name = name;
    if (!to_file.out) {
        return cli_error(cli, LIANA_EIO, "%s: %s", name, strerror(errno));
    }
    rc = cli_finish(&to_file, export_store(&to_file, args));
    if (fclose(to_file.out) != 0 && rc == CLI_OK) {
        rc = cli_error(cli, LIANA_EIO, "%s: %s", name, strerror(errno));
    }
    if (rc != CLI_OK && is_ours) {
        remove(name);
    }
    return rc;
}

/* Into FILE.part first, so that FILE is whole or as it was; a device or a pipe stays what
 * it is. */
static int export_file(struct cli *cli, const struct cli_args *args, const char *path)
{
    struct stat info;
    char part[4096];
    int rc;

    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode)) {
        return export_to(cli, args, path, false);
    }
    if (snprintf(part, sizeof(part), "%s.part", path) >= (int)sizeof(part)) {
        return cli_error(cli, LIANA_EINVAL, "--out: the name is too long");
    }
    rc = export_to(cli, args, part, true);
    if (rc == CLI_OK && rename(part, path) != 0) {
        rc = cli_error(cli, LIANA_EIO, "%s: %s", path, strerror(errno));
        remove(part);
    }
    return rc;
}

static int run(struct cli *cli, const struct cli_args *args)
{
    const char *path = cli_text(args, "out");

    if ((cli_operand_count(args) == 2) == cli_given(args, "query")) {
        return cli_error(cli, LIANA_EINVAL,
                         "give a collection or --query, one of them");
    }
    return path ? export_file(cli, args, path) : export_store(cli, args);
}

const struct cli_cmd cli_cmd_export = {
    .name = "export",
    .summary = "write a collection as JSON lines or BSON",
    .operands = "STORE [COLLECTION]",
    .operands_min = 1,
    .operands_max = 2,
    .options = options,
    .run = run,
    .help =
        "Writes every document of COLLECTION as of one moment. A COLLECTION that is "
        "not there is an error (exit code 4); one that is empty gives no line. The "
        "store may be in "
        "use by a running peer, hub or app. What json in canonical form or bson "
        "holds comes back unchanged with 'liana import'.",
};
