/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include "store/testing/disk.h"

#include <stdio.h>
#include <stdlib.h>

#define SECTOR    ((size_t)512)
#define SHM_SLOTS 8
#define SHM_MAX   16

struct lia_test_file {
    char name[256];
    struct lia_buf now;    /* what reads see */
    struct lia_buf synced; /* what is certain */
    int shared;
    bool reserved;
    bool exclusive;
    void *shm[SHM_MAX];
    size_t shm_size;
    int shm_shared[SHM_SLOTS];
    bool shm_exclusive[SHM_SLOTS];
};

/* One sqlite3_file. */
struct handle {
    sqlite3_file base;
    struct lia_test_disk *disk;
    struct lia_test_file *file;
    int lock;
    bool is_temporary;
    uint16_t shm_shared;
    uint16_t shm_exclusive;
};

static struct handle *handle_of(sqlite3_file *file)
{
    return (struct handle *)(void *)file;
}

/* ---- faults ---- */

static bool fails(struct lia_test_disk *disk, enum lia_test_fault kind)
{
    if (disk->fault != kind && disk->fault != LIA_FAULT_ANY) {
        return false;
    }
    disk->calls++;
    return disk->fault_in && (disk->calls == disk->fault_in ||
                              (disk->fails_on && disk->calls > disk->fault_in));
}

void lia_test_disk_fault(struct lia_test_disk *disk,
                         enum lia_test_fault fault,
                         uint64_t in,
                         bool fails_on)
{
    disk->fault = fault;
    disk->fault_in = in;
    disk->fails_on = fails_on;
    disk->calls = 0;
}

static bool is_full(const struct lia_test_disk *disk, size_t more)
{
    uint64_t bytes = more;

    for (size_t i = 0; i < LIA_TEST_DISK_FILES; i++) {
        bytes += disk->files[i] ? disk->files[i]->now.len : 0;
    }
    return disk->bytes_max && bytes > disk->bytes_max;
}

/* ---- bytes ---- */

static void set_len(struct lia_buf *buf, size_t len)
{
    if (len > buf->len) {
        size_t more = len - buf->len;

        memset(lia_buf_extend(buf, more), 0, more);
    }
    buf->len = len;
}

static int file_read(sqlite3_file *file, void *out, int n, sqlite3_int64 at)
{
    const struct handle *h = handle_of(file);
    size_t start = (size_t)at;
    size_t len = h->file->now.len;
    size_t there = start < len ? len - start : 0;

    if (fails(h->disk, LIA_FAULT_READ)) {
        return SQLITE_IOERR_READ;
    }
    there = there < (size_t)n ? there : (size_t)n;
    memset(out, 0, (size_t)n);
    if (there) {
        memcpy(out, h->file->now.ptr + start, there);
    }
    return there == (size_t)n ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int file_write(sqlite3_file *file, const void *bytes, int n, sqlite3_int64 at)
{
    struct handle *h = handle_of(file);
    size_t end = (size_t)at + (size_t)n;
    size_t len = h->file->now.len;

    if (fails(h->disk, LIA_FAULT_WRITE)) {
        return SQLITE_IOERR_WRITE;
    }
    if (end > len && is_full(h->disk, end - len)) {
        return SQLITE_FULL;
    }
    set_len(&h->file->now, end > len ? end : len);
    memcpy(h->file->now.ptr + at, bytes, (size_t)n);
    return SQLITE_OK;
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct handle *h = handle_of(file);

    if (fails(h->disk, LIA_FAULT_WRITE)) {
        return SQLITE_IOERR_TRUNCATE;
    }
    set_len(&h->file->now, (size_t)size);
    return SQLITE_OK;
}

static bool is_log(const struct lia_test_file *file)
{
    size_t len = strlen(file->name);

    return len >= 4 && strcmp(file->name + len - 4, "-wal") == 0;
}

static void work_of_others(struct lia_test_disk *disk)
{
    if (disk->during_sync && !disk->is_in_sync) {
        disk->is_in_sync = true;
        disk->during_sync(disk->during_sync_ctx);
        disk->is_in_sync = false;
    }
}

static int file_sync(sqlite3_file *file, int flags)
{
    struct handle *h = handle_of(file);

    (void)flags;
    h->disk->syncs++;
    if (is_log(h->file)) {
        work_of_others(h->disk);
    }
    if (fails(h->disk, LIA_FAULT_SYNC)) {
        return SQLITE_IOERR_FSYNC;
    }
    lia_buf_reset(&h->file->synced);
    lia_buf_slice_add(&h->file->synced, lia_buf_slice(&h->file->now));
    return SQLITE_OK;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *out)
{
    *out = (sqlite3_int64)handle_of(file)->file->now.len;
    return SQLITE_OK;
}

/* ---- locks ---- */

static int file_unlock(sqlite3_file *file, int level)
{
    struct handle *h = handle_of(file);

    if (h->lock >= SQLITE_LOCK_EXCLUSIVE && level < SQLITE_LOCK_EXCLUSIVE) {
        h->file->exclusive = false;
    }
    if (h->lock >= SQLITE_LOCK_RESERVED && level < SQLITE_LOCK_RESERVED) {
        h->file->reserved = false;
    }
    if (h->lock >= SQLITE_LOCK_SHARED && level < SQLITE_LOCK_SHARED) {
        h->file->shared--;
    }
    h->lock = h->lock < level ? h->lock : level;
    return SQLITE_OK;
}

static int file_lock(sqlite3_file *file, int level)
{
    struct handle *h = handle_of(file);
    struct lia_test_file *f = h->file;

    if (h->lock >= level) {
        return SQLITE_OK;
    }
    if (level == SQLITE_LOCK_SHARED) {
        if (f->exclusive) {
            return SQLITE_BUSY;
        }
        f->shared++;
    } else if (level == SQLITE_LOCK_RESERVED) {
        if (f->reserved) {
            return SQLITE_BUSY;
        }
        f->reserved = true;
    } else {
        if (f->shared > 1 || (f->reserved && h->lock < SQLITE_LOCK_RESERVED)) {
            return SQLITE_BUSY;
        }
        f->reserved = true;
        f->exclusive = true;
    }
    h->lock = level;
    return SQLITE_OK;
}

static int file_check_lock(sqlite3_file *file, int *out)
{
    *out = handle_of(file)->file->reserved;
    return SQLITE_OK;
}

static int file_control(sqlite3_file *file, int op, void *arg)
{
    (void)file;
    (void)op;
    (void)arg;
    return SQLITE_NOTFOUND;
}

static int file_sector(sqlite3_file *file)
{
    (void)file;
    return (int)SECTOR;
}

static int file_device(sqlite3_file *file)
{
    (void)file;
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

/* ---- the WAL's shared memory ---- */

static int shm_map(sqlite3_file *file,
                   int page,
                   int size,
                   int extend,
                   void volatile **out)
{
    struct lia_test_file *f = handle_of(file)->file;

    assert_in_range(page, 0, SHM_MAX - 1);
    if (!f->shm[page] && extend) {
        f->shm[page] = calloc(1, (size_t)size);
        f->shm_size = (size_t)size;
    }
    *out = f->shm[page];
    return SQLITE_OK;
}

static void shm_release(struct handle *h, int slot)
{
    uint16_t bit = (uint16_t)(1U << slot);

    if (h->shm_exclusive & bit) {
        h->file->shm_exclusive[slot] = false;
    }
    if (h->shm_shared & bit) {
        h->file->shm_shared[slot]--;
    }
    h->shm_exclusive = (uint16_t)(h->shm_exclusive & ~bit);
    h->shm_shared = (uint16_t)(h->shm_shared & ~bit);
}

static bool shm_is_free(const struct handle *h, int slot, bool exclusive)
{
    bool mine = h->shm_shared & (1U << slot);

    return !h->file->shm_exclusive[slot] &&
           (!exclusive || h->file->shm_shared[slot] == (mine ? 1 : 0));
}

static int shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
    struct handle *h = handle_of(file);
    bool exclusive = flags & SQLITE_SHM_EXCLUSIVE;

    for (int i = offset; i < offset + n; i++) {
        if ((flags & SQLITE_SHM_LOCK) && !shm_is_free(h, i, exclusive)) {
            return SQLITE_BUSY;
        }
    }
    for (int i = offset; i < offset + n; i++) {
        uint16_t bit = (uint16_t)(1U << i);

        if (flags & SQLITE_SHM_UNLOCK) {
            shm_release(h, i);
        } else if (exclusive) {
            h->file->shm_exclusive[i] = true;
            h->shm_exclusive |= bit;
        } else if (!(h->shm_shared & bit)) {
            h->file->shm_shared[i]++;
            h->shm_shared |= bit;
        }
    }
    return SQLITE_OK;
}

static void shm_barrier(sqlite3_file *file)
{
    (void)file;
}

static void free_shm(struct lia_test_file *f)
{
    for (size_t i = 0; i < SHM_MAX; i++) {
        free(f->shm[i]);
        f->shm[i] = NULL;
    }
}

static int shm_unmap(sqlite3_file *file, int remove)
{
    struct handle *h = handle_of(file);

    for (int i = 0; i < SHM_SLOTS; i++) {
        shm_release(h, i);
    }
    if (remove) {
        free_shm(h->file);
    }
    return SQLITE_OK;
}

/* ---- files ---- */

static struct lia_test_file **find(struct lia_test_disk *disk, const char *name)
{
    struct lia_test_file **empty = NULL;

    for (size_t i = 0; i < LIA_TEST_DISK_FILES; i++) {
        struct lia_test_file **slot = &disk->files[i];

        if (*slot && strcmp((*slot)->name, name) == 0) {
            return slot;
        }
        empty = !*slot && !empty ? slot : empty;
    }
    assert_non_null(empty);
    return empty;
}

static struct lia_test_file *new_file(const char *name)
{
    struct lia_test_file *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    snprintf(f->name, sizeof(f->name), "%s", name);
    lia_buf_init(&f->now, &lia_mem_libc);
    lia_buf_init(&f->synced, &lia_mem_libc);
    return f;
}

static void free_file(struct lia_test_file *f)
{
    if (f) {
        lia_buf_deinit(&f->now);
        lia_buf_deinit(&f->synced);
        free_shm(f);
        free(f);
    }
}

static int file_close(sqlite3_file *file)
{
    struct handle *h = handle_of(file);

    file_unlock(file, SQLITE_LOCK_NONE);
    if (h->is_temporary) {
        free_file(h->file);
    }
    file->pMethods = NULL;
    return SQLITE_OK;
}

static const sqlite3_io_methods METHODS = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_lock,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_device,
    .xShmMap = shm_map,
    .xShmLock = shm_lock,
    .xShmBarrier = shm_barrier,
    .xShmUnmap = shm_unmap,
};

static int vfs_open(sqlite3_vfs *vfs,
                    const char *name,
                    sqlite3_file *file,
                    int flags,
                    int *out_flags)
{
    struct lia_test_disk *disk = vfs->pAppData;
    struct handle *h = handle_of(file);
    struct lia_test_file **slot = name ? find(disk, name) : NULL;

    *h = (struct handle){.disk = disk, .is_temporary = !name};
    if (slot && !*slot && !(flags & SQLITE_OPEN_CREATE)) {
        return SQLITE_CANTOPEN;
    }
    if (slot && !*slot) {
        *slot = new_file(name);
    }
    h->file = slot ? *slot : new_file("");
    file->pMethods = &METHODS;
    if (out_flags) {
        *out_flags = flags;
    }
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
    struct lia_test_file **slot = find(vfs->pAppData, name);

    (void)sync_folder;
    if (!*slot) {
        return SQLITE_IOERR_DELETE_NOENT;
    }
    free_file(*slot);
    *slot = NULL;
    return SQLITE_OK;
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
    const struct lia_test_file *f = *find(vfs->pAppData, name);

    *out = f && (flags != SQLITE_ACCESS_EXISTS || f->now.len > 0);
    return SQLITE_OK;
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *name, int max, char *out)
{
    (void)vfs;
    snprintf(out, (size_t)max, "%s", name);
    return SQLITE_OK;
}

static int vfs_random(sqlite3_vfs *vfs, int n, char *out)
{
    (void)vfs;
    memset(out, 7, (size_t)n);
    return n;
}

static int vfs_sleep(sqlite3_vfs *vfs, int microseconds)
{
    (void)vfs;
    return microseconds;
}

static int vfs_time(sqlite3_vfs *vfs, double *out)
{
    (void)vfs;
    *out = 2460000.5;
    return SQLITE_OK;
}

void lia_test_disk_init(struct lia_test_disk *disk, const char *name)
{
    *disk = (struct lia_test_disk){
        .vfs =
            {
                .iVersion = 1,
                .szOsFile = sizeof(struct handle),
                .mxPathname = 200,
                .xOpen = vfs_open,
                .xDelete = vfs_delete,
                .xAccess = vfs_access,
                .xFullPathname = vfs_full_path,
                .xRandomness = vfs_random,
                .xSleep = vfs_sleep,
                .xCurrentTime = vfs_time,
            },
    };
    snprintf(disk->name, sizeof(disk->name), "%s", name);
    disk->vfs.zName = disk->name;
    disk->vfs.pAppData = disk;
    assert_int_equal(sqlite3_vfs_register(&disk->vfs, 0), SQLITE_OK);
}

void lia_test_disk_deinit(struct lia_test_disk *disk)
{
    sqlite3_vfs_unregister(&disk->vfs);
    for (size_t i = 0; i < LIA_TEST_DISK_FILES; i++) {
        free_file(disk->files[i]);
        disk->files[i] = NULL;
    }
}

/* ---- loss of power ---- */

static void put_sector(struct lia_buf *out,
                       const struct lia_buf *from,
                       size_t at,
                       size_t end)
{
    size_t start = out->len;

    set_len(out, end);
    if (at < from->len) {
        size_t n = from->len < end ? from->len - at : end - at;

        memcpy(out->ptr + start, from->ptr + at, n);
    }
}

static void lose(const struct lia_test_file *f,
                 struct lia_rng *rng,
                 struct lia_test_file *out)
{
    size_t len = lia_rng_chance(rng, 50) ? f->synced.len : f->now.len;
    unsigned kept = (unsigned)lia_rng_below(rng, 3) * 50; /* none, some, all */

    for (size_t at = 0; at < len; at += SECTOR) {
        size_t end = at + SECTOR < len ? at + SECTOR : len;

        put_sector(&out->now, lia_rng_chance(rng, kept) ? &f->now : &f->synced, at,
                   end);
    }
    lia_buf_slice_add(&out->synced, lia_buf_slice(&out->now));
}

void lia_test_disk_crash(const struct lia_test_disk *disk,
                         struct lia_rng *rng,
                         struct lia_test_disk *out,
                         const char *name)
{
    lia_test_disk_init(out, name);
    for (size_t i = 0; i < LIA_TEST_DISK_FILES; i++) {
        if (disk->files[i]) {
            out->files[i] = new_file(disk->files[i]->name);
            lose(disk->files[i], rng, out->files[i]);
        }
    }
}

uint8_t *lia_test_disk_bytes(struct lia_test_disk *disk,
                             const char *name_end,
                             size_t *out_len)
{
    size_t end = strlen(name_end);

    for (size_t i = 0; i < LIA_TEST_DISK_FILES; i++) {
        struct lia_test_file *f = disk->files[i];
        size_t len = f ? strlen(f->name) : 0;

        if (f && len >= end && strcmp(f->name + len - end, name_end) == 0) {
            *out_len = f->now.len;
            return f->now.ptr;
        }
    }
    return NULL;
}
