/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LIA_DB_BREACH_H
#define LIA_DB_BREACH_H
/*
 * db/breach - documents that are not as their collection is declared (docs/adr/0051).
 *
 * Local writes are refused (db/schema.h), what peers write is merged. Two things can be
 * known of it: that it happened, a row of system:conflicts at the peer that took the write
 * from whoever made it; and that it is so now, a row of system:breaches at everybody who
 * holds the document, for as long as it is so.
 *
 * Rules: a merge is never decided here. What stands at a path of a type that this version
 * does not know is not judged.
 * Ownership: breaches borrow the declaration and the document. Threads: the transaction's.
 */
#include "crdt/doc.h"
#include "lang/schema.h"

struct lia_txn;
struct lia_notes;
struct lia_batch;
struct lia_noted_of;

enum lia_rule { LIA_RULE_TYPE, LIA_RULE_NOT_NULL, LIA_RULE_IMMUTABLE };

/* Something that stands where it is declared otherwise. */
struct lia_breach {
    const struct lia_declared *declared;
    enum lia_rule rule;
    struct lia_value value; /* what stands there, or MISSING */
    struct lia_stamp written;
};

/* Whether a value is as declared of its path, by itself; `out->written` is not set. */
bool lia_breach_find(const struct lia_declared *d,
                     struct lia_value v,
                     struct lia_breach *out);

/* Appends the fields `rule` (the type, "NOT NULL" or "IMMUTABLE") and `text`. */
void lia_breach_add(struct lia_buf *out, const struct lia_breach *breach);

/* Notes what the merge of a peer's write has made otherwise than declared at paths that it
 * changed, if that peer wrote it itself: what is relayed was told before. */
LIANA_MUST_CHECK liana_status lia_breaches_note(struct lia_txn *txn,
                                                const struct lia_batch *batch,
                                                const struct lia_noted_of *of,
                                                struct lia_doc before,
                                                struct lia_doc merged,
                                                struct lia_notes *notes,
                                                struct liana_error *err);

#endif
