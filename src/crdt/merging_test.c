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

/* The page has the table, to its end and byte for byte. `out_at`: the line of the table
 * that it does not have. */
static bool says(struct liana_slice page, struct liana_slice table, size_t *out_at)
{
    struct liana_slice written = after(page, "<!-- generated: merging_test.c -->\n\n");
    size_t start = 0;

    for (size_t i = 0; i < table.len; i++) {
        if (i >= written.len || written.ptr[i] != table.ptr[i]) {
            *out_at = start;
            return false;
        }
        start = table.ptr[i] == '\n' ? i + 1 : start;
    }
    *out_at = table.len;
    return written.len == table.len;
}

struct page {
    struct lia_buf text;
    struct lia_buf table;
    bool is_equal; /* on all routes */
};

static int setup(void **state)
{
    struct page *p = test_malloc(sizeof(*p));

    lia_buf_init(&p->text, &lia_mem_libc);
    lia_buf_init(&p->table, &lia_mem_libc);
    p->is_equal = merging_table(&p->table);
    lia_test_source_file("docs/merging.md", &p->text);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct page *p = *state;

    lia_buf_deinit(&p->table);
    lia_buf_deinit(&p->text);
    test_free(p);
    return 0;
}

static void every_pair_is_as_it_is_written(void **state)
{
    struct page *p = *state;
    size_t at;

    if (getenv("LIANA_PRINT_TABLE")) {
        printf("%.*s", (int)p->table.len, (const char *)p->table.ptr);
    }
    assert_true(p->is_equal);
    if (!says(lia_buf_slice(&p->text), lia_buf_slice(&p->table), &at)) {
        fail_msg("docs/merging.md says something else than: %.200s",
                 (const char *)p->table.ptr + at);
    }
}

/* The page without the bytes from `at`, with `instead` in their place. */
static void damage(const struct page *p,
                   size_t at,
                   size_t len,
                   const char *instead,
                   struct lia_buf *out)
{
    struct liana_slice text = lia_buf_slice(&p->text);

    lia_buf_reset(out);
    lia_buf_bytes(out, text.ptr, at);
    lia_buf_bytes(out, instead, strlen(instead));
    lia_buf_bytes(out, text.ptr + at + len, text.len - at - len);
    assert_ok(out->status);
}

static size_t line_length(struct liana_slice text)
{
    const uint8_t *end = memchr(text.ptr, '\n', text.len);

    return end ? (size_t)(end - text.ptr) + 1 : text.len;
}

/* Any row changed, taken out or written twice is noticed. */
static void a_damaged_page_is_noticed(void **state)
{
    struct page *p = *state;
    struct liana_slice text = lia_buf_slice(&p->text);
    size_t at = text.len - p->table.len;
    struct lia_buf damaged;
    unsigned rows = 0;
    size_t line;

    lia_buf_init(&damaged, &lia_mem_libc);
    while (at < text.len) {
        size_t len = line_length(lia_slice_sub(text, at, text.len - at));

        if (text.ptr[at] == '|') {
            damage(p, at, len, "", &damaged);
            assert_false(
                says(lia_buf_slice(&damaged), lia_buf_slice(&p->table), &line));
            damage(p, at + len - 3, 0, "?", &damaged);
            assert_false(
                says(lia_buf_slice(&damaged), lia_buf_slice(&p->table), &line));
            rows++;
        }
        at += len;
    }
    assert_true(rows > 2);
    damage(p, text.len, 0, "| SET | SET | nothing | nothing |\n", &damaged);
    assert_false(says(lia_buf_slice(&damaged), lia_buf_slice(&p->table), &line));
    lia_buf_deinit(&damaged);
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
    cmocka_unit_test(a_damaged_page_is_noticed),
};

int main(void)
{
    return cmocka_run_group_tests(tests, setup, teardown);
}
