/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "cli/cmds.h"
#include "cli/help.h"

static const struct {
    const char *name;
    const char *text;
} variables[] = {
    {"NO_COLOR",
     "if set, no colours (https://no-color.org); --color=always overrules it"},
    {"TERM", "no colours either on a terminal that is `dumb`"},
    {"HOME", "where `liana shell` keeps its history, .liana_history"},
    {"TMPDIR", "where `liana demo` makes its folder, else /tmp"},
    {"MONGODB_URI", "the MongoDB server of `liana demo`"}};

/* Text of ours in a man page: a backslash is \e, a dash that can be copied is \-, and a
 * line must not begin with a dot or an apostrophe. */
static void put_text(FILE *file, const char *text, size_t len)
{
    bool is_line_start = true;

    for (size_t i = 0; i < len; i++) {
        if (is_line_start && (text[i] == '.' || text[i] == '\'')) {
            fputs("\\&", file);
        }
        if (text[i] == '\\') {
            fputs("\\e", file);
        } else if (text[i] == '-') {
            fputs("\\-", file);
        } else {
            putc(text[i], file);
        }
        is_line_start = text[i] == '\n';
    }
}

static void put(FILE *file, const char *text)
{
    put_text(file, text, strlen(text));
}

static void put_paragraphs(FILE *file, const char *text)
{
    struct cli_paragraph paragraph;

    while (cli_help_paragraph(&text, &paragraph)) {
        fputs(paragraph.is_kept ? ".PP\n.nf\n" : ".PP\n", file);
        put_text(file, paragraph.ptr, paragraph.len);
        fputs(paragraph.is_kept ? "\n.fi\n" : "\n", file);
    }
}

static void put_options(FILE *file, const struct cli_option *option)
{
    char names[120];
    char text[400];

    for (; option && option->name; option++) {
        cli_help_option_names(names, sizeof(names), option);
        cli_help_option_text(text, sizeof(text), option);
        fputs(".TP\n.B ", file);
        put(file, names + strspn(names, " "));
        putc('\n', file);
        put(file, text);
        fputs(".\n", file);
    }
}

static void put_exits(FILE *file)
{
    fputs(".SH EXIT STATUS\n", file);
    for (const struct cli_exit *exit = cli_exits; exit->text; exit++) {
        fprintf(file, ".TP\n.B %d\n%s.\n", exit->code, exit->text);
    }
}

static void put_variables(FILE *file)
{
    fputs(".SH ENVIRONMENT\n", file);
    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
        fprintf(file, ".TP\n.B %s\n", variables[i].name);
        put(file, variables[i].text);
        fputs(".\n", file);
    }
}

static void put_overview(FILE *file)
{
    fprintf(file, ".TH LIANA 1 \"\" \"Liana %s\"\n", liana_version());
    fputs(".SH NAME\nliana \\- an offline\\-first document database for devices\n"
          ".SH SYNOPSIS\n.B liana\n.I COMMAND\n[OPTIONS] ...\n.SH COMMANDS\n",
          file);
    for (size_t i = 0; cli_commands[i]; i++) {
        fprintf(file, ".TP\n.BR liana\\-%s (1)\n", cli_commands[i]->name);
        put(file, cli_commands[i]->summary);
        fputs(".\n", file);
    }
    fputs(".SH OPTIONS OF EVERY COMMAND\n", file);
    put_options(file, cli_common_options);
    put_exits(file);
    put_variables(file);
}

void cli_help_man(FILE *file, const struct cli_cmd *cmd)
{
    if (!cmd) {
        put_overview(file);
        return;
    }
    fprintf(file, ".TH LIANA\\-%s 1 \"\" \"Liana %s\"\n.SH NAME\nliana\\-%s \\- ",
            cmd->name, liana_version(), cmd->name);
    put(file, cmd->summary);
    fprintf(file, "\n.SH SYNOPSIS\n.B liana %s\n[OPTIONS] ", cmd->name);
    put(file, cmd->operands);
    fputs("\n.SH DESCRIPTION\n", file);
    put_paragraphs(file, cmd->help ? cmd->help : cmd->summary);
    fputs(".SH OPTIONS\n", file);
    put_options(file, cmd->options);
    put_options(file, cli_common_options);
    put_exits(file);
    fputs(".SH SEE ALSO\n.BR liana (1)\n", file);
}
