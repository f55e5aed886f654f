/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CODEC_ORDER_H
#define LIA_CODEC_ORDER_H
/*
 * codec/order - the order of all BSON values, as MongoDB has it.
 *
 * Values of different classes order by class, in the order of enum lia_class. Within one:
 *   numbers          by exact value across int32, int64, double and Decimal128; all NaN
 *                    are equal and first; -0 equals 0
 *   string, symbol   one class, by bytes (code points, in UTF-8); a prefix first
 *   objects          field by field: class of the value, then name, then value; a prefix
 *                    first. The order of the fields counts.
 *   arrays           element by element; a prefix first
 *   binary           length, then subtype, then bytes
 *   regex            pattern, then options
 *   dbPointer        length of the namespace, then its bytes, then the id
 *   code with scope  code, then scope
 * Values that are equal here may differ in type and bytes (1 and 1.0, "a" and symbol a).
 *
 * Missing, undefined and null are three classes, so that they stay apart in DISTINCT and
 * GROUP BY; MongoDB sorts a missing field as null, which is the same but for the order
 * among the two.
 *
 * Rules: values have been checked (lia_bson_check), which also bounds the recursion.
 * Ownership: none taken. Threads: any. No state.
 */
#include "codec/bson.h"

/* The first byte of a key (codec/key.h), which is why these numbers stay. */
enum lia_class {
    LIA_CLASS_END = 0x00, /* of an array or object within a key */
    LIA_CLASS_MINKEY = 0x0a,
    LIA_CLASS_MISSING = 0x0e, /* a value of type LIA_BSON_END stands for it */
    LIA_CLASS_UNDEFINED = 0x10,
    LIA_CLASS_NULL = 0x14,
    LIA_CLASS_NUMBER = 0x1e, /* in a key only before a field's name, and for NaN */
    LIA_CLASS_NUMBER_NEGATIVE = 0x20, /* in a key alone */
    LIA_CLASS_NUMBER_POSITIVE = 0x22, /* in a key alone; also zero */
    LIA_CLASS_STRING = 0x3c,
    LIA_CLASS_OBJECT = 0x46,
    LIA_CLASS_ARRAY = 0x50,
    LIA_CLASS_BINARY = 0x5a,
    LIA_CLASS_OBJECTID = 0x64,
    LIA_CLASS_BOOL = 0x6e,
    LIA_CLASS_DATE = 0x78,
    LIA_CLASS_TIMESTAMP = 0x82,
    LIA_CLASS_REGEX = 0x8c,
    LIA_CLASS_DBPOINTER = 0x96,
    LIA_CLASS_CODE = 0xa0,
    LIA_CLASS_CODE_W_SCOPE = 0xaa,
    LIA_CLASS_MAXKEY = 0xf0
};

/* Any number is LIA_CLASS_NUMBER here. */
enum lia_class lia_value_class(struct lia_value v);

/* The same order as memcmp on the keys of lia_key_add, without making them. Negative, 0
 * or positive. */
int lia_value_cmp(struct lia_value a, struct lia_value b);

#endif
