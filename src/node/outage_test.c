/* SPDX-License-Identifier: Apache-2.0 */
#include "node/outage.h"

#include "base/testing/test.h"

#define SECOND 1000
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)

/* A failure every ten seconds until `until`: how many of them are told. */
static unsigned fail_until(struct lia_outage *o, uint64_t *now, uint64_t until)
{
    unsigned told = 0;

    while (*now < until) {
        told += lia_outage_fail(o, LIANA_EUNREACHABLE, *now);
        *now += 10 * SECOND;
    }
    return told;
}

static void a_long_outage_is_told_rarely(void **state)
{
    struct lia_outage o = {0};
    uint64_t now = 5 * SECOND;

    (void)state;
    assert_int_equal(fail_until(&o, &now, 60 * SECOND), 1);
    assert_int_equal(fail_until(&o, &now, 2 * MINUTE), 1);
    assert_int_equal(fail_until(&o, &now, 2 * HOUR), 5); /* 3, 7, 15, 31, 63 min */
    assert_int_equal(fail_until(&o, &now, 12 * HOUR), 10);
    assert_int_equal(lia_outage_end(&o, now), now - 5 * SECOND);
    assert_int_equal(lia_outage_end(&o, now), 0);
    assert_true(lia_outage_fail(&o, LIANA_EUNREACHABLE, now));
}

static void what_waiting_does_not_mend_is_told_at_once(void **state)
{
    struct lia_outage o = {0};

    (void)state;
    assert_true(lia_outage_fail(&o, LIANA_EUNREACHABLE, 0));
    assert_false(lia_outage_fail(&o, LIANA_ETIMEOUT, 1));
    assert_true(lia_outage_fail(&o, LIANA_EAUTH, 2));
    assert_false(lia_outage_fail(&o, LIANA_EAUTH, 3));
    assert_false(lia_outage_fail(&o, LIANA_EUNREACHABLE, 4));
    assert_false(lia_outage_fail(&o, LIANA_EAUTH, 5));
    assert_true(lia_outage_fail(&o, LIANA_EDATABASE, 6));
    assert_int_equal(o.failures, 7);
}

static void an_outage_that_was_told_begins_quietly(void **state)
{
    struct lia_outage o = {0};

    (void)state;
    lia_outage_begin(&o, 1000);
    lia_outage_begin(&o, 2000);
    assert_false(lia_outage_fail(&o, LIANA_EUNREACHABLE, 2000));
    assert_int_equal(lia_outage_ms(&o, 3000), 2000);
    assert_true(lia_outage_fail(&o, LIANA_EUNREACHABLE, 1000 + MINUTE));
}

static void durations_are_short_texts(void **state)
{
    static const struct {
        uint64_t ms;
        const char *text;
    } cases[] = {{0, "0.0 s"},          {449, "0.4 s"},          {9999, "9.9 s"},
                 {75 * SECOND, "75 s"}, {12 * MINUTE, "12 min"}, {31 * HOUR, "31 h"}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[LIA_DURATION_TEXT];

        lia_duration_text(cases[i].ms, text);
        assert_string_equal(text, cases[i].text);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_long_outage_is_told_rarely),
    cmocka_unit_test(what_waiting_does_not_mend_is_told_at_once),
    cmocka_unit_test(an_outage_that_was_told_begins_quietly),
    cmocka_unit_test(durations_are_short_texts),
};

LIA_TEST_MAIN(tests)
