/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include <stdio.h>

#include "base/env.h"
#include "base/testing/env.h"

#define YEAR_2020_MS UINT64_C(1577836800000)

static void the_system_env_is_whole(void **state)
{
    struct lia_env env;
    uint64_t mono;
    uint64_t first;

    (void)state;
    assert_ok(lia_env_system(&env));
    assert_true(env.wall_ms(env.ctx) > YEAR_2020_MS);
    mono = env.mono_ms(env.ctx);
    assert_true(env.mono_ms(env.ctx) >= mono);
    assert_ptr_equal(env.alloc, &lia_mem_libc);
    first = lia_env_random64(&env);
    assert_true(lia_env_random64(&env) != first || lia_env_random64(&env) != first);
}

struct lines {
    int count;
    enum lia_log_level level;
    char part[16];
    char text[2048];
};

static void keep(void *ctx,
                 enum lia_log_level level,
                 const char *part,
                 const char *text)
{
    struct lines *lines = ctx;

    lines->count++;
    lines->level = level;
    (void)snprintf(lines->part, sizeof(lines->part), "%s", part);
    (void)snprintf(lines->text, sizeof(lines->text), "%s", text);
}

static void a_log_line_names_its_part(void **state)
{
    struct lines lines = {0};
    struct lia_env env = {.ctx = &lines, .log = keep, .log_level = LIA_LOG_INFO};

    (void)state;
    lia_log(&env, LIA_LOG_WARN, "sync", "peer %s is slow", "till 1");
    assert_int_equal(lines.count, 1);
    assert_int_equal(lines.level, LIA_LOG_WARN);
    assert_string_equal(lines.part, "sync");
    assert_string_equal(lines.text, "peer till 1 is slow");
}

static void lines_above_the_level_are_not_made(void **state)
{
    struct lines lines = {0};
    struct lia_env env = {.ctx = &lines, .log = keep, .log_level = LIA_LOG_INFO};

    (void)state;
    lia_log(&env, LIA_LOG_DEBUG, "sync", "detail");
    assert_int_equal(lines.count, 0);
    lia_log(&env, LIA_LOG_INFO, "sync", "event");
    assert_int_equal(lines.count, 1);
    env.log = NULL;
    lia_log(&env, LIA_LOG_ERROR, "sync", "nobody listens");
    assert_int_equal(lines.count, 1);
}

static void a_long_line_is_cut(void **state)
{
    struct lines lines = {0};
    struct lia_env env = {.ctx = &lines, .log = keep, .log_level = LIA_LOG_INFO};

    (void)state;
    lia_log(&env, LIA_LOG_INFO, "net", "%02000d", 7);
    assert_int_equal(strlen(lines.text), 1023);
}

static void the_test_env_stands_still_and_repeats(void **state)
{
    struct lia_test_env a;
    struct lia_test_env b;
    uint64_t start;

    (void)state;
    lia_test_env_init(&a, 42);
    lia_test_env_init(&b, 42);
    start = a.env.wall_ms(a.env.ctx);
    assert_true(start == a.env.wall_ms(a.env.ctx));
    lia_test_env_pass(&a, 250);
    assert_int_equal(a.env.wall_ms(a.env.ctx) - start, 250);
    assert_int_equal(a.env.mono_ms(a.env.ctx), 250);
    assert_true(lia_env_random64(&a.env) == lia_env_random64(&b.env));
    lia_log(&a.env, LIA_LOG_WARN, "test", "x");
    lia_log(&a.env, LIA_LOG_INFO, "test", "x");
    assert_int_equal(a.warnings, 1);
    lia_test_env_finish(&a);
    lia_test_env_finish(&b);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(the_system_env_is_whole),
    cmocka_unit_test(a_log_line_names_its_part),
    cmocka_unit_test(lines_above_the_level_are_not_made),
    cmocka_unit_test(a_long_line_is_cut),
    cmocka_unit_test(the_test_env_stands_still_and_repeats),
};

LIA_TEST_MAIN(cases)
