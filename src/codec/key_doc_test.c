/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include <stdio.h>

#include "base/testing/files.h"
#include "codec/json.h"
#include "codec/key.h"

/* What stands between the first two backquotes of `text`; moves behind them. */
static struct liana_str quoted(const char **text)
{
    const char *start = strchr(*text, '`') + 1;
    const char *end = strchr(start, '`');

    *text = end + 1;
    return (struct liana_str){start, (size_t)(end - start)};
}

static void check_row(const char *row)
{
    struct liana_str json = quoted(&row);
    struct liana_str hex = quoted(&row);
    struct liana_error err = LIANA_ERROR_INIT;
    struct lia_buf holder;
    struct lia_buf key;
    struct lia_buf text;
    struct lia_value v = {0};

    lia_buf_init(&holder, &lia_mem_libc);
    lia_buf_init(&key, &lia_mem_libc);
    lia_buf_init(&text, &lia_mem_libc);
    if (lia_json_read_value(lia_str_slice(json), &holder, &v, &err)) {
        fail_msg("%.*s: %s", LIA_STR_ARG(json), err.message);
    }
    lia_key_add(&key, v);
    for (size_t i = 0; i < key.len; i++) {
        lia_buf_printf(&text, "%s%02x", i ? " " : "", key.ptr[i]);
    }
    if (!lia_slice_equal(lia_buf_slice(&text), lia_str_slice(hex))) {
        fail_msg("%.*s: the key is %.*s, the page says %.*s", LIA_STR_ARG(json),
                 LIA_STR_ARG(lia_buf_slice(&text)), LIA_STR_ARG(hex));
    }
    lia_buf_deinit(&holder);
    lia_buf_deinit(&key);
    lia_buf_deinit(&text);
}

static void test_examples(void **state)
{
    struct lia_buf page;
    char *line;
    size_t rows = 0;

    (void)state;
    lia_buf_init(&page, &lia_mem_libc);
    lia_test_source_file("docs/format/key.md", &page);
    lia_buf_u8(&page, 0);
    line = strstr((char *)page.ptr, "## Examples");
    assert_non_null(line);
    while ((line = strstr(line, "\n| `")) != NULL) {
        check_row(++line);
        rows++;
    }
    assert_int_equal(rows, 29);
    lia_buf_deinit(&page);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_examples),
};

LIA_TEST_MAIN(tests)
