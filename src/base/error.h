/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_BASE_ERROR_H
#define LIA_BASE_ERROR_H
/*
 * base/error - filling in a struct liana_error, and the assertion for our own bugs.
 *
 * Rules: the first writer wins; layers above prefix what they know (lia_err_prefix),
 * they do not replace it. A NULL error is allowed everywhere. A status is for the
 * world, LIA_ASSERT is for us: it is on in every build and ends the process, so it must
 * never depend on input. Ownership: none taken. Threads: any.
 */
#include "liana/error.h"

/* Sets status, subcode (the number of the library below, or 0) and message when `err` is
 * not NULL and not yet set; answers `status`. */
liana_status lia_err_set(struct liana_error *err,
                         liana_status status,
                         int subcode,
                         const char *format,
                         ...) __attribute__((format(printf, 4, 5)));

static inline liana_status lia_err_answer(liana_status set, liana_status status)
{
    (void)set;
    return status;
}

/* What callers write:
 *     return lia_err(err, LIANA_EBSON, "%.*s: length %u is beyond the end", ...);
 * Macros, so that compilers and analysers see which status is answered: behind a call
 * that failed they then know that its outputs are not used. `status` is named twice. */
#define lia_err(err, status, ...)                                                      \
    lia_err_answer(lia_err_set((err), (status), 0, __VA_ARGS__), (status))
#define lia_err_sub(err, status, subcode, ...)                                         \
    lia_err_answer(lia_err_set((err), (status), (subcode), __VA_ARGS__), (status))

/* Puts "text: " before the message. */
void lia_err_prefix(struct liana_error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A status without detail gets its own text as message; answers `status`. */
static inline liana_status lia_err_plain(struct liana_error *err, liana_status status)
{
    return status ? lia_err(err, status, "%s", liana_status_text(status)) : status;
}

/* A result that is unused on purpose; the comment beside it says why. */
#define LIA_IGNORE(call)                                                               \
    do {                                                                               \
        if (call) {                                                                    \
        }                                                                              \
    } while (0)

_Noreturn void lia_assert_failed(const char *what, const char *file, int line);

#define LIA_ASSERT(fact)                                                               \
    do {                                                                               \
        if (!(fact)) {                                                                 \
            lia_assert_failed(#fact, __FILE__, __LINE__);                              \
        }                                                                              \
    } while (0)

#endif
