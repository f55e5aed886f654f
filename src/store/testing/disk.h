/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_STORE_TESTING_DISK_H
#define LIA_STORE_TESTING_DISK_H
/*
 * store/testing/disk - a disk in memory as an SQLite VFS, that can lose power, fail and
 * be full.
 *
 *     struct lia_test_disk disk;
 *     lia_test_disk_init(&disk, "a");
 *     ... open a store with vfs "a" and any path ...
 *     lia_test_disk_crash(&disk, &rng, &after, "b");    and open what is left on "b"
 *
 * Rules: a write reaches the disk for certain with the next sync of its file; before that
 * each sector of 512 bytes may be there or not, whatever the order of writing, and the
 * file may have its old length or its new one. A sector is never half written, and
 * bytes beside a write keep theirs (SQLITE_IOCAP_POWERSAFE_OVERWRITE). Files are there
 * once they are made. Locks and shared memory work between connections of the process.
 * Ownership: the test keeps the struct at its place until lia_test_disk_deinit; stores
 * on it are closed before. Threads: one.
 */
#include <sqlite3.h>

#include "base/buf.h"
#include "base/testing/random.h"

#define LIA_TEST_DISK_FILES 8

struct lia_test_file;

enum lia_test_fault {
    LIA_FAULT_NONE,
    LIA_FAULT_WRITE,
    LIA_FAULT_SYNC,
    LIA_FAULT_READ,
    LIA_FAULT_ANY
};

struct lia_test_disk {
    sqlite3_vfs vfs;
    char name[32];
    struct lia_test_file *files[LIA_TEST_DISK_FILES];
    uint64_t bytes_max; /* of all files; 0: no limit */
    /* The n-th call of this kind from now on fails (1: the next one), and, if `fails_on`,
     * all after it. */
    enum lia_test_fault fault;
    uint64_t fault_in;
    bool fails_on;
    uint64_t calls; /* of the kind `fault`, since the last lia_test_disk_fault */
    uint64_t syncs;
    /* If set: what other threads do while the log is being synced. Not called from within
     * itself. */
    void (*during_sync)(void *ctx);
    void *during_sync_ctx;
    bool is_in_sync;
};

void lia_test_disk_init(struct lia_test_disk *disk, const char *name);
/* Of a disk that was never made or is gone already (all zero, or deinit before): nothing. */
void lia_test_disk_deinit(struct lia_test_disk *disk);

void lia_test_disk_fault(struct lia_test_disk *disk,
                         enum lia_test_fault fault,
                         uint64_t in,
                         bool fails_on);

/* Makes `out` what a loss of power at this moment may leave of `disk`, which goes on. */
void lia_test_disk_crash(const struct lia_test_disk *disk,
                         struct lia_rng *rng,
                         struct lia_test_disk *out,
                         const char *name);

/* Bytes of a file whose name ends so; NULL: there is none. They are valid until the next
 * write. */
uint8_t *lia_test_disk_bytes(struct lia_test_disk *disk,
                             const char *name_end,
                             size_t *out_len);

#endif
