/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CODEC_JSON_WRAP_H
#define LIA_CODEC_JSON_WRAP_H
/*
 * codec/json_wrap - what {"$oid": "..."} and its like mean.
 *
 * The reader builds every object as a document and asks here, when it is complete, whether
 * it stands for another value. A row of the table in json_wrap.c is one name and one
 * function.
 *
 * Rules: the first name decides. Ownership: `doc` is borrowed, the payload is appended.
 * Threads: any. No state.
 */
#include "codec/bson.h"

struct lia_json_wrap {
    struct liana_slice doc;
    bool has_plain_number; /* one of its values was written as a JSON number */
    uint8_t type;          /* out: of the value that it means */
    struct lia_buf *payload;
};

/* Is an object that begins with this name no object? */
bool lia_json_is_wrapper(struct liana_str first_name);

/* Appends the payload and sets the type; or answers what is wrong. */
const char *lia_json_unwrap(struct lia_json_wrap *wrap);

#endif
