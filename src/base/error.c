/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct row {
    liana_status status;
    enum liana_category category;
    const char *name;
    const char *text;
};

static const struct row rows[] = {
    {LIANA_OK, LIANA_CATEGORY_OK, "LIANA_OK", "success"},
#define LIANA_STATUS(number, name, category, text)                                     \
    {number, LIANA_CATEGORY_##category, #name, text},
#include "liana/errors.def"
#undef LIANA_STATUS
};

static const struct row *find(liana_status status)
{
    static const struct row unknown = {0, LIANA_CATEGORY_INTERNAL, "LIANA_EUNKNOWN",
                                       "unknown status"};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].status == status) {
            return &rows[i];
        }
    }
    return &unknown;
}

const char *liana_status_name(liana_status status)
{
    return find(status)->name;
}

const char *liana_status_text(liana_status status)
{
    return find(status)->text;
}

enum liana_category liana_status_category(liana_status status)
{
    return find(status)->category;
}

/* A message that was cut may end inside a UTF-8 character: take the piece away. */
static void trim_utf8(char *text)
{
    size_t len = strlen(text);
    size_t start = len;
    unsigned char lead;
    size_t width;

    while (start > 0 && ((unsigned char)text[start - 1] & 0xc0) == 0x80) {
        start--;
    }
    if (start == 0) {
        return;
    }
    lead = (unsigned char)text[start - 1];
    width = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
    if (len - (start - 1) < width) {
        text[start - 1] = '\0';
    }
}

liana_status lia_err_set(struct liana_error *err,
                         liana_status status,
                         int subcode,
                         const char *format,
                         ...)
{
    va_list args;
    int n;

    if (!err || err->status) {
        return status;
    }
    err->status = status;
    err->subcode = subcode;
    va_start(args, format);
    n = vsnprintf(err->message, sizeof(err->message), format, args);
    va_end(args);
    if (n >= (int)sizeof(err->message)) {
        trim_utf8(err->message);
    }
    return status;
}

void lia_err_prefix(struct liana_error *err, const char *format, ...)
{
    char rest[LIANA_ERROR_TEXT];
    va_list args;
    size_t used;
    int n;

    if (!err || !err->status) {
        return;
    }
    memcpy(rest, err->message, sizeof(rest));
    va_start(args, format);
    n = vsnprintf(err->message, sizeof(err->message), format, args);
    va_end(args);
    if (n < 0) {
        memcpy(err->message, rest, sizeof(rest));
        return;
    }
    used = strlen(err->message);
    n = snprintf(err->message + used, sizeof(err->message) - used, ": %s", rest);
    if (n >= (int)(sizeof(err->message) - used)) {
        trim_utf8(err->message);
    }
}

void lia_assert_failed(const char *what, const char *file, int line)
{
    (void)fprintf(stderr, "liana: assertion failed: %s (%s:%d)\n", what, file, line);
    abort();
}
