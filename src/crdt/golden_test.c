/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Histories written by hand (crdt/testing/script.h): the law's examples, its corrections,
 * transactions, and the bytes that docs/format/clock.md shows.
 */
#include "base/testing/files.h"
#include "base/testing/test.h"
#include "crdt/testing/script.h"

static void run_file(const char *name)
{
    struct lia_buf text;

    lia_buf_init(&text, &lia_mem_libc);
    lia_test_source_file(name, &text);
    lia_script_run(name, lia_buf_slice(&text));
    lia_buf_deinit(&text);
}

static void the_law_in_examples(void **state)
{
    (void)state;
    run_file("tests/golden/crdt/law.txt");
}

static void corrections_of_the_law(void **state)
{
    (void)state;
    run_file("tests/golden/crdt/corrections.txt");
}

static void transactions_have_a_net_effect(void **state)
{
    (void)state;
    run_file("tests/golden/crdt/transactions.txt");
}

static void errors_change_nothing(void **state)
{
    (void)state;
    run_file("tests/golden/crdt/errors.txt");
}

static void sets_merge(void **state)
{
    (void)state;
    run_file("tests/golden/crdt/sets.txt");
}

static void updates_win(void **state)
{
    (void)state;
    run_file("tests/golden/crdt/update_wins.txt");
}

static void bounded_counters_keep_their_bound(void **state)
{
    (void)state;
    run_file("tests/golden/crdt/bounded.txt");
}

static void what_is_lost_is_told(void **state)
{
    (void)state;
    run_file("tests/golden/crdt/lost.txt");
}

static void a_store_that_fell_back_heals(void **state)
{
    (void)state;
    run_file("tests/golden/crdt/repair.txt");
}

static void the_page_shows_the_bytes(void **state)
{
    static const char name[] = "docs/format/clock.md";
    struct lia_buf text;

    (void)state;
    lia_buf_init(&text, &lia_mem_libc);
    lia_test_source_file(name, &text);
    lia_script_run_page(name, lia_buf_slice(&text));
    lia_buf_deinit(&text);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_law_in_examples),
    cmocka_unit_test(corrections_of_the_law),
    cmocka_unit_test(transactions_have_a_net_effect),
    cmocka_unit_test(errors_change_nothing),
    cmocka_unit_test(sets_merge),
    cmocka_unit_test(updates_win),
    cmocka_unit_test(bounded_counters_keep_their_bound),
    cmocka_unit_test(what_is_lost_is_told),
    cmocka_unit_test(a_store_that_fell_back_heals),
    cmocka_unit_test(the_page_shows_the_bytes),
};

LIA_TEST_MAIN(tests)
