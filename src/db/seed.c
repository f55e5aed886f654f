/* SPDX-License-Identifier: Apache-2.0 */
/*
 * INITIAL documents: made apart from what is there, then merged into it as a peer's.
 */
#include "db/internal.h"

static const struct lia_doc nothing = {{NULL, 0}, {NULL, 0}};
static const struct lia_vector from_nothing = {NULL, 0};

/* The document that the insert makes, as it is declared. */
static liana_status make(struct lia_txn *txn,
                         const struct lia_coll *coll,
                         const struct lia_op *insert,
                         struct lia_doc *out,
                         struct liana_error *err)
{
    const struct lia_rules *rules = NULL;
    struct lia_stamp stamp;
    size_t count = 1;
    liana_status status = lia_schema_rules(txn, coll->pub.name, &rules, err);

    if (!status) {
        status = lia_rules_prepare(rules, txn, nothing, &insert, &count, err);
    }
    if (!status) {
        status =
            lia_doc_initial(&txn->scratch, coll->pub.name, insert, out, &stamp, err);
    }
    return status ? status : lia_rules_check(rules, nothing.body, out->body, true, err);
}

static liana_status put(struct lia_txn *txn,
                        const struct lia_coll *coll,
                        struct liana_slice key,
                        struct liana_slice segment,
                        struct lia_change *out,
                        struct liana_error *err)
{
    struct lia_row row = {0};
    struct lia_doc merged = {0};
    struct lia_notes notes;
    const struct lia_watch watch = lia_notes_init(&notes, txn->db, &txn->scratch);
    liana_status status = lia_row_get(txn->conn, coll, key, &txn->scratch, &row, err);

    if (!status) {
        status = lia_doc_merge_watched(&txn->scratch, row.doc, segment, &watch, &merged,
                                       err);
    }
    if (status || merged.clock.ptr == row.doc.clock.ptr) {
        return status; /* it was there, or deleted */
    }
    status = lia_row_put(txn, coll, key, &row, merged, err);
    if (!status) {
        const struct lia_noted_of of = {coll->pub.name, key, merged.body};

        status = lia_conflicts_put(txn, &of, &notes, err);
    }
    if (!status && out) {
        *out = (struct lia_change){true, row.doc, merged};
    }
    return status;
}

liana_status lia_txn_seed(struct lia_txn *txn,
                          const struct lia_collection *collection,
                          struct liana_slice key,
                          const struct lia_op *insert,
                          struct lia_change *out,
                          struct liana_error *err)
{
    const struct lia_coll *coll = lia_coll_of(collection);
    struct liana_slice segment = {0};
    struct lia_doc seed = nothing;
    liana_status status = lia_txn_enter(txn, true, err);

    if (status) {
        return status;
    }
    status = make(txn, coll, insert, &seed, err);
    if (!status) {
        status = lia_err_plain(
            err, lia_doc_segment(&txn->scratch, seed, from_nothing, &segment));
    }
    if (!status) {
        status = put(txn, coll, key, segment, out, err);
    }
    return lia_txn_leave(txn, status);
}
