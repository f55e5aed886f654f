/* SPDX-License-Identifier: Apache-2.0 */
#include "crdt/stamp.h"

#include "base/buf.h"
#include "base/testing/test.h"

#define VECTOR(...)                                                                    \
    ((struct lia_vector){(const struct lia_vector_entry[]){__VA_ARGS__},               \
                         sizeof((struct lia_vector_entry[]){__VA_ARGS__}) /            \
                             sizeof(struct lia_vector_entry)})

static const struct lia_vector empty = {NULL, 0};

static int set_up(void **state)
{
    static struct lia_arena arena;

    lia_arena_init(&arena, &lia_mem_libc);
    *state = &arena;
    return 0;
}

static int tear_down(void **state)
{
    lia_arena_deinit(*state);
    return 0;
}

static void stamps_order_by_hlc_then_actor(void **state)
{
    (void)state;
    assert_true(lia_stamp_cmp((struct lia_stamp){1, 9}, (struct lia_stamp){2, 1}) < 0);
    assert_true(lia_stamp_cmp((struct lia_stamp){2, 9}, (struct lia_stamp){2, 1}) > 0);
    assert_int_equal(lia_stamp_cmp((struct lia_stamp){2, 1}, (struct lia_stamp){2, 1}),
                     0);
    assert_true(lia_stamp_is_none(LIA_STAMP_NONE));
    assert_false(lia_stamp_is_none((struct lia_stamp){0, 1}));
}

static void next_hlc_follows_the_wall_and_never_repeats(void **state)
{
    (void)state;
    assert_int_equal(lia_hlc_next(0, 5), 5 << 16);
    assert_int_equal(lia_hlc_next(5 << 16, 5), (5 << 16) + 1);
    assert_int_equal(lia_hlc_next(9 << 16, 5), (9 << 16) + 1);
    /* A full counter carries into the milliseconds. */
    assert_int_equal(lia_hlc_next((5 << 16) + 0xffff, 5), 6 << 16);
    assert_int_equal(lia_hlc_next(0, UINT64_MAX), LIA_HLC_MAX >> 16 << 16);
    assert_int_equal(lia_hlc_next(LIA_HLC_MAX, 0), LIA_HLC_MAX);
    assert_int_equal(lia_hlc_ms(lia_hlc_next(0, 1234)), 1234);
}

static void vector_answers_what_it_covers(void **state)
{
    struct lia_vector v = VECTOR({3, 30}, {7, 70}, {9, 90});

    (void)state;
    assert_int_equal(lia_vector_get(v, 7), 70);
    assert_int_equal(lia_vector_get(v, 8), 0);
    assert_int_equal(lia_vector_get(empty, 8), 0);
    assert_true(lia_vector_covers(v, (struct lia_stamp){70, 7}));
    assert_false(lia_vector_covers(v, (struct lia_stamp){71, 7}));
    assert_false(lia_vector_covers(v, (struct lia_stamp){1, 4}));
    assert_int_equal(lia_vector_max_hlc(v), 90);
    assert_int_equal(lia_vector_max_hlc(empty), 0);
}

static void vectors_compare(void **state)
{
    struct lia_vector a = VECTOR({3, 30}, {7, 70});
    struct lia_vector b = VECTOR({3, 31}, {7, 70});
    struct lia_vector c = VECTOR({3, 30}, {8, 1});

    (void)state;
    assert_true(lia_vector_geq(b, a));
    assert_false(lia_vector_geq(a, b));
    assert_false(lia_vector_geq(b, c));
    assert_true(lia_vector_geq(a, empty));
    assert_false(lia_vector_geq(empty, a));
    assert_true(lia_vector_equal(a, a));
    assert_false(lia_vector_equal(a, b));
    assert_false(lia_vector_equal(a, c));
    assert_false(lia_vector_equal(a, empty));
}

static void join_takes_the_newest_of_each_actor(void **state)
{
    struct lia_vector out;

    assert_int_equal(lia_vector_join(*state, VECTOR({3, 30}, {7, 70}),
                                     VECTOR({1, 10}, {7, 71}, {9, 90}), &out),
                     LIANA_OK);
    assert_true(lia_vector_equal(out, VECTOR({1, 10}, {3, 30}, {7, 71}, {9, 90})));
    assert_int_equal(lia_vector_join(*state, empty, empty, &out), LIANA_OK);
    assert_int_equal(out.count, 0);
}

static void with_takes_a_stamp_in(void **state)
{
    struct lia_vector v = VECTOR({3, 30}, {7, 70});
    struct lia_vector out;

    assert_int_equal(lia_vector_with(*state, v, (struct lia_stamp){5, 5}, &out), 0);
    assert_true(lia_vector_equal(out, VECTOR({3, 30}, {5, 5}, {7, 70})));
    assert_int_equal(lia_vector_with(*state, v, (struct lia_stamp){5, 7}, &out), 0);
    assert_true(lia_vector_equal(out, v));
    assert_int_equal(lia_vector_with(*state, v, LIA_STAMP_NONE, &out), 0);
    assert_true(lia_vector_equal(out, v));
}

static void encoding_comes_back(void **state)
{
    struct lia_vector cases[] = {empty, VECTOR({0, 1}),
                                 VECTOR({UINT64_MAX, LIA_HLC_MAX}),
                                 VECTOR({1, 0x1234567890}, {2, 0x1234567891}, {3, 7})};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lia_buf buf;
        struct lia_reader r;
        struct lia_vector out;

        lia_buf_init(&buf, &lia_mem_libc);
        lia_vector_encode(&buf, cases[i]);
        assert_int_equal(buf.status, LIANA_OK);
        r = lia_reader(lia_buf_slice(&buf));
        assert_int_equal(lia_vector_decode(*state, &r, &out), LIANA_OK);
        assert_true(lia_reader_done(&r));
        assert_true(lia_vector_equal(out, cases[i]));
        for (size_t cut = 0; cut < buf.len; cut++) {
            r = lia_reader(lia_slice(buf.ptr, cut));
            assert_int_equal(lia_vector_decode(*state, &r, &out), LIANA_ECORRUPT);
        }
        lia_buf_deinit(&buf);
    }
}

static void distances_come_back(void **state)
{
    static const uint64_t cases[][2] = {
        {5, 5}, {LIA_HLC_MAX, 0}, {LIA_HLC_MAX, 1}, {7 << 16, 3 << 16}, {7 << 16, 9}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lia_buf buf;
        struct lia_reader r;

        lia_buf_init(&buf, &lia_mem_libc);
        lia_distance_encode(&buf, cases[i][0], cases[i][1]);
        r = lia_reader(lia_buf_slice(&buf));
        assert_int_equal(lia_distance_decode(&r, cases[i][0]), cases[i][1]);
        assert_true(lia_reader_done(&r));
        lia_buf_deinit(&buf);
    }
}

static void other_forms_are_refused(void **state)
{
#define A1 1, 0, 0, 0, 0, 0, 0, 0
#define A2 2, 0, 0, 0, 0, 0, 0, 0
#define H9 9, 0, 0, 0, 0, 0, 0, 0
#define HX 0, 0, 0, 0, 0, 0, 0, 0x80
    static const struct {
        uint8_t bytes[32];
        size_t len;
        const char *why;
    } cases[] = {
        {{2, H9, A2, 0, A1, 0}, 27, "actors out of order"},
        {{2, H9, A1, 0, A1, 1}, 27, "an actor twice"},
        {{2, H9, A1, 0, A2, 19}, 27, "hlc of 0"},
        {{2, H9, A1, 0, A2, 21}, 27, "hlc below 0"},
        {{1, H9, A1, 3}, 18, "newest belongs to nobody"},
        {{1, H9, A1, 0x80, 0}, 19, "varint not the shortest"},
        {{1, H9, A1, 1}, 18, "a distance of 0 in the long form"},
        {{1, HX, A1, 0}, 18, "hlc beyond the greatest"},
        {{0xff, 0xff, 3, H9, A1, 0}, 20, "more entries than bytes"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lia_reader r = lia_reader(lia_slice(cases[i].bytes, cases[i].len));
        struct lia_vector out;

        if (lia_vector_decode(*state, &r, &out) != LIANA_ECORRUPT) {
            fail_msg("accepted: %s", cases[i].why);
        }
    }
}

static void *no_memory(void *ctx, void *p, size_t old_size, size_t size)
{
    (void)ctx;
    (void)p;
    (void)old_size;
    (void)size;
    return NULL;
}

static void out_of_memory_is_a_status(void **state)
{
    static const struct liana_allocator none = {no_memory, NULL};
    static const uint8_t bytes[] = {1, H9, A1, 0};
    struct lia_reader r = lia_reader(lia_slice(bytes, sizeof(bytes)));
    struct lia_arena arena;
    struct lia_vector out;

    (void)state;
    lia_arena_init(&arena, &none);
    assert_int_equal(lia_vector_join(&arena, VECTOR({1, 1}), empty, &out),
                     LIANA_ENOMEM);
    assert_int_equal(lia_vector_decode(&arena, &r, &out), LIANA_ENOMEM);
    lia_arena_deinit(&arena);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(stamps_order_by_hlc_then_actor),
        CASE(next_hlc_follows_the_wall_and_never_repeats),
        CASE(vector_answers_what_it_covers),
        CASE(vectors_compare),
        CASE(join_takes_the_newest_of_each_actor),
        CASE(with_takes_a_stamp_in),
        CASE(encoding_comes_back),
        CASE(distances_come_back),
        CASE(other_forms_are_refused),
        CASE(out_of_memory_is_a_status),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
