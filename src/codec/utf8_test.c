/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/utf8.h"

#include "base/testing/test.h"

static size_t valid_len(const char *text, size_t len)
{
    return lia_utf8_valid_len(lia_slice(text, len));
}

#define LEN(text) valid_len(text, sizeof(text) - 1)

static void test_valid(void **state)
{
    (void)state;
    assert_true(lia_utf8_valid(lia_slice(NULL, 0)));
    assert_int_equal(LEN("plain ASCII text"), 16);
    assert_int_equal(LEN("a\0b"), 3);
    assert_int_equal(LEN("\xc3\xa9t\xc3\xa9 \xe2\x82\xac \xf0\x9f\x8c\xbf"), 14);
    assert_int_equal(LEN("\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf"), 10);
}

static void test_invalid(void **state)
{
    (void)state;
    assert_int_equal(LEN("abc\x80"), 3);           /* no first byte */
    assert_int_equal(LEN("abc\xc3"), 3);           /* ends early */
    assert_int_equal(LEN("12345678\xe2\x82"), 8);  /* ends early, after a whole word */
    assert_int_equal(LEN("\xc0\x80"), 0);          /* overlong, 2 bytes */
    assert_int_equal(LEN("\xc1\xbf"), 0);          /* overlong, 2 bytes */
    assert_int_equal(LEN("\xe0\x9f\xbf"), 0);      /* overlong, 3 bytes */
    assert_int_equal(LEN("\xf0\x8f\xbf\xbf"), 0);  /* overlong, 4 bytes */
    assert_int_equal(LEN("\xed\xa0\x80"), 0);      /* surrogate */
    assert_int_equal(LEN("\xf4\x90\x80\x80"), 0);  /* above U+10FFFF */
    assert_int_equal(LEN("\xf5\x80\x80\x80"), 0);  /* above U+10FFFF */
    assert_int_equal(LEN("\xe2\x28\xa1"), 0);      /* second byte */
    assert_int_equal(LEN("x\xe2\x82\x28"), 1);     /* third byte */
    assert_int_equal(LEN("x\xf0\x9f\x8c\x28"), 1); /* fourth byte */
}

/* Every scalar value is written in a form that is valid, every surrogate's is not. */
static void test_encode(void **state)
{
    (void)state;
    for (uint32_t code = 0; code <= 0x10ffff; code++) {
        uint8_t bytes[4];
        size_t len = lia_utf8_encode(code, bytes);
        bool is_surrogate = code >= 0xd800 && code <= 0xdfff;

        assert_int_equal(lia_utf8_valid(lia_slice(bytes, len)), !is_surrogate);
        assert_int_equal(len, 1 + (code > 0x7f) + (code > 0x7ff) + (code > 0xffff));
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_valid),
    cmocka_unit_test(test_invalid),
    cmocka_unit_test(test_encode),
};

LIA_TEST_MAIN(tests)
