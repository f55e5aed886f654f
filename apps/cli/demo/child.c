/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/demo/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/error.h"
#include "cli/output.h"

#define STOP_MS 10000

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

/* In the child, between fork and exec: only what is safe there. */
_Noreturn static void become(const struct demo_child_options *options,
                             int in,
                             int out,
                             int log)
{
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0 &&
        dup2(options->is_merged ? out : log, STDERR_FILENO) >= 0) {
        signal(SIGPIPE, SIG_DFL);
        execv(options->argv[0], (char *const *)(uintptr_t)options->argv);
    }
    _exit(127);
}

static bool make_pipe(int ends[2])
{
    if (pipe(ends)) {
        ends[0] = ends[1] = -1;
        return false;
    }
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    return true;
}

liana_status demo_child_start(struct demo_child *child,
                              const struct demo_child_options *options,
                              struct liana_error *err)
{
    int in[2] = {-1, -1};
    int out[2] = {-1, -1};
    int log = open(options->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    pid_t pid = -1;
    liana_status status = LIANA_OK;

    *child = (struct demo_child){.name = options->name, .in = -1, .out = -1};
    if (log >= 0 && make_pipe(in) && make_pipe(out)) {
        pid = fork();
    }
    if (pid == 0) {
        become(options, in[0], out[1], log);
    }
    if (pid < 0) {
        status = cli_err(err, LIANA_EIO, "%s cannot be started: %s", options->name,
                         strerror(errno));
        close_fd(&in[1]);
        close_fd(&out[0]);
    } else {
        child->pid = pid;
        child->in = in[1];
        child->out = out[0];
        fcntl(child->in, F_SETFL, O_NONBLOCK);
        fcntl(child->out, F_SETFL, O_NONBLOCK);
    }
    close_fd(&in[0]);
    close_fd(&out[1]);
    close_fd(&log);
    return status;
}

/* ---- lines ---- */

static bool has_room(struct demo_child *child)
{
    char *lines;

    if (child->room - child->len > 1) {
        return true;
    }
    lines = realloc(child->lines, child->room * 2 + 4096);
    if (!lines) {
        return false;
    }
    child->lines = lines;
    child->room = child->room * 2 + 4096;
    return true;
}

static void drop_taken(struct demo_child *child)
{
    child->len -= child->taken;
    if (child->len) {
        memmove(child->lines, child->lines + child->taken, child->len);
    }
    child->taken = 0;
}

static char *find_line(struct demo_child *child)
{
    char *start;
    char *end;

    if (child->len == child->taken) {
        return NULL;
    }
    start = child->lines + child->taken;
    end = memchr(start, '\n', child->len - child->taken);
    if (!end) {
        return NULL;
    }
    *end = '\0';
    child->taken = (size_t)(end + 1 - child->lines);
    return start;
}

const char *demo_child_line(struct demo_child *child)
{
    char *line;
    ssize_t n = 1;

    if (!child->name) {
        return NULL; /* a zeroed one: its descriptors are not its own */
    }
    line = find_line(child);

    while (!line && child->out >= 0 && n > 0) {
        drop_taken(child);
        n = has_room(child)
                ? read(child->out, child->lines + child->len, child->room - child->len)
                : 0;
        if (n > 0) {
            child->len += (size_t)n;
            line = find_line(child);
        }
    }
    if (n == 0) {
        close_fd(&child->out);
    }
    return line;
}

void demo_child_say(struct demo_child *child, const char *text)
{
    if (child->in >= 0 && write(child->in, text, strlen(text)) < 0) {
        close_fd(&child->in);
    }
}

/* ---- its end ---- */

bool demo_child_has_ended(struct demo_child *child)
{
    if (child->pid > 0 && waitpid(child->pid, &child->status, WNOHANG) == child->pid) {
        child->pid = 0;
    }
    return child->pid == 0;
}

void demo_child_signal(struct demo_child *child, int number)
{
    if (child->pid > 0) {
        kill(child->pid, number);
    }
}

/* Its output is drained meanwhile: a full pipe must not keep it from ending. */
void demo_child_wait(struct demo_child *child, int timeout_ms)
{
    uint64_t end = cli_now_ms() + (uint64_t)timeout_ms;

    while (!demo_child_has_ended(child)) {
        struct pollfd fd = {.fd = child->out, .events = POLLIN};

        if (cli_now_ms() >= end) {
            demo_child_signal(child, SIGKILL);
            waitpid(child->pid, &child->status, 0);
            child->pid = 0;
            return;
        }
        poll(&fd, 1, 20);
        while (demo_child_line(child)) {
        }
    }
}

void demo_child_stop(struct demo_child *child)
{
    if (child->pid > 0) {
        close_fd(&child->in);
        demo_child_signal(child, SIGTERM);
        demo_child_wait(child, STOP_MS);
    }
    if (child->name) {
        close_fd(&child->in);
        close_fd(&child->out);
        free(child->lines);
        *child = (struct demo_child){.in = -1, .out = -1};
    }
}
