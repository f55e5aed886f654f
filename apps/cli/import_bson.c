/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/import.h"

#define DOCUMENT_BYTES_MAX ((size_t)16 * 1024 * 1024)
#define HEAD_BYTES         4

static size_t length_at(const char *head)
{
    const unsigned char *at = (const unsigned char *)head;

    return (size_t)at[0] | (size_t)at[1] << 8 | (size_t)at[2] << 16 |
           (size_t)at[3] << 24;
}

/* Reads exactly `size` bytes; answers how many there were. */
static size_t read_exactly(struct cli_import *import, char *out, size_t size)
{
    size_t have = 0;
    size_t len;

    while (have < size &&
           (len = cli_import_read(import, out + have, size - have)) > 0) {
        have += len;
    }
    return have;
}

/* A length that cannot be is the end: nothing says where the next document begins. */
static void broken(struct cli_import *import, uint64_t number, const char *what)
{
    struct liana_error err = {.status = LIANA_EBSON};

    if (import->is_over) {
        return;
    }
    snprintf(err.message, sizeof(err.message), "%s: document %" PRIu64 ": %s",
             import->path, number, what);
    cli_import_fail(import, &err);
}

void cli_import_bson(struct cli_import *import, const struct cli_args *args)
{
    char *document = malloc(DOCUMENT_BYTES_MAX);
    struct liana_error err = {.status = LIANA_ENOMEM, .message = "out of memory"};
    uint64_t number = 0;
    size_t len;

    (void)args;
    if (!document) {
        cli_import_fail(import, &err);
        return;
    }
    while ((len = read_exactly(import, document, HEAD_BYTES)) > 0) {
        size_t whole = length_at(document);

        number++;
        if (len < HEAD_BYTES || whole < 5 || whole > DOCUMENT_BYTES_MAX) {
            broken(import, number, "this is no BSON");
            break;
        }
        len = read_exactly(import, document + HEAD_BYTES, whole - HEAD_BYTES);
        if (len != whole - HEAD_BYTES) {
            broken(import, number, "the file ends within it");
            break;
        }
        if (!cli_import_add(import,
                            (struct liana_slice){(const uint8_t *)document, whole},
                            number)) {
            break;
        }
    }
    free(document);
}
