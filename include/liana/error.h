/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIANA_ERROR_H
#define LIANA_ERROR_H
/*
 * liana/error - what every call answers.
 *
 * A status is 0 (LIANA_OK) or one of the negative numbers in errors.def. Details that a
 * person can act on (the path, the file, the line) travel in a struct liana_error that
 * the caller owns and may leave out.
 *
 * Rules: on failure outputs are untouched; numbers are ABI; there is no thread-local or
 * global "last error". Ownership: a struct liana_error is the caller's, by value, and
 * holds no pointers. Threads: any; one error struct must not be shared by two
 * concurrent calls.
 */
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#    define LIANA_API        __attribute__((visibility("default")))
#    define LIANA_MUST_CHECK __attribute__((warn_unused_result))
#else
#    define LIANA_API
#    define LIANA_MUST_CHECK
#endif

typedef int32_t liana_status;

enum {
    LIANA_OK = 0,
#define LIANA_STATUS(number, name, category, text) name = number,
#include "liana/errors.def"
#undef LIANA_STATUS
};

/* What a caller can do about a status; see errors.def. */
enum liana_category {
    LIANA_CATEGORY_OK,
    LIANA_CATEGORY_USAGE,
    LIANA_CATEGORY_EXPECTED,
    LIANA_CATEGORY_RETRY,
    LIANA_CATEGORY_IO,
    LIANA_CATEGORY_CORRUPT,
    LIANA_CATEGORY_RESOURCE,
    LIANA_CATEGORY_NETWORK,
    LIANA_CATEGORY_PROTOCOL,
    LIANA_CATEGORY_AUTH,
    LIANA_CATEGORY_INTERNAL
};

#define LIANA_ERROR_TEXT 232

/* `subcode` is the number of the library below (SQLite, errno, libuv, TLS), 0 if none.
 * `message` is UTF-8, ends with NUL, and is cut at a character boundary when it is too
 * long. */
struct liana_error {
    liana_status status;
    int32_t subcode;
    char message[LIANA_ERROR_TEXT];
};

#define LIANA_ERROR_INIT                                                               \
    {                                                                                  \
        0, 0,                                                                          \
        {                                                                              \
            0                                                                          \
        }                                                                              \
    }

/* "LIANA_EINVAL" for a known status, "LIANA_OK" for 0, "LIANA_EUNKNOWN" otherwise.
 * Never NULL, static. */
LIANA_API const char *liana_status_name(liana_status status);

/* A short sentence for a status, from errors.def. Never NULL, static. */
LIANA_API const char *liana_status_text(liana_status status);

LIANA_API enum liana_category liana_status_category(liana_status status);

#ifdef __cplusplus
}
#endif
#endif
