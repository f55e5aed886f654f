/* SPDX-License-Identifier: Apache-2.0 */
#include "db/internal.h"

static liana_status work(struct lia_txn *txn,
                         uint64_t *cursor,
                         struct lia_upkeep *out,
                         struct liana_error *err)
{
    return lia_forget_some(txn, cursor, out, err);
}

/* Nobody waits for it: what is lost with the power is done again. */
liana_status lia_db_upkeep(struct lia_db *db,
                           struct lia_upkeep *out,
                           struct liana_error *err)
{
    const struct lia_txn_options options = {
        .kind = LIA_WRITE, .wait_ms = LIA_WAIT_FOREVER, .durability = LIA_NORMAL};
    struct lia_upkeep done = {0};
    struct lia_txn *txn = NULL;
    uint64_t cursor;
    liana_status status = lia_txn_begin(db, &options, &txn, err);

    if (status) {
        return status;
    }
    cursor = db->forget_cursor;
    status = work(txn, &cursor, &done, err);
    if (status) {
        lia_txn_rollback(txn);
        return status;
    }
    db->forget_cursor = cursor;
    status = lia_txn_commit(txn, NULL, err);
    if (!status) {
        *out = done;
    }
    return status;
}
