/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include <stdlib.h>

#include "base/testing/random.h"
#include "codec/decimal.h"
#include "codec/testing/oracle.h"

/* HIGH:LOW, both in decimal digits. */
static struct lia_decimal of_int128(const char *text)
{
    char *end;
    int64_t high = strtoll(text, &end, 10);

    return lia_decimal_of_int128(high, strtoull(end + 1, NULL, 10));
}

static struct lia_decimal floor_of(struct lia_decimal a, struct lia_decimal b)
{
    (void)b;
    return lia_decimal_whole(a, LIA_DECIMAL_FLOOR);
}

static struct lia_decimal ceiling_of(struct lia_decimal a, struct lia_decimal b)
{
    (void)b;
    return lia_decimal_whole(a, LIA_DECIMAL_CEILING);
}

static struct lia_decimal nearest_of(struct lia_decimal a, struct lia_decimal b)
{
    (void)b;
    return lia_decimal_whole(a, LIA_DECIMAL_NEAREST);
}

static struct lia_decimal compute(const char *operation,
                                  struct lia_decimal a,
                                  struct lia_decimal b)
{
    static const struct {
        const char *name;
        struct lia_decimal (*fn)(struct lia_decimal, struct lia_decimal);
    } operations[] = {
        {"add", lia_decimal_add},
        {"subtract", lia_decimal_subtract},
        {"multiply", lia_decimal_multiply},
        {"divide", lia_decimal_divide},
        {"remainder", lia_decimal_remainder},
        {"floor", floor_of},
        {"ceiling", ceiling_of},
        {"nearest", nearest_of},
    };

    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        if (strcmp(operation, operations[i].name) == 0) {
            return operations[i].fn(a, b);
        }
    }
    fail_msg("no such operation: %s", operation);
    return a;
}

static const char *order_of(struct lia_decimal a, struct lia_decimal b)
{
    int order = lia_decimal_cmp(a, b);

    assert_int_equal((order > 0) - (order < 0),
                     -((lia_decimal_cmp(b, a) > 0) - (lia_decimal_cmp(b, a) < 0)));
    return order < 0 ? "-1" : order > 0 ? "1" : "0";
}

/* What we make of a case, as text. */
static const char *answer(const struct lia_oracle *o, char out[LIA_DECIMAL_TEXT + 1])
{
    const char *operation = o->field[0];
    struct lia_decimal a = {0, 0};
    struct lia_decimal b = {0, 0};
    liana_status status = lia_decimal_parse(lia_str(o->field[1]), &a);

    if (strcmp(operation, "int128") == 0) {
        a = of_int128(o->field[1]);
    } else if (strcmp(operation, "parse") == 0) {
        if (status) {
            return status == LIANA_ERANGE ? "lost" : "refused";
        }
    } else {
        assert_ok(status);
        assert_ok(lia_decimal_parse(lia_str(o->field[2]), &b));
        if (strcmp(operation, "cmp") == 0) {
            return order_of(a, b);
        }
        a = compute(operation, a, b);
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
