/* SPDX-License-Identifier: Apache-2.0 */
#include "db/internal.h"

static liana_status put_item(struct lia_conn *conn,
                             uint64_t stage,
                             const struct lia_batch_item *item,
                             struct liana_error *err)
{
    return lia_books_run(conn, err,
                         "INSERT INTO stage (stage, collection, key, segment, "
                         "subscription, answer) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                         "utsssu", stage, item->key.collection, item->key.key,
                         item->segment, item->subscription, (uint64_t)item->is_answer);
}

liana_status lia_db_stage(struct lia_db *db,
                          uint64_t *stage,
                          const struct lia_batch_item *items,
                          size_t count,
                          struct liana_error *err)
{
    struct lia_conn *conn;
    uint64_t id;
    liana_status status = lia_books_begin(db, &conn, err);

    if (status) {
        return status;
    }
    id = *stage ? *stage : db->stages + 1;
    for (size_t i = 0; i < count && !status; i++) {
        status = put_item(conn, id, &items[i], err);
    }
    status = lia_books_commit(db, status, err);
    if (!status) {
        db->stages = id > db->stages ? id : db->stages;
        *stage = id;
    }
    lia_store_write_end(db->store);
    return status;
}

liana_status lia_db_stage_drop(struct lia_db *db,
                               uint64_t stage,
                               struct liana_error *err)
{
    struct lia_conn *conn;
    liana_status status = lia_books_begin(db, &conn, err);

    if (status) {
        return status;
    }
    status = lia_books_run(conn, err, "DELETE FROM stage WHERE stage = ?1", "u", stage);
    return lia_books_end(db, status, err);
}
