/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cli/options.h"

static const struct cli_option options[] = {
    {.name = "force", .letter = 'f', .help = ""},
    {.name = "verbose", .letter = 'v', .help = ""},
    {.name = "name", .letter = 'n', .type = CLI_TEXT, .value = "TEXT", .help = ""},
    {.name = "dial", .type = CLI_LIST, .value = "ADDRESS", .help = ""},
    {.name = "count",
     .letter = 'c',
     .type = CLI_NUMBER,
     .value = "N",
     .fallback = "7",
     .min = -2,
     .max = 10,
     .help = ""},
    {.name = "format",
     .type = CLI_CHOICE,
     .value = "json|bson|csv",
     .fallback = "json",
     .help = ""},
    {0}};

static const struct cli_cmd cmd = {.name = "test",
                                   .summary = "",
                                   .operands = "STORE [FILE]",
                                   .operands_min = 1,
                                   .operands_max = 2,
                                   .options = options};

static char message[CLI_MESSAGE_MAX];

/* Words parted by one blank each. */
static bool parse(struct cli_args *args, char *line)
{
    static char *words[20];
    int count = 0;

    for (char *word = line; word && *word;) {
        char *blank = strchr(word, ' ');

        words[count++] = word;
        word = blank ? blank + 1 : NULL;
        if (blank) {
            *blank = '\0';
        }
    }
    return cli_parse(args, &cmd, count, words, message);
}

static void test_every_form(void **state)
{
    char line[] = "store -fv --name=a=b --dial one --count -2 --dial=two -nlast "
                  "--format csv -- -file";
    struct cli_args args;

    (void)state;
    assert_true(parse(&args, line));
    assert_true(cli_flag(&args, "force"));
    assert_true(cli_flag(&args, "verbose"));
    assert_false(cli_flag(&args, "json"));
    assert_string_equal(cli_text(&args, "name"), "last");
    assert_string_equal(cli_text(&args, "format"), "csv");
    assert_int_equal(cli_number(&args, "count"), -2);
    assert_string_equal(cli_list_at(&args, "dial", 0), "one");
    assert_string_equal(cli_list_at(&args, "dial", 1), "two");
    assert_null(cli_list_at(&args, "dial", 2));
    assert_int_equal(cli_operand_count(&args), 2);
    assert_string_equal(cli_operand(&args, 0), "store");
    assert_string_equal(cli_operand(&args, 1), "-file");
    assert_null(cli_operand(&args, 2));
    cli_args_deinit(&args);
}

static void test_fallbacks(void **state)
{
    char line[] = "-";
    struct cli_args args;

    (void)state;
    assert_true(parse(&args, line));
    assert_int_equal(cli_number(&args, "count"), 7);
    assert_string_equal(cli_text(&args, "format"), "json");
    assert_null(cli_text(&args, "name"));
    assert_false(cli_given(&args, "count"));
    assert_string_equal(cli_operand(&args, 0), "-");
    cli_args_deinit(&args);
}

static void test_what_is_wrong_is_named(void **state)
{
    static const struct {
        const char *line;
        const char *text;
    } cases[] = {
        {"store --nope", "'--nope' is no option"},
        {"store -x", "'-x' is no option"},
        {"store --force=1", "--force takes no value"},
        {"store --name", "--name needs a value: TEXT"},
        {"store -n", "--name needs a value: TEXT"},
        {"store --count=11", "--count: '11' is no number from -2 to 10"},
        {"store --count=1x", "--count: '1x'"},
        {"store --count=", "--count: ''"},
        {"store --count=99999999999999999999", "--count:"},
        {"store --format=xml", "--format: 'xml' is none of json|bson|csv"},
        {"store --format=js", "--format: 'js'"},
        {"store --format=", "--format: ''"},
        {"", "'liana test' needs STORE [FILE]"},
        {"a b c", "'c' is too much"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char line[100];
        struct cli_args args;

        snprintf(line, sizeof(line), "%s", cases[i].line);
        assert_false(parse(&args, line));
        assert_non_null(strstr(message, cases[i].text));
        cli_args_deinit(&args);
    }
}

static void test_help_needs_no_operands(void **state)
{
    char line[] = "-h";
    struct cli_args args;

    (void)state;
    assert_true(parse(&args, line));
    assert_true(cli_flag(&args, "help"));
    cli_args_deinit(&args);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_form),
        cmocka_unit_test(test_fallbacks),
        cmocka_unit_test(test_what_is_wrong_is_named),
        cmocka_unit_test(test_help_needs_no_operands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
