/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz/frame - any bytes as a stream of frames: each is refused, or is a message that
 * reads the same after it is written again.
 */
#include "wire/frames.h"
#include "wire/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_message(struct lia_arena *arena, struct liana_slice frame)
{
    struct liana_error err = LIANA_ERROR_INIT;
    struct lia_reader r;
    struct lia_buf once;
    struct lia_buf twice;
    struct lia_msg msg;

    if (lia_msg_decode(arena, frame, &msg, &err)) {
        return;
    }
    lia_buf_init(&once, &lia_mem_libc);
    lia_buf_init(&twice, &lia_mem_libc);
    lia_msg_encode(&once, &msg);
    LIA_ASSERT(once.status == LIANA_OK);
    r = lia_reader(lia_buf_slice(&once));
    LIA_ASSERT(lia_msg_decode(arena, lia_reader_prefixed(&r), &msg, NULL) == LIANA_OK);
    lia_msg_encode(&twice, &msg);
    LIA_ASSERT(lia_slice_cmp(lia_buf_slice(&once), lia_buf_slice(&twice)) == 0);
    lia_buf_reset(&twice);
    lia_msg_dump(&twice, &msg);
    lia_buf_deinit(&once);
    lia_buf_deinit(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct liana_slice frame;
    struct lia_frames frames;
    struct lia_arena arena;

    lia_frames_init(&frames, &lia_mem_libc);
    lia_arena_init(&arena, &lia_mem_libc);
    if (lia_frames_add(&frames, (struct liana_slice){data, size}) == LIANA_OK) {
        while (lia_frames_next(&frames, &frame, NULL) == LIANA_OK) {
            lia_arena_reset(&arena);
            check_message(&arena, frame);
        }
    }
    lia_arena_deinit(&arena);
    lia_frames_deinit(&frames);
    return 0;
}
