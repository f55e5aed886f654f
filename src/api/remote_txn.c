/* SPDX-License-Identifier: Apache-2.0 */
#include "api/remote_internal.h"
#include "base/reader.h"

/*
 * Rows come in batches: with the answer to EXECUTE, then with each NEXT. A batch is their
 * documents one behind the other.
 */
struct remote_result {
    struct liana_result base;
    struct lia_remote_db *db;
    struct lia_control_client *client; /* the transaction's or the handle's */
    struct remote_txn *txn;            /* NULL: none, or it has ended */
    struct remote_result *next;        /* of the transaction's */
    uint64_t id;                       /* 0: it has ended there */
    struct lia_buf rows;
    size_t at;
    liana_status status; /* how it ended */
};

struct remote_txn {
    struct liana_txn base;
    struct lia_remote_db *db;
    struct lia_control_client *client;
    uint64_t id;
    struct remote_result *results;
};

/* ---- results ---- */

static liana_status take_row(void *ctx, struct liana_slice document)
{
    struct remote_result *r = ctx;

    lia_buf_slice_add(&r->rows, document);
    return r->rows.status;
}

static liana_status fetch(struct remote_result *r, struct liana_error *err)
{
    struct lia_buf body;
    struct lia_buf reply;
    liana_status status;

    lia_buf_init(&body, r->db->env.alloc);
    lia_buf_init(&reply, r->db->env.alloc);
    lia_field_answer(&body, "result", r->id);
    lia_buf_reset(&r->rows);
    r->at = 0;
    status =
        lia_remote_call(r->client, LIA_CONTROL_NEXT, &body, take_row, r, &reply, err);
    if (!status && lia_field_flag(lia_buf_slice(&reply), "ended")) {
        r->id = 0;
    }
    lia_buf_deinit(&reply);
    lia_buf_deinit(&body);
    return status;
}

static liana_status next_row(liana_result *result,
                             struct liana_slice *row,
                             struct liana_error *err)
{
    struct remote_result *r = (struct remote_result *)result;
    struct lia_reader head;

    while (!r->status && r->at == r->rows.len) {
        r->status = r->id ? fetch(r, err) : LIANA_EEND;
    }
    if (r->status) {
        return lia_err_plain(err, r->status);
    }
    head = lia_reader(lia_slice_sub(lia_buf_slice(&r->rows), r->at, 4));
    *row = lia_slice_sub(lia_buf_slice(&r->rows), r->at, lia_reader_u32(&head));
    r->at += row->len;
    return LIANA_OK;
}

static void free_result(liana_result *result)
{
    struct remote_result *r = (struct remote_result *)result;
    struct remote_result **at;
    struct lia_buf body;

    if (r->txn) {
        for (at = &r->txn->results; *at != r; at = &(*at)->next) {
        }
        *at = r->next;
    }
    if (r->id) {
        lia_buf_init(&body, r->db->env.alloc);
        lia_field_answer(&body, "result", r->id);
        /* A connection that is broken has freed it. */
        LIA_IGNORE(
            lia_remote_ask(r->client, LIA_CONTROL_FREE, &body, NULL, NULL, NULL));
    }
    lia_buf_deinit(&r->rows);
    lia_remote_use(r->db, -1);
    lia_mem_free(r->db->env.alloc, r, sizeof(*r));
}

static const struct lia_result_ops result_ops = {next_row, free_result};

static void make_request(struct lia_buf *body,
                         struct liana_str statement,
                         struct liana_slice params,
                         uint64_t txn)
{
    size_t mark = lia_bson_begin(body);

    lia_bson_add_str(body, lia_str("statement"), statement);
    if (params.len) {
        lia_bson_add(body, lia_str("params"),
                     (struct lia_value){LIA_BSON_DOCUMENT, params});
    }
    lia_field_add(body, "txn", txn);
    lia_bson_end(body, mark);
}

/* A document goes into another one, so its length must be right; the rest is checked at
 * the other end. */
static liana_status check_params(struct liana_slice params, struct liana_error *err)
{
    struct lia_reader r = lia_reader(params);

    if (params.len && (params.len < 5 || lia_reader_u32(&r) != params.len ||
                       params.ptr[params.len - 1] != 0)) {
        return lia_err(err, LIANA_EBSON, "the parameters are no BSON document");
    }
    return LIANA_OK;
}

static liana_status run(struct lia_remote_db *db,
                        struct lia_control_client *client,
                        uint64_t txn,
                        struct liana_str statement,
                        struct liana_slice params,
                        struct remote_result **out,
                        struct liana_error *err)
{
    struct remote_result *r;
    struct lia_buf body;
    struct lia_buf reply;
    liana_status status = check_params(params, err);

    if (status) {
        return status;
    }
    r = lia_mem_zalloc(db->env.alloc, sizeof(*r));
    if (!r) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    r->base.ops = &result_ops;
    r->db = db;
    r->client = client;
    lia_remote_use(db, 1);
    lia_buf_init(&r->rows, db->env.alloc);
    lia_buf_init(&body, db->env.alloc);
    lia_buf_init(&reply, db->env.alloc);
    make_request(&body, statement, params, txn);
    status =
        lia_remote_call(client, LIA_CONTROL_EXECUTE, &body, take_row, r, &reply, err);
    if (!status) {
        r->id = lia_field_number(lia_buf_slice(&reply), "result");
        r->base.mutations = lia_field_number(lia_buf_slice(&reply), "mutations");
        r->base.waiting = lia_field_number(lia_buf_slice(&reply), "waiting");
        r->base.seq = lia_field_number(lia_buf_slice(&reply), "seq");
        *out = r;
    } else {
        free_result(&r->base);
    }
    lia_buf_deinit(&reply);
    lia_buf_deinit(&body);
    return status;
}

liana_status lia_remote_execute(liana_db *db,
                                struct liana_str statement,
                                struct liana_slice params,
                                liana_result **out,
                                struct liana_error *err)
{
    struct lia_remote_db *r = (struct lia_remote_db *)db;
    struct remote_result *result = NULL;
    liana_status status = run(r, r->client, 0, statement, params, &result, err);

    if (!status && result) {
        *out = &result->base;
    }
    return status;
}

/* ---- transactions ---- */

static liana_status execute(liana_txn *txn,
                            struct liana_str statement,
                            struct liana_slice params,
                            liana_result **out,
                            struct liana_error *err)
{
    struct remote_txn *t = (struct remote_txn *)txn;
    struct remote_result *result = NULL;
    liana_status status = run(t->db, t->client, t->id, statement, params, &result, err);

    if (!status && result) {
        result->txn = t;
        result->next = t->results;
        t->results = result;
        *out = &result->base;
    }
    return status;
}

/* With the connection goes what is still open at its other end. */
static void free_txn(struct remote_txn *t)
{
    for (struct remote_result *r = t->results; r; r = r->next) {
        r->txn = NULL;
        r->id = 0;
        r->status = LIANA_ECANCELED;
    }
    lia_control_disconnect(t->client);
    lia_remote_use(t->db, -1);
    lia_mem_free(t->db->env.alloc, t, sizeof(*t));
}

static liana_status commit(liana_txn *txn, uint64_t *out_seq, struct liana_error *err)
{
    struct remote_txn *t = (struct remote_txn *)txn;
    struct lia_buf body;
    liana_status status;

    lia_buf_init(&body, t->db->env.alloc);
    lia_field_answer(&body, "txn", t->id);
    status = lia_remote_ask(t->client, LIA_CONTROL_COMMIT, &body, "seq", out_seq, err);
    free_txn(t);
    return status;
}

static void rollback(liana_txn *txn)
{
    struct remote_txn *t = (struct remote_txn *)txn;
    struct lia_buf body;

    lia_buf_init(&body, t->db->env.alloc);
    lia_field_answer(&body, "txn", t->id);
    /* If it fails, the end of the connection does it. */
    LIA_IGNORE(
        lia_remote_ask(t->client, LIA_CONTROL_ROLLBACK, &body, NULL, NULL, NULL));
    free_txn(t);
}

static const struct lia_txn_ops txn_ops = {execute, commit, rollback};

static liana_status ask_begin(struct remote_txn *t,
                              const struct liana_txn_options *options,
                              struct liana_error *err)
{
    struct lia_buf body;
    size_t mark;

    lia_buf_init(&body, t->db->env.alloc);
    mark = lia_bson_begin(&body);
    lia_bson_add_bool(&body, lia_str("read_only"), options->read_only);
    lia_field_add(&body, "durability", (uint64_t)options->durability);
    lia_field_add(&body, "timeout_ms", (uint64_t)(int64_t)options->timeout_ms);
    lia_bson_end(&body, mark);
    return lia_remote_ask(t->client, LIA_CONTROL_BEGIN, &body, "txn", &t->id, err);
}

liana_status lia_remote_begin(liana_db *db,
                              const struct liana_txn_options *options,
                              liana_txn **out,
                              struct liana_error *err)
{
    struct lia_remote_db *r = (struct lia_remote_db *)db;
    struct remote_txn *t = lia_mem_zalloc(r->env.alloc, sizeof(*t));
    liana_status status;

    if (!t) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    t->base.ops = &txn_ops;
    t->db = r;
    lia_remote_use(r, 1);
    status = lia_control_connect(&r->env, r->path, &t->client, err);
    if (!status) {
        status = ask_begin(t, options, err);
    }
    if (status) {
        free_txn(t);
        return status;
    }
    *out = &t->base;
    return LIANA_OK;
}
