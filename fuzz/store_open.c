/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz/store_open - the files of a store that something has damaged, or that are no store
 * of ours. Opening, reading, writing and closing answer a status, which says what is wrong
 * and names the store; a file that is refused stays as it is.
 *
 *     0 edits   a closed store with changed bytes
 *     1 edits   a store whose end was cut short, with changed bytes in its WAL
 *     2 bytes   any file
 *
 * An edit is 5 bytes: what (a byte set, the rest cut off, a page zeroed, a page copied
 * here), where (24 bits, little endian), with what (a byte, or the page's number).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "db/exec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PAGE ((size_t)4096)

static struct {
    bool is_made;
    uint64_t random;
    struct lia_env env;
    char folder[64];
    char file[80];
    char wal[84];
    char shm[84];
    struct lia_buf closed; /* store.db */
    struct lia_buf open;   /* store.db and its WAL before the end */
    struct lia_buf open_wal;
} world;

/* ---- the world ---- */

static uint64_t now(void *ctx)
{
    (void)ctx;
    return 1767225600000;
}

static void fill(void *ctx, void *out, size_t len)
{
    uint8_t *bytes = out;

    (void)ctx;
    for (size_t i = 0; i < len; i++) {
        world.random = world.random * 6364136223846793005u + 1442695040888963407u;
        bytes[i] = (uint8_t)(world.random >> 56);
    }
}

static void remove_files(void)
{
    (void)unlink(world.file);
    (void)unlink(world.wal);
    (void)unlink(world.shm);
}

static void remove_folder(void)
{
    char lock[80];

    remove_files();
    snprintf(lock, sizeof(lock), "%s/store.lock", world.folder);
    (void)unlink(lock);
    (void)rmdir(world.folder);
}

static void put_file(const char *path, struct liana_slice bytes)
{
    FILE *file = fopen(path, "wb");

    LIA_ASSERT(file && fwrite(bytes.ptr, 1, bytes.len, file) == bytes.len);
    LIA_ASSERT(fclose(file) == 0);
}

static liana_status open_db(struct lia_db **out, bool create, struct liana_error *err)
{
    const struct lia_db_options options = {.store = {.env = &world.env,
                                                     .path = world.folder,
                                                     .create = create,
                                                     .durability = LIA_MEMORY}};

    return lia_db_open(&options, out, err);
}

static liana_status execute(struct lia_db *db,
                            const char *text,
                            struct liana_error *err)
{
    struct lia_result *result = NULL;
    struct liana_slice row;
    liana_status status =
        lia_db_execute(db, lia_str(text), (struct liana_slice){0}, NULL, &result, err);

    while (!status) {
        status = lia_result_next(result, &row, err);
    }
    lia_result_free(result);
    return status == LIANA_EEND ? LIANA_OK : status;
}

static const struct liana_slice PEER = {(const uint8_t *)"peer", 4};
static const char QUERY[] = "SELECT * FROM c WHERE a > 1";

static liana_status subscribe(struct lia_db *db, uint64_t *out, struct liana_error *err)
{
    const struct lia_subscription sub = {.hash = PEER,
                                         .collection = lia_str("c"),
                                         .query = lia_str_slice(lia_str(QUERY))};
    struct lia_registration registration = {0};
    liana_status status = lia_db_register(db, PEER, &sub, &registration, err);

    *out = registration.id;
    return status;
}

static void make_world(void)
{
    struct lia_db *db;
    uint64_t id;

    world.is_made = true;
    world.env = (struct lia_env){
        .alloc = &lia_mem_libc, .wall_ms = now, .mono_ms = now, .random = fill};
    snprintf(world.folder, sizeof(world.folder), "/tmp/liana-fuzz-XXXXXX");
    LIA_ASSERT(mkdtemp(world.folder));
    LIA_ASSERT(atexit(remove_folder) == 0);
    snprintf(world.file, sizeof(world.file), "%s/store.db", world.folder);
    snprintf(world.wal, sizeof(world.wal), "%s-wal", world.file);
    snprintf(world.shm, sizeof(world.shm), "%s-shm", world.file);
    lia_buf_init(&world.closed, &lia_mem_libc);
    lia_buf_init(&world.open, &lia_mem_libc);
    lia_buf_init(&world.open_wal, &lia_mem_libc);
    LIA_ASSERT(open_db(&db, true, NULL) == LIANA_OK);
    LIA_ASSERT(subscribe(db, &id, NULL) == LIANA_OK);
    LIA_ASSERT(execute(db,
                       "INSERT INTO c DOCUMENTS ({'_id': 1, 'a': 1, 't': 'text'}), "
                       "({'_id': 2, 'a': 2, 'm': {'x': [1, 2]}}), ({'_id': 3, 'a': 3})",
                       NULL) == LIANA_OK);
    LIA_ASSERT(lia_db_close(db, NULL) == LIANA_OK);
    LIA_ASSERT(lia_file_read(world.file, LIA_MIB, &world.closed, NULL) == LIANA_OK);
    LIA_ASSERT(open_db(&db, false, NULL) == LIANA_OK);
    LIA_ASSERT(execute(db, "UPDATE c SET a = 0 WHERE a = 3", NULL) == LIANA_OK);
    LIA_ASSERT(execute(db, "INSERT INTO d DOCUMENTS ({'_id': 1})", NULL) == LIANA_OK);
    LIA_ASSERT(lia_file_read(world.file, LIA_MIB, &world.open, NULL) == LIANA_OK);
    LIA_ASSERT(lia_file_read(world.wal, LIA_MIB, &world.open_wal, NULL) == LIANA_OK);
    LIA_ASSERT(lia_db_close(db, NULL) == LIANA_OK);
}

/* ---- the input ---- */

static void edit(struct lia_buf *file, struct lia_reader *r)
{
    uint8_t what = lia_reader_u8(r);
    size_t at = lia_reader_u16(r);
    uint8_t value;

    at |= (size_t)lia_reader_u8(r) << 16;
    value = lia_reader_u8(r);
    if (r->failed || file->len < PAGE) {
        return;
    }
    at %= file->len;
    if (what % 4 == 0) {
        file->ptr[at] = value;
    } else if (what % 4 == 1) {
        file->len = at;
    } else {
        size_t from = value % (file->len / PAGE) * PAGE;
        size_t to = at / PAGE * PAGE;
        size_t len = file->len - (from > to ? from : to);

        len = len < PAGE ? len : PAGE;
        if (what % 4 == 2) {
            memset(file->ptr + to, 0, len);
        } else {
            memmove(file->ptr + to, file->ptr + from, len);
        }
    }
}

static void edited(const struct lia_buf *original,
                   struct lia_reader *r,
                   const char *path)
{
    struct lia_buf file;

    lia_buf_init(&file, &lia_mem_libc);
    lia_buf_slice_add(&file, lia_buf_slice(original));
    while (lia_reader_left(r) >= 5) {
        edit(&file, r);
    }
    put_file(path, lia_buf_slice(&file));
    lia_buf_deinit(&file);
}

static void make_files(struct lia_reader *r)
{
    remove_files();
    switch (lia_reader_u8(r) % 3) {
    case 0: edited(&world.closed, r, world.file); break;
    case 1:
        put_file(world.file, lia_buf_slice(&world.open));
        edited(&world.open_wal, r, world.wal);
        break;
    default: put_file(world.file, lia_reader_bytes(r, lia_reader_left(r))); break;
    }
}

/* ---- what may come of it ---- */

static void check(liana_status status, const struct liana_error *err)
{
    switch (status) {
    case LIANA_OK: return;
    case LIANA_ECORRUPT:
    case LIANA_EFOREIGN:
    case LIANA_EVERSION:
    case LIANA_EREADONLY:
    case LIANA_ENOTFOUND:
    case LIANA_EIO: break;
    default:
        fprintf(stderr, "%s: %s\n", liana_status_name(status), err->message);
        LIA_ASSERT(false);
    }
    if (err) {
        LIA_ASSERT(err->status == status);
    }
}

static void use(struct lia_db *db)
{
    struct liana_error errs[6] = {{0}};
    struct lia_interest interest = {.peer = PEER};
    const struct lia_feed_query query = {
        .interests = &interest, .interest_count = 1, .bytes_max = LIA_MIB};
    struct lia_feed_page page;
    struct lia_token token;
    struct lia_arena arena;

    lia_arena_init(&arena, &lia_mem_libc);
    check(lia_db_feed(db, &arena, &query, &page, &errs[0]), &errs[0]);
    check(execute(db, "SELECT * FROM c WHERE a > 0 ORDER BY t", &errs[1]), &errs[1]);
    check(subscribe(db, &interest.registration, &errs[2]), &errs[2]);
    check(execute(db, "UPDATE c SET a = 1", &errs[3]), &errs[3]);
    check(lia_db_feed(db, &arena, &query, &page, &errs[4]), &errs[4]);
    check(lia_db_token(db, &arena, PEER, PEER, &token, &errs[5]), &errs[5]);
    lia_arena_deinit(&arena);
}

/* A file that is not there is an empty one. */
static void read_file(const char *path, struct lia_buf *out)
{
    liana_status status;

    lia_buf_init(out, &lia_mem_libc);
    status = lia_file_read(path, 16 * LIA_MIB, out, NULL);
    LIA_ASSERT(status == LIANA_OK || status == LIANA_ENOTFOUND);
}

static void assert_untouched(const char *path, const struct lia_buf *before)
{
    struct lia_buf after;

    read_file(path, &after);
    LIA_ASSERT(lia_slice_equal(lia_buf_slice(&after), lia_buf_slice(before)));
    lia_buf_deinit(&after);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lia_reader r = lia_reader(lia_slice(data, size));
    struct liana_error err = {0};
    struct lia_buf file;
    struct lia_buf wal;
    struct lia_db *db;
    liana_status status;

    if (!world.is_made) {
        make_world();
    }
    make_files(&r);
    read_file(world.file, &file);
    read_file(world.wal, &wal);
    status = open_db(&db, false, &err);
    check(status, &err);
    if (status) {
        LIA_ASSERT(strstr(err.message, world.folder));
        assert_untouched(world.file, &file);
        if (wal.len) { /* else a commit may have been begun there */
            assert_untouched(world.wal, &wal);
        }
    } else {
        use(db);
        err = (struct liana_error){0};
        status = lia_db_close(db, &err);
        check(status, &err);
    }
    lia_buf_deinit(&file);
    lia_buf_deinit(&wal);
    return 0;
}
