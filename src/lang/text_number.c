/* SPDX-License-Identifier: Apache-2.0 */
#include "lang/text_number.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- doubles ---- */

#define DOUBLE_INPUT_MAX 400

bool lia_text_double_parse(struct liana_str text, double *out)
{
    char copy[DOUBLE_INPUT_MAX];
    const char *point = localeconv()->decimal_point;
    size_t n = 0;
    char *end;

    /* strtod would take blanks before the number and hexadecimal digits. */
    if (text.len == 0 || text.len > DOUBLE_INPUT_MAX / 2) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (c == ' ' || c == '\t' || c == '\n' || c == 'x' || c == 'X' || c == 'p' ||
            c == 'P' || c == '(' || c == 0) {
            return false;
        }
        if (c == '.') {
            for (const char *p = point; *p && n + 1 < sizeof(copy); p++) {
                copy[n++] = *p;
            }
        } else if (n + 1 < sizeof(copy)) {
            copy[n++] = c;
        }
    }
    copy[n] = '\0';
    *out = strtod(copy, &end);
    return end == copy + n;
}

/* -value * 10 + -digit: negative numbers reach one further. */
static bool shift_in(int64_t *negative, int digit)
{
    return !__builtin_mul_overflow(*negative, 10, negative) &&
           !__builtin_sub_overflow(*negative, digit, negative);
}

/* "E+3" at the end of a number; 0 if there is none. */
static bool read_exponent(const char *at, const char *end, int *out)
{
    bool is_negative = false;
    int v = 0;

    *out = 0;
    if (at == end) {
        return true;
    }
    if (*at++ != 'E' || at == end) {
        return false;
    }
    if (*at == '+' || *at == '-') {
        is_negative = *at++ == '-';
    }
    for (; at < end; at++) {
        if (*at < '0' || *at > '9' || v > 100000) {
            return false;
        }
        v = v * 10 + (*at - '0');
    }
    *out = is_negative ? -v : v;
    return true;
}

bool lia_whole_parse(struct liana_str text, int64_t *out)
{
    const char *at = text.ptr;
    const char *end = text.ptr + text.len;
    bool is_negative = at < end && *at == '-';
    char digits[64];
    int count = 0;
    int fraction = -1; /* digits behind the point, -1: no point yet */
    int exponent;
    int64_t v = 0;

    for (at += is_negative; at < end && *at != 'E'; at++) {
        if (*at == '.' && fraction < 0) {
            fraction = 0;
        } else if (*at < '0' || *at > '9' || count == (int)sizeof(digits)) {
            return false;
        } else {
            digits[count++] = *at;
            fraction += fraction >= 0;
        }
    }
    if (count == 0 || !read_exponent(at, end, &exponent)) {
        return false;
    }
    exponent -= fraction > 0 ? fraction : 0;
    for (int i = 0; i < count + exponent; i++) {
        if (!shift_in(&v, i < count ? digits[i] - '0' : 0)) {
            return false;
        }
        if (i >= count && v == 0) {
            break; /* zero, whatever its exponent */
        }
    }
    if (!is_negative && v == INT64_MIN) {
        return false;
    }
    *out = is_negative ? v : -v;
    return true;
}

size_t lia_text_double_print(double v, char text[static LIA_TEXT_DOUBLE_BYTES])
{
    size_t point_len = strlen(localeconv()->decimal_point);
    char *point;
    int n = 0;

    for (int digits = 15; digits <= 17; digits++) {
        n = snprintf(text, LIA_TEXT_DOUBLE_BYTES, "%.*g", digits, v);
        if (strtod(text, NULL) == v) {
            break;
        }
    }
    point = strstr(text, localeconv()->decimal_point);
    if (point && point_len) {
        *point = '.';
        memmove(point + 1, point + point_len, strlen(point + point_len) + 1);
        n -= (int)point_len - 1;
    }
    return (size_t)n;
}

/* ---- dates ---- */

struct cursor {
    const char *at;
    const char *end;
    bool failed;
};

static bool take(struct cursor *c, char wanted)
{
    if (c->at < c->end && *c->at == wanted) {
        c->at++;
        return true;
    }
    return false;
}

static int64_t digits(struct cursor *c, int count)
{
    int64_t v = 0;

    for (int i = 0; i < count; i++) {
        if (c->at == c->end || *c->at < '0' || *c->at > '9') {
            c->failed = true;
            return 0;
        }
        v = v * 10 + (*c->at++ - '0');
    }
    return v;
}

static int64_t within(struct cursor *c, int64_t v, int64_t low, int64_t high)
{
    c->failed = c->failed || v < low || v > high;
    return v;
}

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int64_t month_days(int64_t year, int64_t month)
{
    static const int8_t days[12] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    if (month < 1 || month > 12) {
        return 0;
    }
    return days[month - 1] + (month == 2 && is_leap(year) ? 1 : 0);
}

/* Days since 1970-01-01 in the proleptic Gregorian calendar, with years that begin in March so
 * that the leap day is the last one. */
static int64_t days_from_civil(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * 146097 + day_of_era - 719468;
}

/* Milliseconds of the decimals of a second; all digits are eaten. */
static int64_t read_fraction(struct cursor *c)
{
    int64_t ms = 0;
    int n = 0;

    while (c->at < c->end && *c->at >= '0' && *c->at <= '9') {
        ms = n < 3 ? ms * 10 + (*c->at - '0') : ms;
        c->at++;
        n++;
    }
    c->failed = c->failed || n == 0 || n > 9;
    for (; n < 3; n++) {
        ms *= 10;
    }
    return ms;
}

static int64_t read_time(struct cursor *c)
{
    int64_t hours = within(c, digits(c, 2), 0, 23);
    int64_t minutes;
    int64_t seconds = 0;
    int64_t ms = 0;

    c->failed = c->failed || !take(c, ':');
    minutes = within(c, digits(c, 2), 0, 59);
    if (take(c, ':')) {
        seconds = within(c, digits(c, 2), 0, 59);
        ms = take(c, '.') ? read_fraction(c) : 0;
    }
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + ms;
}

/* Milliseconds to take away: the zone is ahead of UTC by them. */
static int64_t read_zone(struct cursor *c)
{
    int64_t sign;
    int64_t hours;
    int64_t minutes = 0;

    if (c->at == c->end || take(c, 'Z')) {
        return 0;
    }
    sign = take(c, '-') ? -1 : 1;
    if (sign == 1 && !take(c, '+')) {
        c->failed = true;
        return 0;
    }
    hours = within(c, digits(c, 2), 0, 23);
    if (take(c, ':') || c->at < c->end) {
        minutes = within(c, digits(c, 2), 0, 59);
    }
    return sign * (hours * 60 + minutes) * 60000;
}

bool lia_text_date_parse(struct liana_str text, int64_t *out_ms)
{
    struct cursor c = {text.ptr, text.ptr + text.len, false};
    int64_t year = digits(&c, 4);
    int64_t month;
    int64_t day;
    int64_t ms = 0;

    c.failed = c.failed || !take(&c, '-');
    month = digits(&c, 2);
    c.failed = c.failed || !take(&c, '-');
    day = within(&c, digits(&c, 2), 1, month_days(year, month));
    if (!c.failed && c.at < c.end) {
        c.failed = !take(&c, 'T') && !take(&c, ' ');
        ms = read_time(&c);
        ms -= c.failed ? 0 : read_zone(&c);
    }
    if (c.failed || c.at != c.end) {
        return false;
    }
    *out_ms = days_from_civil(year, month, day) * 86400000 + ms;
    return true;
}

size_t lia_text_date_print(int64_t ms, char text[static LIA_TEXT_DATE_BYTES])
{
    int64_t days = ms / 86400000;
    int64_t rest = ms % 86400000;
    int64_t era;
    int64_t day_of_era;
    int64_t year_of_era;
    int64_t day_of_year;
    int64_t shifted_month;
    int64_t year;
    int n;

    if (rest < 0) {
        rest += 86400000;
        days--;
    }
    days += 719468;
    era = (days >= 0 ? days : days - 146096) / 146097;
    day_of_era = days - era * 146097;
    year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) /
        365;
    day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    shifted_month = (5 * day_of_year + 2) / 153;
    year = year_of_era + era * 400 + (shifted_month >= 10 ? 1 : 0);
    n = snprintf(text, LIA_TEXT_DATE_BYTES,
                 year < 0 || year > 9999 ? "%+05lld-%02d-%02dT%02d:%02d:%02d.%03dZ"
                                         : "%04lld-%02d-%02dT%02d:%02d:%02d.%03dZ",
                 (long long)year,
                 (int)(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9),
                 (int)(day_of_year - (153 * shifted_month + 2) / 5 + 1),
                 (int)(rest / 3600000), (int)(rest / 60000 % 60),
                 (int)(rest / 1000 % 60), (int)(rest % 1000));
    return (size_t)n;
}
