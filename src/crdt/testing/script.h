/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_CRDT_TESTING_SCRIPT_H
#define LIA_CRDT_TESTING_SCRIPT_H
/*
 * crdt/testing/script - histories written by hand: golden files and the examples of the
 * documentation run through this.
 *
 * One document, peers A to H. A line is a peer and what it does; `#` begins a comment,
 * `=` on a line of its own begins a new history.
 *
 *     A insert {"_id": 1, "a": 2}    Extended JSON; likewise replace
 *     A set a.x 5                    likewise unset a.x, increment n 2, delete
 *     A add tags "x"                 to a set; likewise remove tags "x"
 *     A knows tags set               its schema: what it writes there is a set; `register`
 *     A bound n 0 100                a bounded counter of 100, not below 0
 *     A transfer n 2 30              rights, to actor 2; A's actor is 1 until it is renewed
 *     A reclaim n 2                  those that actor 2 had left
 *     A rights n 70                  what A may spend
 *     A delete softly                updates win over it
 *     A set a 1; unset b             one transaction
 *     A also set a.y 6               more of the transaction before, in another call
 *     A pull B                       what A's vector lacks, as a segment; `pull B whole`
 *     A initial {"_id": 1, "a": 2}   an INITIAL document of the collection c
 *     A lost a 1;m.x "t";b removed;  what the last pull discarded; `lost nothing`
 *     A is clamped                   an integer is beyond int64; `is exact`
 *     A saves                        and later `falls back` to it, with its clock
 *     A retag 17                     the fall is found out: what A's actor has written
 *                                    beyond 17 is counted anew, under a new actor
 *     A heal B                       as pull, and takes what B has of the old actor
 *     A evict                        and a new actor, if the copy had named it
 *     A at 17                        the next stamp is later; `at 1700000000000 ms`
 *     A shows {"_id": 1, "a": 2}     exact types and order of fields; `shows nothing`
 *     A fails LIANA_ETYPE set a.x 1  and nothing changed
 *     A clock 01 02 ...              the bytes; `segment B 01 02 ...`: what B lacks;
 *                                    they may go on in indented lines
 *
 * Every document is checked (lia_doc_check) after every line. A line that does not hold
 * fails the test and names itself.
 * Ownership: none. Threads: the test's own.
 */
#include "base/slice.h"

void lia_script_run(const char *name, struct liana_slice text);

/* Runs the fenced blocks of a Markdown page that are marked ```crdt; fails without any. */
void lia_script_run_page(const char *name, struct liana_slice page);

#endif
