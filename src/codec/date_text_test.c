/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/date_text.h"

#include "base/testing/test.h"

#include "base/testing/random.h"

static void assert_pair(int64_t ms, const char *text)
{
    char got[LIA_DATE_TEXT + 1];
    int64_t back = 1;

    got[lia_date_print(ms, got)] = '\0';
    assert_string_equal(got, text);
    assert_ok(lia_date_parse(lia_str(text), &back));
    assert_int_equal(back, ms);
}

static void test_pairs(void **state)
{
    (void)state;
    assert_pair(0, "1970-01-01T00:00:00Z");
    assert_pair(-1, "1969-12-31T23:59:59.999Z");
    assert_pair(1356351330501, "2012-12-24T12:15:30.501Z");
    assert_pair(1356351330001, "2012-12-24T12:15:30.001Z");
    assert_pair(951782400000, "2000-02-29T00:00:00Z");
    assert_pair(-2203891200000, "1900-03-01T00:00:00Z");
    assert_pair(LIA_DATE_TEXT_MAX, "9999-12-31T23:59:59.999Z");
    assert_pair(LIA_DATE_TEXT_MIN, "0000-01-01T00:00:00Z");
}

static void test_out_of_range(void **state)
{
    char text[LIA_DATE_TEXT];

    (void)state;
    assert_int_equal(lia_date_print(LIA_DATE_TEXT_MAX + 1, text), 0);
    assert_int_equal(lia_date_print(LIA_DATE_TEXT_MIN - 1, text), 0);
    assert_int_equal(lia_date_print(INT64_MAX, text), 0);
    assert_int_equal(lia_date_print(INT64_MIN, text), 0);
}

static void assert_read(const char *text, liana_status status, int64_t expected)
{
    int64_t ms = 1;

    assert_status(status, lia_date_parse(lia_str(text), &ms));
    assert_int_equal(ms, status ? 1 : expected);
}

static void test_read(void **state)
{
    (void)state;
    assert_read("1970-01-01T01:00:00+01:00", LIANA_OK, 0);
    assert_read("1969-12-31T16:30:00-0730", LIANA_OK, 0);
    assert_read("1970-01-01T00:00:00.5Z", LIANA_OK, 500);
    assert_read("1970-01-01T00:00:00.1230000000Z", LIANA_OK, 123);
    assert_read("1970-01-01T00:00:00.1234Z", LIANA_ERANGE, 0);
    assert_read("1970-01-01", LIANA_EINVAL, 0);
    assert_read("1970-01-01T00:00:00", LIANA_EINVAL, 0);
    assert_read("1970-01-01 00:00:00Z", LIANA_EINVAL, 0);
    assert_read("1970-01-01T00:00:00ZZ", LIANA_EINVAL, 0);
    assert_read("1970-01-01T00:00:00.Z", LIANA_EINVAL, 0);
    assert_read("1970-01-01T00:00:60Z", LIANA_EINVAL, 0);
    assert_read("1970-01-01T24:00:00Z", LIANA_EINVAL, 0);
    assert_read("1970-13-01T00:00:00Z", LIANA_EINVAL, 0);
    assert_read("1970-00-01T00:00:00Z", LIANA_EINVAL, 0);
    assert_read("1970-04-31T00:00:00Z", LIANA_EINVAL, 0);
    assert_read("1900-02-29T00:00:00Z", LIANA_EINVAL, 0);
    assert_read("197-01-01T00:00:00Z", LIANA_EINVAL, 0);
    assert_read("1970-01-01T00:00:00+1:00", LIANA_EINVAL, 0);
    assert_read("", LIANA_EINVAL, 0);
}

static void test_round_trip(void **state)
{
    struct lia_rng rng = lia_rng(lia_test_seed("date_text"));

    (void)state;
    for (size_t i = 0; i < lia_test_cases(20000); i++) {
        int64_t ms = lia_rng_between(&rng, LIA_DATE_TEXT_MIN, LIA_DATE_TEXT_MAX);
        char text[LIA_DATE_TEXT];
        int64_t back = 0;
        size_t len = lia_date_print(ms, text);

        assert_ok(lia_date_parse((struct liana_str){text, len}, &back));
        assert_int_equal(back, ms);
    }
}

static void test_loose(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"1970-01-02", 86400000},
        {"1970-01-01T00:01", 60000},
        {"1970-01-01 00:00:01", 1000},
        {"1970-01-01 00:00:01.5", 1500},
        {"1970-01-01T00:00:00.123456789123Z", 123},
        {"1970-01-01T02:00+02", 0},
        {"1970-01-01T02:30:00+02:30", 0},
        {"1969-12-31T22:00-0200", 0},
    };
    static const char *const refused[] = {
        "",
        "1970",
        "1970-01",
        "1970-02-29",
        "1970-01-01T",
        "1970-01-01T24",
        "1970-01-01T01:60",
        "1970-01-01T01:00.5",
        "1970-01-01x",
        "1970-01-01Z",
        "1970-01-01T01:00:00.",
        "1970-01-01T01:00+02:",
    };
    int64_t ms;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(lia_date_parse_loose(lia_str(cases[i].text), &ms));
        assert_int_equal(ms, cases[i].ms);
    }
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        assert_false(lia_date_parse_loose(lia_str(refused[i]), &ms));
    }
}

static void test_print_any(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {LIA_DATE_TEXT_MAX + 1, "+10000-01-01T00:00:00.000Z"},
        {LIA_DATE_TEXT_MIN - 1, "-0001-12-31T23:59:59.999Z"},
        {INT64_MAX, "+292278994-08-17T07:12:55.807Z"},
        {INT64_MIN, "-292275055-05-16T16:47:04.192Z"},
    };
    char text[LIA_DATE_TEXT];

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        text[lia_date_print_any(cases[i].ms, text)] = '\0';
        assert_string_equal(text, cases[i].text);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_loose), cmocka_unit_test(test_print_any),
    cmocka_unit_test(test_pairs), cmocka_unit_test(test_out_of_range),
    cmocka_unit_test(test_read),  cmocka_unit_test(test_round_trip),
};

LIA_TEST_MAIN(tests)
