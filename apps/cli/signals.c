/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

/* A handler can reach nothing but the process's own state. */
static volatile sig_atomic_t stop_wanted;
static int stop_pipe[2] = {-1, -1};

static void on_signal(int number)
{
    int saved = errno;

    stop_wanted = 1;
    if (stop_pipe[1] >= 0 && write(stop_pipe[1], "s", 1) < 0) {
        /* The pipe is full: it is readable already. */
    }
    signal(number, SIG_DFL);
    errno = saved;
}

void cli_signals_start(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    struct sigaction before;

    if (pipe(stop_pipe) == 0) {
        for (int i = 0; i < 2; i++) {
            fcntl(stop_pipe[i], F_SETFD, FD_CLOEXEC);
            fcntl(stop_pipe[i], F_SETFL, O_NONBLOCK);
        }
    }
    sigemptyset(&action.sa_mask);
    sigemptyset(&ignore.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    /* The terminal is gone; whoever used nohup wants to go on. */
    if (sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN) {
        sigaction(SIGHUP, &action, NULL);
    }
    sigaction(SIGPIPE, &ignore, NULL);
}

bool cli_stop_wanted(void)
{
    return stop_wanted != 0;
}

int cli_stop_fd(void)
{
    return stop_pipe[0];
}

bool cli_wait(int fd, int timeout_ms)
{
    struct pollfd fds[2] = {{.fd = stop_pipe[0], .events = POLLIN},
                            {.fd = fd, .events = POLLIN}};

    if (poll(fds, 2, timeout_ms) <= 0) {
        return false;
    }
    return fd >= 0 && (fds[1].revents & (POLLIN | POLLHUP | POLLERR)) != 0;
}
