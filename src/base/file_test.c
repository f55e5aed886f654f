/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture {
    char folder[64];
    char path[96];
    struct lia_buf buf;
    struct liana_error err;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    (void)snprintf(f->folder, sizeof(f->folder), "/tmp/lia-file-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    (void)snprintf(f->path, sizeof(f->path), "%s/secret", f->folder);
    lia_buf_init(&f->buf, &lia_mem_libc);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    unlink(f->path);
    assert_int_equal(rmdir(f->folder), 0); /* nothing else was left behind */
    lia_buf_deinit(&f->buf);
    free(f);
    return 0;
}

static void replaces_as_a_whole(void **state)
{
    struct fixture *f = *state;
    struct stat st;

    assert_int_equal(lia_file_replace(f->path, lia_slice("first", 5), 0600, &f->err),
                     0);
    assert_int_equal(lia_file_replace(f->path, lia_slice("2", 1), 0600, &f->err), 0);
    assert_int_equal(lia_file_read_secret(f->path, 100, &f->buf, &f->err), 0);
    assert_true(lia_slice_equal(lia_buf_slice(&f->buf), lia_slice("2", 1)));
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_piece_left_by_a_crash_is_replaced(void **state)
{
    struct fixture *f = *state;
    char beside[128];
    struct stat st;
    int fd;

    (void)snprintf(beside, sizeof(beside), "%s.new", f->path);
    fd = open(beside, O_CREAT | O_WRONLY, 0666);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(lia_file_replace(f->path, lia_slice("x", 1), 0600, &f->err), 0);
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_not_equal(access(beside, F_OK), 0);
}

static void refuses_a_secret_that_others_can_reach(void **state)
{
    struct fixture *f = *state;
    char target[128];

    assert_int_equal(lia_file_replace(f->path, lia_slice("x", 1), 0600, NULL), 0);
    for (unsigned mode = 0; mode < 0100; mode++) {
        memset(&f->err, 0, sizeof(f->err));
        assert_int_equal(chmod(f->path, (mode_t)(0600 | mode)), 0);
        assert_int_equal(lia_file_read_secret(f->path, 100, &f->buf, &f->err),
                         mode ? LIANA_EINSECURE : LIANA_OK);
        if (mode) {
            assert_non_null(strstr(f->err.message, f->path));
        }
    }
    (void)snprintf(target, sizeof(target), "%s-target", f->path);
    assert_int_equal(rename(f->path, target), 0);
    assert_int_equal(symlink(target, f->path), 0);
    assert_int_equal(lia_file_read_secret(f->path, 100, &f->buf, NULL),
                     LIANA_EINSECURE);
    unlink(f->path);
    unlink(target);
    assert_int_equal(mkfifo(f->path, 0600), 0);
    assert_int_equal(lia_file_read_secret(f->path, 100, &f->buf, NULL),
                     LIANA_EINSECURE);
}

static void names_what_it_cannot_read(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(lia_file_read(f->path, 100, &f->buf, &f->err), LIANA_ENOTFOUND);
    assert_int_equal(f->err.subcode, ENOENT);
    assert_non_null(strstr(f->err.message, f->path));
    assert_int_equal(lia_file_replace(f->path, lia_slice("long", 4), 0600, NULL), 0);
    assert_int_equal(lia_file_read(f->path, 3, &f->buf, NULL), LIANA_ETOOLARGE);
    lia_buf_reset(&f->buf);
    assert_int_equal(lia_file_read(f->path, 4, &f->buf, NULL), LIANA_OK);
}

static void cannot_replace_in_a_missing_folder(void **state)
{
    struct fixture *f = *state;
    char path[160];

    (void)snprintf(path, sizeof(path), "%s/no/secret", f->folder);
    assert_int_equal(lia_file_replace(path, lia_slice("x", 1), 0600, &f->err),
                     LIANA_ENOTFOUND);
    assert_non_null(strstr(f->err.message, path));
}

static void a_lock_has_one_holder(void **state)
{
    struct fixture *f = *state;
    struct lia_file_lock one;
    struct lia_file_lock two;

    assert_int_equal(lia_file_lock(f->path, &one, &f->err), 0);
    assert_int_equal(lia_file_lock(f->path, &two, &f->err), LIANA_EBUSY);
    assert_non_null(strstr(f->err.message, f->path));
    lia_file_unlock(&one);
    assert_int_equal(lia_file_lock(f->path, &two, NULL), 0);
    lia_file_unlock(&two);
}

static void makes_a_folder_once(void **state)
{
    struct fixture *f = *state;
    char path[160];

    snprintf(path, sizeof(path), "%s/made", f->folder);
    assert_int_equal(lia_dir_make(path, &f->err), LIANA_OK);
    assert_int_equal(lia_dir_make(path, &f->err), LIANA_OK);
    assert_int_equal(remove(path), 0);
    assert_int_equal(lia_file_replace(path, lia_slice("x", 1), 0600, &f->err), 0);
    assert_int_equal(lia_dir_make(path, &f->err), LIANA_EEXISTS);
    assert_non_null(strstr(f->err.message, path));
    assert_int_equal(remove(path), 0);
}

static void joins_paths(void **state)
{
    static const char *const cases[][3] = {
        {"/a", "b", "/a/b"}, {"/a/", "b", "/a/b"}, {"", "b", "b"}, {"/", "b", "/b"}};
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        lia_buf_reset(&f->buf);
        lia_path_join(&f->buf, cases[i][0], cases[i][1]);
        assert_string_equal((const char *)f->buf.ptr, cases[i][2]);
    }
}

static void a_file_put_in_its_place_is_another_one(void **state)
{
    struct fixture *f = *state;
    uint64_t first;
    uint64_t again;
    uint64_t second;

    assert_int_equal(lia_file_replace(f->path, lia_slice("1", 1), 0600, &f->err), 0);
    assert_int_equal(lia_file_identity(f->path, &first, &f->err), 0);
    assert_int_equal(lia_file_identity(f->path, &again, &f->err), 0);
    assert_true(first == again && first != 0);
    assert_int_equal(lia_file_replace(f->path, lia_slice("1", 1), 0600, &f->err), 0);
    assert_int_equal(lia_file_identity(f->path, &second, &f->err), 0);
    assert_true(first != second);
    assert_int_equal(unlink(f->path), 0);
    assert_int_equal(lia_file_identity(f->path, &second, &f->err), LIANA_ENOTFOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(replaces_as_a_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(a_piece_left_by_a_crash_is_replaced, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(refuses_a_secret_that_others_can_reach, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(names_what_it_cannot_read, setup, teardown),
        cmocka_unit_test_setup_teardown(cannot_replace_in_a_missing_folder, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_lock_has_one_holder, setup, teardown),
        cmocka_unit_test_setup_teardown(makes_a_folder_once, setup, teardown),
        cmocka_unit_test_setup_teardown(joins_paths, setup, teardown),
        cmocka_unit_test_setup_teardown(a_file_put_in_its_place_is_another_one, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
