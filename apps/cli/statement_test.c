/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/statement.h"

static const struct {
    const char *text;
    const char *first; /* the first statement */
    bool is_whole;
} cases[] = {
    {"SELECT 1; SELECT 2", "SELECT 1", true},
    {"SELECT 1", "SELECT 1", false},
    {"", "", false},
    {";", "", true},
    {"SELECT ';' ; x", "SELECT ';' ", true},
    {"SELECT \"a;\\\";b\";", "SELECT \"a;\\\";b\"", true},
    {"SELECT 'it''s;';", "SELECT 'it''s;'", true},
    {"SELECT `a;b`;", "SELECT `a;b`", true},
    {"SELECT `a\\`;", "SELECT `a\\`", true},
    {"-- no; end\nSELECT 1;", "-- no; end\nSELECT 1", true},
    {"/* ; */ SELECT 1;", "/* ; */ SELECT 1", true},
    {"/* ;", "/* ;", false},
    {"SELECT 'open;", "SELECT 'open;", false},
    {"SELECT 'open\\", "SELECT 'open\\", false},
};

static void a_statement_ends_at_its_semicolon(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct liana_str text = {cases[i].text, strlen(cases[i].text)};
        bool is_whole;
        size_t len = cli_statement_len(text, &is_whole);

        print_message("%s\n", cases[i].text);
        assert_int_equal(len, strlen(cases[i].first));
        assert_memory_equal(cases[i].text, cases[i].first, len);
        assert_int_equal(is_whole, cases[i].is_whole);
    }
}

static bool is_blank(const char *text)
{
    return cli_statement_is_blank((struct liana_str){text, strlen(text)});
}

static void comments_are_blank(void **state)
{
    (void)state;
    assert_true(is_blank(""));
    assert_true(is_blank(" \n;; \t"));
    assert_true(is_blank("-- SELECT"));
    assert_true(is_blank("/* x */ -- y\n"));
    assert_false(is_blank("/* x */ S"));
    assert_false(is_blank("'"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_statement_ends_at_its_semicolon),
        cmocka_unit_test(comments_are_blank),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
