/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/error.h"

#define TEXT_BYTES_MAX ((size_t)16 * 1024 * 1024)

/* How messages name it. */
static const char *shown(const char *path)
{
    return strcmp(path, "-") == 0 ? "standard input" : path;
}

liana_status cli_open_input(const char *path,
                            FILE **out,
                            uint64_t *out_bytes,
                            struct liana_error *err)
{
    struct stat info;
    FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");

    if (!file) {
        return cli_err(err, errno == ENOENT ? LIANA_ENOTFOUND : LIANA_EIO, "%s: %s",
                       shown(path), strerror(errno));
    }
    if (fstat(fileno(file), &info) == 0 && S_ISDIR(info.st_mode)) {
        cli_close_input(file);
        return cli_err(err, LIANA_EINVAL, "%s: %s", shown(path), "this is a folder");
    }
    *out_bytes = fstat(fileno(file), &info) == 0 && S_ISREG(info.st_mode)
                     ? (uint64_t)info.st_size
                     : 0;
    *out = file;
    return LIANA_OK;
}

void cli_close_input(FILE *file)
{
    if (file && file != stdin && fclose(file) != 0) {
        return; /* it was read: there is nothing to lose */
    }
}

static liana_status read_file(FILE *file,
                              const char *path,
                              struct cli_text_input *input,
                              struct liana_error *err)
{
    size_t cap = 0;

    for (;;) {
        if (input->text.len == cap) {
            char *more;

            if (cap >= TEXT_BYTES_MAX) {
                return cli_err(err, LIANA_ETOOLARGE, "%s: %s", shown(path),
                               "longer than 16 MiB");
            }
            cap = cap ? cap * 2 : 64 * 1024;
            more = realloc(input->memory, cap);
            if (!more) {
                return cli_err(err, LIANA_ENOMEM, "%s: %s", shown(path),
                               "out of memory");
            }
            input->memory = more;
            input->text.ptr = more;
        }
        input->text.len +=
            fread(input->memory + input->text.len, 1, cap - input->text.len, file);
        if (ferror(file)) {
            return cli_err(err, LIANA_EIO, "%s: %s", shown(path), strerror(errno));
        }
        if (feof(file)) {
            return LIANA_OK;
        }
    }
}

liana_status cli_read_all(const char *path,
                          struct cli_text_input *out,
                          struct liana_error *err)
{
    struct cli_text_input input = {{"", 0}, NULL};
    uint64_t bytes;
    FILE *file;
    liana_status status = cli_open_input(path, &file, &bytes, err);

    if (status) {
        return status;
    }
    status = read_file(file, path, &input, err);
    cli_close_input(file);
    if (status) {
        cli_text_input_free(&input);
        return status;
    }
    *out = input;
    return LIANA_OK;
}

void cli_text_input_free(struct cli_text_input *input)
{
    free(input->memory);
    *input = (struct cli_text_input){{"", 0}, NULL};
}
