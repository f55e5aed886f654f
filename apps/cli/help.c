/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/help.h"

#include <string.h>

static const struct {
    int code;
    const char *text;
} exits[] = {{CLI_OK, "done"},
             {CLI_FAILED, "failed; the message says why"},
             {CLI_USAGE, "the command line or a statement is wrong"},
             {CLI_PARTLY, "done, but for something that was said"},
             {CLI_NOT_FOUND, "not found, or already there"},
             {CLI_BUSY, "in use or timed out: try again later"},
             {CLI_STOPPED, "stopped by a signal, in order"}};

/* ---- text ---- */

void cli_help_overview(FILE *file)
{
    fputs("liana - an offline-first document database for devices\n\n"
          "usage: liana COMMAND [OPTIONS] ...\n\n",
          file);
    for (size_t i = 0; cli_commands[i]; i++) {
        fprintf(file, "    %-10s %s\n", cli_commands[i]->name,
                cli_commands[i]->summary);
    }
    fputs("\n'liana help COMMAND' explains one of them.\n", file);
}

/* "-h, --help", "    --listen=HOST:PORT" */
static void option_names(char *out, size_t size, const struct cli_option *option)
{
    char letter[5] = "    ";

    if (option->letter) {
        snprintf(letter, sizeof(letter), "-%c, ", option->letter);
    }
    snprintf(out, size, "%s--%s%s%s", letter, option->name,
             option->type == CLI_FLAG ? "" : "=",
             option->type == CLI_FLAG ? "" : option->value);
}

static void option_notes(FILE *file, const struct cli_option *option)
{
    if (option->type == CLI_LIST) {
        fputs("; may be given more than once", file);
    }
    if (option->fallback) {
        fprintf(file, " (default: %s)", option->fallback);
    }
}

static void print_options(FILE *file, const struct cli_option *option)
{
    enum { COLUMN = 32 };
    char names[120];

    for (; option && option->name; option++) {
        option_names(names, sizeof(names), option);
        if (strlen(names) < COLUMN) {
            fprintf(file, "    %-*s %s", COLUMN, names, option->help);
        } else {
            fprintf(file, "    %s\n    %-*s %s", names, COLUMN, "", option->help);
        }
        option_notes(file, option);
        putc('\n', file);
    }
}

void cli_help_command(FILE *file, const struct cli_cmd *cmd)
{
    fprintf(file, "liana %s - %s\n\nusage: liana %s [OPTIONS]%s%s\n\n", cmd->name,
            cmd->summary, cmd->name, cmd->operands[0] ? " " : "", cmd->operands);
    if (cmd->help) {
        fprintf(file, "%s\n", cmd->help);
    }
    if (cmd->options && cmd->options->name) {
        fputs("Options:\n", file);
        print_options(file, cmd->options);
        putc('\n', file);
    }
    fputs("Options of every command:\n", file);
    print_options(file, cli_common_options);
}

/* ---- man pages ---- */

/* Text of ours in a man page: a backslash is \e, a dash that can be copied is \-, and a
 * line must not begin with a dot or an apostrophe. */
static void man_text(FILE *file, const char *text)
{
    bool is_line_start = true;

    for (; *text; text++) {
        if (is_line_start && (*text == '.' || *text == '\'')) {
            fputs("\\&", file);
        }
        if (*text == '\\') {
            fputs("\\e", file);
        } else if (*text == '-') {
            fputs("\\-", file);
        } else {
            putc(*text, file);
        }
        is_line_start = *text == '\n';
    }
}

/* Paragraphs: an empty line parts them, lines that begin with four blanks stay. */
static void man_paragraphs(FILE *file, const char *text)
{
    bool is_kept = false;
    char line[200];

    while (*text) {
        size_t len = strcspn(text, "\n");
        bool keep = strncmp(text, "    ", 4) == 0;

        snprintf(line, sizeof(line), "%.*s", (int)len, text);
        if (keep != is_kept) {
            fputs(keep ? ".PP\n.nf\n" : ".fi\n", file);
            is_kept = keep;
        }
        if (len == 0) {
            fputs(".PP\n", file);
        } else {
            man_text(file, line);
            putc('\n', file);
        }
        text += len + (text[len] == '\n');
    }
    if (is_kept) {
        fputs(".fi\n", file);
    }
}

static void man_options(FILE *file, const struct cli_option *option)
{
    char names[120];

    for (; option && option->name; option++) {
        option_names(names, sizeof(names), option);
        fputs(".TP\n.B ", file);
        man_text(file, names + strspn(names, " "));
        putc('\n', file);
        man_text(file, option->help);
        option_notes(file, option);
        fputs(".\n", file);
    }
}

static void man_exits(FILE *file)
{
    fputs(".SH EXIT STATUS\n", file);
    for (size_t i = 0; i < sizeof(exits) / sizeof(exits[0]); i++) {
        fprintf(file, ".TP\n.B %d\n%s.\n", exits[i].code, exits[i].text);
    }
}

static void man_overview(FILE *file)
{
    fprintf(file, ".TH LIANA 1 \"\" \"Liana %s\"\n", liana_version());
    fputs(".SH NAME\nliana \\- an offline\\-first document database for devices\n"
          ".SH SYNOPSIS\n.B liana\n.I COMMAND\n[OPTIONS] ...\n.SH COMMANDS\n",
          file);
    for (size_t i = 0; cli_commands[i]; i++) {
        fprintf(file, ".TP\n.BR liana\\-%s (1)\n", cli_commands[i]->name);
        man_text(file, cli_commands[i]->summary);
        fputs(".\n", file);
    }
    man_exits(file);
}

void cli_help_man(FILE *file, const struct cli_cmd *cmd)
{
    if (!cmd) {
        man_overview(file);
        return;
    }
    fprintf(file, ".TH LIANA\\-%s 1 \"\" \"Liana %s\"\n.SH NAME\nliana\\-%s \\- ",
            cmd->name, liana_version(), cmd->name);
    man_text(file, cmd->summary);
    fprintf(file, "\n.SH SYNOPSIS\n.B liana %s\n[OPTIONS] ", cmd->name);
    man_text(file, cmd->operands);
    fputs("\n.SH DESCRIPTION\n", file);
    man_paragraphs(file, cmd->help ? cmd->help : cmd->summary);
    fputs(".SH OPTIONS\n", file);
    man_options(file, cmd->options);
    man_options(file, cli_common_options);
    man_exits(file);
    fputs(".SH SEE ALSO\n.BR liana (1)\n", file);
}
