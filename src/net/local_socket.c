/* SPDX-License-Identifier: Apache-2.0 */
#include "net/local_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"
#include "base/slice.h"

static liana_status connect_status(int number)
{
    switch (number) {
    case ENOENT:
    case ECONNREFUSED: return LIANA_ENOTFOUND;
    case EMFILE:
    case ENFILE:
    case EAGAIN: return LIANA_ELIMIT;
    default: return lia_errno_status(number);
    }
}

static int connect_to(int fd, const struct sockaddr_un *address)
{
    int rc;

    do {
        rc = connect(fd, (const struct sockaddr *)address, sizeof(*address));
    } while (rc != 0 && errno == EINTR);
    return rc;
}

liana_status lia_local_connect(const char *path,
                               struct lia_local_socket *out,
                               struct liana_error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t len = strlen(path);
    liana_status status;
    int fd;

    if (len >= sizeof(address.sun_path)) {
        return lia_err(err, LIANA_ETOOLARGE,
                       "the path of a socket has at most %zu bytes: %s",
                       sizeof(address.sun_path) - 1, path);
    }
    memcpy(address.sun_path, path, len + 1);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd >= 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 &&
        connect_to(fd, &address) == 0) {
        out->fd = fd;
        return LIANA_OK;
    }
    status = connect_status(errno);
    lia_err_errno(err, errno, "cannot connect to", path);
    if (err) {
        err->status = status;
    }
    if (fd >= 0) {
        close(fd);
    }
    return status;
}

liana_status lia_local_send(struct lia_local_socket *socket, struct liana_slice bytes)
{
    while (bytes.len > 0) {
        ssize_t n = send(socket->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return LIANA_ECLOSED;
        }
        bytes = lia_slice_sub(bytes, (size_t)n, bytes.len - (size_t)n);
    }
    return LIANA_OK;
}

liana_status lia_local_receive(struct lia_local_socket *socket,
                               uint8_t *out,
                               size_t size,
                               size_t *n)
{
    ssize_t got;

    do {
        got = recv(socket->fd, out, size, 0);
    } while (got < 0 && errno == EINTR);
    if (got <= 0) {
        return LIANA_ECLOSED;
    }
    *n = (size_t)got;
    return LIANA_OK;
}

void lia_local_shutdown(struct lia_local_socket *socket)
{
    shutdown(socket->fd, SHUT_RDWR);
}

void lia_local_close(struct lia_local_socket *socket)
{
    close(socket->fd);
    socket->fd = -1;
}
