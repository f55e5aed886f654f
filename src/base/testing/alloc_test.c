/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/testing/alloc.h"

static void release_with_another_size(void)
{
    struct lia_test_alloc t;
    void *p;

    lia_test_alloc_init(&t);
    p = lia_mem_alloc(&t.alloc, 10);
    lia_mem_free(&t.alloc, p, 11);
}

static void grow_from_another_size(void)
{
    struct lia_test_alloc t;
    void *p;

    lia_test_alloc_init(&t);
    p = lia_mem_alloc(&t.alloc, 10);
    p = lia_mem_realloc(&t.alloc, p, 9, 20);
    lia_mem_free(&t.alloc, p, 20);
}

/* In a child, because the process ends. */
static void assert_aborts(void (*run)(void))
{
    int status = 0;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        (void)close(STDERR_FILENO);
        (void)signal(SIGABRT, SIG_DFL); /* cmocka would report it */
        run();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void a_wrong_size_ends_the_process(void **state)
{
    (void)state;
    assert_aborts(release_with_another_size);
    assert_aborts(grow_from_another_size);
}

static void the_chosen_allocation_fails(void **state)
{
    struct lia_test_alloc t;
    void *blocks[3];

    (void)state;
    lia_test_alloc_init(&t);
    lia_test_alloc_fail_at(&t, 2);
    for (size_t i = 0; i < 3; i++) {
        blocks[i] = lia_mem_alloc(&t.alloc, i + 1);
    }
    assert_non_null(blocks[0]);
    assert_null(blocks[1]);
    assert_non_null(blocks[2]);
    assert_int_equal(t.live_blocks, 2);
    assert_int_equal(t.live_bytes, 4);
    lia_mem_free(&t.alloc, blocks[0], 1);
    lia_mem_free(&t.alloc, blocks[2], 3);
    lia_test_alloc_finish(&t);
}

static void and_all_after_it_if_asked(void **state)
{
    struct lia_test_alloc t;
    void *first;

    (void)state;
    lia_test_alloc_init(&t);
    first = lia_mem_alloc(&t.alloc, 8);
    lia_test_alloc_fail_at(&t, 1);
    t.fails_onwards = true;
    assert_null(lia_mem_alloc(&t.alloc, 8));
    assert_null(lia_mem_realloc(&t.alloc, first, 8, 16));
    lia_mem_free(&t.alloc, first, 8);
    lia_test_alloc_finish(&t);
}

/* Uses four allocations, of which it survives the failure of none. */
static liana_status four_blocks(const struct liana_allocator *a, void *ctx)
{
    void *blocks[4];
    liana_status status = LIANA_OK;

    ++*(int *)ctx;
    for (size_t i = 0; i < 4; i++) {
        blocks[i] = lia_mem_alloc(a, 64);
        status = blocks[i] ? status : LIANA_ENOMEM;
    }
    for (size_t i = 0; i < 4; i++) {
        lia_mem_free(a, blocks[i], 64);
    }
    return status;
}

static void a_scenario_runs_with_each_failure(void **state)
{
    int runs = 0;

    (void)state;
    assert_int_equal(lia_test_each_failure(four_blocks, &runs), 4);
    assert_int_equal(runs, 4 * 2 + 1);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(a_wrong_size_ends_the_process),
    cmocka_unit_test(the_chosen_allocation_fails),
    cmocka_unit_test(and_all_after_it_if_asked),
    cmocka_unit_test(a_scenario_runs_with_each_failure),
};

LIA_TEST_MAIN(cases)
