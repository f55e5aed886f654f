/* SPDX-License-Identifier: Apache-2.0 */
#include "base/testing/test.h"

#include "base/mem.h"
#include "base/testing/alloc.h"

static void sizes_of_nothing_are_real_blocks(void **state)
{
    struct lia_test_alloc t;
    void *p;

    (void)state;
    lia_test_alloc_init(&t);
    p = lia_mem_alloc(&t.alloc, 0);
    assert_non_null(p);
    p = lia_mem_realloc(&t.alloc, p, 0, 0);
    assert_non_null(p);
    lia_mem_free(&t.alloc, p, 0);
    lia_mem_free(&t.alloc, NULL, 12);
    lia_test_alloc_finish(&t);
}

static void zalloc_is_zeroed(void **state)
{
    struct lia_test_alloc t;
    static const uint8_t zero[64];
    uint8_t *p;

    (void)state;
    lia_test_alloc_init(&t);
    p = lia_mem_zalloc(&t.alloc, sizeof(zero));
    assert_memory_equal(p, zero, sizeof(zero));
    lia_mem_free(&t.alloc, p, sizeof(zero));
    lia_test_alloc_finish(&t);
}

static void a_failed_realloc_keeps_the_block(void **state)
{
    struct lia_test_alloc t;
    char *p;

    (void)state;
    lia_test_alloc_init(&t);
    p = lia_mem_alloc(&t.alloc, 4);
    memcpy(p, "leaf", 4);
    lia_test_alloc_fail_at(&t, 1);
    assert_null(lia_mem_realloc(&t.alloc, p, 4, 100));
    assert_memory_equal(p, "leaf", 4);
    p = lia_mem_realloc(&t.alloc, p, 4, 100);
    assert_memory_equal(p, "leaf", 4);
    lia_mem_free(&t.alloc, p, 100);
    lia_test_alloc_finish(&t);
}

static void the_library_allocator_works(void **state)
{
    char *p = lia_mem_alloc(&lia_mem_libc, 3);

    (void)state;
    memcpy(p, "ab", 3);
    p = lia_mem_realloc(&lia_mem_libc, p, 3, 3000);
    assert_string_equal(p, "ab");
    lia_mem_free(&lia_mem_libc, p, 3000);
}

static void arena_takes_nothing_before_it_is_used(void **state)
{
    struct lia_test_alloc t;
    struct lia_arena arena;

    (void)state;
    lia_test_alloc_init(&t);
    lia_arena_init(&arena, &t.alloc);
    assert_int_equal(t.live_blocks, 0);
    lia_arena_deinit(&arena);
    assert_int_equal(t.allocations, 0);
}

static void arena_memory_is_aligned_and_apart(void **state)
{
    struct lia_test_alloc t;
    struct lia_arena arena;
    uint8_t *blocks[200];

    (void)state;
    lia_test_alloc_init(&t);
    lia_arena_init(&arena, &t.alloc);
    for (size_t i = 0; i < 200; i++) {
        blocks[i] = lia_arena_alloc(&arena, i);
        assert_non_null(blocks[i]);
        assert_int_equal((uintptr_t)blocks[i] % alignof(max_align_t), 0);
        memset(blocks[i], (int)i, i);
    }
    for (size_t i = 0; i < 200; i++) {
        for (size_t k = 0; k < i; k++) {
            assert_int_equal(blocks[i][k], (uint8_t)i);
        }
    }
    assert_true(t.live_blocks > 1);
    lia_arena_deinit(&arena);
    lia_test_alloc_finish(&t);
}

static void arena_reset_keeps_one_chunk(void **state)
{
    struct lia_test_alloc t;
    struct lia_arena arena;
    size_t before;

    (void)state;
    lia_test_alloc_init(&t);
    lia_arena_init(&arena, &t.alloc);
    for (size_t i = 0; i < 100; i++) {
        assert_non_null(lia_arena_alloc(&arena, 1000));
    }
    lia_arena_reset(&arena);
    assert_int_equal(t.live_blocks, 1);
    before = t.allocations;
    assert_non_null(lia_arena_alloc(&arena, 1000));
    assert_int_equal(t.allocations, before);
    lia_arena_deinit(&arena);
    lia_test_alloc_finish(&t);
}

static void arena_reset_gives_a_huge_chunk_back(void **state)
{
    struct lia_test_alloc t;
    struct lia_arena arena;

    (void)state;
    lia_test_alloc_init(&t);
    lia_arena_init(&arena, &t.alloc);
    assert_non_null(lia_arena_alloc(&arena, 2 * LIA_ARENA_CHUNK_MAX));
    lia_arena_reset(&arena);
    assert_int_equal(t.live_blocks, 0);
    assert_non_null(lia_arena_alloc(&arena, 1));
    lia_arena_deinit(&arena);
    lia_test_alloc_finish(&t);
}

static void arena_refuses_sizes_that_overflow(void **state)
{
    struct lia_test_alloc t;
    struct lia_arena arena;

    (void)state;
    lia_test_alloc_init(&t);
    lia_arena_init(&arena, &t.alloc);
    assert_null(lia_arena_alloc(&arena, SIZE_MAX));
    assert_null(lia_arena_alloc(&arena, SIZE_MAX - 32));
    assert_null(lia_arena_array(&arena, SIZE_MAX / 8 + 2, 8));
    assert_int_equal(t.live_blocks, 0);
    assert_non_null(lia_arena_array(&arena, 0, 8));
    lia_arena_deinit(&arena);
    lia_test_alloc_finish(&t);
}

static liana_status fill_an_arena(const struct liana_allocator *a, void *ctx)
{
    struct lia_arena arena;
    struct liana_slice copy;
    liana_status status = LIANA_OK;

    (void)ctx;
    lia_arena_init(&arena, a);
    for (size_t i = 0; i < 20 && !status; i++) {
        if (!LIA_ARENA_NEW(&arena, struct lia_test_alloc) ||
            !lia_arena_array(&arena, i, 300) ||
            !lia_arena_copy(&arena, LIA_BYTES("vine"), &copy)) {
            status = LIANA_ENOMEM;
        }
    }
    if (!status) {
        assert_slice_equal(copy, LIA_BYTES("vine"));
    }
    lia_arena_deinit(&arena);
    return status;
}

static void arena_survives_every_failure(void **state)
{
    (void)state;
    assert_true(lia_test_each_failure(fill_an_arena, NULL) >= 5);
}

static const struct CMUnitTest cases[] = {
    cmocka_unit_test(sizes_of_nothing_are_real_blocks),
    cmocka_unit_test(zalloc_is_zeroed),
    cmocka_unit_test(a_failed_realloc_keeps_the_block),
    cmocka_unit_test(the_library_allocator_works),
    cmocka_unit_test(arena_takes_nothing_before_it_is_used),
    cmocka_unit_test(arena_memory_is_aligned_and_apart),
    cmocka_unit_test(arena_reset_keeps_one_chunk),
    cmocka_unit_test(arena_reset_gives_a_huge_chunk_back),
    cmocka_unit_test(arena_refuses_sizes_that_overflow),
    cmocka_unit_test(arena_survives_every_failure),
};

LIA_TEST_MAIN(cases)
