/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"
#include "liana/liana.h"

static void test_there_and_back(void **state)
{
    struct liana_str json =
        LIANA_STR(" {\"a\": 1, \"b\": {\"$numberDecimal\": \"2.50\"}}");
    liana_bytes *bson;
    liana_bytes *back;

    (void)state;
    assert_ok(liana_json_decode(json, &bson, NULL));
    assert_ok(
        liana_json_encode(liana_bytes_slice(bson), LIANA_JSON_RELAXED, &back, NULL));
    assert_string_equal((const char *)liana_bytes_slice(back).ptr,
                        "{\"a\":1,\"b\":{\"$numberDecimal\":\"2.50\"}}");
    liana_bytes_free(back);
    assert_ok(
        liana_json_encode(liana_bytes_slice(bson), LIANA_JSON_CANONICAL, &back, NULL));
    assert_string_equal((const char *)liana_bytes_slice(back).ptr,
                        "{\"a\":{\"$numberInt\":\"1\"},\"b\":{\"$numberDecimal\":"
                        "\"2.50\"}}");
    liana_bytes_free(back);
    liana_bytes_free(bson);
    liana_bytes_free(NULL);
}

static void test_what_is_wrong(void **state)
{
    struct liana_error err = LIANA_ERROR_INIT;
    liana_bytes *out = NULL;

    (void)state;
    assert_status(LIANA_EJSON, liana_json_decode(LIANA_STR("{\"a\": }"), &out, &err));
    assert_int_equal(err.status, LIANA_EJSON);
    assert_status(LIANA_EJSON, liana_json_decode(LIANA_STR("{} {}"), &out, NULL));
    assert_status(LIANA_EBSON, liana_json_encode(LIA_BYTES("\x05\0\0\0\1"),
                                                 LIANA_JSON_RELAXED, &out, NULL));
    assert_status(LIANA_EINVAL,
                  liana_json_encode(LIA_BYTES("\x05\0\0\0\0"), 7, &out, NULL));
    assert_status(LIANA_EINVAL, liana_json_decode(LIANA_STR("{}"), NULL, NULL));
    assert_null(out);
}

static void test_version(void **state)
{
    (void)state;
    assert_string_equal(liana_version(), "0.1.0");
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_there_and_back),
    cmocka_unit_test(test_what_is_wrong),
    cmocka_unit_test(test_version),
};

LIA_TEST_MAIN(tests)
