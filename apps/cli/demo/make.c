/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/demo/make.h"

#include <inttypes.h>
#include <string.h>

#include "cli/demo/random.h"

#define CODES     400
#define LINES_MAX 120

static const char *const words[] = {"WHITE", "RED",    "HEART",   "LANTERN",
                                    "MUG",   "SET OF", "VINTAGE", "KEY RING",
                                    "BAG",   "CANDLE"};

/* Each is a whole Description as it stands in the file. */
static const char *const odd[] = {
    "\"\"",
    "\"RECORD FRAME 7\"\" SINGLE SIZE \"",
    "\"two lines\r\nof text\"",
    "\"commas, and, more\"",
    " blanks around ",
    "Caf\xc3\xa9 M\xc3\xbcller \xe2\x98\x95",
    "\xe8\x8c\xb6\xe9\x81\x93\xe5\x85\xb7",
    "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d",
    "\xf0\x9f\x8e\x81 gift \xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7",
    "e\xcc\x81 is not \xc3\xa9",
    "tab\there",
    "?",
    "'single' $dollar {brace} .dot",
};

static const char *const countries[] = {"United Kingdom", "France", "EIRE",
                                        "\"Korea, Republic of\"", "\xc3\x85land"};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static void put_code(FILE *file, struct demo_random *r)
{
    static const char *const special[] = {"POST", "D", "M", "BANK CHARGES", "DOT"};
    uint64_t code;

    if (demo_random_chance(r, 3)) {
        fputs(special[demo_random_below(r, COUNT_OF(special))], file);
        return;
    }
    /* Most sales are of few things: the smaller of two draws. */
    code = demo_random_below(r, CODES);
    if (demo_random_chance(r, 50)) {
        code = demo_random_below(r, code + 1);
    }
    fprintf(file, "%" PRIu64, 20000 + code);
    if (code % 20 == 0) {
        putc(demo_random_chance(r, 50) ? 'A' : 'a', file);
    }
}

static void put_description(FILE *file, struct demo_random *r)
{
    if (demo_random_chance(r, 5)) {
        return;
    }
    if (demo_random_chance(r, 20)) {
        fputs(odd[demo_random_below(r, COUNT_OF(odd))], file);
        return;
    }
    fprintf(file, "%s %s %" PRIu64, words[demo_random_below(r, COUNT_OF(words))],
            words[demo_random_below(r, COUNT_OF(words))], demo_random_below(r, 50));
}

static void put_quantity(FILE *file, struct demo_random *r, bool is_cancelled)
{
    int64_t quantity = 1 + (int64_t)demo_random_below(r, 24);

    if (demo_random_chance(r, 1)) {
        return;
    }
    if (demo_random_chance(r, 1)) {
        quantity *= 1000;
    }
    if (is_cancelled || demo_random_chance(r, 2)) {
        quantity = -quantity;
    }
    fprintf(file, "%" PRId64, quantity);
}

static void put_price(FILE *file, struct demo_random *r)
{
    static const char *const prices[] = {"0",
                                         "0.00",
                                         "0.0",
                                         "2.50",
                                         "-11062.06",
                                         "0.0000000000000000000000000000000001",
                                         "1234567890123456789012345678901.234",
                                         "9999999999999999999999999999999999"};

    if (demo_random_chance(r, 1)) {
        return;
    }
    if (demo_random_chance(r, 5)) {
        fputs(prices[demo_random_below(r, COUNT_OF(prices))], file);
        return;
    }
    fprintf(file, "%" PRIu64 ".%02" PRIu64, demo_random_below(r, 30),
            demo_random_below(r, 100));
}

struct invoice {
    uint64_t number;
    uint64_t minute; /* since the morning of 2011-01-03 */
    bool is_cancelled;
    uint64_t customer; /* 0: none */
    uint64_t country;
};

static void put_line(FILE *file, struct demo_random *r, const struct invoice *i)
{
    uint64_t day = i->minute / 600;
    uint64_t minute = i->minute % 600;

    fprintf(file, "%s%" PRIu64 ",", i->is_cancelled ? "C" : "", i->number);
    put_code(file, r);
    putc(',', file);
    put_description(file, r);
    putc(',', file);
    put_quantity(file, r, i->is_cancelled);
    fprintf(file, ",2011-%02" PRIu64 "-%02" PRIu64 " %02" PRIu64 ":%02" PRIu64 ":00,",
            1 + day / 28 % 12, 1 + day % 28, 8 + minute / 60, minute % 60);
    put_price(file, r);
    putc(',', file);
    if (i->customer) {
        fprintf(file, "%" PRIu64 "%s", i->customer,
                demo_random_chance(r, 80) ? ".0" : "");
    }
    fprintf(file, ",%s\r\n",
            i->country < COUNT_OF(countries) ? countries[i->country] : "");
}

static struct invoice draw_invoice(struct demo_random *r, uint64_t index)
{
    return (struct invoice){
        .number = 540000 + index,
        .minute = index * 2,
        .is_cancelled = demo_random_chance(r, 10),
        .customer = demo_random_chance(r, 70) ? 12000 + demo_random_below(r, 900) : 0,
        .country = demo_random_chance(r, 80)
                       ? 0
                       : demo_random_below(r, COUNT_OF(countries) + 1)};
}

static size_t draw_lines(struct demo_random *r)
{
    return demo_random_chance(r, 3) ? 20 + demo_random_below(r, LINES_MAX - 20)
                                    : 1 + demo_random_below(r, 12);
}

void demo_make_lines(FILE *file, uint64_t seed, size_t invoices)
{
    struct demo_random r = {seed};
    struct invoice before = {0};

    fputs("\xef\xbb\xbf"
          "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,"
          "Country\r\n",
          file);
    for (size_t i = 0; i < invoices; i++) {
        struct invoice now = draw_invoice(&r, i);
        size_t lines = draw_lines(&r);

        for (size_t n = 0; n < lines; n++) {
            struct demo_random same = r;

            put_line(file, &r, &now);
            if (demo_random_chance(&r, 2)) {
                put_line(file, &same, &now);
            }
        }
        if (before.number && demo_random_chance(&r, 3)) {
            put_line(file, &r, &before);
        }
        before = now;
    }
}
