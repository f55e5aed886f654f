/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_BASE_TESTING_FILES_H
#define LIA_BASE_TESTING_FILES_H
/*
 * base/testing/files - what tests read: files of the source tree, the shared data beside
 * it, and scratch folders.
 *
 * Rules: a missing shared file fails the test where CI is set and skips it, saying so,
 * elsewhere. Names are relative: "tests/golden/x.txt" to the source tree,
 * "bson-corpus/array.json" to ../shared/data. Ownership: buffers are the caller's.
 * Threads: the test's own.
 */
#include "base/buf.h"

#define LIA_TEST_PATH_MAX 1024

/* The whole file, added to `out`; fails the test when it cannot be read. */
void lia_test_source_file(const char *name, struct lia_buf *out);

/* The whole file of the shared data, added to `out`; see the rules. */
void lia_test_shared_file(const char *name, struct lia_buf *out);

/* The path of a file or folder of the shared data; see the rules. */
void lia_test_shared_path(const char *name, char out[LIA_TEST_PATH_MAX]);

/* A new empty folder of this test's own; lia_test_scratch_remove takes it away with all
 * that is in it. */
void lia_test_scratch(char out[LIA_TEST_PATH_MAX]);
void lia_test_scratch_remove(const char *path);

#endif
