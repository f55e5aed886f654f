/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/testing/files.h"
#include "base/testing/test.h"
#include "cli/csv.h"
#include "cli/demo/make.h"
#include "cli/demo/names.h"
#include "cli/demo/retail.h"

#define HEADER                                                                         \
    "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,"       \
    "Country\n"

static char path[LIA_TEST_PATH_MAX + 20];
static char folder[LIA_TEST_PATH_MAX];

static void write_file(const char *text)
{
    FILE *file;

    if (!folder[0]) {
        lia_test_scratch(folder);
        snprintf(path, sizeof(path), "%s/lines.csv", folder);
    }
    file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

static void assert_json(bson_t *document, const char *expected)
{
    char *json = bson_as_canonical_extended_json(document, NULL);

    assert_string_equal(json, expected);
    bson_free(json);
    bson_destroy(document);
}

static void test_documents(void **state)
{
    struct demo_retail r;

    (void)state;
    write_file(
        "\xef\xbb\xbf"
        "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,"
        "Country\r\n"
        "1,A, x ,6,2010-12-01 08:26:00,2.50,17850.0,UK\r\n"
        "\r\n"
        "C2,b,\"two\r\nlines \"\"q\"\"\",-3,1969-12-31 23:59:59,"
        "1234567890123456789012345678901.234,,\r\n"
        "1,B,,2,2010-12-01 09:00:00,,1,FR\r\n"
        "3,A,later,,,0.00,12346,\r\n");
    assert_ok(demo_retail_load(path, &r, NULL));
    assert_int_equal(r.invoice_count, 3);
    assert_int_equal(r.line_count, 4);
    assert_int_equal(r.item_count, 3);
    assert_json(
        demo_sale(&r.invoices[0]),
        "{ \"_id\" : \"1\", \"date\" : { \"$date\" : { \"$numberLong\" : "
        "\"1291191960000\" } }, \"customerId\" : { \"$numberInt\" : \"17850\" }, "
        "\"country\" : \"UK\", \"till\" : { \"$numberInt\" : \"1\" }, \"cancelled\" : "
        "false, \"lines\" : [ { \"line\" : { \"$numberInt\" : \"1\" }, \"stockCode\" : "
        "\"A\", \"description\" : \" x \", \"quantity\" : { \"$numberInt\" : \"6\" }, "
        "\"unitPrice\" : { \"$numberDecimal\" : \"2.50\" } }, { \"line\" : { "
        "\"$numberInt\" : \"2\" }, \"stockCode\" : \"B\", \"quantity\" : { "
        "\"$numberInt\" : \"2\" } } ] }");
    assert_json(
        demo_sale(&r.invoices[1]),
        "{ \"_id\" : \"C2\", \"date\" : { \"$date\" : { \"$numberLong\" : \"-1000\" } "
        "}, "
        "\"till\" : { \"$numberInt\" : \"2\" }, \"cancelled\" : true, \"lines\" : [ { "
        "\"line\" : { \"$numberInt\" : \"1\" }, \"stockCode\" : \"b\", \"description\" "
        ": "
        "\"two\\r\\nlines \\\"q\\\"\", \"quantity\" : { \"$numberInt\" : \"-3\" }, "
        "\"unitPrice\" : { \"$numberDecimal\" : "
        "\"1234567890123456789012345678901.234\" } } ] }");
    assert_json(demo_stock_item(&r.items[0], 1000000),
                "{ \"_id\" : \"A\", \"description\" : \" x \", \"onHand\" : { "
                "\"$numberLong\" : \"1000000\" } }");
    assert_json(demo_stock_item(&r.items[2], 5),
                "{ \"_id\" : \"B\", \"onHand\" : { \"$numberLong\" : \"5\" } }");
    demo_retail_free(&r);
}

static void test_bad_lines_are_named(void **state)
{
    static const struct {
        const char *text;
        const char *message;
    } cases[] = {
        {"a,b\n1,2\n", "no column InvoiceNo"},
        {"", "no sales lines"},
        {HEADER, "no sales lines"},
        {HEADER "1,A,x,1,2010-12-01 08:26:00,1,1\n", "line 2: 7 fields"},
        {HEADER "1,A,x,y,2010-12-01 08:26:00,1,1,\n", "line 2, Quantity"},
        {HEADER "1,A,x,99999999999,2010-12-01 08:26:00,1,1,\n", "line 2, Quantity"},
        {HEADER "1,A,x,1.5,2010-12-01 08:26:00,1,1,\n", "line 2, Quantity"},
        {HEADER "1,A,x,1,01/12/2010,1,1,\n", "line 2, InvoiceDate"},
        {HEADER "1,A,x,1,2010-02-29 08:26:00,1,1,\n", "line 2, InvoiceDate"},
        {HEADER "1,A,x,1,2010-12-01 24:26:00,1,1,\n", "line 2, InvoiceDate"},
        {HEADER "1,A,x,1,2010-12-01 08:26:00,1,1,\n1,A,x,1,1.12.2010,1,1,\n",
         "line 3, InvoiceDate"},
        {HEADER "1,A,x,1,2010-12-01 08:26:00,1,1,\n1,A,x,1,,1,me,\n",
         "line 3, CustomerID"},
        {"Quantity," HEADER, "line 1: two columns Quantity"},
        {HEADER "1,A,x,1,2010-12-01 08:26:00,12345678901234567890123456789012345,1,\n",
         "line 2, UnitPrice"},
        {HEADER "1,A,x,1,2010-12-01 08:26:00,1,x,\n", "line 2, CustomerID"},
        {HEADER "1,A,\"x\ny\",1,2010-12-01 08:26:00,1,,\n,A,x,1,,1,,\n",
         "line 4, InvoiceNo"},
        {HEADER "1,A,a\"b,1,,1,,\n", "line 2: a quote stands where none may be"},
        {HEADER "1,A,\"ab,1,,1,,\n", "line 2: a quoted field that does not end"},
        {HEADER "1,A,\xff,1,,1,,\n", "line 2: field 3 is no UTF-8"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct liana_error err = LIANA_ERROR_INIT;
        struct demo_retail r;

        write_file(cases[i].text);
        assert_status(LIANA_ECSV, demo_retail_load(path, &r, &err));
        if (!strstr(err.message, cases[i].message)) {
            fail_msg("%s instead of %s", err.message, cases[i].message);
        }
    }
}

static void assert_price(const char *price, const char *expected)
{
    struct demo_retail r;
    struct liana_error err = LIANA_ERROR_INIT;
    char text[400];
    char *json;
    bson_t *sale;

    snprintf(text, sizeof(text), HEADER "1,A,x,1,,%s,,\n", price);
    write_file(text);
    if (!expected) {
        assert_status(LIANA_ECSV, demo_retail_load(path, &r, &err));
        assert_non_null(strstr(err.message, "line 2, UnitPrice"));
        return;
    }
    assert_ok(demo_retail_load(path, &r, &err));
    sale = demo_sale(&r.invoices[0]);
    json = bson_as_canonical_extended_json(sale, NULL);
    snprintf(text, sizeof(text), "{ \"$numberDecimal\" : \"%s\" }", expected);
    if (!strstr(json, text)) {
        fail_msg("%s: %s", price, json);
    }
    bson_free(json);
    bson_destroy(sale);
    demo_retail_free(&r);
}

/* The digits and the exponent are those of the text, or it is refused. */
static void test_prices(void **state)
{
    (void)state;
    assert_price("2.50", "2.50");
    assert_price("-0.00", "-0.00");
    assert_price("0E+3", "0E+3");
    assert_price("+1.20", "1.20");
    assert_price(".5", "0.5");
    assert_price("5.", "5");
    assert_price("000000000000000000000000000000000000000000000002.50", "2.50");
    assert_price("1234567890123456789012345678901234",
                 "1234567890123456789012345678901234");
    assert_price("0.1234567890123456789012345678901234",
                 "0.1234567890123456789012345678901234");
    assert_price("1e3", "1E+3");
    assert_price("1.5E-7", "1.5E-7");
    assert_price("9E-6176", "9E-6176");
    assert_price("9E+6111", "9E+6111");
    assert_price("9E+6112", NULL); /* could only be held as 90E+6111 */
    assert_price("0.9E-6176", NULL);
    assert_price("0E+6112", NULL);
    assert_price("1E+99999999999999999999", NULL);
    assert_price("1.2345678901234567890123456789012345", NULL);
    assert_price("1.0000000000000000000000000000000000", NULL);
    assert_price("1e", NULL);
    assert_price("1e+", NULL);
    assert_price("e3", NULL);
    assert_price("1.2.3", NULL);
    assert_price("--1", NULL);
    assert_price("0x10", NULL);
    assert_price("NaN", NULL);
    assert_price("Infinity", NULL);
    assert_price(" 1", NULL);
    assert_price("-", NULL);
    assert_price(".", NULL);
}

static void make(uint64_t seed, size_t invoices)
{
    FILE *file;

    write_file("");
    file = fopen(path, "w");
    assert_non_null(file);
    demo_make_lines(file, seed, invoices);
    assert_int_equal(fclose(file), 0);
}

static void test_made_lines_load(void **state)
{
    struct demo_retail r;
    size_t cancelled = 0;
    size_t anonymous = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        make(seed, 300);
        assert_ok(demo_retail_load(path, &r, NULL));
        assert_int_equal(r.invoice_count, 300);
        for (size_t i = 0; i < r.invoice_count; i++) {
            cancelled += r.invoices[i].number[0] == 'C';
            anonymous += !r.invoices[i].has_customer;
        }
        demo_retail_free(&r);
    }
    assert_in_range(cancelled, 75, 300);
    assert_in_range(anonymous, 225, 900);
}

static void test_the_same_seed_makes_the_same_bytes(void **state)
{
    struct lia_buf one;
    struct lia_buf two;
    char other[sizeof(path)];

    (void)state;
    lia_buf_init(&one, &lia_mem_libc);
    lia_buf_init(&two, &lia_mem_libc);
    for (int i = 0; i < 2; i++) {
        FILE *file;
        char buffer[4096];
        size_t n;

        make(9, 50);
        snprintf(other, sizeof(other), "%s", path);
        file = fopen(other, "r");
        assert_non_null(file);
        while ((n = fread(buffer, 1, sizeof(buffer), file)) > 0) {
            lia_buf_bytes(i ? &two : &one, buffer, n);
        }
        assert_int_equal(fclose(file), 0);
    }
    assert_slice_equal(lia_buf_slice(&one), lia_buf_slice(&two));
    lia_buf_deinit(&one);
    lia_buf_deinit(&two);
}

static void test_the_real_file(void **state)
{
    char real[LIA_TEST_PATH_MAX];
    struct demo_retail r;

    (void)state;
    lia_test_shared_path("retail/online-retail-2010-12-01_08.csv", real);
    assert_ok(demo_retail_load(real, &r, NULL));
    assert_int_equal(r.invoice_count, 905);
    assert_int_equal(r.line_count, 19632);
    assert_int_equal(r.item_count, 2403);
    demo_retail_free(&r);
}

static void test_names(void **state)
{
    struct demo_names *names = demo_names_new();
    static char texts[1000][8];

    (void)state;
    for (size_t i = 0; i < 1000; i++) {
        snprintf(texts[i], sizeof(texts[i]), "n%zu", i);
        assert_int_equal(demo_names_get(names, texts[i]), SIZE_MAX);
        assert_true(demo_names_add(names, texts[i], i));
    }
    for (size_t i = 0; i < 1000; i++) {
        assert_int_equal(demo_names_get(names, texts[i]), i);
    }
    demo_names_free(names);
}

static int remove_folder(void **state)
{
    (void)state;
    if (folder[0]) {
        lia_test_scratch_remove(folder);
    }
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_documents),
        cmocka_unit_test(test_bad_lines_are_named),
        cmocka_unit_test(test_prices),
        cmocka_unit_test(test_made_lines_load),
        cmocka_unit_test(test_the_same_seed_makes_the_same_bytes),
        cmocka_unit_test(test_the_real_file),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, remove_folder);
}
