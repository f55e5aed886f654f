/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cli/import.h"

/* One object a line. Documents have at most 16 MiB as BSON; canonical Extended JSON needs
 * a few times that. */
#define LINE_BYTES_MAX ((size_t)256 * 1024 * 1024)

struct lines {
    struct cli_import *import;
    char *text;
    size_t len;
    size_t cap;
    uint64_t line;
};

static bool is_blank(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!isspace((unsigned char)text[i])) {
            return false;
        }
    }
    return true;
}

static void take_line(struct lines *lines, const char *text, size_t len)
{
    struct cli_import *import = lines->import;
    struct liana_error err = LIANA_ERROR_INIT;
    liana_bytes *document;

    lines->line++;
    if (lines->line == 1 && len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        len -= 3;
    }
    if (lines->line <= import->skip || is_blank(text, len)) {
        return;
    }
    if (liana_json_decode((struct liana_str){text, len}, &document, &err)) {
        cli_import_bad(import, lines->line, &err);
        return;
    }
    cli_import_add(import, liana_bytes_slice(document), lines->line);
    liana_bytes_free(document);
}

/* Takes all lines that are whole and keeps the rest. */
static void take_whole(struct lines *lines)
{
    size_t at = 0;
    const char *end;

    while (!lines->import->is_over &&
           (end = memchr(lines->text + at, '\n', lines->len - at))) {
        size_t len = (size_t)(end - (lines->text + at));

        take_line(lines, lines->text + at, len);
        at += len + 1;
    }
    memmove(lines->text, lines->text + at, lines->len - at);
    lines->len -= at;
}

static bool make_room(struct lines *lines)
{
    struct liana_error err = {.status = LIANA_ENOMEM, .message = "out of memory"};
    size_t cap = lines->cap ? lines->cap * 2 : (size_t)256 * 1024;
    char *text;

    if (lines->len < lines->cap) {
        return true;
    }
    if (cap > LINE_BYTES_MAX) {
        err = (struct liana_error){.status = LIANA_ETOOLARGE,
                                   .message = "a line of more than 256 MiB"};
        cli_import_fail(lines->import, &err);
        return false;
    }
    text = realloc(lines->text, cap);
    if (!text) {
        cli_import_fail(lines->import, &err);
        return false;
    }
    lines->text = text;
    lines->cap = cap;
    return true;
}

void cli_import_json(struct cli_import *import, const struct cli_args *args)
{
    struct lines lines = {.import = import};
    size_t len;

    (void)args;
    while (make_room(&lines) && (len = cli_import_read(import, lines.text + lines.len,
                                                       lines.cap - lines.len)) > 0) {
        lines.len += len;
        take_whole(&lines);
    }
    if (!import->is_over && lines.len > 0) {
        take_line(&lines, lines.text, lines.len);
    }
    free(lines.text);
}
