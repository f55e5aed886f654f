/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CRDT_TESTING_CENSUS_H
#define LIA_CRDT_TESTING_CENSUS_H
/*
 * crdt/testing/census - what generated histories were about: in how many of them each kind
 * of step took place and did something. A law that holds over histories in which a thing
 * hardly ever happens says nothing of that thing.
 *
 * Rules: kinds are bits of one number, at most 64. Ownership: none; the names are the
 * caller's. Threads: one.
 */
#include <stddef.h>
#include <stdint.h>

struct census_kind {
    const char *name;
    unsigned of_10000_min; /* histories; fewer say too little */
};

struct census {
    const struct census_kind *kinds;
    size_t kind_count;
    uint64_t histories;
    uint64_t with[64]; /* by kind */
};

void census_add(struct census *c, uint64_t met);

/* Prints it; fails the test where a kind is rarer than it may be. Few histories prove
 * nothing of a generator. */
void census_tell(const struct census *c);

#endif
