/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CLI_INPUT_H
#define LIA_CLI_INPUT_H
/*
 * cli/input - files and standard input.
 *
 * Rules: "-" is standard input. Errors name the file.
 * Ownership: the caller frees what it reads. Threads: the main thread.
 */
#include "cli/command.h"

struct cli_text_input {
    struct liana_str text;
    char *memory;
};

/* The whole of a file, at most 16 MiB (LIANA_ETOOLARGE). */
LIANA_MUST_CHECK liana_status cli_read_all(const char *path,
                                           struct cli_text_input *out,
                                           struct liana_error *err);
void cli_text_input_free(struct cli_text_input *input);

/* Opens a file for reading; `*out_bytes` is its size, 0 if that is not known. */
LIANA_MUST_CHECK liana_status cli_open_input(const char *path,
                                             FILE **out,
                                             uint64_t *out_bytes,
                                             struct liana_error *err);
void cli_close_input(FILE *file);

#endif
