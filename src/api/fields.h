/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_API_FIELDS_H
#define LIA_API_FIELDS_H
/*
 * api/fields - the fields of the control socket's bodies (api/serve.h), read and written.
 *
 * Rules: a field that is not there, or of another type, is empty, 0 or false: what it is for
 * says what is wrong with that. Ownership: what is read borrows from the body.
 * Threads: any. No state.
 */
#include "codec/bson.h"

struct liana_str lia_field_text(struct liana_slice body, const char *name);
struct liana_slice lia_field_document(struct liana_slice body, const char *name);
/* An int64's bits. */
uint64_t lia_field_number(struct liana_slice body, const char *name);
bool lia_field_flag(struct liana_slice body, const char *name);

/* The strings of an array, at most `max` (LIANA_ELIMIT). */
LIANA_MUST_CHECK liana_status lia_field_texts(struct liana_slice body,
                                              const char *name,
                                              struct liana_str *out,
                                              size_t max,
                                              size_t *out_count,
                                              struct liana_error *err);

void lia_field_add(struct lia_buf *out, const char *name, uint64_t value);
void lia_field_add_texts(struct lia_buf *out,
                         const char *name,
                         const struct liana_str *texts,
                         size_t count);
/* A whole document of one number. */
void lia_field_answer(struct lia_buf *out, const char *name, uint64_t value);

#endif
