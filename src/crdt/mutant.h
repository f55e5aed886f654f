/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CRDT_MUTANT_H
#define LIA_CRDT_MUTANT_H
/*
 * crdt/mutant - rules that can be broken on purpose.
 *
 * A build with LIA_MUTANTS breaks the one rule whose number is in the environment
 * (LIANA_MUTANT): the laws must notice (`make mutants`). testing/mutants.txt says what
 * each number breaks. In every other build this is false and costs nothing.
 *
 * Rules: 1..99 break the merge law (laws_test.c), 101..199 what a store may drop
 * (keep_laws_test.c, and tests of db), 201..299 what db makes of these (db/testing/mutants.txt).
 * Ownership: none. Threads: any.
 */
#ifdef LIA_MUTANTS
#    define LIA_MUTANT(n) ((n) == lia_mutant_number)
#else
#    define LIA_MUTANT(n) false
#endif

/* In tests only: testing/mutant.c. */
extern unsigned lia_mutant_number;

#endif
