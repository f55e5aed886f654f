/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_LANG_COMPARE_H
#define LIA_LANG_COMPARE_H
/*
 * lang/compare - comparing two values of a query (lang/value.h has the rules).
 * Ownership: none taken. Threads: any. No state.
 */
#include "lang/value.h"

/* False when they cannot be compared: of two classes, or one is MISSING. Else `*order` is
 * negative, 0 or positive. */
bool lia_compare(struct lia_value a, struct lia_value b, int *order);

/* An element equals `v`. */
bool lia_array_has(struct liana_slice array, struct lia_value v);

#endif
