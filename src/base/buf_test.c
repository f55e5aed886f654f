/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include "base/buf.h"
#include "base/testing/alloc.h"

struct fixture {
    struct lia_test_alloc alloc;
    struct lia_buf buf;
};

static int setup(void **state)
{
    static struct fixture f;

    lia_test_alloc_init(&f.alloc);
    lia_buf_init(&f.buf, &f.alloc.alloc);
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    lia_buf_deinit(&f->buf);
    lia_test_alloc_finish(&f->alloc);
    return 0;
}

static void integers_are_little_endian(void **state)
{
    struct lia_buf *buf = &((struct fixture *)*state)->buf;

    lia_buf_u8(buf, 0x01);
    lia_buf_u16(buf, 0x0203);
    lia_buf_u32(buf, 0x04050607);
    lia_buf_u64(buf, UINT64_C(0x08090a0b0c0d0e0f));
    lia_buf_u64be(buf, UINT64_C(0x1011121314151617));
    assert_ok(buf->status);
    assert_slice_equal(lia_buf_slice(buf),
                       LIA_BYTES("\x01\x03\x02\x07\x06\x05\x04"
                                 "\x0f\x0e\x0d\x0c\x0b\x0a\x09\x08"
                                 "\x10\x11\x12\x13\x14\x15\x16\x17"));
}

static void varints_take_seven_bits_a_byte(void **state)
{
    static const struct {
        uint64_t value;
        struct liana_slice bytes;
    } rows[] = {
        {0, {(const uint8_t *)"\x00", 1}},
        {127, {(const uint8_t *)"\x7f", 1}},
        {128, {(const uint8_t *)"\x80\x01", 2}},
        {300, {(const uint8_t *)"\xac\x02", 2}},
        {16383, {(const uint8_t *)"\xff\x7f", 2}},
        {16384, {(const uint8_t *)"\x80\x80\x01", 3}},
        {UINT64_MAX, {(const uint8_t *)"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10}},
    };
    struct lia_buf *buf = &((struct fixture *)*state)->buf;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        lia_buf_reset(buf);
        lia_buf_varint(buf, rows[i].value);
        assert_slice_equal(lia_buf_slice(buf), rows[i].bytes);
        assert_int_equal(lia_varint_len(rows[i].value), rows[i].bytes.len);
    }
}

static void signed_varints_are_zigzag(void **state)
{
    struct lia_buf *buf = &((struct fixture *)*state)->buf;

    lia_buf_svarint(buf, 0);
    lia_buf_svarint(buf, -1);
    lia_buf_svarint(buf, 1);
    lia_buf_svarint(buf, -64);
    lia_buf_svarint(buf, INT64_MIN);
    assert_slice_equal(lia_buf_slice(buf),
                       LIA_BYTES("\x00\x01\x02\x7f"
                                 "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"));
}

static void text_has_no_nul(void **state)
{
    struct lia_buf *buf = &((struct fixture *)*state)->buf;

    lia_buf_str(buf, "vine ");
    lia_buf_printf(buf, "%s-%03d", "x", 7);
    lia_buf_prefixed(buf, LIA_BYTES("ab"));
    lia_buf_prefixed(buf, lia_slice(NULL, 0));
    assert_slice_equal(lia_buf_slice(buf), LIA_BYTES("vine x-007\x02"
                                                     "ab\x00"));
}

static void patch_writes_over_what_is_there(void **state)
{
    struct lia_buf *buf = &((struct fixture *)*state)->buf;

    lia_buf_str(buf, "....end");
    lia_buf_patch_u32(buf, 0, 0x64636261);
    assert_slice_equal(lia_buf_slice(buf), LIA_BYTES("abcdend"));
}

static void the_limit_is_exact_and_sticky(void **state)
{
    struct fixture *f = *state;
    struct lia_buf *buf = &f->buf;

    lia_buf_init_max(buf, &f->alloc.alloc, 8);
    lia_buf_u64(buf, 1);
    assert_ok(buf->status);
    lia_buf_bytes(buf, NULL, 0);
    assert_ok(buf->status);
    lia_buf_u8(buf, 1);
    assert_status(LIANA_ETOOLARGE, buf->status);
    assert_int_equal(buf->len, 8);
    lia_buf_patch_u32(buf, 0, 99);
    lia_buf_str(buf, "");
    assert_int_equal(buf->ptr[0], 1);
    assert_null(lia_buf_extend(buf, 0));
    lia_buf_reset(buf);
    lia_buf_u8(buf, 1);
    assert_ok(buf->status);
}

static void a_length_that_overflows_is_too_large(void **state)
{
    struct lia_buf *buf = &((struct fixture *)*state)->buf;

    lia_buf_u8(buf, 1);
    assert_null(lia_buf_extend(buf, SIZE_MAX));
    assert_status(LIANA_ETOOLARGE, buf->status);
}

static void reset_keeps_the_memory(void **state)
{
    struct fixture *f = *state;
    size_t before;

    for (int i = 0; i < 100; i++) {
        lia_buf_u64(&f->buf, 7);
    }
    before = f->alloc.allocations;
    lia_buf_reset(&f->buf);
    assert_int_equal(f->buf.len, 0);
    for (int i = 0; i < 100; i++) {
        lia_buf_u64(&f->buf, 7);
    }
    assert_int_equal(f->alloc.allocations, before);
}

static liana_status write_all(const struct liana_allocator *a, void *ctx)
{
    struct lia_buf buf;
    liana_status status;

    (void)ctx;
    lia_buf_init(&buf, a);
    for (unsigned i = 0; i < 60; i++) {
        lia_buf_varint(&buf, i * UINT64_C(1000000007));
        lia_buf_printf(&buf, "%u green leaves", i);
        lia_buf_prefixed(&buf, LIA_BYTES("a liana ties the trees of a forest"));
    }
    status = buf.status;
    lia_buf_deinit(&buf);
    return status;
}

static void every_failure_sticks(void **state)
{
    (void)state;
    assert_true(lia_test_each_failure(write_all, NULL) >= 5);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest cases[] = {
    CASE(integers_are_little_endian),
    CASE(varints_take_seven_bits_a_byte),
    CASE(signed_varints_are_zigzag),
    CASE(text_has_no_nul),
    CASE(patch_writes_over_what_is_there),
    CASE(the_limit_is_exact_and_sticky),
    CASE(a_length_that_overflows_is_too_large),
    CASE(reset_keeps_the_memory),
    CASE(every_failure_sticks),
};

LIA_TEST_MAIN(cases)
