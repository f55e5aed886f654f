/* SPDX-License-Identifier: Apache-2.0 */
#include "base/wake.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

liana_status lia_wake_init(struct lia_wake *wake, struct liana_error *err)
{
    if (pipe(wake->fds)) {
        return lia_err_sub(err, LIANA_ELIMIT, errno, "no descriptors left for a pipe");
    }
    for (int i = 0; i < 2; i++) {
        fcntl(wake->fds[i], F_SETFD, FD_CLOEXEC);
        fcntl(wake->fds[i], F_SETFL, O_NONBLOCK);
    }
    return LIANA_OK;
}

void lia_wake_deinit(struct lia_wake *wake)
{
    close(wake->fds[0]);
    close(wake->fds[1]);
}

void lia_wake_set(struct lia_wake *wake)
{
    if (write(wake->fds[1], "w", 1) < 0) {
        /* The pipe is full, so it is readable. */
    }
}

void lia_wake_clear(struct lia_wake *wake)
{
    char bytes[64];

    while (read(wake->fds[0], bytes, sizeof(bytes)) > 0) {
    }
}

int lia_wake_fd(const struct lia_wake *wake)
{
    return wake->fds[0];
}
