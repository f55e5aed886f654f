/* SPDX-License-Identifier: Apache-2.0 */
#include <histedit.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cmds.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "cli/statement.h"
#include "cli/use.h"

#define HISTORY_LINES 1000

struct shell {
    struct cli *cli;
    liana_db *db;
    liana_txn *txn; /* between .begin and .commit */
    char *text;     /* what was typed and is not run yet */
    size_t len;
    bool is_over;
};

static const char *prompt(EditLine *line)
{
    struct shell *shell;

    el_get(line, EL_CLIENTDATA, &shell);
    if (shell->len > 0) {
        return "   ...> ";
    }
    return shell->txn ? "liana*> " : "liana> ";
}

/* ---- dot commands ---- */

struct dot {
    const char *name;
    const char *help;
    void (*run)(struct shell *shell);
};

static void fail(struct shell *shell, const struct liana_error *err)
{
    if (err->status) {
        cli_fail(shell->cli, err);
    }
}

static void dot_begin(struct shell *shell)
{
    struct liana_error err = LIANA_ERROR_INIT;

    if (shell->txn) {
        cli_error(shell->cli, LIANA_EMISUSE, "a transaction is open already");
    } else if (liana_begin(shell->db, NULL, &shell->txn, &err)) {
        fail(shell, &err);
    }
}

static void dot_commit(struct shell *shell)
{
    struct liana_error err = LIANA_ERROR_INIT;
    liana_txn *txn = shell->txn;

    shell->txn = NULL;
    if (!txn) {
        cli_error(shell->cli, LIANA_EMISUSE, "no transaction is open");
    } else if (liana_commit(txn, NULL, &err)) {
        fail(shell, &err);
    }
}

static void dot_rollback(struct shell *shell)
{
    liana_rollback(shell->txn);
    shell->txn = NULL;
}

static void dot_quit(struct shell *shell)
{
    shell->is_over = true;
}

static void dot_help(struct shell *shell);

static const struct dot dots[] = {
    {".begin", "statements from here on are one transaction", dot_begin},
    {".commit", "ends it", dot_commit},
    {".rollback", "undoes it", dot_rollback},
    {".help", "this list", dot_help},
    {".quit", "leaves the shell (also end of file)", dot_quit},
};

#define DOT_COUNT (sizeof(dots) / sizeof(dots[0]))

static void dot_help(struct shell *shell)
{
    fprintf(
        shell->cli->out,
        "A statement ends with a semicolon: SELECT, INSERT, UPDATE, DELETE, EVICT, "
        "EXPLAIN,\nCREATE, ALTER and DROP COLLECTION. What is declared of collections: "
        "SELECT * FROM _liana.collections;\n");
    for (size_t i = 0; i < DOT_COUNT; i++) {
        fprintf(shell->cli->out, "  %-10s %s\n", dots[i].name, dots[i].help);
    }
}

static void run_dot(struct shell *shell, const char *line)
{
    size_t len = strcspn(line, " \t\r\n");

    for (size_t i = 0; i < DOT_COUNT; i++) {
        if (strlen(dots[i].name) == len && memcmp(dots[i].name, line, len) == 0) {
            dots[i].run(shell);
            return;
        }
    }
    cli_error(shell->cli, LIANA_EINVAL, "%.*s is no command; try .help", (int)len,
              line);
}

/* ---- statements ---- */

/* Runs what is whole and keeps the rest; `is_last` takes the rest for whole. */
static void run_whole(struct shell *shell, bool is_last)
{
    size_t at = 0;

    while (at < shell->len && !cli_stop_wanted()) {
        struct liana_error err = LIANA_ERROR_INIT;
        struct liana_str rest = {shell->text + at, shell->len - at};
        bool is_whole;
        struct liana_str one = {rest.ptr, cli_statement_len(rest, &is_whole)};

        if (!is_whole && !is_last && !cli_statement_is_blank(rest)) {
            break;
        }
        if (!cli_statement_is_blank(one) &&
            !cli_run_statement(shell->cli, shell->db, shell->txn, one, LIANA_NONE,
                               LIANA_JSON_RELAXED, &err)) {
            fail(shell, &err);
        }
        at += one.len + (is_whole ? 1 : 0);
    }
    memmove(shell->text, shell->text + at, shell->len - at);
    shell->len -= at;
}

static void take_line(struct shell *shell, const char *line, size_t len)
{
    char *text;

    if (shell->len == 0 && line[0] == '.') {
        run_dot(shell, line);
        return;
    }
    text = realloc(shell->text, shell->len + len + 1);
    if (!text) {
        cli_error(shell->cli, LIANA_ENOMEM, "out of memory");
        shell->len = 0;
        return;
    }
    memcpy(text + shell->len, line, len);
    shell->text = text;
    shell->len += len;
    run_whole(shell, false);
}

/* ---- where lines come from ---- */

static bool history_path(char *path, size_t size)
{
    const char *home = getenv("HOME");

    return home && snprintf(path, size, "%s/.liana_history", home) < (int)size;
}

static void read_terminal(struct shell *shell)
{
    char path[4096];
    bool has_path = history_path(path, sizeof(path));
    HistEvent event;
    History *past = history_init();
    EditLine *line = el_init("liana", stdin, shell->cli->out, shell->cli->err);
    const char *text;
    int len;

    history(past, &event, H_SETSIZE, HISTORY_LINES);
    if (has_path) {
        history(past, &event, H_LOAD, path);
    }
    el_set(line, EL_CLIENTDATA, shell);
    el_set(line, EL_PROMPT, prompt);
    el_set(line, EL_EDITOR, "emacs");
    el_set(line, EL_SIGNAL, 1);
    el_set(line, EL_HIST, history, past);
    el_source(line, NULL);
    while (!shell->is_over && !cli_stop_wanted() && (text = el_gets(line, &len)) &&
           len > 0) {
        history(past, &event, H_ENTER, text);
        take_line(shell, text, (size_t)len);
        fflush(shell->cli->out);
    }
    if (has_path) {
        history(past, &event, H_SAVE, path);
    }
    el_end(line);
    history_end(past);
}

static void read_pipe(struct shell *shell)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;

    while (!shell->is_over && !cli_stop_wanted() &&
           (len = getline(&line, &cap, stdin)) > 0) {
        take_line(shell, line, (size_t)len);
    }
    free(line);
}

static int run(struct cli *cli, const struct cli_args *args)
{
    struct liana_error err = LIANA_ERROR_INIT;
    struct shell shell = {.cli = cli};

    if (cli_use(cli_operand(args, 0), NULL, &shell.db, &err)) {
        return cli_fail(cli, &err);
    }
    if (isatty(STDIN_FILENO)) {
        cli_note(cli,
                 "liana %s. Statements end with ';', .help lists what else there "
                 "is.",
                 liana_version());
        read_terminal(&shell);
        fputc('\n', cli->out);
    } else {
        read_pipe(&shell);
    }
    run_whole(&shell, true);
    if (shell.txn) {
        cli_note(cli, "The open transaction was rolled back.");
    }
    liana_rollback(shell.txn);
    free(shell.text);
    return cli_close(cli, shell.db, cli_stop_wanted() ? CLI_STOPPED : CLI_OK);
}

const struct cli_cmd cli_cmd_shell = {
    .name = "shell",
    .summary = "type statements and see their rows",
    .operands = "STORE",
    .operands_min = 1,
    .operands_max = 1,
    .run = run,
    .help = "A line editor with history (~/.liana_history) when standard input is a "
            "terminal; else statements are read from it. A statement ends with a "
            "semicolon. One that fails says why and the shell goes on: scripts that "
            "must stop use 'liana exec'.",
};
