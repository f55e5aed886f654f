/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CLI_OUTPUT_H
#define LIA_CLI_OUTPUT_H
/*
 * cli/output - results, notes, errors and progress, for people and for programs.
 *
 * Rules: see cli/command.h. Text from outside (names, messages, values) is printed with
 * control characters shown as \xNN, so that data cannot drive a terminal.
 * Ownership: nothing is kept. Threads: the main thread.
 */
#include <bson/bson.h>
#include <stdarg.h>

#include "cli/command.h"

/* Prints an error, as a line of text or with --json as {"error": {"status", "message"}},
 * and answers the exit code for its status. */
int cli_fail(struct cli *cli, const struct liana_error *err);
int cli_error(struct cli *cli, liana_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* For the shell: CLI_OK for LIANA_OK, else by category. */
int cli_exit_code(liana_status status);

/* A line on stderr about what is going on; nothing with --quiet or --json. */
void cli_note(struct cli *cli, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* One result: BSON as a line of relaxed (canonical if asked for) Extended JSON. False
 * with `err` set, or when stdout takes no more (`err` is untouched then): the command
 * should end. */
bool cli_print_document(struct cli *cli,
                        struct liana_slice document,
                        int32_t form,
                        struct liana_error *err);
bool cli_print_bson(struct cli *cli, const bson_t *document);

/* `text` with control characters made visible. */
void cli_print_text(FILE *file, struct liana_str text);
/* A line of such text. */
void cli_print_line(FILE *file, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/* Looks whether `out` took what was written; the commands' own writes call it, too. */
bool cli_out_takes_more(struct cli *cli);

/* The same, once everything is on its way; what is told line by line calls it for each. */
bool cli_flush(struct cli *cli);

/* The reader has left (`liana ... | head`): it wants no more, which is no failure. */
bool cli_out_is_left(const struct cli *cli);

/* What a command answers when `out` takes no more: CLI_OK when the reader has left, else
 * it says why. */
int cli_out_failed(struct cli *cli);

/* Flushes; a result that could not be written turns success into failure. */
int cli_finish(struct cli *cli, int rc);

/* ---- progress: one line on a terminal that is drawn over, nothing elsewhere ---- */

struct cli_progress {
    struct cli *cli;
    const char *what;
    uint64_t total; /* 0: not known */
    uint64_t shown_ms;
    bool is_drawn;
};

void cli_progress_start(struct cli_progress *progress,
                        struct cli *cli,
                        const char *what,
                        uint64_t total);
/* Cheap: draws at most ten times a second. */
void cli_progress_set(struct cli_progress *progress, uint64_t done);
/* Takes the line away. */
void cli_progress_end(struct cli_progress *progress);

/* ---- colours: "" where they are not wanted ---- */

enum cli_colour { CLI_PLAIN, CLI_BOLD, CLI_DIM, CLI_RED, CLI_GREEN, CLI_YELLOW };

const char *cli_out_colour(const struct cli *cli, enum cli_colour colour);
const char *cli_err_colour(const struct cli *cli, enum cli_colour colour);

/* Milliseconds and microseconds that never go back. */
uint64_t cli_now_ms(void);
uint64_t cli_now_us(void);

#endif
