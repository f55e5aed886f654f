/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include <stdlib.h>

#include "base/testing/random.h"
#include "codec/decimal.h"
#include "codec/testing/oracle.h"

/* What we make of a case, as text. */
static const char *answer(const struct lia_oracle *o, char out[LIA_DECIMAL_TEXT + 1])
{
    const char *operation = o->field[0];
    struct lia_decimal a = {0, 0};
    struct lia_decimal b = {0, 0};
    liana_status status = lia_decimal_parse(lia_str(o->field[1]), &a);

    if (strcmp(operation, "parse") == 0) {
        if (status) {
            return status == LIANA_ERANGE ? "lost" : "refused";
        }
    } else {
        assert_ok(status);
        assert_ok(lia_decimal_parse(lia_str(o->field[2]), &b));
    }
    if (strcmp(operation, "cmp") == 0) {
        int order = lia_decimal_cmp(a, b);

        assert_int_equal((order > 0) - (order < 0),
                         -((lia_decimal_cmp(b, a) > 0) - (lia_decimal_cmp(b, a) < 0)));
        return order < 0 ? "-1" : order > 0 ? "1" : "0";
    }
    if (strcmp(operation, "add") == 0) {
        a = lia_decimal_add(a, b);
    } else if (strcmp(operation, "subtract") == 0) {
        a = lia_decimal_subtract(a, b);
    } else if (strcmp(operation, "multiply") == 0) {
        a = lia_decimal_multiply(a, b);
    }
    out[lia_decimal_print(a, out)] = '\0';
    return out;
}

/* A million cases under `make long` (LIANA_EFFORT=100). */
static void test_oracle(void **state)
{
    size_t cases = lia_test_cases(10000);
    struct lia_oracle o;
    char text[LIA_DECIMAL_TEXT + 1];

    (void)state;
    lia_oracle_open(&o, "decimal_oracle.py", lia_test_seed("decimal"), cases);
    while (lia_oracle_next(&o)) {
        const char *got = answer(&o, text);

        if (strcmp(got, o.field[3]) != 0) {
            fail_msg("%s %s %s: %s instead of %s", o.field[0], o.field[1], o.field[2],
                     got, o.field[3]);
        }
    }
    lia_oracle_close(&o, cases);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_oracle),
};

LIA_TEST_MAIN(tests)
