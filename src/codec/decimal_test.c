/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include <math.h>
#include <stdio.h>

#include "codec/decimal.h"
#include "codec/testing/corpus.h"

static struct lia_decimal dec(const char *text)
{
    struct lia_decimal d = {0, 0};

    if (lia_decimal_parse(lia_str(text), &d)) {
        fail_msg("%s is no decimal", text);
    }
    return d;
}

static void assert_text(struct lia_decimal d, const char *expected)
{
    char text[LIA_DECIMAL_TEXT + 1];

    text[lia_decimal_print(d, text)] = '\0';
    assert_string_equal(text, expected);
}

/* ---- the corpus: bytes and text ---- */

/* The text between the quotes behind "$numberDecimal"; empty if there is none. */
static struct liana_str number_text(const char *json)
{
    const char *at = json ? strstr(json, "$numberDecimal\"") : NULL;

    if (!at) {
        return lia_str("");
    }
    at = strchr(strchr(at, ':'), '"') + 1;
    return (struct liana_str){at, strcspn(at, "\"")};
}

static void assert_parses(const char *json, struct lia_value v)
{
    struct liana_str text = number_text(json);
    struct lia_scratch scratch;
    struct lia_decimal d;

    if (text.len) {
        assert_ok(lia_decimal_parse(text, &d));
        assert_slice_equal(lia_value_of_decimal(d, &scratch).data, v.data);
    }
}

static void valid_case(void *ctx, const struct lia_corpus_case *c)
{
    struct lia_buf doc;
    struct lia_value v;
    char text[LIA_DECIMAL_TEXT];
    size_t len;

    if (strncmp(c->file, "decimal128-", 11) != 0) {
        return;
    }
    ++*(size_t *)ctx;
    lia_buf_init(&doc, &lia_mem_libc);
    lia_hex_decode(&doc, lia_corpus_text(c, "canonical_bson"));
    assert_true(lia_bson_find(lia_buf_slice(&doc), lia_str("d"), &v));
    len = lia_decimal_print(lia_value_decimal(v), text);
    assert_slice_equal(
        lia_slice(text, len),
        lia_str_slice(number_text(lia_corpus_text(c, "canonical_extjson"))));
    if (!lia_corpus_flag(c, "lossy")) {
        assert_parses(lia_corpus_text(c, "canonical_extjson"), v);
        assert_parses(lia_corpus_text(c, "degenerate_extjson"), v);
    }
    lia_buf_deinit(&doc);
}

static void test_corpus_valid(void **state)
{
    size_t count = 0;

    (void)state;
    lia_corpus_walk("valid", valid_case, &count);
    assert_int_equal(count, 605);
}

static void parse_error_case(void *ctx, const struct lia_corpus_case *c)
{
    const char *text = lia_corpus_text(c, "string");
    struct lia_decimal d = {1, 2};
    liana_status status;

    if (strncmp(c->file, "decimal128-", 11) != 0) {
        return;
    }
    ++*(size_t *)ctx;
    status = lia_decimal_parse(lia_str(text), &d);
    if (status != LIANA_EINVAL && status != LIANA_ERANGE) {
        fail_msg("%s: \"%s\" is accepted", c->description, text);
    }
    assert_true(d.low == 1 && d.high == 2);
}

static void test_corpus_parse_errors(void **state)
{
    size_t count = 0;

    (void)state;
    lia_corpus_walk("parseErrors", parse_error_case, &count);
    assert_int_equal(count, 131);
}

/* ---- text ---- */

static void test_parse_limits(void **state)
{
    struct lia_decimal d;

    (void)state;
    assert_text(dec("1E6144"), "1.000000000000000000000000000000000E+6144");
    assert_status(LIANA_ERANGE, lia_decimal_parse(lia_str("1E6145"), &d));
    assert_text(dec("1E-6176"), "1E-6176");
    assert_status(LIANA_ERANGE, lia_decimal_parse(lia_str("1E-6177"), &d));
    assert_text(dec("10E-6177"), "1E-6176");
    assert_text(dec("100E-6177"), "1.0E-6175");
    assert_text(dec("0E99999999999999999999"), "0E+6111");
    assert_text(dec("-0E-99999999999999999999"), "-0E-6176");
    assert_status(LIANA_ERANGE,
                  lia_decimal_parse(lia_str("1E99999999999999999999"), &d));
    assert_text(dec("12345678901234567890123456789012340000"),
                "1.234567890123456789012345678901234E+37");
    assert_status(
        LIANA_ERANGE,
        lia_decimal_parse(lia_str("12345678901234567890123456789012345"), &d));
    assert_text(dec("000000000000000000000000000000000000000000001.50"), "1.50");
    assert_text(dec("-.5e-0003"), "-0.0005");
    assert_text(dec("+5."), "5");
    assert_text(dec("inF"), "Infinity");
    assert_text(dec("-iNfiNiTy"), "-Infinity");
    assert_text(dec("-nAn"), "NaN");
}

/* A thousand digits are read like ten. */
static void test_parse_long(void **state)
{
    char text[2048];

    (void)state;
    memset(text, '0', sizeof(text));
    memcpy(text, "1.5", 3);
    memcpy(text + sizeof(text) - 6, "E-100", 6);
    assert_text(dec(text), "1.500000000000000000000000000000000E-100");
    memcpy(text, "0.0", 3);
    memcpy(text + sizeof(text) - 7, "7E2044", 7);
    assert_text(dec(text), "7E+4");
}

/* ---- conversion ---- */

static void test_of_int64(void **state)
{
    (void)state;
    assert_text(lia_decimal_of_int64(0), "0");
    assert_text(lia_decimal_of_int64(-1), "-1");
    assert_text(lia_decimal_of_int64(INT64_MAX), "9223372036854775807");
    assert_text(lia_decimal_of_int64(INT64_MIN), "-9223372036854775808");
}

static void test_of_double(void **state)
{
    (void)state;
    assert_text(lia_decimal_of_double(1.5), "1.50000000000000");
    assert_text(lia_decimal_of_double(-0.1), "-0.100000000000000");
    assert_text(lia_decimal_of_double(1.0 / 3), "0.333333333333333");
    assert_text(lia_decimal_of_double(9007199254740993.0), "9.00719925474099E+15");
    assert_text(lia_decimal_of_double(1e300), "1.00000000000000E+300");
    assert_text(lia_decimal_of_double(5e-324), "4.94065645841247E-324");
    assert_text(lia_decimal_of_double(0.0), "0");
    assert_text(lia_decimal_of_double(-0.0), "-0");
    assert_text(lia_decimal_of_double(INFINITY), "Infinity");
    assert_text(lia_decimal_of_double(-INFINITY), "-Infinity");
    assert_text(lia_decimal_of_double(NAN), "NaN");
}

/* ---- arithmetic; the bulk of it is checked by decimal_oracle_test ---- */

static void test_special_sums(void **state)
{
    struct lia_decimal inf = dec("Infinity");
    struct lia_decimal minus_inf = dec("-Infinity");
    struct lia_decimal nan = dec("NaN");
    struct lia_decimal one = dec("1");

    (void)state;
    assert_text(lia_decimal_add(inf, one), "Infinity");
    assert_text(lia_decimal_add(one, minus_inf), "-Infinity");
    assert_text(lia_decimal_add(inf, inf), "Infinity");
    assert_text(lia_decimal_add(inf, minus_inf), "NaN");
    assert_text(lia_decimal_subtract(inf, inf), "NaN");
    assert_text(lia_decimal_add(nan, inf), "NaN");
    assert_text(lia_decimal_add(one, nan), "NaN");
    assert_text(lia_decimal_multiply(inf, dec("-2")), "-Infinity");
    assert_text(lia_decimal_multiply(dec("0"), inf), "NaN");
    assert_text(lia_decimal_multiply(minus_inf, dec("-0")), "NaN");
    assert_text(lia_decimal_multiply(nan, one), "NaN");
    assert_text(lia_decimal_negate(one), "-1");
    assert_text(lia_decimal_negate(nan), "NaN");
    assert_text(lia_decimal_add(dec("9.999999999999999999999999999999999E6144"),
                                dec("9.999999999999999999999999999999999E6144")),
                "Infinity");
}

static void test_predicates(void **state)
{
    (void)state;
    assert_true(lia_decimal_is_zero(dec("-0E+3")));
    assert_false(lia_decimal_is_zero(dec("1E-6176")));
    assert_false(lia_decimal_is_zero(dec("NaN")));
    assert_true(lia_decimal_is_negative(dec("-0")));
    assert_true(lia_decimal_is_infinite(dec("-Inf")));
    assert_false(lia_decimal_is_infinite(dec("NaN")));
    assert_true(lia_decimal_is_nan(dec("NaN")));
    assert_false(lia_decimal_is_nan(dec("Inf")));
}

/* In this order, equal ones in one row. */
static void test_cmp(void **state)
{
    static const char *const rows[][3] = {
        {"NaN", "-NaN"},
        {"-Infinity"},
        {"-9.999999999999999999999999999999999E6144"},
        {"-10", "-1E1", "-10.00"},
        {"-1E-6176"},
        {"0", "-0", "-0E+6111"},
        {"1E-6176"},
        {"0.1", "0.10", "1000E-4"},
        {"0.1000000000000000000000000000000001"},
        {"2"},
        {"1E33", "1000000000000000000000000000000000"},
        {"1000000000000000000000000000000001"},
        {"1E6144", "10E6143"},
        {"Infinity"},
    };
    const int count = sizeof(rows) / sizeof(rows[0]);

    (void)state;
    for (int i = 0; i < count * 3; i++) {
        for (int j = 0; j < count * 3; j++) {
            const char *a = rows[i / 3][i % 3];
            const char *b = rows[j / 3][j % 3];
            int order = a && b ? lia_decimal_cmp(dec(a), dec(b)) : i / 3 - j / 3;

            assert_int_equal((order > 0) - (order < 0),
                             (i / 3 > j / 3) - (i / 3 < j / 3));
        }
    }
}

/* Coefficients that no decimal may have count as zero. */
static void test_not_canonical(void **state)
{
    /* 10^34, one more than the greatest */
    struct lia_decimal d = {UINT64_C(0x378d8e6400000000), UINT64_C(0x3041ed09bead87c0)};

    (void)state;
    assert_text(d, "0");
    d.low--;
    assert_text(d, "9999999999999999999999999999999999");
    assert_int_equal(lia_decimal_cmp(dec("9999999999999999999999999999999999"), d), 0);
}

static void test_to_int64(void **state)
{
    static const struct {
        const char *text;
        int64_t n;
    } whole[] = {
        {"0E+6111", 0},
        {"-2.9", -2},
        {"0.999", 0},
        {"1E-6176", 0},
        {"12E+3", 12000},
        {"9223372036854775807.9", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
        {"1E+18", INT64_C(1000000000000000000)},
    };
    static const char *const none[] = {
        "NaN",   "Infinity", "9223372036854775808", "-9223372036854775809",
        "1E+19", "1E+6111",
    };
    struct lia_decimal d;
    int64_t n;

    (void)state;
    for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++) {
        assert_ok(lia_decimal_parse(lia_str(whole[i].text), &d));
        assert_true(lia_decimal_to_int64(d, &n));
        assert_int_equal(n, whole[i].n);
    }
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        assert_ok(lia_decimal_parse(lia_str(none[i]), &d));
        assert_false(lia_decimal_to_int64(d, &n));
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_to_int64),
    cmocka_unit_test(test_corpus_valid),
    cmocka_unit_test(test_corpus_parse_errors),
    cmocka_unit_test(test_parse_limits),
    cmocka_unit_test(test_parse_long),
    cmocka_unit_test(test_of_int64),
    cmocka_unit_test(test_of_double),
    cmocka_unit_test(test_special_sums),
    cmocka_unit_test(test_predicates),
    cmocka_unit_test(test_cmp),
    cmocka_unit_test(test_not_canonical),
};

LIA_TEST_MAIN(tests)
