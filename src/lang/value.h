/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_LANG_VALUE_H
#define LIA_LANG_VALUE_H
/*
 * lang/value - values of expressions: BSON's, and MISSING.
 *
 * MISSING is what a path gives where there is nothing, and what an expression gives that
 * has no value. It is a struct lia_value of type 0 (no BSON value has that type).
 * `undefined`, a deprecated type of BSON, is null to logic, IS NULL and functions.
 *
 * Comparing. Two values of one class (codec/order.h) compare as in MongoDB: numbers of
 * all types by exact value, NaN before all others and equal to itself, null equal to
 * null. Of two classes, or with MISSING, the answer is MISSING.
 *
 * Logic has four answers. TRUE, FALSE and null are as in SQL; MISSING is like null but
 * weaker: FALSE AND x is FALSE, TRUE OR x is TRUE, NOT MISSING is MISSING; else, with
 * MISSING among the operands, AND is MISSING; OR is null if null is among them.
 *
 * Ownership: views. Threads: any.
 */
#include "codec/bson.h"
#include "codec/order.h"

#define LIA_MISSING ((struct lia_value){LIA_BSON_END, {NULL, 0}})

static inline bool lia_is_missing(struct lia_value v)
{
    return v.type == LIA_BSON_END;
}

static inline bool lia_is_null(struct lia_value v)
{
    return v.type == LIA_BSON_NULL || v.type == LIA_BSON_UNDEFINED;
}

static inline bool lia_is_true(struct lia_value v)
{
    return v.type == LIA_BSON_BOOL && lia_value_bool(v);
}

#endif
