/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CODEC_KEY_NUMBER_H
#define LIA_CODEC_KEY_NUMBER_H
/*
 * codec/key_number - the key of a number: exact, and one order for int32, int64, double
 * and Decimal128.
 *
 * Every number is split into the greatest double not beyond it (towards zero) and "is
 * there more?". Doubles order as their bits do, so the bits come first; most numbers end
 * there. What no double holds (an int64 beyond 2^53, a decimal like 0.1) goes on with all
 * of its decimal digits, never more than 34: numbers that share their double order by
 * these, and one that is the double exactly comes before all that are more.
 *
 *     class    1     NaN (nothing follows), negative (the rest inverted), positive or zero
 *     double   1-9   the 63 bits below the sign in groups of seven from the top, each as
 *                    group * 2 + 1, the last with anything but zero after it as group * 2
 *     only when all nine groups say that there is more:
 *     point    2     how many digits stand before the decimal point, + 0x2000, big endian
 *     digits   1-17  two at a time as pair * 2 + 1, the last pair as pair * 2; no zeros at
 *                    the end
 *
 * No key of a number is the beginning of another's. docs/format/key.md has examples.
 *
 * Rules: the value is a number. Ownership: none. Threads: any. No state.
 */
#include "codec/bson.h"

#define LIA_KEY_NUMBER_MAX 29

/* Writes the key, answers its length. */
size_t lia_key_number(struct lia_value v, uint8_t out[static LIA_KEY_NUMBER_MAX]);

#endif
