/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/json_scan.h"

#include "codec/utf8.h"

struct scanner {
    struct liana_slice text;
    size_t at;
    struct lia_json_scan result;
};

static void fail(struct scanner *s, size_t at, const char *what)
{
    if (!s->result.fault) {
        s->result.fault = what;
        s->result.fault_at = at;
    }
}

static void note_copy(struct scanner *s, size_t len)
{
    if (len > s->result.copied) {
        s->result.copied = len;
    }
}

static int hex_digit(uint8_t c)
{
    return c >= '0' && c <= '9'                     ? c - '0'
           : (c | 0x20) >= 'a' && (c | 0x20) <= 'f' ? (c | 0x20) - 'a' + 10
                                                    : -1;
}

/* The four digits behind a \u at `at`; -1 if it is none. */
static int unit_at(const struct scanner *s, size_t at)
{
    int unit = 0;

    if (s->text.len - at < 6 || s->text.ptr[at] != '\\' || s->text.ptr[at + 1] != 'u') {
        return -1;
    }
    for (size_t i = 2; i < 6; i++) {
        int digit = hex_digit(s->text.ptr[at + i]);

        if (digit < 0) {
            return -1;
        }
        unit = unit << 4 | digit;
    }
    return unit;
}

/* Moves past the escape at `at`, over both halves of a pair. */
static void pass_escape(struct scanner *s)
{
    int unit = unit_at(s, s->at);
    size_t len = unit >= 0 ? 6 : 2;

    if (unit >= 0xdc00 && unit <= 0xdfff) {
        fail(s, s->at, "second half of a surrogate pair without the first");
    } else if (unit >= 0xd800 && unit <= 0xdbff) {
        int low = s->text.len - s->at > 6 ? unit_at(s, s->at + 6) : -1;

        if (low < 0xdc00 || low > 0xdfff) {
            fail(s, s->at, "first half of a surrogate pair without the second");
        } else {
            len = 12;
        }
    }
    s->at = len < s->text.len - s->at ? s->at + len : s->text.len;
}

/* From the opening quote to behind the closing one. */
static void pass_string(struct scanner *s)
{
    size_t start = s->at;
    bool has_escapes = false;

    s->at++;
    while (s->at < s->text.len && s->text.ptr[s->at] != '"') {
        if (s->text.ptr[s->at] == '\\') {
            has_escapes = true;
            pass_escape(s);
        } else {
            s->at++;
        }
    }
    if (s->at == s->text.len || has_escapes) {
        note_copy(s, s->at - start);
    }
    s->at += s->at < s->text.len;
}

static bool is_blank(uint8_t c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void pass_blanks(struct scanner *s)
{
    while (s->at < s->text.len && is_blank(s->text.ptr[s->at])) {
        s->at++;
    }
}

/* A number or a word, right or not. */
static void pass_other(struct scanner *s)
{
    size_t start = s->at;

    while (s->at < s->text.len && !is_blank(s->text.ptr[s->at]) &&
           !memchr("{}[]:,\"", s->text.ptr[s->at], 7)) {
        s->at++;
    }
    if (s->at == s->text.len) {
        note_copy(s, s->at - start);
    }
}

/* To behind the bracket that closes the first one. */
static void pass_value(struct scanner *s)
{
    size_t depth = 0;

    while (s->at < s->text.len) {
        uint8_t c = s->text.ptr[s->at];

        if (c == '"') {
            pass_string(s);
        } else if (c == '{' || c == '[') {
            depth++;
            s->at++;
        } else if (c == '}' || c == ']') {
            s->at++;
            depth -= depth > 0;
            if (depth == 0) {
                return;
            }
        } else if (is_blank(c) || c == ':' || c == ',') {
            s->at++;
        } else {
            pass_other(s);
        }
    }
}

struct lia_json_scan lia_json_scan(struct liana_slice text)
{
    struct scanner s = {.text = text};
    size_t valid;

    pass_blanks(&s);
    s.result.start = s.at;
    pass_value(&s);
    s.result.end = s.at;
    valid = lia_utf8_valid_len(lia_slice(text.ptr, s.at));
    if (valid < s.at && (!s.result.fault || valid < s.result.fault_at)) {
        s.result.fault = "text is not UTF-8";
        s.result.fault_at = valid;
    }
    return s.result;
}
