/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/double_text.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* A double has at most 767 significant digits, a half between two of them 768: a text with
 * more is neither. */
#define DIGITS_MAX 768

/* 0.DDD * 10^point, without zeros at either end; zero has no digits. */
struct digits {
    bool is_negative;
    int count;
    long point;
    char digit[DIGITS_MAX + 1];
};

/* ---- the C library's conversions, without a decimal point that the locale chooses ---- */

static double to_double(const struct digits *d)
{
    char text[DIGITS_MAX + 32];
    double v;

    if (d->count == 0) {
        return d->is_negative ? -0.0 : 0.0;
    }
    (void)snprintf(text, sizeof(text), "%.*se%ld", d->count, d->digit,
                   d->point - d->count);
    v = strtod(text, NULL);
    return d->is_negative ? -v : v;
}

/* Of a finite double that is not zero, rounded to `count` digits. */
static void of_double(double v, int count, struct digits *out)
{
    char text[DIGITS_MAX + 32];
    const char *at = text;

    (void)snprintf(text, sizeof(text), "%.*e", count - 1, fabs(v));
    out->is_negative = signbit(v) != 0;
    out->count = 0;
    for (; *at != 'e'; at++) {
        if (*at >= '0' && *at <= '9') {
            out->digit[out->count++] = *at;
        }
    }
    out->point = strtol(at + 1, NULL, 10) + 1;
    while (out->count > 1 && out->digit[out->count - 1] == '0') {
        out->count--;
    }
}

static bool same_digits(const struct digits *a, const struct digits *b)
{
    return a->count == b->count && a->point == b->point &&
           memcmp(a->digit, b->digit, (size_t)a->count) == 0;
}

/* ---- reading ---- */

struct input {
    const char *at;
    const char *end;
};

static bool is_digit(const struct input *in)
{
    return in->at < in->end && *in->at >= '0' && *in->at <= '9';
}

static bool take(struct input *in, char c)
{
    if (in->at == in->end || *in->at != c) {
        return false;
    }
    in->at++;
    return true;
}

/* False when there are too many; zeros at the end wait until a digit follows them. */
static bool add_digit(struct digits *d, char digit, long *zeros)
{
    if (digit == '0') {
        *zeros += d->count > 0;
        return true;
    }
    if (*zeros >= DIGITS_MAX - d->count) {
        return false;
    }
    for (; *zeros > 0; (*zeros)--) {
        d->digit[d->count++] = '0';
    }
    d->digit[d->count++] = digit;
    return true;
}

#define EXPONENT_ENOUGH 1000000000000L /* longer than any text */

static bool read_exponent(struct input *in, long *out)
{
    bool is_negative = false;
    long v = 0;

    if (!take(in, 'e') && !take(in, 'E')) {
        return true;
    }
    if (!take(in, '+')) {
        is_negative = take(in, '-');
    }
    if (!is_digit(in)) {
        return false;
    }
    for (; is_digit(in); in->at++) {
        v = v < EXPONENT_ENOUGH ? v * 10 + (*in->at - '0') : v;
    }
    *out = is_negative ? -v : v;
    return true;
}

static liana_status read_digits(struct liana_str text, struct digits *out)
{
    struct input in = {text.ptr, text.ptr + text.len};
    liana_status status = LIANA_OK;
    bool has_point = false;
    bool has_digit = false;
    long zeros = 0;
    long exponent = 0;

    out->is_negative = take(&in, '-');
    out->count = 0;
    out->point = 0;
    for (;; in.at++) {
        if (is_digit(&in)) {
            has_digit = true;
            status = add_digit(out, *in.at, &zeros) ? status : LIANA_ERANGE;
            out->point += !has_point && out->count > 0;
            out->point -= has_point && out->count == 0;
        } else if (!has_point && in.at < in.end && *in.at == '.') {
            has_point = true;
        } else {
            break;
        }
    }
    if (!has_digit || !read_exponent(&in, &exponent) || in.at != in.end) {
        return LIANA_EINVAL;
    }
    out->point += exponent;
    return status;
}

static bool is_kept(const struct digits *text, double v)
{
    struct digits back;

    if (text->count == 0) {
        return true;
    }
    if (isinf(v) || v == 0) {
        return false;
    }
    if (text->count <= DBL_DIG && fabs(v) >= DBL_MIN) {
        return true;
    }
    of_double(v, text->count, &back);
    return same_digits(text, &back);
}

liana_status lia_double_parse(struct liana_str text, double *out)
{
    struct digits d;
    liana_status status = read_digits(text, &d);
    double v;

    if (status) {
        return status;
    }
    v = to_double(&d);
    if (!is_kept(&d, v)) {
        return LIANA_ERANGE;
    }
    *out = v;
    return LIANA_OK;
}

/* ---- reading what is only near ---- */

static bool is_word(struct liana_str text, const char *lower)
{
    if (text.len != strlen(lower)) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if ((text.ptr[i] | 0x20) != lower[i]) {
            return false;
        }
    }
    return true;
}

static bool read_word(struct liana_str text, double *out)
{
    bool is_negative = text.len > 0 && text.ptr[0] == '-';
    struct liana_str word = {text.ptr + is_negative, text.len - is_negative};

    if (is_word(word, "nan")) {
        *out = (double)NAN;
        return true;
    }
    if (is_word(word, "inf") || is_word(word, "infinity")) {
        *out = is_negative ? -(double)INFINITY : (double)INFINITY;
        return true;
    }
    return false;
}

/* For the digits that there was no room for a 1 stands behind all others: no double and no
 * half between two doubles has so many, so that nothing but its being there counts. */
static void add_sticky(struct digits *d)
{
    memset(d->digit + d->count, '0', (size_t)(DIGITS_MAX - d->count));
    d->digit[DIGITS_MAX] = '1';
    d->count = DIGITS_MAX + 1;
}

bool lia_double_parse_nearest(struct liana_str text, double *out)
{
    struct digits d;
    liana_status status = read_digits(text, &d);

    if (status == LIANA_EINVAL) {
        return read_word(text, out);
    }
    if (status) {
        add_sticky(&d);
    }
    *out = to_double(&d);
    return true;
}

/* ---- writing ---- */

/* From here on zeros are no longer written out. */
#define PLAIN_POINT_MIN (-5)
#define PLAIN_POINT_MAX 16

static size_t put_plain(const struct digits *d, char *text)
{
    char *at = text;
    long i = d->point < 0 ? d->point : 0;

    if (d->point <= 0) {
        *at++ = '0';
        *at++ = '.';
    }
    for (; i < d->count || i < d->point + 1; i++) {
        if (i == d->point && i > 0) {
            *at++ = '.';
        }
        *at = '0';
        if (i >= 0 && i < d->count) {
            *at = d->digit[i];
        }
        at++;
    }
    return (size_t)(at - text);
}

static size_t put_scientific(const struct digits *d, char *text)
{
    int n = snprintf(text, LIA_DOUBLE_TEXT - 1, "%c%s%.*sE%+ld", d->digit[0],
                     d->count > 1 ? "." : "", d->count - 1, d->digit + 1, d->point - 1);

    return n > 0 ? (size_t)n : 0;
}

static size_t put_word(const char *word, char *text)
{
    memcpy(text, word, strlen(word));
    return strlen(word);
}

size_t lia_double_print(double v, char text[static LIA_DOUBLE_TEXT])
{
    struct digits d = {.count = 0};
    size_t sign = signbit(v) != 0 && !isnan(v);

    if (isnan(v)) {
        return put_word("NaN", text);
    }
    text[0] = '-';
    if (isinf(v) || v == 0) {
        return sign + put_word(v == 0 ? "0.0" : "Infinity", text + sign);
    }
    for (int count = DBL_DIG; count <= DBL_DECIMAL_DIG; count++) {
        of_double(v, count, &d);
        if (to_double(&d) == v) {
            break;
        }
    }
    return sign + (d.point >= PLAIN_POINT_MIN && d.point <= PLAIN_POINT_MAX
                       ? put_plain(&d, text + sign)
                       : put_scientific(&d, text + sign));
}
