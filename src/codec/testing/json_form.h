/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CODEC_TESTING_JSON_FORM_H
#define LIA_CODEC_TESTING_JSON_FORM_H
/*
 * codec/testing/json_form - one form for JSON texts that mean the same: no blanks, strings
 * without escapes, numbers as they stand.
 *
 * Ownership: appends to the caller's buffer. Threads: any.
 */
#include "base/buf.h"

/* Fails the test when the text is no JSON. */
void lia_json_form(struct liana_slice text, struct lia_buf *out);

#endif
