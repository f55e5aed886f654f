/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_BASE_FILE_H
#define LIA_BASE_FILE_H
/*
 * base/file - small files beside the store: keys, locks. SQLite has its own I/O.
 *
 * Rules: a file is replaced as a whole: the new bytes are written beside it, synced, and
 * renamed over it, then the folder is synced, so that after a crash there is the old
 * content or the new one. A secret is a regular file of this user that nobody else may
 * read. Every failure names the path. Messages never hold content.
 *
 * Ownership: paths are borrowed C strings. Threads: any; two writers of one path at a
 * time are the caller's to avoid.
 */
#include "base/buf.h"
#include "base/error.h"

/* The status for a number of <errno.h>: LIANA_ENOTFOUND, LIANA_EDENIED, LIANA_EFULL,
 * LIANA_EREADONLY, LIANA_ENOMEM, LIANA_EEXISTS, LIANA_EIO. */
liana_status lia_errno_status(int number);

/* Fills `err` with "<what> <path>: <the system's text>" and answers the status. */
liana_status lia_err_errno(struct liana_error *err,
                           int number,
                           const char *what,
                           const char *path);

/* "folder/name" at the end of `out`, with its NUL. */
void lia_path_join(struct lia_buf *out, const char *folder, const char *name);

/* Appends the whole file; LIANA_ETOOLARGE when it is longer than `bytes_max`. */
LIANA_MUST_CHECK liana_status lia_file_read(const char *path,
                                            size_t bytes_max,
                                            struct lia_buf *out,
                                            struct liana_error *err);

/* The same for a secret, of which no copy is left but in `out`: LIANA_EINSECURE unless it is a regular file, not a link, owned
 * by this user, mode 0600 or stricter. */
LIANA_MUST_CHECK liana_status lia_file_read_secret(const char *path,
                                                   size_t bytes_max,
                                                   struct lia_buf *out,
                                                   struct liana_error *err);

/* Makes or replaces the file with `mode` bits, durably. */
LIANA_MUST_CHECK liana_status lia_file_replace(const char *path,
                                               struct liana_slice content,
                                               unsigned mode,
                                               struct liana_error *err);

/* Makes a folder of this user alone (mode 0700) unless it is there; its parent must be. */
LIANA_MUST_CHECK liana_status lia_dir_make(const char *path, struct liana_error *err);

/* Whether something is there (a dangling link too), and whether it is a socket. */
bool lia_file_exists(const char *path, bool *out_is_socket);

/* Names a file as long as it lives: not its copy, nor what is put in its place. Never 0. */
LIANA_MUST_CHECK liana_status lia_file_identity(const char *path,
                                                uint64_t *out,
                                                struct liana_error *err);

/* Nothing being there is no failure. */
LIANA_MUST_CHECK liana_status lia_file_remove(const char *path,
                                              struct liana_error *err);

/* A lock that ends with its process. */
struct lia_file_lock {
    int fd;
};

/* Makes the file if need be and locks it; LIANA_EBUSY when another holder, in this
 * process or in another, has it. */
LIANA_MUST_CHECK liana_status lia_file_lock(const char *path,
                                            struct lia_file_lock *out,
                                            struct liana_error *err);
/* The file stays. */
void lia_file_unlock(struct lia_file_lock *lock);

#endif
