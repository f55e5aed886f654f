/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/statement.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "cli/output.h"

/* ---- where a statement ends ---- */

static bool begins(struct liana_str text, size_t at, const char *what)
{
    size_t len = strlen(what);

    return text.len - at >= len && memcmp(text.ptr + at, what, len) == 0;
}

/* Behind the quoted text, comment or single character at `at`. */
static size_t skip(struct liana_str text, size_t at)
{
    char quote = text.ptr[at];

    if (begins(text, at, "--")) {
        while (at < text.len && text.ptr[at] != '\n') {
            at++;
        }
        return at;
    }
    if (begins(text, at, "/*")) {
        for (at += 2; at < text.len; at++) {
            if (begins(text, at, "*/")) {
                return at + 2;
            }
        }
        return at;
    }
    if (quote != '\'' && quote != '"' && quote != '`') {
        return at + 1;
    }
    for (at++; at < text.len && text.ptr[at] != quote; at++) {
        if (text.ptr[at] == '\\' && quote != '`' && at + 1 < text.len) {
            at++;
        }
    }
    return at < text.len ? at + 1 : at;
}

size_t cli_statement_len(struct liana_str text, bool *is_whole)
{
    size_t at = 0;

    while (at < text.len && text.ptr[at] != ';') {
        at = skip(text, at);
    }
    *is_whole = at < text.len;
    return at;
}

/* Behind blanks, comments and semicolons. */
static size_t skip_blank(struct liana_str text)
{
    size_t at = 0;

    while (at < text.len &&
           (begins(text, at, "--") || begins(text, at, "/*") || text.ptr[at] == ';' ||
            isspace((unsigned char)text.ptr[at]))) {
        at = skip(text, at);
    }
    return at;
}

bool cli_statement_is_blank(struct liana_str text)
{
    return skip_blank(text) == text.len;
}

bool cli_statement_reads(struct liana_str text)
{
    static const char *const words[] = {"SELECT", "EXPLAIN"};
    size_t at = skip_blank(text);

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t len = strlen(words[i]);

        if (text.len - at >= len && strncasecmp(text.ptr + at, words[i], len) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- running one ---- */

static void say_count(struct cli *cli,
                      struct liana_str text,
                      uint64_t rows,
                      const liana_result *result)
{
    uint64_t mutations = liana_result_mutations(result);
    uint64_t waiting = liana_result_waiting(result);

    if (rows > 0 || cli_statement_reads(text)) {
        cli_note(cli, "%" PRIu64 " row%s", rows, rows == 1 ? "" : "s");
    } else if (cli->json) {
        fprintf(cli->out,
                "{\"mutations\": %" PRIu64 ", \"waiting\": %" PRIu64
                ", \"seq\": %" PRIu64 "}\n",
                mutations, waiting, liana_result_seq(result));
    } else {
        cli_note(cli, "%" PRIu64 " document%s changed", mutations,
                 mutations == 1 ? "" : "s");
    }
    if (waiting && !cli->json) {
        cli_note(cli,
                 "%" PRIu64
                 " document%s stay%s: %s not known to be held by a keeper (a "
                 "hub), or a peer has still to get %s from here",
                 waiting, waiting == 1 ? "" : "s", waiting == 1 ? "s" : "",
                 waiting == 1 ? "it is" : "they are", waiting == 1 ? "it" : "them");
    }
}

bool cli_run_statement(struct cli *cli,
                       liana_db *db,
                       liana_txn *txn,
                       struct liana_str text,
                       struct liana_slice params,
                       int32_t form,
                       struct liana_error *err)
{
    liana_result *result;
    struct liana_slice row;
    uint64_t rows = 0;
    bool is_printed = true;
    liana_status status = txn ? liana_txn_execute(txn, text, params, &result, err)
                              : liana_execute(db, text, params, &result, err);

    if (status) {
        return false;
    }
    while (is_printed && (status = liana_result_next(result, &row, err)) == LIANA_OK) {
        is_printed = cli_print_document(cli, row, form, err);
        rows++;
    }
    if (is_printed && status == LIANA_EEND) {
        say_count(cli, text, rows, result);
        *err = (struct liana_error)LIANA_ERROR_INIT;
    }
    liana_result_free(result);
    /* Whoever reads decides how much is printed, not how much is done. */
    if (!cli_out_takes_more(cli) && !cli_out_is_left(cli)) {
        cli_out_failed(cli);
    }
    return (is_printed && status == LIANA_EEND) || cli_out_is_left(cli);
}
