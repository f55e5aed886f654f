/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/csv_types.h"

/* The field as canonical Extended JSON of {"v": ...}; "refused" if it is not of the type. */
static void expect(const char *type, const char *text, const char *json)
{
    char spec[100];
    struct cli_csv_column column;
    struct liana_str field = {text, strlen(text)};
    bson_t document;
    char *made;

    snprintf(spec, sizeof(spec), "v:%s", type);
    assert_true(cli_csv_parse_type(spec, strlen(spec), &column));
    bson_init(&document);
    if (cli_csv_append(&column, "v", field, &document)) {
        made = bson_as_canonical_extended_json(&document, NULL);
    } else {
        made = bson_strdup("refused");
    }
    assert_string_equal(made, json);
    bson_free(made);
    bson_destroy(&document);
    cli_csv_column_free(&column);
}

static void auto_takes_only_what_comes_back(void **state)
{
    (void)state;
    expect("auto", "517", "{ \"v\" : { \"$numberInt\" : \"517\" } }");
    expect("auto", "-2147483648", "{ \"v\" : { \"$numberInt\" : \"-2147483648\" } }");
    expect("auto", "2147483648", "{ \"v\" : { \"$numberLong\" : \"2147483648\" } }");
    expect("auto", "9223372036854775808", "{ \"v\" : \"9223372036854775808\" }");
    expect("auto", "298.1",
           "{ \"v\" : { \"$numberDouble\" : \"298.10000000000002274\" } }");
    expect("auto", "1e3", "{ \"v\" : { \"$numberDouble\" : \"1000.0\" } }");
    expect("auto", "1e999", "{ \"v\" : \"1e999\" }");
    expect("auto", "00501", "{ \"v\" : \"00501\" }");
    expect("auto", "+1", "{ \"v\" : \"+1\" }");
    expect("auto", "-0", "{ \"v\" : \"-0\" }");
    expect("auto", "Nan", "{ \"v\" : \"Nan\" }");
    expect("auto", "inf", "{ \"v\" : \"inf\" }");
    expect("auto", "0x10", "{ \"v\" : \"0x10\" }");
    expect("auto", "1.", "{ \"v\" : \"1.\" }");
    expect("auto", " 1", "{ \"v\" : \" 1\" }");
}

static void named_types_refuse_the_rest(void **state)
{
    (void)state;
    expect("int32", "2147483648", "refused");
    expect("int32", "007", "{ \"v\" : { \"$numberInt\" : \"7\" } }");
    expect("int64", "1.5", "refused");
    expect("int64", "9223372036854775808", "refused");
    expect("double", "1e999", "refused");
    expect("double", "inf", "{ \"v\" : { \"$numberDouble\" : \"Infinity\" } }");
    expect("decimal", "2.50", "{ \"v\" : { \"$numberDecimal\" : \"2.50\" } }");
    expect("decimal", "2,50", "refused");
    expect("bool", "Yes", "{ \"v\" : true }");
    expect("bool", "maybe", "refused");
    expect("objectid", "5ca4bbcea2dd94ee58162a68",
           "{ \"v\" : { \"$oid\" : \"5ca4bbcea2dd94ee58162a68\" } }");
    expect("objectid", "5ca4", "refused");
    expect("string", "517", "{ \"v\" : \"517\" }");
}

static void dates_are_real_dates(void **state)
{
    (void)state;
    expect("date", "2010-12-01T08:26:00Z",
           "{ \"v\" : { \"$date\" : { \"$numberLong\" : \"1291191960000\" } } }");
    expect("date", "2010-12-01 08:26:00.25+01:00",
           "{ \"v\" : { \"$date\" : { \"$numberLong\" : \"1291188360250\" } } }");
    expect("date", "1969-12-31",
           "{ \"v\" : { \"$date\" : { \"$numberLong\" : \"-86400000\" } } }");
    expect("date", "2010-12-01T", "refused");
    expect("date(%Y-%m-%d %H:%M:%S)", "2010-12-01 08:26:00",
           "{ \"v\" : { \"$date\" : { \"$numberLong\" : \"1291191960000\" } } }");
    expect("date(%d/%m/%Y)", "31/02/2010", "refused");
    expect("date(%d/%m/%Y)", "28/02/2010 noon", "refused");
}

static void types_are_read_from_text(void **state)
{
    struct cli_csv_column column;

    (void)state;
    assert_true(cli_csv_parse_type("a:b:int32", 9, &column));
    assert_string_equal(column.name, "a:b");
    cli_csv_column_free(&column);
    assert_true(cli_csv_parse_type("at:date(%H:%M)", 14, &column));
    assert_string_equal(column.name, "at");
    assert_string_equal(column.format, "%H:%M");
    cli_csv_column_free(&column);
    assert_false(cli_csv_parse_type("a", 1, &column));
    assert_false(cli_csv_parse_type("a:float", 7, &column));
    assert_false(cli_csv_parse_type("a:int32(x)", 10, &column));
    assert_false(cli_csv_parse_type("a:date()", 8, &column));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(auto_takes_only_what_comes_back),
        cmocka_unit_test(named_types_refuse_the_rest),
        cmocka_unit_test(dates_are_real_dates),
        cmocka_unit_test(types_are_read_from_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
