/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CLI_DEMO_CHILD_H
#define LIA_CLI_DEMO_CHILD_H
/*
 * cli/demo/child - a process of the demo: its input, the lines of its output, its end.
 *
 * A child is in a process group of its own, so that ^C reaches the demo alone and the
 * demo ends its children in order; and it gets SIGTERM from the system if the demo dies.
 *
 * Rules: output must be taken (demo_child_line) or the child waits one day. Its stderr
 * goes to a log file; with `merged` both are lines.
 * Ownership: demo_child_stop ends it and frees all; a zeroed child is none.
 * Threads: one.
 */
#include <sys/types.h>

#include "liana/liana.h"

struct demo_child {
    const char *name;
    pid_t pid; /* 0: none, or it has ended */
    int in;
    int out;
    int status; /* as waitpid gave it, once it has ended */
    char *lines;
    size_t len;
    size_t taken; /* bytes of `lines` that were given out */
    size_t room;
};

struct demo_child_options {
    const char *name;        /* kept */
    const char *const *argv; /* ends with NULL; argv[0] is the program's path */
    const char *log_path;    /* for stderr, appended */
    bool is_merged;
};

/* LIANA_EIO when the system refuses; that the program is not there shows as its end. */
LIANA_MUST_CHECK liana_status demo_child_start(struct demo_child *child,
                                               const struct demo_child_options *options,
                                               struct liana_error *err);

/* The next whole line that has come, without its end; NULL: none yet. Valid until the
 * next call. Never waits. */
const char *demo_child_line(struct demo_child *child);

/* Writes to its input; a child that is gone takes it silently. */
void demo_child_say(struct demo_child *child, const char *text);

/* Looks whether it has ended; then pid is 0 and `status` is set. */
bool demo_child_has_ended(struct demo_child *child);

void demo_child_signal(struct demo_child *child, int number);

/* Waits up to `timeout_ms` for its end, then kills it. */
void demo_child_wait(struct demo_child *child, int timeout_ms);

/* SIGTERM, up to ten seconds, SIGKILL; then everything is freed. */
void demo_child_stop(struct demo_child *child);

#endif
