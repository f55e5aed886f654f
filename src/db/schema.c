/* SPDX-License-Identifier: Apache-2.0 */
#include "db/schema.h"

#include "codec/key.h"
#include "db/internal.h"

/* One that a transaction has read. */
struct lia_known_schema {
    struct lia_known_schema *next;
    struct liana_str collection;
    bool is_added; /* by lia_schema_add: goes with the statement */
    struct lia_schema schema;
    struct lia_rules rules;
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

/* ---- rules ---- */

static bool is_kept_whole(const struct lia_declared *d)
{
    return d->type->kind == LIA_KIND_REGISTER || d->type->kind == LIA_KIND_ATTACHMENT;
}

static bool has_shape(const struct lia_declared *d)
{
    return d->type->kind == LIA_KIND_SET || is_kept_whole(d) || d->has_min;
}

static struct lia_shape shape_of(const struct lia_declared *d)
{
    enum lia_shape_kind kind = d->type->kind == LIA_KIND_SET ? LIA_SHAPE_SET
                               : is_kept_whole(d)            ? LIA_SHAPE_REGISTER
                                                             : LIA_SHAPE_BOUNDED;

    return (struct lia_shape){{d->names, d->count}, kind, d->min};
}

static liana_status make_rules(struct lia_arena *arena, struct lia_known_schema *known)
{
    struct lia_shape *shapes =
        lia_arena_array(arena, known->schema.path_count, sizeof(*shapes));
    size_t n = 0;

    if (!shapes) {
        return LIANA_ENOMEM;
    }
    for (uint32_t i = 0; i < known->schema.path_count; i++) {
        if (has_shape(&known->schema.paths[i])) {
            shapes[n++] = shape_of(&known->schema.paths[i]);
        }
    }
    known->rules = (struct lia_rules){&known->schema, shapes, n};
    return LIANA_OK;
}

/* ---- what a transaction knows ---- */

static struct lia_known_schema *find(const struct lia_txn *txn,
                                     struct liana_str collection)
{
    struct lia_known_schema *known = txn->schemas;

    while (known && !lia_str_equal(known->collection, collection)) {
        known = known->next;
    }
    return known;
}

static liana_status new_known(struct lia_txn *txn,
                              struct liana_str collection,
                              struct lia_known_schema **out,
                              struct liana_error *err)
{
    struct lia_known_schema *known =
        LIA_ARENA_NEW(&txn->arena, struct lia_known_schema);
    struct liana_slice name;

    if (!known || !lia_arena_copy(&txn->arena, lia_str_slice(collection), &name)) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    known->collection = lia_slice_str(name);
    *out = known;
    return LIANA_OK;
}

static liana_status get_known(struct lia_txn *txn,
                              struct liana_str collection,
                              struct lia_known_schema **out,
                              struct liana_error *err)
{
    struct lia_known_schema *known = find(txn, collection);
    liana_status status = known ? LIANA_OK : new_known(txn, collection, &known, err);

    if (!known || known->rules.schema) {
        *out = known;
        return status;
    }
    status = read_schema(txn, collection, &known->schema, err);
    if (!status) {
        status = lia_err_plain(err, make_rules(&txn->arena, known));
    }
    if (status) {
        return status;
    }
    known->next = txn->schemas;
    txn->schemas = known;
    *out = known;
    return LIANA_OK;
}

liana_status lia_txn_schema(struct lia_txn *txn,
                            struct liana_str collection,
                            const struct lia_schema **out,
                            struct liana_error *err)
{
    struct lia_known_schema *known = NULL;
    liana_status status = get_known(txn, collection, &known, err);

    if (!status) {
        *out = &known->schema;
    }
    return lia_txn_leave(txn, status);
}

liana_status lia_schema_rules(struct lia_txn *txn,
                              struct liana_str collection,
                              const struct lia_rules **out,
                              struct liana_error *err)
{
    struct lia_known_schema *known = NULL;
    liana_status status = get_known(txn, collection, &known, err);

    if (!status) {
        *out = &known->rules;
    }
    return status;
}

liana_status lia_schema_add(struct lia_txn *txn,
                            struct liana_str collection,
                            const struct lia_declared *declared,
                            uint32_t count,
                            struct liana_error *err)
{
    struct lia_known_schema *known = NULL;
    struct lia_known_schema *joined = NULL;
    liana_status status = get_known(txn, collection, &known, err);

    if (!status) {
        status = new_known(txn, collection, &joined, err);
    }
    if (!status) {
        status = lia_schema_join(&txn->arena, &known->schema, declared, count,
                                 &joined->schema, err);
    }
    if (!status) {
        status = lia_err_plain(err, make_rules(&txn->arena, joined));
    }
    if (!status) {
        joined->is_added = true;
        joined->next = txn->schemas;
        txn->schemas = joined;
    }
    return status;
}

void lia_schema_drop(struct lia_txn *txn)
{
    if (txn->schemas && txn->schemas->is_added) {
        txn->schemas = txn->schemas->next;
    }
}

void lia_schema_forget(struct lia_txn *txn)
{
    txn->schemas = NULL;
}
