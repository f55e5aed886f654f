/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CLI_SIGNALS_H
#define LIA_CLI_SIGNALS_H
/*
 * cli/signals - SIGINT, SIGTERM and SIGHUP end a command in order.
 *
 * A long command looks at cli_stop_wanted between two steps, or puts cli_stop_fd among
 * the descriptors that it waits for. The second signal of a kind ends the process at
 * once. SIGPIPE is ignored: a write to a reader that left fails and is seen there.
 *
 * Threads: cli_stop_wanted any; the rest the main thread.
 */
#include <stdbool.h>

void cli_signals_start(void);
bool cli_stop_wanted(void);

/* Readable once a stop is wanted; never read from it. -1 if there is none. */
int cli_stop_fd(void);

/* Waits until a stop is wanted or `fd` (-1: none) is readable, at most `timeout_ms`
 * (< 0: for ever). True when `fd` is readable. */
bool cli_wait(int fd, int timeout_ms);

#endif
