/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CODEC_DOUBLE_TEXT_H
#define LIA_CODEC_DOUBLE_TEXT_H
/*
 * codec/double_text - doubles as text, both ways, whatever the locale.
 *
 * Rules: reading refuses what would be another number afterwards: the nearest double,
 * written with as many digits as the text has, must be the text. So every text is taken
 * that has at most 15 digits or was printed from a double (with 17, 20 or all of its
 * digits), and 0.1234567890123456789, 1e400 and 1e-400 are not. Writing gives the
 * shortest text that reads back as the same double.
 * Ownership: none. Threads: any. No state.
 */
#include "base/error.h"
#include "base/slice.h"

/* Digits with at most one point among them, an exponent, a sign before both.
 * LIANA_EINVAL for what is no number (also "Infinity"), LIANA_ERANGE when digits or the
 * number itself would be lost. */
LIANA_MUST_CHECK liana_status lia_double_parse(struct liana_str text, double *out);

/* The nearest double, whatever is lost: beyond the range it is infinite, or 0. Takes
 * "Infinity", "inf" and "nan", too, in any case. False for what is no number. */
bool lia_double_parse_nearest(struct liana_str text, double *out);

#define LIA_DOUBLE_TEXT 32

/* "1.0", "-0.0", "1.5E+300", "Infinity", "-Infinity", "NaN": a finite one has always a
 * point or an exponent. Answers the length; no NUL. */
size_t lia_double_print(double v, char text[static LIA_DOUBLE_TEXT]);

#endif
