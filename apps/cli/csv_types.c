/* SPDX-License-Identifier: Apache-2.0 */
#define _XOPEN_SOURCE 700 /* strptime */
#include "cli/csv_types.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static const char *const type_names[] = {
    [CLI_CSV_AUTO] = "auto",     [CLI_CSV_STRING] = "string",
    [CLI_CSV_INT32] = "int32",   [CLI_CSV_INT64] = "int64",
    [CLI_CSV_DOUBLE] = "double", [CLI_CSV_DECIMAL] = "decimal",
    [CLI_CSV_BOOL] = "bool",     [CLI_CSV_OBJECTID] = "objectid",
    [CLI_CSV_DATE] = "date",
};

#define TYPE_COUNT (sizeof(type_names) / sizeof(type_names[0]))

const char *cli_csv_type_name(enum cli_csv_type type)
{
    return type_names[type];
}

void cli_csv_column_free(struct cli_csv_column *column)
{
    free(column->name);
    free(column->format);
    *column = (struct cli_csv_column){0};
}

/* ---- "name:type" ---- */

static bool find_type(const char *text, size_t len, enum cli_csv_type *out)
{
    for (size_t i = 0; i < TYPE_COUNT; i++) {
        if (strlen(type_names[i]) == len &&
            strncasecmp(type_names[i], text, len) == 0) {
            *out = (enum cli_csv_type)i;
            return true;
        }
    }
    return false;
}

/* The last colon outside of parentheses: a date's format may hold some. */
static size_t find_colon(const char *text, size_t len)
{
    size_t found = len;

    for (size_t i = 0; i < len && text[i] != '('; i++) {
        found = text[i] == ':' ? i : found;
    }
    return found;
}

bool cli_csv_parse_type(const char *text, size_t len, struct cli_csv_column *out)
{
    size_t colon = find_colon(text, len);
    const char *type = text + colon + 1;
    const char *open;
    size_t type_len;

    if (colon == len) {
        return false;
    }
    type_len = len - colon - 1;
    open = memchr(type, '(', type_len);
    *out = (struct cli_csv_column){0};
    if (open) {
        size_t format_len = type_len - (size_t)(open - type) - 1;

        if (format_len < 2 || text[len - 1] != ')') {
            return false;
        }
        out->format = strndup(open + 1, format_len - 1);
        type_len = (size_t)(open - type);
    }
    out->name = strndup(text, colon);
    if (!out->name || !find_type(type, type_len, &out->type) ||
        (open && (!out->format || out->type != CLI_CSV_DATE))) {
        cli_csv_column_free(out);
        return false;
    }
    return true;
}

/* ---- values ---- */

/* -?(0|[1-9][0-9]*) then, for other numbers than whole ones, .digits and an exponent. */
static bool looks_like_number(const char *text, bool *is_whole)
{
    const char *at = text + (text[0] == '-');

    if (!isdigit((unsigned char)*at) ||
        (at[0] == '0' && isdigit((unsigned char)at[1]))) {
        return false;
    }
    at += strspn(at, "0123456789");
    *is_whole = *at == '\0';
    if (*at == '.') {
        size_t digits = strspn(at + 1, "0123456789");

        if (digits == 0) {
            return false;
        }
        at += 1 + digits;
    }
    if (*at == 'e' || *at == 'E') {
        at += at[1] == '-' || at[1] == '+' ? 2 : 1;
        if (!isdigit((unsigned char)*at)) {
            return false;
        }
        at += strspn(at, "0123456789");
    }
    return *at == '\0';
}

static bool parse_int64(const char *text, int64_t *out)
{
    char *end;
    long long v;

    if (isspace((unsigned char)text[0]) || text[0] == '\0') {
        return false;
    }
    errno = 0;
    v = strtoll(text, &end, 10);
    *out = v;
    return *end == '\0' && errno == 0;
}

static bool parse_double(const char *text, double *out)
{
    char *end;

    if (isspace((unsigned char)text[0]) || text[0] == '\0') {
        return false;
    }
    *out = strtod(text, &end);
    /* A number beyond a double would become infinite: only "inf" itself may. */
    return *end == '\0' && (*out - *out == 0 || !isdigit((unsigned char)end[-1]));
}

static void append_int(int64_t v, const char *name, bson_t *to)
{
    if (v >= INT32_MIN && v <= INT32_MAX) {
        bson_append_int32(to, name, -1, (int32_t)v);
    } else {
        bson_append_int64(to, name, -1, v);
    }
}

static bool append_auto(struct liana_str text, const char *name, bson_t *to)
{
    bool is_whole;
    bool is_number =
        strlen(text.ptr) == text.len && looks_like_number(text.ptr, &is_whole);
    int64_t whole;
    double real;

    if (is_number && is_whole && strcmp(text.ptr, "-0") != 0 &&
        parse_int64(text.ptr, &whole)) {
        append_int(whole, name, to);
        return true;
    }
    if (is_number && !is_whole && parse_double(text.ptr, &real)) {
        return bson_append_double(to, name, -1, real);
    }
    return bson_append_utf8(to, name, -1, text.ptr, (int)text.len);
}

static bool parse_bool(const char *text, bool *out)
{
    static const char *const yes[] = {"true", "t", "yes", "y", "1"};
    static const char *const no[] = {"false", "f", "no", "n", "0"};

    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        if (strcasecmp(text, yes[i]) == 0 || strcasecmp(text, no[i]) == 0) {
            *out = strcasecmp(text, yes[i]) == 0;
            return true;
        }
    }
    return false;
}

/* Days since 1970 of a date of the proleptic Gregorian calendar. Howard Hinnant,
 * "chrono-Compatible Low-Level Date Algorithms", days_from_civil. */
static int64_t days_from_civil(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int64_t tm_ms(const struct tm *t)
{
    int64_t days =
        days_from_civil(t->tm_year + (int64_t)1900, t->tm_mon + 1, t->tm_mday);

    return (days * 86400 + t->tm_hour * 3600 + t->tm_min * 60 + t->tm_sec) * 1000;
}

/* "2010-12-01T08:26:00.123+01:00"; the time, its parts and the zone may be left out. */
static bool parse_iso8601(const char *text, int64_t *out)
{
    struct tm t = {0};
    int64_t extra_ms = 0;
    const char *at = strptime(text, "%Y-%m-%d", &t);

    if (at && (*at == 'T' || *at == ' ')) {
        const char *seconds = strptime(at + 1, "%H:%M:%S", &t);

        at = seconds ? seconds : strptime(at + 1, "%H:%M", &t);
    }
    if (at && *at == '.') {
        int64_t unit = 100;

        for (at++; isdigit((unsigned char)*at); at++, unit /= 10) {
            extra_ms += (*at - '0') * unit;
        }
    }
    if (at && *at == 'Z') {
        at++;
    } else if (at && (*at == '+' || *at == '-')) {
        struct tm zone = {0};
        int64_t sign = *at == '-' ? 1 : -1;
        const char *end = strptime(at + 1, "%H:%M", &zone);

        at = end ? end : strptime(at + 1, "%H%M", &zone);
        extra_ms += sign * (zone.tm_hour * 3600 + zone.tm_min * 60) * 1000;
    }
    *out = tm_ms(&t) + extra_ms;
    return at && *at == '\0';
}

static bool is_real_date(const char *text, const char *format, int64_t *out)
{
    struct tm t = {.tm_mday = 1};
    const char *end = strptime(text, format, &t);
    static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    *out = tm_ms(&t);
    return end && *end == '\0' && t.tm_mday <= days[t.tm_mon];
}

static bool append_decimal(const char *text, const char *name, bson_t *to)
{
    bson_decimal128_t v;

    return bson_decimal128_from_string(text, &v) &&
           bson_append_decimal128(to, name, -1, &v);
}

static bool append_objectid(const char *text, const char *name, bson_t *to)
{
    bson_oid_t v;

    if (!bson_oid_is_valid(text, strlen(text))) {
        return false;
    }
    bson_oid_init_from_string(&v, text);
    return bson_append_oid(to, name, -1, &v);
}

bool cli_csv_append(const struct cli_csv_column *column,
                    const char *name,
                    struct liana_str text,
                    bson_t *to)
{
    int64_t whole;
    double real;
    bool truth;

    if (column->type == CLI_CSV_STRING) {
        return bson_append_utf8(to, name, -1, text.ptr, (int)text.len);
    }
    if (column->type == CLI_CSV_AUTO) {
        return append_auto(text, name, to);
    }
    if (strlen(text.ptr) != text.len) {
        return false;
    }
    switch (column->type) {
    case CLI_CSV_INT32:
        return parse_int64(text.ptr, &whole) && whole >= INT32_MIN &&
               whole <= INT32_MAX && bson_append_int32(to, name, -1, (int32_t)whole);
    case CLI_CSV_INT64:
        return parse_int64(text.ptr, &whole) && bson_append_int64(to, name, -1, whole);
    case CLI_CSV_DOUBLE:
        return parse_double(text.ptr, &real) && bson_append_double(to, name, -1, real);
    case CLI_CSV_DECIMAL: return append_decimal(text.ptr, name, to);
    case CLI_CSV_BOOL:
        return parse_bool(text.ptr, &truth) && bson_append_bool(to, name, -1, truth);
    case CLI_CSV_OBJECTID: return append_objectid(text.ptr, name, to);
    case CLI_CSV_DATE:
        return (column->format ? is_real_date(text.ptr, column->format, &whole)
                               : parse_iso8601(text.ptr, &whole)) &&
               bson_append_date_time(to, name, -1, whole);
    case CLI_CSV_AUTO:
    case CLI_CSV_STRING: break;
    }
    return false;
}
