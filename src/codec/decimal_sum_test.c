/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/decimal_sum.h"

#include <stdlib.h>

#include "base/testing/test.h"

#include "base/testing/alloc.h"
#include "base/testing/random.h"

static struct lia_decimal of(const char *text)
{
    struct lia_decimal d;

    assert_ok(lia_decimal_parse(lia_str(text), &d));
    return d;
}

/* Texts one behind the other, NULL at the end. */
static void sums_to(const char *const *texts, const char *wanted)
{
    struct lia_test_alloc a;
    struct lia_decimal_sum sum;
    char text[LIA_DECIMAL_TEXT + 1];

    lia_test_alloc_init(&a);
    lia_decimal_sum_init(&sum, &a.alloc);
    for (size_t i = 0; texts[i]; i++) {
        assert_true(lia_decimal_sum_add(&sum, of(texts[i])));
    }
    text[lia_decimal_print(lia_decimal_sum_total(&sum), text)] = '\0';
    assert_string_equal(text, wanted);
    lia_decimal_sum_deinit(&sum);
    lia_test_alloc_finish(&a);
}

#define SUMS(wanted, ...) sums_to((const char *const[]){__VA_ARGS__, NULL}, wanted)

static void test_cases(void **state)
{
    (void)state;
    sums_to((const char *const[]){NULL}, "0");
    SUMS("2.50", "2.50");
    SUMS("5.00", "2.50", "2.5");
    SUMS("0.00", "2.50", "-2.5");
    SUMS("-0.0", "-0.0", "-0");
    SUMS("0", "-0", "0");
    SUMS("-3", "5", "-8");
    SUMS("1E+3", "1E+3", "0E+4");
    SUMS("0E+3", "1E+3", "-1E+3");
    /* What rounding at each step would lose. */
    SUMS("1", "1E+40", "1", "-1E+40");
    SUMS("1.0E-6175", "1E-6176", "9E+6111", "0E-6176", "-9E+6111", "9E-6176",
         "-9E-6176", "9E-6176")
    /* 10E-6176 */;
    SUMS("1.000000000000000000000000000000000E+40", "1E+40", "1");
    SUMS("1.000000000000000000000000000000001E+40", "1E+40", "5E+6", "1E-6000");
    SUMS("1.000000000000000000000000000000000E+40", "1E+40", "5E+6");
    SUMS("Infinity", "9.999999999999999999999999999999999E+6144",
         "9.999999999999999999999999999999999E+6144");
    SUMS("9.999999999999999999999999999999999E+6144",
         "9.999999999999999999999999999999999E+6144",
         "9.999999999999999999999999999999999E+6144",
         "-9.999999999999999999999999999999999E+6144");
    SUMS("NaN", "NaN", "1");
    SUMS("NaN", "Infinity", "-Infinity");
    SUMS("-Infinity", "5", "-Infinity");
}

static void test_int128(void **state)
{
    static const struct {
        int64_t high;
        uint64_t low;
        const char *wanted;
    } cases[] = {
        {0, 5, "5"},
        {-1, UINT64_MAX, "-1"},
        {0, UINT64_MAX, "18446744073709551615"},
        {INT64_MAX, UINT64_MAX, "1.701411834604692317316873037158841E+38"},
        {INT64_MIN, 0, "-1.701411834604692317316873037158841E+38"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lia_decimal_sum sum;
        char text[LIA_DECIMAL_TEXT + 1];

        lia_decimal_sum_init(&sum, &lia_mem_libc);
        assert_true(lia_decimal_sum_add_int128(&sum, cases[i].high, cases[i].low));
        text[lia_decimal_print(lia_decimal_sum_total(&sum), text)] = '\0';
        assert_string_equal(text, cases[i].wanted);
        lia_decimal_sum_deinit(&sum);
    }
}

/* Any 34 digits, any sign, exponents near and far. */
static struct lia_decimal random_decimal(struct lia_rng *rng)
{
    struct lia_decimal d = {lia_rng_edgy(rng), lia_rng_next(rng)};
    uint64_t exponent = lia_rng_chance(rng, 80) ? 6176 + lia_rng_below(rng, 60)
                                                : lia_rng_below(rng, 12288);

    d.high = (d.high & 0x8000ffffffffffffu) | exponent << 49;
    return lia_rng_chance(rng, 20) ? lia_decimal_negate(lia_decimal_of_int64(
                                         lia_rng_between(rng, -1000, 1000)))
                                   : d;
}

/* Two numbers are added as by lia_decimal_add; any order gives the same bytes. */
static void test_order_does_not_matter(void **state)
{
    struct lia_rng rng = lia_rng(lia_test_seed("decimal_sum"));
    size_t cases = lia_test_cases(3000);

    (void)state;
    for (size_t i = 0; i < cases; i++) {
        size_t n = 2 + lia_rng_below(&rng, 6);
        struct lia_decimal d[8];
        struct lia_decimal totals[2];

        for (size_t k = 0; k < n; k++) {
            d[k] = random_decimal(&rng);
        }
        for (size_t way = 0; way < 2; way++) {
            struct lia_decimal_sum sum;

            lia_decimal_sum_init(&sum, &lia_mem_libc);
            for (size_t k = 0; k < n; k++) {
                assert_true(lia_decimal_sum_add(&sum, d[way ? n - 1 - k : k]));
            }
            totals[way] = lia_decimal_sum_total(&sum);
            lia_decimal_sum_deinit(&sum);
        }
        assert_memory_equal(&totals[0], &totals[1], sizeof(totals[0]));
        if (n == 2) {
            totals[1] = lia_decimal_add(d[0], d[1]);
            assert_memory_equal(&totals[0], &totals[1], sizeof(totals[0]));
        }
    }
}

static liana_status scenario(const struct liana_allocator *a, void *ctx)
{
    struct lia_decimal_sum sum;
    bool good;

    (void)ctx;
    lia_decimal_sum_init(&sum, a);
    good = lia_decimal_sum_add(&sum, of("1")) &&
           lia_decimal_sum_add(&sum, of("1E+50")) &&
           lia_decimal_sum_add(&sum, of("1E-50"));
    lia_decimal_sum_deinit(&sum);
    return good ? LIANA_OK : LIANA_ENOMEM;
}

static void test_no_memory(void **state)
{
    (void)state;
    assert_int_equal(lia_test_each_failure(scenario, NULL), 3);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_cases),
    cmocka_unit_test(test_int128),
    cmocka_unit_test(test_order_does_not_matter),
    cmocka_unit_test(test_no_memory),
};

LIA_TEST_MAIN(tests)
