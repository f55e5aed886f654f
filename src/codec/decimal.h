/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CODEC_DECIMAL_H
#define LIA_CODEC_DECIMAL_H
/*
 * codec/decimal - Decimal128: IEEE 754-2008 decimal128 in its binary integer encoding, as
 * BSON stores it.
 *
 * A finite number is +-coefficient * 10^exponent with a coefficient of at most 34 digits
 * and an exponent from -6176 to 6111; 2.5 and 2.50 are equal and differ in their bytes.
 *
 *     bit 127     126 ............ 113  112 ................................ 0
 *     sign        exponent + 6176       coefficient, a binary integer
 *     sign  11110 infinity;  sign 11111 NaN;  sign 11 + other: coefficient 0
 *
 * Rules: arithmetic rounds half to even at 34 digits, keeps the preferred exponent of
 * IEEE 754-2008 section 5.2 and overflows to infinity; it raises nothing. What makes no
 * number is the one NaN that we write. Text and integers are converted exactly or not at
 * all. A coefficient above 10^34-1 counts as 0, as the standard says.
 * Ownership: plain values. Threads: any. No state.
 */
#include "codec/bson.h"

#define LIA_DECIMAL_DIGITS       34
#define LIA_DECIMAL_EXPONENT_MIN (-6176)
#define LIA_DECIMAL_EXPONENT_MAX 6111

/* The sixteen bytes of BSON as two little-endian words. */
struct lia_decimal {
    uint64_t low;
    uint64_t high;
};

struct lia_decimal lia_value_decimal(struct lia_value v);
struct lia_value lia_value_of_decimal(struct lia_decimal d,
                                      struct lia_scratch *scratch);
void lia_bson_add_decimal(struct lia_buf *buf,
                          struct liana_str name,
                          struct lia_decimal d);

bool lia_decimal_is_nan(struct lia_decimal d);
bool lia_decimal_is_infinite(struct lia_decimal d);
bool lia_decimal_is_negative(
    struct lia_decimal d); /* the sign bit, also of 0 and NaN */
bool lia_decimal_is_zero(struct lia_decimal d);

/* ---- text: as the BSON specification for Decimal128 has it ---- */

/* "-1.50E+7", ".5", "Infinity", "nan": LIANA_EINVAL for what is no number, LIANA_ERANGE
 * when a digit would be lost (more than 34, or beyond the exponents). */
LIANA_MUST_CHECK liana_status lia_decimal_parse(struct liana_str text,
                                                struct lia_decimal *out);

#define LIA_DECIMAL_TEXT 48

/* The canonical text; keeps trailing zeros ("2.50"). Answers its length; no NUL. */
size_t lia_decimal_print(struct lia_decimal d, char text[static LIA_DECIMAL_TEXT]);

/* ---- conversion ---- */

struct lia_decimal lia_decimal_of_int64(int64_t v);

/* high * 2^64 + low, rounded half to even beyond 34 digits. */
struct lia_decimal lia_decimal_of_int128(int64_t high, uint64_t low);

/* With exactly 15 significant digits, as MongoDB converts a double that meets a decimal
 * in arithmetic: 1.5 is 1.50000000000000. */
struct lia_decimal lia_decimal_of_double(double v);

/* Without the fraction. False for what is no number or beyond 64 bits. */
bool lia_decimal_to_int64(struct lia_decimal d, int64_t *out);

/* ---- arithmetic ---- */

struct lia_decimal lia_decimal_add(struct lia_decimal a, struct lia_decimal b);
struct lia_decimal lia_decimal_subtract(struct lia_decimal a, struct lia_decimal b);
struct lia_decimal lia_decimal_multiply(struct lia_decimal a, struct lia_decimal b);
struct lia_decimal lia_decimal_negate(struct lia_decimal a);

/* By zero: an infinity; 0 / 0: NaN. */
struct lia_decimal lia_decimal_divide(struct lia_decimal a, struct lia_decimal b);

/* a - b * (a / b without its fraction), exact, with the sign of a; NaN if b is 0. */
struct lia_decimal lia_decimal_remainder(struct lia_decimal a, struct lia_decimal b);

/* LIA_DECIMAL_NEAREST takes halves away from zero, as round() of C does. */
enum lia_decimal_rounding {
    LIA_DECIMAL_FLOOR,
    LIA_DECIMAL_CEILING,
    LIA_DECIMAL_NEAREST
};

/* Without a fraction; what has none stays as it is (1E+3). */
struct lia_decimal lia_decimal_whole(struct lia_decimal a,
                                     enum lia_decimal_rounding rounding);

/* By value: 2.5 equals 2.50, -0 equals 0; a NaN is before all numbers and equals a NaN.
 * Negative, 0 or positive. */
int lia_decimal_cmp(struct lia_decimal a, struct lia_decimal b);

#endif
