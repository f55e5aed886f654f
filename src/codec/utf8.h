/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CODEC_UTF8_H
#define LIA_CODEC_UTF8_H
/*
 * codec/utf8 - is this UTF-8 (RFC 3629)?
 *
 * Rules: strict: no overlong forms, no surrogates, nothing above U+10FFFF. NUL is a
 * character like any other; who must not have it looks for it himself.
 * Ownership: none taken. Threads: any. No state.
 */
#include "base/slice.h"

/* How many bytes from the start are whole, valid characters; all of them if the text is
 * valid. */
size_t lia_utf8_valid_len(struct liana_slice text);

static inline bool lia_utf8_valid(struct liana_slice text)
{
    return lia_utf8_valid_len(text) == text.len;
}

/* Writes `code_point` (a scalar value: no surrogate, at most 0x10ffff) and answers the
 * number of bytes, 1 to 4. */
size_t lia_utf8_encode(uint32_t code_point, uint8_t out[static 4]);

#endif
