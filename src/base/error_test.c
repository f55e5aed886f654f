/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include <stdio.h>

#include "base/error.h"

static const struct {
    liana_status status;
    const char *name;
} rows[] = {
#define LIANA_STATUS(number, name, category, text) {number, #name},
#include "liana/errors.def"
#undef LIANA_STATUS
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void numbers_and_names_are_unique(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        assert_true(rows[i].status < 0);
        for (size_t k = 0; k < i; k++) {
            assert_int_not_equal(rows[i].status, rows[k].status);
            assert_string_not_equal(rows[i].name, rows[k].name);
        }
    }
}

static void every_status_knows_itself(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROWS; i++) {
        assert_string_equal(liana_status_name(rows[i].status), rows[i].name);
        assert_true(strlen(liana_status_text(rows[i].status)) > 3);
        assert_in_range(liana_status_category(rows[i].status), LIANA_CATEGORY_USAGE,
                        LIANA_CATEGORY_INTERNAL);
    }
    assert_string_equal(liana_status_name(LIANA_OK), "LIANA_OK");
    assert_int_equal(liana_status_category(LIANA_OK), LIANA_CATEGORY_OK);
    assert_int_equal(liana_status_category(LIANA_EBUSY), LIANA_CATEGORY_RETRY);
    assert_string_equal(liana_status_name(-9999), "LIANA_EUNKNOWN");
    assert_string_equal(liana_status_name(7), "LIANA_EUNKNOWN");
}

static void the_first_writer_wins(void **state)
{
    struct liana_error err = LIANA_ERROR_INIT;

    (void)state;
    assert_status(LIANA_EIO,
                  lia_err_sub(&err, LIANA_EIO, 13, "%s: cannot be written", "a.db"));
    assert_status(LIANA_EINVAL, lia_err(&err, LIANA_EINVAL, "later"));
    assert_status(LIANA_EINVAL, lia_err_plain(&err, LIANA_EINVAL));
    assert_status(LIANA_EIO, err.status);
    assert_int_equal(err.subcode, 13);
    assert_string_equal(err.message, "a.db: cannot be written");
}

static void no_error_struct_is_needed(void **state)
{
    (void)state;
    assert_status(LIANA_EIO, lia_err(NULL, LIANA_EIO, "x"));
    assert_status(LIANA_EIO, lia_err_sub(NULL, LIANA_EIO, 1, "x"));
    assert_status(LIANA_EIO, lia_err_plain(NULL, LIANA_EIO));
    lia_err_prefix(NULL, "x");
}

static void a_plain_status_has_its_own_text(void **state)
{
    struct liana_error err = LIANA_ERROR_INIT;

    (void)state;
    assert_ok(lia_err_plain(&err, LIANA_OK));
    assert_ok(err.status);
    assert_status(LIANA_ENOMEM, lia_err_plain(&err, LIANA_ENOMEM));
    assert_string_equal(err.message, "out of memory");
}

static void a_prefix_goes_before(void **state)
{
    struct liana_error err = LIANA_ERROR_INIT;

    (void)state;
    lia_err_prefix(&err, "nothing to put it before");
    assert_string_equal(err.message, "");
    assert_status(LIANA_ECSV, lia_err(&err, LIANA_ECSV, "quote does not end"));
    lia_err_prefix(&err, "line %d", 12);
    lia_err_prefix(&err, "%s", "sales.csv");
    assert_string_equal(err.message, "sales.csv: line 12: quote does not end");
    assert_status(LIANA_ECSV, err.status);
}

/* A text of `len` bytes that ends in `tail`, cut by the struct; what is left must be
 * `kept` bytes long. */
static void check_cut(size_t filler, const char *tail, size_t kept)
{
    struct liana_error err = LIANA_ERROR_INIT;
    char text[2 * LIANA_ERROR_TEXT];

    memset(text, 'x', filler);
    (void)snprintf(text + filler, sizeof(text) - filler, "%s", tail);
    assert_status(LIANA_EIO, lia_err(&err, LIANA_EIO, "%s", text));
    assert_int_equal(strlen(err.message), kept);

    err = (struct liana_error)LIANA_ERROR_INIT;
    assert_status(LIANA_EIO, lia_err(&err, LIANA_EIO, "%s", text + 3));
    lia_err_prefix(&err, "p"); /* "p: " is the three bytes that were taken away */
    assert_int_equal(strlen(err.message), kept);
}

static void a_long_text_is_cut_between_characters(void **state)
{
    const size_t room = LIANA_ERROR_TEXT - 1;

    (void)state;
    check_cut(room - 4, "abcd", room);
    check_cut(room - 4, "abcdefgh", room);
    check_cut(room - 1, "\xc3\xa9", room - 1);
    check_cut(room - 2, "\xc3\xa9", room);
    check_cut(room - 2, "\xe2\x82\xac", room - 2);
    check_cut(room - 3, "\xe2\x82\xac!", room);
    check_cut(room - 3, "\xf0\x9f\x8c\xbf", room - 3);
    check_cut(room - 4, "\xf0\x9f\x8c\xbf!", room);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(numbers_and_names_are_unique),
    cmocka_unit_test(every_status_knows_itself),
    cmocka_unit_test(the_first_writer_wins),
    cmocka_unit_test(no_error_struct_is_needed),
    cmocka_unit_test(a_plain_status_has_its_own_text),
    cmocka_unit_test(a_prefix_goes_before),
    cmocka_unit_test(a_long_text_is_cut_between_characters),
};

LIA_TEST_MAIN(cases)
