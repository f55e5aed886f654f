/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_LANG_FUNCTIONS_H
#define LIA_LANG_FUNCTIONS_H
/*
 * lang/functions - the C functions behind the rows of functions.def, declared from them.
 * See lang/function.h for what they may do. Only lang/function.c needs this header, and
 * the fn_*.c files that define them.
 */
#include "lang/function.h"

#define LIA_FN(name, min, max, signature, call, doc)                                   \
    liana_status call(const struct lia_call *cx, const struct lia_value *args,         \
                      size_t count, struct lia_value *out);
#define LIA_OPERATOR(text, name, min, max, signature, call, doc)                       \
    LIA_FN(name, min, max, signature, call, doc)
#include "lang/functions.def"
#undef LIA_FN
#undef LIA_OPERATOR

#endif
