/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/testing/env.h"
#include "base/testing/files.h"
#include "base/thread.h"
#include "store/store.h"

struct fixture {
    struct lia_test_env env;
    char folder[LIA_TEST_PATH_MAX];
    char file[LIA_TEST_PATH_MAX + 16];
    struct lia_store_options options;
    struct lia_store *store;
    struct liana_error err;
};

static int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));

    lia_test_env_init(&f->env, 1);
    lia_test_scratch(f->folder);
    snprintf(f->file, sizeof(f->file), "%s/store.db", f->folder);
    f->options = (struct lia_store_options){
        .env = &f->env.env, .path = f->folder, .create = true};
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    assert_ok(lia_store_close(f->store, NULL));
    lia_test_scratch_remove(f->folder);
    lia_test_env_finish(&f->env);
    test_free(f);
    return 0;
}

static void open_store(struct fixture *f)
{
    assert_ok(lia_store_open(&f->options, &f->store, &f->err));
}

static void close_store(struct fixture *f)
{
    assert_ok(lia_store_close(f->store, &f->err));
    f->store = NULL;
}

static void write_name(struct fixture *f, const char *name, struct lia_store_mark *out)
{
    struct lia_conn *conn;
    sqlite3_stmt *stmt;

    assert_ok(lia_store_write_begin(f->store, 0, &conn, &f->err));
    assert_ok(lia_conn_prepare(
        conn, lia_str("INSERT INTO collection (name) VALUES (?1)"), &stmt, &f->err));
    lia_bind_str(stmt, 1, lia_str(name));
    assert_ok(lia_conn_run(conn, stmt, &f->err));
    assert_ok(lia_store_write_commit(f->store, 0, out, &f->err));
    lia_store_write_end(f->store);
}

static int64_t count_names(struct lia_conn *conn)
{
    sqlite3_stmt *stmt;
    int64_t n;

    assert_ok(lia_conn_prepare(conn, lia_str("SELECT count(*) FROM collection"), &stmt,
                               NULL));
    assert_ok(lia_conn_step(conn, stmt, NULL));
    n = sqlite3_column_int64(stmt, 0);
    lia_conn_done(conn, stmt);
    return n;
}

static int64_t committed_names(struct fixture *f)
{
    struct lia_conn *conn;
    int64_t n;

    assert_ok(lia_store_read_begin(f->store, &conn, &f->err));
    n = count_names(conn);
    lia_store_read_end(f->store, conn);
    return n;
}

static void keeps_what_was_committed(void **state)
{
    struct fixture *f = *state;
    struct lia_store_mark mark;

    open_store(f);
    write_name(f, "one", &mark);
    assert_ok(lia_store_wait_durable(f->store, mark.commit, &f->err));
    close_store(f);
    f->options.create = false;
    open_store(f);
    assert_int_equal(committed_names(f), 1);
}

static void reads_see_a_snapshot(void **state)
{
    struct fixture *f = *state;
    struct lia_conn *reader;
    struct lia_store_mark mark;

    open_store(f);
    write_name(f, "one", &mark);
    assert_ok(lia_store_read_begin(f->store, &reader, &f->err));
    write_name(f, "two", &mark);
    assert_int_equal(count_names(reader), 1);
    assert_int_equal(committed_names(f), 2);
    lia_store_read_end(f->store, reader);
}

static void what_is_not_committed_is_gone(void **state)
{
    struct fixture *f = *state;
    struct lia_conn *conn;

    open_store(f);
    assert_ok(lia_store_write_begin(f->store, 0, &conn, &f->err));
    assert_ok(lia_conn_exec(conn, "INSERT INTO collection (name) VALUES ('x')", NULL));
    lia_store_write_end(f->store);
    assert_int_equal(committed_names(f), 0);
}

static void a_reader_cannot_write(void **state)
{
    struct fixture *f = *state;
    struct lia_conn *conn;

    open_store(f);
    assert_ok(lia_store_read_begin(f->store, &conn, &f->err));
    assert_status(
        LIANA_EREADONLY,
        lia_conn_exec(conn, "INSERT INTO collection (name) VALUES ('x')", NULL));
    lia_store_read_end(f->store, conn);
}

static void one_writer_at_a_time(void **state)
{
    struct fixture *f = *state;
    struct lia_conn *conn;
    struct lia_conn *other;

    open_store(f);
    assert_ok(lia_store_write_begin(f->store, 0, &conn, &f->err));
    assert_status(LIANA_EBUSY, lia_store_write_begin(f->store, 0, &other, NULL));
    assert_status(LIANA_EBUSY, lia_store_write_begin(f->store, 1, &other, NULL));
    lia_store_write_end(f->store);
    assert_ok(lia_store_write_begin(f->store, 0, &conn, &f->err));
    lia_store_write_end(f->store);
}

struct waiter {
    struct lia_store *store;
    liana_status status;
    atomic_bool is_done;
};

static void wait_for_writer(void *arg)
{
    struct waiter *w = arg;
    struct lia_conn *conn;

    w->status = lia_store_write_begin(w->store, 50, &conn, NULL);
    w->is_done = true;
}

/* Others come and give up meanwhile, and each of them wakes the one that waits. */
static void a_wait_for_the_writer_ends_though_it_is_woken(void **state)
{
    enum { OTHERS = 2000 };
    struct fixture *f = *state;
    struct waiter waiter = {.store = NULL};
    struct lia_thread thread;
    struct lia_conn *conn;
    struct lia_conn *other;
    int others = 0;

    open_store(f);
    assert_ok(lia_store_write_begin(f->store, 0, &conn, &f->err));
    waiter.store = f->store;
    assert_ok(lia_thread_start(&thread, "waiter", wait_for_writer, &waiter));
    while (!waiter.is_done && others < OTHERS) {
        assert_status(LIANA_EBUSY, lia_store_write_begin(f->store, 1, &other, NULL));
        others++;
    }
    lia_store_write_end(f->store);
    lia_thread_join(&thread);
    assert_int_equal(waiter.status, LIANA_EBUSY);
    assert_true(others < OTHERS);
}

static void a_folder_is_open_once(void **state)
{
    struct fixture *f = *state;
    struct lia_store *other = NULL;

    open_store(f);
    assert_status(LIANA_EBUSY, lia_store_open(&f->options, &other, &f->err));
    assert_non_null(strstr(f->err.message, f->folder));
    assert_null(other);
    close_store(f);
    f->err = (struct liana_error)LIANA_ERROR_INIT;
    open_store(f);
}

/* As SQLite does where a file may only be read. */
static int open_to_read(sqlite3_vfs *vfs,
                        const char *name,
                        sqlite3_file *file,
                        int flags,
                        int *out_flags)
{
    sqlite3_vfs *real = sqlite3_vfs_find(NULL);

    (void)vfs;
    flags &= ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    return real->xOpen(real, name, file, flags | SQLITE_OPEN_READONLY, out_flags);
}

static void a_folder_that_can_only_be_read(void **state)
{
    struct fixture *f = *state;
    sqlite3_vfs read_only = *sqlite3_vfs_find(NULL);
    struct lia_store *store = NULL;

    open_store(f);
    close_store(f);
    read_only.zName = "to-read";
    read_only.xOpen = open_to_read;
    assert_int_equal(sqlite3_vfs_register(&read_only, 0), SQLITE_OK);
    f->options.vfs = "to-read";
    assert_status(LIANA_EREADONLY, lia_store_open(&f->options, &store, &f->err));
    assert_non_null(strstr(f->err.message, "store.lock: cannot be locked"));
    assert_non_null(strstr(f->err.message, "readonly"));
    sqlite3_vfs_unregister(&read_only);
}

static void nothing_is_made_unless_asked(void **state)
{
    struct fixture *f = *state;

    f->options.create = false;
    assert_status(LIANA_ENOTFOUND, lia_store_open(&f->options, &f->store, &f->err));
    assert_non_null(strstr(f->err.message, f->folder));
}

static void a_missing_parent_is_named(void **state)
{
    struct fixture *f = *state;
    char path[LIA_TEST_PATH_MAX + 16];

    snprintf(path, sizeof(path), "%s/no/store", f->folder);
    f->options.path = path;
    assert_status(LIANA_ENOTFOUND, lia_store_open(&f->options, &f->store, &f->err));
    assert_non_null(strstr(f->err.message, path));
}

static void put_file(struct fixture *f, const void *bytes, size_t len)
{
    assert_ok(lia_file_replace(f->file, lia_slice(bytes, len), 0600, &f->err));
}

static void run_sql(const char *file, const char *sql)
{
    sqlite3 *sqlite;

    assert_int_equal(sqlite3_open(file, &sqlite), SQLITE_OK);
    assert_int_equal(sqlite3_exec(sqlite, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(sqlite), SQLITE_OK);
}

static void assert_refused(struct fixture *f, liana_status status)
{
    f->err = (struct liana_error)LIANA_ERROR_INIT;
    assert_status(status, lia_store_open(&f->options, &f->store, &f->err));
    assert_non_null(strstr(f->err.message, f->file));
}

static void other_files_are_refused(void **state)
{
    struct fixture *f = *state;
    char text[2048];

    memset(text, 'x', sizeof(text));
    put_file(f, text, sizeof(text));
    assert_refused(f, LIANA_EFOREIGN);
    put_file(f, "short", 5);
    assert_refused(f, LIANA_EFOREIGN);
    assert_int_equal(remove(f->file), 0);
    run_sql(f->file, "CREATE TABLE mine (x)");
    assert_refused(f, LIANA_EFOREIGN);
    run_sql(f->file, "SELECT x FROM mine");
}

static bool is_there(const struct fixture *f, const char *ending)
{
    char path[LIA_TEST_PATH_MAX + 32];
    bool is_socket;

    snprintf(path, sizeof(path), "%s%s", f->file, ending);
    return lia_file_exists(path, &is_socket);
}

/* Looking at a file that is refused neither moves its WAL into it nor leaves one. */
static void a_refused_file_keeps_its_wal(void **state)
{
    struct fixture *f = *state;
    sqlite3 *sqlite;

    assert_int_equal(sqlite3_open(f->file, &sqlite), SQLITE_OK);
    sqlite3_db_config(sqlite, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    assert_int_equal(sqlite3_exec(sqlite,
                                  "PRAGMA journal_mode=WAL; CREATE TABLE mine (x)",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_close(sqlite), SQLITE_OK);
    assert_refused(f, LIANA_EFOREIGN);
    assert_true(is_there(f, "-wal"));
    run_sql(f->file, "SELECT x FROM mine"); /* moves it into the file */
    assert_false(is_there(f, "-wal"));
    assert_refused(f, LIANA_EFOREIGN);
    assert_false(is_there(f, "-wal"));
}

static void other_formats_are_refused_by_name(void **state)
{
    struct fixture *f = *state;

    open_store(f);
    close_store(f);
    run_sql(f->file, "PRAGMA user_version=99");
    assert_refused(f, LIANA_EVERSION);
    assert_non_null(strstr(f->err.message, "99"));
}

/* An opening that was cut short leaves an empty file, or one with nothing but a header. */
static void a_blank_file_becomes_a_store(void **state)
{
    struct fixture *f = *state;

    put_file(f, "", 0);
    f->options.create = false;
    assert_refused(f, LIANA_ENOTFOUND);
    f->options.create = true;
    open_store(f);
    close_store(f);
    assert_int_equal(remove(f->file), 0);
    run_sql(f->file, "PRAGMA journal_mode=WAL; CREATE TABLE t (x); DROP TABLE t");
    open_store(f);
}

static void a_damaged_page_is_an_error(void **state)
{
    struct fixture *f = *state;
    struct lia_store_mark mark;
    char name[100];
    struct lia_buf bytes;
    liana_status status;

    open_store(f);
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof(name), "%060d", i);
        write_name(f, name, &mark);
    }
    close_store(f);
    lia_buf_init(&bytes, &lia_mem_libc);
    assert_ok(lia_file_read(f->file, 100 * LIA_MIB, &bytes, NULL));
    memset(bytes.ptr + 4096, 0xa5, bytes.len - 4096);
    put_file(f, bytes.ptr, bytes.len);
    lia_buf_deinit(&bytes);

    status = lia_store_open(&f->options, &f->store, &f->err);
    if (!status) {
        struct lia_conn *conn;

        assert_ok(lia_store_write_begin(f->store, 0, &conn, &f->err));
        assert_status(LIANA_ECORRUPT,
                      lia_conn_exec(conn, "DELETE FROM collection", &f->err));
        lia_store_write_end(f->store);
        assert_non_null(strstr(f->err.message, f->file));
        assert_status(LIANA_EIO, lia_store_write_begin(f->store, 0, &conn, NULL));
        assert_status(LIANA_EIO, lia_store_close(f->store, NULL));
        f->store = NULL;
    }
}

static void statements_are_used_again(void **state)
{
    static const char SQL[] = "SELECT name FROM collection WHERE id = ?1";
    struct fixture *f = *state;
    struct lia_conn *conn;
    sqlite3_stmt *one;
    sqlite3_stmt *two;
    sqlite3_stmt *many[LIA_CONN_STATEMENTS + 3];

    open_store(f);
    assert_ok(lia_store_read_begin(f->store, &conn, &f->err));
    assert_ok(lia_conn_prepare(conn, lia_str(SQL), &one, &f->err));
    assert_ok(lia_conn_prepare(conn, lia_str(SQL), &two, &f->err));
    assert_ptr_not_equal(one, two);
    lia_conn_done(conn, two);
    lia_conn_done(conn, one);
    assert_ok(lia_conn_prepare(conn, lia_str(SQL), &two, &f->err));
    assert_true(one == two || sqlite3_sql(two) != NULL);
    lia_conn_done(conn, two);
    for (size_t i = 0; i < LIA_CONN_STATEMENTS + 3; i++) {
        assert_ok(lia_conn_prepare(conn, lia_str(SQL), &many[i], &f->err));
    }
    for (size_t i = 0; i < LIA_CONN_STATEMENTS + 3; i++) {
        lia_conn_done(conn, many[i]);
    }
    assert_status(LIANA_ESYNTAX,
                  lia_conn_prepare(conn, lia_str("SELEKT"), &one, &f->err));
    lia_store_read_end(f->store, conn);
}

static size_t wal_bytes(struct fixture *f)
{
    char wal[LIA_TEST_PATH_MAX + 32];
    struct lia_buf bytes;
    size_t len;

    snprintf(wal, sizeof(wal), "%s-wal", f->file);
    lia_buf_init(&bytes, &lia_mem_libc);
    assert_ok(lia_file_read(wal, 100 * LIA_MIB, &bytes, NULL));
    len = bytes.len;
    lia_buf_deinit(&bytes);
    return len;
}

/* More readers at once than are kept; those that close leave the WAL alone. */
static void any_number_of_readers(void **state)
{
    struct fixture *f = *state;
    struct lia_conn *conns[12];
    struct lia_store_mark mark;
    size_t before;

    open_store(f);
    write_name(f, "one", &mark);
    before = wal_bytes(f);
    for (size_t i = 0; i < 12; i++) {
        assert_ok(lia_store_read_begin(f->store, &conns[i], &f->err));
    }
    for (size_t i = 0; i < 12; i++) {
        lia_store_read_end(f->store, conns[i]);
    }
    assert_int_equal(wal_bytes(f), before);
    assert_int_equal(committed_names(f), 1);
}

/* What a sync has not reached is not durable, whatever is committed. */
static void durable_follows_committed(void **state)
{
    struct fixture *f = *state;
    struct lia_store_mark one;
    struct lia_store_mark two;

    open_store(f);
    write_name(f, "one", &one);
    assert_int_equal(lia_store_head(f->store).durable.commit, 0);
    assert_ok(lia_store_wait_durable(f->store, one.commit, &f->err));
    assert_int_equal(lia_store_head(f->store).durable.commit, one.commit);
    write_name(f, "two", &two);
    assert_int_equal(lia_store_head(f->store).durable.commit, one.commit);
    assert_ok(lia_store_sync(f->store, &f->err));
    assert_int_equal(lia_store_head(f->store).durable.commit, two.commit);
}

static void memory_never_waits(void **state)
{
    struct fixture *f = *state;
    struct lia_store_mark mark;

    f->options.durability = LIA_MEMORY;
    open_store(f);
    write_name(f, "one", &mark);
    assert_int_equal(lia_store_head(f->store).durable.commit, mark.commit);
}

/* The WAL does not grow for ever, and what was in it is in the file. */
static void the_writer_checkpoints(void **state)
{
    struct fixture *f = *state;
    struct lia_store_mark mark;
    char name[100];

    open_store(f);
    for (int i = 0; i < 1500; i++) {
        snprintf(name, sizeof(name), "%090d", i);
        write_name(f, name, &mark);
    }
    assert_in_range(wal_bytes(f), 1, 5 * LIA_MIB);
    assert_int_equal(committed_names(f), 1500);
}

static liana_status refuse(void *ctx, sqlite3 *sqlite)
{
    (void)ctx;
    (void)sqlite;
    return LIANA_ENOMEM;
}

static void functions_that_fail_fail_the_opening(void **state)
{
    struct fixture *f = *state;

    f->options.on_connect = refuse;
    assert_status(LIANA_ENOMEM, lia_store_open(&f->options, &f->store, &f->err));
}

static liana_status scenario(const struct liana_allocator *a, void *ctx)
{
    struct fixture *f = ctx;
    struct lia_env env = f->env.env;
    struct lia_store_options options = f->options;
    struct lia_store *store = NULL;
    struct lia_conn *conn = NULL;
    liana_status status;

    env.alloc = a;
    options.env = &env;
    status = lia_store_open(&options, &store, NULL);
    if (!status) {
        status = lia_store_read_begin(store, &conn, NULL);
    }
    if (!status) {
        lia_store_read_end(store, conn);
    }
    assert_ok(lia_store_close(store, NULL));
    return status;
}

static void out_of_memory_is_a_status(void **state)
{
    lia_test_each_failure(scenario, *state);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(keeps_what_was_committed),
        CASE(reads_see_a_snapshot),
        CASE(what_is_not_committed_is_gone),
        CASE(a_reader_cannot_write),
        CASE(one_writer_at_a_time),
        CASE(a_wait_for_the_writer_ends_though_it_is_woken),
        CASE(a_folder_is_open_once),
        CASE(a_folder_that_can_only_be_read),
        CASE(nothing_is_made_unless_asked),
        CASE(a_missing_parent_is_named),
        CASE(other_files_are_refused),
        CASE(a_refused_file_keeps_its_wal),
        CASE(other_formats_are_refused_by_name),
        CASE(a_blank_file_becomes_a_store),
        CASE(a_damaged_page_is_an_error),
        CASE(statements_are_used_again),
        CASE(any_number_of_readers),
        CASE(durable_follows_committed),
        CASE(memory_never_waits),
        CASE(the_writer_checkpoints),
        CASE(functions_that_fail_fail_the_opening),
        CASE(out_of_memory_is_a_status),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
