/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CLI_COMMAND_H
#define LIA_CLI_COMMAND_H
/*
 * cli/command - what a subcommand of `liana` is, and what it is given.
 *
 * A command is one file, cmd_<name>.c, that defines `const struct cli_cmd cli_cmd_<name>`,
 * and one row in commands.def. Its options are a table: the parser, --help, the man
 * page and the completion of shells are made from it.
 *
 * Rules: results go to stdout, everything else (progress, notes, errors) to stderr. With
 * --json every result is one line of Extended JSON and an error is {"error": {...}} on
 * stderr. Colour and progress only where a person looks on: a terminal.
 * Ownership: tables are static; arguments live until the program ends.
 * Threads: commands run on the main thread.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "liana/liana.h"

/* What `liana` answers to the shell. */
enum {
    CLI_OK = 0,
    CLI_FAILED = 1,    /* the error says why */
    CLI_USAGE = 2,     /* the command line or a statement is wrong */
    CLI_PARTLY = 3,    /* done but for something that was said */
    CLI_NOT_FOUND = 4, /* no such store or item; or it is already there */
    CLI_BUSY = 5,      /* in use, timed out: the same call may work later */
    CLI_STOPPED = 130  /* by SIGINT, SIGTERM or SIGHUP, in order */
};

enum cli_type {
    CLI_FLAG,   /* --name */
    CLI_TEXT,   /* --name=TEXT; the last one counts */
    CLI_LIST,   /* --name=TEXT, as often as wanted */
    CLI_NUMBER, /* --name=N, a whole number from `min` to `max` */
    CLI_CHOICE  /* --name=WORD, one of `value` ("a|b|c") */
};

/* One row of a command's options; a table ends with {0}. */
struct cli_option {
    const char *name;
    char letter; /* -x, or 0 */
    enum cli_type type;
    const char *value;    /* how help names the value: "FILE"; the words of a choice */
    const char *fallback; /* the value when the option is not given; NULL: none */
    int64_t min;
    int64_t max;
    const char *help; /* one sentence, without a full stop at its end */
};

struct cli;
struct cli_args;

struct cli_cmd {
    const char *name;
    const char *summary; /* half a line: "run statements on a store" */
    /* "STORE [FILE]", "" if there are none; small letters are words that are to be given
     * as they are: "bash|zsh|fish". */
    const char *operands;
    size_t operands_min;
    size_t operands_max; /* SIZE_MAX: any number */
    const struct cli_option *options;
    int (*run)(struct cli *cli, const struct cli_args *args);
    const char
        *help; /* paragraphs; lines that begin with four blanks stay as they are */
};

/* What every command gets. */
struct cli {
    const char *program; /* the path of this binary, for starting it again */
    FILE *out;
    const char *out_name; /* for messages */
    int out_errno;        /* of the first write to `out` that failed, or 0 */
    FILE *err;
    bool json;
    bool quiet;
    bool out_colour;
    bool err_colour;
    bool err_terminal; /* progress may be drawn over itself */
    bool
        leaves_thread; /* one still waits for MongoDB: the process ends without exit() */
};

/* ---- arguments ---- */

/* Options are asked for by name; a name that is not in the table, or of another type, is
 * a bug and ends the program. */
bool cli_flag(const struct cli_args *args, const char *name);
const char *cli_text(const struct cli_args *args, const char *name); /* or NULL */
int64_t cli_number(const struct cli_args *args, const char *name);
bool cli_given(const struct cli_args *args, const char *name);
/* The values of a list one by one, from 0; NULL behind the last. */
const char *cli_list_at(const struct cli_args *args, const char *name, size_t index);

size_t cli_operand_count(const struct cli_args *args);
const char *cli_operand(const struct cli_args *args, size_t index); /* or NULL */

/* ---- the commands ---- */

extern const struct cli_cmd *const cli_commands[]; /* for people; ends with NULL */
/* Finds internal ones, too. */
const struct cli_cmd *cli_find_command(const char *name);
extern const struct cli_option cli_common_options[];

#endif
