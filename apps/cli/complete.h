/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CLI_COMPLETE_H
#define LIA_CLI_COMPLETE_H
/*
 * cli/complete - what may stand at a place of a command line, from the commands' tables.
 *
 * Each line of the answer is a whole word that may stand there, a tab and what it means;
 * a word that ends with "=" wants a value behind it. Where a file or a folder belongs, the
 * answer is the one line ":files" or ":folders", and finding them is the shell's.
 *
 * Rules: only words that begin with what is there are answered; nothing when nothing is
 * known. Ownership: nothing is kept. Threads: none.
 */
#include "cli/command.h"

/* `words` are those behind "liana"; the last one is being typed and may be empty. */
void cli_complete(FILE *file, const char *const *words, size_t count);

#endif
