/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CLI_DEMO_RETAIL_H
#define LIA_CLI_DEMO_RETAIL_H
/*
 * cli/demo/retail - sales lines as the demo sees them: invoices and a catalogue.
 *
 * The file is CSV with the columns InvoiceNo, StockCode, Description, Quantity,
 * InvoiceDate (YYYY-MM-DD HH:MM:SS, read as UTC), UnitPrice, CustomerID and Country, in
 * any order; others are ignored. Invoices are counted from 0 as they first appear;
 * invoice i belongs to till i mod 3 + 1; its lines need not stand together.
 *
 * Rules: every line is checked when it is read: a value that does not parse is an error
 * that names line and column. An empty field is a field that is not there.
 * Ownership: a retail owns its text; all else points into it. Threads: none.
 */
#include <bson/bson.h>

#include "liana/liana.h"

#define DEMO_TILLS 3

struct demo_line {
    const char *code; /* NULL: not there, as with all of these */
    const char *description;
    const char *price;
    int32_t quantity;
    bool has_quantity;
};

struct demo_invoice {
    const char *number;
    const char *country;
    struct demo_line *lines;
    size_t line_count;
    size_t line_room;
    int64_t date_ms;
    int32_t customer;
    int32_t till; /* 1 to DEMO_TILLS */
    bool has_date;
    bool has_customer;
};

struct demo_item {
    const char *code;
    const char *description;
};

struct demo_retail {
    struct demo_invoice *invoices;
    size_t invoice_count;
    size_t invoice_room;
    struct demo_item *items; /* in the order in which they first appear */
    size_t item_count;
    size_t item_room;
    size_t line_count;
    struct demo_names *numbers; /* InvoiceNo -> index */
    struct demo_names *codes;   /* StockCode -> index */
    char **texts;
    size_t text_count;
    size_t text_room;
};

/* LIANA_ENOTFOUND, LIANA_ECSV, LIANA_EIO, LIANA_ENOMEM. */
LIANA_MUST_CHECK liana_status demo_retail_load(const char *path,
                                               struct demo_retail *out,
                                               struct liana_error *err);
void demo_retail_free(struct demo_retail *retail);

/* The document of `sales`; the caller destroys it. */
bson_t *demo_sale(const struct demo_invoice *invoice);

/* The document of `stock`. */
bson_t *demo_stock_item(const struct demo_item *item, int64_t start);

#endif
