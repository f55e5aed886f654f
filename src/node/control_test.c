/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include "base/testing/random.h"
#include "node/control.h"

/* {} as request 258 of kind EXECUTE. */
#define EMPTY_EXECUTE "\x0a\x00\x00\x00\x02\x01\x00\x00\x10\x05\x00\x00\x00\x00"

static void known_bytes(void **state)
{
    struct lia_control_frame frame;
    struct liana_slice in;
    struct lia_buf buf;

    (void)state;
    lia_buf_init(&buf, &lia_mem_libc);
    lia_control_frame_encode(&buf, 258, LIA_CONTROL_EXECUTE, lia_slice(NULL, 0));
    assert_slice_equal(lia_buf_slice(&buf), LIA_BYTES(EMPTY_EXECUTE));
    in = lia_buf_slice(&buf);
    assert_ok(lia_control_frame_next(&in, &frame, NULL));
    assert_int_equal(in.len, 0);
    assert_int_equal(frame.number, 258);
    assert_int_equal(frame.kind, LIA_CONTROL_EXECUTE);
    assert_slice_equal(frame.body, lia_bson_empty);
    lia_buf_deinit(&buf);
}

static void a_piece_is_not_yet_a_frame(void **state)
{
    struct lia_control_frame frame;

    (void)state;
    for (size_t n = 0; n < sizeof(EMPTY_EXECUTE) - 1; n++) {
        struct liana_slice in = lia_slice(EMPTY_EXECUTE, n);

        assert_status(LIANA_EEND, lia_control_frame_next(&in, &frame, NULL));
        assert_int_equal(in.len, n);
    }
}

static void malformed_frames_are_refused(void **state)
{
    const struct liana_slice cases[] = {
        LIA_BYTES("\x00\x00\x00\x00"),
        LIA_BYTES("\x09\x00\x00\x00"),
        LIA_BYTES("\xff\xff\xff\xff"),
        LIA_BYTES("\x0a\x00\x00\x00\x01\x00\x00\x00\x10\x06\x00\x00\x00\x00"),
        LIA_BYTES("\x0a\x00\x00\x00\x01\x00\x00\x00\x10\x05\x00\x00\x00\x01"),
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct liana_error err = LIANA_ERROR_INIT;
        struct liana_slice in = cases[i];
        struct lia_control_frame frame;

        assert_status(LIANA_EPROTOCOL, lia_control_frame_next(&in, &frame, &err));
        assert_true(err.message[0] != '\0');
    }
}

static void a_body_that_is_too_large_is_a_status(void **state)
{
    struct lia_buf buf;

    (void)state;
    lia_buf_init(&buf, &lia_mem_libc);
    lia_control_frame_encode(&buf, 1, LIA_CONTROL_EXECUTE,
                             lia_slice("", LIA_CONTROL_FRAME_MAX));
    assert_status(LIANA_ETOOLARGE, buf.status);
    assert_int_equal(buf.len, 0);
    lia_buf_deinit(&buf);
}

static void errors_cross_unchanged(void **state)
{
    struct liana_error err = {LIANA_EBUSY, 5, "a writer is at work: 21 °C"};
    struct liana_error back = LIANA_ERROR_INIT;
    struct lia_buf buf;

    (void)state;
    lia_buf_init(&buf, &lia_mem_libc);
    lia_control_error_encode(&buf, &err);
    assert_status(LIANA_EBUSY, lia_control_error_decode(lia_buf_slice(&buf), &back));
    assert_int_equal(back.subcode, 5);
    assert_string_equal(back.message, err.message);
    lia_buf_deinit(&buf);
}

/* An answer that claims a failure must never look like success. */
static void an_error_without_a_failure_is_one(void **state)
{
    struct liana_error err = LIANA_ERROR_INIT;
    struct lia_buf buf;

    (void)state;
    lia_buf_init(&buf, &lia_mem_libc);
    lia_control_error_encode(&buf, &err);
    assert_status(LIANA_EPROTOCOL, lia_control_error_decode(lia_buf_slice(&buf), NULL));
    assert_status(LIANA_EPROTOCOL, lia_control_error_decode(lia_bson_empty, NULL));
    lia_buf_deinit(&buf);
}

static void hellos(void **state)
{
    struct liana_error err = LIANA_ERROR_INIT;
    struct lia_buf buf;
    size_t doc;

    (void)state;
    lia_buf_init(&buf, &lia_mem_libc);
    lia_control_hello_encode(&buf);
    assert_ok(lia_control_hello_check(lia_buf_slice(&buf), NULL));
    assert_status(LIANA_EPROTOCOL, lia_control_hello_check(lia_bson_empty, NULL));
    lia_buf_reset(&buf);
    doc = lia_bson_begin(&buf);
    lia_bson_add_int32(&buf, lia_str("protocol"), 77);
    lia_bson_add_str(&buf, lia_str("version"), lia_str("9.9.9"));
    lia_bson_end(&buf, doc);
    assert_status(LIANA_EVERSION, lia_control_hello_check(lia_buf_slice(&buf), &err));
    assert_non_null(strstr(err.message, "9.9.9"));
    lia_buf_deinit(&buf);
}

/* Decoding what a stranger sent never reads beyond it, whatever it answers. */
static void hostile_bytes_are_frames_or_refused(void **state)
{
    struct lia_rng rng = lia_rng(lia_test_seed("hostile_bytes_are_frames_or_refused"));

    (void)state;
    for (size_t i = 0; i < lia_test_cases(50000); i++) {
        uint8_t bytes[64];
        size_t len = lia_rng_below(&rng, sizeof(bytes) + 1);
        struct liana_slice in = lia_slice(bytes, len);
        struct lia_control_frame frame;
        liana_status status = LIANA_OK;

        lia_rng_bytes(&rng, bytes, sizeof(bytes));
        memset(bytes + 1, 0, 3);
        bytes[0] %= 70;
        if (lia_rng_chance(&rng, 50) && bytes[0] >= 10) {
            bytes[9] = (uint8_t)(bytes[0] - 5);
            memset(bytes + 10, 0, 3);
            bytes[bytes[0] + 3 < 64 ? bytes[0] + 3 : 63] = 0;
        }
        while (!status) {
            status = lia_control_frame_next(&in, &frame, NULL);
            if (!status) {
                LIA_IGNORE(lia_control_hello_check(frame.body, NULL));
                assert_true(lia_control_error_decode(frame.body, NULL) != LIANA_OK);
            }
        }
        assert_true(status == LIANA_EEND || status == LIANA_EPROTOCOL);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(known_bytes),
    cmocka_unit_test(a_piece_is_not_yet_a_frame),
    cmocka_unit_test(malformed_frames_are_refused),
    cmocka_unit_test(a_body_that_is_too_large_is_a_status),
    cmocka_unit_test(errors_cross_unchanged),
    cmocka_unit_test(an_error_without_a_failure_is_one),
    cmocka_unit_test(hellos),
    cmocka_unit_test(hostile_bytes_are_frames_or_refused),
};

LIA_TEST_MAIN(tests)
