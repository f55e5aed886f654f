/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/key_id.h"

#include <stdio.h>

#include "base/testing/random.h"
#include "base/testing/test.h"
#include "codec/json.h"
#include "codec/key.h"

/* {_id: ...} of JSON, through its key and back; "" when it has no key. */
static void there_and_back(const char *json, struct lia_buf *out)
{
    struct lia_buf doc;
    struct lia_buf key;
    struct lia_buf again;
    struct lia_value id;

    lia_buf_init(&doc, &lia_mem_libc);
    lia_buf_init(&key, &lia_mem_libc);
    lia_buf_init(&again, &lia_mem_libc);
    assert_ok(lia_json_read(lia_str_slice(lia_str(json)), &doc, NULL, NULL));
    assert_true(lia_bson_find(lia_buf_slice(&doc), lia_str("_id"), &id));
    assert_ok(lia_key_of_id(id, &key, NULL));
    lia_buf_reset(out);
    assert_ok(lia_key_id(lia_buf_slice(&key), out, NULL));
    assert_ok(lia_bson_check(lia_buf_slice(out), &lia_mem_libc, NULL));
    /* Whatever came out is the same document. */
    assert_true(lia_bson_find(lia_buf_slice(out), lia_str("_id"), &id));
    assert_ok(lia_key_of_id(id, &again, NULL));
    assert_slice_equal(lia_buf_slice(&again), lia_buf_slice(&key));
    lia_buf_deinit(&doc);
    lia_buf_deinit(&key);
    lia_buf_deinit(&again);
}

static void becomes(const char *json, const char *expected)
{
    struct lia_buf out;
    struct lia_buf text;

    lia_buf_init(&out, &lia_mem_libc);
    lia_buf_init(&text, &lia_mem_libc);
    there_and_back(json, &out);
    assert_ok(lia_json_write(lia_buf_slice(&out), LIA_JSON_CANONICAL, &text, NULL));
    lia_buf_u8(&text, 0);
    assert_string_equal((const char *)text.ptr, expected);
    lia_buf_deinit(&out);
    lia_buf_deinit(&text);
}

static void same(const char *json)
{
    becomes(json, json);
}

static void test_types_that_a_key_tells(void **state)
{
    (void)state;
    same("{\"_id\":\"536365\"}");
    same("{\"_id\":\"a\\u0000b\\u0000\"}");
    same("{\"_id\":\"\"}");
    same("{\"_id\":{\"$oid\":\"0123456789abcdef01234567\"}}");
    same("{\"_id\":true}");
    same("{\"_id\":{\"$date\":{\"$numberLong\":\"-1\"}}}");
    same("{\"_id\":{\"$timestamp\":{\"t\":1,\"i\":2}}}");
    same("{\"_id\":{\"$binary\":{\"base64\":\"AQID\",\"subType\":\"80\"}}}");
    same("{\"_id\":{\"$code\":\"f\"}}");
    same("{\"_id\":{\"$minKey\":1}}");
    same("{\"_id\":{\"$maxKey\":1}}");
    same("{\"_id\":{\"a\":[\"x\",null,[],{\"b\":false}],\"b\":{\"$regularExpression\":{"
         "\"pattern\":\"p\",\"options\":\"i\"}}}}");
    same("{\"_id\":{\"$code\":\"f\",\"$scope\":{\"a\":\"b\"}}}");
}

static void test_numbers_keep_their_value(void **state)
{
    (void)state;
    becomes("{\"_id\":1}", "{\"_id\":{\"$numberInt\":\"1\"}}");
    becomes("{\"_id\":-7.0}", "{\"_id\":{\"$numberInt\":\"-7\"}}");
    becomes("{\"_id\":0}", "{\"_id\":{\"$numberInt\":\"0\"}}");
    becomes("{\"_id\":9007199254740993}",
            "{\"_id\":{\"$numberLong\":\"9007199254740993\"}}");
    becomes("{\"_id\":-9223372036854775808}",
            "{\"_id\":{\"$numberLong\":\"-9223372036854775808\"}}");
    becomes("{\"_id\":9223372036854775807}",
            "{\"_id\":{\"$numberLong\":\"9223372036854775807\"}}");
    becomes("{\"_id\":0.5}", "{\"_id\":{\"$numberDouble\":\"0.5\"}}");
    becomes("{\"_id\":{\"$numberDouble\":\"-Infinity\"}}",
            "{\"_id\":{\"$numberDouble\":\"-Infinity\"}}");
    becomes("{\"_id\":{\"$numberDecimal\":\"-2.10\"}}",
            "{\"_id\":{\"$numberDecimal\":\"-2.1\"}}");
    becomes("{\"_id\":{\"$numberDecimal\":\"1E-6176\"}}",
            "{\"_id\":{\"$numberDecimal\":\"1E-6176\"}}");
}

static void test_any_number(void **state)
{
    struct lia_rng rng = lia_rng(lia_test_seed("any_number"));
    struct lia_buf out;
    char json[100];

    (void)state;
    lia_buf_init(&out, &lia_mem_libc);
    for (size_t i = 0; i < lia_test_cases(2000); i++) {
        int64_t n = (int64_t)lia_rng_edgy(&rng);

        snprintf(json, sizeof(json), "{\"_id\":{\"$numberLong\":\"%lld\"}}",
                 (long long)n);
        there_and_back(json, &out);
        snprintf(json, sizeof(json), "{\"_id\":{\"$numberDecimal\":\"%lldE%d\"}}",
                 (long long)n, (int)lia_rng_between(&rng, -6000, 6000));
        there_and_back(json, &out);
    }
    lia_buf_deinit(&out);
}

static void test_what_is_no_key(void **state)
{
    static const char *const keys[] = {"",
                                       "\x3c",
                                       "\x3c"
                                       "ab\0",
                                       "\x22",
                                       "\x22\x01\x01",
                                       "\x64"
                                       "abc",
                                       "\x7e",
                                       "\x46\x3c"
                                       "a",
                                       "\x5a\xff\xff\xff\xff\xff",
                                       "\x14\x14"};
    static const size_t lengths[] = {0, 1, 4, 1, 3, 4, 1, 3, 6, 2};
    struct lia_buf out;

    (void)state;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        lia_buf_init(&out, &lia_mem_libc);
        assert_status(LIANA_ECORRUPT,
                      lia_key_id(lia_slice(keys[i], lengths[i]), &out, NULL));
        lia_buf_deinit(&out);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_types_that_a_key_tells),
    cmocka_unit_test(test_numbers_keep_their_value),
    cmocka_unit_test(test_any_number),
    cmocka_unit_test(test_what_is_no_key),
};

LIA_TEST_MAIN(tests)
