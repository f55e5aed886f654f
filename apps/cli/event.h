/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CLI_EVENT_H
#define LIA_CLI_EVENT_H
/*
 * cli/event - lines about what happens in a command that goes on for long.
 *
 * With --json each is one document on stdout: {"event": NAME, fields...}; else a line for
 * people on stdout, unless --quiet. Flushed at once: somebody may be waiting for it.
 *
 * Ownership: nothing is kept. Threads: the main thread.
 */
#include "cli/output.h"

/* `fields` may be NULL; it is destroyed. `format` makes the line for people. */
void cli_event(struct cli *cli,
               const char *name,
               bson_t *fields,
               const char *format,
               ...) __attribute__((format(printf, 4, 5)));

#endif
