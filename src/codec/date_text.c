/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/date_text.h"

#include <stdio.h>

#define DAY_MS   INT64_C(86400000)
#define HOUR_MS  INT64_C(3600000)
#define MIN_MS   INT64_C(60000)
#define SEC_MS   INT64_C(1000)
#define ERA_DAYS 146097 /* of 400 years, after which the calendar repeats */
#define EPOCH    719468 /* 1970-01-01 counted from 0000-03-01 */

/* Years begin in March, so that the leap day is the last one: then the day of the year of
 * a month's first is (153 * month + 2) / 5. */
static int64_t days_of_date(int64_t year, int64_t month, int64_t day)
{
    int64_t march_year = year - (month <= 2);
    int64_t era = (march_year >= 0 ? march_year : march_year - 399) / 400;
    int64_t year_of_era = march_year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era =
        year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * ERA_DAYS + day_of_era - EPOCH;
}

/* ---- reading ---- */

struct input {
    const char *at;
    const char *end;
    bool is_loose; /* seconds, minutes of the zone and the zone may be missing */
    bool is_lost;  /* a digit below the millisecond was not zero */
    bool failed;
};

static bool is_digit(const struct input *in)
{
    return in->at < in->end && *in->at >= '0' && *in->at <= '9';
}

static int64_t number(struct input *in, int digits, int64_t min, int64_t max)
{
    int64_t v = 0;

    for (; digits > 0 && is_digit(in); digits--) {
        v = v * 10 + (*in->at++ - '0');
    }
    in->failed = in->failed || digits > 0 || v < min || v > max;
    return v;
}

static bool take(struct input *in, char c)
{
    if (in->at == in->end || *in->at != c) {
        return false;
    }
    in->at++;
    return true;
}

static void expect(struct input *in, char c)
{
    in->failed = !take(in, c) || in->failed;
}

static int64_t month_days(int64_t year, int64_t month)
{
    return days_of_date(month == 12 ? year + 1 : year, month == 12 ? 1 : month + 1, 1) -
           days_of_date(year, month, 1);
}

static int64_t read_day(struct input *in)
{
    int64_t year = number(in, 4, 0, 9999);
    int64_t month;
    int64_t day;

    expect(in, '-');
    month = number(in, 2, 1, 12);
    expect(in, '-');
    day = number(in, 2, 1, 31);
    if (in->failed || day > month_days(year, month)) {
        in->failed = true;
        return 0;
    }
    return days_of_date(year, month, day);
}

static int64_t read_fraction(struct input *in)
{
    int64_t ms = 0;
    int64_t unit = SEC_MS / 10;

    if (!take(in, '.')) {
        return 0;
    }
    in->failed = in->failed || !is_digit(in);
    for (; is_digit(in); in->at++) {
        in->is_lost = in->is_lost || (unit == 0 && *in->at != '0');
        ms += unit * (*in->at - '0');
        unit /= 10;
    }
    return ms;
}

static int64_t read_time(struct input *in)
{
    int64_t ms = number(in, 2, 0, 23) * HOUR_MS;

    expect(in, ':');
    ms += number(in, 2, 0, 59) * MIN_MS;
    if (!take(in, ':')) {
        in->failed = in->failed || !in->is_loose;
        return ms;
    }
    ms += number(in, 2, 0, 59) * SEC_MS;
    return ms + read_fraction(in);
}

static int64_t read_offset(struct input *in)
{
    bool is_west;
    int64_t ms;

    if (take(in, 'Z') || (in->is_loose && in->at == in->end)) {
        return 0;
    }
    is_west = take(in, '-');
    if (!is_west) {
        expect(in, '+');
    }
    ms = number(in, 2, 0, 23) * HOUR_MS;
    if (take(in, ':') || !in->is_loose || in->at < in->end) {
        ms += number(in, 2, 0, 59) * MIN_MS;
    }
    return is_west ? -ms : ms;
}

liana_status lia_date_parse(struct liana_str text, int64_t *out_ms)
{
    struct input in = {.at = text.ptr, .end = text.ptr + text.len};
    int64_t ms = read_day(&in) * DAY_MS;

    expect(&in, 'T');
    ms += read_time(&in);
    ms -= read_offset(&in);
    if (in.failed || in.at != in.end) {
        return LIANA_EINVAL;
    }
    if (in.is_lost) {
        return LIANA_ERANGE;
    }
    *out_ms = ms;
    return LIANA_OK;
}

bool lia_date_parse_loose(struct liana_str text, int64_t *out_ms)
{
    struct input in = {.at = text.ptr, .end = text.ptr + text.len, .is_loose = true};
    int64_t ms = read_day(&in) * DAY_MS;

    if (!in.failed && in.at < in.end) {
        in.failed = !take(&in, 'T') && !take(&in, ' ');
        ms += read_time(&in);
        ms -= read_offset(&in);
    }
    if (in.failed || in.at != in.end) {
        return false;
    }
    *out_ms = ms;
    return true;
}

/* ---- writing ---- */

struct date {
    int year;
    int month;
    int day;
};

/* The inverse of days_of_date. */
static struct date date_of_days(int64_t days)
{
    int64_t shifted = days + EPOCH;
    int64_t era = (shifted >= 0 ? shifted : shifted - (ERA_DAYS - 1)) / ERA_DAYS;
    int64_t day_of_era = shifted - era * ERA_DAYS;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 -
                           day_of_era / (ERA_DAYS - 1)) /
                          365;
    int64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t march_month = (5 * day_of_year + 2) / 153;
    int64_t month = march_month + (march_month < 10 ? 3 : -9);

    return (struct date){(int)(year_of_era + era * 400 + (month <= 2)), (int)month,
                         (int)(day_of_year - (153 * march_month + 2) / 5 + 1)};
}

struct moment {
    struct date date;
    int in_day; /* milliseconds */
};

static struct moment moment_of(int64_t ms)
{
    int64_t in_day = (ms % DAY_MS + DAY_MS) % DAY_MS;

    return (struct moment){date_of_days(ms / DAY_MS - (ms % DAY_MS < 0)), (int)in_day};
}

static size_t put(struct moment m, const char *year, const char *fraction, char *text)
{
    int n = snprintf(text, LIA_DATE_TEXT, "%s-%02d-%02dT%02d:%02d:%02d%sZ", year,
                     m.date.month, m.date.day, (int)(m.in_day / HOUR_MS),
                     (int)(m.in_day / MIN_MS % 60), (int)(m.in_day / SEC_MS % 60),
                     fraction);

    return n > 0 ? (size_t)n : 0;
}

size_t lia_date_print(int64_t ms, char text[static LIA_DATE_TEXT])
{
    struct moment m = moment_of(ms);
    char fraction[8] = "";
    char year[16];

    if (ms < LIA_DATE_TEXT_MIN || ms > LIA_DATE_TEXT_MAX) {
        return 0;
    }
    (void)snprintf(year, sizeof(year), "%04d", m.date.year);
    if (m.in_day % SEC_MS) {
        (void)snprintf(fraction, sizeof(fraction), ".%03d", (int)(m.in_day % SEC_MS));
    }
    return put(m, year, fraction, text);
}

size_t lia_date_print_any(int64_t ms, char text[static LIA_DATE_TEXT])
{
    struct moment m = moment_of(ms);
    bool is_common = m.date.year >= 0 && m.date.year <= 9999;
    char fraction[8];
    char year[16];

    (void)snprintf(year, sizeof(year), is_common ? "%04d" : "%+05d", m.date.year);
    (void)snprintf(fraction, sizeof(fraction), ".%03d", (int)(m.in_day % SEC_MS));
    return put(m, year, fraction, text);
}
