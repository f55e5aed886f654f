/* SPDX-License-Identifier: Apache-2.0 */
#include <mongoc/mongoc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/testing/test.h"
#include "mongo/testing/world.h"

/* Documents that a server refuses. */

static bson_t *dead_one(struct lia_test_world *w, const char *id_json)
{
    return lia_test_find(w, "_liana.dead", BCON_NEW("idJson", BCON_UTF8(id_json)));
}

static void test_refused_documents_wait_in_the_grave(void **state)
{
    struct lia_test_world w;
    struct lia_mongo_status status;
    bson_t *dead;
    bson_iter_t it;
    const uint8_t *data;
    uint32_t len;
    bson_t *bad = BCON_NEW("_id", BCON_INT32(2), "value", "text");

    (void)state;
    lia_test_start(&w, LIA_TEST_ANY_SERVER);
    lia_test_command(&w, w.database,
                     BCON_NEW("create", "things", "validator", "{", "value", "{",
                              "$type", "int", "}", "}"));
    for (int i = 0; i < 5; i++) {
        lia_test_feed_put(&w.feed, "things", lia_test_number(i, i));
    }
    lia_test_feed_put(&w.feed, "things", bson_copy(bad));
    lia_test_connect(&w);
    lia_test_wait(&w, LIA_MONGO_OK);
    lia_mongo_status(w.mongo, &status);
    assert_int_equal(status.refused, 1);
    assert_int_equal(status.dead, 1);
    assert_int_equal(status.written, 4);
    assert_int_equal(lia_test_count(&w, "things"), 4);
    dead = dead_one(&w, "{ \"_id\" : { \"$numberInt\" : \"2\" } }");
    assert_int_equal(lia_test_int_at(dead, "code"), 121);
    assert_true(bson_iter_init_find(&it, dead, "document"));
    bson_iter_binary(&it, NULL, &len, &data);
    assert_int_equal(len, bad->len);
    assert_memory_equal(data, bson_get_data(bad), len);
    bson_destroy(dead);

    /* The same again leaves one grave; a right state empties it. */
    lia_test_feed_put(&w.feed, "things", bson_copy(bad));
    lia_test_wait(&w, LIA_MONGO_OK);
    assert_int_equal(lia_test_count(&w, "_liana.dead"), 1);
    lia_test_feed_put(&w.feed, "things", lia_test_number(2, 3));
    lia_test_wait(&w, LIA_MONGO_OK);
    assert_int_equal(lia_test_count(&w, "_liana.dead"), 0);
    lia_mongo_status(w.mongo, &status);
    assert_int_equal(status.dead, 0);
    lia_test_check_equal(&w, "things");
    bson_destroy(bad);
    lia_test_end(&w);
}

static void test_a_unique_index_within_one_page(void **state)
{
    struct lia_test_world w;
    struct lia_mongo_status status;

    (void)state;
    lia_test_start(&w, LIA_TEST_ANY_SERVER);
    lia_test_command(&w, w.database,
                     BCON_NEW("createIndexes", "things", "indexes", "[", "{", "key",
                              "{", "value", BCON_INT32(1), "}", "name", "v", "unique",
                              BCON_BOOL(true), "}", "]"));
    lia_test_feed_put(&w.feed, "things", lia_test_number(1, 10));
    lia_test_sync(&w);
    lia_test_feed_put(&w.feed, "things", lia_test_number(2, 10));
    lia_test_feed_put(&w.feed, "things", lia_test_number(1, 11));
    lia_test_feed_put(&w.feed, "things", lia_test_number(3, 11));
    lia_test_connect(&w);
    lia_test_wait(&w, LIA_MONGO_OK);
    lia_mongo_status(w.mongo, &status);
    assert_int_equal(status.refused, 1);
    assert_int_equal(lia_test_count(&w, "things"), 2);
    lia_test_end(&w);
}

/* A field that begins with $ must reach the server as data or be refused by it; it must
 * never be carried out. A Date that the server cannot take may fail the whole command. */
static void test_strange_documents_are_stored_or_buried(void **state)
{
    struct lia_test_world w;
    struct lia_mongo_status status;
    bson_t *date = BCON_NEW("_id", "date", "at", BCON_DATE_TIME(INT64_MAX));

    (void)state;
    lia_test_start(&w, LIA_TEST_ANY_SERVER);
    for (int i = 0; i < 50; i++) {
        lia_test_feed_put(&w.feed, "things", lia_test_number(i, i));
    }
    lia_test_feed_put(&w.feed, "things",
                      BCON_NEW("_id", "dollar", "$set", "{", "a", BCON_INT32(1), "}"));
    lia_test_feed_put(&w.feed, "things", date);
    lia_test_connect(&w);
    lia_test_wait(&w, LIA_MONGO_OK);
    lia_mongo_status(w.mongo, &status);
    assert_int_equal(status.dead, lia_test_count(&w, "_liana.dead"));
    assert_int_equal(lia_test_count(&w, "things"), 52 - (int64_t)status.refused);
    assert_true(status.refused <= 2);
    lia_test_end(&w);
}

static void test_a_document_too_large_is_kept_in_parts(void **state)
{
    struct lia_test_world w;
    size_t len = (size_t)17 * 1024 * 1024;
    char *text = malloc(len + 1);
    bson_t *large;
    int64_t held = 0;

    (void)state;
    assert_non_null(text);
    memset(text, 'x', len);
    text[len] = '\0';
    lia_test_start(&w, LIA_TEST_ANY_SERVER);
    large = BCON_NEW("_id", "large", "text", BCON_UTF8(text));
    lia_test_feed_put(&w.feed, "things", large);
    lia_test_feed_put(&w.feed, "things", lia_test_number(1, 1));
    lia_test_sync(&w);
    assert_int_equal(lia_test_count(&w, "things"), 1);
    assert_int_equal(lia_test_count(&w, "_liana.dead"), 3);
    for (int part = 0; part < 3; part++) {
        bson_t *dead =
            lia_test_find(&w, "_liana.dead", BCON_NEW("_id.part", BCON_INT32(part)));
        bson_iter_t it;
        const uint8_t *data;
        uint32_t n;

        assert_int_equal(lia_test_int_at(dead, "parts"), 3);
        assert_true(bson_iter_init_find(&it, dead, "document"));
        bson_iter_binary(&it, NULL, &n, &data);
        assert_memory_equal(data, bson_get_data(large) + held, n);
        held += n;
        bson_destroy(dead);
    }
    assert_int_equal(held, large->len);
    free(text);
    lia_test_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused_documents_wait_in_the_grave),
        cmocka_unit_test(test_a_unique_index_within_one_page),
        cmocka_unit_test(test_strange_documents_are_stored_or_buried),
        cmocka_unit_test(test_a_document_too_large_is_kept_in_parts),
    };

    return lia_test_world_run(tests, sizeof(tests) / sizeof(tests[0]));
}
