/* SPDX-License-Identifier: Apache-2.0 */
#ifdef __linux__
#    define _GNU_SOURCE /* struct ucred */
#endif
#include "net/local_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/slice.h"
#include "net/socket_path.h"

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

/* Whoever may write to the folder can put a socket of his own there; what is said to it is
 * not for him. Root may serve everybody, and ask everybody. */
static bool is_ours(int fd)
{
#ifdef __linux__
    struct ucred peer;
    socklen_t len = sizeof(peer);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
           (peer.uid == geteuid() || peer.uid == 0 || geteuid() == 0);
#else
    uid_t uid;
    gid_t gid;

    return getpeereid(fd, &uid, &gid) == 0 &&
           (uid == geteuid() || uid == 0 || geteuid() == 0);
#endif
}

liana_status lia_local_connect(const char *path,
                               struct lia_local_socket *out,
                               struct liana_error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct lia_socket_path short_path;
    liana_status status = lia_socket_path_open(path, &short_path, err);
    int number;
    int fd;

    if (status) {
        return status;
    }
    memcpy(address.sun_path, short_path.text, sizeof(address.sun_path));
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd >= 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0 &&
        connect_to(fd, &address) == 0) {
        lia_socket_path_close(&short_path);
        if (!is_ours(fd)) {
            close(fd);
            return lia_err(err, LIANA_EDENIED, "%s is served by another user", path);
        }
        out->fd = fd;
        return LIANA_OK;
    }
    number = errno;
    if (fd >= 0) {
        close(fd);
    }
    lia_socket_path_close(&short_path);
    status = connect_status(number);
    return lia_err_sub(err, status, number, "cannot connect to %s: %s", path,
                       status == LIANA_ENOTFOUND ? "nobody listens there"
                                                 : liana_status_text(status));
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
