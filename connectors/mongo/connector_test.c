/* SPDX-License-Identifier: Apache-2.0 */
#include <mongoc/mongoc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/testing/test.h"
#include "mongo/testing/world.h"

/* The connector against a real server: what arrives there. */

static bson_t *every_type(void)
{
    bson_t *d = BCON_NEW("_id", "all", "double", BCON_DOUBLE(0.1), "string",
                         "a\xe2\x98\x95", "document", "{", "z", BCON_INT32(1), "a",
                         BCON_INT32(2), "}", "array", "[", BCON_INT32(1), "{", "}", "[",
                         "]", "]", "yes", BCON_BOOL(true), "no", BCON_BOOL(false),
                         "null", BCON_NULL, "int32", BCON_INT32(INT32_MIN), "int64",
                         BCON_INT64(INT64_MAX), "min", BCON_MINKEY, "max", BCON_MAXKEY);
    bson_decimal128_t price;
    bson_oid_t oid;

    bson_decimal128_from_string("1234567890123456789012345678.901200", &price);
    BSON_APPEND_DECIMAL128(d, "decimal", &price);
    bson_oid_init_from_string(&oid, "0123456789abcdef01234567");
    BSON_APPEND_OID(d, "oid", &oid);
    BSON_APPEND_DATE_TIME(d, "date", 1291191960123);
    BSON_APPEND_DATE_TIME(d, "before", -1);
    BSON_APPEND_BINARY(d, "binary", BSON_SUBTYPE_USER, (const uint8_t *)"\0\xff", 2);
    BSON_APPEND_REGEX(d, "regex", "^a", "i");
    BSON_APPEND_CODE(d, "code", "f()");
    BSON_APPEND_TIMESTAMP(d, "timestamp", 7, 8);
    BSON_APPEND_UTF8(d, "dotted.name", "x");
    BSON_APPEND_UTF8(d, "", "the empty name");
    return d;
}

static void test_documents_arrive_as_they_are(void **state)
{
    struct lia_test_world w;

    (void)state;
    lia_test_start(&w, LIA_TEST_ANY_SERVER);
    lia_test_feed_put(&w.feed, "things", every_type());
    for (int i = 0; i < 2500; i++) {
        lia_test_feed_put(&w.feed, "things", lia_test_number(i, i));
    }
    lia_test_feed_put(&w.feed, "things", lia_test_number(7, 8));
    lia_test_feed_delete(&w.feed, "things", BCON_NEW("_id", BCON_INT32(9)));
    lia_test_feed_delete(&w.feed, "things", BCON_NEW("_id", "never there"));
    lia_test_feed_put(&w.feed, "others", lia_test_number(1, 1));
    lia_test_connect(&w);
    lia_test_wait(&w, LIA_MONGO_OK);
    lia_test_check_equal(&w, "things");
    lia_test_check_equal(&w, "others");

    /* And it goes on: a change that comes later, a document that comes back. */
    lia_test_feed_put(&w.feed, "things", lia_test_number(9, 10));
    lia_test_feed_delete(&w.feed, "things", BCON_NEW("_id", "all"));
    lia_test_wait(&w, LIA_MONGO_OK);
    lia_test_check_equal(&w, "things");
    lia_test_end(&w);
}

static void test_it_goes_on_where_it_was(void **state)
{
    struct lia_test_world w;
    struct lia_mongo_status status;
    bson_t *checkpoint;

    (void)state;
    lia_test_start(&w, LIA_TEST_ANY_SERVER);
    for (int i = 0; i < 100; i++) {
        lia_test_feed_put(&w.feed, "things", lia_test_number(i, i));
    }
    lia_test_sync(&w);
    checkpoint = lia_test_find(
        &w, "_liana.checkpoint",
        BCON_NEW("_id", "{", "connector", "test", "store", "store-1", "}"));
    assert_int_equal(lia_test_int_at(checkpoint, "seq"), 100);
    bson_destroy(checkpoint);

    lia_test_feed_put(&w.feed, "things", lia_test_number(5, 6));
    lia_test_connect(&w);
    lia_test_wait(&w, LIA_MONGO_OK);
    lia_mongo_status(w.mongo, &status);
    assert_int_equal(w.feed.opened_at, 100);
    assert_int_equal(status.written, 1);
    lia_test_check_equal(&w, "things");
    lia_test_end(&w);
}

/* A store that was put back to an earlier state: its numbers mean something else now. */
static void test_a_position_beyond_the_store_starts_again(void **state)
{
    struct lia_test_world w;

    (void)state;
    lia_test_start(&w, LIA_TEST_ANY_SERVER);
    for (int i = 0; i < 10; i++) {
        lia_test_feed_put(&w.feed, "things", lia_test_number(i, i));
    }
    lia_test_sync(&w);
    lia_test_feed_deinit(&w.feed);
    lia_test_feed_init(&w.feed, "store-1");
    for (int i = 0; i < 5; i++) {
        lia_test_feed_put(&w.feed, "others", lia_test_number(i, -i));
    }
    lia_test_connect(&w);
    lia_test_wait(&w, LIA_MONGO_OK);
    assert_int_equal(w.feed.opened_at, 0);
    lia_test_check_equal(&w, "others");
    lia_test_end(&w);
}

/* As data these are nothing special; read as a query they would hit everything. */
static void test_an_id_that_looks_like_a_query(void **state)
{
    struct lia_test_world w;

    (void)state;
    lia_test_start(&w, LIA_TEST_ANY_SERVER);
    for (int i = 0; i < 3; i++) {
        lia_test_feed_put(&w.feed, "things", lia_test_number(i, i));
    }
    lia_test_feed_delete(&w.feed, "things",
                         BCON_NEW("_id", "{", "$gte", BCON_INT32(0), "}"));
    lia_test_feed_delete(&w.feed, "things",
                         BCON_NEW("_id", "{", "$ne", BCON_NULL, "}"));
    lia_test_sync(&w);
    lia_test_check_equal(&w, "things");
    lia_test_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_documents_arrive_as_they_are),
        cmocka_unit_test(test_it_goes_on_where_it_was),
        cmocka_unit_test(test_a_position_beyond_the_store_starts_again),
        cmocka_unit_test(test_an_id_that_looks_like_a_query),
    };

    return lia_test_world_run(tests, sizeof(tests) / sizeof(tests[0]));
}
