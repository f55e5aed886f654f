/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/demo/retail.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/csv.h"
#include "cli/demo/names.h"
#include "cli/error.h"

enum column {
    INVOICE,
    CODE,
    DESCRIPTION,
    QUANTITY,
    DATE,
    PRICE,
    CUSTOMER,
    COUNTRY,
    COLUMNS
};

static const char *const columns[COLUMNS] = {
    [INVOICE] = "InvoiceNo",   [CODE] = "StockCode",   [DESCRIPTION] = "Description",
    [QUANTITY] = "Quantity",   [DATE] = "InvoiceDate", [PRICE] = "UnitPrice",
    [CUSTOMER] = "CustomerID", [COUNTRY] = "Country"};

struct load {
    struct demo_retail *retail;
    const char *path;
    size_t places[COLUMNS]; /* of each column in a row */
    size_t width;
    bool has_header;
    const struct cli_csv_row *row;
    struct liana_error *err;
};

static liana_status no_memory(struct liana_error *err)
{
    return cli_err(err, LIANA_ENOMEM, "out of memory");
}

static liana_status bad_value(struct load *l, enum column column, const char *why)
{
    return cli_err(l->err, LIANA_ECSV, "%s, line %" PRIu64 ", %s: %s", l->path,
                   l->row->line, columns[column], why);
}

static bool ensure(void **array, size_t *room, size_t count, size_t size)
{
    void *grown;

    if (count < *room) {
        return true;
    }
    grown = realloc(*array, (*room * 2 + 8) * size);
    if (!grown) {
        return false;
    }
    *array = grown;
    *room = *room * 2 + 8;
    return true;
}

/* ---- values ---- */

/* A text that lives as long as the retail; NULL for a field that is not there, and when
 * out of memory, which sets `*failed`. */
static const char *keep(struct load *l, enum column column, bool *failed)
{
    struct demo_retail *r = l->retail;
    struct liana_str field = l->row->fields[l->places[column]];
    char *text;

    if (field.len == 0) {
        return NULL;
    }
    if (!ensure((void **)&r->texts, &r->text_room, r->text_count, sizeof(*r->texts))) {
        *failed = true;
        return NULL;
    }
    text = strndup(field.ptr, field.len);
    if (!text) {
        *failed = true;
        return NULL;
    }
    r->texts[r->text_count++] = text;
    return text;
}

/* "12346" and "17850.0": what spreadsheets make of a number. */
static bool read_int32(struct liana_str field, int32_t *out)
{
    char text[40];
    char *end;
    long long value;

    if (field.len >= sizeof(text)) {
        return false;
    }
    memcpy(text, field.ptr, field.len);
    text[field.len] = '\0';
    errno = 0;
    value = strtoll(text, &end, 10);
    if (end == text || errno || value < INT32_MIN || value > INT32_MAX) {
        return false;
    }
    if (*end == '.') {
        end += 1 + strspn(end + 1, "0");
    }
    *out = (int32_t)value;
    return *end == '\0';
}

static bool read_digits(const char **at, size_t count, int *out)
{
    *out = 0;
    for (; count > 0; count--, (*at)++) {
        if (**at < '0' || **at > '9') {
            return false;
        }
        *out = *out * 10 + (**at - '0');
    }
    return true;
}

static bool read_sign(const char **at, char sign)
{
    return *(*at)++ == sign;
}

/* Days since 1970 of a date of the Gregorian calendar (Howard Hinnant, "chrono-Compatible
 * Low-Level Date Algorithms", days_from_civil). */
static int64_t days_from_civil(int64_t year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool is_date(int year, int month, int day)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month >= 1 && month <= 12 && day >= 1 &&
           day <= lengths[month - 1] + (month == 2 && is_leap);
}

/* YYYY-MM-DD HH:MM:SS. */
static bool read_date(struct liana_str field, int64_t *out_ms)
{
    char text[20];
    const char *at = text;
    int year;
    int month;
    int day;
    int hour;
    int minute;
    int second;

    if (field.len != 19) {
        return false;
    }
    memcpy(text, field.ptr, field.len);
    text[19] = '\0';
    if (!read_digits(&at, 4, &year) || !read_sign(&at, '-') ||
        !read_digits(&at, 2, &month) || !read_sign(&at, '-') ||
        !read_digits(&at, 2, &day) || !read_sign(&at, ' ') ||
        !read_digits(&at, 2, &hour) || !read_sign(&at, ':') ||
        !read_digits(&at, 2, &minute) || !read_sign(&at, ':') ||
        !read_digits(&at, 2, &second) || !is_date(year, month, day) || hour > 23 ||
        minute > 59 || second > 59) {
        return false;
    }
    *out_ms = ((days_from_civil(year, month, day) * 24 + hour) * 60 + minute) * 60000 +
              (int64_t)second * 1000;
    return true;
}

/* "E+3", "e-2" or nothing. */
static bool read_exponent(const char *at, long *out)
{
    char *end;

    *out = 0;
    if (*at == '\0') {
        return true;
    }
    if ((*at != 'E' && *at != 'e') || isspace((unsigned char)at[1])) {
        return false;
    }
    errno = 0;
    *out = strtol(at + 1, &end, 10);
    return end != at + 1 && *end == '\0' && errno == 0;
}

/* Of a Decimal128 as coefficient and exponent. */
enum { EXPONENT_MIN = -6176, EXPONENT_MAX = 6111 };

/* A price keeps every digit and its exponent, so both must fit into a Decimal128 as they
 * are: no rounding, no clamping (IEEE 754-2008, 3.5.2). */
static bool is_price(struct liana_str field)
{
    bson_decimal128_t value;
    char text[128];
    const char *at = text;
    size_t digits = 0;
    long behind_point = 0;
    long exponent = 0;
    bool has_point = false;

    if (field.len >= sizeof(text)) {
        return false;
    }
    memcpy(text, field.ptr, field.len);
    text[field.len] = '\0';
    at += *at == '+' || *at == '-';
    for (; isdigit((unsigned char)*at) || (*at == '.' && !has_point); at++) {
        has_point = has_point || *at == '.';
        behind_point += has_point && *at != '.';
        digits += *at != '.' && (digits > 0 || *at != '0');
    }
    return read_exponent(at, &exponent) && digits <= 34 &&
           exponent - behind_point >= EXPONENT_MIN &&
           exponent - behind_point <= EXPONENT_MAX &&
           bson_decimal128_from_string(text, &value);
}

/* ---- rows ---- */

static bool is_column(struct liana_str field, const char *name)
{
    return field.len == strlen(name) && memcmp(field.ptr, name, field.len) == 0;
}

static liana_status read_header(struct load *l)
{
    for (size_t c = 0; c < COLUMNS; c++) {
        l->places[c] = SIZE_MAX;
        for (size_t i = 0; i < l->row->count; i++) {
            if (!is_column(l->row->fields[i], columns[c])) {
                continue;
            }
            if (l->places[c] != SIZE_MAX) {
                return cli_err(l->err, LIANA_ECSV,
                               "%s, line %" PRIu64 ": two columns %s", l->path,
                               l->row->line, columns[c]);
            }
            l->places[c] = i;
        }
        if (l->places[c] == SIZE_MAX) {
            return cli_err(l->err, LIANA_ECSV, "%s: no column %s", l->path, columns[c]);
        }
    }
    l->width = l->row->count;
    l->has_header = true;
    return LIANA_OK;
}

static struct liana_str field(const struct load *l, enum column column)
{
    return l->row->fields[l->places[column]];
}

/* What an invoice has from its first line; in every line it must be readable. */
static liana_status read_head(struct load *l, struct demo_invoice *out)
{
    *out = (struct demo_invoice){
        .has_date = field(l, DATE).len > 0,
        .has_customer = field(l, CUSTOMER).len > 0,
    };
    if (out->has_date && !read_date(field(l, DATE), &out->date_ms)) {
        return bad_value(l, DATE, "no date of the form YYYY-MM-DD HH:MM:SS");
    }
    if (out->has_customer && !read_int32(field(l, CUSTOMER), &out->customer)) {
        return bad_value(l, CUSTOMER, "no whole number of 32 bits");
    }
    return LIANA_OK;
}

static liana_status new_invoice(struct load *l,
                                const char *number,
                                const struct demo_invoice *head,
                                struct demo_invoice **out)
{
    struct demo_retail *r = l->retail;
    struct demo_invoice *invoice;
    bool failed = false;

    if (!ensure((void **)&r->invoices, &r->invoice_room, r->invoice_count,
                sizeof(*r->invoices)) ||
        !demo_names_add(r->numbers, number, r->invoice_count)) {
        return no_memory(l->err);
    }
    invoice = &r->invoices[r->invoice_count];
    *invoice = *head;
    invoice->number = number;
    invoice->country = keep(l, COUNTRY, &failed);
    invoice->till = (int32_t)(r->invoice_count % DEMO_TILLS) + 1;
    if (failed) {
        return no_memory(l->err);
    }
    r->invoice_count++;
    *out = invoice;
    return LIANA_OK;
}

static liana_status find_invoice(struct load *l, struct demo_invoice **out)
{
    struct demo_retail *r = l->retail;
    bool failed = false;
    const char *number = keep(l, INVOICE, &failed);
    struct demo_invoice head;
    liana_status status = read_head(l, &head);
    size_t index;

    if (status || failed) {
        return status ? status : no_memory(l->err);
    }
    if (!number) {
        return bad_value(l, INVOICE, "a sale without a number");
    }
    index = demo_names_get(r->numbers, number);
    if (index == SIZE_MAX) {
        return new_invoice(l, number, &head, out);
    }
    *out = &r->invoices[index];
    return LIANA_OK;
}

static liana_status add_item(struct load *l, const struct demo_line *line)
{
    struct demo_retail *r = l->retail;
    size_t index;

    if (!line->code) {
        return LIANA_OK;
    }
    index = demo_names_get(r->codes, line->code);
    if (index == SIZE_MAX) {
        if (!ensure((void **)&r->items, &r->item_room, r->item_count,
                    sizeof(*r->items)) ||
            !demo_names_add(r->codes, line->code, r->item_count)) {
            return no_memory(l->err);
        }
        index = r->item_count++;
        r->items[index] = (struct demo_item){.code = line->code};
    }
    if (!r->items[index].description) {
        r->items[index].description = line->description;
    }
    return LIANA_OK;
}

static liana_status read_line(struct load *l, struct demo_line *out)
{
    bool failed = false;

    *out = (struct demo_line){
        .code = keep(l, CODE, &failed),
        .description = keep(l, DESCRIPTION, &failed),
        .price = keep(l, PRICE, &failed),
        .has_quantity = field(l, QUANTITY).len > 0,
    };
    if (failed) {
        return no_memory(l->err);
    }
    if (out->has_quantity && !read_int32(field(l, QUANTITY), &out->quantity)) {
        return bad_value(l, QUANTITY, "no whole number of 32 bits");
    }
    if (out->price && !is_price(field(l, PRICE))) {
        return bad_value(l, PRICE, "no decimal number of at most 34 digits");
    }
    return LIANA_OK;
}

static liana_status on_row(void *ctx,
                           const struct cli_csv_row *row,
                           struct liana_error *err)
{
    struct load *l = ctx;
    struct demo_invoice *invoice = NULL;
    struct demo_line line;
    liana_status status;

    l->row = row;
    l->err = err;
    if (row->not_text) {
        return cli_err(err, LIANA_ECSV,
                       "%s, line %" PRIu64 ": field %zu is no UTF-8 text without NUL",
                       l->path, row->line, row->not_text);
    }
    if (!l->has_header) {
        return read_header(l);
    }
    if (row->count != l->width) {
        return cli_err(err, LIANA_ECSV,
                       "%s, line %" PRIu64 ": %zu fields, the header has %zu", l->path,
                       row->line, row->count, l->width);
    }
    status = find_invoice(l, &invoice);
    if (!status) {
        status = read_line(l, &line);
    }
    if (!status) {
        status = add_item(l, &line);
    }
    if (status) {
        return status;
    }
    if (!ensure((void **)&invoice->lines, &invoice->line_room, invoice->line_count,
                sizeof(line))) {
        return no_memory(err);
    }
    invoice->lines[invoice->line_count++] = line;
    l->retail->line_count++;
    return LIANA_OK;
}

liana_status demo_retail_load(const char *path,
                              struct demo_retail *out,
                              struct liana_error *err)
{
    struct demo_retail retail = {.numbers = demo_names_new(),
                                 .codes = demo_names_new()};
    struct load load = {.retail = &retail, .path = path};
    FILE *file = fopen(path, "r");
    liana_status status;

    if (!file) {
        status = cli_err(err, errno == ENOENT ? LIANA_ENOTFOUND : LIANA_EIO, "%s: %s",
                         path, strerror(errno));
    } else if (!retail.numbers || !retail.codes) {
        status = no_memory(err);
    } else {
        status = cli_csv_read(file, path, ',', on_row, &load, err);
    }
    if (file && fclose(file) != 0 && !status) {
        status = cli_err(err, LIANA_EIO, "%s: %s", path, strerror(errno));
    }
    if (!status && retail.invoice_count == 0) {
        status = cli_err(err, LIANA_ECSV, "%s: no sales lines", path);
    }
    if (status) {
        demo_retail_free(&retail);
        return status;
    }
    *out = retail;
    return LIANA_OK;
}

void demo_retail_free(struct demo_retail *retail)
{
    for (size_t i = 0; i < retail->invoice_count; i++) {
        free(retail->invoices[i].lines);
    }
    for (size_t i = 0; i < retail->text_count; i++) {
        free(retail->texts[i]);
    }
    free(retail->invoices);
    free(retail->items);
    free(retail->texts);
    demo_names_free(retail->numbers);
    demo_names_free(retail->codes);
    *retail = (struct demo_retail){0};
}

/* ---- documents ---- */

static void append_line(bson_t *lines, size_t index, const struct demo_line *line)
{
    char name[24];
    bson_t out;

    snprintf(name, sizeof(name), "%zu", index);
    BSON_APPEND_DOCUMENT_BEGIN(lines, name, &out);
    BSON_APPEND_INT32(&out, "line", (int32_t)index + 1);
    if (line->code) {
        BSON_APPEND_UTF8(&out, "stockCode", line->code);
    }
    if (line->description) {
        BSON_APPEND_UTF8(&out, "description", line->description);
    }
    if (line->has_quantity) {
        BSON_APPEND_INT32(&out, "quantity", line->quantity);
    }
    if (line->price) {
        bson_decimal128_t price;

        /* It was checked when the line was read. */
        bson_decimal128_from_string(line->price, &price);
        BSON_APPEND_DECIMAL128(&out, "unitPrice", &price);
    }
    bson_append_document_end(lines, &out);
}

bson_t *demo_sale(const struct demo_invoice *invoice)
{
    bson_t *out = bson_new();
    bson_t lines;

    BSON_APPEND_UTF8(out, "_id", invoice->number);
    if (invoice->has_date) {
        BSON_APPEND_DATE_TIME(out, "date", invoice->date_ms);
    }
    if (invoice->has_customer) {
        BSON_APPEND_INT32(out, "customerId", invoice->customer);
    }
    if (invoice->country) {
        BSON_APPEND_UTF8(out, "country", invoice->country);
    }
    BSON_APPEND_INT32(out, "till", invoice->till);
    BSON_APPEND_BOOL(out, "cancelled", invoice->number[0] == 'C');
    BSON_APPEND_ARRAY_BEGIN(out, "lines", &lines);
    for (size_t i = 0; i < invoice->line_count; i++) {
        append_line(&lines, i, &invoice->lines[i]);
    }
    bson_append_array_end(out, &lines);
    return out;
}

bson_t *demo_stock_item(const struct demo_item *item, int64_t start)
{
    bson_t *out = bson_new();

    BSON_APPEND_UTF8(out, "_id", item->code);
    if (item->description) {
        BSON_APPEND_UTF8(out, "description", item->description);
    }
    BSON_APPEND_INT64(out, "onHand", start);
    return out;
}
