/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CRDT_MUTANT_H
#define LIA_CRDT_MUTANT_H
/*
 * crdt/mutant - rules that can be broken on purpose.
 *
 * A test build may be given a number and then breaks one rule: the laws must notice
 * (testing/mutants). In the product this is false and costs nothing.
 *
 * Rules: 1..99 break the merge law (laws_test.c), 101..199 what a store may drop
 * (keep_laws_test.c). Ownership: none. Threads: any.
 */
#ifdef LIA_MUTANT_NUMBER
#    define LIA_MUTANT(n) ((n) == LIA_MUTANT_NUMBER)
#else
#    define LIA_MUTANT(n) false
#endif

#endif
