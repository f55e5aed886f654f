/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/options.h"

#include "cli/cmds.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

const struct cli_option cli_common_options[] = {
    {.name = "help", .letter = 'h', .help = "show this help"},
    {.name = "json", .help = "print results as lines of Extended JSON"},
    {.name = "quiet", .letter = 'q', .help = "print no notes and no progress"},
    {.name = "color",
     .type = CLI_CHOICE,
     .value = "auto|always|never",
     .fallback = "auto",
     .help = "when to use colours"},
    {0}};

const struct cli_cmd *const cli_commands[] = {
#define CLI_COMMAND(name) &cli_cmd_##name,
#define CLI_INTERNAL(name)
#include "cli/commands.def"
#undef CLI_COMMAND
#undef CLI_INTERNAL
    NULL};

static const struct cli_cmd *const internal_commands[] = {
#define CLI_COMMAND(name)
#define CLI_INTERNAL(name) &cli_cmd_##name,
#include "cli/commands.def"
#undef CLI_COMMAND
#undef CLI_INTERNAL
    NULL};

static const struct cli_cmd *find_among(const struct cli_cmd *const *commands,
                                        const char *name)
{
    for (; *commands; commands++) {
        if (strcmp((*commands)->name, name) == 0) {
            return *commands;
        }
    }
    return NULL;
}

const struct cli_cmd *cli_find_command(const char *name)
{
    const struct cli_cmd *cmd = find_among(cli_commands, name);

    return cmd ? cmd : find_among(internal_commands, name);
}

/* ---- finding options ---- */

static const struct cli_option *find_in(const struct cli_option *table,
                                        const char *name,
                                        size_t len)
{
    for (; table && table->name; table++) {
        if (strlen(table->name) == len && strncmp(table->name, name, len) == 0) {
            return table;
        }
    }
    return NULL;
}

const struct cli_option *cli_find_long(const struct cli_cmd *cmd,
                                       const char *name,
                                       size_t len)
{
    const struct cli_option *option = find_in(cmd->options, name, len);

    return option ? option : find_in(cli_common_options, name, len);
}

const struct cli_option *cli_find_letter(const struct cli_cmd *cmd, char letter)
{
    const struct cli_option *tables[] = {cmd->options, cli_common_options};

    for (size_t i = 0; i < 2; i++) {
        for (const struct cli_option *o = tables[i]; o && o->name; o++) {
            if (o->letter == letter) {
                return o;
            }
        }
    }
    return NULL;
}

/* ---- parsing ---- */

struct parse {
    struct cli_args *args;
    int argc;
    char **argv;
    int at;
    char *message;
};

static bool complain(struct parse *p, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool complain(struct parse *p, const char *format, ...)
{
    va_list list;

    va_start(list, format);
    if (vsnprintf(p->message, CLI_MESSAGE_MAX, format, list) < 0) {
        p->message[0] = '\0';
    }
    va_end(list);
    return false;
}

static bool is_choice(const char *words, const char *text)
{
    size_t len = strlen(text);

    for (const char *at = words; at; at = strchr(at, '|')) {
        at += *at == '|';
        if (len > 0 && strncmp(at, text, len) == 0 &&
            (at[len] == '|' || at[len] == '\0')) {
            return true;
        }
    }
    return false;
}

static bool read_number(struct parse *p,
                        const struct cli_option *option,
                        const char *text,
                        int64_t *out)
{
    char *end;

    errno = 0;
    *out = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || errno || *out < option->min ||
        *out > option->max) {
        return complain(p, "--%s: '%s' is no number from %" PRId64 " to %" PRId64,
                        option->name, text, option->min, option->max);
    }
    return true;
}

static bool add_value(struct parse *p,
                      const struct cli_option *option,
                      const char *text)
{
    struct cli_value *value = &p->args->values[p->args->value_count];

    *value = (struct cli_value){.option = option, .text = text};
    if (option->type == CLI_NUMBER && !read_number(p, option, text, &value->number)) {
        return false;
    }
    if (option->type == CLI_CHOICE && !is_choice(option->value, text)) {
        return complain(p, "--%s: '%s' is none of %s", option->name, text,
                        option->value);
    }
    p->args->value_count++;
    return true;
}

/* `text` is the value that stands in the same word, or NULL: then it is the next word. */
static bool take_option(struct parse *p,
                        const struct cli_option *option,
                        const char *text)
{
    if (option->type == CLI_FLAG) {
        return text ? complain(p, "--%s takes no value", option->name)
                    : add_value(p, option, option->name);
    }
    if (!text) {
        if (p->at >= p->argc) {
            return complain(p, "--%s needs a value: %s", option->name, option->value);
        }
        text = p->argv[p->at++];
    }
    return add_value(p, option, text);
}

static bool take_long(struct parse *p, const char *word)
{
    const char *equals = strchr(word, '=');
    size_t len = equals ? (size_t)(equals - word) : strlen(word);
    const struct cli_option *option = cli_find_long(p->args->cmd, word, len);

    if (!option) {
        return complain(p, "'--%.*s' is no option of 'liana %s'", (int)len, word,
                        p->args->cmd->name);
    }
    return take_option(p, option, equals ? equals + 1 : NULL);
}

static bool take_letters(struct parse *p, const char *letters)
{
    for (; *letters; letters++) {
        const struct cli_option *option = cli_find_letter(p->args->cmd, *letters);

        if (!option) {
            return complain(p, "'-%c' is no option of 'liana %s'", *letters,
                            p->args->cmd->name);
        }
        if (option->type != CLI_FLAG) {
            return take_option(p, option, letters[1] ? letters + 1 : NULL);
        }
        if (!take_option(p, option, NULL)) {
            return false;
        }
    }
    return true;
}

static bool check_operands(struct parse *p)
{
    const struct cli_cmd *cmd = p->args->cmd;

    if (p->args->operand_count < cmd->operands_min) {
        return complain(p, "'liana %s' needs %s", cmd->name, cmd->operands);
    }
    if (p->args->operand_count > cmd->operands_max) {
        return complain(p, "'%s' is too much for 'liana %s'",
                        p->args->operands[cmd->operands_max], cmd->name);
    }
    return true;
}

static bool wants_help(const struct cli_args *args)
{
    return cli_flag(args, "help");
}

bool cli_parse(struct cli_args *args,
               const struct cli_cmd *cmd,
               int argc,
               char **argv,
               char message[static CLI_MESSAGE_MAX])
{
    struct parse p = {.args = args, .argc = argc, .argv = argv, .message = message};
    bool is_plain = false;

    *args = (struct cli_args){.cmd = cmd};
    /* A word gives at most one value per letter. */
    size_t room = 1;

    for (int i = 0; i < argc; i++) {
        room += strlen(argv[i]) + 1;
    }
    args->values = calloc(room, sizeof(*args->values));
    args->operands = calloc((size_t)argc + 1, sizeof(*args->operands));
    if (!args->values || !args->operands) {
        return complain(&p, "out of memory");
    }
    while (p.at < argc) {
        const char *word = argv[p.at++];

        if (is_plain || word[0] != '-' || word[1] == '\0') {
            args->operands[args->operand_count++] = word;
        } else if (strcmp(word, "--") == 0) {
            is_plain = true;
        } else if (!(word[1] == '-' ? take_long(&p, word + 2)
                                    : take_letters(&p, word + 1))) {
            return false;
        }
    }
    return wants_help(args) || check_operands(&p);
}

void cli_args_deinit(struct cli_args *args)
{
    free(args->values);
    free(args->operands);
    *args = (struct cli_args){0};
}

/* ---- asking ---- */

static const struct cli_option *must_find(const struct cli_args *args,
                                          const char *name,
                                          enum cli_type type)
{
    const struct cli_option *option = cli_find_long(args->cmd, name, strlen(name));

    if (!option ||
        (option->type != type && !(type == CLI_TEXT && option->type == CLI_CHOICE))) {
        fprintf(stderr, "liana: bug: '%s' has no such option: %s\n", args->cmd->name,
                name);
        abort();
    }
    return option;
}

static const struct cli_value *last_value(const struct cli_args *args,
                                          const struct cli_option *option)
{
    for (size_t i = args->value_count; i > 0; i--) {
        if (args->values[i - 1].option == option) {
            return &args->values[i - 1];
        }
    }
    return NULL;
}

bool cli_flag(const struct cli_args *args, const char *name)
{
    return last_value(args, must_find(args, name, CLI_FLAG)) != NULL;
}

const char *cli_text(const struct cli_args *args, const char *name)
{
    const struct cli_option *option = must_find(args, name, CLI_TEXT);
    const struct cli_value *value = last_value(args, option);

    return value ? value->text : option->fallback;
}

int64_t cli_number(const struct cli_args *args, const char *name)
{
    const struct cli_option *option = must_find(args, name, CLI_NUMBER);
    const struct cli_value *value = last_value(args, option);

    if (value) {
        return value->number;
    }
    return option->fallback ? strtoll(option->fallback, NULL, 10) : 0;
}

bool cli_given(const struct cli_args *args, const char *name)
{
    const struct cli_option *option = cli_find_long(args->cmd, name, strlen(name));

    return option && last_value(args, option);
}

const char *cli_list_at(const struct cli_args *args, const char *name, size_t index)
{
    const struct cli_option *option = must_find(args, name, CLI_LIST);

    for (size_t i = 0; i < args->value_count; i++) {
        if (args->values[i].option == option && index-- == 0) {
            return args->values[i].text;
        }
    }
    return NULL;
}

size_t cli_operand_count(const struct cli_args *args)
{
    return args->operand_count;
}

const char *cli_operand(const struct cli_args *args, size_t index)
{
    return index < args->operand_count ? args->operands[index] : NULL;
}
