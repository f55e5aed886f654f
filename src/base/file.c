/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

liana_status lia_errno_status(int number)
{
    switch (number) {
    case ENOENT:
    case ENOTDIR: return LIANA_ENOTFOUND;
    case EACCES:
    case EPERM: return LIANA_EDENIED;
    case ENOSPC:
    case EDQUOT: return LIANA_EFULL;
    case EROFS: return LIANA_EREADONLY;
    case ENOMEM: return LIANA_ENOMEM;
    case EEXIST: return LIANA_EEXISTS;
    case ENAMETOOLONG: return LIANA_ETOOLARGE;
    default: return LIANA_EIO;
    }
}

liana_status lia_err_errno(struct liana_error *err,
                           int number,
                           const char *what,
                           const char *path)
{
    char text[96];

    if (strerror_r(number, text, sizeof(text)) != 0) {
        (void)snprintf(text, sizeof(text), "error %d", number);
    }
    return lia_err_sub(err, lia_errno_status(number), number, "%s %s: %s", what, path,
                       text);
}

void lia_path_join(struct lia_buf *out, const char *folder, const char *name)
{
    size_t len = strlen(folder);

    lia_buf_bytes(out, folder, len);
    if (len > 0 && folder[len - 1] != '/') {
        lia_buf_u8(out, '/');
    }
    lia_buf_bytes(out, name, strlen(name) + 1);
}

static liana_status read_all(int fd,
                             const char *path,
                             size_t bytes_max,
                             struct lia_buf *out,
                             struct liana_error *err)
{
    uint8_t chunk[4096];
    size_t total = 0;

    for (;;) {
        ssize_t n = read(fd, chunk, sizeof(chunk));

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return lia_err_errno(err, errno, "cannot read", path);
        }
        if (n == 0) {
            return lia_err_plain(err, out->status);
        }
        total += (size_t)n;
        if (total > bytes_max) {
            return lia_err(err, LIANA_ETOOLARGE, "%s is longer than %zu bytes", path,
                           bytes_max);
        }
        lia_buf_bytes(out, chunk, (size_t)n);
        lia_mem_wipe(chunk, (size_t)n);
    }
}

static liana_status check_secret(int fd, const char *path, struct liana_error *err)
{
    struct stat st;

    if (fstat(fd, &st) != 0) {
        return lia_err_errno(err, errno, "cannot look at", path);
    }
    if (!S_ISREG(st.st_mode)) {
        return lia_err(err, LIANA_EINSECURE, "%s is not a regular file", path);
    }
    if (st.st_uid != geteuid()) {
        return lia_err(err, LIANA_EINSECURE, "%s belongs to another user", path);
    }
    if (st.st_mode & 077) {
        return lia_err(err, LIANA_EINSECURE,
                       "%s may be read by others (mode %03o): chmod 600 it", path,
                       (unsigned)st.st_mode & 0777);
    }
    return LIANA_OK;
}

static liana_status read_file(const char *path,
                              bool is_secret,
                              size_t bytes_max,
                              struct lia_buf *out,
                              struct liana_error *err)
{
    /* O_NONBLOCK: a FIFO put in place of the file must not hang the open. */
    int fd =
        open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | (is_secret ? O_NOFOLLOW : 0));
    liana_status status = LIANA_OK;

    if (fd < 0 && errno == ELOOP && is_secret) {
        return lia_err(err, LIANA_EINSECURE, "%s is a symbolic link", path);
    }
    if (fd < 0) {
        return lia_err_errno(err, errno, "cannot open", path);
    }
    if (is_secret) {
        status = check_secret(fd, path, err);
        lia_buf_reserve(out, bytes_max); /* a buffer that grows leaves copies behind */
    }
    if (!status) {
        status = read_all(fd, path, bytes_max, out, err);
    }
    close(fd);
    return status;
}

liana_status lia_file_read(const char *path,
                           size_t bytes_max,
                           struct lia_buf *out,
                           struct liana_error *err)
{
    return read_file(path, false, bytes_max, out, err);
}

liana_status lia_file_read_secret(const char *path,
                                  size_t bytes_max,
                                  struct lia_buf *out,
                                  struct liana_error *err)
{
    return read_file(path, true, bytes_max, out, err);
}

static liana_status write_all(int fd,
                              const char *path,
                              struct liana_slice content,
                              struct liana_error *err)
{
    while (content.len > 0) {
        ssize_t n = write(fd, content.ptr, content.len);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return lia_err_errno(err, errno, "cannot write", path);
        }
        content = lia_slice_sub(content, (size_t)n, content.len - (size_t)n);
    }
    if (fsync(fd) != 0) {
        return lia_err_errno(err, errno, "cannot sync", path);
    }
    return LIANA_OK;
}

static liana_status write_beside(const char *path,
                                 struct liana_slice content,
                                 unsigned mode,
                                 struct liana_error *err)
{
    liana_status status;
    int fd;

    /* A piece that a crash left is of no use, and may have another mode or owner. */
    if (unlink(path) != 0 && errno != ENOENT) {
        return lia_err_errno(err, errno, "cannot replace", path);
    }
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
    if (fd < 0) {
        return lia_err_errno(err, errno, "cannot make", path);
    }
    status = write_all(fd, path, content, err);
    if (close(fd) != 0 && !status) {
        status = lia_err_errno(err, errno, "cannot write", path);
    }
    return status;
}

static liana_status sync_folder_of(const char *path,
                                   struct lia_buf *scratch,
                                   struct liana_error *err)
{
    const char *slash = strrchr(path, '/');
    const char *folder;
    liana_status status = LIANA_OK;
    int fd;

    lia_buf_reset(scratch);
    if (slash) {
        lia_buf_bytes(scratch, path, slash == path ? 1 : (size_t)(slash - path));
    } else {
        lia_buf_str(scratch, ".");
    }
    lia_buf_u8(scratch, 0);
    if (scratch->status) {
        return lia_err_plain(err, scratch->status);
    }
    folder = (const char *)scratch->ptr;
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return lia_err_errno(err, errno, "cannot open", folder);
    }
    /* Some file systems cannot sync a folder and say so with EINVAL. */
    if (fsync(fd) != 0 && errno != EINVAL) {
        status = lia_err_errno(err, errno, "cannot sync", folder);
    }
    close(fd);
    return status;
}

liana_status lia_file_replace(const char *path,
                              struct liana_slice content,
                              unsigned mode,
                              struct liana_error *err)
{
    struct lia_buf beside;
    liana_status status;

    lia_buf_init(&beside, &lia_mem_libc);
    lia_buf_str(&beside, path);
    lia_buf_bytes(&beside, ".new", sizeof(".new"));
    status = lia_err_plain(err, beside.status);
    if (status) {
        goto out;
    }
    status = write_beside((const char *)beside.ptr, content, mode, err);
    if (!status && rename((const char *)beside.ptr, path) != 0) {
        status = lia_err_errno(err, errno, "cannot replace", path);
    }
    if (status) {
        unlink((const char *)beside.ptr);
        goto out;
    }
    status = sync_folder_of(path, &beside, err);
out:
    lia_buf_deinit(&beside);
    return status;
}

bool lia_file_exists(const char *path, bool *out_is_socket)
{
    struct stat st;

    if (lstat(path, &st) != 0) {
        return false;
    }
    *out_is_socket = S_ISSOCK(st.st_mode);
    return true;
}

liana_status lia_file_remove(const char *path, struct liana_error *err)
{
    if (unlink(path) != 0 && errno != ENOENT) {
        return lia_err_errno(err, errno, "cannot remove", path);
    }
    return LIANA_OK;
}

liana_status lia_file_lock(const char *path,
                           struct lia_file_lock *out,
                           struct liana_error *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0) {
        return lia_err_errno(err, errno, "cannot open", path);
    }
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        int number = errno;

        close(fd);
        if (number == EWOULDBLOCK) {
            return lia_err(err, LIANA_EBUSY, "%s is held by another process", path);
        }
        return lia_err_errno(err, number, "cannot lock", path);
    }
    out->fd = fd;
    return LIANA_OK;
}

void lia_file_unlock(struct lia_file_lock *lock)
{
    flock(lock->fd, LOCK_UN); /* also for a copy that a forked child still holds */
    close(lock->fd);
    lock->fd = -1;
}

liana_status lia_dir_make(const char *path, struct liana_error *err)
{
    struct stat info;

    if (mkdir(path, S_IRWXU) == 0) {
        return LIANA_OK;
    }
    if (errno == EEXIST && stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
        return LIANA_OK;
    }
    return lia_err_errno(err, errno, "cannot make folder", path);
}
