/* SPDX-License-Identifier: Apache-2.0 */
#include "api/serve_internal.h"

/* ---- statements ---- */

/* Rows until there are enough for one answer. */
static liana_status send_rows(liana_result *result,
                              struct lia_control_reply *reply,
                              bool *out_ended,
                              struct liana_error *err)
{
    size_t bytes = 0;
    struct liana_slice row;
    liana_status status = LIANA_OK;

    while (!status && bytes < LIA_SERVE_ROWS_BYTES) {
        status = liana_result_next(result, &row, err);
        if (!status) {
            bytes += row.len;
            status = lia_control_reply_part(reply, row);
        }
    }
    *out_ended = status == LIANA_EEND;
    if (*out_ended && err) {
        *err = (struct liana_error)LIANA_ERROR_INIT;
    }
    return *out_ended ? LIANA_OK : status;
}

static liana_status run_statement(struct lia_serve_session *s,
                                  struct liana_slice body,
                                  liana_result **out,
                                  struct liana_error *err)
{
    struct liana_str statement = lia_field_text(body, "statement");
    struct liana_slice params = lia_field_document(body, "params");
    uint64_t id = lia_field_number(body, "txn");
    struct lia_lent *txn;
    liana_status status;

    if (id == 0) {
        return liana_execute(s->db, statement, params, out, err);
    }
    status = lia_lent_get(s, LIA_LENT_TXN, id, &txn, err);
    return status ? status
                  : liana_txn_execute(txn->handle, statement, params, out, err);
}

liana_status lia_serve_execute(void *session,
                               struct liana_slice body,
                               struct lia_control_reply *reply,
                               struct liana_error *err)
{
    struct lia_serve_session *s = session;
    struct lia_buf *out = lia_control_reply_body(reply);
    liana_result *result;
    struct lia_lent *held = NULL;
    uint64_t mutations;
    uint64_t waiting;
    uint64_t seq;
    size_t mark;
    bool ended;
    liana_status status = run_statement(s, body, &result, err);

    if (status) {
        return status;
    }
    mutations = liana_result_mutations(result);
    waiting = liana_result_waiting(result);
    seq = liana_result_seq(result);
    status = send_rows(result, reply, &ended, err);
    if (!status && !ended) {
        status = lia_lent_add(s, LIA_LENT_RESULT, result, &held);
    }
    if (!held) {
        liana_result_free(result);
    } else {
        held->txn = lia_field_number(body, "txn");
    }
    if (status) {
        return lia_err_plain(err, status);
    }
    mark = lia_bson_begin(out);
    lia_field_add(out, "result", held ? held->id : 0);
    lia_field_add(out, "mutations", mutations);
    lia_field_add(out, "waiting", waiting);
    lia_field_add(out, "seq", seq);
    lia_bson_add_bool(out, lia_str("ended"), ended);
    lia_bson_end(out, mark);
    return LIANA_OK;
}

liana_status lia_serve_next(void *session,
                            struct liana_slice body,
                            struct lia_control_reply *reply,
                            struct liana_error *err)
{
    struct lia_serve_session *s = session;
    struct lia_buf *out = lia_control_reply_body(reply);
    struct lia_lent *held;
    size_t mark;
    bool ended;
    liana_status status =
        lia_lent_get(s, LIA_LENT_RESULT, lia_field_number(body, "result"), &held, err);

    if (!status) {
        status = send_rows(held->handle, reply, &ended, err);
    }
    if (status) {
        return status;
    }
    if (ended) {
        lia_lent_end(s, held);
    }
    mark = lia_bson_begin(out);
    lia_bson_add_bool(out, lia_str("ended"), ended);
    lia_bson_end(out, mark);
    return LIANA_OK;
}

liana_status lia_serve_free(void *session,
                            struct liana_slice body,
                            struct lia_control_reply *reply,
                            struct liana_error *err)
{
    struct lia_serve_session *s = session;
    struct lia_lent *held =
        lia_lent_find(s, LIA_LENT_RESULT, lia_field_number(body, "result"));

    (void)reply;
    (void)err;
    if (held) {
        lia_lent_end(s, held);
    }
    return LIANA_OK;
}

/* ---- transactions ---- */

liana_status lia_serve_begin(void *session,
                             struct liana_slice body,
                             struct lia_control_reply *reply,
                             struct liana_error *err)
{
    struct lia_serve_session *s = session;
    struct liana_txn_options options = LIANA_TXN_OPTIONS_INIT;
    struct lia_lent *held;
    liana_txn *txn;
    liana_status status;

    options.read_only = lia_field_flag(body, "read_only");
    options.durability = (int32_t)lia_field_number(body, "durability");
    options.timeout_ms = (int32_t)lia_field_number(body, "timeout_ms");
    status = liana_begin(s->db, &options, &txn, err);
    if (status) {
        return status;
    }
    status = lia_lent_add(s, LIA_LENT_TXN, txn, &held);
    if (status) {
        liana_rollback(txn);
        return lia_err_plain(err, status);
    }
    lia_field_answer(lia_control_reply_body(reply), "txn", held->id);
    return LIANA_OK;
}

/* Results of a transaction end with it; the client frees them later or never. */
static void end_results_of(struct lia_serve_session *s, uint64_t txn)
{
    struct lia_lent *h = s->held;

    while (h) {
        struct lia_lent *after = h->next;

        if (h->kind == LIA_LENT_RESULT && h->txn == txn) {
            lia_lent_end(s, h);
        }
        h = after;
    }
}

liana_status lia_serve_commit(void *session,
                              struct liana_slice body,
                              struct lia_control_reply *reply,
                              struct liana_error *err)
{
    struct lia_serve_session *s = session;
    struct lia_lent *held;
    uint64_t seq = 0;
    liana_status status =
        lia_lent_get(s, LIA_LENT_TXN, lia_field_number(body, "txn"), &held, err);

    if (status) {
        return status;
    }
    end_results_of(s, held->id);
    status = liana_commit(held->handle, &seq, err);
    lia_lent_forget(s, held);
    if (!status) {
        lia_field_answer(lia_control_reply_body(reply), "seq", seq);
    }
    return status;
}

liana_status lia_serve_rollback(void *session,
                                struct liana_slice body,
                                struct lia_control_reply *reply,
                                struct liana_error *err)
{
    struct lia_serve_session *s = session;
    struct lia_lent *held =
        lia_lent_find(s, LIA_LENT_TXN, lia_field_number(body, "txn"));

    (void)reply;
    (void)err;
    if (held) {
        end_results_of(s, held->id);
        lia_lent_end(s, held);
    }
    return LIANA_OK;
}
