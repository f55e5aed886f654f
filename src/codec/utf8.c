/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/utf8.h"

/* A character's length by its first byte, and the range of its second byte: RFC 3629,
 * section 4. The ranges are what shuts out overlong forms, surrogates and values above
 * U+10FFFF. */
struct lead {
    uint8_t first;
    uint8_t last;
    uint8_t len;
    uint8_t second_min;
    uint8_t second_max;
};

static const struct lead leads[] = {
    {0x00, 0x7f, 1, 0x00, 0x00}, {0xc2, 0xdf, 2, 0x80, 0xbf},
    {0xe0, 0xe0, 3, 0xa0, 0xbf}, {0xe1, 0xec, 3, 0x80, 0xbf},
    {0xed, 0xed, 3, 0x80, 0x9f}, {0xee, 0xef, 3, 0x80, 0xbf},
    {0xf0, 0xf0, 4, 0x90, 0xbf}, {0xf1, 0xf3, 4, 0x80, 0xbf},
    {0xf4, 0xf4, 4, 0x80, 0x8f},
};

/* Length of the character at `at`, 0 if there is none. */
static size_t character_len(const uint8_t *at, size_t left)
{
    const struct lead *lead = leads;
    const struct lead *end = leads + sizeof(leads) / sizeof(leads[0]);

    while (lead < end && at[0] > lead->last) {
        lead++;
    }
    if (lead == end || at[0] < lead->first || lead->len > left) {
        return 0;
    }
    if (lead->len > 1 && (at[1] < lead->second_min || at[1] > lead->second_max)) {
        return 0;
    }
    for (size_t i = 2; i < lead->len; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    return lead->len;
}

/* Most text is ASCII: eight bytes at a time. */
static size_t ascii_len(const uint8_t *at, size_t left)
{
    size_t n = 0;
    uint64_t word;

    while (left - n >= sizeof(word)) {
        memcpy(&word, at + n, sizeof(word));
        if (word & UINT64_C(0x8080808080808080)) {
            break;
        }
        n += sizeof(word);
    }
    while (n < left && at[n] < 0x80) {
        n++;
    }
    return n;
}

size_t lia_utf8_valid_len(struct liana_slice text)
{
    size_t n = 0;

    while (n < text.len) {
        size_t len = ascii_len(text.ptr + n, text.len - n);

        if (len == 0) {
            len = character_len(text.ptr + n, text.len - n);
        }
        if (len == 0) {
            break;
        }
        n += len;
    }
    return n;
}

size_t lia_utf8_encode(uint32_t code_point, uint8_t out[static 4])
{
    static const uint8_t marks[5] = {0, 0x00, 0xc0, 0xe0, 0xf0};
    size_t len = code_point < 0x80      ? 1
                 : code_point < 0x800   ? 2
                 : code_point < 0x10000 ? 3
                                        : 4;

    for (size_t i = len - 1; i > 0; i--) {
        out[i] = (uint8_t)(0x80 | (code_point & 0x3f));
        code_point >>= 6;
    }
    out[0] = (uint8_t)(marks[len] | code_point);
    return len;
}
