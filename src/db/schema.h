/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_DB_SCHEMA_H
#define LIA_DB_SCHEMA_H
/*
 * db/schema - what is declared of a collection, as a transaction sees it.
 *
 * Declarations are documents of the collection `_liana.collections` (lang/schema.h), made by
 * CREATE, ALTER and DROP COLLECTION, merged and sent like all others.
 *
 * Rules: they govern local writers. lia_txn_apply turns what an app asks for into the
 * operations that the declaration means, and refuses what breaks it (LIANA_ESCHEMA). What
 * comes from a peer is merged without looking here.
 * Only what a write changes is looked at: a document that broke a declaration before, by a
 * merge or because it is older, can be written elsewhere.
 * Ownership: schemas live in the transaction. Threads: the transaction's.
 */
#include "db/db.h"
#include "lang/schema.h"

#define LIA_COLLECTIONS "_liana.collections"

/* Names that begin so are the library's; statements do not write there. */
#define LIA_RESERVED "_liana."
bool lia_name_is_reserved(struct liana_str name);

/* What this transaction sees declared of a collection, also of one that does not exist here;
 * never NULL (is_declared is false then). Valid until the transaction writes to
 * `_liana.collections`, undoes a savepoint, or ends. In a write transaction it is read
 * once. */
LIANA_MUST_CHECK liana_status lia_txn_schema(struct lia_txn *txn,
                                             struct liana_str collection,
                                             const struct lia_schema **out,
                                             struct liana_error *err);

#endif
