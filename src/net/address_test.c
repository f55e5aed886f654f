/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include "base/testing/random.h"
#include "net/address.h"

static void good_addresses(void **state)
{
    static const struct {
        const char *text, *formatted, *host;
        uint16_t port;
    } cases[] = {
        {"localhost:7000", "tcp://localhost:7000", "localhost", 7000},
        {"tcp://localhost:7000", "tcp://localhost:7000", "localhost", 7000},
        {"10.0.0.1:0", "tcp://10.0.0.1:0", "10.0.0.1", 0},
        {"[::1]:65535", "tcp://[::1]:65535", "::1", 65535},
        {"[fe80::1%eth0]:1", "tcp://[fe80::1%eth0]:1", "fe80::1%eth0", 1},
        {":80", "tcp://*:80", "", 80},
        {"*:80", "tcp://*:80", "", 80},
        {"unix:///a b/c:1", "unix:///a b/c:1", "/a b/c:1", 0},
        {"other://h:1", "other://h:1", "h", 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lia_address address;
        struct lia_address again;
        char text[LIA_ADDRESS_TEXT];

        assert_ok(lia_address_parse(lia_str(cases[i].text), &address, NULL));
        assert_string_equal(address.host, cases[i].host);
        assert_int_equal(address.port, cases[i].port);
        lia_address_format(&address, text);
        assert_string_equal(text, cases[i].formatted);
        assert_ok(lia_address_parse(lia_str(text), &again, NULL));
        assert_true(lia_address_equal(&address, &again));
    }
}

static void bad_addresses(void **state)
{
    static const char *const cases[] = {
        "",
        "localhost",
        "localhost:",
        "localhost:x",
        "localhost:65536",
        "h:-1",
        "h:+1",
        "h:000001",
        "::1:80",
        "[::1]",
        "[::1]80",
        "[::1",
        "[]:1",
        "://h:1",
        "averyveryverylongscheme://h:1",
        "unix://",
        "unix://here",
        "tcp://h:1:2",
        "h:1 ",
        "[[1]:1",
        "[a]b]:1",
        "a[b:1",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct liana_error err = LIANA_ERROR_INIT;
        struct lia_address address;

        assert_status(LIANA_EINVAL,
                      lia_address_parse(lia_str(cases[i]), &address, &err));
        assert_non_null(strstr(err.message, cases[i]));
    }
}

static void hostile_text_is_parsed_or_refused(void **state)
{
    static const char alphabet[] = "a1:[]/*.%-";
    struct lia_rng rng = lia_rng(lia_test_seed("hostile_text_is_parsed_or_refused"));

    (void)state;
    for (size_t i = 0; i < lia_test_cases(20000); i++) {
        char text[24];
        char formatted[LIA_ADDRESS_TEXT];
        size_t len = lia_rng_below(&rng, sizeof(text));
        struct lia_address address;
        struct lia_address again;

        for (size_t c = 0; c < len; c++) {
            text[c] = alphabet[lia_rng_below(&rng, sizeof(alphabet))]; /* its NUL too */
        }
        if (lia_address_parse((struct liana_str){text, len}, &address, NULL)) {
            continue;
        }
        lia_address_format(&address, formatted);
        assert_ok(lia_address_parse(lia_str(formatted), &again, NULL));
        assert_true(lia_address_equal(&address, &again));
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(good_addresses),
    cmocka_unit_test(bad_addresses),
    cmocka_unit_test(hostile_text_is_parsed_or_refused),
};

LIA_TEST_MAIN(tests)
