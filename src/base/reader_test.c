/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include "base/buf.h"
#include "base/reader.h"
#include "base/testing/random.h"

static void fixed_widths_are_read_as_written(void **state)
{
    struct lia_reader r = lia_reader(LIA_BYTES("\x01\x03\x02\x07\x06\x05\x04"
                                               "\x0f\x0e\x0d\x0c\x0b\x0a\x09\x08"
                                               "\x10\x11\x12\x13\x14\x15\x16\x17"));

    (void)state;
    assert_int_equal(lia_reader_u8(&r), 0x01);
    assert_int_equal(lia_reader_u16(&r), 0x0203);
    assert_int_equal(lia_reader_u32(&r), 0x04050607);
    assert_int_equal(lia_reader_u64(&r), 0x08090a0b0c0d0e0f);
    assert_false(lia_reader_done(&r));
    assert_int_equal(lia_reader_u64be(&r), 0x1011121314151617);
    assert_true(lia_reader_done(&r));
}

static bool varint_fails(struct liana_slice bytes)
{
    struct lia_reader r = lia_reader(bytes);

    return lia_reader_varint(&r) == 0 && r.failed;
}

static void varints_have_one_form(void **state)
{
    (void)state;
    assert_true(varint_fails(LIA_BYTES("\x80\x00")));
    assert_true(varint_fails(LIA_BYTES("\xff\x80\x00")));
    assert_true(
        varint_fails(LIA_BYTES("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00")));
    assert_false(varint_fails(LIA_BYTES("\xff\x01")));
}

static void varints_stop_at_64_bits(void **state)
{
    struct lia_reader r =
        lia_reader(LIA_BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"));

    (void)state;
    assert_true(lia_reader_varint(&r) == UINT64_MAX);
    assert_true(lia_reader_done(&r));
    assert_true(varint_fails(LIA_BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02")));
    assert_true(
        varint_fails(LIA_BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x81\x01")));
    assert_true(varint_fails(LIA_BYTES("\x80\x80")));
    assert_true(varint_fails(LIA_BYTES("")));
}

static void a_varint_has_a_maximum(void **state)
{
    struct lia_reader r = lia_reader(LIA_BYTES("\xac\x02\xac\x02"));

    (void)state;
    assert_int_equal(lia_reader_varint_max(&r, 300), 300);
    assert_int_equal(lia_reader_varint_max(&r, 299), 0);
    assert_true(r.failed);
}

static void a_prefix_beyond_the_end_fails(void **state)
{
    struct lia_reader r = lia_reader(LIA_BYTES("\x03"
                                               "abc\x04"
                                               "abc"));

    (void)state;
    assert_slice_equal(lia_reader_prefixed(&r), LIA_BYTES("abc"));
    assert_false(r.failed);
    assert_slice_equal(lia_reader_prefixed(&r), LIA_BYTES(""));
    assert_true(r.failed);
}

/* After the first failure: zero from every read, nothing left, failed for ever. */
static void every_failure_sticks(void **state)
{
    (void)state;
    for (unsigned cause = 0; cause < 7; cause++) {
        struct lia_reader r = lia_reader(LIA_BYTES("\x80\x00\x05"));

        switch (cause) {
        case 0: assert_int_equal(lia_reader_u32(&r), 0); break;
        case 1: assert_int_equal(lia_reader_u64(&r), 0); break;
        case 2: assert_int_equal(lia_reader_u64be(&r), 0); break;
        case 3: assert_int_equal(lia_reader_varint(&r), 0); break;
        case 4: assert_int_equal(lia_reader_svarint(&r), 0); break;
        case 5: assert_null(lia_reader_bytes(&r, SIZE_MAX).ptr); break;
        default: lia_reader_fail(&r);
        }
        assert_true(r.failed);
        assert_int_equal(lia_reader_left(&r), 0);
        assert_false(lia_reader_done(&r));
        assert_int_equal(lia_reader_u8(&r), 0);
        assert_int_equal(lia_reader_u16(&r), 0);
        assert_int_equal(lia_reader_varint(&r), 0);
        assert_int_equal(lia_reader_svarint(&r), 0);
        assert_int_equal(lia_reader_bytes(&r, 0).len, 0);
        assert_null(lia_reader_bytes(&r, 0).ptr);
        assert_int_equal(lia_reader_prefixed(&r).len, 0);
        assert_true(r.failed);
    }
}

static void an_empty_input_is_done(void **state)
{
    struct lia_reader r = lia_reader((struct liana_slice){NULL, 0});

    (void)state;
    assert_true(lia_reader_done(&r));
    assert_int_equal(lia_reader_bytes(&r, 0).len, 0);
    assert_true(lia_reader_done(&r));
}

static void what_is_written_is_read(void **state)
{
    struct lia_rng rng = lia_rng(lia_test_seed("what_is_written_is_read"));
    size_t cases = lia_test_cases(20000);
    struct lia_buf buf;

    (void)state;
    lia_buf_init(&buf, &lia_mem_libc);
    for (size_t i = 0; i < cases; i++) {
        uint64_t v = lia_rng_edgy(&rng);
        struct lia_reader r;

        lia_buf_reset(&buf);
        lia_buf_varint(&buf, v);
        lia_buf_svarint(&buf, (int64_t)v);
        lia_buf_u64(&buf, v);
        lia_buf_u64be(&buf, v);
        assert_ok(buf.status);
        r = lia_reader(lia_buf_slice(&buf));
        assert_true(lia_reader_varint(&r) == v);
        assert_true(lia_reader_svarint(&r) == (int64_t)v);
        assert_true(lia_reader_u64(&r) == v);
        assert_true(lia_reader_u64be(&r) == v);
        assert_true(lia_reader_done(&r));
    }
    lia_buf_deinit(&buf);
}

/* Any bytes that are read as a varint are the bytes that its value is written as. */
static void read_varints_are_canonical(void **state)
{
    struct lia_rng rng = lia_rng(lia_test_seed("read_varints_are_canonical"));
    size_t cases = lia_test_cases(20000);
    struct lia_buf buf;

    (void)state;
    lia_buf_init(&buf, &lia_mem_libc);
    for (size_t i = 0; i < cases; i++) {
        uint8_t bytes[11];
        struct lia_reader r = lia_reader(lia_slice(bytes, sizeof(bytes)));
        uint64_t v;

        lia_rng_bytes(&rng, bytes, sizeof(bytes));
        for (size_t k = lia_rng_below(&rng, sizeof(bytes)); k > 0; k--) {
            bytes[k - 1] |= 0x80;
        }
        v = lia_reader_varint(&r);
        if (!r.failed) {
            lia_buf_reset(&buf);
            lia_buf_varint(&buf, v);
            assert_slice_equal(lia_slice(bytes, (size_t)(r.at - bytes)),
                               lia_buf_slice(&buf));
        }
    }
    lia_buf_deinit(&buf);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(fixed_widths_are_read_as_written),
    cmocka_unit_test(varints_have_one_form),
    cmocka_unit_test(varints_stop_at_64_bits),
    cmocka_unit_test(a_varint_has_a_maximum),
    cmocka_unit_test(a_prefix_beyond_the_end_fails),
    cmocka_unit_test(every_failure_sticks),
    cmocka_unit_test(an_empty_input_is_done),
    cmocka_unit_test(what_is_written_is_read),
    cmocka_unit_test(read_varints_are_canonical),
};

LIA_TEST_MAIN(cases)
