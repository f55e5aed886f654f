/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>

#include "codec/key.h"
#include "db/internal.h"

/*
 * One batch in one transaction. Items that meet a gap are kept aside and tried again
 * after the others, as long as one of them finds its place: what repairs it may be in the
 * same batch. Whatever then is left undoes everything.
 */

/* An item that met a gap: `row` in the stage, or `index` of the call. */
struct gap {
    uint64_t row; /* 0: not staged */
    size_t index;
    struct lia_apply_result result;
};

struct applying {
    struct lia_db *db;
    struct lia_txn *txn;
    struct lia_arena *arena; /* of the answer */
    const struct lia_batch *batch;
    uint64_t latest_ms; /* the guard: no stamp may be later */
    bool has_owed;      /* the list was not empty before */
    bool was_paid;      /* something went off the list */
    struct lia_verdicts verdicts;
    struct lia_buf gaps; /* struct gap */
    struct lia_buf owed; /* struct lia_apply_result of staged items that are owed */
    struct lia_apply_result *results; /* of the items of the call */
};

/* ---- one item ---- */

static liana_status key_is_of(struct lia_arena *scratch,
                              struct liana_slice body,
                              struct liana_slice key,
                              struct liana_error *err)
{
    struct lia_value id = {0};
    struct lia_buf own;
    liana_status status;

    if (body.len == 0) {
        return LIANA_OK;
    }
    if (!lia_bson_find(body, lia_str("_id"), &id)) {
        return lia_err(err, LIANA_EPROTOCOL, "the document has no _id");
    }
    lia_buf_init(&own, scratch->alloc);
    status = lia_key_of_id(id, &own, err);
    if (status == LIANA_EID ||
        (!status && !lia_slice_equal(lia_buf_slice(&own), key))) {
        status = lia_err(err, LIANA_EPROTOCOL, "the document's _id is not of its key");
    }
    lia_buf_deinit(&own);
    return status;
}

static liana_status owe(struct applying *a,
                        const struct lia_batch_item *item,
                        struct lia_vector to,
                        liana_status reason,
                        struct lia_apply_result *out,
                        struct liana_error *err)
{
    struct lia_buf vector;
    liana_status status;

    *out = (struct lia_apply_result){.kind = LIA_APPLY_OWED, .reason = reason};
    lia_buf_init(&vector, a->db->env->alloc);
    lia_vector_encode(&vector, to);
    status = lia_err_plain(err, vector.status);
    if (!status) {
        status = lia_books_run(
            a->txn->conn, err,
            "INSERT INTO owed "
            "(peer, subscription, collection, key, vector, reason, since_ms) "
            "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) "
            "ON CONFLICT DO UPDATE SET "
            "reason = excluded.reason, vector = excluded.vector",
            "sstssuu", a->batch->peer, item->subscription, item->key.collection,
            item->key.key, lia_buf_slice(&vector), (uint64_t)(int64_t)reason,
            lia_db_wall(a->db));
    }
    lia_buf_deinit(&vector);
    return status;
}

/* Whether what is held now reaches what is owed, whoever owes it. */
static liana_status is_paid(struct lia_arena *scratch,
                            struct lia_vector held,
                            struct liana_slice owed,
                            bool *out)
{
    struct lia_reader r = lia_reader(owed);
    struct lia_vector v;
    liana_status status = lia_vector_decode(scratch, &r, &v);

    if (!status) {
        *out = lia_vector_geq(held, v);
    }
    return status;
}

static liana_status pay_each(struct applying *a,
                             sqlite3_stmt *stmt,
                             struct lia_vector held,
                             struct liana_error *err)
{
    struct lia_conn *conn = a->txn->conn;
    bool paid = false;
    liana_status status = lia_conn_step(conn, stmt, err);

    if (!status) {
        status = lia_err_plain(
            err, is_paid(&a->txn->scratch, held, lia_column_slice(stmt, 1), &paid));
    }
    if (!status && paid) {
        a->was_paid = true;
        status = lia_books_run(conn, err, "DELETE FROM owed WHERE n = ?1", "u",
                               lia_column_u64(stmt, 0));
    }
    return status;
}

/* Takes the document off the list where what is held has reached what was owed. */
static liana_status pay(struct applying *a,
                        const struct lia_key *key,
                        struct lia_vector held,
                        struct liana_error *err)
{
    struct lia_conn *conn = a->txn->conn;
    sqlite3_stmt *stmt = NULL;
    liana_status status;

    if (!a->has_owed) {
        return LIANA_OK;
    }
    status = lia_conn_prepare(
        conn, lia_str("SELECT n, vector FROM owed WHERE collection = ?1 AND key = ?2"),
        &stmt, err);
    if (status) {
        return status;
    }
    lia_bind_str(stmt, 1, key->collection);
    lia_bind_slice(stmt, 2, key->key);
    while (!status) {
        status = pay_each(a, stmt, held, err);
    }
    lia_conn_done(conn, stmt);
    return status == LIANA_EEND ? LIANA_OK : status;
}

static liana_status meet_gap(struct applying *a,
                             struct liana_slice clock,
                             struct lia_apply_result *out)
{
    struct lia_doc_info info;
    struct liana_slice copy;
    liana_status status;

    if (!lia_arena_copy(a->arena, clock, &copy)) {
        return LIANA_ENOMEM;
    }
    status = lia_doc_info(a->arena, copy, &info);
    out->kind = LIA_APPLY_GAP;
    return status
               ? status
               : lia_doubts_lower(&a->db->doubts, a->arena, info.vector, &out->vector);
}

static liana_status put(struct applying *a,
                        const struct lia_batch_item *item,
                        const struct lia_row *row,
                        struct lia_doc merged,
                        uint64_t hlc,
                        struct liana_error *err)
{
    struct lia_txn *txn = a->txn;
    const struct lia_coll *coll = NULL;
    liana_status status = key_is_of(&txn->scratch, merged.body, item->key.key, err);

    if (!status) {
        status = lia_coll_for_write(txn, item->key.collection, &coll, err);
    }
    if (!status) {
        status = lia_row_put(txn, coll, item->key.key, row, merged, err);
    }
    if (!status && hlc > txn->state.hlc) {
        txn->state.hlc = hlc;
    }
    return status;
}

static bool is_same_doc(struct lia_doc a, struct lia_doc b)
{
    return lia_slice_equal(a.clock, b.clock) && lia_slice_equal(a.body, b.body);
}

/* New tags are newer than all that they are held against, also where the sender's clock is
 * ahead of ours: all peers choose the same ones. */
static void put_stamp_after(struct lia_txn *txn, uint64_t hlc)
{
    uint64_t newest = hlc > txn->state.hlc ? hlc : txn->state.hlc;

    if (txn->stamp.hlc <= newest) {
        txn->stamp.hlc = lia_hlc_next(newest, lia_db_wall(txn->db));
    }
}

/* What a segment says of an actor that is in doubt is joined whatever the vector says, and
 * re-tagged: others may believe of their vectors, or of their marks, that they have it. What
 * brings nothing new needs no tag: what is held already is lia_db_mend's. */
static liana_status heal(struct applying *a,
                         const struct lia_offered *offered,
                         struct liana_slice segment,
                         struct lia_doc *out,
                         struct liana_error *err)
{
    const struct lia_retag nothing = {.beyond = UINT64_MAX};
    const struct lia_doubts *doubts = &a->db->doubts;
    struct lia_doc doc = offered->row.doc;
    struct lia_txn *txn = a->txn;
    liana_status status = lia_doc_heal(&txn->scratch, doc, segment, &nothing, out, err);

    if (status || is_same_doc(*out, doc)) {
        *out = status ? *out : doc;
        return status;
    }
    put_stamp_after(txn, lia_vector_max_hlc(offered->segment.to));
    for (size_t i = 0; i < doubts->count && !status; i++) {
        const struct lia_retag how = {doubts->items[i].actor, doubts->items[i].beyond,
                                      txn->stamp};

        status = lia_doc_retag(&txn->scratch, *out, &how, out, err);
    }
    txn->is_own = true;
    txn->options.origin = 0; /* the sender gets the new tags, too */
    return status;
}

static liana_status join(struct applying *a,
                         const struct lia_offered *offered,
                         struct liana_slice segment,
                         const struct lia_watch *watch,
                         struct lia_doc *out,
                         struct liana_error *err)
{
    return lia_doubts_touch(&a->db->doubts, offered->segment.to)
               ? heal(a, offered, segment, out, err)
               : lia_doc_merge_watched(&a->txn->scratch, offered->row.doc, segment,
                                       watch, out, err);
}

static bool is_same_clock(struct lia_doc a, struct lia_doc b)
{
    return a.clock.ptr == b.clock.ptr && a.clock.len == b.clock.len;
}

/* The row becomes what the two have in common. */
static liana_status take(struct applying *a,
                         const struct lia_batch_item *item,
                         const struct lia_offered *offered,
                         struct lia_apply_result *out,
                         struct liana_error *err)
{
    struct lia_txn *txn = a->txn;
    struct lia_doc merged = {0};
    struct lia_doc_info info = {0};
    struct lia_losers losers;
    const struct lia_watch watch = lia_losers_watch(&losers, a->db, &txn->scratch);
    liana_status status = join(a, offered, item->segment, &watch, &merged, err);

    if (status == LIANA_EGAP) {
        return meet_gap(a, offered->row.doc.clock, out);
    }
    if (status == LIANA_ETOOLARGE) {
        return owe(a, item, offered->segment.to, status, out, NULL);
    }
    if (!status) {
        status = lia_err_plain(err, lia_doc_info(&txn->scratch, merged.clock, &info));
    }
    if (status) {
        return status;
    }
    if (is_same_clock(merged, offered->row.doc)) {
        out->kind = LIA_APPLY_UNCHANGED;
    } else {
        out->kind = LIA_APPLY_APPLIED;
        status = put(a, item, &offered->row, merged,
                     lia_vector_max_hlc(offered->segment.to), err);
    }
    if (!status) {
        const struct lia_lost_of of = {item->key.collection, item->key.key,
                                       merged.body.len ? merged.body
                                                       : offered->row.doc.body};

        status = lia_conflicts_put(txn, &of, &losers, err);
    }
    if (!status) {
        status = lia_verdict_follow(&a->verdicts, a->batch->peer, &item->key, offered,
                                    merged, &info, err);
    }
    return status ? status : pay(a, &item->key, info.vector, err);
}

static liana_status merge(struct applying *a,
                          const struct lia_batch_item *item,
                          const struct lia_segment_info *segment,
                          struct lia_apply_result *out,
                          struct liana_error *err)
{
    struct lia_txn *txn = a->txn;
    const struct lia_coll *coll = lia_coll_within(txn, item->key.collection);
    struct lia_offered offered = {.segment = *segment};
    liana_status status = LIANA_OK;

    if (coll) {
        status = lia_row_get(txn->conn, coll, item->key.key, &txn->scratch,
                             &offered.row, err);
    }
    if (!status) {
        status = lia_verdict_judge(&a->verdicts, &item->key, &offered, err);
    }
    if (!status && offered.answer == LIA_OFFER_REFUSE) {
        out->kind = LIA_APPLY_UNCHANGED;
        return pay(a, &item->key, segment->to, err);
    }
    return status ? status : take(a, item, &offered, out, err);
}

/* Expected outcomes are in `out`; a status is a failure of the whole batch. */
static liana_status apply_item(struct applying *a,
                               const struct lia_batch_item *item,
                               struct lia_apply_result *out,
                               struct liana_error *err)
{
    struct liana_error why = LIANA_ERROR_INIT;
    struct lia_segment_info info;
    liana_status status;

    *out = (struct lia_apply_result){.kind = LIA_APPLY_APPLIED};
    lia_arena_reset(&a->txn->scratch);
    status = lia_segment_info(&a->txn->scratch, item->segment, &info, &why);
    if (!status && lia_vector_get(info.to, a->txn->stamp.actor) > a->txn->state.own) {
        status = LIANA_ERENEWED;
    }
    if (!status) {
        status = lia_hlc_ms(lia_vector_max_hlc(info.to)) > a->latest_ms
                     ? owe(a, item, info.to, LIANA_ECLOCK, out, &why)
                     : merge(a, item, &info, out, &why);
    }
    out->key = item->key;
    if (status && err && !err->status) {
        LIA_IGNORE(lia_err_plain(&why, status)); /* gives it a text */
        *err = why;
        lia_err_prefix(err, "document of %.*s", LIA_STR_ARG(item->key.collection));
    }
    return status;
}

/* ---- all items ---- */

/* What a staged item's result names does not outlive the row. */
static liana_status keep_key(struct applying *a, struct lia_apply_result *result)
{
    struct liana_slice name;

    if (!lia_arena_copy(a->arena, lia_str_slice(result->key.collection), &name) ||
        !lia_arena_copy(a->arena, result->key.key, &result->key.key)) {
        return LIANA_ENOMEM;
    }
    result->key.collection = lia_slice_str(name);
    return LIANA_OK;
}

static liana_status note_staged(struct applying *a, struct gap *gap)
{
    liana_status status = LIANA_OK;

    if (gap->result.kind == LIA_APPLY_GAP) {
        status = keep_key(a, &gap->result);
    } else if (gap->result.kind == LIA_APPLY_OWED) {
        status = keep_key(a, &gap->result);
        lia_buf_bytes(&a->owed, &gap->result, sizeof(gap->result));
        status = status ? status : a->owed.status;
    }
    return status;
}

static void note_gap(struct applying *a, const struct gap *gap)
{
    if (gap->result.kind == LIA_APPLY_GAP) {
        lia_buf_bytes(&a->gaps, gap, sizeof(*gap));
    }
}

/* The staged item that the statement stands on. */
static liana_status apply_staged(struct applying *a,
                                 sqlite3_stmt *stmt,
                                 struct gap *out,
                                 struct liana_error *err)
{
    const struct lia_batch_item item = {
        .key = {lia_column_str(stmt, 1), lia_column_slice(stmt, 2)},
        .segment = lia_column_slice(stmt, 3),
        .subscription = lia_column_slice(stmt, 4)};
    liana_status status = apply_item(a, &item, &out->result, err);

    out->row = lia_column_u64(stmt, 0);
    return status ? status : lia_err_plain(err, note_staged(a, out));
}

#define STAGED "SELECT n, collection, key, segment, subscription FROM stage WHERE "

static liana_status apply_stage(struct applying *a,
                                uint64_t stage,
                                struct liana_error *err)
{
    struct lia_conn *conn = a->txn->conn;
    sqlite3_stmt *stmt = NULL;
    liana_status status;

    status =
        lia_conn_prepare(conn, lia_str(STAGED "stage = ?1 ORDER BY n"), &stmt, err);
    if (status) {
        return status;
    }
    lia_bind_u64(stmt, 1, stage);
    do {
        struct gap gap = {0};

        status = lia_conn_step(conn, stmt, err);
        if (!status) {
            status = apply_staged(a, stmt, &gap, err);
        }
        if (!status) {
            note_gap(a, &gap);
        }
    } while (!status);
    lia_conn_done(conn, stmt);
    return status == LIANA_EEND ? LIANA_OK : status;
}

static liana_status apply_items(struct applying *a, struct liana_error *err)
{
    const struct lia_batch *batch = a->batch;
    liana_status status = LIANA_OK;

    a->results = lia_arena_array(a->arena, batch->item_count, sizeof(*a->results));
    if (!a->results) {
        return lia_err_plain(err, LIANA_ENOMEM);
    }
    for (size_t i = 0; i < batch->item_count && !status; i++) {
        status = apply_item(a, &batch->items[i], &a->results[i], err);
        if (!status) {
            note_gap(a, &(struct gap){0, i, a->results[i]});
        }
    }
    return status;
}

static liana_status retry_staged(struct applying *a,
                                 struct gap *gap,
                                 struct liana_error *err)
{
    struct lia_conn *conn = a->txn->conn;
    sqlite3_stmt *stmt = NULL;
    liana_status status = lia_conn_prepare(conn, lia_str(STAGED "n = ?1"), &stmt, err);

    if (status) {
        return status;
    }
    lia_bind_u64(stmt, 1, gap->row);
    status = lia_conn_step(conn, stmt, err);
    if (!status) {
        status = apply_staged(a, stmt, gap, err);
    }
    lia_conn_done(conn, stmt);
    return status;
}

static liana_status retry(struct applying *a, struct gap *gap, struct liana_error *err)
{
    liana_status status;

    if (gap->row) {
        return retry_staged(a, gap, err);
    }
    status = apply_item(a, &a->batch->items[gap->index], &gap->result, err);
    a->results[gap->index] = gap->result;
    return status;
}

/* One round over the gaps; those that are left stay in the list, in order. */
static liana_status retry_round(struct applying *a, struct liana_error *err)
{
    struct gap *gaps = (struct gap *)(void *)a->gaps.ptr;
    size_t count = a->gaps.len / sizeof(*gaps);
    size_t left = 0;
    liana_status status = LIANA_OK;

    for (size_t i = 0; i < count && !status; i++) {
        status = retry(a, &gaps[i], err);
        if (!status && gaps[i].result.kind == LIA_APPLY_GAP) {
            gaps[left++] = gaps[i];
        }
    }
    a->gaps.len = left * sizeof(*gaps);
    return status;
}

static liana_status retry_gaps(struct applying *a, struct liana_error *err)
{
    liana_status status = lia_err_plain(err, a->gaps.status);
    size_t before = SIZE_MAX;

    while (!status && a->gaps.len && a->gaps.len < before) {
        before = a->gaps.len;
        status = retry_round(a, err);
    }
    return status;
}

/* ---- what comes with the documents ---- */

static liana_status put_token(struct applying *a,
                              const struct lia_token *t,
                              struct liana_error *err)
{
    return lia_books_run(a->txn->conn, err,
                         "INSERT OR REPLACE INTO token "
                         "(peer, subscription, epoch, context, seq, again) "
                         "VALUES (?1, ?2, ?3, ?4, ?5, 0)",
                         "ssusu", t->peer, t->subscription, t->epoch, t->context,
                         t->seq);
}

/* What was left out for what was held then may have to come again (docs/adr/0024). All or
 * none: subscriptions that were served together go on together, or what a transaction wrote
 * under two of them would be parted. */
static liana_status put_tokens(struct applying *a, struct liana_error *err)
{
    const struct lia_batch *batch = a->batch;
    uint64_t generation = 0;
    bool is_old = false;
    liana_status status = batch->token_count
                              ? lia_keep_generation(a->txn->conn, &generation, err)
                              : LIANA_OK;

    for (size_t i = 0; i < batch->token_count; i++) {
        is_old = is_old || batch->tokens[i].generation < generation;
    }
    for (size_t i = 0; i < batch->token_count && !status && !is_old; i++) {
        status = put_token(a, &batch->tokens[i], err);
    }
    return status;
}

static liana_status put_seen(struct applying *a, struct liana_error *err)
{
    const struct lia_seen *seen = a->batch->seen;
    struct lia_buf openings;
    liana_status status;

    if (!seen) {
        return LIANA_OK;
    }
    lia_buf_init(&openings, a->db->env->alloc);
    lia_openings_encode(&openings, seen);
    status = lia_err_plain(err, openings.status);
    if (!status) {
        status =
            lia_books_run(a->txn->conn, err,
                          "INSERT OR REPLACE INTO seen "
                          "(peer, epoch, seq, hlc, actor, openings) "
                          "VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                          "suuuus", a->batch->peer, seen->epoch, seen->seq,
                          seen->stamp.hlc, seen->stamp.actor, lia_buf_slice(&openings));
    }
    lia_buf_deinit(&openings);
    return status;
}

static liana_status drop_stages(struct applying *a, struct liana_error *err)
{
    liana_status status = LIANA_OK;

    for (size_t i = 0; i < a->batch->stage_count && !status; i++) {
        status = lia_books_run(a->txn->conn, err, "DELETE FROM stage WHERE stage = ?1",
                               "u", a->batch->stages[i]);
    }
    return status;
}

static liana_status put_all(struct applying *a, struct liana_error *err)
{
    liana_status status = LIANA_OK;

    for (size_t i = 0; i < a->batch->stage_count && !status; i++) {
        status = apply_stage(a, a->batch->stages[i], err);
    }
    if (!status) {
        status = apply_items(a, err);
    }
    if (!status) {
        status = retry_gaps(a, err);
    }
    if (status || a->gaps.len) {
        return status;
    }
    status = drop_stages(a, err);
    if (!status) {
        status = lia_verdicts_give(&a->verdicts, err);
    }
    if (!status) {
        status = put_tokens(a, err);
    }
    if (!status) {
        status = put_seen(a, err);
    }
    return status ? status : lia_marks_put(a->txn, a->batch, a->was_paid, err);
}

/* ---- the answer ---- */

static liana_status report_gaps(struct applying *a, struct lia_applied *out)
{
    const struct gap *gaps = (const struct gap *)(const void *)a->gaps.ptr;
    size_t count = a->gaps.len / sizeof(*gaps);
    struct lia_apply_result *all = lia_arena_array(a->arena, count, sizeof(*all));

    for (size_t i = 0; all && i < count; i++) {
        all[i] = gaps[i].result;
    }
    *out = (struct lia_applied){.results = all, .result_count = count};
    return all ? LIANA_OK : LIANA_ENOMEM;
}

static liana_status report_all(struct applying *a, struct lia_applied *out)
{
    size_t own = a->batch->item_count;
    size_t owed = a->owed.len / sizeof(struct lia_apply_result);
    struct lia_apply_result *all = lia_arena_array(a->arena, own + owed, sizeof(*all));

    if (!all) {
        return LIANA_ENOMEM;
    }
    memcpy(all, a->results, own * sizeof(*all));
    if (owed) {
        memcpy(all + own, a->owed.ptr, a->owed.len);
    }
    *out = (struct lia_applied){
        .is_committed = true, .results = all, .result_count = own + owed};
    return LIANA_OK;
}

static liana_status has_owed(struct applying *a, struct liana_error *err)
{
    struct lia_conn *conn = a->txn->conn;
    sqlite3_stmt *stmt = NULL;
    liana_status status =
        lia_conn_prepare(conn, lia_str("SELECT 1 FROM owed LIMIT 1"), &stmt, err);

    if (!status) {
        status = lia_conn_step(conn, stmt, err);
    }
    lia_conn_done(conn, stmt);
    a->has_owed = status == LIANA_OK;
    return status == LIANA_EEND ? LIANA_OK : status;
}

/* The answer is made before the commit: afterwards nothing can fail but the disk. */
static liana_status apply_in(struct applying *a,
                             struct lia_applied *out,
                             struct liana_error *err)
{
    struct lia_applied applied = {0};
    liana_status status = has_owed(a, err);

    if (!status) {
        status = put_all(a, err);
    }
    if (!status) {
        status = lia_err_plain(err, a->gaps.len ? report_gaps(a, &applied)
                                                : report_all(a, &applied));
    }
    if (status || !applied.is_committed) {
        lia_txn_rollback(a->txn);
    } else {
        status = lia_txn_commit(a->txn, &applied.commit, err);
    }
    if (!status) {
        *out = applied;
    }
    return status;
}

/* Somebody has stamped as this store does, and nobody knows since when. */
static liana_status part_with_actor(struct lia_db *db,
                                    uint64_t actor,
                                    struct liana_error *err)
{
    struct liana_error why = LIANA_ERROR_INIT;
    liana_status status = lia_db_disown(db, actor, &why);

    if (status && err) {
        *err = why;
    }
    return status ? status : LIANA_ERENEWED;
}

liana_status lia_db_apply(struct lia_db *db,
                          struct lia_arena *arena,
                          const struct lia_batch *batch,
                          enum lia_durability durability,
                          struct lia_applied *out,
                          struct liana_error *err)
{
    const struct lia_txn_options options = {.kind = LIA_WRITE,
                                            .wait_ms = LIA_WAIT_FOREVER,
                                            .durability = durability,
                                            .origin = batch->origin};
    struct applying a = {.db = db, .arena = arena, .batch = batch};
    liana_status status = lia_txn_begin(db, &options, &a.txn, err);
    uint64_t actor;

    if (status) {
        return status;
    }
    a.verdicts = (struct lia_verdicts){.txn = a.txn};
    actor = lia_txn_stamp(a.txn).actor;
    a.latest_ms = lia_db_wall(db) + LIA_CLOCK_AHEAD_MS_MAX;
    lia_buf_init(&a.gaps, db->env->alloc);
    lia_buf_init(&a.owed, db->env->alloc);
    status = apply_in(&a, out, err);
    lia_buf_deinit(&a.gaps);
    lia_buf_deinit(&a.owed);
    return status == LIANA_ERENEWED ? part_with_actor(db, actor, err) : status;
}
