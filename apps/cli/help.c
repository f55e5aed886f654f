/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/help.h"

#include <string.h>

#include "cli/cmds.h"

#define WIDTH 79

const struct cli_exit cli_exits[] = {
    {CLI_OK, "done"},
    {CLI_FAILED, "failed; the message says why"},
    {CLI_USAGE, "the command line or a statement is wrong"},
    {CLI_PARTLY, "done, but for something that was said"},
    {CLI_NOT_FOUND, "not found, or already there"},
    {CLI_BUSY, "in use or timed out: try again later"},
    {CLI_STOPPED, "stopped by a signal before it was done, in order"},
    {0, NULL}};

/* ---- lines ---- */

/* Words that flow from `column` on, and from `indent` on in every further line. */
struct flow {
    FILE *file;
    size_t indent;
    size_t column;
    bool is_empty; /* nothing stands in this line but the indent */
};

static void put_word(struct flow *flow, const char *word, size_t len)
{
    if (!flow->is_empty && flow->column + 1 + len > WIDTH) {
        fprintf(flow->file, "\n%*s", (int)flow->indent, "");
        flow->column = flow->indent;
        flow->is_empty = true;
    }
    fprintf(flow->file, "%s%.*s", flow->is_empty ? "" : " ", (int)len, word);
    flow->column += len + (flow->is_empty ? 0 : 1);
    flow->is_empty = false;
}

static void put_words(struct flow *flow, const char *text, size_t len)
{
    while (len > 0) {
        size_t word = 0;

        while (word < len && text[word] != ' ' && text[word] != '\n') {
            word++;
        }
        if (word > 0) {
            put_word(flow, text, word);
        }
        word += word < len ? 1 : 0;
        text += word;
        len -= word;
    }
}

bool cli_help_paragraph(const char **text, struct cli_paragraph *out)
{
    const char *at = *text + strspn(*text, "\n");
    const char *end = at;

    out->is_kept = strncmp(at, "    ", 4) == 0;
    while (*end && *end != '\n' && (strncmp(end, "    ", 4) == 0) == out->is_kept) {
        end += strcspn(end, "\n");
        end += *end == '\n';
    }
    out->ptr = at;
    out->len = (size_t)(end - at);
    while (out->len > 0 && at[out->len - 1] == '\n') {
        out->len--;
    }
    *text = end;
    return out->len > 0;
}

static void print_paragraphs(FILE *file, const char *text)
{
    struct cli_paragraph paragraph;

    while (cli_help_paragraph(&text, &paragraph)) {
        struct flow flow = {.file = file, .is_empty = true};

        if (paragraph.is_kept) {
            fprintf(file, "%.*s", (int)paragraph.len, paragraph.ptr);
        } else {
            put_words(&flow, paragraph.ptr, paragraph.len);
        }
        fputs("\n\n", file);
    }
}

/* ---- commands ---- */

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

void cli_help_option_names(char *out, size_t size, const struct cli_option *option)
{
    char letter[5] = "    ";

    if (option->letter) {
        snprintf(letter, sizeof(letter), "-%c, ", option->letter);
    }
    snprintf(out, size, "%s--%s%s%s", letter, option->name,
             option->type == CLI_FLAG ? "" : "=",
             option->type == CLI_FLAG ? "" : option->value);
}

void cli_help_option_text(char *out, size_t size, const struct cli_option *option)
{
    snprintf(out, size, "%s%s%s%s%s", option->help,
             option->type == CLI_LIST ? "; may be given more than once" : "",
             option->fallback ? " (default: " : "",
             option->fallback ? option->fallback : "", option->fallback ? ")" : "");
}

static void print_option(FILE *file, const struct cli_option *option)
{
    enum { COLUMN = 34 };
    char names[120];
    char text[400];
    struct flow flow = {
        .file = file, .indent = COLUMN, .column = COLUMN, .is_empty = true};

    cli_help_option_names(names, sizeof(names), option);
    cli_help_option_text(text, sizeof(text), option);
    if (4 + strlen(names) + 1 < COLUMN) {
        fprintf(file, "    %-*s", COLUMN - 4, names);
    } else {
        fprintf(file, "    %s\n%*s", names, COLUMN, "");
    }
    put_words(&flow, text, strlen(text));
    putc('\n', file);
}

static void print_options(FILE *file, const struct cli_option *option)
{
    for (; option && option->name; option++) {
        print_option(file, option);
    }
}

void cli_help_command(FILE *file, const struct cli_cmd *cmd)
{
    fprintf(file, "liana %s - %s\n\nusage: liana %s [OPTIONS]%s%s\n\n", cmd->name,
            cmd->summary, cmd->name, cmd->operands[0] ? " " : "", cmd->operands);
    if (cmd->help) {
        print_paragraphs(file, cmd->help);
    }
    if (cmd->options && cmd->options->name) {
        fputs("Options:\n", file);
        print_options(file, cmd->options);
        putc('\n', file);
    }
    fputs("Options of every command:\n", file);
    print_options(file, cli_common_options);
}
