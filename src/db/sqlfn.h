/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_DB_SQLFN_H
#define LIA_DB_SQLFN_H
/*
 * db/sqlfn - the SQL functions that lang/sql writes queries with.
 *
 *     lia_get(body, 'a.b[0]')   the value at a path, as lang/sql encodes it; NULL: MISSING
 *     lia_key(body, 'a.b[0]')   its key (codec/key.h), also of MISSING: never NULL
 *     lia_document(body)        the document as a value
 *     lia_key_of(value)         the key of a value
 *     lia_true(value), lia_false(value)   1 or 0
 *     lia_count, lia_sum, lia_avg, lia_min, lia_max   aggregates over values
 *     lia_..., lia_op_...       a function or operator of lang/functions.def
 *     lia_patterns_compiled()   how many regular expressions this connection has compiled
 *
 * Those that can meet a wrong type exist twice: with _l at the end they answer MISSING
 * where the others fail. All but the last are deterministic and without effects, so
 * indexes may use them.
 *
 * Rules: bodies are checked documents. A failing function ends the statement with
 * SQLITE_ERROR; lia_sqlfn_error gives the status and message back.
 * Ownership: what a connection needs is freed with it. Threads: as the connection.
 */
#include <sqlite3.h>

#include "base/error.h"
#include "base/mem.h"

/* Registers all of them; `allocator` is kept until the connection is closed. LIANA_ENOMEM. */
LIANA_MUST_CHECK liana_status
lia_sqlfn_register(sqlite3 *sqlite, const struct liana_allocator *allocator);

/* After a step failed: whether one of our functions did it, and with which status. */
bool lia_sqlfn_error(sqlite3 *sqlite, liana_status *out, struct liana_error *err);

#endif
