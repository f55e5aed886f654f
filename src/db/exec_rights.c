/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rights in bounded counters, as statements have them: who has which (system:rights), and
 * RECLAIM, which takes back what an actor that has ended had left (docs/adr/0054).
 */
#include <inttypes.h>
#include <stdio.h>

#include "db/exec_system.h"

/* ---- actors ---- */

static bool read_hex(struct liana_str text, uint64_t *out)
{
    uint64_t n = 0;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool is_digit = c >= '0' && c <= '9';

        if (!is_digit && (c < 'a' || c > 'f')) {
            return false;
        }
        n = n << 4 | (uint64_t)(is_digit ? c - '0' : c - 'a' + 10);
    }
    *out = n;
    return text.len == 16;
}

liana_status lia_exec_actor(const struct lia_eval *cx,
                            const struct lia_assign *assign,
                            const struct lia_expr *expr,
                            struct liana_slice body,
                            uint64_t *out)
{
    struct lia_value v = LIA_MISSING;
    liana_status status = lia_eval(cx, expr, body, &v);

    if (status) {
        return status;
    }
    if (v.type == LIA_BSON_INT32 || v.type == LIA_BSON_INT64) {
        *out = (uint64_t)lia_int_of(v);
        return LIANA_OK;
    }
    return v.type == LIA_BSON_STRING && read_hex(lia_value_str(v), out)
               ? LIANA_OK
               : lia_exec_bad_value(assign, v,
                                    "an actor, an int64 or its 16 hexadecimal digits",
                                    cx->err);
}

/* ---- RECLAIM ---- */

/* What the actor may spend of the counter; 0 too where there is nothing. */
static liana_status rights_of(struct lia_arena *work,
                              struct lia_doc doc,
                              struct lia_path path,
                              uint64_t actor,
                              int64_t *out,
                              struct liana_error *err)
{
    struct lia_bounded_info info = {0};
    liana_status status = lia_doc_bounded(work, doc, path, actor, &info, err);

    *out = info.rights > 0 ? info.rights : 0;
    if (status == LIANA_ENOTFOUND) {
        *err = (struct liana_error)LIANA_ERROR_INIT;
        status = LIANA_OK;
    }
    return status;
}

/* Of the own ones the operation says what is wrong. */
static liana_status check(struct lia_result *r,
                          const struct lia_assign *assign,
                          uint64_t from,
                          struct liana_error *err)
{
    bool is_own = from == lia_txn_stamp(r->txn).actor;

    return is_own || assign->kind == LIA_ASSIGN_RECLAIM_FORCED
               ? LIANA_OK
               : lia_reclaim_check(r->txn, r->stmt->source.collection, from, err);
}

liana_status lia_exec_reclaim(struct lia_result *r,
                              struct lia_arena *work,
                              const struct lia_assign *assign,
                              struct lia_doc doc,
                              struct lia_op *out,
                              size_t *out_count,
                              struct liana_error *err)
{
    const struct lia_eval cx = lia_exec_eval(r, work, err);
    struct lia_scratch *scratch = LIA_ARENA_NEW(work, struct lia_scratch);
    uint64_t own = lia_txn_stamp(r->txn).actor;
    uint64_t to = own;
    uint64_t from = 0;
    int64_t rights = 0;
    liana_status status = lia_exec_path(work, assign->path, &out->path);

    *out_count = 0;
    if (status || !scratch) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    status = lia_exec_actor(&cx, assign, assign->actor, doc.body, &from);
    if (!status && assign->value) {
        status = lia_exec_actor(&cx, assign, assign->value, doc.body, &to);
    }
    if (!status) {
        status = rights_of(work, doc, out->path, from, &rights, err);
    }
    if (status || rights == 0) {
        return status;
    }
    out[0] = (struct lia_op){.kind = LIA_OP_RECLAIM, .path = out->path, .actor = from};
    out[1] = (struct lia_op){.kind = LIA_OP_TRANSFER,
                             .path = out->path,
                             .actor = to,
                             .value = lia_value_of_int64(rights, scratch)};
    *out_count = to == own ? 1 : 2;
    return check(r, assign, from, err);
}

/* ---- system:rights ---- */

static liana_status add_right(struct lia_system_rows *rows,
                              const struct lia_coll *coll,
                              struct liana_slice key,
                              struct lia_path path,
                              struct lia_rights one,
                              struct liana_error *err)
{
    struct lia_conn *conn = lia_txn_conn(rows->r->txn);
    struct lia_fate fate;
    char actor[20];
    liana_status status = lia_actor_fate(conn, one.actor, &fate, err);

    if (!status) {
        status = lia_system_row_begin(rows, coll->pub.name, key, err);
    }
    if (status) {
        return status;
    }
    snprintf(actor, sizeof(actor), "%016" PRIx64, one.actor);
    lia_system_add_path(&rows->body, lia_str("path"), path);
    lia_bson_add_str(&rows->body, lia_str("actor"), lia_str(actor));
    lia_bson_add_int64(&rows->body, lia_str("rights"), one.amount);
    lia_bson_add_bool(&rows->body, lia_str("own"),
                      one.actor == lia_db_identity(lia_txn_db(rows->r->txn)).actor);
    lia_bson_add_bool(&rows->body, lia_str("ended"), fate.is_ended && !fate.is_used);
    return lia_system_row_end(rows, err);
}

static liana_status add_rights_at(struct lia_system_rows *rows,
                                  const struct lia_coll *coll,
                                  struct liana_slice key,
                                  struct lia_doc doc,
                                  struct lia_path path,
                                  struct liana_error *err)
{
    const struct lia_rights *rights = NULL;
    struct liana_error why = LIANA_ERROR_INIT;
    struct lia_arena work;
    size_t count = 0;
    liana_status status;

    lia_arena_init(&work, rows->r->alloc);
    status = lia_doc_rights(&work, doc, path, &rights, &count, &why);
    if (status == LIANA_ENOTFOUND || status == LIANA_ETYPE) { /* no such counter */
        status = LIANA_OK;
    } else if (status == LIANA_ECORRUPT || status == LIANA_EVERSION) {
        status = lia_row_damaged(coll, err);
    } else {
        status = lia_err_plain(err, status);
    }
    for (size_t i = 0; i < count && !status && rows->count < LIA_SYSTEM_ROWS_MAX; i++) {
        status = add_right(rows, coll, key, path, rights[i], err);
    }
    lia_arena_deinit(&work);
    return status;
}

static liana_status add_rights_in(struct lia_system_rows *rows,
                                  const struct lia_coll *coll,
                                  struct liana_slice key,
                                  struct lia_doc doc,
                                  const void *ctx,
                                  struct liana_error *err)
{
    const struct lia_rules *rules = ctx;
    liana_status status = LIANA_OK;

    for (size_t i = 0; i < rules->shape_count && !status; i++) {
        if (rules->shapes[i].kind == LIA_SHAPE_BOUNDED) {
            status = add_rights_at(rows, coll, key, doc, rules->shapes[i].path, err);
        }
    }
    return status;
}

static liana_status add_rights_of(struct lia_system_rows *rows,
                                  const struct lia_collection *collection,
                                  struct liana_error *err)
{
    const struct lia_rules *rules = NULL;
    liana_status status = lia_schema_rules(rows->r->txn, collection->name, &rules, err);

    return status || !lia_rules_have_bounded(rules)
               ? status
               : lia_system_walk(rows, collection, add_rights_in, rules, err);
}

liana_status lia_system_rights(struct lia_system_rows *rows, struct liana_error *err)
{
    return lia_system_each(rows, add_rights_of, err);
}
