/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lia_bson_seek against lia_bson_next, on whole documents, cut ones and changed ones.
 */
#include "base/testing/random.h"
#include "base/testing/test.h"
#include "codec/bson.h"

static bool seek_by_next(struct lia_bson_iter *it, struct liana_str name)
{
    while (lia_bson_next(it)) {
        if (lia_str_equal(it->name, name)) {
            return true;
        }
    }
    return false;
}

static void compare(struct liana_slice elements, struct liana_str name)
{
    struct lia_bson_iter a = {.at = elements.ptr, .end = elements.ptr + elements.len};
    struct lia_bson_iter b = a;
    bool is_found = true;

    while (is_found) {
        is_found = seek_by_next(&a, name);
        assert_int_equal(lia_bson_seek(&b, name), is_found);
        assert_ptr_equal(a.at, b.at);
        if (is_found) {
            assert_ptr_equal(a.start, b.start);
            assert_true(lia_value_equal(a.value, b.value));
        }
    }
}

static const char *const names[] = {"", "a", "seven_7", "eight__8", "a name of 17 byte",
                                    "x"};

#define NAMES (sizeof(names) / sizeof(names[0]))

static void add_random(struct lia_rng *rng, struct lia_buf *doc)
{
    struct liana_str name = lia_str(names[lia_rng_below(rng, NAMES - 1)]);

    switch (lia_rng_below(rng, 6)) {
    case 0: lia_bson_add_int32(doc, name, 1); break;
    case 1: lia_bson_add_double(doc, name, 0.5); break;
    case 2:
        lia_bson_add_str(doc, name,
                         lia_str(&"eight__8 and text"[lia_rng_below(rng, 17)]));
        break;
    case 3: lia_bson_add_null(doc, name); break;
    case 4: lia_bson_add_binary(doc, name, 0, LIA_BYTES("\20a\0\1\0\0\0")); break;
    default: lia_bson_add_bool(doc, name, true); break;
    }
}

static void seeking_is_walking(void **state)
{
    struct lia_rng rng = lia_rng(lia_test_seed("seeking_is_walking"));
    size_t cases = lia_test_cases(3000);
    struct lia_buf doc;

    (void)state;
    lia_buf_init(&doc, &lia_mem_libc);
    for (size_t i = 0; i < cases; i++) {
        struct liana_slice elements;

        lia_buf_reset(&doc);
        for (size_t n = 1 + lia_rng_below(&rng, 6); n > 0; n--) {
            add_random(&rng, &doc);
        }
        if (doc.len && lia_rng_chance(&rng, 30)) {
            doc.ptr[lia_rng_below(&rng, doc.len)] = (uint8_t)lia_rng_next(&rng);
        }
        elements = lia_buf_slice(&doc);
        if (lia_rng_chance(&rng, 30)) {
            elements.len = lia_rng_below(&rng, elements.len + 1);
        }
        for (size_t j = 0; j < NAMES; j++) {
            compare(elements, lia_str(names[j]));
        }
    }
    lia_buf_deinit(&doc);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(seeking_is_walking),
};

LIA_TEST_MAIN(tests)
