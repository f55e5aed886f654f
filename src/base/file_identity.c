/* SPDX-License-Identifier: Apache-2.0 */
#ifndef _GNU_SOURCE
#    define _GNU_SOURCE /* statx */
#endif

#include <errno.h>
#include <sys/stat.h>

#include <fcntl.h>

#include "base/file.h"
#include "base/hash.h"

/* The number of a device may change with every boot, so it counts only where a file does
 * not say when it was born: a copy elsewhere is born later. */
liana_status lia_file_identity(const char *path, uint64_t *out, struct liana_error *err)
{
    struct statx st;
    uint64_t names[4] = {0};
    uint64_t hash;

    if (statx(AT_FDCWD, path, 0, STATX_INO | STATX_BTIME, &st)) {
        return lia_err_errno(err, errno, "cannot look at", path);
    }
    names[0] = st.stx_ino;
    if (st.stx_mask & STATX_BTIME) {
        names[1] = (uint64_t)st.stx_btime.tv_sec;
        names[2] = st.stx_btime.tv_nsec;
    } else {
        names[3] = (uint64_t)st.stx_dev_major << 32 | st.stx_dev_minor;
    }
    hash = lia_hash64(lia_slice(names, sizeof(names)));
    *out = hash ? hash : 1;
    return LIANA_OK;
}
