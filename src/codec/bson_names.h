/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CODEC_BSON_NAMES_H
#define LIA_CODEC_BSON_NAMES_H
/*
 * codec/bson_names - does a name stand twice in one map?
 *
 * Few names (LIA_NAMES_FEW) are compared in pairs as they come. Many go through a hash table on the stack, more than
 * that through one from the allocator: four bytes for each slot, at most half of them
 * used. The table is keyed (SipHash) with the hash of the document itself: the answer
 * needs no random numbers, and names chosen to collide change the key.
 *
 * Rules: the map's elements have been checked (lengths, terminated names).
 * Ownership: all borrowed. Threads: one at a time for one struct lia_names.
 */
#include "base/hash.h"
#include "codec/bson.h"

#define LIA_NAMES_FEW 16

struct lia_names {
    const struct liana_allocator *alloc;
    struct liana_slice doc; /* the outermost document */
    bool has_key;           /* made when it is first needed */
    uint8_t key[LIA_HASH_SHORT_KEY];
};

/* Of names in an array: LIANA_OK, or LIANA_EDUPFIELD and the first that stood there
 * before. The cost is quadratic. */
LIANA_MUST_CHECK liana_status lia_names_few_unique(const struct liana_str *names,
                                                   size_t count,
                                                   struct liana_str *out_twice);

/* The same, or LIANA_ENOMEM. `count` is the number of elements of `map`, which lies inside
 * `names->doc`. */
LIANA_MUST_CHECK liana_status lia_names_unique(struct lia_names *names,
                                               struct liana_slice map,
                                               size_t count,
                                               struct liana_str *out_twice);

#endif
