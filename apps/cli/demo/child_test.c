/* SPDX-License-Identifier: Apache-2.0 */
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "base/testing/test.h"
#include "cli/demo/child.h"

static void start(struct demo_child *child, const char *script, bool is_merged)
{
    const char *argv[] = {"/bin/sh", "-c", script, NULL};
    struct demo_child_options options = {
        .name = "test", .argv = argv, .log_path = "/dev/null", .is_merged = is_merged};

    assert_ok(demo_child_start(child, &options, NULL));
}

static const char *next_line(struct demo_child *child)
{
    const char *line;

    while (!(line = demo_child_line(child))) {
        struct pollfd fd = {.fd = child->out, .events = POLLIN};

        assert_true(child->out >= 0);
        poll(&fd, 1, -1);
    }
    return line;
}

static void test_lines_in_and_out(void **state)
{
    struct demo_child child;

    (void)state;
    start(&child, "while read l; do echo got $l; echo oops >&2; done; exit 3", true);
    demo_child_say(&child, "one\ntwo\n");
    assert_string_equal(next_line(&child), "got one");
    assert_string_equal(next_line(&child), "oops");
    assert_string_equal(next_line(&child), "got two");
    assert_false(demo_child_has_ended(&child));
    demo_child_stop(&child);
    demo_child_stop(&child);
}

static void test_long_lines_and_the_end(void **state)
{
    struct demo_child child;

    (void)state;
    start(&child, "head -c 20000 /dev/zero | tr '\\0' x; echo; echo last; exit 3",
          false);
    assert_int_equal(strlen(next_line(&child)), 20000);
    assert_string_equal(next_line(&child), "last");
    demo_child_wait(&child, 10000);
    assert_true(demo_child_has_ended(&child));
    assert_int_equal(WEXITSTATUS(child.status), 3);
    demo_child_say(&child, "nobody hears this\n");
    demo_child_stop(&child);
}

static void test_one_that_does_not_listen_is_killed(void **state)
{
    struct demo_child child;

    (void)state;
    start(&child, "trap '' TERM; echo up; while :; do sleep 1; done", false);
    assert_string_equal(next_line(&child), "up");
    demo_child_signal(&child, SIGTERM);
    demo_child_wait(&child, 50);
    assert_true(WIFSIGNALED(child.status));
    assert_int_equal(WTERMSIG(child.status), SIGKILL);
    demo_child_stop(&child);
}

static void test_a_program_that_is_not_there(void **state)
{
    const char *argv[] = {"/no/such/program", NULL};
    struct demo_child_options options = {
        .name = "test", .argv = argv, .log_path = "/dev/null"};
    struct demo_child child;

    (void)state;
    assert_ok(demo_child_start(&child, &options, NULL));
    demo_child_wait(&child, 10000);
    assert_int_equal(WEXITSTATUS(child.status), 127);
    demo_child_stop(&child);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_lines_in_and_out),
    cmocka_unit_test(test_long_lines_and_the_end),
    cmocka_unit_test(test_one_that_does_not_listen_is_killed),
    cmocka_unit_test(test_a_program_that_is_not_there),
};

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
