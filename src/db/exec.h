/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_DB_EXEC_H
#define LIA_DB_EXEC_H
/*
 * db/exec - running statements of the query language (docs/query.md).
 *
 * Rules
 *   A statement that writes is whole when the call returns: all of it happened, or nothing.
 *   A SELECT produces its rows as they are asked for, from the snapshot (or the
 *   transaction) that it began in.
 *   An UPDATE or DELETE holds the keys of what it changes, up to 1 MiB of them, and one
 *   document; what it writes goes to the WAL as the page cache fills.
 *   Parameters are the fields of one BSON document; it is checked (LIANA_EBSON, ...).
 *   A result of a transaction must be ended or freed before the transaction ends; one that
 *   is open while the same transaction writes may or may not show what it wrote.
 * Ownership: arguments are borrowed for the call; the result is freed by the caller. Rows
 * and ids are valid until the next call on the result.
 * Threads: a result belongs to one thread at a time; one of a transaction to that one's.
 */
#include "db/feed.h"

struct lia_result;

struct lia_exec_options {
    /* A wrong type in an expression makes it MISSING instead of an error. */
    bool is_lenient;
    bool wants_ids; /* lia_result_ids: memory for each document that is changed */
};

/* In a transaction of its own: a SELECT's ends with its result. `options` may be NULL.
 * LIANA_ESYNTAX, LIANA_EPARAM, LIANA_ETYPE, LIANA_ERANGE, LIANA_ELIMIT, and the statuses of
 * transactions. */
LIANA_MUST_CHECK liana_status lia_db_execute(struct lia_db *db,
                                             struct liana_str text,
                                             struct liana_slice params,
                                             const struct lia_exec_options *options,
                                             struct lia_result **out,
                                             struct liana_error *err);

/* In a transaction. LIANA_EMISUSE when it is read-only and the statement writes. */
LIANA_MUST_CHECK liana_status lia_txn_execute(struct lia_txn *txn,
                                              struct liana_str text,
                                              struct liana_slice params,
                                              const struct lia_exec_options *options,
                                              struct lia_result **out,
                                              struct liana_error *err);

/* The next row, a BSON document. LIANA_EEND behind the last one; LIANA_ECANCELED after
 * lia_result_end. A failure is final: every later call answers it. */
LIANA_MUST_CHECK liana_status lia_result_next(struct lia_result *result,
                                              struct liana_slice *row,
                                              struct liana_error *err);

/* How many documents were inserted, changed, deleted or evicted. */
uint64_t lia_result_mutations(const struct lia_result *result);

/* How many an EVICT matched and left, because they wait for a keeper. */
uint64_t lia_result_waiting(const struct lia_result *result);

/* Their _ids in the order in which they were written: a BSON array; empty unless they were
 * asked for. */
struct liana_slice lia_result_ids(const struct lia_result *result);

/* The seq of the statement's own commit; 0 in a transaction and if nothing changed. */
uint64_t lia_result_seq(const struct lia_result *result);

/* Gives back what is held of the transaction; only freeing is left to do. */
void lia_result_end(struct lia_result *result);

/* NULL is allowed. */
void lia_result_free(struct lia_result *result);

#endif
