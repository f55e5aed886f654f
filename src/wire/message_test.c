/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/testing/alloc.h"
#include "base/testing/files.h"
#include "wire/frames.h"
#include "wire/testing/gen.h"

struct fixture {
    struct lia_arena arena;
    struct lia_buf buf;
};

static int set_up(void **state)
{
    static struct fixture f;

    lia_arena_init(&f.arena, &lia_mem_libc);
    lia_buf_init(&f.buf, &lia_mem_libc);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    lia_arena_deinit(&f->arena);
    lia_buf_deinit(&f->buf);
    return 0;
}

/* Type and body of the one frame that stands in the buffer. */
static struct liana_slice frame_of(struct lia_buf *buf)
{
    struct lia_reader r = lia_reader(lia_buf_slice(buf));
    struct liana_slice frame = lia_reader_prefixed(&r);

    assert_ok(buf->status);
    assert_true(lia_reader_done(&r));
    return frame;
}

static void every_message_survives_its_encoding(void **state)
{
    struct fixture *f = *state;
    struct lia_rng rng = lia_rng(lia_test_seed("wire round trip"));
    struct lia_buf again;
    struct lia_buf text;

    lia_buf_init(&again, &lia_mem_libc);
    lia_buf_init(&text, &lia_mem_libc);
    for (size_t i = 0; i < lia_test_cases(5000); i++) {
        enum lia_msg_type type = lia_wire_types[i % lia_wire_type_count];
        struct lia_msg msg;
        struct lia_msg decoded;
        struct liana_error err = LIANA_ERROR_INIT;

        lia_arena_reset(&f->arena);
        lia_buf_reset(&f->buf);
        lia_buf_reset(&again);
        msg = lia_wire_gen(&rng, &f->arena, type);
        lia_msg_encode(&f->buf, &msg);
        assert_ok(lia_msg_decode(&f->arena, frame_of(&f->buf), &decoded, &err));
        assert_int_equal(decoded.type, type);
        lia_msg_encode(&again, &decoded);
        assert_slice_equal(lia_buf_slice(&again), lia_buf_slice(&f->buf));

        lia_buf_reset(&text);
        lia_buf_reset(&again);
        lia_msg_dump(&text, &msg);
        lia_msg_dump(&again, &decoded);
        assert_slice_equal(lia_buf_slice(&again), lia_buf_slice(&text));
    }
    lia_buf_deinit(&again);
    lia_buf_deinit(&text);
}

static void a_cut_message_is_refused_at_every_byte(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < lia_wire_type_count; i++) {
        struct lia_msg msg = lia_wire_example(&f->arena, lia_wire_types[i]);
        struct liana_slice frame;

        lia_buf_reset(&f->buf);
        lia_msg_encode(&f->buf, &msg);
        frame = frame_of(&f->buf);
        for (size_t len = 0; len < frame.len; len++) {
            struct liana_error err = LIANA_ERROR_INIT;
            struct lia_msg decoded;

            assert_status(
                LIANA_EPROTOCOL,
                lia_msg_decode(&f->arena, lia_slice(frame.ptr, len), &decoded, &err));
            assert_true(err.message[0] != 0);
        }
    }
}

static void fields_of_later_versions_are_ignored(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < lia_wire_type_count; i++) {
        struct lia_msg msg = lia_wire_example(&f->arena, lia_wire_types[i]);
        struct lia_msg decoded;
        struct liana_slice frame;

        lia_buf_reset(&f->buf);
        lia_msg_encode(&f->buf, &msg);
        frame = frame_of(&f->buf);
        lia_buf_str(&f->buf, "later");
        assert_ok(lia_msg_decode(&f->arena, lia_slice(frame.ptr, frame.len + 5),
                                 &decoded, NULL));
    }
}

static void hostile_bytes_are_refused_or_read(void **state)
{
    struct fixture *f = *state;
    struct lia_rng rng = lia_rng(lia_test_seed("wire hostile bytes"));

    for (size_t i = 0; i < lia_test_cases(20000); i++) {
        enum lia_msg_type type = lia_wire_types[i % lia_wire_type_count];
        struct lia_msg msg;
        struct lia_msg decoded;
        struct liana_slice frame;
        uint8_t copy[4096];
        liana_status status;

        lia_arena_reset(&f->arena);
        lia_buf_reset(&f->buf);
        msg = lia_wire_gen(&rng, &f->arena, type);
        lia_msg_encode(&f->buf, &msg);
        frame = frame_of(&f->buf);
        assert_true(frame.len <= sizeof(copy));
        memcpy(copy, frame.ptr, frame.len);
        for (size_t n = 1 + lia_rng_below(&rng, 3); n > 0; n--) {
            copy[lia_rng_below(&rng, frame.len)] = (uint8_t)lia_rng_next(&rng);
        }
        status = lia_msg_decode(&f->arena, lia_slice(copy, frame.len), &decoded, NULL);
        if (status == LIANA_OK) {
            lia_buf_reset(&f->buf);
            lia_msg_encode(&f->buf, &decoded);
            assert_ok(f->buf.status);
        } else {
            assert_true(status == LIANA_EPROTOCOL || status == LIANA_ENOTFOUND);
        }
    }
}

static void a_list_longer_than_the_frame_takes_no_memory(void **state)
{
    struct fixture *f = *state;
    struct lia_msg decoded;

    /* HAVE of 1,023 items, of which none is there. */
    assert_status(
        LIANA_EPROTOCOL,
        lia_msg_decode(&f->arena, LIA_BYTES("\x20\x01\x01\xff\x07"), &decoded, NULL));
    assert_null(f->arena.chunk);
}

static void what_is_above_its_limit_is_not_sent(void **state)
{
    struct fixture *f = *state;
    static const char name[LIA_NAME_BYTES_MAX + 1];
    struct lia_msg msg = {.type = LIA_MSG_SUBSCRIBE};

    msg.subscribe.collection = (struct liana_str){name, sizeof(name)};
    lia_msg_encode(&f->buf, &msg);
    assert_status(LIANA_ETOOLARGE, f->buf.status);
    lia_buf_reset(&f->buf);
    msg = (struct lia_msg){.type = LIA_MSG_ACK, .ack = {.kind = 3}};
    lia_msg_encode(&f->buf, &msg);
    assert_status(LIANA_ETOOLARGE, f->buf.status);
}

static void text_must_be_utf8_without_nul(void **state)
{
    struct fixture *f = *state;
    struct lia_msg decoded;

    assert_ok(lia_msg_decode(&f->arena, LIA_BYTES("\x03\x00\x02ok"), &decoded, NULL));
    assert_status(
        LIANA_EPROTOCOL,
        lia_msg_decode(&f->arena, LIA_BYTES("\x03\x00\x02o\xff"), &decoded, NULL));
    assert_status(
        LIANA_EPROTOCOL,
        lia_msg_decode(&f->arena, LIA_BYTES("\x03\x00\x02o\x00"), &decoded, NULL));
}

static void unknown_types_are_skipped_or_end_the_session(void **state)
{
    struct fixture *f = *state;
    struct liana_error err = LIANA_ERROR_INIT;
    struct lia_msg decoded;

    assert_status(LIANA_ENOTFOUND,
                  lia_msg_decode(&f->arena, LIA_BYTES("\x80whatever"), &decoded, &err));
    assert_int_equal(err.status, LIANA_OK);
    assert_status(LIANA_EPROTOCOL,
                  lia_msg_decode(&f->arena, LIA_BYTES("\x7f"), &decoded, &err));
    assert_string_equal(err.message, "unknown frame of type 0x7f");
}

static liana_status encode_and_decode(const struct liana_allocator *a, void *ctx)
{
    struct lia_rng rng = lia_rng(7);
    struct lia_arena examples;
    struct lia_arena arena;
    struct lia_buf buf;
    liana_status status = LIANA_OK;

    (void)ctx;
    lia_arena_init(&examples, &lia_mem_libc);
    lia_arena_init(&arena, a);
    lia_buf_init(&buf, a);
    for (size_t i = 0; i < lia_wire_type_count && !status; i++) {
        struct lia_msg msg = lia_wire_gen(&rng, &examples, lia_wire_types[i]);
        struct lia_msg decoded;

        lia_buf_reset(&buf);
        lia_msg_encode(&buf, &msg);
        status = buf.status;
        if (!status) {
            status = lia_msg_decode(&arena, frame_of(&buf), &decoded, NULL);
        }
    }
    lia_buf_deinit(&buf);
    lia_arena_deinit(&arena);
    lia_arena_deinit(&examples);
    return status;
}

static void every_failed_allocation_is_a_status(void **state)
{
    (void)state;
    assert_true(lia_test_each_failure(encode_and_decode, NULL) > 3);
}

static void frames_come_out_of_any_pieces(void **state)
{
    struct fixture *f = *state;
    struct lia_rng rng = lia_rng(lia_test_seed("wire pieces"));

    for (size_t run = 0; run < 200; run++) {
        struct lia_frames frames;
        struct liana_slice frame;
        struct liana_slice rest;
        size_t count = 0;

        lia_frames_init(&frames, &lia_mem_libc);
        lia_arena_reset(&f->arena);
        lia_buf_reset(&f->buf);
        for (size_t i = 0; i < lia_wire_type_count; i++) {
            struct lia_msg msg = lia_wire_gen(&rng, &f->arena, lia_wire_types[i]);

            lia_msg_encode(&f->buf, &msg);
        }
        rest = lia_buf_slice(&f->buf);
        while (rest.len) {
            size_t n = 1 + (size_t)lia_rng_below(&rng, 60);

            n = n < rest.len ? n : rest.len;
            assert_ok(lia_frames_add(&frames, lia_slice(rest.ptr, n)));
            rest = lia_slice(rest.ptr + n, rest.len - n);
            while (lia_frames_next(&frames, &frame, NULL) == LIANA_OK) {
                assert_int_equal(frame.ptr[0], lia_wire_types[count]);
                count++;
            }
        }
        assert_int_equal(count, lia_wire_type_count);
        lia_frames_deinit(&frames);
    }
}

static void a_stream_without_frames_is_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } bad[] = {
        {"\x00", 1},                                      /* empty frame */
        {"\x81\x80\x40", 3},                              /* 1 MiB and 1 */
        {"\x81\x00", 2},                                  /* longer form of 1 */
        {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 10}, /* never ends */
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct lia_frames frames;
        struct liana_slice frame;
        struct liana_error err = LIANA_ERROR_INIT;

        lia_frames_init(&frames, &lia_mem_libc);
        assert_ok(lia_frames_add(&frames, lia_slice(bad[i].bytes, bad[i].len)));
        assert_status(LIANA_EPROTOCOL, lia_frames_next(&frames, &frame, &err));
        lia_frames_deinit(&frames);
    }
}

#define BEGIN_MARK                                                                     \
    "<!-- from src/wire/messages.def; LIANA_UPDATE=1 wire_message_test -->\n"
#define END_MARK "\n<!-- end of messages.def -->\n"
#define PROTOCOL "docs/protocol.md"

/* The page between its marks is what the table says. With LIANA_UPDATE=1 it is written
 * anew. */
static void the_protocol_page_is_up_to_date(void **state)
{
    struct fixture *f = *state;
    struct lia_buf page;
    char *begin;
    char *end;

    lia_buf_init(&page, &lia_mem_libc);
    lia_wire_document(&f->buf);
    assert_ok(f->buf.status);
    lia_test_source_file(PROTOCOL, &page);
    lia_buf_u8(&page, 0);
    begin = strstr((char *)page.ptr, BEGIN_MARK);
    assert_non_null(begin);
    begin += strlen(BEGIN_MARK);
    end = strstr(begin, END_MARK);
    assert_non_null(end);
    if (getenv("LIANA_UPDATE")) {
        FILE *file = fopen(PROTOCOL, "wb");

        assert_non_null(file);
        fwrite(page.ptr, 1, (size_t)(begin - (char *)page.ptr), file);
        fwrite(f->buf.ptr, 1, f->buf.len, file);
        fputs(end, file);
        assert_int_equal(fclose(file), 0);
    } else {
        assert_slice_equal(lia_slice(begin, (size_t)(end - begin)),
                           lia_buf_slice(&f->buf));
    }
    lia_buf_deinit(&page);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

static const struct CMUnitTest cases[] = {
    CASE(every_message_survives_its_encoding),
    CASE(a_cut_message_is_refused_at_every_byte),
    CASE(fields_of_later_versions_are_ignored),
    CASE(hostile_bytes_are_refused_or_read),
    CASE(a_list_longer_than_the_frame_takes_no_memory),
    CASE(what_is_above_its_limit_is_not_sent),
    CASE(text_must_be_utf8_without_nul),
    CASE(unknown_types_are_skipped_or_end_the_session),
    CASE(every_failed_allocation_is_a_status),
    CASE(frames_come_out_of_any_pieces),
    CASE(a_stream_without_frames_is_refused),
    CASE(the_protocol_page_is_up_to_date),
};

LIA_TEST_MAIN(cases)
