/* SPDX-License-Identifier: Apache-2.0 */
#include "db/schema.h"

#include "codec/key.h"
#include "db/internal.h"

/* One that a transaction has read. */
struct lia_known_schema {
    struct lia_known_schema *next;
    struct liana_str collection;
    struct lia_schema schema;
};

bool lia_name_is_reserved(struct liana_str name)
{
    const size_t n = sizeof(LIA_RESERVED) - 1;

    return name.len >= n && memcmp(name.ptr, LIA_RESERVED, n) == 0;
}

liana_status lia_schema_key(struct lia_arena *arena,
                            struct liana_str name,
                            struct liana_slice *out)
{
    struct lia_buf buf;
    struct lia_buf key;
    liana_status status;

    lia_buf_init(&buf, arena->alloc);
    lia_buf_init(&key, arena->alloc);
    /* A string's payload: its length, its bytes, NUL. */
    lia_buf_u32(&buf, (uint32_t)name.len + 1);
    lia_buf_bytes(&buf, name.ptr, name.len);
    lia_buf_u8(&buf, 0);
    status = buf.status;
    if (!status) {
        status = lia_key_of_id((struct lia_value){LIA_BSON_STRING, lia_buf_slice(&buf)},
                               &key, NULL);
    }
    if (!status && !lia_arena_copy(arena, lia_buf_slice(&key), out)) {
        status = LIANA_ENOMEM;
    }
    lia_buf_deinit(&key);
    lia_buf_deinit(&buf);
    return status;
}

static bool is_visible(const struct lia_txn *txn, const struct lia_coll *coll)
{
    return coll && (lia_txn_is_write(txn) || coll->pub.id <= txn->collections_max);
}

static liana_status read_schema(struct lia_txn *txn,
                                struct liana_str collection,
                                struct lia_schema *out,
                                struct liana_error *err)
{
    const struct lia_coll *coll = lia_coll_within(txn, lia_str(LIA_COLLECTIONS));
    struct liana_slice key = {0};
    struct lia_row row = {0};
    struct lia_arena work;
    liana_status status = LIANA_OK;

    if (!is_visible(txn, coll) || lia_name_is_reserved(collection)) {
        *out = (struct lia_schema){0};
        return LIANA_OK;
    }
    lia_arena_init(&work, txn->db->env->alloc);
    status = lia_err_plain(err, lia_schema_key(&work, collection, &key));
    if (!status) {
        status = lia_row_get(txn->conn, coll, key, &work, &row, err);
    }
    if (!status) {
        status = lia_err_plain(err, lia_schema_read(&txn->arena, row.doc.body, out));
    }
    lia_arena_deinit(&work);
    return status;
}

static struct lia_known_schema *find(const struct lia_txn *txn,
                                     struct liana_str collection)
{
    struct lia_known_schema *known = txn->schemas;

    while (known && !lia_str_equal(known->collection, collection)) {
        known = known->next;
    }
    return known;
}

liana_status lia_txn_schema(struct lia_txn *txn,
                            struct liana_str collection,
                            const struct lia_schema **out,
                            struct liana_error *err)
{
    struct lia_known_schema *known = find(txn, collection);
    struct liana_slice name;
    liana_status status;

    if (known) {
        *out = &known->schema;
        return LIANA_OK;
    }
    known = LIA_ARENA_NEW(&txn->arena, struct lia_known_schema);
    if (!known || !lia_arena_copy(&txn->arena, lia_str_slice(collection), &name)) {
        return lia_txn_leave(txn, lia_err_plain(err, LIANA_ENOMEM));
    }
    known->collection = lia_slice_str(name);
    status = read_schema(txn, collection, &known->schema, err);
    if (status) {
        return lia_txn_leave(txn, status);
    }
    known->next = txn->schemas;
    txn->schemas = known;
    *out = &known->schema;
    return LIANA_OK;
}

void lia_schema_forget(struct lia_txn *txn)
{
    txn->schemas = NULL;
}
