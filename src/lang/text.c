/* SPDX-License-Identifier: Apache-2.0 */
#include "lang/text.h"

#include <utf8proc.h>

#include "codec/utf8.h"

uint32_t lia_text_char(const char *at, const char *end, size_t *len)
{
    utf8proc_int32_t c;
    utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)at, end - at, &c);

    /* Checked text has no other; this keeps a walk going on anything. */
    if (n <= 0) {
        *len = 1;
        return (unsigned char)*at;
    }
    *len = (size_t)n;
    return (uint32_t)c;
}

size_t lia_text_count(struct liana_str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++) {
        n += ((unsigned char)s.ptr[i] & 0xc0) != 0x80;
    }
    return n;
}

struct liana_str lia_text_skip(struct liana_str s, size_t n)
{
    size_t at = 0;

    while (at < s.len && n > 0) {
        size_t len;

        lia_text_char(s.ptr + at, s.ptr + s.len, &len);
        at += len;
        n--;
    }
    return (struct liana_str){s.ptr + at, s.len - at};
}

struct liana_str lia_text_first(struct liana_str s, size_t n)
{
    return (struct liana_str){s.ptr, s.len - lia_text_skip(s, n).len};
}

size_t lia_text_find(struct liana_str s, struct liana_str needle)
{
    if (needle.len == 0) {
        return 0;
    }
    for (size_t at = 0; at + needle.len <= s.len; at++) {
        const char *hit =
            memchr(s.ptr + at, needle.ptr[0], s.len - needle.len - at + 1);

        if (!hit) {
            break;
        }
        at = (size_t)(hit - s.ptr);
        if (memcmp(hit, needle.ptr, needle.len) == 0) {
            return at;
        }
    }
    return SIZE_MAX;
}

static void map(struct lia_buf *out,
                struct liana_str s,
                utf8proc_int32_t (*change)(utf8proc_int32_t c))
{
    size_t at = 0;

    while (at < s.len) {
        uint8_t bytes[4];
        size_t len;
        uint32_t c = lia_text_char(s.ptr + at, s.ptr + s.len, &len);

        lia_buf_bytes(out, bytes,
                      lia_utf8_encode((uint32_t)change((utf8proc_int32_t)c), bytes));
        at += len;
    }
}

void lia_text_lower(struct lia_buf *out, struct liana_str s)
{
    map(out, s, utf8proc_tolower);
}

void lia_text_upper(struct lia_buf *out, struct liana_str s)
{
    map(out, s, utf8proc_toupper);
}

static uint32_t fold(uint32_t c, bool ignores_case)
{
    return ignores_case
               ? (uint32_t)utf8proc_tolower(utf8proc_toupper((utf8proc_int32_t)c))
               : c;
}

/* One item of a pattern. */
struct item {
    uint32_t c;
    size_t len;
    bool is_any;  /* % */
    bool is_one;  /* _ */
    bool is_open; /* the escape character and nothing behind it */
};

static struct item item_at(const char *at, const char *end, uint32_t escape)
{
    struct item it = {0};

    it.c = lia_text_char(at, end, &it.len);
    if (escape && it.c == escape) {
        size_t len;

        if (at + it.len >= end) {
            it.is_open = true;
            return it;
        }
        it.c = lia_text_char(at + it.len, end, &len);
        it.len += len;
        return it;
    }
    it.is_any = it.c == '%';
    it.is_one = it.c == '_';
    return it;
}

bool lia_text_like(struct liana_str s,
                   struct liana_str pattern,
                   uint32_t escape,
                   bool ignores_case)
{
    const char *at = s.ptr;
    const char *end = s.ptr + s.len;
    const char *p = pattern.ptr;
    const char *p_end = pattern.ptr + pattern.len;
    const char *retry_p = NULL; /* behind the last %, and where it was last tried */
    const char *retry_at = NULL;

    while (at < end || p < p_end) {
        struct item it = {0};
        size_t len = 0;
        bool matches = false;

        if (p < p_end) {
            it = item_at(p, p_end, escape);
            if (it.is_any) {
                p += it.len;
                retry_p = p;
                retry_at = at;
                continue;
            }
            if (at < end && !it.is_open) {
                uint32_t c = lia_text_char(at, end, &len);

                matches =
                    it.is_one || fold(c, ignores_case) == fold(it.c, ignores_case);
            }
        }
        if (matches) {
            p += it.len;
            at += len;
            continue;
        }
        if (!retry_p || retry_at >= end) {
            return false;
        }
        lia_text_char(retry_at, end, &len);
        retry_at += len; /* the % takes one character more */
        at = retry_at;
        p = retry_p;
    }
    return true;
}
