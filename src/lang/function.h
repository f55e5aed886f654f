/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_LANG_FUNCTION_H
#define LIA_LANG_FUNCTION_H
/*
 * lang/function - functions and computing operators of the language.
 *
 * A function is a C function of the type lia_fn_call and a row in functions.def, which
 * names it, says what arguments it takes and what it does. The parser, the evaluator,
 * the SQL functions of src/db and the documentation walk that table; nothing else names
 * a function. There is no function of the clock, of chance or of the platform's locale:
 * that is why every predicate is fit for a subscription.
 *
 * Signature: a letter per argument, those behind '|' are optional, and '*' repeats the
 * letter before it any number of times (at least once).
 *   s string   n number   i whole number   b boolean   o object   l array   x binary
 *   a any value; like all above: if an argument is MISSING the result is MISSING, else if
 *     one is null it is null, and the call does not happen
 *   v any value, MISSING and null too: the function sees them
 * An argument of another type is LIANA_ETYPE, or makes the result MISSING where the
 * caller is lenient.
 *
 * Ownership: arguments are borrowed; results are in the arena or are arguments.
 * Threads: any. No state.
 */
#include "base/error.h"
#include "base/mem.h"
#include "lang/value.h"

struct lia_regexps;

/* What a call works in. */
struct lia_call {
    struct lia_arena *arena;
    struct liana_error *err;
    bool is_lenient;
    const char *name;            /* of the function, for messages */
    struct lia_regexps *regexps; /* patterns compiled before; NULL: none are kept */
};

typedef liana_status (*lia_fn_call)(const struct lia_call *cx,
                                    const struct lia_value *args,
                                    size_t count,
                                    struct lia_value *out);

struct lia_fn {
    const char *name;     /* as it is written; "+" for an operator */
    const char *sql_name; /* of its SQL function */
    const char *signature;
    lia_fn_call call;
    const char *doc; /* one line */
    uint8_t min;
    uint8_t max;
    bool is_operator;
};

/* More arguments than this no call has: SQLite's limit. */
#define LIA_ARGS_MAX 100

/* By name, any case; NULL when there is none. Operators are not found by name. */
const struct lia_fn *lia_fn_find(struct liana_str name);

/* The row of functions.def at `index`; NULL behind the last. */
const struct lia_fn *lia_fn_at(size_t index);

/* One of the operators: "+", "||", "LIKE". Never NULL. */
const struct lia_fn *lia_fn_operator(const char *name);

/* Checks the arguments against the signature and calls. `count` is within min and max. */
LIANA_MUST_CHECK liana_status lia_fn_invoke(const struct lia_call *cx,
                                            const struct lia_fn *fn,
                                            const struct lia_value *args,
                                            size_t count,
                                            struct lia_value *out);

/* LIANA_ETYPE with the function's name before the message; lenient calls get MISSING and
 * LIANA_OK instead. */
liana_status lia_fn_bad(const struct lia_call *cx,
                        struct lia_value *out,
                        liana_status status,
                        const char *format,
                        ...) __attribute__((format(printf, 4, 5)));

/* ---- making results in the arena; LIANA_ENOMEM ---- */

liana_status lia_make_bool(bool v, struct lia_value *out);
liana_status lia_make_int(const struct lia_call *cx, int64_t v, struct lia_value *out);
liana_status lia_make_str(const struct lia_call *cx,
                          struct liana_str s,
                          struct lia_value *out);
/* `payload` is copied. */
liana_status lia_make_value(const struct lia_call *cx,
                            uint8_t type,
                            struct liana_slice payload,
                            struct lia_value *out);
/* What a finished buffer holds, and the buffer's end. */
liana_status lia_make_from_buf(const struct lia_call *cx,
                               uint8_t type,
                               struct lia_buf *buf,
                               struct lia_value *out);

/* An int32 or int64 as int64. */
int64_t lia_int_of(struct lia_value v);

#endif
