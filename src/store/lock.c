/* SPDX-License-Identifier: Apache-2.0 */
#include "store/internal.h"

#include <string.h>

static liana_status fail(struct lia_store_lock *lock, int code, struct liana_error *err)
{
    liana_status status = lia_sqlite_status(code);

    if (status == LIANA_EBUSY) {
        return lia_err_sub(err, status, code, "%s: the store is open elsewhere",
                           lock->path);
    }
    return lia_err_sub(err, status, code, "%s: cannot be locked: %s", lock->path,
                       sqlite3_errstr(code));
}

/* SQLite's names end with two NULs: parameters of a URI may follow the first. */
static bool make_path(struct lia_store_lock *lock,
                      sqlite3_vfs *vfs,
                      const char *folder,
                      int *out_code)
{
    static const char NAME[] = "/store.lock";
    size_t max = (size_t)vfs->mxPathname + 1;
    char *full;

    lock->path_size = max + sizeof(NAME) + 1;
    lock->path = lia_mem_zalloc(lock->alloc, lock->path_size);
    if (!lock->path) {
        *out_code = SQLITE_NOMEM;
        return false;
    }
    full = lock->path;
    *out_code = vfs->xFullPathname(vfs, folder, (int)max, full);
    if (*out_code != SQLITE_OK && *out_code != SQLITE_OK_SYMLINK) {
        memcpy(full, folder, strnlen(folder, max - 1));
        return false;
    }
    memcpy(full + strlen(full), NAME, sizeof(NAME));
    return true;
}

static int take(struct lia_store_lock *lock, sqlite3_vfs *vfs)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MAIN_DB;
    int got = 0;
    int code;

    memset(lock->file, 0, lock->file_size);
    code = vfs->xOpen(vfs, lock->path, lock->file, flags, &got);
    if (!code && (got & SQLITE_OPEN_READONLY)) {
        code = SQLITE_READONLY; /* it opens what it may not write, to be read */
    }
    if (code) {
        return code;
    }
    code = lock->file->pMethods->xLock(lock->file, SQLITE_LOCK_SHARED);
    if (!code) {
        code = lock->file->pMethods->xLock(lock->file, SQLITE_LOCK_RESERVED);
    }
    if (!code) {
        code = lock->file->pMethods->xLock(lock->file, SQLITE_LOCK_EXCLUSIVE);
    }
    return code;
}

liana_status lia_store_lock(struct lia_store_lock *lock,
                            const struct lia_env *env,
                            const char *vfs_name,
                            const char *folder,
                            struct liana_error *err)
{
    sqlite3_vfs *vfs = sqlite3_vfs_find(vfs_name);
    liana_status status = LIANA_OK;
    int code = SQLITE_OK;

    *lock = (struct lia_store_lock){.alloc = env->alloc};
    if (!vfs) {
        return lia_err(err, LIANA_EINVAL, "no VFS is called %s",
                       vfs_name ? vfs_name : "(default)");
    }
    lock->file_size = (size_t)vfs->szOsFile;
    lock->file = lia_mem_zalloc(env->alloc, lock->file_size);
    if (!lock->file || !make_path(lock, vfs, folder, &code)) {
        status = lock->file ? fail(lock, code, err) : lia_err_plain(err, LIANA_ENOMEM);
    } else {
        code = take(lock, vfs);
        status = code ? fail(lock, code, err) : LIANA_OK;
    }
    if (status) {
        lia_store_unlock(lock);
    }
    return status;
}

void lia_store_unlock(struct lia_store_lock *lock)
{
    if (lock->file && lock->file->pMethods) {
        LIA_IGNORE(lock->file->pMethods->xUnlock(lock->file, SQLITE_LOCK_NONE));
        LIA_IGNORE(lock->file->pMethods->xClose(lock->file));
        /* a lock that cannot be let go ends with the process */
    }
    lia_mem_free(lock->alloc, lock->file, lock->file_size);
    lia_mem_free(lock->alloc, lock->path, lock->path_size);
    *lock = (struct lia_store_lock){.alloc = lock->alloc};
}
