/* SPDX-License-Identifier: Apache-2.0 */
#include "db/internal.h"

/*
 * Rights in bounded counters belong to an actor (docs/adr/0023). A store that ends its actor
 * because it evicts gives them to the next one, in the same transaction; one that has ended it
 * already takes them back (reclaim.c). One pass over the collections that declare such
 * counters lists what the actor has rights in, a second one moves them.
 */

struct holding {
    struct holding *next;
    const struct lia_coll *coll;
    const struct lia_rules *rules;
    struct liana_slice key;
};

struct handing {
    struct lia_txn *txn;
    uint64_t from;
    uint64_t to;
    struct lia_arena list;
    struct holding *first;
};

/* 0 too where there is no such counter. */
static liana_status rights_at(struct handing *h,
                              struct lia_doc doc,
                              const struct lia_shape *shape,
                              int64_t *out,
                              struct liana_error *err)
{
    struct lia_bounded_info info;
    liana_status status =
        shape->kind == LIA_SHAPE_BOUNDED
            ? lia_doc_bounded(&h->txn->scratch, doc, shape->path, h->from, &info, err)
            : LIANA_ENOTFOUND;
    bool is_none = status == LIANA_ENOTFOUND || status == LIANA_ETYPE;

    *out = !status && info.rights > 0 ? info.rights : 0;
    if (is_none && err) {
        *err = (struct liana_error)LIANA_ERROR_INIT;
    }
    return is_none ? LIANA_OK : status;
}

/* ---- what there is ---- */

static liana_status note(struct handing *h,
                         const struct lia_coll *coll,
                         const struct lia_rules *rules,
                         struct liana_slice key,
                         struct liana_error *err)
{
    struct holding *one = LIA_ARENA_NEW(&h->list, struct holding);

    if (!one || !lia_arena_copy(&h->list, key, &one->key)) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    one->coll = coll;
    one->rules = rules;
    one->next = h->first;
    h->first = one;
    return LIANA_OK;
}

static liana_status look_at(struct handing *h,
                            const struct lia_coll *coll,
                            const struct lia_rules *rules,
                            sqlite3_stmt *stmt,
                            struct liana_error *err)
{
    const struct lia_doc doc = {lia_column_slice(stmt, 3), lia_column_slice(stmt, 4)};
    int64_t rights = 0;
    liana_status status = LIANA_OK;

    lia_arena_reset(&h->txn->scratch);
    for (size_t i = 0; i < rules->shape_count && !status && rights == 0; i++) {
        status = rights_at(h, doc, &rules->shapes[i], &rights, err);
    }
    return status || rights == 0 ? status
                                 : note(h, coll, rules, lia_column_slice(stmt, 2), err);
}

bool lia_rules_have_bounded(const struct lia_rules *rules)
{
    bool has = false;

    for (size_t i = 0; i < rules->shape_count && !has; i++) {
        has = rules->shapes[i].kind == LIA_SHAPE_BOUNDED;
    }
    return has;
}

static liana_status look_in(struct handing *h,
                            const struct lia_coll *coll,
                            struct liana_error *err)
{
    struct lia_conn *conn = h->txn->conn;
    const struct lia_rules *rules;
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_schema_rules(h->txn, coll->pub.name, &rules, err);

    if (status || !lia_rules_have_bounded(rules)) {
        return status;
    }
    status = lia_conn_prepare(conn, coll->sql_walk, &stmt, err);
    if (status) {
        return status;
    }
    lia_bind_u64(stmt, 1, 0);
    lia_bind_u64(stmt, 2, 0);
    lia_bind_u64(stmt, 3, lia_txn_seq(h->txn));
    while (!status) {
        status = lia_conn_step(conn, stmt, err);
        if (!status) {
            status = look_at(h, coll, rules, stmt, err);
        }
    }
    lia_conn_done(conn, stmt);
    return status == LIANA_EEND ? LIANA_OK : status;
}

static liana_status look(struct handing *h,
                         const struct lia_coll *first,
                         struct liana_error *err)
{
    liana_status status = LIANA_OK;

    for (const struct lia_coll *c = first; c && !status; c = c->next) {
        status = lia_coll_is_system(c->pub.name) ? LIANA_OK : look_in(h, c, err);
    }
    return status;
}

/* ---- moving: whoever stamps gives or takes ---- */

static liana_status move(struct handing *h,
                         const struct holding *one,
                         struct lia_doc *doc,
                         const struct lia_shape *shape,
                         struct liana_error *err)
{
    struct lia_txn *txn = h->txn;
    bool is_own = h->from == txn->stamp.actor;
    struct lia_op op = {.kind = is_own ? LIA_OP_TRANSFER : LIA_OP_RECLAIM,
                        .path = shape->path,
                        .actor = is_own ? h->to : h->from};
    struct lia_scratch scratch;
    int64_t rights;
    liana_status status = rights_at(h, *doc, shape, &rights, err);

    if (status || rights == 0) {
        return status;
    }
    op.value = lia_value_of_int64(rights, &scratch);
    status = lia_doc_apply(&txn->scratch, *doc, &op, 1, txn->stamp, doc, err);
    return status == LIANA_ECORRUPT ? lia_row_damaged(one->coll, err) : status;
}

static liana_status move_all(struct handing *h,
                             const struct holding *one,
                             struct liana_error *err)
{
    struct lia_txn *txn = h->txn;
    struct lia_row row = {0};
    struct lia_doc after;
    liana_status status;

    lia_arena_reset(&txn->scratch);
    status = lia_row_get(txn->conn, one->coll, one->key, &txn->scratch, &row, err);
    after = row.doc;
    for (size_t i = 0; i < one->rules->shape_count && !status; i++) {
        status = move(h, one, &after, &one->rules->shapes[i], err);
    }
    return status ? status : lia_row_put(txn, one->coll, one->key, &row, after, err);
}

static liana_status walk(struct handing *h, struct liana_error *err)
{
    struct lia_txn *txn = h->txn;
    liana_status status = look(h, txn->db->collections, err);

    if (!status) {
        status = look(h, txn->created, err);
    }
    for (const struct holding *one = h->first; one && !status; one = one->next) {
        status = move_all(h, one, err);
    }
    return status;
}

static liana_status run(struct handing *h, bool *out_any, struct liana_error *err)
{
    struct lia_txn *txn = h->txn;
    struct lia_arena scratch = txn->scratch; /* the caller's row is in it */
    liana_status status;

    lia_arena_init(&txn->scratch, txn->db->env->alloc);
    lia_arena_init(&h->list, txn->db->env->alloc);
    status = walk(h, err);
    *out_any = h->first != NULL;
    lia_arena_deinit(&h->list);
    lia_arena_deinit(&txn->scratch);
    txn->scratch = scratch;
    return status;
}

liana_status lia_rights_hand_over(struct lia_txn *txn,
                                  uint64_t to,
                                  bool *out_any,
                                  struct liana_error *err)
{
    struct handing h = {.txn = txn, .from = txn->stamp.actor, .to = to};

    return run(&h, out_any, err);
}

liana_status lia_rights_take(struct lia_txn *txn,
                             uint64_t from,
                             bool *out_any,
                             struct liana_error *err)
{
    struct handing h = {.txn = txn, .from = from, .to = txn->stamp.actor};

    return run(&h, out_any, err);
}
