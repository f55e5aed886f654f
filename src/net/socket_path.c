/* SPDX-License-Identifier: Apache-2.0 */
#include "net/socket_path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"

static liana_status too_long(const char *path, struct liana_error *err)
{
    return lia_err(err, LIANA_ETOOLARGE, "the path of a socket is too long here: %s",
                   path);
}

static int open_folder(const char *path, size_t len)
{
    struct lia_buf folder;
    int fd = -1;

    lia_buf_init(&folder, &lia_mem_libc);
    lia_buf_bytes(&folder, path, len);
    lia_buf_u8(&folder, 0);
    if (!folder.status) {
        fd = open((const char *)folder.ptr, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    } else {
        errno = ENOMEM;
    }
    lia_buf_deinit(&folder);
    return fd;
}

/* The way through the folder's descriptor. */
static liana_status go_around(const char *path,
                              struct lia_socket_path *out,
                              struct liana_error *err)
{
    struct lia_socket_path made = LIA_SOCKET_PATH_NONE;
    const char *slash = strrchr(path, '/');
    int len;

    if (!slash) {
        return too_long(path, err);
    }
    made.folder = open_folder(path, (size_t)(slash - path) + 1);
    if (made.folder < 0) {
        return lia_err_errno(err, errno, "cannot open the folder of", path);
    }
    snprintf(made.text, sizeof(made.text), "/proc/self/fd/%d", made.folder);
    if (access(made.text, F_OK) != 0) {
        close(made.folder);
        return too_long(path, err);
    }
    len = snprintf(made.text, sizeof(made.text), "/proc/self/fd/%d/%s", made.folder,
                   slash + 1);
    if (len < 0 || (size_t)len >= sizeof(made.text)) {
        close(made.folder);
        return too_long(path, err);
    }
    *out = made;
    return LIANA_OK;
}

liana_status lia_socket_path_open(const char *path,
                                  struct lia_socket_path *out,
                                  struct liana_error *err)
{
    size_t len = strlen(path);

    if (len >= sizeof(out->text)) {
        return go_around(path, out, err);
    }
    *out = LIA_SOCKET_PATH_NONE;
    memcpy(out->text, path, len + 1);
    return LIANA_OK;
}

void lia_socket_path_close(struct lia_socket_path *path)
{
    if (path->folder >= 0) {
        close(path->folder);
        path->folder = -1;
    }
}
