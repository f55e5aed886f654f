/* SPDX-License-Identifier: Apache-2.0 */
#include "lang/functions.h"
#include "lang/regexp.h"
#include "lang/text.h"

#define FUNCTION(fn)                                                                   \
    liana_status fn(const struct lia_call *cx, const struct lia_value *args,           \
                    size_t count, struct lia_value *out)

/* The longest string that a function makes. */
#define RESULT_MAX LIA_DOC_BYTES_MAX

static void start(const struct lia_call *cx, struct lia_buf *buf)
{
    lia_buf_init_max(buf, cx->arena->alloc, RESULT_MAX);
}

static void add(struct lia_buf *buf, struct liana_str s)
{
    lia_buf_bytes(buf, s.ptr, s.len);
}

/* ---- putting together ---- */

FUNCTION(lia_fn_concat)
{
    struct lia_buf buf;

    start(cx, &buf);
    for (size_t i = 0; i < count; i++) {
        add(&buf, lia_value_str(args[i]));
    }
    return lia_make_from_buf(cx, LIA_BSON_STRING, &buf, out);
}

FUNCTION(lia_fn_concat_op)
{
    return lia_fn_concat(cx, args, count, out);
}

FUNCTION(lia_fn_repeat)
{
    int64_t times = lia_int_of(args[1]);
    struct liana_str s = lia_value_str(args[0]);
    struct lia_buf buf;

    (void)count;
    start(cx, &buf);
    if (times > 0 && s.len > 0 && (uint64_t)times > RESULT_MAX / s.len) {
        buf.status = LIANA_ETOOLARGE;
    }
    for (int64_t i = 0; i < times && !buf.status && s.len; i++) {
        add(&buf, s);
    }
    return lia_make_from_buf(cx, LIA_BSON_STRING, &buf, out);
}

FUNCTION(lia_fn_replace)
{
    struct liana_str rest = lia_value_str(args[0]);
    struct liana_str old = lia_value_str(args[1]);
    struct lia_buf buf;

    (void)count;
    start(cx, &buf);
    while (old.len && !buf.status) {
        size_t at = lia_text_find(rest, old);

        if (at == SIZE_MAX) {
            break;
        }
        lia_buf_bytes(&buf, rest.ptr, at);
        add(&buf, lia_value_str(args[2]));
        rest = (struct liana_str){rest.ptr + at + old.len, rest.len - at - old.len};
    }
    add(&buf, rest);
    return lia_make_from_buf(cx, LIA_BSON_STRING, &buf, out);
}

/* ---- looking ---- */

FUNCTION(lia_fn_contains)
{
    (void)cx;
    (void)count;
    return lia_make_bool(
        lia_text_find(lia_value_str(args[0]), lia_value_str(args[1])) != SIZE_MAX, out);
}

FUNCTION(lia_fn_starts_with)
{
    struct liana_str s = lia_value_str(args[0]);
    struct liana_str with = lia_value_str(args[1]);

    (void)cx;
    (void)count;
    return lia_make_bool(s.len >= with.len &&
                             lia_str_equal((struct liana_str){s.ptr, with.len}, with),
                         out);
}

FUNCTION(lia_fn_ends_with)
{
    struct liana_str s = lia_value_str(args[0]);
    struct liana_str with = lia_value_str(args[1]);

    (void)cx;
    (void)count;
    return lia_make_bool(
        s.len >= with.len &&
            lia_str_equal((struct liana_str){s.ptr + s.len - with.len, with.len}, with),
        out);
}

FUNCTION(lia_fn_pos)
{
    struct liana_str s = lia_value_str(args[0]);
    size_t at = lia_text_find(s, lia_value_str(args[1]));

    (void)count;
    return lia_make_int(
        cx,
        at == SIZE_MAX ? -1 : (int64_t)lia_text_count((struct liana_str){s.ptr, at}),
        out);
}

FUNCTION(lia_fn_byte_length)
{
    (void)count;
    return lia_make_int(cx, (int64_t)lia_value_str(args[0]).len, out);
}

FUNCTION(lia_fn_char_length)
{
    (void)count;
    return lia_make_int(cx, (int64_t)lia_text_count(lia_value_str(args[0])), out);
}

FUNCTION(lia_fn_character_length)
{
    return lia_fn_char_length(cx, args, count, out);
}

static liana_status like(const struct lia_call *cx,
                         const struct lia_value *args,
                         size_t count,
                         bool ignores_case,
                         struct lia_value *out)
{
    uint32_t escape = 0;

    if (count == 3) {
        struct liana_str s = lia_value_str(args[2]);
        size_t len = 0;

        escape = s.len ? lia_text_char(s.ptr, s.ptr + s.len, &len) : 0;
        if (s.len == 0 || len != s.len || escape == 0) {
            return lia_fn_bad(cx, out, LIANA_ETYPE, "ESCAPE needs one character");
        }
    }
    return lia_make_bool(lia_text_like(lia_value_str(args[0]), lia_value_str(args[1]),
                                       escape, ignores_case),
                         out);
}

FUNCTION(lia_fn_like)
{
    return like(cx, args, count, false, out);
}

FUNCTION(lia_fn_ilike)
{
    return like(cx, args, count, true, out);
}

FUNCTION(lia_fn_regexp_like)
{
    struct liana_str flags = {"", 0};
    char message[128];
    bool matches;
    liana_status status;

    if (count == 3) {
        flags = lia_value_str(args[2]);
    }
    status = lia_regexp_match(cx->regexps, lia_value_str(args[0]),
                              lia_value_str(args[1]), flags, &matches, message);
    if (status == LIANA_ENOMEM) {
        return lia_err_plain(cx->err, status);
    }
    return status ? lia_fn_bad(cx, out, status, "%s", message)
                  : lia_make_bool(matches, out);
}

/* ---- changing ---- */

FUNCTION(lia_fn_lower)
{
    struct lia_buf buf;

    (void)count;
    start(cx, &buf);
    lia_text_lower(&buf, lia_value_str(args[0]));
    return lia_make_from_buf(cx, LIA_BSON_STRING, &buf, out);
}

FUNCTION(lia_fn_upper)
{
    struct lia_buf buf;

    (void)count;
    start(cx, &buf);
    lia_text_upper(&buf, lia_value_str(args[0]));
    return lia_make_from_buf(cx, LIA_BSON_STRING, &buf, out);
}

FUNCTION(lia_fn_substr)
{
    struct liana_str s = lia_value_str(args[0]);
    int64_t from = lia_int_of(args[1]);

    if (from < 0 || (count == 3 && lia_int_of(args[2]) < 0)) {
        return lia_fn_bad(cx, out, LIANA_ERANGE, "counts from 0");
    }
    s = lia_text_skip(s, (size_t)from);
    if (count == 3) {
        s = lia_text_first(s, (size_t)lia_int_of(args[2]));
    }
    return lia_make_str(cx, s, out);
}

/* The character stands in `set`; an empty set is that of blanks. */
static bool is_in(struct liana_str set, struct liana_str c)
{
    if (set.len == 0) {
        return c.len == 1 && memchr(" \t\n\r\f\v", c.ptr[0], 6);
    }
    return lia_text_find(set, c) != SIZE_MAX;
}

static liana_status trim(const struct lia_call *cx,
                         const struct lia_value *args,
                         size_t count,
                         bool left,
                         bool right,
                         struct lia_value *out)
{
    struct liana_str s = lia_value_str(args[0]);
    struct liana_str set = {"", 0};

    if (count == 2) {
        set = lia_value_str(args[1]);
        if (set.len == 0) {
            *out = args[0];
            return LIANA_OK;
        }
    }
    while (left && s.len) {
        struct liana_str c = lia_text_first(s, 1);

        if (!is_in(set, c)) {
            break;
        }
        s = (struct liana_str){s.ptr + c.len, s.len - c.len};
    }
    while (right && s.len) {
        size_t at = s.len - 1;

        while (at > 0 && ((unsigned char)s.ptr[at] & 0xc0) == 0x80) {
            at--;
        }
        if (!is_in(set, (struct liana_str){s.ptr + at, s.len - at})) {
            break;
        }
        s.len = at;
    }
    return lia_make_str(cx, s, out);
}

FUNCTION(lia_fn_trim)
{
    return trim(cx, args, count, true, true, out);
}

FUNCTION(lia_fn_ltrim)
{
    return trim(cx, args, count, true, false, out);
}

FUNCTION(lia_fn_rtrim)
{
    return trim(cx, args, count, false, true, out);
}

static liana_status pad(const struct lia_call *cx,
                        const struct lia_value *args,
                        size_t count,
                        bool is_left,
                        struct lia_value *out)
{
    struct liana_str s = lia_value_str(args[0]);
    struct liana_str with = count == 3 ? lia_value_str(args[2]) : lia_str(" ");
    int64_t wanted = lia_int_of(args[1]);
    size_t have = lia_text_count(s);
    struct lia_buf buf;

    if (wanted < 0 || (uint64_t)wanted > RESULT_MAX) {
        return lia_fn_bad(cx, out, LIANA_ERANGE, "cannot fill up to %lld characters",
                          (long long)wanted);
    }
    start(cx, &buf);
    if (!is_left) {
        add(&buf, lia_text_first(s, (size_t)wanted));
    }
    for (size_t i = have; i < (size_t)wanted && with.len && !buf.status;) {
        struct liana_str piece = lia_text_first(with, (size_t)wanted - i);

        add(&buf, piece);
        i += lia_text_count(piece);
    }
    if (is_left) {
        add(&buf, lia_text_first(s, (size_t)wanted));
    }
    return lia_make_from_buf(cx, LIA_BSON_STRING, &buf, out);
}

FUNCTION(lia_fn_lpad)
{
    return pad(cx, args, count, true, out);
}

FUNCTION(lia_fn_rpad)
{
    return pad(cx, args, count, false, out);
}

FUNCTION(lia_fn_split)
{
    struct liana_str rest = lia_value_str(args[0]);
    struct liana_str by = lia_value_str(args[1]);
    struct lia_buf buf;
    char digits[12];
    uint32_t n = 0;
    size_t mark;

    (void)count;
    if (by.len == 0) {
        return lia_fn_bad(cx, out, LIANA_ETYPE, "needs something to split by");
    }
    start(cx, &buf);
    mark = lia_bson_begin(&buf);
    for (;;) {
        size_t at = lia_text_find(rest, by);
        struct liana_str name = lia_bson_index_name(n++, digits);

        if (at == SIZE_MAX) {
            lia_bson_add_str(&buf, name, rest);
            break;
        }
        lia_bson_add_str(&buf, name, (struct liana_str){rest.ptr, at});
        rest = (struct liana_str){rest.ptr + at + by.len, rest.len - at - by.len};
    }
    lia_bson_end(&buf, mark);
    return lia_make_from_buf(cx, LIA_BSON_ARRAY, &buf, out);
}
