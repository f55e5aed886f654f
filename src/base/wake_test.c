/* SPDX-License-Identifier: Apache-2.0 */
#include <poll.h>

#include "base/testing/test.h"
#include "base/wake.h"

static int is_readable(const struct lia_wake *wake)
{
    struct pollfd fd = {.fd = lia_wake_fd(wake), .events = POLLIN};

    return poll(&fd, 1, 0);
}

static void test_set_and_clear(void **state)
{
    struct lia_wake wake;

    (void)state;
    assert_ok(lia_wake_init(&wake, NULL));
    assert_int_equal(is_readable(&wake), 0);
    for (int i = 0; i < 100000; i++) {
        lia_wake_set(&wake);
    }
    assert_int_equal(is_readable(&wake), 1);
    lia_wake_clear(&wake);
    assert_int_equal(is_readable(&wake), 0);
    lia_wake_set(&wake);
    assert_int_equal(is_readable(&wake), 1);
    lia_wake_deinit(&wake);
}

static const struct CMUnitTest tests[] = {cmocka_unit_test(test_set_and_clear)};

LIA_TEST_MAIN(tests)
