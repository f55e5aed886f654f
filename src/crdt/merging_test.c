/* SPDX-License-Identifier: Apache-2.0 */
/*
 * docs/merging.md has the outcome of every pair of operations: it is the generated table,
 * byte for byte. LIANA_PRINT_TABLE=1 prints what it should be.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/testing/files.h"
#include "base/testing/test.h"
#include "crdt/testing/merging.h"

static struct liana_slice after(struct liana_slice page, const char *mark)
{
    size_t len = strlen(mark);

    for (size_t i = 0; i + len <= page.len; i++) {
        if (memcmp(page.ptr + i, mark, len) == 0) {
            return lia_slice_sub(page, i + len, page.len - i - len);
        }
    }
    return (struct liana_slice){NULL, 0};
}

static void every_pair_is_as_it_is_written(void **state)
{
    struct lia_buf page;
    struct lia_buf table;
    struct liana_slice written;
    bool is_equal;

    (void)state;
    lia_buf_init(&page, &lia_mem_libc);
    lia_buf_init(&table, &lia_mem_libc);
    is_equal = merging_table(&table);
    if (getenv("LIANA_PRINT_TABLE")) {
        printf("%.*s", (int)table.len, (const char *)table.ptr);
    }
    assert_true(is_equal);
    lia_test_source_file("docs/merging.md", &page);
    written = after(lia_buf_slice(&page), "<!-- generated: merging_test.c -->\n\n");
    assert_non_null(written.ptr);
    for (size_t i = 0; i < table.len; i++) {
        if (i >= written.len || written.ptr[i] != table.ptr[i]) {
            size_t start = i;

            while (start > 0 && table.ptr[start - 1] != '\n') {
                start--;
            }
            print_error("generated: %.200s\n", (const char *)table.ptr + start);
            fail_msg("docs/merging.md says something else");
        }
    }
    assert_int_equal(written.len, table.len);
    lia_buf_deinit(&table);
    lia_buf_deinit(&page);
}

/* A bounded counter cannot be assigned, and its rights are those of one actor: what meets
 * there is in tests/golden/crdt/bounded.txt. */
static void every_operation_is_in_the_table(void **state)
{
    (void)state;
    for (unsigned kind = LIA_OP_INSERT; kind <= LIA_OP_DELETE; kind++) {
        bool is_bounded =
            kind == LIA_OP_BOUND || kind == LIA_OP_TRANSFER || kind == LIA_OP_RECLAIM;

        assert_int_equal(merging_has((enum lia_op_kind)kind), !is_bounded);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_operation_is_in_the_table),
    cmocka_unit_test(every_pair_is_as_it_is_written),
};

LIA_TEST_MAIN(tests)
