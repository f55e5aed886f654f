/* SPDX-License-Identifier: Apache-2.0 */
/*
 * INSERT and its conflict policies. Two documents of one statement cannot have one _id.
 */
#include <stdlib.h>

#include "codec/key.h"
#include "db/exec_internal.h"
#include "lang/print.h"

/* One document of the statement. */
struct item {
    struct liana_slice body;
    struct liana_slice key;
    uint32_t place; /* from 1 */
};

/* ---- bodies ---- */

/* An ObjectId as MongoDB makes them: seconds since 1970, then what is unique. */
static void make_oid(struct lia_db *db, uint8_t out[static 12])
{
    uint64_t now = 0;

    LIA_IGNORE(lia_db_now(db, &now)); /* a clock that is wrong does no harm here */
    for (int i = 0; i < 4; i++) {
        out[i] = (uint8_t)(now / 1000 >> (24 - 8 * i));
    }
    db->env->random(db->env->ctx, out + 4, 8);
}

/* The document with an _id of its own before its fields. */
static liana_status add_id(struct lia_result *r,
                           struct liana_slice body,
                           struct liana_slice *out)
{
    struct lia_bson_iter it = lia_bson_iter(body);
    uint8_t oid[12];
    struct lia_buf buf;
    liana_status status;
    size_t mark;

    make_oid(lia_txn_db(r->txn), oid);
    lia_buf_init(&buf, r->alloc);
    mark = lia_bson_begin(&buf);
    lia_bson_add(&buf, lia_str("_id"),
                 (struct lia_value){LIA_BSON_OBJECTID, lia_slice(oid, sizeof(oid))});
    while (lia_bson_next(&it)) {
        lia_bson_add_elements(&buf, lia_bson_element(&it));
    }
    lia_bson_end(&buf, mark);
    status = buf.status;
    if (!status && !lia_arena_copy(&r->arena, lia_buf_slice(&buf), out)) {
        status = LIANA_ENOMEM;
    }
    lia_buf_deinit(&buf);
    return status;
}

static liana_status make_key(struct lia_result *r,
                             struct item *item,
                             struct liana_error *err)
{
    struct lia_buf key;
    struct lia_value id;
    liana_status status = LIANA_OK;

    if (!lia_bson_find(item->body, lia_str("_id"), &id)) {
        if (r->stmt->is_initial) {
            return lia_err(
                err, LIANA_EID,
                "an INITIAL document needs an _id: it is the same everywhere");
        }
        status = lia_err_plain(err, add_id(r, item->body, &item->body));
        if (status || !lia_bson_find(item->body, lia_str("_id"), &id)) {
            return status;
        }
    }
    lia_buf_init(&key, r->alloc);
    status = lia_key_of_id(id, &key, err);
    if (!status && !lia_arena_copy(&r->arena, lia_buf_slice(&key), &item->key)) {
        status = lia_err_plain(err, LIANA_ENOMEM);
    }
    lia_buf_deinit(&key);
    return status;
}

/* Parameters have been checked, and with them every document inside. */
static bool is_of_params(const struct lia_result *r, struct liana_slice body)
{
    return r->params.len && body.ptr >= r->params.ptr &&
           body.ptr + body.len <= r->params.ptr + r->params.len;
}

/* The document of one pair of parentheses. It is checked before anything looks into it. */
static liana_status make_item(struct lia_result *r,
                              uint32_t at,
                              struct item *out,
                              struct liana_error *err)
{
    const struct lia_eval cx = lia_exec_eval(r, &r->arena, err);
    struct lia_value v;
    liana_status status =
        lia_eval(&cx, r->stmt->documents.items[at], lia_bson_empty, &v);

    if (!status && v.type != LIA_BSON_DOCUMENT) {
        status = lia_err(err, LIANA_ETYPE, "a document must be an object, not %s",
                         lia_is_missing(v) ? "MISSING" : lia_bson_type_name(v.type));
    }
    if (!status && !is_of_params(r, v.data)) {
        status = lia_bson_check(v.data, r->alloc, err);
    }
    if (!status) {
        *out = (struct item){.body = v.data, .place = at + 1};
        status = make_key(r, out, err);
    }
    if (status && r->stmt->documents.count > 1) {
        lia_err_prefix(err, "document %u", at + 1);
    }
    return status;
}

static int compare_items(const void *a, const void *b)
{
    const struct item *x = a;
    const struct item *y = b;
    int order = lia_slice_cmp(x->key, y->key);

    return order ? order : (x->place > y->place) - (x->place < y->place);
}

static liana_status refuse_doubles(struct lia_result *r,
                                   const struct item *items,
                                   uint32_t count,
                                   struct liana_error *err)
{
    struct item *sorted = lia_arena_array(&r->arena, count, sizeof(*sorted));

    if (!sorted) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    memcpy(sorted, items, count * sizeof(*sorted));
    qsort(sorted, count, sizeof(*sorted), compare_items);
    for (uint32_t i = 1; i < count; i++) {
        if (lia_slice_equal(sorted[i].key, sorted[i - 1].key)) {
            return lia_err(err, LIANA_EEXISTS,
                           "documents %u and %u of the statement have the same _id",
                           sorted[i - 1].place, sorted[i].place);
        }
    }
    return LIANA_OK;
}

/* ---- DO UPDATE ---- */

struct update {
    struct lia_result *r;
    struct lia_op *ops;
    size_t count;
    size_t cap;
    bool only_differences;
    const struct lia_schema *schema;
    struct liana_str path[LIA_DEPTH_MAX];
    size_t depth;
};

static liana_status add_set(struct update *u, struct lia_value v)
{
    struct lia_arena *arena = &u->r->arena;
    struct liana_str *names;

    if (u->count == u->cap) {
        size_t cap = u->cap ? u->cap * 2 : 16;
        struct lia_op *ops = lia_arena_array(arena, cap, sizeof(*ops));

        if (!ops) {
            return LIANA_ENOMEM;
        }
        if (u->count) {
            memcpy(ops, u->ops, u->count * sizeof(*ops));
        }
        u->ops = ops;
        u->cap = cap;
    }
    names = lia_arena_array(arena, u->depth, sizeof(*names));
    if (!names) {
        return LIANA_ENOMEM;
    }
    memcpy(names, u->path, u->depth * sizeof(*names));
    u->ops[u->count++] =
        (struct lia_op){.kind = LIA_OP_SET, .path = {names, u->depth}, .value = v};
    return LIANA_OK;
}

/* The path is declared as what is written as a whole. */
static bool is_one(const struct update *u)
{
    const struct lia_declared *d =
        lia_schema_find(u->schema, u->path, (uint32_t)u->depth);

    return d && !lia_declared_has_fields(d);
}

/* Every field that is supplied is set; objects are entered, so that fields that are not
 * supplied stay. */
/* NOLINTNEXTLINE(misc-no-recursion): at most LIA_DEPTH_MAX deep */
static liana_status set_fields(struct update *u,
                               struct liana_slice supplied,
                               struct liana_slice shown)
{
    struct lia_bson_iter it = lia_bson_iter(supplied);
    liana_status status = LIANA_OK;

    u->depth++;
    while (!status && lia_bson_next(&it)) {
        struct lia_value old = LIA_MISSING;
        bool is_new = !lia_bson_find(shown, it.name, &old);
        bool is_object = it.value.type == LIA_BSON_DOCUMENT &&
                         it.value.data.len > lia_bson_empty.len;
        bool is_whole;

        if (u->depth == 1 && lia_str_equal(it.name, lia_str("_id"))) {
            continue;
        }
        u->path[u->depth - 1] = it.name;
        is_whole = is_one(u);
        if (!is_whole && is_object && (is_new || old.type == LIA_BSON_DOCUMENT)) {
            status = set_fields(u, it.value.data, is_new ? lia_bson_empty : old.data);
        } else if (!is_whole && it.value.type == LIA_BSON_DOCUMENT && !is_object &&
                   old.type == LIA_BSON_DOCUMENT) {
            continue; /* {} onto an object removes nothing */
        } else if (!u->only_differences || is_new || !lia_value_equal(old, it.value)) {
            status = add_set(u, it.value);
        }
    }
    u->depth--;
    return status;
}

static liana_status make_update(struct lia_result *r,
                                const struct item *item,
                                struct liana_slice shown,
                                const struct lia_schema *schema,
                                struct update *u)
{
    *u = (struct update){.r = r,
                         .schema = schema,
                         .only_differences =
                             r->stmt->conflict == LIA_CONFLICT_UPDATE_LOCAL_DIFF};
    return set_fields(u, item->body, shown);
}

/* ---- inserting ---- */

/* The document exists: what the policy makes of it. */
static liana_status conflict(struct lia_result *r,
                             const struct lia_collection *collection,
                             const struct item *item,
                             struct lia_change *out,
                             struct liana_error *err)
{
    struct lia_op replace = {.kind = LIA_OP_REPLACE,
                             .value = {LIA_BSON_DOCUMENT, item->body}};
    struct liana_slice shown = {0};
    const struct lia_schema *schema = NULL;
    struct lia_doc doc;
    struct update u;
    liana_status status;

    if (r->stmt->conflict == LIA_CONFLICT_NOTHING) {
        return LIANA_OK;
    }
    if (r->stmt->conflict == LIA_CONFLICT_REPLACE) {
        return lia_txn_apply(r->txn, collection, item->key, &replace, 1, out, err);
    }
    status = lia_txn_schema(r->txn, collection->name, &schema, err);
    if (!status) {
        status = lia_txn_get(r->txn, collection, item->key, &doc, err);
    }
    if (status) {
        return status;
    }
    if (!lia_arena_copy(&r->arena, doc.body, &shown)) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    status = lia_err_plain(err, make_update(r, item, shown, schema, &u));
    if (!status && u.count) {
        status = lia_txn_apply(r->txn, collection, item->key, u.ops, u.count, out, err);
    }
    return status;
}

/* Names the _id that is taken. */
static liana_status refuse(const struct lia_result *r,
                           const struct item *item,
                           struct liana_error *err)
{
    struct lia_expr id = {.kind = LIA_EXPR_VALUE};
    struct lia_buf text;

    LIA_IGNORE(
        lia_bson_find(item->body, lia_str("_id"), &id.value)); /* make_key found it */
    lia_buf_init(&text, r->alloc);
    lia_expr_print(&text, &id);
    LIA_IGNORE(lia_err(err, LIANA_EEXISTS, "%.*s has a document with _id %.*s already",
                       LIA_STR_ARG(r->stmt->source.collection),
                       (int)(text.len < 80 ? text.len : 80), (const char *)text.ptr));
    lia_buf_deinit(&text);
    return LIANA_EEXISTS;
}

static liana_status insert(struct lia_result *r,
                           const struct lia_collection *collection,
                           const struct item *item,
                           struct liana_error *err)
{
    const struct lia_op op = {.kind = LIA_OP_INSERT,
                              .value = {LIA_BSON_DOCUMENT, item->body}};
    struct liana_error why = LIANA_ERROR_INIT;
    struct lia_change change = {0};
    liana_status status =
        r->stmt->is_initial
            ? lia_txn_seed(r->txn, collection, item->key, &op, &change, &why)
            : lia_txn_apply(r->txn, collection, item->key, &op, 1, &change, &why);

    if (status == LIANA_EEXISTS && r->stmt->conflict != LIA_CONFLICT_FAIL) {
        why = (struct liana_error)LIANA_ERROR_INIT;
        status = conflict(r, collection, item, &change, &why);
    } else if (status == LIANA_EEXISTS) {
        why = (struct liana_error)LIANA_ERROR_INIT;
        status = refuse(r, item, &why);
    }
    if (status) {
        if (r->stmt->documents.count > 1) {
            lia_err_prefix(&why, "document %u", item->place);
        }
        return lia_err_sub(err, status, why.subcode, "%s", why.message);
    }
    return change.changed ? lia_exec_changed(r, item->body, err) : LIANA_OK;
}

liana_status lia_exec_insert(struct lia_result *r, struct liana_error *err)
{
    uint32_t count = r->stmt->documents.count;
    struct item *items = lia_arena_array(&r->arena, count, sizeof(*items));
    const struct lia_collection *collection = NULL;
    liana_status status = LIANA_OK;
    bool is_new;

    if (!items) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    for (uint32_t i = 0; i < count && !status; i++) {
        status = make_item(r, i, &items[i], err);
    }
    status = status ? status : refuse_doubles(r, items, count, err);
    if (!status) {
        is_new = !lia_coll_within(r->txn, r->stmt->source.collection);
        status = lia_exec_will_change(r, count + is_new, err);
    }
    status = status ? status : lia_exec_collection(r, true, &collection, err);
    for (uint32_t i = 0; i < count && !status; i++) {
        status = insert(r, collection, &items[i], err);
    }
    return status;
}
