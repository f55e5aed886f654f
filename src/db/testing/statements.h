/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_DB_TESTING_STATEMENTS_H
#define LIA_DB_TESTING_STATEMENTS_H
/*
 * db/testing/statements - a test db that is written and read by statements, and that takes
 * what others hold.
 *
 * Rules, ownership, threads: as db/testing/fixture.h.
 */
#include "db/testing/fixture.h"

/* Runs a statement; the clock of the db goes on by 10 ms. `t->err` says what was wrong. */
liana_status lia_test_try(struct lia_test_db *t, const char *text);
/* The same, which must succeed. */
void lia_test_run(struct lia_test_db *t, const char *text);
/* How many documents it changed. */
uint64_t lia_test_mutate(struct lia_test_db *t, const char *text);

/* The rows of a query, printed one behind the other. */
void lia_test_shows(struct lia_test_db *t, const char *text, const char *wanted);
/* Their number. */
size_t lia_test_count(struct lia_test_db *t, const char *text);

/* What a HELLO says of it. */
struct lia_seen lia_test_history(struct lia_test_db *t);

/* All documents of a collection, each whole; `to` knows who sends them, and which of them
 * `from` wrote itself. */
void lia_test_pull(struct lia_test_db *from,
                   struct lia_test_db *to,
                   const char *collection);

#endif
