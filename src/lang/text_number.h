/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_LANG_TEXT_NUMBER_H
#define LIA_LANG_TEXT_NUMBER_H
/*
 * lang/text_number - doubles and dates to and from text, in every locale alike.
 * Ownership: none taken. Threads: any. No state.
 */
#include "base/slice.h"

/* A decimal number in all of `text` ("1.5", "-2e3", "inf", "nan"), rounded to nearest; beyond
 * the range it is infinite. */
bool lia_text_double_parse(struct liana_str text, double *out);

/* The whole part of a number in decimal digits ("-12.5E+3"), exactly. False if it is not one
 * or beyond 64 bits. */
bool lia_whole_parse(struct liana_str text, int64_t *out);

#define LIA_TEXT_DOUBLE_BYTES 40

/* The shortest digits that read back as the same double. Answers their length. */
size_t lia_text_double_print(double v, char text[static LIA_TEXT_DOUBLE_BYTES]);

/* ISO 8601: a day, or a day and a time, parted by T or a blank, with seconds and up to nine
 * decimals of them or without, and a zone (Z, +02:00, +0200, +02) or none: then it is UTC.
 * Milliseconds since 1970; smaller parts are cut off. False for anything else, and for
 * days that no month has. */
bool lia_text_date_parse(struct liana_str text, int64_t *out_ms);

#define LIA_TEXT_DATE_BYTES 48

/* "2011-12-03T10:15:30.250Z"; years beyond four digits have a sign. */
size_t lia_text_date_print(int64_t ms, char text[static LIA_TEXT_DATE_BYTES]);

#endif
