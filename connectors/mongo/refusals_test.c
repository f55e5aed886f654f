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

/* What was in its way is gone with a later page. */
static void test_a_value_that_is_free_again(void **state)
{
    struct lia_test_world w;
    struct lia_mongo_status status;

    (void)state;
    lia_test_start(&w, LIA_TEST_ANY_SERVER);
    w.feed.page_changes = 1;
    lia_test_command(&w, w.database,
                     BCON_NEW("createIndexes", "things", "indexes", "[", "{", "key",
                              "{", "value", BCON_INT32(1), "}", "name", "v", "unique",
                              BCON_BOOL(true), "}", "]"));
    lia_test_feed_put(&w.feed, "things", lia_test_number(1, 10));
    lia_test_sync(&w);
    for (int i = 0; i < 250; i++) {
        lia_test_feed_put(&w.feed, "things", lia_test_number(2 + i, 10 + i));
    }
    lia_test_feed_put(&w.feed, "things", lia_test_number(1, 1000));
    lia_test_connect(&w);
    lia_test_wait(&w, LIA_MONGO_OK);
    lia_mongo_status(w.mongo, &status);
    assert_int_equal(status.refused, 1);
    assert_int_equal(status.dead, 0);
    assert_int_equal(lia_test_count(&w, "_liana.dead"), 0);
    lia_test_check_equal(&w, "things");
    lia_test_end(&w);
}

/* What the connector of another store has buried is not this one's to dig out. */
static void insert_stranger(struct lia_test_world *w)
{
    bson_t *theirs = BCON_NEW("_id", BCON_INT32(9999));

    lia_test_command(
        w, w->database,
        BCON_NEW("insert", "_liana.dead", "documents", "[", "{", "_id", "{",
                 "collection", "things", "id",
                 BCON_BIN(BSON_SUBTYPE_BINARY, bson_get_data(theirs), theirs->len),
                 "part", BCON_INT32(0), "}", "document",
                 BCON_BIN(BSON_SUBTYPE_BINARY, bson_get_data(theirs), theirs->len),
                 "connector", "test", "store", "another", "code", BCON_INT32(1), "}",
                 "]"));
    bson_destroy(theirs);
}

static void make_strict(struct lia_test_world *w, const char *collection)
{
    bson_t *validator =
        BCON_NEW("$jsonSchema", "{", "required", "[", "allowed", "]", "}");

    lia_test_command(w, w->database,
                     BCON_NEW("create", BCON_UTF8(collection), "validator",
                              BCON_DOCUMENT(validator)));
    bson_destroy(validator);
}

/* Connects until no more than `left` parts are in the grave; each change is a reason to
 * look again. */
static void make_lax(struct lia_test_world *w, const char *collection, int64_t left)
{
    lia_test_command(w, w->database,
                     BCON_NEW("collMod", BCON_UTF8(collection), "validator", "{", "}"));
    lia_test_connect(w);
    lia_test_wait(w, LIA_MONGO_OK);
    while (lia_test_count(w, "_liana.dead") > left) {
        lia_test_feed_put(&w->feed, "ticks", lia_test_number(1, 1));
        lia_test_wait(w, LIA_MONGO_OK);
    }
}

/* More than are tried at once, one that stays refused, a stranger's. */
static void test_a_rule_that_is_lifted(void **state)
{
    enum { DOCUMENTS = 120 };
    struct lia_test_world w;

    (void)state;
    lia_test_start(&w, LIA_TEST_ANY_SERVER);
    make_strict(&w, "things");
    make_strict(&w, "others");
    insert_stranger(&w);
    for (int i = 0; i < DOCUMENTS; i++) {
        lia_test_feed_put(&w.feed, "things", lia_test_number(i, i));
    }
    lia_test_feed_put(&w.feed, "others", lia_test_number(1, 1));
    lia_test_sync(&w);
    assert_int_equal(lia_test_count(&w, "things"), 0);
    assert_int_equal(lia_test_count(&w, "_liana.dead"), DOCUMENTS + 1 + 1);
    make_lax(&w, "things", 2);
    lia_test_check_equal(&w, "things");
    assert_int_equal(lia_test_count(&w, "others"), 0);
    lia_test_end(&w);
}

static void test_a_document_in_parts_comes_back_whole(void **state)
{
    enum { TEXT_BYTES = 9 * 1024 * 1024 };
    struct lia_test_world w;
    char *text = malloc(TEXT_BYTES + 1);

    (void)state;
    assert_non_null(text);
    memset(text, 'x', TEXT_BYTES);
    text[TEXT_BYTES] = '\0';
    lia_test_start(&w, LIA_TEST_ANY_SERVER);
    make_strict(&w, "things");
    lia_test_feed_put(&w.feed, "things",
                      BCON_NEW("_id", "large", "text", BCON_UTF8(text)));
    lia_test_feed_delete(&w.feed, "things", BCON_NEW("_id", "never there"));
    lia_test_sync(&w);
    assert_int_equal(lia_test_count(&w, "_liana.dead"), 2);
    make_lax(&w, "things", 0);
    lia_test_check_equal(&w, "things");
    free(text);
    lia_test_end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused_documents_wait_in_the_grave),
        cmocka_unit_test(test_a_unique_index_within_one_page),
        cmocka_unit_test(test_a_value_that_is_free_again),
        cmocka_unit_test(test_a_rule_that_is_lifted),
        cmocka_unit_test(test_a_document_in_parts_comes_back_whole),
        cmocka_unit_test(test_strange_documents_are_stored_or_buried),
        cmocka_unit_test(test_a_document_too_large_is_kept_in_parts),
    };

    return lia_test_world_run(tests, sizeof(tests) / sizeof(tests[0]));
}
