/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700 /* nftw */
#include "base/testing/files.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/testing/test.h"

static void join(const char *folder, const char *name, char out[LIA_TEST_PATH_MAX])
{
    int n = snprintf(out, LIA_TEST_PATH_MAX, "%s/%s", folder, name);

    assert_in_range(n, 1, LIA_TEST_PATH_MAX - 1);
}

static void read_file(const char *path, struct lia_buf *out)
{
    FILE *file = fopen(path, "rb");
    uint8_t piece[65536];
    size_t n;

    if (!file) {
        fail_msg("%s: %s", path, strerror(errno));
        return;
    }
    while ((n = fread(piece, 1, sizeof(piece), file)) > 0) {
        lia_buf_bytes(out, piece, n);
    }
    assert_false(ferror(file));
    assert_int_equal(fclose(file), 0);
    assert_ok(out->status);
}

void lia_test_source_file(const char *name, struct lia_buf *out)
{
    char path[LIA_TEST_PATH_MAX];

    join(LIANA_SOURCE_DIR, name, path);
    read_file(path, out);
}

void lia_test_shared_path(const char *name, char out[LIA_TEST_PATH_MAX])
{
    join(LIANA_SOURCE_DIR "/../shared/data", name, out);
    if (access(out, R_OK) == 0) {
        return;
    }
    print_message("shared data is missing: %s: %s\n", out, strerror(errno));
    if (getenv("CI")) {
        fail();
    }
    skip();
}

void lia_test_shared_file(const char *name, struct lia_buf *out)
{
    char path[LIA_TEST_PATH_MAX];

    lia_test_shared_path(name, path);
    read_file(path, out);
}

void lia_test_scratch(char out[LIA_TEST_PATH_MAX])
{
    const char *tmp = getenv("TMPDIR");

    join(tmp && *tmp ? tmp : "/tmp", "liana-test-XXXXXX", out);
    assert_non_null(mkdtemp(out));
}

static int remove_one(const char *path,
                      const struct stat *info,
                      int kind,
                      struct FTW *place)
{
    (void)info;
    (void)kind;
    (void)place;
    return remove(path);
}

void lia_test_scratch_remove(const char *path)
{
    assert_int_equal(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}
