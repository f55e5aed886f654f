/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CODEC_DATE_TEXT_H
#define LIA_CODEC_DATE_TEXT_H
/*
 * codec/date_text - BSON dates (milliseconds since 1970, UTC) as text: RFC 3339.
 *
 * Rules: the proleptic Gregorian calendar; years 0000 to 9999 where nothing else is said;
 * no leap seconds.
 * Ownership: none. Threads: any. No state, no time zone of the system.
 */
#include "base/error.h"
#include "base/slice.h"

/* "2012-12-24T12:15:30.501Z", "...+01:00", "...-0730". A fraction of a second may have
 * more than three digits if the rest are zeros: LIANA_ERANGE otherwise. LIANA_EINVAL for
 * other texts and for days that do not exist. */
LIANA_MUST_CHECK liana_status lia_date_parse(struct liana_str text, int64_t *out_ms);

/* As people write ISO 8601: a day, or a day and a time, parted by T or a blank; seconds and
 * the zone (then UTC) may be missing, as may the minutes of the zone. What is below a
 * millisecond is cut off. False for anything else. */
bool lia_date_parse_loose(struct liana_str text, int64_t *out_ms);

#define LIA_DATE_TEXT 48

#define LIA_DATE_TEXT_MIN INT64_C(-62167219200000) /* 0000-01-01T00:00:00Z */
#define LIA_DATE_TEXT_MAX INT64_C(253402300799999) /* 9999-12-31T23:59:59.999Z */

/* "2012-12-24T12:15:30Z", with ".501" only if it is not zero. Answers the length, without
 * NUL; 0 for a date beyond these years. */
size_t lia_date_print(int64_t ms, char text[static LIA_DATE_TEXT]);

/* The same for every date there is, always with milliseconds; years beyond four digits have
 * a sign: "+292278994-08-17T07:12:55.807Z". */
size_t lia_date_print_any(int64_t ms, char text[static LIA_DATE_TEXT]);

#endif
