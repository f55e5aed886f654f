/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_BASE_TESTING_TEST_H
#define LIA_BASE_TESTING_TEST_H
/*
 * base/testing/test - the first include of every *_test.c: cmocka with what it needs,
 * and assertions on our own types.
 *
 * Rules: testing/ is linked into tests only, never into the product. A test program
 * ends with its table of cases and LIA_TEST_MAIN(table). Ownership: none.
 * Threads: cmocka's assertions belong to the main thread; another thread hands its
 * result over.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/slice.h"
#include "liana/error.h"

/* Both leave the test by longjmp, which cmocka's header does not tell compilers. */
#undef fail
#define fail()                                                                         \
    do {                                                                               \
        _fail(__FILE__, __LINE__);                                                     \
        __builtin_unreachable();                                                       \
    } while (0)
#undef skip
#define skip()                                                                         \
    do {                                                                               \
        _skip(__FILE__, __LINE__);                                                     \
        __builtin_unreachable();                                                       \
    } while (0)

static inline void lia_test_status(liana_status expected,
                                   liana_status got,
                                   const char *what,
                                   const char *file,
                                   int line)
{
    if (got != expected) {
        print_error("%s: %s instead of %s\n", what, liana_status_name(got),
                    liana_status_name(expected));
        _fail(file, line);
        __builtin_unreachable();
    }
}

static inline void lia_test_slices(struct liana_slice got,
                                   struct liana_slice expected,
                                   const char *file,
                                   int line)
{
    _assert_int_equal(got.len, expected.len, file, line);
    if (got.len) {
        _assert_memory_equal(got.ptr, expected.ptr, got.len, file, line);
    }
}

#define assert_status(expected, call)                                                  \
    lia_test_status((expected), (call), #call, __FILE__, __LINE__)
#define assert_ok(call) assert_status(LIANA_OK, call)

/* Equal in length and bytes; either may be empty. */
#define assert_slice_equal(got, expected)                                              \
    lia_test_slices((got), (expected), __FILE__, __LINE__)

/* A string literal as bytes, without the NUL at its end: LIA_BYTES("\x01\x00"). */
#define LIA_BYTES(literal) lia_slice((literal), sizeof(literal) - 1)

#define LIA_TEST_MAIN(table)                                                           \
    int main(void)                                                                     \
    {                                                                                  \
        return cmocka_run_group_tests((table), NULL, NULL);                            \
    }

#endif
