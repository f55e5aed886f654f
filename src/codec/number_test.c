/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include <math.h>

#include "codec/decimal.h"
#include "codec/number.h"

enum { VALUES = 3 };
static struct lia_scratch scratches[VALUES];

static struct lia_value i32(int slot, int32_t v)
{
    return lia_value_of_int32(v, &scratches[slot]);
}

static struct lia_value i64(int slot, int64_t v)
{
    return lia_value_of_int64(v, &scratches[slot]);
}

static struct lia_value dbl(int slot, double v)
{
    return lia_value_of_double(v, &scratches[slot]);
}

static struct lia_value dec(int slot, const char *text)
{
    struct lia_decimal d = {0, 0};

    assert_ok(lia_decimal_parse(lia_str(text), &d));
    return lia_value_of_decimal(d, &scratches[slot]);
}

/* a + b, and b + a, in type and bytes. */
static void assert_sum(struct lia_value a,
                       struct lia_value b,
                       struct lia_value expected)
{
    struct lia_scratch scratch;
    struct lia_value got;

    assert_ok(lia_number_add(a, b, &scratch, &got));
    assert_true(lia_value_equal(got, expected));
    assert_ok(lia_number_add(b, a, &scratch, &got));
    assert_true(lia_value_equal(got, expected));
}

static void test_types(void **state)
{
    (void)state;
    assert_sum(i32(0, 2), i32(1, 3), i32(2, 5));
    assert_sum(i32(0, INT32_MAX), i32(1, 1), i64(2, INT64_C(2147483648)));
    assert_sum(i32(0, INT32_MIN), i32(1, -1), i64(2, INT64_C(-2147483649)));
    assert_sum(i32(0, 2), i64(1, 3), i64(2, 5));
    assert_sum(i64(0, 2), i64(1, -2), i64(2, 0));
    assert_sum(i32(0, 1), dbl(1, 0.5), dbl(2, 1.5));
    assert_sum(i64(0, INT64_MAX), dbl(1, 0.0), dbl(2, 9223372036854775808.0));
    assert_sum(dbl(0, 0.1), dbl(1, 0.2), dbl(2, 0.1 + 0.2));
    assert_sum(dec(0, "2.50"), i32(1, 1), dec(2, "3.50"));
    assert_sum(dec(0, "0"), i64(1, INT64_MIN), dec(2, "-9223372036854775808"));
    assert_sum(dec(0, "1"), dbl(1, 0.1), dec(2, "1.100000000000000"));
    assert_sum(dec(0, "1.1"), dec(1, "-1.1"), dec(2, "0.0"));
}

static void test_overflow(void **state)
{
    struct lia_scratch scratch;
    struct lia_value out = lia_value_of_null();

    (void)state;
    assert_status(LIANA_ERANGE,
                  lia_number_add(i64(0, INT64_MAX), i32(1, 1), &scratch, &out));
    assert_status(LIANA_ERANGE,
                  lia_number_add(i32(0, -1), i64(1, INT64_MIN), &scratch, &out));
    assert_int_equal(out.type, LIA_BSON_NULL);
    assert_sum(i64(0, INT64_MAX - 1), i32(1, 1), i64(2, INT64_MAX));
    assert_sum(i64(0, INT64_MIN), i64(1, INT64_MAX), i64(2, -1));
    assert_sum(dbl(0, 1.7e308), dbl(1, 1.7e308), dbl(2, INFINITY));
}

static void test_no_number(void **state)
{
    struct lia_scratch scratch;
    struct lia_value out;

    (void)state;
    assert_status(LIANA_ETYPE,
                  lia_number_add(i32(0, 1), lia_value_of_null(), &scratch, &out));
    assert_status(LIANA_ETYPE,
                  lia_number_add(lia_value_of_bool(true), i32(0, 1), &scratch, &out));
    assert_status(LIANA_ETYPE, lia_number_negate(lia_value_of_null(), &scratch, &out));
    assert_false(lia_number_is_zero(lia_value_of_bool(false)));
}

static void assert_negative(struct lia_value a, struct lia_value expected)
{
    struct lia_scratch scratch;
    struct lia_value got;

    assert_ok(lia_number_negate(a, &scratch, &got));
    assert_true(lia_value_equal(got, expected));
}

static void test_negate(void **state)
{
    struct lia_scratch scratch;
    struct lia_value out;

    (void)state;
    assert_negative(i32(0, 5), i32(1, -5));
    assert_negative(i32(0, INT32_MIN), i64(1, INT64_C(2147483648)));
    assert_negative(i64(0, 5), i64(1, -5));
    assert_negative(dbl(0, 0.0), dbl(1, -0.0));
    assert_negative(dec(0, "-1.50"), dec(1, "1.50"));
    assert_status(LIANA_ERANGE, lia_number_negate(i64(0, INT64_MIN), &scratch, &out));
}

static void test_is_zero(void **state)
{
    (void)state;
    assert_true(lia_number_is_zero(i32(0, 0)));
    assert_true(lia_number_is_zero(i64(0, 0)));
    assert_true(lia_number_is_zero(dbl(0, -0.0)));
    assert_true(lia_number_is_zero(dec(0, "0E+3")));
    assert_false(lia_number_is_zero(i64(0, INT64_C(1) << 40)));
    assert_false(lia_number_is_zero(dbl(0, 5e-324)));
}

static void test_int64_parse(void **state)
{
    static const char *const refused[] = {"",
                                          "-",
                                          "+1",
                                          "1.0",
                                          " 1",
                                          "1 ",
                                          "0x1",
                                          "--1",
                                          "9223372036854775808",
                                          "-9223372036854775809",
                                          "99999999999999999999999"};
    int64_t v = 7;

    (void)state;
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        assert_false(lia_int64_parse(lia_str(refused[i]), &v));
        assert_true(v == 7);
    }
    assert_true(lia_int64_parse(lia_str("9223372036854775807"), &v) && v == INT64_MAX);
    assert_true(lia_int64_parse(lia_str("-9223372036854775808"), &v) && v == INT64_MIN);
    assert_true(lia_int64_parse(lia_str("-0"), &v) && v == 0);
    assert_true(lia_int64_parse(lia_str("0012"), &v) && v == 12);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_types),     cmocka_unit_test(test_overflow),
    cmocka_unit_test(test_no_number), cmocka_unit_test(test_negate),
    cmocka_unit_test(test_is_zero),   cmocka_unit_test(test_int64_parse),
};

LIA_TEST_MAIN(tests)
