/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_WIRE_FRAMES_H
#define LIA_WIRE_FRAMES_H
/*
 * wire/frames - cuts a byte stream into frames.
 *
 *     lia_frames_add(&frames, bytes);
 *     while (lia_frames_next(&frames, &frame, err) == LIANA_OK) { ... }
 *
 * Rules: bytes arrive in pieces of any size. Only an unfinished frame is kept, so memory
 * is at most LIA_FRAME_BYTES_MAX beyond what was added last. After LIANA_EPROTOCOL the
 * stream is lost: where the next frame begins is not known.
 * Ownership: owns its bytes; a frame is valid until the next add. Threads: one at a time.
 */
#include "base/buf.h"
#include "base/error.h"

struct lia_frames {
    struct lia_buf buf;
    size_t at; /* the next frame begins here */
};

void lia_frames_init(struct lia_frames *frames, const struct liana_allocator *a);
void lia_frames_deinit(struct lia_frames *frames);

/* LIANA_ENOMEM. */
LIANA_MUST_CHECK liana_status lia_frames_add(struct lia_frames *frames,
                                             struct liana_slice bytes);

/* The next whole frame, type and body. LIANA_EEND: more bytes are needed.
 * LIANA_EPROTOCOL: a length of 0, above LIA_FRAME_BYTES_MAX, or not in its shortest
 * form. */
LIANA_MUST_CHECK liana_status lia_frames_next(struct lia_frames *frames,
                                              struct liana_slice *out,
                                              struct liana_error *err);

/* What was added and not read yet. */
struct liana_slice lia_frames_rest(const struct lia_frames *frames);
/* Forgets it. */
void lia_frames_clear(struct lia_frames *frames);

#endif
