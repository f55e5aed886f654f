/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/complete.h"

#include <ctype.h>
#include <string.h>

#include "cli/options.h"

struct place {
    FILE *file;
    const struct cli_cmd *cmd;
    const struct cli_option *awaited; /* the word is the value of this one */
    size_t operand;                   /* else this operand, from 0, or an option */
    bool is_plain;                    /* behind "--": no option */
    const char *word;
};

/* "HEADWORD" is offered if it begins with what was typed. */
static void offer(const struct place *at,
                  const char *head,
                  const char *word,
                  size_t len,
                  const char *help)
{
    size_t head_len = strlen(head);
    size_t typed = strlen(at->word);
    size_t in_head = typed < head_len ? typed : head_len;
    size_t in_word = typed - in_head;

    if (strncmp(at->word, head, in_head) == 0 && in_word <= len &&
        strncmp(at->word + in_head, word, in_word) == 0) {
        fprintf(at->file, "%s%.*s\t%s\n", head, (int)len, word, help);
    }
}

static void offer_commands(const struct place *at)
{
    for (size_t i = 0; cli_commands[i]; i++) {
        const struct cli_cmd *cmd = cli_commands[i];

        offer(at, "", cmd->name, strlen(cmd->name), cmd->summary);
    }
}

/* "a|b|c" */
static void offer_choices(const struct place *at, const char *head, const char *words)
{
    while (*words) {
        size_t len = strcspn(words, "|");

        offer(at, head, words, len, "");
        words += len + (words[len] == '|');
    }
}

/* `what` is how help names it: FILE, STORE, "a|b", ... */
static void offer_named(const struct place *at,
                        const char *head,
                        const char *what,
                        size_t len)
{
    char name[40];

    snprintf(name, sizeof(name), "%.*s", (int)len, what);
    if (islower((unsigned char)name[0])) {
        offer_choices(at, head, name);
    } else if (strcmp(name, "COMMAND") == 0) {
        offer_commands(at);
    } else if (strcmp(name, "STORE") == 0 || strcmp(name, "FOLDER") == 0) {
        fputs(":folders\n", at->file);
    } else if (strncmp(name, "FILE", 4) == 0) {
        fputs(":files\n", at->file);
    }
}

static void offer_value(const struct place *at,
                        const char *head,
                        const struct cli_option *option)
{
    if (option->type != CLI_FLAG) {
        offer_named(at, head, option->value, strlen(option->value));
    }
}

static void offer_options(const struct place *at)
{
    const struct cli_option *tables[] = {at->cmd->options, cli_common_options};
    char word[80];

    for (size_t i = 0; i < 2; i++) {
        for (const struct cli_option *o = tables[i]; o && o->name; o++) {
            snprintf(word, sizeof(word), "%s%s", o->name,
                     o->type == CLI_FLAG ? "" : "=");
            offer(at, "--", word, strlen(word), o->help);
        }
    }
}

/* "--name=begin" */
static void offer_attached(const struct place *at, const char *equals)
{
    size_t len = (size_t)(equals - at->word) - 2;
    const struct cli_option *option = cli_find_long(at->cmd, at->word + 2, len);
    char head[80];

    if (option && len + 4 <= sizeof(head)) {
        snprintf(head, sizeof(head), "%.*s", (int)len + 3, at->word);
        offer_value(at, head, option);
    }
}

/* The operand at its place in "STORE [COLLECTION...]"; the last one again if it may be. */
static void offer_operand(const struct place *at)
{
    const char *names = at->cmd->operands;
    const char *last = names;
    size_t left = at->operand;

    while (*names && left > 0) {
        names += strcspn(names, " ");
        names += strspn(names, " ");
        last = *names ? names : last;
        left--;
    }
    if (*names || strstr(last, "...")) {
        last += strspn(last, "[");
        offer_named(at, "", last, strcspn(last, " ]."));
    }
}

/* What a word before the last one means for those behind it. */
static void pass(struct place *at, const char *word)
{
    const struct cli_option *option = NULL;

    if (at->awaited) {
        at->awaited = NULL;
    } else if (at->is_plain || word[0] != '-' || word[1] == '\0') {
        at->operand++;
    } else if (strcmp(word, "--") == 0) {
        at->is_plain = true;
    } else if (word[1] == '-') {
        option = strchr(word, '=') ? NULL
                                   : cli_find_long(at->cmd, word + 2, strlen(word + 2));
    } else {
        /* Of letters together, the last may take a value. */
        option = cli_find_letter(at->cmd, word[strlen(word) - 1]);
    }
    if (option && option->type != CLI_FLAG) {
        at->awaited = option;
    }
}

void cli_complete(FILE *file, const char *const *words, size_t count)
{
    struct place at = {.file = file};
    const char *equals;

    if (count == 0) {
        return;
    }
    at.word = words[count - 1];
    if (count == 1) {
        offer_commands(&at);
        return;
    }
    at.cmd = cli_find_command(words[0]);
    if (!at.cmd) {
        return;
    }
    for (size_t i = 1; i + 1 < count; i++) {
        pass(&at, words[i]);
    }
    equals = strncmp(at.word, "--", 2) == 0 ? strchr(at.word, '=') : NULL;
    if (at.awaited) {
        offer_value(&at, "", at.awaited);
    } else if (at.is_plain || at.word[0] != '-') {
        offer_operand(&at);
    } else if (equals) {
        offer_attached(&at, equals);
    } else {
        offer_options(&at);
    }
}
