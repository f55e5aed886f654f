/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/double_text.h"

#include "base/testing/test.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

#include "base/testing/random.h"

static void assert_read(const char *text, double expected)
{
    double v = 1;

    assert_ok(lia_double_parse(lia_str(text), &v));
    if (v != expected || signbit(v) != signbit(expected)) {
        fail_msg("%s is read as %.17g", text, v);
    }
}

static void assert_refused(const char *text, liana_status status)
{
    double v = 1;

    assert_status(status, lia_double_parse(lia_str(text), &v));
    assert_true(v == 1);
}

static void test_read(void **state)
{
    (void)state;
    assert_read("0", 0.0);
    assert_read("-0", -0.0);
    assert_read("0.000e5", 0.0);
    assert_read("1", 1);
    assert_read("-12.50", -12.5);
    assert_read(".5", 0.5);
    assert_read("5.", 5);
    assert_read("00100", 100);
    assert_read("1e2", 100);
    assert_read("1E-2", 0.01);
    assert_read("1.7976931348623157e308", DBL_MAX);
    assert_read("2.2250738585072014e-308", DBL_MIN);
    assert_read("4.9e-324", 4.9406564584124654e-324);
    assert_read("0.1000000000000000055511151231257827021181583404541015625", 0.1);
    assert_read("0.10000000000000000555", 0.1);
    assert_read("9223372036854775808", 9223372036854775808.0);
    assert_read("100000000000000000000000", 1e23);
}

static void test_read_refused(void **state)
{
    char many[1024];

    (void)state;
    assert_refused("", LIANA_EINVAL);
    assert_refused("-", LIANA_EINVAL);
    assert_refused(".", LIANA_EINVAL);
    assert_refused("1e", LIANA_EINVAL);
    assert_refused("1e+", LIANA_EINVAL);
    assert_refused("1.2.3", LIANA_EINVAL);
    assert_refused("1 ", LIANA_EINVAL);
    assert_refused("0x10", LIANA_EINVAL);
    assert_refused("Infinity", LIANA_EINVAL);
    assert_refused("nan", LIANA_EINVAL);
    assert_refused("1,5", LIANA_EINVAL);
    assert_refused("0.12345678901234567", LIANA_ERANGE);
    assert_refused("0.1000000000000000000001", LIANA_ERANGE);
    assert_refused("9007199254740993", LIANA_ERANGE);
    assert_refused("18446744073709551615", LIANA_ERANGE);
    assert_refused("1e309", LIANA_ERANGE);
    assert_refused("-1e99999999999999999999", LIANA_ERANGE);
    assert_refused("1e-400", LIANA_ERANGE);
    assert_refused("3e-324", LIANA_ERANGE);
    memset(many, '1', sizeof(many) - 1);
    many[sizeof(many) - 1] = '\0';
    assert_refused(many, LIANA_ERANGE);
    memset(many, '0', sizeof(many) - 2);
    many[sizeof(many) - 2] = '7';
    assert_read(many, 7);
}

static void assert_written(double v, const char *expected)
{
    char text[LIA_DOUBLE_TEXT + 1];

    text[lia_double_print(v, text)] = '\0';
    assert_string_equal(text, expected);
}

static void test_write(void **state)
{
    (void)state;
    assert_written(0.0, "0.0");
    assert_written(-0.0, "-0.0");
    assert_written(1, "1.0");
    assert_written(-100, "-100.0");
    assert_written(0.1, "0.1");
    assert_written(0.1 + 0.2, "0.30000000000000004");
    assert_written(123456.789, "123456.789");
    assert_written(0.000001, "0.000001");
    assert_written(0.0000001, "1E-7");
    assert_written(9007199254740993.0, "9007199254740992.0");
    assert_written(1e16, "1E+16");
    assert_written(1.2345678921232e18, "1.2345678921232E+18");
    assert_written(-1.5e300, "-1.5E+300");
    assert_written(DBL_MAX, "1.7976931348623157E+308");
    assert_written(DBL_MIN, "2.2250738585072014E-308");
    assert_written(4.9406564584124654e-324, "4.94065645841247E-324");
    assert_written(INFINITY, "Infinity");
    assert_written(-INFINITY, "-Infinity");
    assert_written(NAN, "NaN");
    assert_written(-(double)NAN, "NaN");
}

/* Our text, and what printf makes with 17 and 20 digits, reads back as the same bits. */
static void test_round_trip(void **state)
{
    struct lia_rng rng = lia_rng(lia_test_seed("double_text"));

    (void)state;
    for (size_t i = 0; i < lia_test_cases(20000); i++) {
        uint64_t bits =
            lia_rng_chance(&rng, 50) ? lia_rng_next(&rng) : lia_rng_edgy(&rng);
        char text[64];
        double v;

        memcpy(&v, &bits, sizeof(v));
        if (lia_rng_chance(&rng, 30)) {
            v = (double)lia_rng_between(&rng, -100000, 100000) / 100;
        }
        if (!isfinite(v)) {
            continue;
        }
        text[lia_double_print(v, text)] = '\0';
        assert_read(text, v);
        (void)snprintf(text, sizeof(text), "%.17g", v);
        assert_read(text, v);
        (void)snprintf(text, sizeof(text), "%.20g", v);
        assert_read(text, v);
    }
}

static void assert_nearest(const char *text, double expected)
{
    double v = 1;

    assert_true(lia_double_parse_nearest(lia_str(text), &v));
    assert_memory_equal(&v, &expected, sizeof(v));
}

static void test_nearest(void **state)
{
    double v;

    (void)state;
    assert_nearest("0.1234567890123456789", 0.1234567890123456789);
    assert_nearest("1e400", (double)INFINITY);
    assert_nearest("-1e400", -(double)INFINITY);
    assert_nearest("1e-400", 0.0);
    assert_nearest("-1e-400", -0.0);
    assert_nearest("-Infinity", -(double)INFINITY);
    assert_nearest("inf", (double)INFINITY);
    assert_true(lia_double_parse_nearest(lia_str("NaN"), &v));
    assert_true(isnan(v));
    assert_false(lia_double_parse_nearest(lia_str(""), &v));
    assert_false(lia_double_parse_nearest(lia_str(" 1"), &v));
    assert_false(lia_double_parse_nearest(lia_str("1 "), &v));
    assert_false(lia_double_parse_nearest(lia_str("0x10"), &v));
    assert_false(lia_double_parse_nearest(lia_str("nan(1)"), &v));
    assert_false(lia_double_parse_nearest(lia_str("--1"), &v));
}

/* 1 + 2^-53 is halfway between 1 and the next double, and rounds to even: a digit anywhere
 * behind it decides otherwise. */
static void test_nearest_far_digit(void **state)
{
    char text[2000] = "1.00000000000000011102230246251565404236316680908203125";
    size_t len = strlen(text);

    (void)state;
    assert_nearest(text, 1.0);
    memset(text + len, '0', 1500);
    assert_nearest(text, 1.0);
    text[len + 1500] = '1';
    assert_nearest(text, nextafter(1.0, 2.0));
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_nearest), cmocka_unit_test(test_nearest_far_digit),
    cmocka_unit_test(test_read),    cmocka_unit_test(test_read_refused),
    cmocka_unit_test(test_write),   cmocka_unit_test(test_round_trip),
};

LIA_TEST_MAIN(tests)
