/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/bson.h"

#include "base/testing/test.h"

#include "base/testing/alloc.h"
#include "base/testing/random.h"
#include "codec/testing/random_bson.h"

static struct lia_buf new_buf(void)
{
    struct lia_buf buf;

    lia_buf_init(&buf, &lia_mem_libc);
    return buf;
}

/* ---- building and reading ---- */

static void build(struct lia_buf *buf)
{
    size_t doc = lia_bson_begin(buf);
    size_t inner;
    char index[12];

    lia_bson_add_int32(buf, lia_str("i"), -5);
    lia_bson_add_int64(buf, lia_str("l"), INT64_MIN);
    lia_bson_add_double(buf, lia_str("d"), -0.5);
    lia_bson_add_bool(buf, lia_str("t"), true);
    lia_bson_add_date(buf, lia_str("w"), -1);
    lia_bson_add_null(buf, lia_str("n"));
    lia_bson_add_str(buf, lia_str("s"), (struct liana_str){"a\0b", 3});
    lia_bson_add_binary(buf, lia_str("b"), 0x80, LIA_BYTES("xy"));
    inner = lia_bson_begin_in(buf, LIA_BSON_ARRAY, lia_str(""));
    lia_bson_add_null(buf, lia_bson_index_name(0, index));
    lia_bson_end(buf, inner);
    lia_bson_end(buf, doc);
}

static struct lia_value get(const struct lia_buf *doc, const char *name)
{
    struct lia_value v = {0};

    assert_true(lia_bson_find(lia_buf_slice(doc), lia_str(name), &v));
    return v;
}

static void test_build(void **state)
{
    struct lia_buf doc = new_buf();
    struct lia_value v;

    (void)state;
    build(&doc);
    assert_ok(lia_bson_check(lia_buf_slice(&doc), &lia_mem_libc, NULL));
    assert_int_equal(lia_value_int32(get(&doc, "i")), -5);
    assert_true(lia_value_int64(get(&doc, "l")) == INT64_MIN);
    assert_true(lia_value_double(get(&doc, "d")) == -0.5);
    assert_true(lia_value_bool(get(&doc, "t")));
    assert_int_equal(lia_value_date_ms(get(&doc, "w")), -1);
    assert_slice_equal(lia_str_slice(lia_value_str(get(&doc, "s"))), LIA_BYTES("a\0b"));
    assert_slice_equal(get(&doc, "b").data, LIA_BYTES("\2\0\0\0\x80xy"));
    assert_slice_equal(get(&doc, "").data, LIA_BYTES("\10\0\0\0\n0\0\0"));
    assert_int_equal(get(&doc, "n").type, LIA_BSON_NULL);
    assert_false(lia_bson_find(lia_buf_slice(&doc), lia_str("x"), &v));
    lia_buf_deinit(&doc);
}

static void test_values(void **state)
{
    struct lia_scratch a;
    struct lia_scratch b;

    (void)state;
    assert_true(lia_value_equal(lia_value_of_int32(1, &a), lia_value_of_int32(1, &b)));
    assert_false(lia_value_equal(lia_value_of_int32(1, &a), lia_value_of_int32(2, &b)));
    assert_false(lia_value_equal(lia_value_of_int64(1, &a), lia_value_of_date(1, &b)));
    assert_true(lia_value_is_number(lia_value_of_double(1, &a)));
    assert_false(lia_value_is_number(lia_value_of_date(1, &a)));
    assert_true(lia_value_equal(lia_value_of_null(), lia_value_of_null()));
    assert_slice_equal(lia_value_of_int64(0x0102030405060708, &a).data,
                       LIA_BYTES("\x08\x07\x06\x05\x04\x03\x02\x01"));
    assert_int_equal(lia_value_timestamp(lia_value_of_int64(-1, &a)), UINT64_MAX);
    assert_string_equal(lia_bson_type_name(LIA_BSON_OBJECTID), "objectId");
    assert_string_equal(lia_bson_type_name(0x55), "unknown type");
}

static void test_index_name(void **state)
{
    char text[12];

    (void)state;
    assert_true(lia_str_equal(lia_bson_index_name(0, text), lia_str("0")));
    assert_true(
        lia_str_equal(lia_bson_index_name(UINT32_MAX, text), lia_str("4294967295")));
}

/* ---- properties ---- */

/* A document is its elements, copied one by one or as values under their names. */
static void test_copy(void **state)
{
    struct lia_rng rng = lia_rng(lia_test_seed("bson copy"));
    struct lia_buf doc = new_buf();
    struct lia_buf copy = new_buf();

    (void)state;
    for (size_t i = 0; i < lia_test_cases(2000); i++) {
        struct lia_bson_iter it;
        size_t mark;

        lia_buf_reset(&doc);
        lia_buf_reset(&copy);
        lia_random_document(&rng, &doc);
        assert_ok(lia_bson_check(lia_buf_slice(&doc), &lia_mem_libc, NULL));
        it = lia_bson_iter(lia_buf_slice(&doc));
        mark = lia_bson_begin(&copy);
        while (lia_bson_next(&it)) {
            if (lia_rng_chance(&rng, 50)) {
                lia_bson_add_elements(&copy, lia_bson_element(&it));
            } else {
                lia_bson_add(&copy, it.name, it.value);
            }
        }
        lia_bson_end(&copy, mark);
        assert_slice_equal(lia_buf_slice(&copy), lia_buf_slice(&doc));
    }
    lia_buf_deinit(&doc);
    lia_buf_deinit(&copy);
}

/* Each element lies within what was given, wherever the walk ends. */
static void walk(struct liana_slice doc)
{
    struct lia_bson_iter it = lia_bson_iter(doc);

    while (lia_bson_next(&it)) {
        struct liana_slice element = lia_bson_element(&it);

        assert_true(element.ptr >= doc.ptr);
        assert_true(element.ptr + element.len <= doc.ptr + doc.len);
        assert_true(it.value.data.ptr + it.value.data.len == element.ptr + element.len);
    }
}

static void test_unchecked(void **state)
{
    struct lia_rng rng = lia_rng(lia_test_seed("bson unchecked"));
    struct lia_buf doc = new_buf();

    (void)state;
    for (size_t i = 0; i < lia_test_cases(5000); i++) {
        size_t len;
        uint8_t *exact;

        lia_buf_reset(&doc);
        lia_random_document(&rng, &doc);
        for (size_t j = 0; j < 3; j++) {
            doc.ptr[lia_rng_below(&rng, doc.len)] = (uint8_t)lia_rng_edgy(&rng);
        }
        len = (size_t)lia_rng_below(&rng, doc.len + 1);
        exact = lia_mem_alloc(&lia_mem_libc, len);
        assert_non_null(exact);
        memcpy(exact, doc.ptr, len);
        walk(lia_slice(exact, len));
        lia_mem_free(&lia_mem_libc, exact, len);
    }
    lia_buf_deinit(&doc);
}

/* ---- failure ---- */

static liana_status build_with(const struct liana_allocator *a, void *ctx)
{
    struct lia_buf buf;
    liana_status status;

    (void)ctx;
    lia_buf_init(&buf, a);
    build(&buf);
    status = buf.status;
    lia_buf_deinit(&buf);
    return status;
}

static void test_out_of_memory(void **state)
{
    (void)state;
    assert_true(lia_test_each_failure(build_with, NULL) > 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_build),      cmocka_unit_test(test_values),
    cmocka_unit_test(test_index_name), cmocka_unit_test(test_copy),
    cmocka_unit_test(test_unchecked),  cmocka_unit_test(test_out_of_memory),
};

LIA_TEST_MAIN(tests)
