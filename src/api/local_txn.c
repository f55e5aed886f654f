/* SPDX-License-Identifier: Apache-2.0 */
#include "api/local.h"

struct local_txn;

struct local_result {
    struct liana_result base;
    struct lia_result *result;
    struct lia_local_db *user;
    struct local_txn *txn;     /* NULL: none, or it has ended */
    struct local_result *next; /* of the transaction's */
};

struct local_txn {
    struct liana_txn base;
    struct lia_txn *txn;
    struct lia_local_db *user;
    struct local_result *results;
};

/* ---- results ---- */

static liana_status next_row(liana_result *result,
                             struct liana_slice *row,
                             struct liana_error *err)
{
    return lia_result_next(((struct local_result *)result)->result, row, err);
}

static void free_result(liana_result *result)
{
    struct local_result *r = (struct local_result *)result;
    struct local_result **at;

    if (r->txn) {
        for (at = &r->txn->results; *at != r; at = &(*at)->next) {
        }
        *at = r->next;
    }
    lia_result_free(r->result);
    lia_local_use(r->user, -1);
    lia_mem_free(&r->user->local->alloc, r, sizeof(*r));
}

static const struct lia_result_ops result_ops = {next_row, free_result};

static struct local_result *new_result(struct lia_local_db *user)
{
    struct local_result *r = lia_mem_zalloc(&user->local->alloc, sizeof(*r));

    if (r) {
        r->base.ops = &result_ops;
        r->user = user;
    }
    return r;
}

static liana_result *finish_result(struct local_result *r)
{
    r->base.mutations = lia_result_mutations(r->result);
    r->base.waiting = lia_result_waiting(r->result);
    r->base.seq = lia_result_seq(r->result);
    lia_local_use(r->user, 1);
    return &r->base;
}

liana_status lia_local_execute(liana_db *db,
                               struct liana_str statement,
                               struct liana_slice params,
                               liana_result **out,
                               struct liana_error *err)
{
    struct lia_local_db *user = lia_local_of(db);
    struct local_result *r = new_result(user);
    liana_status status =
        r ? lia_db_execute(user->local->db, statement, params, NULL, &r->result, err)
          : lia_err_plain(err, LIANA_ENOMEM);

    if (status) {
        lia_mem_free(&user->local->alloc, r, sizeof(*r));
        return status;
    }
    *out = finish_result(r);
    return LIANA_OK;
}

/* ---- transactions ---- */

static liana_status execute(liana_txn *txn,
                            struct liana_str statement,
                            struct liana_slice params,
                            liana_result **out,
                            struct liana_error *err)
{
    struct local_txn *t = (struct local_txn *)txn;
    struct local_result *r = new_result(t->user);
    liana_status status =
        r ? lia_txn_execute(t->txn, statement, params, NULL, &r->result, err)
          : lia_err_plain(err, LIANA_ENOMEM);

    if (status) {
        lia_mem_free(&t->user->local->alloc, r, sizeof(*r));
        return status;
    }
    r->txn = t;
    r->next = t->results;
    t->results = r;
    *out = finish_result(r);
    return LIANA_OK;
}

/* Results give back what they hold of the transaction; their owners free them. */
static void end_results(struct local_txn *t)
{
    for (struct local_result *r = t->results; r; r = r->next) {
        lia_result_end(r->result);
        r->txn = NULL;
    }
    t->results = NULL;
}

static void free_txn(struct local_txn *t)
{
    struct lia_local_db *user = t->user;

    lia_local_use(user, -1);
    lia_mem_free(&user->local->alloc, t, sizeof(*t));
}

static liana_status commit(liana_txn *txn, uint64_t *out_seq, struct liana_error *err)
{
    struct local_txn *t = (struct local_txn *)txn;
    struct lia_commit done = {0};
    liana_status status;

    end_results(t);
    status = lia_txn_commit(t->txn, &done, err);
    free_txn(t);
    if (!status) {
        *out_seq = done.seq;
    }
    return status;
}

static void rollback(liana_txn *txn)
{
    struct local_txn *t = (struct local_txn *)txn;

    end_results(t);
    lia_txn_rollback(t->txn);
    free_txn(t);
}

static const struct lia_txn_ops txn_ops = {execute, commit, rollback};

static struct lia_txn_options translate(struct lia_db *db,
                                        const struct liana_txn_options *from)
{
    struct lia_txn_options to =
        lia_txn_options(db, from->read_only ? LIA_READ : LIA_WRITE);

    to.wait_ms = from->timeout_ms < 0 ? LIA_WAIT_FOREVER : (uint32_t)from->timeout_ms;
    if (from->durability == LIANA_DURABILITY_FULL) {
        to.durability = LIA_FULL;
    } else if (from->durability == LIANA_DURABILITY_NORMAL) {
        to.durability = LIA_NORMAL;
    }
    return to;
}

liana_status lia_local_begin(liana_db *db,
                             const struct liana_txn_options *options,
                             liana_txn **out,
                             struct liana_error *err)
{
    struct lia_local_db *user = lia_local_of(db);
    struct lia_txn_options translated = translate(user->local->db, options);
    struct local_txn *t = lia_mem_zalloc(&user->local->alloc, sizeof(*t));
    liana_status status;

    if (!t) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    status = lia_txn_begin(user->local->db, &translated, &t->txn, err);
    if (status) {
        lia_mem_free(&user->local->alloc, t, sizeof(*t));
        return status;
    }
    t->base.ops = &txn_ops;
    t->user = user;
    lia_local_use(user, 1);
    *out = &t->base;
    return LIANA_OK;
}
