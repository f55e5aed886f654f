/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CREATE, ALTER and DROP COLLECTION: writes to the collection's document in
 * `_liana.collections` (lang/schema.h).
 */
#include "db/exec_internal.h"

/* ---- the parts of a declaration, as operations on its document ---- */

struct change {
    struct lia_result *r;
    struct lia_op *ops;
    size_t count;
};

static liana_status op_path(struct lia_arena *arena,
                            const char *part,
                            struct liana_str name,
                            struct lia_path *out)
{
    struct liana_str *names = lia_arena_array(arena, 2, sizeof(*names));

    if (!names) {
        return LIANA_ENOMEM;
    }
    names[0] = lia_str(part);
    names[1] = name;
    *out = (struct lia_path){names, 2};
    return LIANA_OK;
}

static void add_declared(struct lia_buf *buf, const struct lia_declared *d)
{
    lia_bson_add_str(buf, lia_str("type"), d->type_name);
    if (d->has_min) {
        lia_bson_add_int64(buf, lia_str("min"), d->min);
    }
    if (d->is_not_null) {
        lia_bson_add_bool(buf, lia_str("notNull"), true);
    }
    if (d->is_immutable) {
        lia_bson_add_bool(buf, lia_str("immutable"), true);
    }
}

static liana_status value_of(struct lia_result *r,
                             const struct lia_declared *d,
                             struct lia_value *out)
{
    struct lia_buf buf;
    liana_status status;
    size_t mark;

    lia_buf_init(&buf, r->alloc);
    mark = lia_bson_begin(&buf);
    add_declared(&buf, d);
    lia_bson_end(&buf, mark);
    out->type = LIA_BSON_DOCUMENT;
    status = buf.status;
    if (!status && !lia_arena_copy(&r->arena, lia_buf_slice(&buf), &out->data)) {
        status = LIANA_ENOMEM;
    }
    lia_buf_deinit(&buf);
    return status;
}

/* What is said of one path is one value: of two that meet the newer holds. */
static liana_status keep_whole(struct lia_result *r, struct lia_op *op)
{
    struct lia_shape *shape = LIA_ARENA_NEW(&r->arena, struct lia_shape);

    if (!shape) {
        return LIANA_ENOMEM;
    }
    *shape = (struct lia_shape){op->path, LIA_SHAPE_REGISTER, 0};
    op->shapes = shape;
    op->shape_count = 1;
    return LIANA_OK;
}

static liana_status put_path(struct change *c, const struct lia_declared *d)
{
    struct lia_op *op = &c->ops[c->count++];
    liana_status status = op_path(&c->r->arena, "paths", d->text, &op->path);

    op->kind = LIA_OP_SET;
    if (!status) {
        status = value_of(c->r, d, &op->value);
    }
    return status ? status : keep_whole(c->r, op);
}

static liana_status put_option(struct change *c, const struct lia_alter *alter)
{
    struct lia_op *op = &c->ops[c->count++];

    op->kind = LIA_OP_SET;
    op->value = alter->value->value;
    return op_path(&c->r->arena, "options", alter->option, &op->path);
}

static liana_status take_away(struct change *c, const char *part, struct liana_str name)
{
    struct lia_op *op = &c->ops[c->count++];

    op->kind = LIA_OP_UNSET;
    return op_path(&c->r->arena, part, name, &op->path);
}

/* ---- what ALTER may change ---- */

static liana_status check_room(const struct lia_schema *schema,
                               const struct lia_declared *d,
                               struct liana_error *err)
{
    const struct lia_declared *above = lia_schema_above(schema, d->names, d->count);

    if (above) {
        return lia_err(err, LIANA_ESCHEMA,
                       "%.*s is declared %.*s and has no fields of its own",
                       LIA_STR_ARG(above->text), LIA_STR_ARG(above->type_name));
    }
    for (uint32_t i = 0; i < schema->path_count && !lia_declared_has_fields(d); i++) {
        if (lia_declared_is_below(&schema->paths[i], d)) {
            return lia_err(err, LIANA_ESCHEMA, "%.*s is declared below %.*s",
                           LIA_STR_ARG(schema->paths[i].text), LIA_STR_ARG(d->text));
        }
    }
    return LIANA_OK;
}

static liana_status alter_path(struct change *c,
                               const struct lia_schema *schema,
                               const struct lia_alter *alter,
                               struct liana_error *err)
{
    const struct lia_declared *d = &alter->path;
    const struct lia_declared *known = lia_schema_find(schema, d->names, d->count);
    struct liana_str collection = c->r->stmt->source.collection;
    liana_status status = LIANA_OK;

    if (alter->kind == LIA_ALTER_ADD && known) {
        return lia_err(err, LIANA_EEXISTS, "%.*s of %.*s is declared already",
                       LIA_STR_ARG(d->text), LIA_STR_ARG(collection));
    }
    if (alter->kind != LIA_ALTER_ADD && !known) {
        return lia_err(err, LIANA_ENOTFOUND, "%.*s of %.*s is not declared",
                       LIA_STR_ARG(d->text), LIA_STR_ARG(collection));
    }
    if (alter->kind == LIA_ALTER_DROP) {
        return lia_err_plain(err, take_away(c, "paths", known->text));
    }
    if (schema->path_count == LIA_DECLARED_MAX && !known) {
        return lia_err(err, LIANA_ELIMIT, "%.*s declares %d paths already",
                       LIA_STR_ARG(collection), LIA_DECLARED_MAX);
    }
    status = check_room(schema, d, err);
    return status ? status : lia_err_plain(err, put_path(c, d));
}

static liana_status alter_part(struct change *c,
                               const struct lia_schema *schema,
                               const struct lia_alter *alter,
                               struct liana_error *err)
{
    switch (alter->kind) {
    case LIA_ALTER_SET: return lia_err_plain(err, put_option(c, alter));
    case LIA_ALTER_RESET:
        return lia_err_plain(err, take_away(c, "options", alter->option));
    default: return alter_path(c, schema, alter, err);
    }
}

/* ---- the document ---- */

/* {_id: name}. */
static liana_status make_document(struct lia_result *r, struct lia_value *out)
{
    struct lia_buf buf;
    liana_status status;
    size_t mark;

    lia_buf_init(&buf, r->alloc);
    mark = lia_bson_begin(&buf);
    lia_bson_add_str(&buf, lia_str("_id"), r->stmt->source.collection);
    lia_bson_end(&buf, mark);
    out->type = LIA_BSON_DOCUMENT;
    status = buf.status;
    if (!status && !lia_arena_copy(&r->arena, lia_buf_slice(&buf), &out->data)) {
        status = LIANA_ENOMEM;
    }
    lia_buf_deinit(&buf);
    return status;
}

/* Writes the operations; `id` is a document with the _id, for lia_result_ids. */
static liana_status write_document(struct change *c, struct liana_error *err)
{
    struct lia_result *r = c->r;
    const struct lia_collection *collections;
    struct lia_value id = {0};
    struct liana_slice key = {0};
    struct lia_change changed = {0};
    liana_status status =
        lia_err_plain(err, lia_schema_key(&r->arena, r->stmt->source.collection, &key));

    if (!status) {
        status = lia_err_plain(err, make_document(r, &id));
    }
    if (!status) {
        status = lia_txn_collection(r->txn, lia_str(LIA_COLLECTIONS), true,
                                    &collections, err);
    }
    if (!status) {
        status =
            lia_txn_apply(r->txn, collections, key, c->ops, c->count, &changed, err);
    }
    return !status && changed.changed ? lia_exec_changed(r, id.data, err) : status;
}

static liana_status begin(struct lia_result *r,
                          struct change *c,
                          struct liana_error *err)
{
    /* What is asked for, and the INSERT or DELETE of the document. */
    *c = (struct change){.r = r,
                         .ops = lia_arena_array(&r->arena, r->stmt->alters.count + 1,
                                                sizeof(struct lia_op))};
    return c->ops ? LIANA_OK : lia_err_plain(err, LIANA_ENOMEM);
}

static liana_status get_schema(struct lia_result *r,
                               const struct lia_schema **out,
                               struct liana_error *err)
{
    return lia_txn_schema(r->txn, r->stmt->source.collection, out, err);
}

static liana_status not_declared(const struct lia_result *r, struct liana_error *err)
{
    return lia_err(err, LIANA_ENOTFOUND, "%.*s is not declared: CREATE COLLECTION does",
                   LIA_STR_ARG(r->stmt->source.collection));
}

/* ---- statements ---- */

liana_status lia_exec_create(struct lia_result *r, struct liana_error *err)
{
    const struct lia_alters *alters = &r->stmt->alters;
    const struct lia_collection *collection;
    const struct lia_schema *schema = NULL;
    struct change c;
    liana_status status = get_schema(r, &schema, err);

    if (status) {
        return status;
    }
    if (schema->is_declared) {
        return r->stmt->is_conditional
                   ? LIANA_OK
                   : lia_err(err, LIANA_EEXISTS,
                             "%.*s is declared already: ALTER COLLECTION changes it",
                             LIA_STR_ARG(r->stmt->source.collection));
    }
    status = lia_exec_will_change(r, SIZE_MAX, err); /* tables, too */
    if (!status) {
        status = lia_exec_collection(r, true, &collection, err);
    }
    if (!status) {
        status = begin(r, &c, err);
    }
    if (status) {
        return status;
    }
    c.ops[0].kind = LIA_OP_INSERT;
    c.count = 1;
    status = lia_err_plain(err, make_document(r, &c.ops[0].value));
    for (uint32_t i = 0; i < alters->count && !status; i++) {
        status = alter_part(&c, schema, &alters->items[i], err);
    }
    return status ? status : write_document(&c, err);
}

liana_status lia_exec_alter(struct lia_result *r, struct liana_error *err)
{
    const struct lia_alters *alters = &r->stmt->alters;
    const struct lia_schema *schema = NULL;
    struct change c;
    liana_status status = get_schema(r, &schema, err);

    if (!status && !schema->is_declared) {
        status = not_declared(r, err);
    }
    if (!status) {
        status = begin(r, &c, err);
    }
    for (uint32_t i = 0; i < alters->count && !status; i++) {
        status = alter_part(&c, schema, &alters->items[i], err);
    }
    return status ? status : write_document(&c, err);
}

/* The documents go as by DELETE, in the mode that is declared; then the declaration. */
liana_status lia_exec_drop(struct lia_result *r, struct liana_error *err)
{
    const struct lia_schema *schema = NULL;
    struct change c;
    liana_status status = get_schema(r, &schema, err);

    if (!status && !schema->is_declared) {
        return r->stmt->is_conditional ? LIANA_OK : not_declared(r, err);
    }
    if (!status) {
        status = lia_exec_will_change(r, SIZE_MAX, err);
    }
    if (!status) {
        status = lia_exec_update(r, err);
    }
    if (!status) {
        status = begin(r, &c, err);
    }
    if (status) {
        return status;
    }
    c.ops[0].kind = LIA_OP_DELETE;
    c.count = 1;
    return write_document(&c, err);
}
