/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include <stdlib.h>

#include "base/testing/random.h"
#include "codec/decimal.h"
#include "codec/key_number.h"
#include "codec/order.h"
#include "codec/testing/oracle.h"

static struct lia_value read_number(const char *type,
                                    const char *text,
                                    struct lia_scratch *scratch)
{
    struct lia_decimal d = {0, 0};
    uint64_t bits;
    double v;

    if (strcmp(type, "int32") == 0) {
        return lia_value_of_int32((int32_t)strtol(text, NULL, 10), scratch);
    }
    if (strcmp(type, "int64") == 0) {
        return lia_value_of_int64(strtoll(text, NULL, 10), scratch);
    }
    if (strcmp(type, "double") == 0) {
        bits = strtoull(text, NULL, 16);
        memcpy(&v, &bits, sizeof(v));
        return lia_value_of_double(v, scratch);
    }
    assert_string_equal(type, "decimal");
    assert_ok(lia_decimal_parse(lia_str(text), &d));
    return lia_value_of_decimal(d, scratch);
}

static int sign(int order)
{
    return (order > 0) - (order < 0);
}

static void check_case(const struct lia_oracle *o)
{
    struct lia_scratch a_scratch;
    struct lia_scratch b_scratch;
    struct lia_value a = read_number(o->field[0], o->field[1], &a_scratch);
    struct lia_value b = read_number(o->field[2], o->field[3], &b_scratch);
    int expected = (int)strtol(o->field[4], NULL, 10);
    uint8_t a_bytes[LIA_KEY_NUMBER_MAX];
    uint8_t b_bytes[LIA_KEY_NUMBER_MAX];
    struct liana_slice a_key = {a_bytes, lia_key_number(a, a_bytes)};
    struct liana_slice b_key = {b_bytes, lia_key_number(b, b_bytes)};
    size_t shorter = a_key.len < b_key.len ? a_key.len : b_key.len;
    bool is_prefix = memcmp(a_bytes, b_bytes, shorter) == 0;

    if (sign(lia_slice_cmp(a_key, b_key)) != expected ||
        sign(lia_value_cmp(a, b)) != expected ||
        sign(lia_value_cmp(b, a)) != -expected || is_prefix != (expected == 0)) {
        fail_msg("%s %s %s %s: key %d, cmp %d instead of %s", o->field[0], o->field[1],
                 o->field[2], o->field[3], lia_slice_cmp(a_key, b_key),
                 lia_value_cmp(a, b), o->field[4]);
    }
}

static void test_oracle(void **state)
{
    size_t cases = lia_test_cases(10000);
    struct lia_oracle o;

    (void)state;
    lia_oracle_open(&o, "number_oracle.py", lia_test_seed("key_number"), cases);
    while (lia_oracle_next(&o)) {
        check_case(&o);
    }
    lia_oracle_close(&o, cases);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_oracle),
};

LIA_TEST_MAIN(tests)
