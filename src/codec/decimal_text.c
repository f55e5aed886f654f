/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "codec/decimal_digits.h"

/* ---- reading ---- */

struct input {
    const char *at;
    const char *end;
};

/* This word stands here, in any letter case. */
static bool take_word(struct input *in, const char *word)
{
    struct input try = *in;

    for (; *word; word++) {
        if (try.at == try.end || (*try.at | 0x20) != *word) {
            return false;
        }
        try.at++;
    }
    *in = try;
    return true;
}

static bool is_digit(const struct input *in)
{
    return in->at < in->end && *in->at >= '0' && *in->at <= '9';
}

/* What has been read of a coefficient: its digits in their order without the zeros before
 * them, and how many zeros follow that were not needed yet. */
struct coefficient {
    uint8_t digit[LIA_DECIMAL_DIGITS];
    int len;
    int64_t zeros;
    int64_t exponent;
    bool has_digits;
    bool is_inexact;
};

static void add_digit(struct coefficient *c, uint8_t digit)
{
    c->has_digits = true;
    if (digit == 0) {
        c->zeros += c->len > 0;
        return;
    }
    if (c->len + c->zeros >= LIA_DECIMAL_DIGITS) {
        c->is_inexact = true;
        return;
    }
    for (; c->zeros > 0; c->zeros--) {
        c->digit[c->len++] = 0;
    }
    c->digit[c->len++] = digit;
}

static void read_digits(struct input *in, struct coefficient *c)
{
    bool is_fraction = false;

    for (;; in->at++) {
        if (is_digit(in)) {
            add_digit(c, (uint8_t)(*in->at - '0'));
            c->exponent -= is_fraction;
        } else if (!is_fraction && in->at < in->end && *in->at == '.') {
            is_fraction = true;
        } else {
            return;
        }
    }
}

/* Beyond any text's length: a larger exponent changes nothing any more. */
#define EXPONENT_ENOUGH INT64_C(1000000000000)

static bool read_exponent(struct input *in, struct coefficient *c)
{
    bool is_negative = false;
    int64_t v = 0;

    if (in->at == in->end || (*in->at | 0x20) != 'e') {
        return true;
    }
    in->at++;
    if (in->at < in->end && (*in->at == '+' || *in->at == '-')) {
        is_negative = *in->at++ == '-';
    }
    if (!is_digit(in)) {
        return false;
    }
    for (; is_digit(in); in->at++) {
        v = v < EXPONENT_ENOUGH ? v * 10 + (*in->at - '0') : v;
    }
    c->exponent += is_negative ? -v : v;
    return true;
}

/* Puts the coefficient where Decimal128 can hold it, keeping as many of its zeros as it
 * had: only zeros are added or taken away. */
static bool settle(struct coefficient *c, bool is_negative, struct lia_digits *out)
{
    int64_t room = LIA_DECIMAL_DIGITS - c->len;
    int64_t zeros = c->zeros < room ? c->zeros : room;
    int64_t exponent = c->exponent + (c->zeros - zeros);

    if (c->len == 0) {
        exponent = exponent < LIA_DECIMAL_EXPONENT_MIN   ? LIA_DECIMAL_EXPONENT_MIN
                   : exponent > LIA_DECIMAL_EXPONENT_MAX ? LIA_DECIMAL_EXPONENT_MAX
                                                         : exponent;
        zeros = 0;
    }
    if (exponent > LIA_DECIMAL_EXPONENT_MAX) {
        zeros += exponent - LIA_DECIMAL_EXPONENT_MAX;
        exponent = LIA_DECIMAL_EXPONENT_MAX;
    }
    if (exponent < LIA_DECIMAL_EXPONENT_MIN) {
        zeros -= LIA_DECIMAL_EXPONENT_MIN - exponent;
        exponent = LIA_DECIMAL_EXPONENT_MIN;
    }
    if (c->is_inexact || zeros < 0 || zeros > room) {
        return false;
    }
    *out = (struct lia_digits){.kind = LIA_DECIMAL_FINITE,
                               .is_negative = is_negative,
                               .exponent = (int)exponent};
    for (out->len = 0; out->len < c->len; out->len++) {
        out->digit[out->len] = c->digit[c->len - 1 - out->len];
    }
    out->exponent += (int)zeros;
    lia_digits_pad(out, (int)zeros);
    return true;
}

static bool read_special(struct input *in, struct lia_digits *out)
{
    if (take_word(in, "infinity") || take_word(in, "inf")) {
        out->kind = LIA_DECIMAL_INFINITE;
    } else if (take_word(in, "nan")) {
        out->kind = LIA_DECIMAL_NAN;
    } else {
        return false;
    }
    return true;
}

liana_status lia_decimal_parse(struct liana_str text, struct lia_decimal *out)
{
    struct input in = {text.ptr, text.ptr + text.len};
    struct coefficient c = {.len = 0};
    struct lia_digits n = {.kind = LIA_DECIMAL_FINITE};

    if (in.at < in.end && (*in.at == '+' || *in.at == '-')) {
        n.is_negative = *in.at++ == '-';
    }
    if (!read_special(&in, &n)) {
        read_digits(&in, &c);
        if (!c.has_digits || !read_exponent(&in, &c)) {
            return LIANA_EINVAL;
        }
        if (in.at == in.end && !settle(&c, n.is_negative, &n)) {
            return LIANA_ERANGE;
        }
    }
    if (in.at != in.end) {
        return LIANA_EINVAL;
    }
    *out = lia_digits_pack(&n);
    return LIANA_OK;
}

/* ---- writing ---- */

static char *put_digits(char *at, const struct lia_digits *n, int from, int to)
{
    for (int i = from; i > to; i--) {
        *at++ = (char)('0' + (i <= n->len ? n->digit[i - 1] : 0));
    }
    return at;
}

/* "1.23E+4": one digit before the point. */
static char *put_scientific(char *at, const struct lia_digits *n, int len, int adjusted)
{
    at = put_digits(at, n, len, len - 1);
    if (len > 1) {
        *at++ = '.';
        at = put_digits(at, n, len - 1, 0);
    }
    return at + snprintf(at, 8, "E%+d", adjusted);
}

static char *put_plain(char *at, const struct lia_digits *n, int len)
{
    int before_point = len + n->exponent;

    if (before_point <= 0) {
        *at++ = '0';
        len = 1 - n->exponent; /* zeros stand for what is not there */
        *at++ = '.';
        return put_digits(at, n, len - 1, 0);
    }
    at = put_digits(at, n, len, len - before_point);
    if (n->exponent < 0) {
        *at++ = '.';
        at = put_digits(at, n, len - before_point, 0);
    }
    return at;
}

size_t lia_decimal_print(struct lia_decimal d, char text[static LIA_DECIMAL_TEXT])
{
    struct lia_digits n;
    char *at = text;
    int len;
    int adjusted;

    lia_digits_unpack(d, &n);
    if (n.kind == LIA_DECIMAL_NAN) {
        memcpy(text, "NaN", 3);
        return 3;
    }
    if (n.is_negative) {
        *at++ = '-';
    }
    if (n.kind == LIA_DECIMAL_INFINITE) {
        memcpy(at, "Infinity", 8);
        return (size_t)(at + 8 - text);
    }
    len = n.len ? n.len : 1; /* zero is written as one digit */
    adjusted = len - 1 + n.exponent;
    if (n.exponent > 0 || adjusted < -6) {
        at = put_scientific(at, &n, len, adjusted);
    } else {
        at = put_plain(at, &n, len);
    }
    return (size_t)(at - text);
}
