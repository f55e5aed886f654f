/* SPDX-License-Identifier: Apache-2.0 */
#include "lang/schema.h"

#include <stdio.h>

#include "base/testing/test.h"

#include "base/testing/alloc.h"
#include "codec/json.h"

struct fixture {
    struct lia_arena arena;
    struct lia_buf doc;
    struct liana_error err;
};

static int setup(void **state)
{
    struct fixture *f = test_calloc(1, sizeof(*f));

    lia_arena_init(&f->arena, &lia_mem_libc);
    lia_buf_init(&f->doc, &lia_mem_libc);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    lia_buf_deinit(&f->doc);
    lia_arena_deinit(&f->arena);
    test_free(f);
    return 0;
}

/* Tests write ' for ". */
static struct liana_slice quoted(struct fixture *f, const char *json)
{
    size_t len = strlen(json);
    char *copy = lia_arena_alloc(&f->arena, len);

    assert_non_null(copy);
    for (size_t i = 0; i < len; i++) {
        copy[i] = json[i] == '\'' ? '"' : json[i];
    }
    return lia_slice(copy, len);
}

static struct liana_slice bson(struct fixture *f, const char *json)
{
    lia_buf_reset(&f->doc);
    assert_ok(lia_json_read(quoted(f, json), &f->doc, NULL, NULL));
    return lia_buf_slice(&f->doc);
}

static struct lia_schema schema(struct fixture *f, const char *json)
{
    struct lia_schema s;

    assert_ok(lia_schema_read(&f->arena, bson(f, json), &s));
    return s;
}

static const struct lia_declared *find(const struct lia_schema *s,
                                       const char *a,
                                       const char *b)
{
    const struct liana_str names[] = {lia_str(a), lia_str(b ? b : "")};

    return lia_schema_find(s, names, b ? 2 : 1);
}

/* ---- reading ---- */

static void test_reads_what_is_declared(void **state)
{
    struct lia_schema s = schema(
        *state,
        "{'_id': 'stock', 'paths': {"
        "'onHand': {'type': 'COUNTER', 'min': 0}, 'address.city': {'type': 'STRING'},"
        "'a\\\\.b': {'type': 'SET'}, 'storeId': {'type': 'STRING', 'notNull': true,"
        "'immutable': true}}, 'options': {'deletes': 'update wins', 'ttl': '90 days',"
        "'keep': 10000, 'on_unmatch': 'remove', 'quota': '2 MiB', 'unkept': true}}");
    const struct lia_declared *d = find(&s, "onHand", NULL);

    assert_true(s.is_declared);
    assert_int_equal(s.path_count, 4);
    assert_int_equal(d->type->kind, LIA_KIND_COUNTER);
    assert_true(d->has_min && d->min == 0 && !d->is_not_null);
    assert_int_equal(find(&s, "a.b", NULL)->type->kind, LIA_KIND_SET);
    assert_string_equal(find(&s, "address", "city")->type->name, "STRING");
    assert_true(find(&s, "storeId", NULL)->is_not_null);
    assert_true(find(&s, "storeId", NULL)->is_immutable);
    assert_null(find(&s, "address", NULL));
    assert_int_equal(s.options.deletes, LIA_UPDATES_WIN);
    assert_int_equal(s.options.on_unmatch, LIA_UNMATCHED_GO);
    assert_int_equal(s.options.ttl_ms, 90 * 86400000ULL);
    assert_int_equal(s.options.keep, 10000);
    assert_int_equal(s.options.quota_bytes, 2 << 20);
    assert_true(s.options.unkept);
}

static void test_nothing_is_declared(void **state)
{
    struct lia_schema s;

    assert_ok(lia_schema_read(&((struct fixture *)*state)->arena,
                              (struct liana_slice){0}, &s));
    assert_false(s.is_declared);
    s = schema(*state, "{'_id': 'c'}");
    assert_true(s.is_declared && s.path_count == 0);
    assert_null(find(&s, "a", NULL));
}

/* A peer may know more, or merges may have made what nobody wrote. */
static void test_what_makes_no_sense_is_not_there(void **state)
{
    struct lia_schema s = schema(
        *state, "{'_id': 1, 'paths': {'a': 5, 'b': {'type': 'VECTOR'},"
                "'c': {}, 'd[0]': {'type': 'SET'}, 'e\\\\': {'type': 'SET'},"
                "'n': {'type': 'COUNTER', 'min': 'x'}},"
                "'options': {'ttl': 90, 'keep': 0, 'quota': 'much', 'deletes': 1,"
                "'on_unmatch': 'x', 'unkept': 1, 'colour': 'red'}}");

    assert_int_equal(s.path_count, 3);
    assert_int_equal(find(&s, "b", NULL)->type->kind, LIA_KIND_UNKNOWN);
    assert_int_equal(find(&s, "c", NULL)->type->kind, LIA_KIND_UNKNOWN);
    assert_int_equal(find(&s, "n", NULL)->type->kind, LIA_KIND_UNKNOWN);
    assert_int_equal(s.options.ttl_ms, 0);
    assert_int_equal(s.options.keep, 0);
    assert_int_equal(s.options.quota_bytes, 0);
    assert_int_equal(s.options.deletes, LIA_DELETES_WIN);
    assert_int_equal(s.options.on_unmatch, LIA_UNMATCHED_STAY);
    assert_false(s.options.unkept);
    s = schema(*state, "{'_id': 1, 'paths': [], 'options': 'none'}");
    assert_int_equal(s.path_count, 0);
}

static void test_the_upper_path_holds(void **state)
{
    struct lia_schema s = schema(
        *state, "{'_id': 1, 'paths': {'a.b.c': {'type': 'SET'}, 'a.b': {'type': 'INT'},"
                "'a': {'type': 'OBJECT'}, 'ab': {'type': 'STRING'},"
                "'r.x': {'type': 'INT'}, 'r': {'type': 'REGISTER'},"
                "'\\\\s': {'type': 'INT64'}, 's': {'type': 'DATE'}}}");

    assert_int_equal(s.path_count, 5);
    assert_string_equal(find(&s, "a", "b")->type->name, "INT32");
    assert_string_equal(find(&s, "a", NULL)->type->name, "OBJECT");
    assert_string_equal(find(&s, "r", NULL)->type->name, "REGISTER");
    assert_null(find(&s, "r", "x"));
    assert_string_equal(find(&s, "s", NULL)->type->name, "INT64");
}

static liana_status read_it(const struct liana_allocator *a, void *ctx)
{
    struct lia_arena arena;
    struct lia_schema s;
    liana_status status;

    lia_arena_init(&arena, a);
    status = lia_schema_read(&arena, *(struct liana_slice *)ctx, &s);
    lia_arena_deinit(&arena);
    return status;
}

static void test_memory_that_runs_out_is_told(void **state)
{
    struct liana_slice doc =
        bson(*state, "{'_id': 1, 'paths': {'a.b.c': {'type': 'SET'}}}");

    assert_true(lia_test_each_failure(read_it, &doc) > 0);
}

/* ---- options ---- */

static liana_status take(struct fixture *f, const char *name, const char *json)
{
    struct lia_collection_options options = {0};
    struct lia_value v;

    f->err = (struct liana_error)LIANA_ERROR_INIT;
    assert_ok(lia_json_read_value(quoted(f, json), &f->doc, &v, NULL));
    return lia_option_take(lia_str(name), v, &options, &f->err);
}

static void test_options_say_what_they_want(void **state)
{
    static const char *const good[] = {"'1 day'", "'5ms'",    "' 3 Weeks '",
                                       "'2h'",    "'10 min'", "'7 D'"};
    static const char *const bad[] = {"'0 days'",
                                      "'day'",
                                      "'1 fortnight'",
                                      "'1'",
                                      "1",
                                      "'-1 day'",
                                      "'1.5 days'",
                                      "'1 dayss'",
                                      "'99999999999999999999 s'",
                                      "'9223372036854775807 days'"};
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_ok(take(f, "ttl", good[i]));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_status(take(f, "ttl", bad[i]), LIANA_EINVAL);
        assert_string_equal(f->err.message,
                            "ttl needs a time such as '90 days', at least 1 ms");
    }
    assert_status(take(f, "size", "1"), LIANA_ENOTFOUND);
    assert_string_equal(f->err.message,
                        "a collection has no option size; it has deletes, keep, "
                        "on_unmatch, quota, ttl, unkept");
    assert_status(take(f, "deletes", "'wins'"), LIANA_EINVAL);
    assert_status(take(f, "keep", "0"), LIANA_EINVAL);
    assert_status(take(f, "unkept", "'yes'"), LIANA_EINVAL);
}

/* ---- checking ---- */

static void breaks(struct fixture *f,
                   const struct lia_schema *s,
                   const char *json,
                   const char *path,
                   const char *message)
{
    const struct lia_declared *at = NULL;

    f->err = (struct liana_error)LIANA_ERROR_INIT;
    assert_status(lia_schema_check(s, bson(f, json), &at, &f->err), LIANA_ESCHEMA);
    assert_memory_equal(at->text.ptr, path, strlen(path));
    assert_string_equal(f->err.message, message);
}

static void test_checks_documents(void **state)
{
    struct fixture *f = *state;
    const struct lia_declared *at = NULL;
    struct lia_schema s = schema(
        f, "{'_id': 1, 'paths': {'s': {'type': 'STRING', 'notNull': true},"
           "'n': {'type': 'COUNTER'}, 't': {'type': 'SET'}, 'o.i': {'type': 'INTEGER'},"
           "'x': {'type': 'LATER'}, 'r': {'type': 'REGISTER'}}}");

    assert_ok(lia_schema_check(&s, bson(f, "{'_id': 1, 's': ''}"), &at, NULL));
    assert_ok(lia_schema_check(
        &s,
        bson(f, "{'_id': 1, 's': 'a', 'n': 1.5, 't': [1], 'o': {'i': 3}, 'x': {},"
                "'r': {'a': 1}, 'other': null}"),
        &at, NULL));
    assert_ok(
        lia_schema_check(&s, bson(f, "{'s': 'a', 'o': 5, 'r': null}"), &at, NULL));
    breaks(f, &s, "{'_id': 1}", "s", "s is declared NOT NULL");
    breaks(f, &s, "{'s': null}", "s", "s is declared NOT NULL");
    breaks(f, &s, "{'s': 5}", "s", "s is declared STRING and cannot be of type int");
    breaks(f, &s, "{'s': '', 'n': 'x'}", "n",
           "n is declared COUNTER and cannot be of type string");
    breaks(f, &s, "{'s': '', 'n': null}", "n",
           "n is declared COUNTER and cannot be of type null");
    breaks(f, &s, "{'s': '', 't': {}}", "t",
           "t is declared SET and cannot be of type object");
    breaks(f, &s, "{'s': '', 'o': {'i': 1.5}}", "o.i",
           "o.i is declared INTEGER and cannot be of type double");
}

/* 32 bytes, base64 */
#define ID32                                                                           \
    "{'$binary': {'base64': 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=', "          \
    "'subType': '00'}}"

static void test_checks_attachments(void **state)
{
    static const char *const good[] = {
        "{'p': {'id': " ID32 ", 'len': 0}}",
        "{'p': {'len': {'$numberLong': '5000000000'}, 'metadata': {}, 'id': " ID32 "}}",
        "{'p': {'id': " ID32 ", 'len': 7, 'metadata': {'name': 'a.jpg', 'n': [1]}}}",
        "{'p': null}",
        "{'other': 1}",
    };
    static const struct {
        const char *json;
        const char *fault;
    } bad[] = {
        {"{'p': 'a.jpg'}", "cannot be of type string"},
        {"{'p': {'id': " ID32 ", 'len': 1, 'url': ''}}",
         "has no fields but id, len and metadata"},
        {"{'p': {}}", "needs an id: binary data of 32 bytes and subtype 0"},
        {"{'p': {'id': '0001', 'len': 1}}",
         "needs an id: binary data of 32 bytes and subtype 0"},
        {"{'p': {'id': {'$binary': {'base64': 'AAEC', 'subType': '00'}}, 'len': 1}}",
         "needs an id: binary data of 32 bytes and subtype 0"},
        {"{'p': {'id': {'$binary': {'base64': "
         "'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=', 'subType': '80'}}, 'len': "
         "1}}",
         "needs an id: binary data of 32 bytes and subtype 0"},
        {"{'p': {'id': " ID32 "}}", "needs a len: a whole number of bytes"},
        {"{'p': {'id': " ID32 ", 'len': -1}}", "needs a len: a whole number of bytes"},
        {"{'p': {'id': " ID32 ", 'len': {'$numberLong': '-1'}}}",
         "needs a len: a whole number of bytes"},
        {"{'p': {'id': " ID32 ", 'len': 1.5}}", "needs a len: a whole number of bytes"},
        {"{'p': {'id': " ID32 ", 'len': 1, 'metadata': 'x'}}",
         "has metadata that is no object"},
        {"{'p': {'id': " ID32 ", 'len': 1, 'metadata': null}}",
         "has metadata that is no object"},
    };
    struct fixture *f = *state;
    const struct lia_declared *at = NULL;
    struct lia_schema s =
        schema(f, "{'_id': 1, 'paths': {'p': {'type': 'attachment'}}}");

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_ok(lia_schema_check(&s, bson(f, good[i]), &at, &f->err));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char message[120];

        snprintf(message, sizeof(message), "p is declared ATTACHMENT and %s",
                 bad[i].fault);
        breaks(f, &s, bad[i].json, "p", message);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest cases[] = {
    CASE(test_reads_what_is_declared),
    CASE(test_nothing_is_declared),
    CASE(test_what_makes_no_sense_is_not_there),
    CASE(test_the_upper_path_holds),
    CASE(test_memory_that_runs_out_is_told),
    CASE(test_options_say_what_they_want),
    CASE(test_checks_documents),
    CASE(test_checks_attachments),
};

LIA_TEST_MAIN(cases)
