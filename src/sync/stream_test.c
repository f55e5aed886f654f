/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include "base/testing/random.h"
#include "sync/stream.h"

static void unpack_all(struct lia_stream *stream,
                       struct liana_slice in,
                       struct lia_buf *out)
{
    uint8_t room[1000];
    size_t len;

    do {
        assert_ok(lia_stream_unpack(stream, &in, room, sizeof(room), &len, NULL));
        lia_buf_bytes(out, room, len);
    } while (in.len || len);
}

static void what_is_packed_comes_out(void **state)
{
    struct lia_rng rng = lia_rng(lia_test_seed("stream"));
    struct lia_stream a;
    struct lia_stream b;
    struct lia_buf plain;
    struct lia_buf packed;
    struct lia_buf out;

    (void)state;
    lia_stream_init(&a);
    lia_stream_init(&b);
    lia_buf_init(&plain, &lia_mem_libc);
    lia_buf_init(&packed, &lia_mem_libc);
    lia_buf_init(&out, &lia_mem_libc);
    for (size_t i = 0; i < 300; i++) {
        size_t len = (size_t)lia_rng_below(&rng, i % 50 ? 200 : 100000);

        lia_buf_reset(&plain);
        lia_buf_reset(&packed);
        lia_buf_reset(&out);
        for (size_t at = 0; at < len; at++) {
            lia_buf_u8(&plain, (uint8_t)lia_rng_below(&rng, 4));
        }
        assert_ok(lia_stream_pack(&a, lia_buf_slice(&plain), &packed));
        if (lia_rng_chance(&rng, 10)) {
            assert_ok(lia_stream_end(&a, &packed));
        }
        unpack_all(&b, lia_buf_slice(&packed), &out);
        assert_slice_equal(lia_buf_slice(&out), lia_buf_slice(&plain));
    }
    lia_buf_deinit(&plain);
    lia_buf_deinit(&packed);
    lia_buf_deinit(&out);
    lia_stream_deinit(&a);
    lia_stream_deinit(&b);
}

static void an_ended_stream_holds_no_memory(void **state)
{
    struct lia_stream a;
    struct lia_stream b;
    struct lia_buf packed;
    struct lia_buf out;

    (void)state;
    lia_stream_init(&a);
    lia_stream_init(&b);
    lia_buf_init(&packed, &lia_mem_libc);
    lia_buf_init(&out, &lia_mem_libc);
    assert_ok(lia_stream_pack(&a, LIA_BYTES("hello"), &packed));
    unpack_all(&b, lia_buf_slice(&packed), &out);
    assert_true(lia_stream_memory(&a) > 0 && lia_stream_memory(&a) < 400 * 1024);
    assert_true(lia_stream_memory(&b) > 0 && lia_stream_memory(&b) < 320 * 1024);
    lia_buf_reset(&packed);
    assert_ok(lia_stream_end(&a, &packed));
    unpack_all(&b, lia_buf_slice(&packed), &out);
    assert_int_equal(lia_stream_memory(&a), 0);
    assert_int_equal(lia_stream_memory(&b), 0);
    assert_slice_equal(lia_buf_slice(&out), LIA_BYTES("hello"));
    lia_buf_deinit(&packed);
    lia_buf_deinit(&out);
    lia_stream_deinit(&a);
    lia_stream_deinit(&b);
}

static void foreign_bytes_and_large_windows_are_refused(void **state)
{
    /* A frame header that asks for a window of 128 MiB. */
    static const uint8_t large[] = {0x28, 0xb5, 0x2f, 0xfd, 0x00,
                                    0x88, 0x01, 0x00, 0x00};
    struct liana_error err = LIANA_ERROR_INIT;
    struct liana_slice in = LIA_BYTES("not zstd");
    struct lia_stream stream;
    uint8_t room[100];
    size_t len;

    (void)state;
    lia_stream_init(&stream);
    assert_status(LIANA_EPROTOCOL,
                  lia_stream_unpack(&stream, &in, room, sizeof(room), &len, &err));
    assert_non_null(strstr(err.message, "zstd"));
    lia_stream_deinit(&stream);
    in = lia_slice(large, sizeof(large));
    assert_status(LIANA_EPROTOCOL,
                  lia_stream_unpack(&stream, &in, room, sizeof(room), &len, NULL));
    lia_stream_deinit(&stream);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(what_is_packed_comes_out),
    cmocka_unit_test(an_ended_stream_holds_no_memory),
    cmocka_unit_test(foreign_bytes_and_large_windows_are_refused),
};

LIA_TEST_MAIN(cases)
