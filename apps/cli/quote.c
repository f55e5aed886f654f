/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/quote.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *cli_statement(const char *head, const char *collection, const char *tail)
{
    size_t size = strlen(head) + 2 * strlen(collection) + strlen(tail) + 3;
    char *text = malloc(size);
    char *at;

    if (!text) {
        return NULL;
    }
    at = text + snprintf(text, size, "%s`", head);
    for (const char *c = collection; *c; c++) {
        if (*c == '`') {
            *at++ = '`';
        }
        *at++ = *c;
    }
    snprintf(at, size - (size_t)(at - text), "`%s", tail);
    return text;
}

char *cli_select_all(const char *collection)
{
    return cli_statement("SELECT * FROM ", collection, "");
}

void cli_free(char *text)
{
    free(text);
}
